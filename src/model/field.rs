//! Fields of an object as it came: absent, set, or set to something of another form than the object's kind gives them.
//!
//! The three are kept apart by type, so that a field that cannot be read is never taken for one that is not set, and one odd field
//! loses no other. The strict types of k8s-openapi would lose the whole object with it.

use k8s_openapi::jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// One field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Not set, or null: Go's decoders have them alike.
    #[default]
    Absent,
    Set(T),
    /// Set to something of another form.
    Malformed,
}

impl<T> Field<T> {
    /// The value, if it is set; for what only adds to a judgement.
    pub fn set(&self) -> Option<&T> {
        match self {
            Field::Set(value) => Some(value),
            Field::Absent | Field::Malformed => None,
        }
    }

    /// Seen not to be set.
    pub fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }

    pub fn is_malformed(&self) -> bool {
        matches!(self, Field::Malformed)
    }

    /// The same with another value, or malformed where `f` cannot make one.
    fn and_then<U>(self, f: impl FnOnce(T) -> Option<U>) -> Field<U> {
        match self {
            Field::Set(value) => f(value).map_or(Field::Malformed, Field::Set),
            Field::Absent => Field::Absent,
            Field::Malformed => Field::Malformed,
        }
    }
}

impl<T: PartialEq> Field<T> {
    /// Surely set to this.
    pub fn is(&self, value: &T) -> bool {
        self.set() == Some(value)
    }
}

impl Field<String> {
    /// The text; empty if it is absent or malformed.
    pub fn text(&self) -> &str {
        self.as_str().unwrap_or_default()
    }

    /// The text, if it is set.
    pub fn as_str(&self) -> Option<&str> {
        self.set().map(String::as_str)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&Value::deserialize(deserializer)?))
    }
}

impl<T: DeserializeOwned> Field<T> {
    fn parse(value: &Value) -> Self {
        match value {
            Value::Null => Field::Absent,
            value => T::deserialize(value).map_or(Field::Malformed, Field::Set),
        }
    }
}

/// The entries of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries<T> {
    /// Those that have the expected form.
    pub known: Vec<T>,
    /// Every entry has it, and so has the list.
    pub all: bool,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T> From<Vec<T>> for Entries<T> {
    fn from(known: Vec<T>) -> Self {
        Self { known, all: true }
    }
}

impl<T> Entries<T> {
    /// Seen to have no entry.
    pub fn is_empty(&self) -> bool {
        self.all && self.known.is_empty()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = match Field::<Vec<Field<T>>>::deserialize(deserializer)? {
            Field::Absent => return Ok(Self::default()),
            Field::Set(all) => all,
            Field::Malformed => {
                return Ok(Self {
                    known: Vec::new(),
                    all: false,
                });
            }
        };
        let number = all.len();
        let known: Vec<T> = all
            .into_iter()
            .filter_map(|entry| match entry {
                Field::Set(entry) => Some(entry),
                Field::Absent | Field::Malformed => None,
            })
            .collect();
        Ok(Self {
            all: known.len() == number,
            known,
        })
    }
}

/// What every object says of itself, and which of the fields that were read are malformed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    pub kind: String,
    /// Empty for what has none.
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub generation: Field<i64>,
    /// RFC 3339, as the server writes it.
    pub created: Field<String>,
    pub deleted: Field<String>,
    pub labels: Field<BTreeMap<String, String>>,
    pub annotations: Field<BTreeMap<String, String>>,
    /// Of all fields of the object that were read: `status.conditions`.
    pub malformed: Vec<String>,
}

impl Meta {
    /// `namespace/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// One label.
    pub fn label(&self, key: &str) -> Field<&str> {
        entry(&self.labels, key)
    }

    /// One annotation.
    pub fn annotation(&self, key: &str) -> Field<&str> {
        entry(&self.annotations, key)
    }
}

fn entry<'m>(map: &'m Field<BTreeMap<String, String>>, key: &str) -> Field<&'m str> {
    match map {
        Field::Set(map) => map
            .get(key)
            .map_or(Field::Absent, |value| Field::Set(value.as_str())),
        Field::Absent => Field::Absent,
        Field::Malformed => Field::Malformed,
    }
}

/// What was read as one object.
pub trait Parsed {
    fn meta(&self) -> &Meta;
}

impl Parsed for Meta {
    fn meta(&self) -> &Meta {
        self
    }
}

/// Reads an object field by field, and keeps which of them are malformed.
pub struct Fields<'v> {
    object: &'v Value,
    malformed: Vec<String>,
}

impl<'v> Fields<'v> {
    pub fn new(object: &'v Value) -> Self {
        Self {
            object,
            malformed: Vec::new(),
        }
    }

    /// The field at a JSON pointer.
    pub fn at<T: DeserializeOwned>(&mut self, path: &str) -> Field<T> {
        let field = match self.walk(path) {
            Field::Set(value) => Field::parse(value),
            Field::Absent => Field::Absent,
            Field::Malformed => Field::Malformed,
        };
        self.noted(path, field)
    }

    /// The same for a text; an absent one is empty.
    pub fn text(&mut self, path: &str) -> String {
        match self.at::<String>(path) {
            Field::Set(text) => text,
            Field::Absent | Field::Malformed => String::new(),
        }
    }

