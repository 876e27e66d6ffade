//! Helm's revisions: from the Secrets' labels, what Flux noted of them beside it.

use crate::snapshot::{IfRead, Snapshot, Why};
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
        let noted = &snapshot.helm_release().status.history;
        let (stored, unread) = match snapshot.revisions() {
            Ok(stored) => (stored.map_or(&[][..], Vec::as_slice), None),
            Err(unread) => (&[][..], Some(unread.why)),
        };
        let stored = stored.iter().map(|r| Row {
            revision: r.revision,
            updated: r.created.clone(),
            status: r.status.clone(),
            chart: None,
            description: None,
        });
        // Only where Helm's storage was not read does the status stand for it.
        let noted_only = noted.iter().filter(|_| unread.is_some()).map(|h| Row {
            revision: h.version,
            updated: None,
            status: h.status.clone(),
            chart: None,
            description: None,
        });
        let mut rows: Vec<Row> = stored.chain(noted_only).collect();
        for row in &mut rows {
            if let Some(h) = noted.iter().find(|h| h.version == row.revision) {
                row.updated = h.last_deployed.clone().or(row.updated.take());
                row.chart = Some(format!("{}-{}", h.chart_name, h.chart_version));
            }
            // Only its own revision is described by it.
            if let Some(release) =
                (snapshot.release().if_read()).filter(|r| r.version == row.revision)
            {
                let meta = &release.chart.metadata;
                row.updated = release.info.last_deployed.clone().or(row.updated.take());
                row.chart = Some(format!("{}-{}", meta.name, meta.version));
                row.description = Some(release.info.description.clone());
            }
        }
        Self {
            revisions: rows,
            secrets_not_read: unread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::snapshot::Read;

    #[test]
    fn the_status_replaces_storage_only_where_that_was_not_read() {
        let mut snapshot = fixture::snapshot("ready");
        let mut rows = |revisions| {
            snapshot.revisions = revisions;
            let history = History::describe(&snapshot);
            (history.revisions.len(), history.secrets_not_read.is_some())
        };
        assert_eq!(rows(Read::failed("no answer in 5s")), (1, true));
        assert_eq!(rows(Read::Absent), (0, false));
        assert_eq!(rows(Read::Seen(Vec::new())), (0, false));
    }
}
