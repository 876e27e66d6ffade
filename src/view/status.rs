//! The state of the whole installation, as `status` reports it: kind `Status`.
//!
//! What could not be read is null in its place and named in `notRead` with the reason; it never counts as zero, none or fine.

mod couchdb;
mod databases;
mod source;

pub use couchdb::{CouchDb, Member};
pub use databases::{Attention, Databases};
pub use source::{Source, SourceState};

use super::description::API_VERSION;
use super::onboarding_counts::Counts;
use super::report::{Cause, Report};
use crate::exit::Code;
use crate::model::inventory::State;
use crate::model::not_read::NotRead;
use serde::Serialize;

/// The whole status.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// Namespace of the onboardings; null for all namespaces.
    pub namespace: Option<String>,
    pub onboardings: Counts,
    /// Root causes that are errors; a shared one counts once.
    pub errors: u64,
    /// Root causes that are warnings.
    pub warnings: u64,
    /// Root causes that are information.
    pub infos: u64,
    /// Every root cause once, with the affected onboardings; worst first.
    pub causes: Vec<Cause>,
    pub databases: Databases,
    pub couchdb: CouchDb,
    /// What the onboardings take their chart from.
    pub sources: Vec<Source>,
    /// What could not be read. While there is anything, the rest does not say that all is well.
    pub not_read: Vec<NotRead>,
    /// The report that the causes are from, for the text.
    #[serde(skip)]
    pub report: Report,
}

/// What a status is made of.
pub struct Parts {
    pub namespace: Option<String>,
    pub onboardings: Counts,
    pub report: Report,
    pub databases: Databases,
    pub couchdb: CouchDb,
    pub sources: Vec<Source>,
    /// Beside what the report and the parts say themselves.
    pub not_read: Vec<NotRead>,
}

impl From<Parts> for Status {
    fn from(parts: Parts) -> Self {
        let Parts {
            namespace,
            onboardings,
            report,
            databases,
            couchdb,
            sources,
            not_read,
        } = parts;
        let not_run = report.all_not_run();
        let not_run = not_run.map(|n| NotRead::new(&n.what, &n.why));
        let by_source = sources.iter().filter_map(Source::not_read);
        let mut all: Vec<NotRead> = Vec::new();
        for part in not_read.into_iter().chain(by_source).chain(not_run) {
            if !all.contains(&part) {
                all.push(part);
            }
        }
        Self {
            api_version: API_VERSION,
            kind: "Status",
            namespace,
            onboardings,
            errors: report.totals.errors,
            warnings: report.totals.warnings,
            infos: report.totals.infos,
            causes: report.causes.clone(),
            databases,
            couchdb,
            sources,
            not_read: all,
            report,
        }
    }
}

impl Status {
    /// An error was found: by a check, among CouchDB's members, a database that CouchDB cannot serve, or a chart source.
    pub fn has_error(&self) -> bool {
        self.errors > 0
            || self.couchdb.has_error()
            || self.databases.has_error()
            || self.failing_sources() > 0
    }

    /// How many chart sources fail or do not exist.
    pub fn failing_sources(&self) -> u64 {
        self.sources.iter().filter(|s| s.has_error()).count() as u64
    }

    /// Missing databases that only onboardings of other namespaces claim, which the checks did not look at.
    pub fn missing_elsewhere(&self) -> u64 {
        let Some(namespace) = &self.namespace else {
            return 0;
        };
        let here = format!("HelmRelease {namespace}/");
        let missing = self.databases.in_state(State::Missing);
        let is_elsewhere = |d: &&Attention| d.claimed_by.iter().all(|by| !by.starts_with(&here));
        missing.filter(is_elsewhere).count() as u64
    }

    /// The exit code: with anything unread, nothing found is not fine.
    pub fn code(&self) -> Code {
        Code::of_findings(self.has_error(), self.not_read.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod tests;
