//! CouchDB's lists as they are answered, and what could stand in them.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn name() -> DatabaseName {
    DatabaseName::parse("pds_database").unwrap()
}

fn work(lists: &[(List, Value)]) -> Work {
    let mut work = Work::default();
    for (list, body) in lists {
        work.take(*list, Ok(Some(body)), &name());
    }
    work
}

#[test]
fn a_replication_is_told_once_whatever_lists_have_it() {
    let tasks = json!([
        {"node": "couchdb@db-0", "type": "replication", "database": "shards/00000000-ffffffff/_replicator.1700000000", "doc_id": "nightly",
            "replication_id": "ab12+create_target", "source": "http://admin:*****@elsewhere:5984/orders/", "target": "http://localhost:5984/pds_database/"},
    ]);
    let docs = json!({"total_rows": 3, "offset": 0, "docs": [
        {"database": "_replicator", "doc_id": "nightly", "id": "ab12+create_target", "state": "running",
            "source": "http://elsewhere:5984/orders/", "target": "http://localhost:5984/pds_database/"},
        {"database": "_replicator", "doc_id": "done", "id": null, "state": "completed", "source": "a", "target": "http://h/pds_database"},
        {"database": "_replicator", "doc_id": "other", "id": null, "state": "running", "source": "a", "target": "http://h/pds_database2"},
    ]});
    let jobs = json!({"total_rows": 2, "offset": 0, "jobs": [
        {"database": "_replicator", "doc_id": "nightly", "id": "ab12+create_target", "history": [{"type": "started"}],
            "source": "http://elsewhere:5984/orders/", "target": "http://localhost:5984/pds_database/"},
        {"database": null, "doc_id": null, "id": "cd34", "history": [{"type": "crashed"}, {"type": "started"}],
            "source": "http://u:p@localhost/pds%5Fdatabase?x=1", "target": "https://backup/pds/"},
    ]});
    let work = work(&[
        (List::ActiveTasks, tasks),
        (List::ReplicationDocuments, docs),
        (List::ReplicationJobs, jobs),
    ]);
    let told: Vec<String> = work
        .replications
        .iter()
        .map(|r| {
            format!(
                "{:?} {} {} {} -> {}",
                r.role,
                r.state,
                r.document.as_deref().unwrap_or("-"),
                r.source.as_deref().unwrap_or("-"),
                r.target.as_deref().unwrap_or("-")
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    Target running _replicator/nightly http://elsewhere:5984/orders/ -> http://localhost:5984/pds_database/
    Source crashing - http://localhost/pds%5Fdatabase -> https://backup/pds/
    ");
    assert_eq!((work.tasks.len(), work.unread.len()), (0, 0));
}

#[test]
fn tasks_are_found_by_the_shards_that_they_work_on() {
    let tasks = json!([
        {"type": "indexer", "node": "couchdb@db-1", "database": "shards/00000000-7fffffff/pds_database.1709251200", "design_document": "_design/x"},
        {"type": "database_compaction", "node": "couchdb@db-0", "database": "shards/80000000-ffffffff/pds_database.1709251200"},
        {"type": "indexer", "node": "couchdb@db-1", "database": "shards/00000000-7fffffff/pds_database2.1709251200"},
    ]);
    let reshards = json!({"total_rows": 2, "offset": 0, "jobs": [
        {"type": "split", "job_state": "running", "node": "couchdb@db-2", "source": "shards/00000000-7fffffff/pds_database.1709251200", "targets": []},
        {"type": "split", "job_state": "completed", "source": "shards/00000000-7fffffff/pds_database.1709251200"},
    ]});
    let work = work(&[(List::ActiveTasks, tasks), (List::ReshardJobs, reshards)]);
    let kinds: Vec<&str> = work.tasks.iter().map(|t| t.kind.as_str()).collect();
    assert_eq!(kinds, ["database_compaction", "indexer", "reshard"]);
    assert!(work.replications.is_empty() && work.unread.is_empty());
}

#[test]
fn a_list_that_holds_nothing_is_remembered_and_one_that_is_not_there_is_not() {
    let none = json!({"total_rows": 0, "offset": 0, "jobs": [], "docs": []});
    let mut work = work(&[(List::ReplicationJobs, none)]);
    work.take(List::ReplicationDocuments, Ok(None), &name());
    assert_eq!(work.empty, [List::ReplicationJobs]);
}

#[test]
fn what_tells_neither_end_may_be_about_it() {
    let docs =
        json!({"docs": [{"doc_id": "broken", "state": "error", "source": null, "target": null}]});
    let work = work(&[(List::ReplicationDocuments, docs)]);
    assert_eq!(work.replications[0].role, Role::NotTold);
    assert_eq!(
        work.replications[0].document.as_deref(),
        Some("_replicator/broken")
    );
}

#[test]
fn a_list_that_is_not_one_is_not_read() {
    let all = [
        List::ActiveTasks,
        List::ReplicationDocuments,
        List::ReplicationJobs,
        List::ReshardJobs,
    ];
    for list in all {
        for odd in [
            json!({}),
            json!(null),
            json!("x"),
            json!({"jobs": {}, "docs": 1}),
            json!({"jobs": [1], "docs": [null]}),
        ] {
            let work = work(&[(list, odd)]);
            assert_eq!(work.unread.len(), 1, "{list:?}");
            assert_eq!(work.unread[0].0, list.what());
        }
        let mut unread = Work::default();
        unread.take(list, Err("CouchDB answered 500".to_owned()), &name());
        assert_eq!(unread.unread[0].1, "CouchDB answered 500");
        let mut none = Work::default();
        none.take(list, Ok(None), &name());
        assert_eq!(none, Work::default());
    }
    let rows: Vec<Value> = vec![json!({"source": "a", "target": "b"}); ROWS];
    let work = work(&[(List::ReplicationJobs, json!({"jobs": rows}))]);
    assert_eq!(
        work.unread[0].1,
        "there are 2000 or more, and no more are asked for"
    );
}

#[test]
fn ends_are_told_without_what_is_secret() {
    let shown = |text: &str| Endpoint::parse(&json!(text)).unwrap().shown;
    for (text, want) in [
        ("http://u:p@h:5984/a_b/", "http://h:5984/a_b/"),
        ("https://u:p@ss@h/a_b?token=t#f", "https://h/a_b"),
        ("https://u:p/a:ss@h/a_b", "https://h/a_b"),
        ("u:p@h/a_b", "h/a_b"),
        ("a_b", "a_b"),
        ("p:w://x@h/a_b", "h/a_b"),
    ] {
        assert_eq!(shown(text), want, "{text}");
    }
    let object = json!({"url": "http://h/pds_database", "headers": {"Authorization": "Basic c2VjcmV0"}, "auth": {"basic": {"password": "secret"}}});
    let end = Endpoint::parse(&object).unwrap();
    assert!(end.is(&name()) && end.shown == "http://h/pds_database");
}

proptest! {
    #[test]
    fn credentials_are_never_shown(user in "[a-z]{1,8}", password in "[a-zA-Z0-9:/?#%@!$ ]{0,16}SESAME[a-zA-Z0-9:/?#%@!$ ]{0,16}", scheme in "(https?://)?") {
        let text = format!("{scheme}{user}:{password}@host:5984/pds_database/");
        let end = Endpoint::parse(&json!(text)).unwrap();
        prop_assert!(!end.shown.contains("SESAME"), "{}", end.shown);
        prop_assert!(end.is(&name()));
    }

    #[test]
    fn the_database_is_found_in_any_address(host in "[a-z]{1,10}(:[0-9]{1,5})?", prefix in "(/[a-z]{1,5}){0,2}", slash in "/?", scheme in "https?://") {
        let text = format!("{scheme}{host}{prefix}/pds_database{slash}");
        prop_assert!(Endpoint::parse(&json!(text)).unwrap().is(&name()));
    }

    #[test]
    fn no_entry_panics(text in "\\[?\\{\"(type|source|target|database|targets|doc_id|state|history)\":(null|1|\"\"|\"replication\"|\"a@b\"|\"://\"|\\[\\]|\\[\\{\"type\":1\\}\\]|\\{\"url\":[1n]?\\})\\}\\]?") {
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            let mut work = Work::default();
            for list in [List::ActiveTasks, List::ReplicationJobs, List::ReplicationDocuments, List::ReshardJobs] {
                work.take(list, Ok(Some(&value)), &name());
                work.take(list, Ok(Some(&json!({"jobs": [value], "docs": [value]}))), &name());
            }
        }
    }
}
