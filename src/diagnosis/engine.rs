//! Runs the rules over a case and sorts what they found: root causes first, what follows from them under them.

use super::case::Case;
use super::finding::Finding;
use super::registry::RULES;
use super::rule::{Role, Rule, Severity};
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

/// A check that was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRun {
    pub code: &'static str,
    /// The part that is missing.
    pub what: String,
    pub why: String,
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
    let mut found: Vec<(&'static Rule, Finding)> = Vec::new();
    let mut run = Vec::new();
    let mut not_run = Vec::new();
    // The fallback is asked last: it speaks only when no cause was found.
    let (fallback, rules): (Vec<&Rule>, Vec<&Rule>) = RULES
        .iter()
        .copied()
        .partition(|r| r.role == Role::Fallback);
    for rule in rules.into_iter().chain(fallback) {
        if rule.role == Role::Fallback && found.iter().any(|(r, f)| accounts(r, f)) {
            run.push(rule.code);
            continue;
        }
        match (rule.check)(case) {
            Ok(None) => run.push(rule.code),
            Ok(Some(finding)) => {
                run.push(rule.code);
                found.push((rule, finding));
            }
            Err(unread) if unread.is_not_needed() => run.push(rule.code),
            Err(unread) => not_run.push(NotRun {
                code: rule.code,
                what: crate::text::one_line(&unread.what),
                why: crate::text::one_line(&unread.why.clause()),
            }),
        }
    }
    Diagnosis {
        roots: fold(found),
        run,
        not_run,
    }
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
