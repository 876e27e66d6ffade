//! An object that claims or may claim a database.

use serde_json::Value;
use std::fmt;

/// An object that says something of a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    pub kind: String,
    pub namespace: String,
    pub name: String,
    /// The state in which it was read.
    pub resource_version: String,
    /// Counts the changes of its spec; `None` for kinds that do not count them.
    pub generation: Option<i64>,
}

impl Object {
    /// From an object's metadata. `kind`: lists do not repeat it.
    pub fn of_kind(kind: &str, object: &Value) -> Self {
        let text = |key: &str| {
            let text = object.get("metadata").and_then(|m| m.get(key));
            crate::text::one_line(text.and_then(Value::as_str).unwrap_or("?"))
        };
        Self {
            kind: crate::text::one_line(kind),
            namespace: text("namespace"),
            name: text("name"),
            resource_version: text("resourceVersion"),
            generation: object
                .pointer("/metadata/generation")
                .and_then(Value::as_i64),
        }
    }

    /// `namespace/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// What changes when the object says something else: a status that is written says the same.
    pub fn state(&self) -> String {
        match self.generation {
            Some(generation) => format!("generation {generation}"),
            None => format!("resourceVersion {}", self.resource_version),
        }
    }

    /// As `--accept` takes it: `helmrelease/flux-system/x`.
    pub fn accept(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.id())
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}
