//! A restore of revisions whose small attachments stand behind them, as those do that CouchDB stores in an encoding.

use super::couch::{good, run};
use crate::delete_db::stage::Stage;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kubectl_skvs::couchdb::backup::format::{
    Attachment, FORMAT, Header, Meta, Properties, Row, Server, Totals,
};
use kubectl_skvs::couchdb::backup::writer::{Finish, Writer};
use serde_json::{Value, json};
use std::path::Path;
use testbed::couchdb::Fault;

const MANY: usize = 40;

/// A backup of `MANY` documents with an attachment each.
fn file(at: &Path) {
    let header = Header {
        format: FORMAT,
        plugin: "0.1.0".into(),
        taken: "2026-11-24T00:00:00Z".into(),
        server: Server {
            uuid: "u".into(),
            version: "3.5.0".into(),
        },
        database: "attached_db".into(),
        identity: ".1".into(),
        partitioned: false,
        shards: None,
        stale: Vec::new(),
        shard_map: Value::Null,
    };
    let mut writer =
        Writer::create(std::fs::File::create(at).expect("a file"), &header).expect("a file");
    for n in 0..MANY {
        let document = json!({"_id": format!("a/{n}"), "_rev": "1-a", "_revisions": {"start": 1, "ids": ["a"]}, "_attachments": {
            "n": {"stub": true, "content_type": "x/y", "length": 5, "revpos": 1}}});
        let document = serde_json::value::to_raw_value(&document).expect("a file");
        let meta = Meta::parse(&document).expect("a file");
        let row = Row {
            id: meta.id.clone(),
            leaves: vec![meta.rev.clone()],
            deleted: false,
        };
        writer.row(&row).expect("a file");
        writer.document(&document, &meta).expect("a file");
        let attachment = Attachment {
            name: "n".into(),
            length: 5,
            encoding: None,
        };
        writer.attachment(&attachment).expect("a file");
        writer
            .content(format!("{n:05}").as_bytes())
            .expect("a file");
        writer.end_attachment().expect("a file");
    }
    writer.checkpoint("40-a".into()).expect("a file");
    let finish = Finish {
        finished: "2026-11-24T00:00:01Z".into(),
        update_seq: "40-a".into(),
        totals: Totals {
            documents: MANY as u64,
            ..Totals::default()
        },
        stale: Vec::new(),
        compared: None,
        properties: Properties {
            security: json!({}),
            ..Properties::default()
        },
    };
    writer.finish(finish).expect("a file");
}

#[test]
fn they_are_written_in_one_go_and_one_by_one_where_that_fails() {
    let stage = Stage::open("stage-backup-attached");
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a.gz");
    file(&to);
    let to = to.to_str().unwrap();
    let path = |copy: &str, n: usize| format!("/{copy}/a%2F{n}");
    let puts = |copy: &str| {
        let all = stage.front.requests();
        all.iter()
            .filter(|r| r.method == "PUT" && r.path.starts_with(&format!("/{copy}/a%2F")))
            .count()
    };
    let words = |copy| ["restore", to, "--to", copy, "--confirm", copy];
    let is_whole = |copy: &str| {
        for n in 0..MANY {
            let query = format!("{}?attachments=true", path(copy, n));
            let found = good("GET", &query, None);
            let data = STANDARD.encode(format!("{n:05}"));
            assert_eq!(found["_attachments"]["n"]["data"], data, "{found}");
        }
    };
    run(&stage, &words("attached_one")).ok();
    assert_eq!(puts("attached_one"), MANY);
    is_whole("attached_one");

    // An answer that is lost: all are written again, each alone.
    let lost = Fault::drop_connection("PUT", "/attached_two/a/7").after_it_happened();
    stage.front.plant(lost);
    run(&stage, &words("attached_two")).ok();
    assert!(puts("attached_two") > MANY);
    is_whole("attached_two");

    // A refusal names its document.
    let body = json!({"error": "forbidden", "reason": "not this one"});
    let refusal = Fault::answer("PUT", "/attached_three/a/7", 403, body);
    stage.front.plant(refusal.times(2));
    let stderr = run(&stage, &words("attached_three")).failed(1);
    assert!(
        stderr.contains("CouchDB answered 403 forbidden not this one"),
        "{stderr}"
    );
    assert!(stderr.contains(" to /attached_three/a%2F7"), "{stderr}");
    assert!(stderr.contains("may hold a part"), "{stderr}");
}
