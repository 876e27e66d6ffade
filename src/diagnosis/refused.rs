//! What the API server's admission refused, for the rules on it: an object that Flux applied, or the pod of the creation Job,
//! of which Flux knows nothing and the Job's events tell.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::retries::{Fixes, then};
use crate::model::failure::refusal::Refusal;
use crate::model::failure::{Applied, Cause, FailureText};
use crate::snapshot::Checked;

/// A refusal and where it was read.
pub(super) struct Refused {
    pub refusal: Refusal,
    /// The Job whose pod was refused; `None` where Flux's own request was.
    pub job: Option<Subject>,
    evidence: Vec<Evidence>,
    object: String,
}

/// The refusal that the failure tells, or the events of the Job that it speaks of.
///
/// # Errors
/// What would tell of one was not read.
pub(super) fn refused(case: &Case<'_>) -> Checked<Option<Refused>> {
    let failure: Vec<Evidence> = case.seen_failure().into_iter().collect();
    if let Some(text) = case.failure_text()?
        && let Cause::Refusal(refusal) = &text.cause
    {
        return Ok(Some(Refused {
            refusal: refusal.clone(),
            job: None,
            evidence: failure,
            object: object(text),
        }));
    }
    if !case.is_about_the_job() {
        return Ok(None);
    }
    let Some(uncreated) = case.uncreated()? else {
        return Ok(None);
    };
    Ok(Refusal::parse(&uncreated.why).map(|refusal| Refused {
        refusal,
        job: Some(uncreated.job.clone()),
        evidence: failure.into_iter().chain([uncreated.evidence()]).collect(),
        object: "the pod of the creation Job".to_owned(),
    }))
}

/// What was to be made, as the text tells it.
pub(super) fn object(text: &FailureText<'_>) -> String {
    match &text.applied {
        Some(Applied { kind, id }) => format!("{kind} {id}"),
        None if text.is_of_hook() => "the creation Job".to_owned(),
        None => "an object of the chart".to_owned(),
    }
}

impl Refused {
    /// What was refused, in words.
    pub(super) fn object(&self) -> &str {
        &self.object
    }

    /// The namespace that what was refused was to be in.
    pub(super) fn namespace<'c>(&'c self, case: &Case<'c>) -> &'c str {
        let namespace = self.job.as_ref().map(|j| j.namespace.as_str());
        namespace.unwrap_or_else(|| case.hr().release_namespace())
    }

    /// A finding with what was seen, and how it goes on once that is mended.
    pub(super) fn finding(
        self,
        case: &Case<'_>,
        subject: Subject,
        sentence: impl AsRef<str>,
    ) -> Finding {
        let finding = Finding::new(subject, sentence);
        let finding = match self.job {
            Some(_) => finding.why(
                "Flux only sees that the Job does not finish; the Job's events say why it has no pod.",
            ),
            None => finding,
        };
        finding
            .seen(self.evidence)
            .then(then(case, Fixes::Elsewhere))
    }
}
