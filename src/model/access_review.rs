//! The API server's answer to whether an account has a right.

use super::field::{Field, Fields, Meta, Parsed};
use serde_json::Value;

/// A SubjectAccessReview that was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessReview {
    meta: Meta,
    pub allowed: Field<bool>,
    pub reason: Field<String>,
}

impl AccessReview {
    /// Reads one answer.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            allowed: fields.at("/status/allowed"),
            reason: fields.at("/status/reason"),
            meta: fields.meta("SubjectAccessReview"),
        }
    }
}

impl Parsed for AccessReview {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}
