//! Why a HelmRelease is not ready, as its conditions tell it, and the text without the wrappers around the cause.
//!
//! The controllers hide causes: "install retries exhausted", "Failed to install after 3 attempt(s)" and a successful
//! remediation stand where the error should. This file owns the way back to the cause for every controller version: which
//! condition holds it, and which wrappers of Helm and Flux come off.

mod cause;
pub mod chart;
pub mod field;
pub mod flux;
pub mod namespace;
pub mod object;
pub mod refusal;
pub mod release;
pub mod schema;
pub mod server;
pub mod template;
mod text;
mod wait;

pub use cause::{Cause, Source};
pub use text::{Applied, FailureText, split_trailer};
pub use wait::{JOB_FAILURES, Wait, Waited, hook_job, resources};

use super::condition::Condition;
use super::helm_release::HelmRelease;
use k8s_openapi::jiff::Timestamp;
use text::unwrap_action;

/// A failure as the status tells it, with Helm's and Flux's wrappers taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// Condition that holds the cause.
    pub condition: &'a Condition,
    /// `install`, `upgrade`, `test`, `rollback`, `uninstall`, where the text names it.
    pub action: Option<&'static str>,
    /// The error without wrappers and log trailer; may be of several lines.
    pub error: String,
    /// The last lines of Helm's log that controllers up to 0.36 append.
    pub trailer: Option<&'a str>,
    /// The controller has stopped retrying.
    pub exhausted: bool,
}

impl<'a> Failure<'a> {
    /// What the condition's text says.
    pub fn text(&self) -> FailureText<'a> {
        FailureText::parse(&self.condition.reason, &self.condition.message)
    }

    /// Flux failed to clean up after an installation that had stored nothing: the text is of the cleanup, and hides the cause.
    pub fn is_of_cleanup(&self) -> bool {
        let condition = self.condition;
        (condition.kind == "Remediated" || condition.message.contains("uninstall"))
            && found_nothing_to_uninstall(condition)
    }

    /// The text only counts the attempts: `Failed to install after 1 attempt(s)`.
    pub fn is_count(&self) -> bool {
        let message = &self.condition.message;
        message.starts_with("Failed to ") && message.contains(" attempt(s)")
    }
}

/// An uninstall failed since Helm stores no release.
pub fn found_nothing_to_uninstall(condition: &Condition) -> bool {
    condition.reason == "UninstallFailed" && condition.message.contains("release: not found")
}

/// Reasons of a Ready condition that do not tell the cause.
const NO_CAUSE: [&str; 6] = [
    "RollbackSucceeded",
    "UninstallSucceeded",
    "RetryAfterInterval",
    "HealthCheckCanceled",
    "Progressing",
    "ProgressingWithRetry",
];

/// Reasons of a Ready condition that sum up what Helm did; the other conditions hold the text.
const HELM: [&str; 5] = [
    "InstallFailed",
    "UpgradeFailed",
    "TestFailed",
    "RollbackFailed",
    "UninstallFailed",
];

/// The controller has stopped retrying.
pub fn is_exhausted(hr: &HelmRelease) -> bool {
    let stalled = hr
        .condition("Stalled")
        .is_some_and(|c| c.is_true() && c.reason == "RetriesExceeded");
    stalled
        || hr
            .condition("Ready")
            .is_some_and(|c| c.is_false() && c.message.ends_with("retries exhausted"))
}

/// The controller has stopped since it has no good revision to roll back to.
pub fn lacks_rollback_target(hr: &HelmRelease) -> bool {
    hr.condition("Stalled")
        .is_some_and(|c| c.is_true() && c.reason == "MissingRollbackTarget")
}

/// The controller has stopped, for whichever reason.
pub fn has_stopped(hr: &HelmRelease) -> bool {
    is_exhausted(hr) || lacks_rollback_target(hr) || is_unremedied(hr)
}

/// The controller has stopped since it could not undo the failed release. Only controllers before 0.37 do, until the spec, the chart or
/// the values change.
pub fn is_unremedied(hr: &HelmRelease) -> bool {
    hr.condition("Ready")
        .is_some_and(|c| c.is_false() && c.message == "previous release attempt remediation failed")
}

