//! Whether there is something to wait for: an onboarding is Ready, is stuck until a person acts, or is on its way.

use crate::model::condition::Condition;
use crate::model::failure;
use crate::model::helm_release::HelmRelease;
use crate::model::status::{self, Ready};
use serde_json::Value;

/// How an onboarding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Ready by a status that is about its present spec.
    Ready,
    /// Flux will not get out of it by itself.
    Stuck,
    /// Flux works on it, tries again, or has not answered yet.
    Underway,
}

/// What an error that was found says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Only a change of the manifest mends it.
    pub by_manifest: bool,
}

/// How the HelmRelease (as sent, and typed) stands, given the errors that were found on it.
pub fn standing(object: &Value, hr: &HelmRelease, faults: &[Fault]) -> Standing {
    let ready = status::ready(hr);
    if hr.metadata.deletion_timestamp.is_some() {
        return Standing::Underway;
    }
    if hr.spec.suspend {
        return match ready {
            Ready::True => Standing::Ready,
            _ => Standing::Stuck,
        };
    }
    // What an older spec or an earlier attempt left is no verdict on this one.
    if status::is_stale(hr) || status::is_unanswered(hr) || is_asked_again(object) {
        return Standing::Underway;
    }
    if ready == Ready::True {
        return Standing::Ready;
    }
    let stalled = hr.condition("Stalled");
    let stalled = stalled.is_some_and(Condition::is_true);
    let given_up = stalled || failure::is_exhausted(hr);
    if !faults.is_empty() && (given_up || faults.iter().any(|f| f.by_manifest)) {
        Standing::Stuck
    } else {
        Standing::Underway
    }
}

/// Flux was asked to reconcile, and has not come to it.
fn is_asked_again(object: &Value) -> bool {
    let asked = object.pointer("/metadata/annotations/reconcile.fluxcd.io~1requestedAt");
    let handled = object.pointer("/status/lastHandledReconcileAt");
    asked.is_some() && asked != handled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::view::report::Onboarding;
    use serde_json::json;

    fn of(name: &str) -> Standing {
        let snapshot = fixture::snapshot(name);
        let case = crate::diagnosis::Case::new(&snapshot, fixture::meta(name).now);
        let onboarding = Onboarding::new(&case, crate::diagnosis::diagnose(&case));
        standing(
            &snapshot.object,
            &snapshot.helm_release,
            &onboarding.faults(),
        )
    }

    #[test]
    fn each_case_stands_as_a_person_would_say() {
        for (name, expected) in [
            ("ready", Standing::Ready),
            ("ready-and-repository-unauthorized", Standing::Ready),
            ("in-progress", Standing::Underway),
            ("no-answer", Standing::Underway),
            ("stale-status", Standing::Underway),
            ("being-deleted", Standing::Underway),
            ("dependency-not-ready", Standing::Underway),
            ("repository-unreachable", Standing::Underway),
            ("database-exists", Standing::Stuck),
            ("target-namespace-missing", Standing::Stuck),
            ("suspended", Standing::Stuck),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }

    #[test]
    fn a_request_that_flux_has_not_handled_is_waited_for() {
        let mut snapshot = fixture::snapshot("database-exists");
        let fault = [Fault { by_manifest: true }];
        let hr = snapshot.helm_release.clone();
        assert_eq!(standing(&snapshot.object, &hr, &fault), Standing::Stuck);
        snapshot.object["metadata"]["annotations"] =
            json!({"reconcile.fluxcd.io/requestedAt": "2"});
        assert_eq!(standing(&snapshot.object, &hr, &fault), Standing::Underway);
        snapshot.object["status"]["lastHandledReconcileAt"] = json!("2");
        assert_eq!(standing(&snapshot.object, &hr, &fault), Standing::Stuck);
        assert_eq!(
            standing(&snapshot.object, &hr, &[]),
            Standing::Underway,
            "the error is ignored"
        );
    }
}
