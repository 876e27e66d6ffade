//! What the onboardings take their chart from, and how fresh that is.
//!
//! Flux notes when the content of a source last changed, not when it last looked: a Ready source is one whose last look succeeded.

use super::NotRead;
use crate::model::source as model;
use crate::snapshot::Read;
use crate::text::{age, one_line};
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;

/// One object of source-controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// `HelmRepository flux-system/wit-artifactory`.
    pub id: String,
    /// How many onboardings take their chart from it.
    pub onboardings: u64,
    pub state: SourceState,
    /// What is wrong, or why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When its last changed; null if it has none, or does not say.
    pub changed: Option<String>,
}

/// How a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum SourceState {
    /// Flux's last look at it succeeded.
    Ready,
    /// Flux's last look at it failed.
    Failing,
    /// It is suspended: Flux does not look at it.
    Suspended,
    /// Flux has not looked at its present spec.
    Unanswered,
    /// A HelmRepository of an OCI registry, for which Flux fetches nothing.
    Static,
    /// It does not exist.
    Absent,
    /// It was not read.
    Unknown,
}

impl Source {
    /// From what was read of it.
    pub fn new(id: String, onboardings: u64, read: &Read<model::Source>) -> Self {
        let (state, message) = match read {
            Read::Seen(source) => state(source),
            Read::Absent => (SourceState::Absent, None),
            Read::Unknown(why) => (SourceState::Unknown, Some(why.clause())),
        };
        // The state says where it was not read.
        let changed = read
            .if_read()
            .and_then(|source| source.artifact.set()?.last_update_time.as_str())
            .map(one_line);
        Self {
            id: one_line(&id),
            onboardings,
            state,
            message: message.map(|m| one_line(&m)),
            changed,
        }
    }

    /// Flux's last look at it failed, or it does not exist: no new chart is fetched.
    pub fn has_error(&self) -> bool {
        matches!(self.state, SourceState::Failing | SourceState::Absent)
    }

    pub(super) fn not_read(&self) -> Option<NotRead> {
        match self.state {
            SourceState::Unknown => {
                let why = self.message.clone().unwrap_or_default();
                Some(NotRead::new(&self.id, why))
            }
            SourceState::Unanswered => {
                let why = "source-controller has not looked at its present spec";
                Some(NotRead::new(format!("the state of {}", self.id), why))
            }
            _ => None,
        }
    }

    /// `HelmRepository flux-system/a: Ready, last changed 3d20h ago`.
    pub fn words(&self, now: Timestamp) -> String {
        let state = match self.state {
            SourceState::Ready => "Ready",
            SourceState::Failing => "not ready",
            SourceState::Suspended => "suspended, so no new chart arrives",
            SourceState::Unanswered => "not looked at by Flux yet",
            SourceState::Static => "an OCI registry, of which Flux keeps no state",
            SourceState::Absent => "does not exist",
            SourceState::Unknown => "not read",
        };
        let changed = self.changed.as_deref().and_then(|t| t.parse().ok());
        let changed = match (self.state, changed) {
            (SourceState::Static | SourceState::Absent | SourceState::Unknown, _) => String::new(),
            (_, Some(time)) => {
                format!(", last changed {} ago", age::age(Some(time), now))
            }
            (SourceState::Ready, None) => ", when its last changed is not known".to_owned(),
            (_, None) => String::new(),
        };
        let message = self.message.as_deref();
        let message = message.map_or(String::new(), |message| format!(": {message}"));
        format!("{}: {state}{changed}{message}", self.id)
    }
}

/// Only a source that is certainly healthy is Ready.
fn state(source: &model::Source) -> (SourceState, Option<String>) {
    if source.is_suspended() {
        return (SourceState::Suspended, None);
    }
    if let Some(complaint) = source.complaint() {
        return (SourceState::Failing, Some(complaint.message.clone()));
    }
    if !source.meta.malformed.is_empty() {
        let fields = source.meta.malformed.join(", ");
        return (SourceState::Unknown, Some(format!("malformed: {fields}")));
    }
    if source.is_static() {
        return (SourceState::Static, None);
    }
    if source.well().is_some() {
        return (SourceState::Ready, None);
    }
    match source.ready_now() {
        Some(_) if source.is_processed() => {
            let why = "it is Ready and has no artifact";
            (SourceState::Unknown, Some(why.to_owned()))
        }
        _ => (SourceState::Unanswered, None),
    }
}