/// An install is under way: a failure that the other conditions tell is of the attempt before.
pub fn is_installing(hr: &HelmRelease) -> bool {
    hr.condition_of_any_spec("Ready")
        .is_some_and(|c| c.status == "Unknown" && c.message.starts_with("Running 'install' action"))
}

/// The controller itself stopped waiting, since something newer came: nothing failed.
pub fn is_cancelled(condition: &Condition) -> bool {
    condition.reason == "HealthCheckCanceled"
        || condition
            .message
            .contains("New reconciliation triggered by ")
}

/// Ready sums up an action that failed, and Helm has succeeded since, for the same spec: Ready was left behind.
fn is_overtaken(hr: &HelmRelease, ready: &Condition) -> bool {
    let released = hr.condition_of_any_spec("Released").filter(|c| c.is_true());
    let later = released.is_some_and(|released| {
        released.observed_generation >= ready.observed_generation && is_later(released, ready)
    });
    let deployed = hr.latest().is_some_and(|h| h.status == "deployed");
    ready.is_false() && HELM.contains(&ready.reason.as_str()) && later && deployed
}

/// Whether `one` changed after `other`; `false` where a time is missing or cannot be read.
fn is_later(one: &Condition, other: &Condition) -> bool {
    let time = |c: &Condition| c.last_transition_time.as_deref()?.parse::<Timestamp>().ok();
    time(one)
        .zip(time(other))
        .is_some_and(|(one, other)| one > other)
}

/// The failure that keeps `hr` from being ready; `None` when its status tells of none.
pub fn failure(hr: &HelmRelease) -> Option<Failure<'_>> {
    if is_installing(hr) {
        return None;
    }
    let ready = hr.condition_of_any_spec("Ready");
    if ready.is_some_and(|ready| is_overtaken(hr, ready)) {
        return None;
    }
    // What an older spec left says nothing beside a Ready of the present one.
    let generation = hr.metadata.generation;
    let of_present = ready.is_some_and(|c| !c.is_history(generation));
    let failed = |kind: &str| {
        hr.condition_of_any_spec(kind).filter(|c| {
            c.is_false() && !is_cancelled(c) && !(of_present && c.is_history(generation))
        })
    };
    let told = ready.filter(|c| c.is_false() && !NO_CAUSE.contains(&c.reason.as_str()));
    // What Helm did is in the conditions that Ready sums up; anything else (source, values, dependency) Ready says itself.
    let helm = told.is_none_or(|c| {
        HELM.contains(&c.reason.as_str()) || c.message.ends_with("retries exhausted")
    });
    let stalled = hr.condition_of_any_spec("Stalled").filter(|c| c.is_true());
    let unready = ready.is_some_and(|c| !c.is_true());
    let condition = if helm && (unready || stalled.is_some()) {
        failed("Released")
            .filter(|c| !["UninstallSucceeded", "PendingRelease"].contains(&c.reason.as_str()))
            .or_else(|| failed("TestSuccess"))
            .or_else(|| failed("Remediated"))
            .or(told)
            .or(stalled)?
    } else {
        told.or(stalled)?
    };
    let (error, trailer) = split_trailer(&condition.message);
    let (action, error) = unwrap_action(error);
    Some(Failure {
        condition,
        action,
        error: unwrap_error(error),
        trailer,
        exhausted: is_exhausted(hr),
    })
}

