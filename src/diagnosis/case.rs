//! One onboarding as the rules see it: its snapshot, the time, and what several rules ask for.

mod parts;

pub(super) use parts::OTHERS;

use super::error::{self, ErrorText};
use super::finding::{Evidence, Finding, Subject};
use super::install;
use super::job::Job;
use super::rule::Severity;
use crate::model::endpoint::{self, Endpoint};
use crate::model::failure::{self, Failure};
use crate::model::forbidden::Forbidden;
use crate::model::helm_release::HelmRelease;
use crate::model::notes::Notes;
use crate::model::object_error::ObjectError;
use crate::model::ownership::{HelmReleases, may_claim};
use crate::model::refusal::Refusal;
use crate::model::release_error::ReleaseError;
use crate::model::server_error::ServerError;
use crate::model::status::{self, Ready};
use crate::snapshot::databases::{Databases, Found};
use crate::snapshot::{Checked, IfRead, Read, Snapshot, Unread, Why};
use k8s_openapi::jiff::Timestamp;
use std::cell::{Cell, RefCell};

/// Why a value of a bundle cannot be compared.
pub(super) const LEFT_OUT: &str = "the bundle holds only a part of it";

/// A snapshot with the time of the run.
pub struct Case<'a> {
    /// Private: a rule reaches a part by an accessor only, which has no value for a part that was not read.
    snapshot: &'a Snapshot,
    pub now: Timestamp,
    /// What the status says went wrong, unwrapped.
    pub failure: Option<Failure<'a>>,
    /// The status has a failure, of an older spec.
    pub failed_before: bool,
    /// The failure's text, read once.
    error: Checked<ErrorText<'a>>,
    /// What became of the creation Job.
    job: Job,
    /// A rule would say more if everything that can claim the database were read.
    pub wants_ownership: Cell<bool>,
    /// A part with a malformed field that a check was given.
    malformed: RefCell<Option<Unread>>,
}

