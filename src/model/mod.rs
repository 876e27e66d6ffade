//! The domain: names, HelmReleases, Helm's release storage, statuses, onboardings.
//!
//! Pure: no I/O, no clock (callers pass `now`), no knowledge of formats.

pub mod claims;
pub mod condition;
pub mod convention;
pub mod event;
pub mod failure;
pub mod forbidden;
pub mod helm_release;
pub mod helm_storage;
pub mod job;
pub mod lookup;
pub mod manifest;
pub mod names;
pub mod notes;
pub mod onboarding;
pub mod policy;
pub mod refusal;
pub mod status;
