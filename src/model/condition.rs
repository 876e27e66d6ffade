//! A status condition, as every Kubernetes and Flux object carries them.

use serde::{Deserialize, Serialize};

/// One entry of `.status.conditions`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `Ready`, `Released`, `Stalled`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// CamelCase word.
    pub reason: String,
    /// Free text, possibly of several lines.
    pub message: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
    /// Generation the condition was written for; controllers before 0.37 never set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

impl Condition {
    /// `status` is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// It was written for an older spec than the one of `generation`: no statement about the present one.
    pub fn is_history(&self, generation: i64) -> bool {
        self.observed_generation
            .is_some_and(|seen| seen < generation)
    }

    /// `status` is `False`.
    pub fn is_false(&self) -> bool {
        self.status == "False"
    }
}

/// The condition of type `kind`, if there is one.
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|c| c.kind == kind)
}
