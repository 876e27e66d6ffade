//! Whether there is something to wait for: an onboarding is Ready, is stuck until a person acts, or is on its way.

use crate::model::condition::Condition;
use crate::model::failure;
use crate::model::helm_release::HelmRelease;
use crate::model::status::{self, Ready};

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
    /// Only a change to the manifest mends it.
    pub by_manifest: bool,
}

/// The HelmRelease's state in words, given the errors found on it.
pub fn standing(hr: &HelmRelease, faults: &[Fault]) -> Standing {
    let ready = status::shown(hr);
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
    if hr.is_stale() || status::is_unanswered(hr) || hr.is_asked_again() {
        return Standing::Underway;
    }
    if ready == Ready::True {
        return Standing::Ready;
    }
    let stalled = hr.condition("Stalled");
    let stalled = stalled.is_some_and(Condition::is_true);
    let given_up = stalled || failure::has_stopped(hr);
    if !faults.is_empty() && (given_up || faults.iter().any(|f| f.by_manifest)) {
        Standing::Stuck
    } else {
        Standing::Underway
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::model::field::Field;
    use crate::view::report::Onboarding;
    use std::collections::BTreeMap;

    fn of(name: &str) -> Standing {
        let snapshot = fixture::snapshot(name);
        let case = crate::diagnosis::Case::new(&snapshot, fixture::meta(name).now);
        let onboarding = Onboarding::new(&case, crate::diagnosis::diagnose(&case));
        standing(&snapshot.helm_release, &onboarding.faults())
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
        let fault = [Fault { by_manifest: true }];
        let mut hr = fixture::snapshot("database-exists").helm_release.clone();
        assert_eq!(standing(&hr, &fault), Standing::Stuck);
        let asked = ("reconcile.fluxcd.io/requestedAt".to_owned(), "2".to_owned());
        hr.metadata.annotations = Field::Set(BTreeMap::from([asked]));
        assert_eq!(standing(&hr, &fault), Standing::Underway);
        hr.status.last_handled_reconcile_at = Field::Set("2".to_owned());
        assert_eq!(standing(&hr, &fault), Standing::Stuck);
        assert_eq!(
            standing(&hr, &[]),
            Standing::Underway,
            "the error is ignored"
        );
        hr.metadata.annotations = Field::Malformed;
        assert_eq!(standing(&hr, &fault), Standing::Underway);
    }
}
