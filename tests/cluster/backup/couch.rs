//! A database of a test's own, filled and compared past the front: as pouchdb-server has it.

use crate::delete_db::stage::{PASSWORD, Stage};
use crate::harness::{RunOutput, skvs};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use testbed::Sandbox;

/// One request to pouchdb-server.
pub(super) fn ask(method: &str, path: &str, body: Option<&Value>) -> (u16, Vec<u8>) {
    ask_at(Sandbox::shared().pouchdb_port(), "", method, path, body)
}

/// What the front says of a database.
pub(super) fn figures(stage: &Stage, database: &str) -> Value {
    let path = format!("/{database}");
    let (_, body) = ask_at(stage.front.port(), &basic(), "GET", &path, None);
    serde_json::from_slice(&body).expect("JSON")
}

/// A number that the front says, such as a limit.
pub(super) fn figure(stage: &Stage, path: &str) -> u64 {
    let (_, body) = ask_at(stage.front.port(), &basic(), "GET", path, None);
    serde_json::from_slice(&body).expect("a number")
}

/// Sets a limit.
pub(super) fn set(stage: &Stage, path: &str, value: u64) {
    let (status, _) = ask_at(
        stage.front.port(),
        &basic(),
        "PUT",
        path,
        Some(&value.into()),
    );
    assert_eq!(status, 200);
}

fn basic() -> String {
    let basic = STANDARD.encode(format!("admin:{PASSWORD}"));
    format!("Authorization: Basic {basic}\r\n")
}

fn ask_at(
    port: u16,
    header: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("CouchDB answers");
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n{header}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it takes a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n");
    let end = end.expect("it answers with a head");
    let status = String::from_utf8_lossy(&answer[9..12]).parse();
    (status.expect("a status"), answer.split_off(end + 4))
}

/// The JSON of a request that must be taken.
#[track_caller]
pub(super) fn good(method: &str, path: &str, body: Option<&Value>) -> Value {
    let (status, answer) = ask(method, path, body);
    let text = String::from_utf8_lossy(&answer);
    assert!(
        (200..300).contains(&status),
        "{method} {path}: {status} {text}"
    );
    serde_json::from_slice(&answer).expect("JSON")
}

/// Writes revisions as they are.
pub(super) fn put(database: &str, docs: &Value) {
    let body = json!({"new_edits": false, "docs": docs});
    let said = good("POST", &format!("/{database}/_bulk_docs"), Some(&body));
    assert_eq!(said, json!([]), "{said}");
}

/// Everything in a database: leaves with history and attachments by document and revision, the count, the security object.
pub(super) fn all(database: &str) -> (BTreeMap<(String, String), Value>, u64, Value) {
    let changes = good("GET", &format!("/{database}/_changes?style=all_docs"), None);
    let mut wanted = Vec::new();
    for row in changes["results"].as_array().expect("rows") {
        for change in row["changes"].as_array().expect("leaves") {
            wanted.push(json!({"id": row["id"], "rev": change["rev"]}));
        }
    }
    let path = format!("/{database}/_bulk_get?revs=true&attachments=true");
    let answer = good("POST", &path, Some(&json!({"docs": wanted})));
    let mut all = BTreeMap::new();
    for result in answer["results"].as_array().expect("results") {
        for one in result["docs"].as_array().expect("docs") {
            let mut doc = one["ok"].clone();
            // pouchdb-server sets this anew when it takes a multipart document.
            for (_, attachment) in doc["_attachments"].as_object_mut().into_iter().flatten() {
                attachment
                    .as_object_mut()
                    .expect("an object")
                    .remove("revpos");
            }
            let text = |key: &str| doc[key].as_str().expect("a text").to_owned();
            all.insert((text("_id"), text("_rev")), doc);
        }
    }
    let count = good("GET", &format!("/{database}"), None)["doc_count"].as_u64();
    let security = good("GET", &format!("/{database}/_security"), None);
    (all, count.expect("a count"), security)
}

/// A database with everything that a database can hold: `plain` documents and the odd ones.
pub(super) fn odd(stage: &Stage, database: &str, plain: usize) {
    stage
        .front
        .create_database(database, plain)
        .expect("a database");
    let tall = |letter: &str| letter.repeat(1_500_000);
    put(
        database,
        &json!([
            {"_id": "_design/views/a", "_rev": "1-d", "_revisions": {"start": 1, "ids": ["d"]},
             "views": {"all": {"map": "function (doc) { emit(doc._id); }"}}},
            {"_id": "a/b ?#%2F", "_rev": "1-a", "_revisions": {"start": 1, "ids": ["a"]}, "v": [1.5, null, "\u{1f600}\n"]},
            {"_id": "日本語 é", "_rev": "3-c", "_revisions": {"start": 3, "ids": ["c", "b", "a"]}},
            {"_id": "conflict", "_rev": "2-x", "_revisions": {"start": 2, "ids": ["x", "o"]}, "v": "x"},
            {"_id": "conflict", "_rev": "2-y", "_revisions": {"start": 2, "ids": ["y", "o"]}, "v": "y"},
            {"_id": "conflict", "_rev": "3-z", "_deleted": true, "_revisions": {"start": 3, "ids": ["z", "w", "o"]}},
            {"_id": "gone", "_rev": "2-g", "_deleted": true, "_revisions": {"start": 2, "ids": ["g", "f"]}},
            {"_id": "tall", "_rev": "1-t", "_revisions": {"start": 1, "ids": ["t"]}, "text": tall("t")},
            {"_id": "small", "_rev": "1-s", "_revisions": {"start": 1, "ids": ["s"]}, "_attachments": {
                "a/b ü.txt": {"content_type": "text/plain; charset=utf-8", "data": "aGVsbG8="},
                "empty": {"content_type": "application/octet-stream", "data": ""}}},
            {"_id": "large/1", "_rev": "2-l", "_revisions": {"start": 2, "ids": ["l", "k"]}, "v": 1, "_attachments": {
                "z \"q\".bin": {"content_type": "application/x-z", "data": tall("Zm9v")[..1_600_000].to_owned()},
                "b/2.bin": {"content_type": "application/x-b", "data": "AAAA".repeat(50_000)}}},
        ]),
    );
    let security = json!({"admins": {"names": ["boss"], "roles": []}, "members": {"names": [], "roles": ["team"]}});
    good("PUT", &format!("/{database}/_security"), Some(&security));
}

/// A run in a stage's namespace.
pub(super) fn run(stage: &Stage, words: &[&str]) -> RunOutput {
    skvs(args(stage, words)).run()
}

/// Its arguments.
pub(super) fn args<'a>(stage: &'a Stage, words: &[&'a str]) -> Vec<&'a str> {
    let place = [
        "--couchdb-namespace",
        stage.namespace,
        "--context",
        "sandbox",
    ];
    [words, &place].concat()
}

/// The text of a file of this format.
pub(super) fn text(file: &Path) -> String {
    let bytes = std::fs::read(file).expect("the file");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .expect("gzip");
    text
}