    /// The same of a time.
    pub fn time(&mut self, path: &str) -> Field<Timestamp> {
        let time = self.at::<String>(path).and_then(|text| text.parse().ok());
        self.noted(path, time)
    }

    /// The list at a JSON pointer.
    pub fn list<T: DeserializeOwned>(&mut self, path: &str) -> Entries<T> {
        let list = match self.at::<Entries<T>>(path) {
            Field::Set(list) => list,
            Field::Absent => Entries::default(),
            Field::Malformed => Entries {
                known: Vec::new(),
                all: false,
            },
        };
        if !list.all {
            self.note(path);
        }
        list
    }

    /// Says that what is at a JSON pointer holds something malformed.
    pub fn note(&mut self, path: &str) {
        let path = path.trim_start_matches('/').replace('/', ".");
        if !self.malformed.contains(&path) {
            self.malformed.push(path);
        }
    }

    /// Whether nothing that was read so far is malformed.
    pub fn are_whole(&self) -> bool {
        self.malformed.is_empty()
    }

    /// What the object says of itself; `kind` where it does not say its kind, as in a list. Comes last, since it takes what is malformed.
    pub fn meta(mut self, kind: &str) -> Meta {
        let own = self.text("/kind");
        Meta {
            kind: if own.is_empty() { kind.to_owned() } else { own },
            namespace: self.text("/metadata/namespace"),
            name: self.text("/metadata/name"),
            uid: self.text("/metadata/uid"),
            generation: self.at("/metadata/generation"),
            created: self.at("/metadata/creationTimestamp"),
            deleted: self.at("/metadata/deletionTimestamp"),
            labels: self.at("/metadata/labels"),
            annotations: self.at("/metadata/annotations"),
            malformed: self.malformed,
        }
    }

    fn noted<T>(&mut self, path: &str, field: Field<T>) -> Field<T> {
        if field.is_malformed() {
            self.note(path);
        }
        field
    }

    /// A field of something that is not an object is malformed, not absent.
    fn walk(&self, path: &str) -> Field<&'v Value> {
        let mut value = self.object;
        for key in path.split('/').skip(1) {
            value = match value {
                Value::Object(map) => match map.get(key) {
                    Some(value) => value,
                    None => return Field::Absent,
                },
                Value::Null => return Field::Absent,
                _ => return Field::Malformed,
            };
        }
        Field::Set(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn absent_set_and_malformed_are_three() {
        let object = json!({"spec": {"text": "a", "none": null, "number": 7}, "status": "odd"});
        let mut fields = Fields::new(&object);
        assert_eq!(fields.at("/spec/text"), Field::Set("a".to_owned()));
        assert_eq!(fields.at::<String>("/spec/none"), Field::Absent);
        assert_eq!(fields.at::<String>("/spec/other/deeper"), Field::Absent);
        assert_eq!(fields.at::<String>("/spec/none/deeper"), Field::Absent);
        assert!(fields.are_whole());
        assert_eq!(fields.at::<String>("/spec/number"), Field::Malformed);
        assert_eq!(fields.at::<String>("/status/phase"), Field::Malformed);
        assert_eq!(
            fields.meta("Pod").malformed,
            ["spec.number", "status.phase"]
        );
    }

    #[test]
    fn an_odd_entry_loses_no_other_and_is_not_forgotten() {
        let object = json!({"whole": [1, 2], "odd": [1, "two", null], "other": {}});
        let mut fields = Fields::new(&object);
        assert_eq!(fields.list("/whole"), Entries::from(vec![1, 2]));
        assert!(fields.list::<i64>("/none").is_empty() && fields.are_whole());
        let odd = fields.list::<i64>("/odd");
        assert_eq!((odd.known, odd.all), (vec![1], false));
        let other = fields.list::<i64>("/other");
        assert!(!other.all && !other.is_empty());
        assert_eq!(fields.meta("Pod").malformed, ["odd", "other"]);
    }

    #[test]
    fn a_time_that_cannot_be_read_is_malformed() {
        let object = json!({"made": "yesterday", "seen": "2026-11-23T20:15:00Z"});
        let mut fields = Fields::new(&object);
        assert!(fields.time("/seen").set().is_some());
        assert!(fields.time("/never").is_absent() && fields.are_whole());
        assert!(fields.time("/made").is_malformed());
        assert_eq!(fields.meta("Pod").malformed, ["made"]);
    }

    #[test]
    fn labels_that_cannot_be_read_may_hold_any() {
        let label = |labels: Value| {
            let object = json!({"metadata": {"labels": labels}});
            let meta = Fields::new(&object).meta("Job");
            meta.label("a").set().map(|s| (*s).to_owned())
        };
        assert_eq!(label(json!({"a": "b"})).as_deref(), Some("b"));
        assert_eq!(label(json!({"a": "b", "c": 1})), None);
        let object = json!({"metadata": {"labels": {"a": 1}}});
        assert!(Fields::new(&object).meta("Job").label("b").is_malformed());
    }

    proptest! {
        #[test]
        fn no_object_panics(text in r#"(\{"metadata":)?(null|1|"a"|\[\]|\{"name":(1|"a"|null)\})\}?"#) {
            let object: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            let meta = Fields::new(&object).meta("Pod");
            prop_assert!(meta.kind == "Pod" && meta.malformed.len() <= 10);
        }
    }
}
