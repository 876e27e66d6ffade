//! A Kustomization of Flux, which applies onboardings' manifests from the GitOps repository.

use super::condition::{self, Condition};
use super::field::{Entries, Field, Fields, Meta, Parsed};
use serde_json::Value;

/// A Kustomization, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kustomization {
    pub meta: Meta,
    pub suspend: Field<bool>,
    pub conditions: Entries<Condition>,
}

/// Labels by which an object names the Kustomization that applies it: its name, its namespace.
pub const LABELS: [&str; 2] = [
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
];

impl Kustomization {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            suspend: fields.at("/spec/suspend"),
            conditions: fields.list("/status/conditions"),
            meta: fields.meta("Kustomization"),
        }
    }

    /// Why it could not apply its folder, according to its Ready. Waiting for objects that it has applied is not a failure to apply.
    pub fn failure(&self) -> Option<&Condition> {
        let ready = condition::find(&self.conditions.known, "Ready")?;
        let waits = ["HealthCheckFailed", "DependencyNotReady", "Progressing"];
        (ready.is_false() && !waits.contains(&ready.reason.as_str())).then_some(ready)
    }
}

impl Parsed for Kustomization {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

/// Whether a message names an object: as a whole word, and not as a part of a longer name.
pub fn names(message: &str, name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    message.match_indices(name).any(|(at, _)| {
        let before = message[..at].chars().next_back();
        let after = message[at + name.len()..].chars().next();
        !before.is_some_and(inner) && !after.is_some_and(inner)
    })
}
