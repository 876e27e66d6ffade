//! The report of `lint`: each fault with its manifest and position, the checks that were not run, and the files that are not known.
//!
//! The same values go to every format. All text in it is clean.

#[cfg(test)]
mod schema;

use super::description::API_VERSION;
use super::totals::Totals;
use crate::advice::{Line, Origin};
use crate::diagnosis::ignore::Ignores;
use crate::diagnosis::lint::{Installed, NotChecked, Outcome, Repository, onboarding::Cluster};
use crate::diagnosis::{Severity, Step, Subject};
use crate::text::{line, one_line};
use serde::Serialize;
use std::collections::BTreeSet;

/// The kind of the JSON form.
pub const KIND: &str = "LintReport";

/// The whole report.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LintReport {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// The commit that was compared with; null without `--diff-base`.
    pub base: Option<String>,
    /// Each cluster that was compared with (`--installed`).
    pub installed: Vec<Compared>,
    /// Onboardings that were checked.
    pub manifests: u64,
    /// Clusters that they are for, as far as their paths say so.
    pub clusters: Vec<String>,
    /// HelmReleases that are not onboardings.
    pub passed_over: u64,
    #[serde(flatten)]
    pub totals: Totals,
    /// By file and line.
    pub findings: Vec<Finding>,
    /// Checks that were not run.
    pub not_checked: Vec<NotChecked>,
    /// Files whose content is unknown: they could not be read or parsed.
    pub not_known: Vec<NotKnown>,
}

/// What a cluster has installed, in figures.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// The kubeconfig's context; null if none was used.
    pub context: Option<String>,
    /// The cluster's folder in the repository; null if every manifest is for it.
    pub folder: Option<String>,
    /// Manifests that are for this cluster.
    pub manifests: u64,
    /// How many of those that are known are installed; null if none is known.
    pub installed: Option<u64>,
    /// Of how many that is not known.
    pub not_known: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub code: &'static str,
    pub slug: &'static str,
    pub severity: Severity,
    pub message: String,
    pub file: String,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1, in characters.
    pub column: u64,
    /// The HelmRelease; null where it is about none.
    pub subject: Option<Subject>,
    pub why: Vec<String>,
    pub fix: Vec<Step<Line>>,
}

// `repository::NotKnown` with its text cleaned, and with nulls for a place that is not known.
/// A file that could not be read or parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotKnown {
    pub file: String,
    /// Where a parser stopped; null where none began.
    pub line: Option<u64>,
    pub column: Option<u64>,
    pub why: String,
}

impl NotKnown {
    /// As a sentence names it.
    pub fn sentence(&self) -> String {
        let place = self
            .line
            .map_or(String::new(), |line| format!(", line {line}"));
        format!("{}{place}: {}", self.file, self.why)
    }
}

fn compared(installed: &Installed) -> Compared {
    let [manifests, found, not_known] = installed.counts().map(|n| n as u64);
    Compared {
        context: installed.context.as_deref().map(one_line),
        folder: installed.folder.as_deref().map(one_line),
        manifests,
        installed: (manifests == 0 || not_known < manifests).then_some(found),
        not_known,
    }
}

impl LintReport {
    /// The report of a run, without what is ignored.
    pub fn new(
        repository: &Repository<'_>,
        outcome: Outcome,
        base: Option<&str>,
        ignores: &mut Ignores,
    ) -> Self {
        let clusters = repository
            .onboardings
            .iter()
            .filter_map(|o| match o.cluster {
                Cluster::Named(name) => Some(name.to_owned()),
                Cluster::Folder(_) => None,
            });
        let clusters: BTreeSet<String> = clusters.collect();
        let mut report = Self {
            api_version: API_VERSION,
            kind: KIND,
            base: base.map(one_line),
            installed: repository.installed.iter().map(compared).collect(),
            manifests: repository.onboardings.len() as u64,
            clusters: clusters.iter().map(|name| one_line(name)).collect(),
            passed_over: repository.passed_over() as u64,
            totals: Totals::default(),
            findings: Vec::new(),
            not_checked: Vec::new(),
            not_known: Vec::new(),
        };
        for found in outcome.found {
            let severity = found.severity();
            let finding = found.finding;
            let code = found.rule.entry.code;
            if ignores.takes_named(code, |name| {
                finding.called.iter().any(|called| called == name)
            }) {
                report.totals.ignored += 1;
                continue;
            }
            report.totals.add(severity);
            // No cluster is asked: the commands need none.
            let origin = Origin::default();
            report.findings.push(Finding {
                code,
                slug: found.rule.entry.slug,
                severity,
                message: finding.sentence,
                file: line(&finding.file).into_owned(),
                line: finding.place.line,
                column: finding.place.column,
                subject: finding.subject,
                why: finding.why,
                fix: finding.steps.into_iter().map(|s| s.at(&origin)).collect(),
            });
        }
        report.not_checked = outcome.not_checked;
        report.not_known = repository
            .tree
            .not_known
            .iter()
            .map(|n| NotKnown {
                file: line(&n.file).into_owned(),
                line: n.place.map(|p| p.line),
                column: n.place.map(|p| p.column),
                why: one_line(&n.why),
            })
            .collect();
        report
    }

    /// Leaves out what is less severe; it stays counted.
    pub fn show(&mut self, least: Severity) {
        self.findings.retain(|f| f.severity >= least);
        self.totals.show(self.findings.len());
    }
}
