//! What is wrong with an onboarding, and what to do about it.
//!
//! A rule is one file in [`rules`]; [`registry`] lists them; [`engine`] runs them over one [`Case`] and finds the root
//! cause. Pure and deterministic: nothing here asks a cluster or a clock. What was not read is never taken for fine: such a
//! check counts as not run, with the reason.

pub mod access;
pub mod after_fix;
pub mod case;
pub mod catalogue;
pub mod chain;
#[cfg(test)]
mod commands;
pub mod contradiction;
mod controller_log;
mod controllers;
mod couchdb;
mod deletion;
pub mod engine;
pub mod finding;
mod first;
#[cfg(test)]
pub(crate) mod fixture;
pub mod flux_commands;
mod hook_job;
mod hook_order;
mod hook_pod;
pub mod ignore;
pub mod install;
pub mod job;
mod killed;
pub mod lint;
mod mesh;
mod needs;
mod network_policies;
mod nodes;
mod object_commands;
pub mod offboarding;
mod outdated_pod;
mod peers;
mod placement;
mod policy;
#[cfg(test)]
mod precision;
mod refused;
pub mod registry;
mod remnants;
pub(crate) mod remote;
mod rendering;
pub mod retries;
pub mod retry;
mod rights;
pub mod rule;
mod rules;
pub mod serving;
mod severity;
mod sources;
pub mod standing;
mod start;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod unread;
mod unready;
mod volume_claims;
mod webhook;

pub use case::Case;
pub use controllers::outage;
pub use engine::{Diagnosis, NotRun, Root, diagnose};
pub use finding::{Evidence, Finding, Step, Subject};
pub use rule::{Role, Rule, Severity, Verdict};
