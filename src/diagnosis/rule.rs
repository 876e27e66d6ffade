//! What a rule is: text for people, and one function that looks at a case.

use super::case::Case;
use super::contradiction::Fact;
use super::finding::{Finding, Subject};
use crate::model::failure::Cause;
use crate::model::forbidden::Forbidden;
use crate::snapshot::Unread;
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
    /// Codes that follow from this one: their findings are shown under it.
    pub explains: &'static [&'static str],
    /// What would show that a finding of the rule is false. The engine withholds it then.
    pub contradicted_by: &'static [Fact],
    /// Looks at a case. It settles first, from the HelmRelease alone, whether the rule applies at all, and asks for other parts
    /// then: `?` on a part that was not read ends the check as not run.
    pub check: fn(&Case<'_>) -> Verdict,
}

/// What a check came to: a finding, nothing wrong, or a part that it needs was not read.
pub type Verdict = Result<Option<Finding>, Unread>;

impl From<Finding> for Verdict {
    fn from(finding: Finding) -> Self {
        Ok(Some(finding))
    }
}

/// For rules on what keeps a HelmRelease from being ready.
pub(super) fn failing(case: &Case<'_>) -> bool {
    case.failure.is_some()
}

/// The right that a ServiceAccount lacks, as the failure says, and the account.
pub(super) fn refused_by_rbac<'c>(
    case: &'c Case<'_>,
) -> Result<Option<(&'c Forbidden, Subject)>, Unread> {
    let Some(Cause::Right(right)) = case.cause()? else {
        return Ok(None);
    };
    // That Flux may not act as the account at all is another matter (SKVS143).
    let account = right.account().filter(|_| right.verb != "impersonate");
    Ok(account.map(|(namespace, name)| {
        let account = Subject::new("ServiceAccount", namespace, name);
        (right, account)
    }))
}
