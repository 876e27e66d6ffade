//! What the user is told, as plain values: no terminal, no format, no cluster.

pub mod access_change;
pub mod access_check;
pub mod config;
pub mod contexts;
pub mod databases;
pub mod deletion_plan;
pub mod description;
pub mod diagnosis;
pub mod doctor;
pub mod lint;
pub mod object_list;
pub mod offboarding;
pub mod onboarding_counts;
pub mod onboarding_row;
pub mod release_notes;
pub mod report;
pub mod retry;
pub mod status;
pub mod totals;
pub mod trace;

#[cfg(test)]
#[path = "../../tests/support/json_schema.rs"]
mod json_schema;
#[cfg(test)]
mod schema;
