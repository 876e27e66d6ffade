//! Why a HelmRelease is not ready, as its conditions tell it.
//!
//! The controllers hide causes: "install retries exhausted", "Failed to install after 3 attempt(s)" and a successful
//! remediation stand where the error should. This file owns the way back to the cause for every controller version: which
//! condition holds it. [`FailureText`] is what its text says.

mod cause;
pub mod chart;
pub mod field;
pub mod flux;
pub mod merge_key;
pub mod namespace;
mod notes;
pub mod object;
pub mod refusal;
pub mod release;
pub mod schema;
pub mod server;
pub mod template;
mod text;
mod wait;
mod words;

pub use cause::{Cause, Source};
pub use notes::noted;
pub use text::{Applied, FailureText, split_trailer};
pub(in crate::model) use wait::resources;
pub use wait::{JOB_FAILURES, Wait, Waited, failed_pod, hook_job};

use super::condition::{Condition, Stated};
use super::helm_release::HelmRelease;
use k8s_openapi::jiff::Timestamp;

/// A failure as the status tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// Condition that holds the cause.
    pub condition: &'a Condition,
    /// What the condition's text says, parsed once.
    pub text: FailureText<'a>,
    /// The controller has stopped retrying.
    pub exhausted: bool,
}

impl Failure<'_> {
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

    /// The chart's source was not worked on, or its archive cannot be had: source-controller may not be at work.
    pub fn is_of_idle_source(&self) -> bool {
        let idle = [
            "has not been reconciled",
            "does not have an artifact",
            "artifact not found",
            "could not get Source object",
            "could not get HelmChart object",
            "failed to download artifact, error: ",
            "failed to download chart from '",
            "' download failed (status code: ",
        ];
        let repeated = self.condition.reason == "ArtifactFailed"
            && self.text.raw.trim_end().ends_with("is not ready");
        repeated || idle.iter().any(|t| self.condition.message.contains(t))
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
    // It runs to its end, whatever the spec is by now.
    let ready = hr.conditions().get("Ready").map(Stated::of_any_spec);
    ready
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
    // Of whichever spec: the two are compared.
    let released = hr.conditions().get("Released").map(Stated::of_any_spec);
    let released = released.filter(|c| c.is_true());
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

/// The failure that keeps `hr` from being ready; `None` when its status shows none. One of an older spec is history.
pub fn failure(hr: &HelmRelease) -> Option<Stated<Failure<'_>>> {
    if is_installing(hr) {
        return None;
    }
    let all = hr.conditions();
    let of_present = matches!(all.get("Ready"), Some(Stated::Present(_)));
    let any = |c: Stated<&'_ Condition>, is: &dyn Fn(&Condition) -> bool| is(c.of_any_spec());
    // What an older spec left says nothing beside a Ready of the present one.
    let find = |kind: &str, is: &dyn Fn(&Condition) -> bool| {
        let found = all.get(kind).filter(|c| any(*c, is));
        found.filter(|c| !of_present || c.present().is_some())
    };
    let ready = all.get("Ready").map(Stated::of_any_spec);
    if ready.is_some_and(|ready| is_overtaken(hr, ready)) {
        return None;
    }
    let failed = |kind: &str| find(kind, &|c| c.is_false() && !is_cancelled(c));
    let told = find("Ready", &|c| {
        c.is_false() && !NO_CAUSE.contains(&c.reason.as_str())
    });
    // What Helm did is in the conditions that Ready sums up; anything else (source, values, dependency) Ready says itself.
    let helm = told.is_none_or(|c| {
        any(c, &|c| {
            HELM.contains(&c.reason.as_str()) || c.message.ends_with("retries exhausted")
        })
    });
    let stalled = find("Stalled", &Condition::is_true);
    let unready = ready.is_some_and(|c| !c.is_true());
    let released = ["UninstallSucceeded", "PendingRelease"];
    let condition = if helm && (unready || stalled.is_some()) {
        failed("Released")
            .filter(|c| any(*c, &|c| !released.contains(&c.reason.as_str())))
            .or_else(|| failed("TestSuccess"))
            .or_else(|| failed("Remediated"))
            .or(told)
            .or(stalled)?
    } else {
        told.or(stalled)?
    };
    let failure = condition.map(|condition| Failure {
        condition,
        text: FailureText::parse(&condition.reason, &condition.message),
        exhausted: is_exhausted(hr),
    });
    Some(match hr.is_stale() {
        true => Stated::History(failure.of_any_spec()),
        false => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn hr(conditions: Value) -> HelmRelease {
        HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "n", "generation": 2},
            "status": {"conditions": conditions, "history": [{"name": "a", "namespace": "n", "version": 1, "status": "deployed"}]}
        }))
        .unwrap()
    }

    #[test]
    fn what_an_older_spec_left_says_nothing_beside_a_ready_of_the_present_one() {
        let of = |ready: i64| {
            let hr = hr(json!([
                {"type": "Ready", "status": "Unknown", "reason": "Progressing", "message": "x", "observedGeneration": ready},
                {"type": "Stalled", "status": "True", "reason": "RetriesExceeded", "message": "no", "observedGeneration": 1}
            ]));
            failure(&hr).map(|f| f.map(|f| f.condition.kind.clone()))
        };
        assert_eq!(of(2), None);
        assert_eq!(of(1), Some(Stated::History("Stalled".to_owned())));
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
            failure(&hr).unwrap().of_any_spec().text.words()
        };
        assert_eq!(released(2), "old");
        assert_eq!(released(1), "new");
    }

    #[test]
    fn the_controller_has_stopped_for_one_of_three_reasons() {
        let condition = |kind: &str, status: &str, reason: &str, message: &str| {
            let condition = json!({"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 2});
            hr(json!([condition]))
        };
        let undone = "previous release attempt remediation failed";
        for (kind, reason, message, status, other) in [
            ("Stalled", "RetriesExceeded", "m", "True", "False"),
            ("Stalled", "MissingRollbackTarget", "m", "True", "False"),
            ("Ready", "x", "install retries exhausted", "False", "True"),
            ("Ready", "x", undone, "False", "True"),
        ] {
            assert!(
                has_stopped(&condition(kind, status, reason, message)),
                "{reason} {message}"
            );
            assert!(
                !has_stopped(&condition(kind, other, reason, message)),
                "{reason} {message}"
            );
        }
        assert!(is_unremedied(&condition("Ready", "False", "x", undone)));
        for (kind, reason, message) in [
            ("Stalled", "Other", "m"),
            ("Ready", "x", "no"),
            ("Released", "x", undone),
        ] {
            for status in ["True", "False"] {
                assert!(
                    !has_stopped(&condition(kind, status, reason, message)),
                    "{kind} {reason} {message}"
                );
            }
        }
    }
}
