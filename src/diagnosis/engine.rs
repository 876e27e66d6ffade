//! Runs the rules over a case and sorts what they found: root causes first, what follows from them under them.

use super::case::Case;
use super::contradiction::contradiction;
use super::finding::{Evidence, Finding};
use super::nodes;
use super::placement;
use super::registry::RULES;
use super::remote;
use super::rule::{Role, Rule, Severity};
use super::volume_claims;
use crate::text::one_line;
use serde::Serialize;
use std::cmp::Reverse;

/// A finding that nothing else explains.
pub struct Root {
    pub rule: &'static Rule,
    pub finding: Finding,
    /// The findings that follow from it.
    pub follows: Vec<(&'static Rule, Finding)>,
}

impl Root {
    /// The rule's severity, or the finding's own.
    pub fn severity(&self) -> Severity {
        self.finding.severity.unwrap_or(self.rule.severity)
    }
}

/// A part that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotRun {
    /// The checks that were skipped because of it.
    pub codes: Vec<&'static str>,
    pub what: String,
    pub why: String,
}

impl NotRun {
    /// The checks of `rules`, a part in words, and why it was not read.
    pub fn new<'r>(
        rules: impl IntoIterator<Item = &'r Rule>,
        what: impl Into<String>,
        why: &str,
    ) -> Self {
        Self {
            codes: rules.into_iter().map(|rule| rule.code).collect(),
            what: what.into(),
            why: one_line(why),
        }
    }
}

/// Adds a check that was not run to those of the same part.
fn skip(all: &mut Vec<NotRun>, rule: &Rule, what: &str, why: &str) {
    let new = NotRun::new([rule], one_line(what), why);
    let same = all
        .iter_mut()
        .find(|n| n.what == new.what && n.why == new.why);
    match same {
        Some(same) => same.codes.extend(new.codes),
        None => all.push(new),
    }
}

/// What came of one case.
pub struct Diagnosis {
    /// Worst first.
    pub roots: Vec<Root>,
    /// Codes of the checks that were run.
    pub run: Vec<&'static str>,
    pub not_run: Vec<NotRun>,
}

/// Runs every rule.
pub fn diagnose(case: &Case<'_>) -> Diagnosis {
    diagnose_by(RULES, case)
}

