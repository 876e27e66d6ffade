//! Istio, as far as it decides whether a service account may reach CouchDB: policies, the mesh's settings, pods with their proxies, Services.
//!
//! Objects are read strictly: a key or a form that is not known here makes the object's effect unknown, never "does not match".

pub mod decision;
pub mod detour;
pub mod matching;
pub mod mesh;
pub mod mutual_tls;
pub mod pattern;
pub mod policy;
pub mod port;
pub mod request;
pub mod workload;

use super::field::{Field, Meta};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The namespace of Istio's control plane, and of its settings.
pub const ISTIO_NAMESPACE: &str = "istio-system";

/// Labels or annotations.
pub(crate) type Pairs = BTreeMap<String, String>;

/// A type read of a JSON object alone: serde makes a struct of a list too.
#[derive(Clone, Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Map::<String, Value>::deserialize(deserializer)?;
        T::deserialize(Value::Object(map))
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// A type read of a text alone: serde makes an enum of an object too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Textual<T>(pub(crate) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Textual<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::deserialize(Value::String(text))
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// Labels or annotations that are set, or none.
///
/// # Errors
/// They cannot be read.
pub(crate) fn pairs(of: &Field<Pairs>, what: &str, meta: &Meta) -> Result<Pairs, String> {
    match of {
        Field::Set(pairs) => Ok(pairs.clone()),
        Field::Absent => Ok(Pairs::new()),
        Field::Malformed => Err(format!("the {what} of {} are malformed", meta.id())),
    }
}

/// The text of a parser's error without the list of what it expected, which is long.
pub(crate) fn short(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.find(", expected").unwrap_or(text.len());
    crate::text::one_line(&text[..end])
}
