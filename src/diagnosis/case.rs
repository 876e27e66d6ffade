//! One onboarding as the rules see it: its snapshot, the time, and what several rules ask for.

mod claims;
mod couchdb;
mod failure;
mod parts;
mod report;

use super::finding::Subject;
use super::job::Job;
use crate::model::condition::Stated;
use crate::model::failure::{self as model, Failure};
use crate::model::helm_release::HelmRelease;
use crate::model::status::{self, Ready};
use crate::snapshot::{Checked, Snapshot, Unread, Why};
use k8s_openapi::jiff::Timestamp;
use report::Report;
use std::cell::{Cell, RefCell};

/// Why a value of a bundle cannot be compared.
pub(super) const LEFT_OUT: &str = "the bundle holds only a part of it";

/// Seconds by which the clocks of two machines may differ.
const CLOCKS_DIFFER: i64 = 60;

/// A snapshot with the time of the run.
pub struct Case<'a> {
    /// Private: a rule reaches a part by an accessor only, which has no value for a part that was not read.
    snapshot: &'a Snapshot,
    pub now: Timestamp,
    /// What the status says went wrong, unwrapped.
    pub failure: Option<Failure<'a>>,
    /// The status has a failure, of an older spec.
    pub failed_before: bool,
    /// The failure's text, parsed once.
    report: Checked<Report<'a>>,
    /// What became of the creation Job.
    job: Job,
    /// A rule would say more if everything that can claim the database were read.
    pub wants_ownership: Cell<bool>,
    /// A part that a check was given and that is not whole.
    incomplete: RefCell<Option<Unread>>,
}

impl<'a> Case<'a> {
    pub fn new(snapshot: &'a Snapshot, now: Timestamp) -> Self {
        let hr = snapshot.helm_release();
        // No rule can take a failure of an older spec for one of the present spec.
        let (failure, failed_before) = match model::failure(hr) {
            Some(Stated::Present(failure)) => (Some(failure), false),
            Some(Stated::History(_)) => (None, true),
            None => (None, false),
        };
        Self {
            failed_before,
            snapshot,
            now,
            report: Report::find(snapshot, failure.as_ref()),
            failure,
            job: Job::judge(snapshot),
            wants_ownership: Cell::new(false),
            incomplete: RefCell::default(),
        }
    }

    pub fn hr(&self) -> &'a HelmRelease {
        self.snapshot.helm_release()
    }

    /// The HelmRelease itself.
    pub fn subject(&self) -> Subject {
        Subject::new(
            "HelmRelease",
            &self.hr().metadata.namespace,
            &self.hr().metadata.name,
        )
    }

    /// READY is True by the present spec.
    pub fn is_ready(&self) -> bool {
        status::ready(self.hr()) == Stated::Present(Ready::True)
    }

    /// READY is True by the present spec or an older one: the release was installed, which no later spec undoes.
    pub fn is_installed(&self) -> bool {
        status::shown(self.hr()) == Ready::True
    }

    /// The ServiceAccount that Flux impersonates for this HelmRelease, if it names one.
    pub fn service_account(&self) -> Option<Subject> {
        let name = self.hr().spec.service_account_name.as_deref()?;
        (!name.is_empty())
            .then(|| Subject::new("ServiceAccount", &self.hr().metadata.namespace, name))
    }

    /// The database that the values claim, as it is said: `the database pds_database`.
    pub fn database(&self) -> Option<String> {
        self.hr().claim().joined().map(crate::text::one_line)
    }

    /// What a check comes to that would have to know one of these values, where `spec.valuesFrom` may set it.
    pub fn unread_values(&self, keys: &[&str]) -> Option<Unread> {
        let key = keys.iter().find(|key| self.hr().is_unread(key))?;
        let why = match self.hr().spec.values.get(key) {
            Some(_) => LEFT_OUT,
            None => "it may come from spec.valuesFrom, which is not read",
        };
        Some(Unread::new(
            format!("values.{key}"),
            Why::NotAsked(why.to_owned()),
        ))
    }

    /// Another onboarding's name, with its namespace where that is not this one's.
    pub fn name_of(&self, other: &HelmRelease) -> String {
        if other.metadata.namespace == self.hr().metadata.namespace {
            other.metadata.name.clone()
        } else {
            other.id()
        }
    }

    /// Seconds since an RFC 3339 time; `None` when it cannot be read, or is in the future by more than clocks differ.
    pub fn seconds_since(&self, time: Option<&str>) -> Option<i64> {
        let time: Timestamp = time?.parse().ok()?;
        let seconds = self.now.as_second().saturating_sub(time.as_second());
        (seconds >= -CLOCKS_DIFFER).then_some(seconds.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{diagnose, fixture};
    use crate::model::helm_release::ValuesFrom;

    #[test]
    fn what_values_from_may_set_is_not_compared() {
        for (name, code, key) in [
            ("ready-and-database-changed", "SKVS330", "database"),
            ("ready-and-encryption-changed", "SKVS331", "encryption"),
            ("suspended-and-notes-disagree", "SKVS332", "serviceAccounts"),
            ("ready-and-policy-without-account", "SKVS411", "namespace"),
            (
                "ready-and-policy-without-account",
                "SKVS411",
                "serviceAccounts",
            ),
        ] {
            let mut snapshot = fixture::snapshot(name);
            let spec = &mut snapshot.helm_release.spec;
            spec.values_from.push(ValuesFrom::default());
            let now = fixture::meta(name).now;
            let codes = |snapshot: &Snapshot| {
                let diagnosis = diagnose(&Case::new(snapshot, now));
                let found = diagnosis.roots.iter().any(|r| {
                    r.rule.code == code || r.follows.iter().any(|(rule, _)| rule.code == code)
                });
                let not_run = diagnosis
                    .not_run
                    .into_iter()
                    .find(|n| n.codes.contains(&code));
                (found, not_run.map(|n| n.what))
            };
            // Inline values win.
            assert_eq!(codes(&snapshot), (true, None), "{name}");
            let values = snapshot.helm_release.spec.values.as_object_mut();
            values.unwrap().remove(key);
            let told = format!("values.{key}");
            assert_eq!(codes(&snapshot), (false, Some(told)), "{name}");
        }
    }
}
