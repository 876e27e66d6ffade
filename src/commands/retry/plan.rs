//! The plan that is shown before the question, and compared with the one read after it.

use super::act::Runner;
use crate::advice::{Command, Origin};
use crate::diagnosis::after_fix::{Act, Action};
use crate::diagnosis::retry::{Cause, Refusal, Retry, after_removal, retry};
use crate::diagnosis::{Case, NotRun, Subject, diagnose};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::helm_release::HelmRelease;
use crate::render::card::Row;
use crate::snapshot::Snapshot;
use crate::text::{count, one_line};
use crate::view::description::API_VERSION;
use crate::view::report::Onboarding;
use crate::view::retry::{self as view, Outcome, Retry as Document};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// A retry that is not refused.
pub(super) struct Plan {
    pub(super) retry: Retry,
    /// The object that it was decided on.
    pub(super) object: Value,
    pub(super) hr: HelmRelease,
    state: String,
    database: Option<String>,
    even_if: Vec<&'static str>,
    not_run: Vec<NotRun>,
    /// This run has removed the release: what was decided before that still holds.
    removed: bool,
}

impl Plan {
    /// Decides on a snapshot.
    ///
    /// # Errors
    /// The reason to refuse.
    pub(super) fn new(
        snapshot: &Snapshot,
        now: Timestamp,
        even_if: &[&'static str],
    ) -> Result<Self, Refusal> {
        let case = Case::new(snapshot, now);
        let diagnosis = diagnose(&case);
        let retry = retry(&case, &diagnosis, even_if)?;
        let onboarding = Onboarding::new(&case, diagnosis);
        Ok(Self {
            retry,
            object: snapshot.object().clone(),
            hr: snapshot.helm_release().clone(),
            state: onboarding.state,
            database: onboarding.database,
            even_if: even_if.to_vec(),
            not_run: onboarding.not_run,
            removed: false,
        })
    }

    /// The remaining steps after this run has removed the release.
    ///
    /// # Errors
    /// The release is not gone, or something else has happened.
    pub(super) fn after_removal(
        &self,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        after_removal(&Case::new(snapshot, now))?;
        let hr = snapshot.helm_release();
        let id = |hr: &HelmRelease| (hr.metadata.uid.clone(), hr.metadata.generation);
        if id(hr) != id(&self.hr) {
            let what = "the HelmRelease has changed";
            return Err(Refusal::Unknown(what.to_owned()));
        }
        let mut retry = self.retry.clone();
        retry.acts.retain(|action| action.act() != Act::Uninstall);
        Ok(Self {
            retry,
            object: snapshot.object().clone(),
            hr: hr.clone(),
            state: self.state.clone(),
            database: self.database.clone(),
            even_if: self.even_if.clone(),
            not_run: self.not_run.clone(),
            removed: true,
        })
    }

    /// Whether this run has removed the release.
    pub(super) fn has_removed(&self) -> bool {
        self.removed
    }

    /// Namespace and name.
    pub(super) fn id(&self) -> (&str, &str) {
        (&self.hr.metadata.namespace, &self.hr.metadata.name)
    }

    /// The causes without their sentences, which may hold the time.
    fn causes(&self) -> Vec<(&'static str, &Subject)> {
        let causes = self.retry.causes.iter();
        causes.map(|cause| (cause.code, &cause.subject)).collect()
    }

    /// The acts, without their commands, which hold the time.
    pub(super) fn acts(&self) -> Vec<Act> {
        self.retry.acts.iter().map(|action| action.act()).collect()
    }

    /// The command that removes the release, if one is to go.
    pub(super) fn uninstall(&self) -> Option<&Command> {
        self.retry.uninstall().map(Action::command)
    }

    /// Compares with the plan that was read after the question.
    ///
    /// # Errors
    /// Something that was shown has changed.
    pub(super) fn holds(&self, again: &Self) -> Result<()> {
        let what = if self.hr.metadata.uid != again.hr.metadata.uid {
            "the HelmRelease was deleted and created again"
        } else if self.hr.metadata.generation != again.hr.metadata.generation {
            "its spec has changed"
        } else if self.acts() != again.acts() || self.uninstall() != again.uninstall() {
            "the steps have changed"
        } else if self.causes() != again.causes() {
            "the cause has changed"
        } else {
            return Ok(());
        };
        let error = Error::new(format!("refused: {what}; nothing was changed"));
        Err(error
            .with_code(Code::Refused)
            .hint("run it again, and look at the new card"))
    }

    pub(super) fn heading(&self) -> &'static str {
        match self.uninstall() {
            Some(_) => "This removes a failed Helm release, and has Flux install it again.",
            None => "This has Flux try an onboarding again.",
        }
    }

