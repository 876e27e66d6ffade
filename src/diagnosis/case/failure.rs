//! The failure of a case: its text, parsed once, and the evidence that findings show.

use super::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::severity::Severity;
use crate::model::failure::{self, Cause, FailureText};
use crate::model::status;
use crate::snapshot::Checked;

impl<'a> Case<'a> {
    /// What the controller says of the failure; `None` where nothing failed.
    ///
    /// # Errors
    /// The status does not say, an event would, and the events were not read.
    pub fn failure_text(&self) -> Checked<Option<&FailureText<'a>>> {
        let report = self.report.as_ref().map_err(Clone::clone)?;
        if let Some(unsaved) = &report.unsaved {
            self.note(unsaved.clone());
        }
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

    /// The event or the controller's log that adds to the status, as evidence.
    pub fn seen_event(&self) -> Option<Evidence> {
        let report = self.report.as_ref().ok()?;
        if let Some(log) = report.log {
            let controller = Subject::new("Deployment", "", "helm-controller");
            return Some(Evidence::new(controller, "log", log));
        }
        let event = report.event?;
        let observed = format!("{}: {}", event.reason, event.message);
        Some(Evidence::new(self.subject(), "events", &observed))
    }

    /// A finding about `subject`, with the failure as the status and the events report it.
    pub fn finding(&self, subject: Subject, sentence: impl AsRef<str>) -> Finding {
        Finding::new(subject, sentence)
            .seen(self.seen_failure())
            .seen(self.seen_event())
    }

    /// How bad a trouble is that passes by itself: bad where Flux has stopped trying.
    pub fn passing(&self) -> Severity {
        if failure::has_stopped(self.hr()) {
            Severity::Error
        } else {
            Severity::Warning
        }
    }

    /// The failure's reason; empty without a failure.
    pub fn reason(&self) -> &str {
        self.failure.as_ref().map_or("", |f| &f.condition.reason)
    }

    /// The condition that holds the failure.
    pub fn seen_failure(&self) -> Option<Evidence> {
        let failure = self.failure.as_ref()?;
        Some(Evidence::condition(self.subject(), failure.condition))
    }

    /// As [`status::is_about_creation_job`], of the present spec.
    pub fn is_about_the_job(&self) -> bool {
        !self.failed_before && status::is_about_creation_job(self.hr())
    }
}