/// Takes Helm's wrappers off the front, as often as they occur, and says the commonest forms in plain words.
fn unwrap_error(error: &str) -> String {
    const WRAPPERS: [&str; 15] = [
        "failed pre-install: ",
        "failed post-install: ",
        "pre-upgrade hooks failed: ",
        "post-upgrade hooks failed: ",
        "unable to continue with install: ",
        "Unable to continue with install: ",
        "unable to continue with update: ",
        "Unable to continue with update: ",
        "create: failed to create: ",
        "failed to create resource: ",
        "1 error occurred:\n\t* ",
        "invalid chart reference: ",
        "failed to get chart version for remote reference: ",
        "Could not determine release state: ",
        "chart pull error: ",
    ];
    let mut rest = error.trim();
    loop {
        let before = rest;
        for wrapper in WRAPPERS {
            rest = rest.strip_prefix(wrapper).unwrap_or(rest);
        }
        for (from, to) in [
            ("warning: Hook ", " failed: "),
            ("server-side apply failed for object ", ": "),
        ] {
            if let Some((_, inner)) = rest.strip_prefix(from).and_then(|r| r.split_once(to)) {
                rest = inner;
            }
        }
        if let Some((_, inner)) = rest.split_once(" is not ready: ")
            && rest.starts_with(['H', 'O', 'E'])
            && rest
                .split('\'')
                .next()
                .is_some_and(|k| ["HelmChart ", "OCIRepository ", "ExternalArtifact "].contains(&k))
        {
            rest = inner;
        }
        if rest == before {
            return plain(rest.trim());
        }
    }
}

/// `[Job/core/x status: 'Failed']` as `Job core/x failed`, `namespaces "x" not found` as `namespace "x" not found`.
fn plain(error: &str) -> String {
    // What is left of Helm's wait when its time is up: the text says nothing about what it waited for.
    if error.contains("client rate limiter Wait returned an error")
        || error == "context deadline exceeded"
    {
        return "timed out".to_owned();
    }
    if let Some(rest) = error.strip_prefix("namespaces \"") {
        return format!("namespace \"{rest}");
    }
    for (prefix, lead) in [
        ("failed early due to stalled resources: ", ""),
        ("timeout waiting for: ", "timed out waiting for "),
    ] {
        if let Some(list) = error.strip_prefix(prefix) {
            let objects = resources(list);
            if !objects.is_empty() {
                let words: Vec<String> = objects
                    .iter()
                    .map(|o| {
                        if lead.is_empty() {
                            format!("{} {} failed", o.kind, o.id())
                        } else {
                            format!("{} {} ({})", o.kind, o.id(), o.status)
                        }
                    })
                    .collect();
                return format!("{lead}{}", words.join(", "));
            }
        }
    }
    error.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn hr(conditions: Value) -> HelmRelease {
        HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "n", "generation": 2},
            "status": {"conditions": conditions, "history": [{"name": "a", "namespace": "n", "version": 1, "status": "deployed"}]}
        }))
        .unwrap()
    }

    #[test]
    fn a_failure_is_overtaken_only_by_a_success_that_is_known_to_be_later() {
        let failed = |since: Value, released: Value| {
            let hr = hr(json!([
                {"type": "Ready", "status": "False", "reason": "UpgradeFailed", "message": "no", "lastTransitionTime": since, "observedGeneration": 2},
                {"type": "Released", "status": "True", "reason": "UpgradeSucceeded", "message": "", "lastTransitionTime": released, "observedGeneration": 2}
            ]));
            failure(&hr).is_some()
        };
        let (early, late) = (json!("2026-11-23T20:20:15Z"), json!("2026-11-23T20:30:15Z"));
        assert!(!failed(early.clone(), late.clone()));
        assert!(failed(late.clone(), early.clone()));
        assert!(failed(json!(null), late.clone()));
        assert!(failed(early.clone(), json!(null)));
        assert!(failed(early, json!("soon")));
        assert!(failed(
            json!("2026-11-23T20:20:15Z"),
            json!("2026-11-23T20:20:14.5Z")
        ));
    }

    #[test]
    fn what_an_older_spec_left_is_no_failure_of_the_present_one() {
        let released = |generation: i64| {
            let hr = hr(json!([
                {"type": "Ready", "status": "False", "reason": "UpgradeFailed", "message": "new", "observedGeneration": 2},
                {"type": "Released", "status": "False", "reason": "UpgradeFailed", "message": "old", "observedGeneration": generation}
            ]));
            failure(&hr).unwrap().error
        };
        assert_eq!(released(2), "old");
        assert_eq!(released(1), "new");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(server-side apply failed for object |cannot patch \"|\" with kind |, Kind=|\\[|Job/|core/x| status: '|Failed|', |\\]|Helm install failed: | for release x/y with chart c@1: ){0,10}") {
            let (_, error) = unwrap_action(split_trailer(&text).0);
            let _ = unwrap_error(error);
        }
    }
}
