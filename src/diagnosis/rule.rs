//! What a rule is: text for people, and one function that looks at a case.

use super::case::Case;
use super::contradiction::Fact;
pub use super::finding::Verdict;
pub use super::severity::Severity;

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

/// For rules on what keeps a HelmRelease from being ready.
pub(super) fn failing(case: &Case<'_>) -> bool {
    case.failure.is_some()
}
