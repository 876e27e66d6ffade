//! Objects of the later generation (`couchdbdatabase`). Their fields are not settled, so every text that can mean a database does.

use super::object::Object;
use super::words::{Words, loose};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The objects that were read.
#[derive(Clone, Debug, Default)]
pub struct DatabaseObjects {
    pub(super) all: Vec<DatabaseObject>,
    by_text: BTreeMap<String, Vec<usize>>,
}

#[derive(Clone, Debug)]
pub(super) struct DatabaseObject {
    pub(super) object: Object,
    /// The namespaces that it is in or names.
    namespaces: BTreeSet<String>,
}

impl DatabaseObjects {
    /// Adds one object.
    pub fn add(&mut self, kind: &str, object: &Value) {
        let spec = object.get("spec").unwrap_or(&Value::Null);
        let mut texts = Vec::new();
        scalars(spec, &mut texts);
        texts.extend(object.pointer("/metadata/name").and_then(Value::as_str));
        let mut words = Words::default();
        words.document(spec);
        let words = words.iter().map(|(word, _)| dashed(word));
        let texts = texts.into_iter().map(|t| dashed(&loose(t)));
        let texts: BTreeSet<String> = texts.chain(words).collect();
        let at = self.all.len();
        for text in texts {
            self.by_text.entry(text).or_default().push(at);
        }
        let mut namespaces = Vec::new();
        below(spec, "namespace", &mut namespaces);
        namespaces.extend(
            object
                .pointer("/metadata/namespace")
                .and_then(Value::as_str),
        );
        let namespaces = namespaces.into_iter();
        self.all.push(DatabaseObject {
            object: Object::of_kind(kind, object),
            namespaces: namespaces.map(loose).collect(),
        });
    }

    /// Those that mean this database, in its loose form, in the order in which they were read.
    pub(super) fn says(&self, name: &str) -> impl Iterator<Item = &Object> {
        let whole = self.by_text.get(&dashed(name)).into_iter().flatten();
        let mut at: BTreeSet<usize> = whole.copied().collect();
        if let Some((namespace, database)) = name.split_once('_') {
            let part = self.by_text.get(&dashed(database)).into_iter().flatten();
            at.extend(part.filter(|at| self.all[**at].namespaces.contains(namespace)));
        }
        at.into_iter().map(|at| &self.all[at].object)
    }
}

/// As an object's name can hold it.
fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// Every text under a key that ends like this.
fn below<'v>(value: &'v Value, end: &str, into: &mut Vec<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|i| below(i, end, into)),
        Value::Object(fields) => {
            for (key, field) in fields {
                if key.to_lowercase().ends_with(end) {
                    into.extend(field.as_str());
                }
                below(field, end, into);
            }
        }
        _ => {}
    }
}

/// Every text in a document.
fn scalars<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|i| scalars(i, into)),
        Value::Object(fields) => fields.values().for_each(|f| scalars(f, into)),
        _ => {}
    }
}
