//! The reasons why pods are not serving, as hints of an error that is not about an onboarding.

use super::{shown, unserving};
use crate::advice::Hint;
use crate::diagnosis::finding::{Finding, Step};
use crate::snapshot::ServingPod;
use k8s_openapi::jiff::Timestamp;

/// Why those pods are not serving, and the step for the first of them; nothing where all serve.
pub fn hints(pods: &[ServingPod], now: Timestamp) -> Vec<Hint> {
    let found = unserving(pods, now);
    let Some(first) = found.first() else {
        return Vec::new();
    };
    let finding = shown(Finding::new(first.subject.clone(), ""), &found);
    of_finding(finding)
}

/// A finding's reasons and steps as hints.
pub(in crate::diagnosis) fn of_finding(finding: Finding) -> Vec<Hint> {
    let mut hints: Vec<Hint> = finding.why.into_iter().map(Hint::from).collect();
    let mut lead = String::new();
    for step in finding.fix {
        match step {
            Step::Text(text) => lead = text,
            Step::Command(command) => hints.push(command.after(std::mem::take(&mut lead))),
            Step::Manifest(change) => hints.push(Hint::from(change.to_string())),
        }
    }
    if !lead.is_empty() {
        hints.push(Hint::from(lead));
    }
    hints
}
