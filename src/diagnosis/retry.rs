//! Whether an onboarding can be tried again now, and by which acts: those of the report's "Then" for an unchanged manifest.
//!
//! [`super::retries`] decides how Flux is made to try again. This module decides whether that is safe: no revision was ever deployed,
//! nothing is at work, and no cause is left. A retry is refused if Helm's storage was not read, and a removal also if the creation Job was
//! not read. Checks that were not run for another reason are shown on the card.

use super::after_fix::{Act, Action, Due};
use super::case::Case;
use super::engine::Diagnosis;
use super::finding::{Finding, Subject};
use super::install;
use super::retries::{Fixes, then};
use super::rule::{Role, Rule, Severity};
use crate::model::helm_release::{HelmRelease, Status};
use crate::model::names::{is_namespace_name, is_release_name};
use crate::model::status::{self, Ready};
use crate::text::one_line;
use std::collections::BTreeSet;

/// An error of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub code: &'static str,
    /// The object that it is about.
    pub subject: Subject,
    pub sentence: String,
}

/// What a retry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The errors, worst first.
    pub causes: Vec<Cause>,
    /// Why these acts.
    pub line: String,
    pub acts: Vec<Action>,
    /// Codes that were excused and are not reported.
    pub not_needed: Vec<&'static str>,
}

impl Retry {
    /// The act's command, if it is one of them.
    pub fn uninstall(&self) -> Option<&Action> {
        self.acts.iter().find(|a| a.act() == Act::Uninstall)
    }
}

/// Why it is not tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    BeingDeleted,
    Suspended,
    Ready,
    /// A revision was deployed, according to this.
    Deployed(String),
    /// Something is not known that has to be.
    Unknown(String),
    /// Something is at work.
    Underway(String),
    /// The failed attempt's Job may still create the database.
    JobRuns,
    /// Not fixed, and not excused.
    NotFixed(Vec<Cause>),
}

