//! What is wrong with an onboarding's manifest in the GitOps repository, before a cluster has seen it.
//!
//! A rule is one file in `rules`; [`registry`] lists them; [`engine`] runs them over a [`Repository`]. Nothing is read here. What a file
//! does not say (a value of `valuesFrom`, a variable that Flux replaces) is not known, and its check counts as not run.

pub mod changes;
pub mod chart_values;
pub mod conventions;
#[cfg(test)]
mod corpus;
pub mod engine;
pub mod installed;
pub mod onboarding;
pub mod registry;
pub mod repository;
pub mod rule;
mod rules;

pub use conventions::Conventions;
pub use engine::{Found, NotChecked, Outcome, run};
pub use installed::Installed;
pub use onboarding::Onboarding;
pub use repository::Repository;
pub use rule::{Check, Checked, Finding, Rule};
