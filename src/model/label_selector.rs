//! A label selector as objects have it (`matchLabels`, `matchExpressions`), any part of which may be malformed, for labels that may not all
//! be known. [`super::selector`] is for selectors that are text.

use super::field::{Entries, Field};
use serde::Deserialize;
use std::collections::BTreeMap;

/// All of its requirements must hold; one without any takes everything.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    match_labels: Field<BTreeMap<String, String>>,
    match_expressions: Entries<Expression>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Expression {
    key: String,
    operator: String,
    #[serde(default)]
    values: Field<Vec<String>>,
}

/// The value of a label, `Some(None)` where it is known not to be set, `None` where that is not known.
pub type Value<'l> = Option<Option<&'l str>>;

impl LabelSelector {
    /// Whether labels meet it, each looked up by its key; `None` where that is not known.
    pub fn takes<'l>(&self, label: impl Fn(&str) -> Value<'l>) -> Option<bool> {
        let mut results = Vec::new();
        match &self.match_labels {
            Field::Absent => {}
            Field::Malformed => results.push(None),
            Field::Set(pairs) => {
                for (key, value) in pairs {
                    results.push(label(key).map(|own| own == Some(value.as_str())));
                }
            }
        }
        if !self.match_expressions.all {
            results.push(None);
        }
        let expressions = self.match_expressions.known.iter();
        results.extend(expressions.map(|e| e.meets(&label)));
        match () {
            () if results.contains(&Some(false)) => Some(false),
            () if results.contains(&None) => None,
            () => Some(true),
        }
    }

    /// The keys of the labels by which it decides.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let pairs = self.match_labels.set().into_iter().flatten();
        let expressions = self.match_expressions.known.iter();
        pairs
            .map(|(key, _)| key.as_str())
            .chain(expressions.map(|e| e.key.as_str()))
    }

    /// The values of labels that it asks for, each with its key.
    pub fn asked(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.match_labels.set().into_iter().flatten();
        let pairs = pairs.map(|(key, value)| (key.as_str(), value.as_str()));
        let expressions = self.match_expressions.known.iter();
        let expressions = expressions.filter(|e| e.operator == "In");
        let values = expressions.flat_map(|e| {
            let values = e.values.set().into_iter().flatten();
            values.map(|value| (e.key.as_str(), value.as_str()))
        });
        pairs.chain(values)
    }
}

impl Expression {
    fn meets<'l>(&self, label: impl Fn(&str) -> Value<'l>) -> Option<bool> {
        let own = label(&self.key)?;
        let values = match &self.values {
            Field::Set(values) => values.as_slice(),
            Field::Absent => &[],
            Field::Malformed => return None,
        };
        let is_in = own.is_some_and(|own| values.iter().any(|value| value == own));
        Some(match self.operator.as_str() {
            "In" => is_in,
            "NotIn" => !is_in,
            "Exists" => own.is_some(),
            "DoesNotExist" => own.is_none(),
            _ => return None,
        })
    }
}
