//! A failed onboarding that is tried again: kind `Retry`.

use crate::advice::Line;
use crate::diagnosis::after_fix::Act;
use crate::diagnosis::{NotRun, Subject};
use serde::Serialize;

/// What was decided, and what became of it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// The kubeconfig's context; null if none was used.
    pub context: Option<String>,
    pub outcome: Outcome,
    /// The HelmRelease, `namespace/name`.
    pub helm_release: String,
    /// Null if the manifest does not say it.
    pub database: Option<String>,
    pub state: String,
    /// The errors of the report, worst first.
    pub causes: Vec<Cause>,
    /// Why these steps.
    pub why: String,
    /// In the order in which they are taken.
    pub steps: Vec<Step>,
    /// Checks that were not run: another cause may be left.
    pub not_run: Vec<NotRun>,
}

/// What became of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// All were taken: Flux has been asked for the attempt.
    Requested,
    /// A step failed, and steps before it may have been taken: the error on stderr says which.
    Incomplete,
    /// None was taken, and the API server would take the first change (`--dry-run`).
    Rehearsed,
    /// None was taken, since helm cannot be run: they are left to the user.
    ByHand,
}

/// An error of the report.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    pub code: &'static str,
    pub object: Subject,
    pub message: String,
    /// Named with `--even-if`.
    pub excused: bool,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub act: Act,
    /// The command that takes the same step by hand.
    #[cfg_attr(test, schemars(with = "String"))]
    pub command: Line,
}
