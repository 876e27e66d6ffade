//! A database of 100,000 documents with attachments, backed up and restored equal, in bounded memory:
//! `cargo test --test cluster backup::large -- --ignored --nocapture` prints time and peak memory.

use super::couch::{args, good};
use crate::delete_db::stage::Stage;
use crate::harness::skvs;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

const DOCUMENTS: usize = 100_000;
/// Documents of one `_bulk_docs`.
const BATCH: usize = 1000;
/// One document in so many has an attachment, and one in so many a large one.
const ATTACHED: usize = 10;
const LARGE: usize = 10_000;
/// Most memory that either may take, in KiB.
const MEMORY: u64 = 256 * 1024;

fn document(n: usize) -> Value {
    let rev = format!("{n:032x}");
    let mut doc = json!({
        "_id": format!("doc-{n:06}"), "_rev": format!("1-{rev}"), "_revisions": {"start": 1, "ids": [rev]},
        "number": n, "text": format!("{n} ").repeat(60),
    });
    if n.is_multiple_of(LARGE) {
        let data = format!("{n:08}").repeat(350_000);
        doc["_attachments"]["large.bin"] =
            json!({"content_type": "application/x-large", "data": data});
    } else if n.is_multiple_of(ATTACHED) {
        let data = format!("{n:08}").repeat(128);
        doc["_attachments"]["small.bin"] =
            json!({"content_type": "application/x-small", "data": data});
    }
    doc
}

/// Fills it in pieces that pouchdb-server takes.
fn fill(database: &str) {
    for start in (0..DOCUMENTS).step_by(BATCH) {
        let docs: Vec<Value> = (start..start + BATCH).map(document).collect();
        super::couch::put(database, &docs.into());
    }
}

/// A run to its end, with its peak of memory in KiB as the kernel counts it.
fn measured(stage: &Stage, words: &[&str]) -> (String, u64, Duration) {
    let started = Instant::now();
    let mut command = skvs(args(stage, words)).into_command();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the plugin starts");
    let mut peak = 0;
    let status = loop {
        let facts = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = facts.unwrap_or_default();
        let seen = line.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let seen = seen.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(seen.unwrap_or(0));
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "{words:?}: {status}");
    (words[0].to_owned(), peak, started.elapsed())
}

/// Documents by id with their revisions and the digests of their attachments: the server's own word for equal content.
fn digests(database: &str) -> BTreeMap<String, Value> {
    let path = format!("/{database}/_all_docs?include_docs=true");
    let all = good("GET", &path, None);
    let rows = all["rows"].as_array().expect("rows");
    rows.iter()
        .map(|row| {
            let mut doc = row["doc"].clone();
            for (_, attachment) in doc["_attachments"].as_object_mut().into_iter().flatten() {
                attachment
                    .as_object_mut()
                    .expect("an object")
                    .remove("revpos");
            }
            (row["id"].as_str().expect("an id").to_owned(), doc)
        })
        .collect()
}

#[test]
#[ignore = "takes many minutes"]
fn a_hundred_thousand_documents_come_back_in_bounded_memory() {
    let stage = Stage::open("stage-backup-large");
    stage.front.create_database("large_db", 0).unwrap();
    let started = Instant::now();
    fill("large_db");
    println!("filled in {}s", started.elapsed().as_secs());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.gz");
    let to = file.to_str().unwrap();
    let runs = [
        measured(&stage, &["backup", "large_db", "--to", to]),
        measured(
            &stage,
            &[
                "restore",
                to,
                "--to",
                "large_copy",
                "--confirm",
                "large_copy",
            ],
        ),
    ];
    let size = std::fs::metadata(&file).unwrap().len();
    println!("{DOCUMENTS} documents, a file of {size} bytes");
    for (what, peak, time) in &runs {
        println!("{what}: {}s, peak of memory {peak} KiB", time.as_secs());
    }
    assert!(runs.iter().all(|(_, peak, _)| *peak < MEMORY));
    let (before, after) = (digests("large_db"), digests("large_copy"));
    assert_eq!(before.len(), DOCUMENTS);
    assert!(before == after, "the copy differs");
    for database in ["large_db", "large_copy"] {
        stage.front.drop_database(database).unwrap();
    }
}
