//! The failure of a case: what is said of it, parsed once, and what findings show of it.

use super::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::rule::Severity;
use crate::model::event::Event;
use crate::model::failure::{self, Cause, Failure, FailureText};
use crate::model::helm_release::HelmRelease;
use crate::model::status::{self, Ready};
use crate::snapshot::{Checked, Snapshot};

/// What is said of a failure, and where.
#[derive(Clone, Debug, Default)]
pub(super) struct Report<'a> {
    /// `None` where nothing failed.
    text: Option<FailureText<'a>>,
    /// The event that the text was taken from, where the status does not say.
    event: Option<&'a Event>,
}

impl<'a> Case<'a> {
    /// What the controller says of the failure; `None` where nothing failed.
    ///
    /// # Errors
    /// The status does not say, an event would, and the events were not read.
    pub fn failure_text(&self) -> Checked<Option<&FailureText<'a>>> {
        let report = self.report.as_ref().map_err(Clone::clone)?;
        Ok(report.text.as_ref())
    }

    /// Why it failed, as the text says it.
    ///
    /// # Errors
    /// As [`Case::failure_text`].
    pub fn cause(&self) -> Checked<Option<&Cause>> {
        Ok(self.failure_text()?.map(|text| &text.cause))
    }

    /// What Helm was asked to do when it failed: `install`, `upgrade`, …
    ///
    /// # Errors
    /// As [`Case::failure_text`].
    pub fn action(&self) -> Checked<Option<&'static str>> {
        Ok(self.failure_text()?.and_then(|text| text.action))
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

    /// The event that says what the status does not, as evidence.
    pub fn seen_event(&self) -> Option<Evidence> {
        let event = self.report.as_ref().ok()?.event?;
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

    /// As [`about_the_job`].
    pub fn is_about_the_job(&self) -> bool {
        !self.failed_before && about_the_job(self.hr())
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
    failure.text().is_of_creation_job()
}

impl<'a> Report<'a> {
    /// Takes the text from the status, or from the newest event where the status keeps silent.
    ///
    /// # Errors
    /// The status keeps silent and the events were not read, or not all of them.
    pub(super) fn read(snapshot: &'a Snapshot, failure: Option<&Failure<'a>>) -> Checked<Self> {
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
        Ok(Self {
            text: text.map(|text| FailureText {
                action: text.action.or(failure.and_then(|f| f.action)),
                ..text
            }),
            event,
        })
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
    status::is_unanswered(&snapshot.helm_release)
        .then_some(|event| event.reason == "HelmChartSyncErr")
}
