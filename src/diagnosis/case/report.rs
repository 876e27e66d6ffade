//! The text of a failure: from the status, or from an event or the controller's log if the status does not say.

use crate::model::controller_log::{Entry, newest};
use crate::model::event::Event;
use crate::model::failure::{Cause, Failure, FailureText};
use crate::model::helm_release::HelmRelease;
use crate::model::status;
use crate::snapshot::{Checked, Snapshot, Unread, Why, part};
use k8s_openapi::jiff::Timestamp;

/// The text of a failure and its source.
#[derive(Clone, Debug, Default)]
pub(super) struct Report<'a> {
    /// `None` where nothing failed.
    pub(super) text: Option<FailureText<'a>>,
    /// The event that the text was taken from, where the status does not say.
    pub(super) event: Option<&'a Event>,
    /// The entry of helm-controller's log that the text was taken from, if neither of them says.
    pub(super) log: Option<&'a str>,
    /// The log might say more, and is not among the saved files. The status is judged without it.
    pub(super) unsaved: Option<Unread>,
}

impl<'a> Report<'a> {
    /// Takes the text from the status, or from the newest event where the status does not say.
    ///
    /// # Errors
    /// The status does not say, and the events were not read, or not all of them.
    pub(super) fn find(snapshot: &'a Snapshot, failure: Option<&Failure<'a>>) -> Checked<Self> {
        let event = match silent(snapshot, failure) {
            Some(is_telling) => snapshot.newest_event(is_telling)?,
            None => None,
        };
        let said = event.map(|event| event.message.as_str());
        let reason = failure.map_or("", |f| f.condition.reason.as_str());
        let text = match said {
            Some(said) => {
                let said = said.strip_prefix("reconciliation failed: ").unwrap_or(said);
                Some(FailureText::parse(reason, said))
            }
            None => failure.map(|f| f.text.clone()),
        };
        let (log, unsaved) = match logged(snapshot, failure, text.as_ref()) {
            Ok(log) => (log, None),
            Err(unread) if matches!(unread.why, Why::NotAsked(_)) => (None, Some(unread)),
            Err(unread) => return Err(unread),
        };
        let text = match log {
            Some(log) => Some(FailureText::parse(reason, log)),
            None => text,
        };
        Ok(Self {
            text: text.map(|text| FailureText {
                action: text.action.or(failure.and_then(|f| f.text.action)),
                ..text
            }),
            event: event.filter(|_| log.is_none()),
            log,
            unsaved,
        })
    }
}

/// The controller's log entry if the status has no text that is recognised: for a deletion that continues, for an object without an answer,
/// or for an unrecognised text.
///
/// # Errors
/// The log is needed, and was not read.
fn logged<'a>(
    snapshot: &'a Snapshot,
    failure: Option<&Failure<'_>>,
    text: Option<&FailureText<'_>>,
) -> Checked<Option<&'a str>> {
    let hr = snapshot.helm_release();
    let cause = |entry: &Entry| FailureText::parse("", &entry.text).cause;
    // The controller's own errors are the cause only if it lacks a right or a disk.
    let is_its_own = |entry: &&Entry| {
        matches!(
            cause(entry),
            Cause::Right(_) | Cause::Disk(_) | Cause::Server(_)
        )
    };
    let silent = match text {
        Some(text) => text.cause == Cause::Unrecognised,
        None => {
            let is_deleted = hr.metadata.deletion_timestamp.is_some() && !hr.spec.suspend;
            is_deleted || status::is_unanswered(hr)
        }
    };
    if !silent {
        return Ok(None);
    }
    let errors = match snapshot.controller_log() {
        Ok(Some(errors)) => errors,
        Ok(None) => return Ok(None),
        Err(unread) if unread.is_not_needed() => return Ok(None),
        Err(unread) => return Err(unread),
    };
    let since = since(hr, failure);
    let is_known = |entry: &Entry| cause(entry) != Cause::Unrecognised;
    let own = newest(&errors.own).filter(|newest| match newest.at {
        Some(_) => is_known(newest),
        // It may be older than one that is known.
        None => errors.own.iter().any(is_known),
    });
    let general = newest(errors.general.iter().filter(is_its_own));
    for entry in own.into_iter().chain(general) {
        if is_present(entry, since)? {
            return Ok(Some(&entry.text));
        }
    }
    Ok(None)
}

/// When what the log would explain began: the failure, the deletion, or the wait for an answer.
fn since(hr: &HelmRelease, failure: Option<&Failure<'_>>) -> Option<Timestamp> {
    let metadata = &hr.metadata;
    let since = match failure {
        Some(failure) => &failure.condition.last_transition_time,
        None if metadata.deletion_timestamp.is_some() => &metadata.deletion_timestamp,
        None => &metadata.creation_timestamp,
    };
    since.as_deref()?.parse().ok()
}

/// An older entry is about something that is over.
///
/// # Errors
/// Which of the two is older is not known.
fn is_present(entry: &Entry, since: Option<Timestamp>) -> Checked<bool> {
    match (entry.at, since) {
        (Some(at), Some(since)) => Ok(at >= since),
        (None, _) => {
            let why = "the time of an error in it cannot be read".to_owned();
            Err(Unread::new(part::CONTROLLER_LOG, Why::Broken(why)))
        }
        (_, None) => {
            let why = "it is not known when the failure began".to_owned();
            Err(Unread::new(part::CONTROLLER_LOG, Why::Broken(why)))
        }
    }
}

