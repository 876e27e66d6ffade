//! What CouchDB answers to the questions of a backup, read. Keeps documents as they came: a number that no program here could hold
//! is still the same in the file.

use super::format::{Row, Server};
use crate::couchdb::response;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// What a database says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub server: Server,
    /// Another one for a later database of the same name.
    pub identity: String,
    pub shard_map: Value,
    pub figures: Figures,
}

/// `GET /{db}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Figures {
    pub db_name: String,
    pub doc_count: u64,
    #[serde(default)]
    pub doc_del_count: u64,
    #[serde(default)]
    update_seq: Value,
    #[serde(default)]
    props: Props,
    #[serde(default)]
    cluster: Shape,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Props {
    #[serde(default)]
    partitioned: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Shape {
    q: Option<u32>,
}

impl Figures {
    pub(crate) fn update_seq(&self) -> String {
        sequence(&self.update_seq)
    }

    pub(crate) fn is_partitioned(&self) -> bool {
        self.props.partitioned
    }

    pub(crate) fn shards(&self) -> Option<u32> {
        self.cluster.q
    }
}

/// A page of the changes feed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub rows: Vec<Change>,
    /// The sequence after the last row.
    pub last_seq: String,
    /// Length of the answer.
    pub bytes: usize,
}

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub row: Row,
    /// The sequence after it, where one was given.
    pub seq: Option<String>,
    /// The document, where this is all of it: its only leaf, of the first generation, which has no history.
    pub document: Option<Box<RawValue>>,
}

/// Reads a page.
///
/// # Errors
/// It is no page of changes.
pub(crate) fn changes(body: &[u8]) -> Result<Changes, serde_json::Error> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        results: Vec<Told<'a>>,
        last_seq: Value,
    }
    #[derive(Deserialize)]
    struct Told<'a> {
        id: String,
        #[serde(default)]
        seq: Value,
        changes: Vec<Leaf>,
        #[serde(default)]
        deleted: bool,
        #[serde(borrow, default)]
        doc: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Leaf {
        rev: String,
    }
    let page: Page<'_> = serde_json::from_slice(body)?;
    let rows = page
        .results
        .into_iter()
        .map(|told| {
            let leaves = told.changes.into_iter().map(|leaf| leaf.rev).collect();
            let row = Row {
                id: told.id,
                leaves,
                deleted: told.deleted,
            };
            Change {
                document: told
                    .doc
                    .filter(|doc| is_all(&row, doc))
                    .map(ToOwned::to_owned),
                row,
                seq: (!told.seq.is_null()).then(|| sequence(&told.seq)),
            }
        })
        .collect();
    let last_seq = sequence(&page.last_seq);
    Ok(Changes {
        rows,
        last_seq,
        bytes: body.len(),
    })
}

/// Whether the document is all that there is of the row.
fn is_all(row: &Row, document: &RawValue) -> bool {
    let [leaf] = &row.leaves[..] else {
        return false;
    };
    let name = serde_json::from_str(document.get());
    leaf.starts_with("1-") && name.is_ok_and(|Name { id, rev }| id == *row.id && rev == *leaf)
}

/// What a document is called.
#[derive(Deserialize)]
struct Name<'a> {
    #[serde(borrow, rename = "_id")]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "_rev")]
    rev: Cow<'a, str>,
}

