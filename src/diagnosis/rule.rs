//! What a rule is: text for people, and one function that looks at a case.

use super::case::Case;
use super::finding::Finding;
use super::job::Silent;
use crate::snapshot::Why;
use serde::Serialize;

/// How bad a finding is. The order is from harmless to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    /// The word before the code.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What a finding of the rule says about the onboarding's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It accounts for the failure that the status shows.
    Cause,
    /// True of the onboarding, whether it fails or not.
    State,
    /// It says that there is a failure and never why.
    Symptom,
    /// Run only when nothing accounts for the failure.
    Fallback,
}

/// A part of the snapshot that a rule cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    ServiceAccount,
    JobPods,
    JobLog,
    Others,
}

/// In words: claims that were not read because their namespaces were not.
pub const ELSEWHERE: &str = "databases claimed by onboardings in other namespaces";

/// One diagnosis.
pub struct Rule {
    /// `SKVS101`: stable for ever.
    pub code: &'static str,
    /// Its file's name with dashes.
    pub slug: &'static str,
    pub severity: Severity,
    pub role: Role,
    /// A sentence without names and full stop.
    pub title: &'static str,
    /// Markdown: what happens and why.
    pub explanation: &'static str,
    /// Markdown: how to see it and how to mend it.
    pub fix: &'static str,
    /// What a cluster shows.
    pub example: &'static str,
    /// Without these it is not run.
    pub needs: &'static [Input],
    /// Codes that follow from this one: their findings are shown under it.
    pub explains: &'static [&'static str],
    /// Whether the HelmRelease alone makes the check worth its inputs; if not, the rule is clear.
    pub when: fn(&Case<'_>) -> bool,
    pub check: fn(&Case<'_>) -> Verdict,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Looked at, and nothing is wrong.
    Clear,
    /// Boxed: most verdicts are clear.
    Found(Box<Finding>),
    /// Not looked at.
    Skipped {
        /// The part that is missing.
        what: String,
        /// Why it is.
        why: String,
    },
}

impl Verdict {
    /// Skipped because a part is not known.
    pub fn skipped(what: impl Into<String>, why: &Why) -> Self {
        Self::Skipped {
            what: what.into(),
            why: why.clause(),
        }
    }
}

impl From<Finding> for Verdict {
    fn from(finding: Finding) -> Self {
        Self::Found(Box::new(finding))
    }
}

impl Input {
    /// The part in words, as it stands in "not run: …".
    pub fn label(self, case: &Case<'_>) -> String {
        match self {
            Input::ServiceAccount => match case.service_account() {
                Some(account) => account.to_string(),
                None => "the ServiceAccount".to_owned(),
            },
            Input::JobPods => "the pods of the creation Job".to_owned(),
            Input::JobLog => "the log of the creation Job".to_owned(),
            Input::Others => "the databases of other onboardings".to_owned(),
        }
    }

    /// Why the part is missing; `None` when it is there, or is seen to be absent and that can be judged.
    pub fn missing(self, case: &Case<'_>) -> Option<String> {
        let snapshot = case.snapshot;
        match self {
            Input::ServiceAccount => snapshot.service_account.unknown().map(Why::clause),
            Input::Others => snapshot.others.unknown().map(Why::clause),
            Input::JobPods => case.job.silent.as_ref().map(Silent::clause),
            Input::JobLog => Input::JobPods
                .missing(case)
                .or_else(|| case.job.log_missing()),
        }
    }
}

/// For rules that any HelmRelease makes worth their inputs.
pub(super) fn always(_: &Case<'_>) -> bool {
    true
}

/// For rules on what keeps a HelmRelease from being ready.
pub(super) fn failing(case: &Case<'_>) -> bool {
    case.failure.is_some()
}

/// For rules on the creation Job.
pub(super) fn about_the_job(case: &Case<'_>) -> bool {
    case.is_about_the_job()
}

/// Whether the failure is a refusal by RBAC.
pub(super) fn refused_by_rbac(case: &Case<'_>) -> bool {
    // That Flux may not act as the account at all is another matter (SKVS143).
    let impersonation = case.forbidden().is_some_and(|r| r.verb == "impersonate");
    !impersonation
        && case.error().contains("cannot ")
        && case.error().contains("User \"system:serviceaccount:")
}
