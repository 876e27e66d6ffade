//! The domain: names, HelmReleases, Helm's release storage, statuses, onboardings.
//!
//! Pure: no I/O, no clock (callers pass `now`), no knowledge of formats.

pub mod access_review;
pub mod api_service;
pub mod claim;
pub mod condition;
pub mod controller_log;
pub mod convention;
pub mod couch_log;
pub mod creation_log;
pub mod deployment;
pub(crate) mod documents;
pub mod duration;
pub mod endpoint;
pub mod event;
pub mod failure;
pub mod field;
pub mod forbidden;
pub mod helm_log;
pub mod helm_release;
pub mod helm_storage;
pub mod inventory;
pub mod istio;
pub mod job;
pub mod job_values;
pub mod json_values;
pub mod kubelet;
pub mod kustomization;
pub mod label_selector;
pub mod last_words;
pub mod lookup;
pub mod manifest;
pub mod mark;
pub mod names;
pub mod namespace;
pub mod network_policy;
pub mod new_onboarding;
pub mod node;
pub mod not_read;
pub mod notes;
pub mod nullable;
pub mod onboarding;
pub mod owner;
pub mod ownership;
pub mod placement;
pub mod pod;
pub mod pod_spec;
pub mod policy;
pub mod proxy_log;
pub mod quantity;
pub mod release_order;
pub mod request;
pub mod right;
pub mod role;
pub mod selector;
pub mod service;
pub mod source;
pub mod source_error;
pub mod stateful_set;
pub mod status;
pub mod suspension;
pub mod value_paths;
pub mod values_reference;
pub mod version_range;
pub mod volume_attachment;
pub mod webhook_configuration;

/// The beginning of `text` that is made of such characters.
fn lead(text: &str, of: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !of(c)).unwrap_or(text.len());
    &text[..end]
}