/// CouchDB's sequences are texts, those of other servers numbers.
fn sequence(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The question for revisions.
pub(crate) fn wanted(revisions: &[(&str, &str)]) -> Vec<u8> {
    let docs: Vec<Value> = revisions
        .iter()
        .map(|(id, rev)| serde_json::json!({"id": id, "rev": rev}))
        .collect();
    serde_json::json!({ "docs": docs }).to_string().into_bytes()
}

/// Revisions by id and revision. One that is not there is not among them.
pub(crate) type Documents<'a> = HashMap<(String, String), &'a RawValue>;

/// Reads the answer to it.
///
/// # Errors
/// It is no such answer.
pub(crate) fn documents(body: &[u8]) -> Result<Documents<'_>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        results: Vec<Told<'a>>,
    }
    #[derive(Deserialize)]
    struct Told<'a> {
        #[serde(borrow, default)]
        docs: Vec<One<'a>>,
    }
    #[derive(Deserialize)]
    struct One<'a> {
        #[serde(borrow, default)]
        ok: Option<&'a RawValue>,
    }
    let page: Page<'_> = serde_json::from_slice(body)?;
    let found = page.results.into_iter().flat_map(|told| told.docs);
    found
        .filter_map(|one| one.ok)
        .map(|raw| {
            let name: Name<'_> = serde_json::from_str(raw.get())?;
            Ok(((name.id.into_owned(), name.rev.into_owned()), raw))
        })
        .collect()
}

/// Revisions that a database lacks, by document.
///
/// # Errors
/// It is no such answer.
pub(crate) fn missing(body: &Value) -> Result<Vec<(String, Vec<String>)>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Lacks {
        #[serde(default)]
        missing: Vec<String>,
    }
    let lacks: std::collections::BTreeMap<String, Lacks> = serde_json::from_value(body.clone())?;
    Ok(lacks
        .into_iter()
        .filter(|(_, lacks)| !lacks.missing.is_empty())
        .map(|(id, lacks)| (id, lacks.missing))
        .collect())
}

impl From<response::Server> for Server {
    fn from(server: response::Server) -> Self {
        Self {
            uuid: server.uuid,
            version: server.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_page_of_changes_is_read() {
        let body = json!({"results": [
            {"seq": "1-a", "id": "_design/x", "changes": [{"rev": "1-x"}]},
            {"seq": null, "id": "b", "changes": [{"rev": "2-b"}, {"rev": "2-c"}], "deleted": true},
            {"seq": 3, "id": "c", "changes": [{"rev": "1-c"}]}
        ], "last_seq": "4-d", "pending": 9});
        let page = changes(body.to_string().as_bytes()).unwrap();
        let told: Vec<(&str, Option<&str>, bool)> = page
            .rows
            .iter()
            .map(|c| (c.row.id.as_str(), c.seq.as_deref(), c.row.deleted))
            .collect();
        assert_eq!(
            told,
            [
                ("_design/x", Some("1-a"), false),
                ("b", None, true),
                ("c", Some("3"), false)
            ]
        );
        assert_eq!(page.last_seq, "4-d");
        assert_eq!(page.rows[1].row.leaves, ["2-b", "2-c"]);
    }

    #[test]
    fn a_revision_that_is_gone_is_not_among_the_documents() {
        let body = r#"{"results":[
            {"id":"a","docs":[{"ok":{"_id":"a","n":1.10,"_rev":"1-a"}}]},
            {"id":"b","docs":[{"error":{"id":"b","rev":"1-b","error":"not_found","reason":"missing"}}]},
            {"id":"c","docs":[{"missing":"1-c"}]}]}"#;
        let found = documents(body.as_bytes()).unwrap();
        assert_eq!(found.len(), 1);
        let raw = found[&("a".to_owned(), "1-a".to_owned())];
        assert_eq!(raw.get(), r#"{"_id":"a","n":1.10,"_rev":"1-a"}"#);
    }

    #[test]
    fn what_is_missing_is_read() {
        let body =
            json!({"a": {"missing": ["2-x"], "possible_ancestors": ["1-x"]}, "b": {"missing": []}});
        assert_eq!(
            missing(&body).unwrap(),
            [("a".to_owned(), vec!["2-x".to_owned()])]
        );
        assert!(missing(&json!({})).unwrap().is_empty());
        assert!(missing(&json!({"error": "x"})).is_err());
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in "\\PC{0,60}|\\{\"results\":\\[\\PC{0,40}\\]\\}") {
            let _ = (changes(text.as_bytes()), documents(text.as_bytes()));
        }
    }
}
