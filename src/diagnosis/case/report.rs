//! The text of a failure: from the status, or from an event or the controller's log if the status does not say.

use crate::model::event::Event;
use crate::model::failure::{Cause, Failure, FailureText};
use crate::model::status;
use crate::snapshot::{Checked, Snapshot};

/// The text of a failure and its source.
#[derive(Clone, Debug, Default)]
pub(super) struct Report<'a> {
    /// `None` where nothing failed.
    pub(super) text: Option<FailureText<'a>>,
    /// The event that the text was taken from, where the status does not say.
    pub(super) event: Option<&'a Event>,
    /// The entry of helm-controller's log that the text was taken from, if neither of them says.
    pub(super) log: Option<&'a str>,
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
            None => failure.map(Failure::text),
        };
        let log = logged(snapshot, text.as_ref())?;
        let text = match log {
            Some(log) => Some(FailureText::parse(reason, log)),
            None => text,
        };
        Ok(Self {
            text: text.map(|text| FailureText {
                action: text.action.or(failure.and_then(|f| f.action)),
                ..text
            }),
            event: event.filter(|_| log.is_none()),
            log,
        })
    }
}

/// The controller's log entry if the status has no text that is recognised: for a deletion that continues, for an object without an answer,
/// or for an unrecognised text.
///
/// # Errors
/// The log is needed, and was not read.
fn logged<'a>(snapshot: &'a Snapshot, text: Option<&FailureText<'_>>) -> Checked<Option<&'a str>> {
    let hr = &snapshot.helm_release;
    let is_known = |said: &&String| FailureText::parse("", said).cause != Cause::Unrecognised;
    // The controller's errors about itself are the cause only if it lacks a right, a disk or the API server.
    let is_its_own = |said: &&String| {
        let cause = FailureText::parse("", said).cause;
        matches!(cause, Cause::Right(_) | Cause::Disk(_) | Cause::Server(_))
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
    let log = snapshot.on_demand.controller_log.as_ref();
    let errors = match log.checked("the log of helm-controller") {
        Ok(Some(errors)) => errors,
        Ok(None) => return Ok(None),
        Err(unread) if unread.is_not_needed() => return Ok(None),
        Err(unread) => return Err(unread),
    };
    let own = errors.own.iter().rev().find(is_known);
    let general = || errors.general.iter().rev().find(is_its_own);
    Ok(own.or_else(general).map(String::as_str))
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
    status::is_unanswered(&snapshot.helm_release)
        .then_some(|event| event.reason == "HelmChartSyncErr")
}