impl<'a> Case<'a> {
    pub fn new(snapshot: &'a Snapshot, now: Timestamp) -> Self {
        let hr = &snapshot.helm_release;
        // A failure of an older spec is history: no rule can take it for one of the present spec.
        let is_history = |f: &Failure<'_>| {
            status::is_stale(hr) || f.condition.is_history(hr.metadata.generation)
        };
        let failure = failure::failure(hr);
        let failed_before = failure.as_ref().is_some_and(is_history);
        let failure = failure.filter(|_| !failed_before);
        Self {
            failed_before,
            snapshot,
            now,
            error: error::read(snapshot, failure.as_ref()),
            failure,
            job: Job::judge(snapshot),
            wants_ownership: Cell::new(false),
            malformed: RefCell::default(),
        }
    }

    pub fn hr(&self) -> &'a HelmRelease {
        &self.snapshot.helm_release
    }

    /// The HelmRelease itself.
    pub fn subject(&self) -> Subject {
        Subject::new(
            "HelmRelease",
            &self.hr().metadata.namespace,
            &self.hr().metadata.name,
        )
    }

    pub fn is_ready(&self) -> bool {
        status::ready(self.hr()) == Ready::True
    }

    /// The controller's own text of the failure, without the log that old ones append; empty when there is no failure.
    ///
    /// # Errors
    /// The status does not say, an event would, and the events were not read.
    pub fn error(&self) -> Checked<&'a str> {
        self.text().map(|text| text.raw)
    }

    /// The controller stopped its own wait for the release, and counts that as a failed attempt.
    pub fn wait_was_cancelled(&self) -> bool {
        let released = self.hr().condition("Released");
        let counts = self
            .failure
            .as_ref()
            .is_some_and(|f| f.condition.kind == "Stalled");
        counts && released.is_some_and(|c| c.is_false() && failure::is_cancelled(c))
    }

    /// Flux works on the present spec, as far as its status can be believed: not on an older one, and for no longer than an action takes.
    pub fn is_at_work(&self) -> bool {
        let overdue = install::working_for(self).is_some_and(|s| install::is_overdue(self, s));
        let of_older = status::is_stale(self.hr()) && !install::finishes_older(self);
        !overdue && !self.failed_before && !install::was_dropped(self) && !of_older
    }

    /// What Helm was asked to do when it failed: `install`, `upgrade`, …
    ///
    /// # Errors
    /// As [`Case::error`].
    pub fn action(&self) -> Checked<Option<&'static str>> {
        self.text().map(|text| text.action)
    }

    fn text(&self) -> Checked<&ErrorText<'a>> {
        self.error.as_ref().map_err(Clone::clone)
    }

    /// What the error says of Helm's storage.
    ///
    /// # Errors
    /// As [`Case::error`]; so do the other parts of the text.
    pub fn release_error(&self) -> Checked<Option<ReleaseError>> {
        self.text().map(|text| text.release.clone())
    }

    /// What the error says of one object.
    pub fn object_error(&self) -> Checked<Option<ObjectError>> {
        self.text().map(|text| text.object.clone())
    }

    /// What the error says of the API server.
    pub fn server_error(&self) -> Checked<Option<ServerError>> {
        self.text().map(|text| text.server.clone())
    }

    /// What the error says of the admission of an object.
    pub fn refusal(&self) -> Checked<Option<Refusal>> {
        self.text().map(|text| text.refusal.clone())
    }

    /// The right that the error says is missing.
    pub fn forbidden(&self) -> Checked<Option<Forbidden>> {
        self.text().map(|text| text.forbidden.clone())
    }

    /// The event that says what the status does not, as evidence.
    pub fn seen_event(&self) -> Option<Evidence> {
        let event = self.error.as_ref().ok()?.event?;
        let observed = format!("{}: {}", event.reason, event.message);
        Some(Evidence::new(self.subject(), "events", &observed))
    }

    /// A finding about `subject` with what the status and the events tell of the failure.
    pub fn finding(&self, subject: Subject, sentence: impl AsRef<str>) -> Finding {
        Finding::new(subject, sentence)
            .seen(self.seen_failure())
            .seen(self.seen_event())
    }

    /// How bad a trouble is that passes by itself: bad where Flux has stopped trying.
    pub fn passing(&self) -> Severity {
        if failure::is_exhausted(self.hr()) {
            Severity::Error
        } else {
            Severity::Warning
        }
    }

    /// The failure's reason; empty when there is no failure.
    pub fn reason(&self) -> &str {
        self.failure.as_ref().map_or("", |f| &f.condition.reason)
    }

    /// The condition that holds the failure.
    pub fn seen_failure(&self) -> Option<Evidence> {
        let failure = self.failure.as_ref()?;
        Some(Evidence::condition(self.subject(), failure.condition))
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

    /// The other onboardings that claim the same database; empty too when the others are not known.
    pub fn rivals(&self) -> Vec<&'a HelmRelease> {
        let Ok(others) = self.others() else {
            return Vec::new();
        };
        let rivals = HelmReleases::of_onboardings(others).rivals(self.hr());
        let is_rival = |other: &&HelmRelease| rivals.contains(&other.id());
        others.iter().filter(is_rival).collect()
    }

    /// Other onboardings whose values were not read and may name the database.
    pub fn hidden_claims(&self) -> Vec<&'a HelmRelease> {
        let claim = self.hr().claim();
        let (Some(database), Ok(others)) = (claim.joined(), self.others()) else {
            return Vec::new();
        };
        others.iter().filter(|o| may_claim(o, database)).collect()
    }

    /// Why an onboarding that is not among the rivals may claim the database too; `None` when it is known that none does.
    pub fn unknown_claims(&self) -> Option<String> {
        if self.hr().claim().joined().is_none() {
            return Some("this onboarding's values do not name its database".to_owned());
        }
        if let Err(unread) = self.others() {
            return Some(unread.why.clause());
        }
        let hidden: Vec<String> = self
            .hidden_claims()
            .into_iter()
            .map(|o| self.name_of(o))
            .collect();
        let mut reasons = Vec::new();
        if !hidden.is_empty() {
            reasons.push(format!(
                "values of {} come from references that were not read",
                hidden.join(", ")
            ));
        }
        if let Err(Unread { why, .. }) = self.elsewhere() {
            reasons.push(match &why {
                Why::NotAsked(_) | Why::NotNeeded(_) => {
                    format!("none of those read does: {}", why.clause())
                }
                Why::Forbidden(_) | Why::Failed(_) | Why::Broken(_) => format!(
                    "none in {} does; other namespaces were not read: {}",
                    self.hr().metadata.namespace,
                    why.clause()
                ),
            });
        }
        (!reasons.is_empty()).then(|| crate::text::one_line(&reasons.join("; ")))
    }

    /// Another onboarding's name, with its namespace where that is not this one's.
    pub fn name_of(&self, other: &HelmRelease) -> String {
        if other.metadata.namespace == self.hr().metadata.namespace {
            other.metadata.name.clone()
        } else {
            other.id()
        }
    }

    /// Seconds since an RFC 3339 time; `None` when it cannot be read.
    pub fn seconds_since(&self, time: Option<&str>) -> Option<i64> {
        let time: Timestamp = time?.parse().ok()?;
        Some(self.now.as_second().saturating_sub(time.as_second()).max(0))
    }

    /// As [`about_the_job`].
    pub fn is_about_the_job(&self) -> bool {
        !self.failed_before && about_the_job(self.hr())
    }

    /// What CouchDB says of the database that the values claim, where it is known to be the CouchDB of this onboarding.
    ///
    /// # Errors
    /// It was not asked, or another CouchDB was.
    pub fn in_couchdb(&self) -> Checked<Option<Found>> {
        let unread = |why| Unread::new("the database in CouchDB", why);
        let not_asked = |why: &str| unread(Why::NotAsked(why.to_owned()));
        if self.hr().is_remote() {
            return Err(not_asked(
                "the release is on another cluster (spec.kubeConfig)",
            ));
        }
        let claim = self.hr().claim();
        let Some(database) = claim.joined() else {
            return Err(not_asked(
                "this onboarding's values do not name its database",
            ));
        };
        let answers = self.databases().map_err(|u| unread(u.why))?;
        let Some(answers) = answers else {
            return Err(not_asked("CouchDB was not asked"));
        };
        match self.another_couchdb(answers) {
            Some(why) => Err(not_asked(&why)),
            None => match answers.of(database) {
                Read::Seen(found) => Ok(Some(found)),
                Read::Absent => Ok(None),
                Read::Unknown(why) => Err(unread(why)),
            },
        }
    }

    /// CouchDB's words where it has the database that the values claim and fails to answer for it.
    pub fn unserved(&self) -> Option<String> {
        match self.in_couchdb().if_read() {
            Some(Found::Unserved(why)) => Some(why),
            Some(Found::Served(_)) | None => None,
        }
    }

    /// Why the CouchDB that was asked is not this onboarding's, as its notes tell; `None` also where they tell nothing.
    fn another_couchdb(&self, answers: &Databases) -> Option<String> {
        let endpoint = self.endpoint()?;
        let installation = |name: &str| {
            let rest = ["db-agora-kvs-", "steelcouch-agora-kvs-"]
                .iter()
                .find_map(|lead| name.strip_prefix(lead))?;
            Some(rest.to_owned())
        };
        let asked = answers.pod.rsplit_once('-').map_or("", |(stem, _)| stem);
        let other = match (installation(&endpoint.name), installation(asked)) {
            (Some(wanted), Some(asked)) => wanted != asked,
            _ => false,
        };
        (other || endpoint.namespace != answers.namespace).then(|| {
            format!(
                "it is behind {}/{}, but {}/{} was asked",
                endpoint.namespace, endpoint.name, answers.namespace, answers.pod
            )
        })
    }

    /// The Service that the release notes tell the team to use.
    pub fn endpoint(&self) -> Option<Endpoint> {
        let notes = &self.release().if_read()?.info.notes;
        let url = Notes::parse(notes).endpoint?;
        endpoint::of_url(&url, "", "the release notes")
    }
}

