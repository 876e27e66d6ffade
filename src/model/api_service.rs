//! An APIService: who answers for one version of an API group.

use super::condition::{Condition, Conditions};
use super::field::{Field, Fields, Meta, Parsed};
use serde::Deserialize;
use serde_json::Value;

/// An APIService, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiService {
    pub meta: Meta,
    /// Absent where the API server itself answers.
    pub service: Field<Service>,
    conditions: Conditions,
}

/// The Service that answers.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Service {
    pub namespace: String,
    pub name: String,
}

impl ApiService {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            service: fields.at("/spec/service"),
            conditions: fields.list::<Condition>("/status/conditions").into(),
            meta: fields.meta("APIService"),
        }
    }

    /// What the API server says of it where it does not answer.
    pub fn unavailable(&self) -> Option<&Condition> {
        let available = self.conditions.of_untracked().present("Available");
        available.filter(|c| c.is_false())
    }
}

impl Parsed for ApiService {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}