/// Which events say what the status does not: why storage could not be read (controllers before 0.37), why the HelmChart could
/// not be made. `None` where the status says it all.
fn silent(snapshot: &Snapshot, failure: Option<&Failure<'_>>) -> Option<fn(&Event) -> bool> {
    if failure.is_some_and(|f| f.is_of_cleanup() || f.is_count()) {
        return Some(|event| {
            ["InstallFailed", "UpgradeFailed", "error"].contains(&event.reason.as_str())
                && ["Helm install failed", "Helm upgrade failed"]
                    .iter()
                    .any(|lead| event.message.contains(lead))
        });
    }
    if failure.is_some_and(|f| f.condition.reason == "GetLastReleaseFailed") {
        return Some(|event| {
            event.message.contains("get last release revision")
                || event.message.contains("failed to query with labels")
        });
    }
    status::is_unanswered(snapshot.helm_release())
        .then_some(|event| event.reason == "HelmChartSyncErr")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::model::controller_log::Errors;
    use crate::snapshot::Read;

    const REFUSED: &str =
        "Get \"https://10.0.0.1:443/version\": dial tcp 10.0.0.1:443: connect: connection refused";

    /// What the log of these entries explains of a deletion that began then: times and texts of entries about the object, and of
    /// the one about none.
    fn explained(began: &str, own: &[(&str, &str)], general: Option<&str>) -> Checked<bool> {
        let mut snapshot = fixture::snapshot("ready-and-manifest-not-applied");
        let metadata = &mut snapshot.helm_release.metadata;
        metadata.deletion_timestamp = Some(began.to_owned());
        let (namespace, name) = (metadata.namespace.clone(), metadata.name.clone());
        let own = own.iter().map(|(ts, said)| {
            serde_json::json!({"level": "error", "ts": ts, "namespace": namespace, "name": name, "error": said})
        });
        let general =
            general.map(|ts| serde_json::json!({"level": "error", "ts": ts, "error": REFUSED}));
        let lines: Vec<String> = own.chain(general).map(|e| e.to_string()).collect();
        let errors = Errors::parse(&lines.join("\n"), &namespace, &name).unwrap();
        snapshot.on_demand.controller_log = Read::Seen(errors);
        Ok(Report::find(&snapshot, None)?.log.is_some())
    }

    /// What is found, and how many checks miss the log.
    fn without_log(why: Option<Why>) -> (Vec<&'static str>, usize) {
        let mut snapshot = fixture::snapshot("unknown-cause");
        if let Some(why) = why {
            snapshot.on_demand.controller_log = Read::Unknown(why);
        }
        let now = fixture::meta("unknown-cause").now;
        let diagnosis = diagnose(&Case::new(&snapshot, now));
        let missing = diagnosis
            .not_run
            .iter()
            .filter(|n| n.what == part::CONTROLLER_LOG);
        let roots = diagnosis.roots.iter().map(|root| root.rule.code);
        (roots.collect(), missing.map(|n| n.codes.len()).sum())
    }

    #[test]
    fn checks_that_find_nothing_without_the_log_are_not_run() {
        let not_saved = Why::NotAsked("not in the saved files".to_owned());
        let (found, missing) = without_log(Some(not_saved));
        assert_eq!(found, ["SKVS900"]);
        assert!(missing > 20, "{missing}");
        // A bundle has what a live run reads, and that reads no log.
        assert_eq!(without_log(None), (found.clone(), 0));
        let not_needed = Why::NotNeeded("a cluster's".to_owned());
        assert_eq!(without_log(Some(not_needed)), (found, 0));
    }

    #[test]
    fn only_the_newest_error_since_it_began_explains_it() {
        let (before, began, after) = (
            "2026-11-23T20:19:59Z",
            "2026-11-23T20:20:00Z",
            "2026-11-23T20:20:09Z",
        );
        let other = "a text of tomorrow";
        for (own, general, is_explained) in [
            (&[(after, REFUSED)][..], None, true),
            (&[(began, REFUSED)], None, true),
            (&[(before, REFUSED)], None, false),
            (&[(before, other), (after, REFUSED)], None, true),
            // It has another error now.
            (&[(began, REFUSED), (after, other)], None, false),
            (&[], Some(after), true),
            (&[], Some(before), false),
            (&[(before, REFUSED)], Some(after), true),
        ] {
            assert_eq!(
                explained(began, own, general),
                Ok(is_explained),
                "{own:?} {general:?}"
            );
        }
    }

    #[test]
    fn a_time_that_cannot_be_read_leaves_it_unknown() {
        let (began, after) = ("2026-11-23T20:20:00Z", "2026-11-23T20:20:09Z");
        assert!(explained(began, &[("x", REFUSED)], None).is_err());
        assert!(
            explained(
                began,
                &[(after, REFUSED), ("x", "a text of tomorrow")],
                None
            )
            .is_err()
        );
        assert!(explained(began, &[], Some("x")).is_err());
        assert!(explained("x", &[(after, REFUSED)], None).is_err());
        assert_eq!(explained("x", &[], None), Ok(false));
    }
}