/// Decides; `excused` are codes of causes that the user knows of.
///
/// # Errors
/// The reason to refuse.
pub fn retry(
    case: &Case<'_>,
    diagnosis: &Diagnosis,
    excused: &[&'static str],
) -> Result<Retry, Refusal> {
    let hr = case.hr();
    is_active(hr)?;
    if hr.is_remote() {
        let what = "its release is on another cluster (spec.kubeConfig), which is not read";
        return Err(Refusal::Unknown(what.to_owned()));
    }
    if case.is_ready() && !hr.is_asked_again() {
        return Err(Refusal::Ready);
    }
    if install::is_of_another_release(case) {
        let what = "the revision in Helm's storage says that it is of another release";
        return Err(Refusal::Unknown(what.to_owned()));
    }
    never_deployed(case)?;
    at_rest(case)?;
    let causes = errors(diagnosis);
    let left = causes.iter().filter(|(is_left, _)| *is_left);
    let left: Vec<&Cause> = left.map(|(_, cause)| cause).collect();
    let open = left.iter().filter(|c| !excused.contains(&c.code));
    let open: Vec<Cause> = open.map(|c| (*c).clone()).collect();
    if !open.is_empty() {
        return Err(Refusal::NotFixed(open));
    }
    let then = then(case, Fixes::Elsewhere).filter(|then| then.due != Due::Unknown);
    let Some(then) = then else {
        let what =
            "it is not known whether the creation Job succeeded, and an upgrade does not run it";
        return Err(Refusal::Unknown(what.to_owned()));
    };
    let acts = match then.due {
        Due::AtOnce => then.acts,
        // Flux would do the same later.
        Due::OnItsOwn => vec![Action::new(case, Act::Request)],
        Due::AfterJob => return Err(Refusal::JobRuns),
        Due::AfterAttempt | Due::Unknown => return Err(Refusal::Underway(then.line)),
    };
    let removes = acts.iter().any(|a| a.act() == Act::Uninstall);
    if removes
        && let Err(unread) = case.creation_job()
        && !unread.is_not_needed()
    {
        let why = one_line(&unread.why.clause());
        let what = "it is not known whether the failed attempt's Job is still running";
        return Err(Refusal::Unknown(format!(
            "{what}: {} was not read: {why}",
            unread.what
        )));
    }
    let (namespace, name) = (hr.storage_namespace(), hr.release_name());
    if removes && !(is_namespace_name(namespace) && is_release_name(&name)) {
        let (namespace, name) = (one_line(namespace), one_line(&name));
        let what = format!("{name:?} in {namespace:?} is not the name of a Helm release");
        return Err(Refusal::Unknown(what));
    }
    let not_needed = excused
        .iter()
        .filter(|e| left.iter().all(|c| c.code != **e));
    Ok(Retry {
        not_needed: not_needed.copied().collect(),
        causes: causes.into_iter().map(|(_, cause)| cause).collect(),
        line: then.line,
        acts,
    })
}

/// No revision of the release was ever deployed, by the status and by Helm's storage, which must have been read.
fn never_deployed(case: &Case<'_>) -> Result<(), Refusal> {
    let status = &case.hr().status;
    let applied = status.last_applied_revision.as_deref();
    if applied.is_some_and(|revision| !revision.is_empty()) {
        let applied = one_line(applied.unwrap_or_default());
        let what = format!("Flux's status has the chart {applied} as applied");
        return Err(Refusal::Deployed(what));
    }
    let told = status.history.iter().map(|h| (h.version, &*h.status));
    let stored = case.revisions();
    let revisions = stored.iter().flatten().flat_map(|all| all.iter());
    let revisions = revisions.map(|r| (r.revision, &*r.status));
    let all: Vec<(i64, &str)> = told.chain(revisions).collect();
    for (revision, status) in &all {
        if matches!(*status, "deployed" | "superseded") {
            return Err(Refusal::Deployed(format!(
                "revision {revision} is {status}"
            )));
        }
    }
    if let Err(unread) = &stored {
        let why = one_line(&unread.why.clause());
        let what = format!(
            "it is not known whether a revision was ever deployed: {} were not read: {why}",
            unread.what
        );
        return Err(Refusal::Unknown(what));
    }
    // Without a stored revision nothing would be removed.
    let holds = stored.is_ok_and(|stored| stored.is_some_and(|stored| !stored.is_empty()));
    if let Some(missing) =
        missing(all.iter().map(|(revision, _)| *revision), status).filter(|_| holds)
    {
        return Err(Refusal::Unknown(format!(
            "revision {missing} is neither in Helm's storage nor in Flux's status, and may have been deployed"
        )));
    }
    match all.iter().find(|(_, status)| *status != "failed") {
        None => Ok(()),
        Some((revision, status)) if status.starts_with("pending-") => {
            Err(Refusal::Underway(format!(
                "revision {revision} is {}: it may still be installed",
                one_line(status)
            )))
        }
        Some((revision, status)) => Err(Refusal::Unknown(format!(
            "revision {revision} is {}: it may have been deployed before",
            one_line(status)
        ))),
    }
}

/// Returns the first revision that is missing from the known ones, up to the newest.
fn missing(known: impl Iterator<Item = i64>, status: &Status) -> Option<i64> {
    let known: BTreeSet<i64> = known.collect();
    // Old controllers have its number alone.
    let newest = known.last().copied().max(status.last_release_revision);
    (1..=newest.unwrap_or(0)).find(|revision| !known.contains(revision))
}

/// Flux acts only on a HelmRelease that is neither being deleted nor suspended.
fn is_active(hr: &HelmRelease) -> Result<(), Refusal> {
    if hr.metadata.deletion_timestamp.is_some() {
        return Err(Refusal::BeingDeleted);
    }
    if hr.spec.suspend {
        return Err(Refusal::Suspended);
    }
    Ok(())
}

/// Checks that a retry can continue after it has removed the release: the release is gone, and nothing else has happened.
///
/// # Errors
/// The reason why it cannot.
pub fn after_removal(case: &Case<'_>) -> Result<(), Refusal> {
    let hr = case.hr();
    is_active(hr)?;
    match case.revisions() {
        Err(unread) => {
            let why = one_line(&unread.why.clause());
            let what = format!(
                "it is not known whether the release is gone: {} were not read: {why}",
                unread.what
            );
            return Err(Refusal::Unknown(what));
        }
        Ok(Some(all)) if !all.is_empty() => {
            let what = "a revision is stored: somebody else has installed the release again";
            return Err(Refusal::Underway(what.to_owned()));
        }
        Ok(_) => {}
    }
    at_rest(case)
}

/// Flux is not at work, and no answer is due.
fn at_rest(case: &Case<'_>) -> Result<(), Refusal> {
    let hr = case.hr();
    let underway = |what: &str| Err(Refusal::Underway(what.to_owned()));
    if hr.is_asked_again() {
        return underway("Flux was asked for an attempt, and has not started it");
    }
    if status::is_unanswered(hr) || hr.is_stale() {
        return underway("Flux has not taken up the present spec");
    }
    let hangs = install::working_for(case).is_some_and(|s| install::is_overdue(case, s));
    if status::shown(hr) == Ready::Unknown && !hangs {
        return underway("Flux is at work on it");
    }
    Ok(())
}

/// The errors, and whether each needs a fix: the failure itself and the remains of the attempt do not.
fn errors(diagnosis: &Diagnosis) -> Vec<(bool, Cause)> {
    let mut errors = Vec::new();
    for root in &diagnosis.roots {
        let is_left = is_to_fix(root.rule, &root.finding);
        errors.extend(error(root.rule, &root.finding, is_left));
        // A consequence needs a fix only if its cause does not.
        let follows = root.follows.iter().filter(|_| !is_left);
        let follows = follows.filter(|(rule, finding)| is_to_fix(rule, finding));
        errors.extend(follows.filter_map(|(rule, finding)| error(rule, finding, true)));
    }
    errors
}

fn is_to_fix(rule: &Rule, finding: &Finding) -> bool {
    matches!(rule.role, Role::Cause | Role::State) && !finding.is_of_attempt
}

fn error(rule: &Rule, finding: &Finding, is_left: bool) -> Option<(bool, Cause)> {
    let severity = finding.severity.unwrap_or(rule.severity);
    (severity == Severity::Error).then(|| {
        let sentence = finding.sentence.clone();
        let cause = Cause {
            code: rule.code,
            subject: finding.subject.clone(),
            sentence,
        };
        (is_left, cause)
    })
}

#[cfg(test)]
mod tests;
