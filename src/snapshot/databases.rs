//! What CouchDB says of the databases that a run asks for, from one exec in one of its pods.
//!
//! Serde both ways: a bundle keeps it as it is. What was not asked for is unknown, never absent.

use super::Read;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answers of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Databases {
    /// Namespace of the pod that was asked.
    pub namespace: String,
    /// The pod that was asked.
    pub pod: String,
    /// What it said of each database that was asked for.
    #[serde(with = "pairs")]
    pub asked: BTreeMap<String, Answer>,
}

/// What CouchDB says of one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "answer")]
pub enum Answer {
    There(Database),
    /// Its own GET said that it does not exist.
    Absent,
    /// The shard map has it, and CouchDB failed to answer for it: why.
    Unserved {
        why: String,
    },
    /// No answer that tells: why.
    NotRead {
        why: String,
    },
}

/// A database that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Served(Database),
    /// CouchDB failed to answer for it, in these words.
    Unserved(String),
}

/// A database that CouchDB serves. `None`: CouchDB did not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Database {
    /// Design documents included.
    pub documents: Option<u64>,
    /// Bytes on disk, of one copy.
    pub bytes: Option<u64>,
    /// When it was created, in seconds since 1970.
    pub created: Option<i64>,
}

/// What CouchDB tells of one database where all are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Design documents included.
    pub documents: u64,
    /// Deleted documents, of which CouchDB keeps a mark.
    pub deleted: u64,
    /// Bytes on disk, of one copy.
    pub bytes: u64,
    /// Bytes of them that are in use; the rest goes with the next compaction.
    pub active: Option<u64>,
    /// When it was created, in seconds since 1970.
    pub created: Option<i64>,
}

/// Names are values and never keys: redaction takes a key such as `pds_token` for a secret's.
mod pairs {
    use super::{Answer, BTreeMap};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        asked: &BTreeMap<String, Answer>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(asked)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Answer>, D::Error> {
        let pairs = Vec::<(String, Answer)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}

impl Databases {
    /// What is known of the database `name`.
    pub fn of(&self, name: &str) -> Read<Found> {
        match self.asked.get(name) {
            Some(Answer::There(database)) => Read::Seen(Found::Served(database.clone())),
            Some(Answer::Unserved { why }) => Read::Seen(Found::Unserved(why.clone())),
            Some(Answer::Absent) => Read::Absent,
            Some(Answer::NotRead { why }) => Read::failed(why.clone()),
            None => Read::not_asked("CouchDB was not asked for it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answers(value: serde_json::Value) -> Databases {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_was_not_asked_for_is_unknown() {
        let all = answers(json!({"asked": [["a_b", {"answer": "absent"}],
            ["a_c", {"answer": "there", "documents": 3}], ["a_d", {"answer": "notRead", "why": "timeout"}],
            ["a_f", {"answer": "unserved", "why": "CouchDB answered 500"}]]}));
        assert!(all.of("a_b").is_absent());
        let three = Database {
            documents: Some(3),
            ..Database::default()
        };
        assert_eq!(all.of("a_c"), Read::Seen(Found::Served(three)));
        assert_eq!(all.of("a_d").unknown().unwrap().clause(), "timeout");
        assert!(all.of("a_e").unknown().is_some());
        let unserved = Found::Unserved("CouchDB answered 500".to_owned());
        assert_eq!(all.of("a_f"), Read::Seen(unserved));
        let written = serde_json::to_value(&all).unwrap();
        assert_eq!(answers(written), all);
    }
}
