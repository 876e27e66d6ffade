//! Runs the rules over a repository and sorts what they found by its place.

use super::registry::RULES;
use super::repository::Repository;
use super::rule::{Check, Finding, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::not_read::NotRead;
use crate::repository::tree::Standing;
use crate::text::line;
use serde::Serialize;

/// What came of a run.
#[derive(Default)]
pub struct Outcome {
    /// Sorted by file and line.
    pub found: Vec<Found>,
    pub not_checked: Vec<NotChecked>,
}

/// One finding with its rule.
pub struct Found {
    pub rule: &'static Rule,
    pub finding: Finding,
}

impl Found {
    /// The rule's severity, or the finding's own.
    pub fn severity(&self) -> Severity {
        self.finding.severity.unwrap_or(self.rule.entry.severity)
    }
}

/// Checks that were not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotChecked {
    /// Null: of all of them.
    pub file: Option<String>,
    pub codes: Vec<&'static str>,
    #[serde(flatten)]
    pub missing: NotRead,
}

/// Runs every rule.
pub fn run(repository: &Repository<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    for onboarding in &repository.onboardings {
        for rule in RULES {
            if let Check::Onboarding(check) = rule.check {
                let checked = check(onboarding, repository);
                outcome.add(rule, checked.found);
                for missing in checked.not_checked {
                    outcome.skip(&onboarding.manifest.file, rule, missing);
                }
            }
        }
        let changes = repository.changes.as_ref();
        if let Some(cluster) = changes.and_then(|c| c.left(onboarding))
            && onboarding.is_applied()
        {
            let missing = NotRead::new(
                format!("whether {cluster} still applies it"),
                "its file was moved out of the folder of that cluster",
            );
            outcome.skipped(&onboarding.manifest.file, vec!["SKVS554"], missing);
        }
        if let Some((by, key)) = onboarding.patched_by() {
            let why = format!("{key} of {} may change it", by.file);
            let missing = NotRead::new("what is applied in the end", &why);
            outcome.skipped(&onboarding.manifest.file, Vec::new(), missing);
        }
    }
    for rule in RULES {
        if let Check::Repository(check) = rule.check {
            outcome.add(rule, check(repository));
        }
    }
    if repository.tree.alone {
        let missing = NotRead::new("other manifests", "only the named files were read");
        let codes = ["SKVS531", "SKVS532", "SKVS533", "SKVS541", "SKVS542"].to_vec();
        outcome.skipped("", codes, missing);
    }
    for kustomization in &repository.tree.kustomizations {
        for listed in &kustomization.listed {
            if let Standing::NotRead(why) = repository.tree.standing(listed) {
                let missing = NotRead::new(format!("what {} brings", listed.entry), why);
                outcome.skipped(&kustomization.file, Vec::new(), missing);
            }
        }
    }
    for not_known in repository.changes.iter().flat_map(|c| c.not_known()) {
        let missing = NotRead::new(
            "what has changed",
            format!(
                "the earlier {} is not known: {}",
                not_known.file, not_known.why
            ),
        );
        let codes = ["SKVS551", "SKVS552", "SKVS553", "SKVS554"].to_vec();
        outcome.skipped(&not_known.file, codes, missing);
    }
    let key = |f: &Found| (f.finding.file.clone(), f.finding.place, f.rule.entry.code);
    outcome.found.sort_by_key(key);
    outcome
}

impl Outcome {
    fn add(&mut self, rule: &'static Rule, found: Vec<Finding>) {
        let found = found.into_iter().map(|finding| Found { rule, finding });
        self.found.extend(found);
    }

    fn skip(&mut self, file: &str, rule: &'static Rule, missing: NotRead) {
        let mut same = self.not_checked.iter_mut().rev();
        match same.find(|s| s.file == shown(file) && s.missing == missing) {
            Some(skipped) => skipped.codes.push(rule.entry.code),
            None => self.skipped(file, vec![rule.entry.code], missing),
        }
    }

    fn skipped(&mut self, file: &str, codes: Vec<&'static str>, missing: NotRead) {
        self.not_checked.push(NotChecked {
            file: shown(file),
            codes,
            missing,
        });
    }
}

/// A file as a report names it; an empty path is none.
fn shown(file: &str) -> Option<String> {
    (!file.is_empty()).then(|| line(file).into_owned())
}
