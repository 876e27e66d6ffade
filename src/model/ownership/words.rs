//! The database names that a document may mean: words, pairs, and the places where a Job names one.
//!
//! A document is read once. Only what holds a `_` is kept, since every database of an onboarding has one in its name.

use crate::model::names::DATABASE_MAX;
use crate::model::onboarding::scalar;
use crate::text::document::embedded;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How deep documents in texts of documents are read.
const NESTED_MAX: usize = 2;

/// How a document speaks of a name, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// A word anywhere in it.
    Word,
    /// Two values of one map: `…namespace` and `…database`.
    Pair,
    /// The runbook's own two values: `namespace` and `database`.
    Values,
    /// The first segment of a path that an AuthorizationPolicy allows.
    Policy,
    /// A whole environment value or a segment of a URL in a hook or a Job.
    Job,
}

/// The names in a document, each with the strongest way in which it is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(BTreeMap<String, How>);

impl Words {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, How)> {
        self.0.iter().map(|(name, how)| (name.as_str(), *how))
    }

    /// Whether it has two values that make a name.
    pub(super) fn has_pair(&self) -> bool {
        self.0.values().any(|how| *how >= How::Pair)
    }

    pub(super) fn add(&mut self, name: &str, how: How) {
        let name = loose(name);
        if name.contains('_') && name.len() <= DATABASE_MAX {
            let known = self.0.entry(name).or_insert(how);
            *known = how.max(*known);
        }
    }

    /// Every word of a text, as it is and with its escapes undone.
    pub(super) fn text(&mut self, text: &str) {
        if !text.contains('_') && !text.contains('%') {
            return;
        }
        for word in words(text) {
            self.add(word, How::Word);
        }
        if let Some(decoded) = decoded(text) {
            for word in words(&decoded) {
                self.add(word, How::Word);
            }
        }
        // `\npds_database` and `\u0026pds_database` in a quoted text: the escape is not part of the word.
        for (at, _) in text.match_indices('\\') {
            for escape in [2, 4, 6] {
                if let Some(rest) = text.get(at + escape..) {
                    // Not a word further on: that would be looked for again from each backslash.
                    let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
                    self.add(&rest[..end], How::Word);
                }
            }
        }
    }

    /// Every text in a document, keys included, and the pairs of its maps. Items of a list make no pairs.
    pub(super) fn document(&mut self, document: &Value) {
        self.walk(document, true, 0);
    }

    /// `within`: how many texts that are documents of their own it is in.
    fn walk(&mut self, value: &Value, pairs: bool, within: usize) {
        match value {
            Value::String(text) => {
                self.text(text);
                if within < NESTED_MAX
                    && may_pair(text)
                    && let Some(document @ Value::Object(_)) = embedded(text)
                {
                    self.walk(&document, true, within + 1);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, false, within)),
            Value::Object(map) => {
                if pairs {
                    self.pairs(map);
                }
                for (key, value) in map {
                    self.text(key);
                    self.walk(value, true, within);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn pairs(&mut self, map: &Map<String, Value>) {
        let ending = |ends: &'static [&'static str]| {
            map.iter().filter_map(move |(key, value)| {
                let key = key.to_lowercase();
                ends.iter()
                    .any(|end| key.ends_with(end))
                    .then(|| scalar(value))?
            })
        };
        for namespace in ending(&["namespace"]) {
            for database in ending(&["database", "databasename"]) {
                self.add(&format!("{namespace}_{database}"), How::Pair);
            }
        }
    }

    /// A hook or a Job: whole environment values and segments of URLs name a database, the rest are words.
    pub(super) fn job(&mut self, job: &Value) {
        self.document(job);
        self.places(job);
    }

    fn places(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.segments(text),
            Value::Array(items) => items.iter().for_each(|item| self.places(item)),
            Value::Object(map) => {
                let env = map.get("env").and_then(Value::as_array);
                for variable in env.into_iter().flatten() {
                    if let Some(value) = variable.get("value").and_then(scalar) {
                        self.whole(&value);
                    }
                }
                map.values().for_each(|value| self.places(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A value that is a name and nothing else.
    fn whole(&mut self, value: &str) {
        let value = decoded(value).unwrap_or_else(|| value.to_owned());
        let value = value.trim().trim_matches('/');
        if value.chars().all(in_word) {
            self.add(value, How::Job);
        }
    }

    /// The words behind a `/`.
    fn segments(&mut self, text: &str) {
        let decoded = decoded(text);
        for text in std::iter::once(text).chain(decoded.as_deref()) {
            for (at, _) in text.match_indices('/') {
                let rest = &text[at + 1..];
                let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
                self.add(&rest[..end], How::Job);
            }
        }
    }

    /// A hook's or a Job's text that cannot be read as YAML: every word may be the one that counts.
    pub(super) fn unreadable_job(&mut self, text: &str) {
        let mut all = Self::default();
        all.text(text);
        all.0.into_keys().for_each(|name| self.add(&name, How::Job));
    }
}

/// Every word of a text that may be the name of a database, in its loose form.
pub(crate) fn names_in(text: &str) -> impl Iterator<Item = String> {
    let mut words = Words::default();
    words.walk(&Value::String(text.to_owned()), true, 0);
    words.0.into_keys()
}

/// The values that were given, over those that hold without them.
pub(super) fn merged(default: &Value, given: &Value) -> Value {
    match (default, given) {
        (Value::Object(default), Value::Object(given)) => {
            let mut all = default.clone();
            for (key, value) in given {
                let value = match all.get(key) {
                    Some(default) => merged(default, value),
                    None => value.clone(),
                };
                all.insert(key.clone(), value);
            }
            Value::Object(all)
        }
        (default, Value::Null) => default.clone(),
        (_, given) => given.clone(),
    }
}

/// Without percent escapes, where it has any.
pub(super) fn decoded(text: &str) -> Option<String> {
    let decoded = text
        .contains('%')
        .then(|| percent_decode_str(text).decode_utf8_lossy())?;
    (decoded != text).then(|| decoded.into_owned())
}

/// Whether a text may hold the two keys of a pair.
pub(super) fn may_pair(text: &str) -> bool {
    let holds = |word: &str| {
        let words = text.as_bytes().windows(word.len());
        words
            .into_iter()
            .any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
    };
    holds("database") && holds("namespace")
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// The words of a text: bounded by anything but letters, digits, `_` and `-` of ASCII.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !in_word(c)).filter(|word| !word.is_empty())
}

/// What a URL or a template may make of a sloppy value: blanks gone, lower case, no `/` at the ends. A database's checked name
/// stays as it is.
pub(crate) fn loose(name: &str) -> String {
    let kept: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    kept.trim_matches('/').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(document: &Value) -> Vec<(String, How)> {
        let mut words = Words::default();
        words.document(document);
        words.iter().map(|(n, how)| (n.to_owned(), how)).collect()
    }

    fn one(name: &str, how: How) -> Vec<(String, How)> {
        vec![(name.to_owned(), how)]
    }

    #[test]
    fn a_word_is_bounded_by_anything_else() {
        for text in [
            "pds_database",
            "http://h:5984/pds_database/_all",
            "a,pds_database;b",
            "\"PDS_Database\"",
            "%2Fpds%5Fdatabase",
            "a\\npds_database",
        ] {
            let found = of(&json!({ "x": text }));
            assert!(
                found.contains(&("pds_database".to_owned(), How::Word)),
                "{text}: {found:?}"
            );
        }
        for text in ["xpds_database", "pds_database2", "pds_database-x"] {
            let found = of(&json!({ "x": text }));
            assert!(!found.iter().any(|(n, _)| n == "pds_database"), "{text}");
        }
        assert_eq!(
            of(&json!({"pds_database": {"a": 1}})),
            one("pds_database", How::Word)
        );
    }

    #[test]
    fn a_pair_is_two_scalars_of_one_map() {
        for document in [
            json!({"namespace": "pds", "database": "database"}),
            json!({"a": {"b": {"dbNamespace": "pds", "databaseName": "database"}}}),
            json!({"NAMESPACE": "PDS", "userDatabase": " database/"}),
            json!({"list": [{"inner": {"namespace": "pds", "database": "database"}}]}),
        ] {
            assert_eq!(of(&document), one("pds_database", How::Pair), "{document}");
        }
        for document in [
            json!({"namespace": "pds", "x": {"database": "database"}}),
            json!({"namespace": ["pds"], "database": "database"}),
            json!([{"namespace": "pds", "database": "database"}]),
            json!({"namespace": "pds", "name": "database"}),
            json!({"namespaces": "pds", "databases": "database"}),
        ] {
            assert_eq!(of(&document), [], "{document}");
        }
    }

    #[test]
    fn a_job_names_it_by_a_whole_variable_or_a_segment() {
        let of = |job: Value| -> Vec<(String, How)> {
            let mut words = Words::default();
            words.job(&job);
            words.iter().map(|(n, how)| (n.to_owned(), how)).collect()
        };
        let env = |value: &str| json!({"spec": {"env": [{"name": "D", "value": value}]}});
        assert_eq!(of(env("pds_database")), one("pds_database", How::Job));
        assert_eq!(of(env("pds%5Fdatabase"))[0].1, How::Job);
        assert_eq!(of(env("use pds_database")), one("pds_database", How::Word));
        let put = json!({"args": ["curl -X PUT \"$URL/pds_database\""]});
        assert_eq!(of(put), one("pds_database", How::Job));
        let mut broken = Words::default();
        broken.unreadable_job("kind: [ pds_database");
        assert_eq!(broken.iter().next(), Some(("pds_database", How::Job)));
    }
}