/// Runs these rules.
fn diagnose_by(rules: &[&'static Rule], case: &Case<'_>) -> Diagnosis {
    let mut found: Vec<(&'static Rule, Finding)> = Vec::new();
    let mut run = Vec::new();
    let mut not_run = Vec::new();
    // What contradicts a finding that was withheld.
    let mut against: Vec<Evidence> = Vec::new();
    // The fallback is asked last: it speaks only when no cause was found.
    let (fallback, rules): (Vec<&Rule>, Vec<&Rule>) = rules
        .iter()
        .copied()
        .partition(|r| r.role == Role::Fallback);
    for rule in rules.into_iter().chain(fallback) {
        if rule.role == Role::Fallback && found.iter().any(|(r, f)| accounts(r, f)) {
            run.push(rule.code);
            continue;
        }
        case.take_incomplete();
        let checked = match ((rule.check)(case), case.take_incomplete()) {
            (Ok(None), Some(unread)) => Err(unread),
            (checked, _) => checked,
        };
        match checked {
            Ok(None) => run.push(rule.code),
            Ok(Some(finding)) => match contradiction(case, rule.contradicted_by, &finding) {
                None => {
                    run.push(rule.code);
                    // Whoever looks for an unknown cause needs to know what it is not.
                    let more = against.iter().filter(|_| rule.role == Role::Fallback);
                    let finding = placement::also(case, nodes::also(case, finding));
                    let finding = volume_claims::also(case, finding);
                    let finding = finding.seen(more.cloned());
                    found.push((rule, remote::told(case, rule, finding)));
                }
                Some(evidence) => {
                    let (what, why) = contradicted(rule, &evidence);
                    skip(&mut not_run, rule, &what, &why);
                    against.push(evidence);
                }
            },
            Err(unread) if unread.is_not_needed() => run.push(rule.code),
            Err(unread) => {
                skip(&mut not_run, rule, &unread.what, &unread.why.clause());
            }
        }
    }
    Diagnosis {
        roots: fold(found),
        run,
        not_run,
    }
}

/// What of a finding that is withheld is not known, and why: what was read says the opposite of its text.
fn contradicted(rule: &Rule, by: &Evidence) -> (String, String) {
    let what = format!("whether {}", rule.title);
    (
        what,
        format!("contradicted by {}: {}", by.object, by.observed),
    )
}

/// Whether a finding accounts for the failure: one that is milder than its rule only stands beside it.
fn accounts(rule: &Rule, finding: &Finding) -> bool {
    rule.role == Role::Cause && finding.severity.is_none_or(|s| s >= rule.severity)
}

/// Puts what follows under what it follows from.
fn fold(mut found: Vec<(&'static Rule, Finding)>) -> Vec<Root> {
    found.sort_by_key(|(rule, finding)| {
        (
            Reverse(finding.severity.unwrap_or(rule.severity)),
            rule.role,
            rule.code,
        )
    });
    // A symptom says that there is a failure and never why: any cause that is as bad accounts for it.
    let severity = |(rule, finding): &(&Rule, Finding)| finding.severity.unwrap_or(rule.severity);
    let worst = found.first().map(severity);
    let cause = found.iter().position(|f| {
        matches!(f.0.role, Role::Cause | Role::Fallback) && Some(severity(f)) >= worst
    });
    let explainer = |rule: &Rule| {
        found
            .iter()
            .position(|(r, _)| r.explains.contains(&rule.code))
            .or(cause.filter(|_| rule.role == Role::Symptom))
    };
    // The registry's test keeps `explains` free of circles; the bound keeps this loop finite without it.
    let roots: Vec<usize> = (0..found.len())
        .map(|i| (0..found.len()).fold(i, |at, _| explainer(found[at].0).unwrap_or(at)))
        .collect();
    let mut out: Vec<(usize, Root)> = Vec::new();
    let mut rest = Vec::new();
    for (i, (rule, finding)) in found.into_iter().enumerate() {
        if roots[i] == i {
            out.push((
                i,
                Root {
                    rule,
                    finding,
                    follows: Vec::new(),
                },
            ));
        } else {
            rest.push((roots[i], rule, finding));
        }
    }
    for (root, rule, finding) in rest {
        if let Some((_, under)) = out.iter_mut().find(|(i, _)| *i == root) {
            under.follows.push((rule, finding));
        }
    }
    out.into_iter().map(|(_, root)| root).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::diagnosis::rules::{creation_job_failed, unknown_cause};
    use crate::model::condition::{Condition, Conditions};
    use crate::snapshot::Read;

    #[test]
    fn a_contradicted_finding_is_withheld_and_the_failure_still_told() {
        const FALSE: Rule = Rule {
            check: |case| Finding::new(case.subject(), "the creation Job failed").into(),
            ..creation_job_failed::RULE
        };
        let rules: Vec<&'static Rule> = vec![&FALSE, &unknown_cause::RULE];
        let now = fixture::meta("couchdb-unauthorized").now;
        let codes = |diagnosis: &Diagnosis| -> Vec<&str> {
            diagnosis.roots.iter().map(|root| root.rule.code).collect()
        };
        let mut snapshot = fixture::snapshot("couchdb-unauthorized");
        let before = diagnose_by(&rules, &Case::new(&snapshot, now));
        assert_eq!((codes(&before), before.not_run), (vec!["SKVS303"], vec![]));
        let Read::Seen(found) = &mut snapshot.creation_job else {
            panic!("the case has a Job");
        };
        found.job.conditions = Conditions::from(vec![Condition {
            kind: "Complete".to_owned(),
            status: "True".to_owned(),
            ..Condition::default()
        }]);
        let diagnosis = diagnose_by(&rules, &Case::new(&snapshot, now));
        assert_eq!(codes(&diagnosis), ["SKVS900"]);
        let [not_run] = &diagnosis.not_run[..] else {
            panic!("{:?}", diagnosis.not_run);
        };
        assert_eq!(
            format!("{:?}: {} ({})", not_run.codes, not_run.what, not_run.why),
            "[\"SKVS303\"]: whether the creation Job failed (contradicted by Job core/pds-database-create: the Job is complete)"
        );
        let evidence = &diagnosis.roots[0].finding.evidence;
        assert!(evidence.iter().any(|e| e.observed == "the Job is complete"));
    }
}