    /// The plan as a document.
    pub(super) fn document(&self, outcome: Outcome, runner: &Runner, origin: &Origin) -> Document {
        let (namespace, name) = self.id();
        let cause = |cause: &Cause| view::Cause {
            code: cause.code,
            object: cause.subject.clone(),
            message: one_line(&cause.sentence),
            excused: self.even_if.contains(&cause.code),
        };
        let step = |action: &Action| view::Step {
            act: action.act(),
            command: runner.line(action, origin),
        };
        Document {
            api_version: API_VERSION,
            kind: "Retry",
            context: origin.context().map(one_line),
            outcome,
            helm_release: one_line(&format!("{namespace}/{name}")),
            database: self.database.as_deref().map(one_line),
            state: one_line(&self.state),
            causes: self.retry.causes.iter().map(cause).collect(),
            why: one_line(self.retry.line.trim_end_matches(':')),
            steps: self.retry.acts.iter().map(step).collect(),
            not_run: self.not_run.clone(),
        }
    }

    /// The card's rows.
    pub(super) fn rows(&self, runner: &Runner) -> Vec<Row> {
        let (namespace, name) = self.id();
        let database = self.database.as_deref();
        let database = database.map_or(String::new(), |d| format!(", database {d}"));
        let mut rows = vec![
            (
                "Onboarding",
                one_line(&format!("{namespace}/{name}{database}")),
            ),
            ("State", self.state.clone()),
        ];
        rows.extend(self.retry.causes.iter().map(|cause| {
            let excused = match self.even_if.contains(&cause.code) {
                true => " (--even-if)",
                false => "",
            };
            let text = format!("{} {}{excused}", cause.code, cause.sentence);
            ("Cause", text)
        }));
        rows.push(("Why", self.retry.line.trim_end_matches(':').to_owned()));
        let steps = self.retry.acts.iter().zip(["Step 1", "Step 2", "Step 3"]);
        rows.extend(steps.map(|(action, key)| (key, runner.words(action))));
        let first = self.not_run.first();
        rows.extend(first.map(|first| {
            let checks: usize = self.not_run.iter().map(|n| n.codes.len()).sum();
            let not = count(checks as u64, "check");
            let text = format!("{not} not run, as of {}: {}", first.what, first.why);
            ("Not known", text)
        }));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Subject, fixture};
    use crate::snapshot::Read;

    #[test]
    fn a_cause_of_another_object_is_another_cause() {
        let name = "target-namespace-made-since";
        let mut snapshot = fixture::snapshot(name);
        snapshot.revisions = Read::Absent;
        let plan = || {
            Plan::new(&snapshot, fixture::meta(name).now, &[])
                .ok()
                .unwrap()
        };
        assert!(plan().holds(&plan()).is_ok());
        let mut again = plan();
        let cause = &mut again.retry.causes[0];
        cause.sentence.push_str(" for 2m");
        assert!(plan().holds(&again).is_ok());
        again.retry.causes[0].subject = Subject::new("Namespace", "", "other");
        let refused = plan().holds(&again).unwrap_err();
        assert_eq!(refused.code(), Code::Refused);
        assert!(refused.message().contains("the cause has changed"));
    }
}
