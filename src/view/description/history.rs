//! Helm's revisions: from the Secrets' labels, what Flux noted of them beside it.

use crate::snapshot::{Read, Snapshot, Why};
use serde::Serialize;

/// The revisions, newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub revisions: Vec<Row>,
    /// Set where Helm's Secrets could not be listed: why. The rows are then what the HelmRelease's status holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets_not_read: Option<Why>,
}

/// One revision.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub revision: i64,
    /// When it was deployed or, where nothing tells that, when its Secret was made.
    pub updated: Option<String>,
    pub status: String,
    /// `secure-kvs-onboarding-0.1.2`; null where neither the status nor a decoded release tells.
    pub chart: Option<String>,
    /// Helm's words; only of the revision that was decoded.
    pub description: Option<String>,
}

impl History {
    pub(super) fn describe(snapshot: &Snapshot) -> Self {
        let noted = &snapshot.helm_release.status.history;
        let mut rows: Vec<Row> = match snapshot.revisions.seen() {
            Some(revisions) => revisions
                .iter()
                .map(|r| Row {
                    revision: r.revision,
                    updated: r.created.clone(),
                    status: r.status.clone(),
                    chart: None,
                    description: None,
                })
                .collect(),
            None => noted
                .iter()
                .map(|h| Row {
                    revision: h.version,
                    updated: None,
                    status: h.status.clone(),
                    chart: None,
                    description: None,
                })
                .collect(),
        };
        for row in &mut rows {
            if let Some(h) = noted.iter().find(|h| h.version == row.revision) {
                row.updated = h.last_deployed.clone().or(row.updated.take());
                row.chart = Some(format!("{}-{}", h.chart_name, h.chart_version));
            }
            if let Some(release) = snapshot
                .release
                .seen()
                .filter(|r| r.version == row.revision)
            {
                let meta = &release.chart.metadata;
                row.updated = release.info.last_deployed.clone().or(row.updated.take());
                row.chart = Some(format!("{}-{}", meta.name, meta.version));
                row.description = Some(release.info.description.clone());
            }
        }
        Self {
            revisions: rows,
            secrets_not_read: match &snapshot.revisions {
                Read::Unknown(why) => Some(why.clone()),
                _ => None,
            },
        }
    }
}
