//! Runs the rules over a repository and sorts what they found by its place.

use super::registry::RULES;
use super::repository::Repository;
use super::rule::{Check, Finding, NotChecked, Rule};
use crate::diagnosis::rule::Severity;
use crate::repository::tree::Standing;

/// What came of a run.
#[derive(Default)]
pub struct Outcome {
    /// Sorted by file and line.
    pub found: Vec<Found>,
    pub not_checked: Vec<Skipped>,
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

/// Checks that were not run on a file, for one reason.
pub struct Skipped {
    pub file: String,
    pub codes: Vec<&'static str>,
    pub missing: NotChecked,
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
            let missing = NotChecked::new(
                &format!("whether {cluster} still applies it"),
                "its file was moved out of the folder of that cluster",
            );
            outcome.skipped(&onboarding.manifest.file, vec!["SKVS554"], missing);
        }
        if let Some((by, key)) = onboarding.patched_by() {
            let why = format!("{key} of {} may change it", by.file);
            let missing = NotChecked::new("what is applied in the end", &why);
            outcome.skipped(&onboarding.manifest.file, Vec::new(), missing);
        }
    }
    for rule in RULES {
        if let Check::Repository(check) = rule.check {
            outcome.add(rule, check(repository));
        }
    }
    if repository.tree.alone {
        let missing = NotChecked::new("other manifests", "only the named files were read");
        let codes = ["SKVS531", "SKVS532", "SKVS533", "SKVS541", "SKVS542"].to_vec();
        outcome.skipped("", codes, missing);
    }
    for kustomization in &repository.tree.kustomizations {
        for listed in &kustomization.listed {
            if let Standing::NotRead(why) = repository.tree.standing(listed) {
                let missing = NotChecked::new(&format!("what {} brings", listed.entry), why);
                outcome.skipped(&kustomization.file, Vec::new(), missing);
            }
        }
    }
    for not_known in repository.changes.iter().flat_map(|c| c.not_known()) {
        let missing = NotChecked::new(
            "what has changed",
            &format!(
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

    fn skip(&mut self, file: &str, rule: &'static Rule, missing: NotChecked) {
        let mut same = self.not_checked.iter_mut().rev();
        match same.find(|s| s.file == file && s.missing == missing) {
            Some(skipped) => skipped.codes.push(rule.entry.code),
            None => self.skipped(file, vec![rule.entry.code], missing),
        }
    }

    fn skipped(&mut self, file: &str, codes: Vec<&'static str>, missing: NotChecked) {
        let file = file.to_owned();
        self.not_checked.push(Skipped {
            file,
            codes,
            missing,
        });
    }
}
