//! The Namespace that a release is installed into.

use super::condition::Condition;
use super::field::{Entries, Field, Fields, Meta, Parsed};
use serde_json::Value;

/// A Namespace, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    pub meta: Meta,
    /// `Active` or `Terminating`.
    pub phase: Field<String>,
    /// What keeps it from being gone.
    pub conditions: Entries<Condition>,
}

impl Namespace {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            phase: fields.at("/status/phase"),
            conditions: fields.list("/status/conditions"),
            meta: fields.meta("Namespace"),
        }
    }
}

impl Parsed for Namespace {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}
