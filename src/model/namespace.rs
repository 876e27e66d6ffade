//! The Namespace that a release is installed into.

use super::condition::{Condition, Conditions};
use super::field::{Field, Fields, Meta, Parsed};
use serde_json::Value;

/// A Namespace, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    pub meta: Meta,
    /// `Active` or `Terminating`.
    pub phase: Field<String>,
    conditions: Conditions,
}

impl Namespace {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            phase: fields.at("/status/phase"),
            conditions: fields.list::<Condition>("/status/conditions").into(),
            meta: fields.meta("Namespace"),
        }
    }

    /// What keeps it from being gone.
    pub fn remains(&self) -> impl Iterator<Item = &str> {
        let all = self.conditions.of_untracked().all_present();
        all.filter(|c| c.is_true()).map(|c| c.message.as_str())
    }
}

impl Parsed for Namespace {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}