/// The failure speaks of the creation Job, or an install is under way that may wait for it.
pub fn about_the_job(hr: &HelmRelease) -> bool {
    if status::ready(hr) == Ready::True || status::is_unanswered(hr) {
        return false;
    }
    let Some(failure) = failure::failure(hr) else {
        let conditions = &hr.status.conditions;
        // Controllers up to 0.36 do not say which action it is: before the first success it is an installation.
        let first = hr.status.last_applied_revision.is_none() && hr.status.history.is_empty();
        return conditions.iter().any(|c| {
            c.message.starts_with("Running 'install' action")
                || first && c.kind == "Ready" && c.message == "Reconciliation in progress"
        });
    };
    let others = ["upgrade", "test", "rollback", "uninstall"];
    if failure.action.is_some_and(|a| others.contains(&a)) {
        return false;
    }
    let text = failure::split_trailer(&failure.condition.message).0;
    let named = failure::resources(text).iter().any(|w| w.kind == "Job");
    let job_failed = named
        || [
            "BackoffLimitExceeded",
            "DeadlineExceeded",
            "PodFailurePolicy",
            "job is failed",
        ]
        .iter()
        .any(|t| text.contains(t));
    // The wait for the hook ended without a verdict on it, in whatever words: a hook that could not even be made is told
    // with its path.
    let unsettled = text.contains("failed pre-install: ") && !text.contains("Hook pre-install ");
    job_failed || unsettled || super::retries::is_timeout(text)
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
