//! Figures of many databases, and of CouchDBs that do not tell them.

use super::row;
use crate::delete_db::stage::{Pod, Stage, USUAL};
use crate::harness::{RunOutput, skvs};
use serde_json::{Value, json};
use testbed::couchdb::Fault;

fn databases(stage: &Stage, more: &[&str]) -> RunOutput {
    let pods = ["databases", "--couchdb-namespace", stage.namespace];
    skvs([&pods[..], more].concat()).run()
}

/// The objects of a run in json.
#[track_caller]
fn objects(said: RunOutput) -> Vec<Value> {
    let list: Value = serde_json::from_str(&said.ok()).expect("JSON");
    list["items"].as_array().cloned().expect("a list")
}

/// The requests of a run, without those for one database alone: what is claimed and not listed is asked for so.
fn asked_of_all(stage: &Stage) -> Vec<String> {
    let mut asked = asked(stage);
    asked.retain(|request| request.starts_with("POST ") || request.starts_with("GET /_"));
    asked
}

/// The requests of a run: method and path.
fn asked(stage: &Stage) -> Vec<String> {
    let requests = stage.front.requests();
    stage.front.forget_requests();
    requests
        .iter()
        .map(|r| format!("{} {}", r.method, r.path))
        .collect()
}

const INFO: &str = "POST /_dbs_info";
const MAPS: &str = "GET /_node/_local/_dbs/_all_docs?include_docs=true";

#[test]
fn many_databases_are_asked_for_in_batches_over_one_exec() {
    let stage = Stage::new("stage-dbs-many");
    for n in 0..230 {
        stage
            .front
            .create_database(&format!("batch-{n:03}_db"), n % 3)
            .unwrap();
    }
    let there = stage.front.databases().len();
    let said = databases(&stage, &["-o", "json", "-v", "6"]);
    let execs = said.stderr.lines().filter(|l| l.contains("/exec?")).count();
    assert_eq!(execs, 1, "{}", said.stderr);
    let all = objects(said);
    let mut wanted = vec!["GET /_all_dbs"];
    wanted.extend(vec![INFO; there.div_ceil(100)]);
    // A 3.2 tells when a database was created only in the shard map.
    wanted.push(MAPS);
    assert_eq!(asked_of_all(&stage), wanted);
    let ours = |all: &[Value]| -> Vec<Value> {
        let ours = all.iter().filter(|o| {
            o["metadata"]["name"]
                .as_str()
                .is_some_and(|n| n.starts_with("batch-"))
        });
        ours.cloned().collect()
    };
    assert_eq!(ours(&all).len(), 230);
    for (n, object) in ours(&all).iter().enumerate() {
        assert_eq!(
            (&object["state"], &object["documents"]),
            (&json!("orphan"), &json!(n % 3))
        );
        assert!(
            object["metadata"]["creationTimestamp"].is_string(),
            "{object}"
        );
    }

    // From 3.3 on the figures tell it.
    stage.front.set_version("3.3.3");
    let all = objects(databases(&stage, &["-o", "json"]));
    assert_eq!(asked_of_all(&stage), wanted[..wanted.len() - 1]);
    assert!(
        ours(&all)
            .iter()
            .all(|o| o["metadata"]["creationTimestamp"].is_string())
    );

    // Only what is shown is asked for. A bare name of an orphan is one that CouchDB serves.
    let said = databases(&stage, &["batch-007_db"]);
    assert_eq!(row(&said, "batch-007_db")[3], "1");
    assert_eq!(asked(&stage), ["GET /_all_dbs", INFO]);
    databases(&stage, &["-o", "name"]).ok();
    assert_eq!(asked(&stage), ["GET /_all_dbs"]);
    databases(&stage, &["--orphans", "-o", "name"]).ok();
    let infos = asked(&stage).iter().filter(|r| *r == INFO).count();
    assert_eq!(infos, 3);
    let sorted = databases(
        &stage,
        &[
            "batch-000_db",
            "batch-001_db",
            "batch-002_db",
            "--sort-by",
            ".documents",
            "-o",
            "custom-columns=N:.documents,S:.state",
        ],
    );
    assert_eq!(
        sorted.ok(),
        "N     S\n0     orphan\n1     orphan\n2     orphan\n"
    );
}

#[test]
fn what_couchdb_does_not_tell_is_unknown() {
    let stage = Stage::new("stage-dbs-dumb");
    for name in ["first_db", "second_db"] {
        stage.front.create_database(name, 2).unwrap();
    }
    let names = ["first_db", "second_db", "_users"];
    let cells = |said: &RunOutput, name: &str| row(said, name)[2..5].join(" ");

    // A server that is too old to tell of many at once.
    stage.front.plant(Fault::answer(
        "POST",
        "/_dbs_info",
        405,
        json!({"error": "method_not_allowed", "reason": "Only GET,HEAD allowed"}),
    ));
    let said = databases(&stage, &names);
    assert_eq!(cells(&said, "first_db"), "orphan 2 19.3kB");
    let own = cells(&said, "_users");
    assert!(own.starts_with("system ") && !own.contains('<'), "{own}");
    assert_eq!(said.code, 0);
    assert!(!said.stderr.contains("not read"), "{}", said.stderr);

    // Whatever it does not tell, whose they are stays known.
    for (fault, why) in [
        (
            Fault::answer(
                "POST",
                "/_dbs_info",
                500,
                json!({"error": "error", "reason": "timeout"}),
            ),
            "CouchDB answered 500 error timeout",
        ),
        (
            Fault::cut("POST", "/_dbs_info"),
            "the connection to CouchDB was cut",
        ),
        (
            Fault::drop_connection("POST", "/_dbs_info"),
            "the connection to CouchDB was cut",
        ),
    ] {
        stage.front.plant(fault);
        let said = databases(&stage, &names);
        assert_eq!(cells(&said, "first_db"), "orphan <unknown> <unknown>");
        assert!(
            said.stderr
                .contains(&format!("Warning: figures of 3 databases not read: {why}")),
            "{why}: {}",
            said.stderr
        );
        assert_eq!(said.code, 0);
        asked(&stage);
    }

    // What the answer leaves out is asked for alone.
    let nothing = || Fault::answer("POST", "/_dbs_info", 200, json!([]));
    stage.front.plant(nothing());
    let said = databases(&stage, &names);
    assert_eq!(cells(&said, "first_db"), "orphan 2 19.3kB");
    assert_eq!(said.code, 0);

    // Where its own GET does not tell either, it is not known whether it is there.
    stage.front.plant(nothing());
    stage.front.plant(Fault::cut("GET", "/first_db"));
    let said = databases(&stage, &names);
    assert_eq!(cells(&said, "first_db"), "unknown <unknown> <unknown>");
    assert_eq!(cells(&said, "second_db"), "orphan 2 19.3kB");
    let why = "error: it is not known whether the database first_db exists: asked for many databases, CouchDB left it out; asked for it alone: the connection to CouchDB was cut";
    assert!(said.failed(1).contains(why));

    // A list of orphans is of those that were seen to be there.
    stage.front.plant(Fault::cut("POST", "/_dbs_info"));
    let said = databases(&stage, &["first_db", "--orphans"]);
    assert_eq!(said.stdout, "");
    let why = "error: it is not known whether the database first_db exists: the connection to CouchDB was cut";
    assert!(said.failed(1).contains(why));
    asked(&stage);

    // A refusal is the last question: a few more would lock the account.
    stage.front.plant(Fault::answer(
        "POST",
        "/_dbs_info",
        403,
        json!({"error": "forbidden", "reason": "locked"}),
    ));
    let said = databases(&stage, &names);
    assert_eq!(cells(&said, "second_db"), "orphan <unknown> <unknown>");
    assert_eq!(asked(&stage), ["GET /_all_dbs", INFO]);

    // Gone since its name was read, as its own GET says: nobody claims it, so there is nothing to show.
    let not_found = json!({"error": "not_found", "reason": "Database does not exist."});
    stage
        .front
        .plant(Fault::answer("GET", "/first_db", 404, not_found));
    stage.front.plant(nothing());
    let said = databases(&stage, &["first_db"]);
    assert_eq!((said.code, said.stdout.as_str()), (0, ""));

    for (fault, why) in [
        (
            Fault::answer(
                "GET",
                "/_all_dbs",
                500,
                json!({"error": "error", "reason": "timeout"}),
            ),
            "answered GET /_all_dbs with 500 error timeout",
        ),
        (
            Fault::answer("GET", "/_all_dbs", 200, json!({"no": "list"})),
            "did not answer GET /_all_dbs: its answer cannot be read",
        ),
        (
            Fault::cut("GET", "/_all_dbs"),
            "did not answer GET /_all_dbs: the connection to CouchDB was cut",
        ),
    ] {
        stage.front.plant(fault);
        let said = databases(&stage, &[]);
        assert_eq!(said.stdout, "");
        assert!(said.failed(1).contains(why), "{why}");
    }
}

/// A few more would lock the account, for the pod's probes too.
#[test]
fn after_a_refusal_nothing_more_is_asked() {
    let stage = Stage::new("stage-dbs-last");
    stage.front.create_database("first_db", 2).unwrap();
    let map = "/_node/_local/_dbs/first_db";
    let (names, asked_for_map) = (["first_db", "quebec_archive"], format!("GET {map}"));
    let mut usual = vec!["GET /_all_dbs", INFO, &asked_for_map];
    databases(&stage, &names).ok();
    assert_eq!(
        asked(&stage),
        [&usual[..], &["GET /quebec_archive"]].concat()
    );
    for (method, path) in [("GET", map), ("POST", "/_dbs_info")] {
        let locked = json!({"error": "forbidden", "reason": "locked"});
        stage.front.plant(Fault::answer(method, path, 403, locked));
        let said = databases(&stage, &names);
        assert_eq!(asked(&stage), usual);
        assert_eq!(row(&said, "first_db")[2], "orphan");
        assert_eq!(row(&said, "quebec_archive")[2], "unknown");
        let why = "the database quebec_archive exists: CouchDB does not list it; asked for it alone: CouchDB answered 403 forbidden locked";
        assert!(said.failed(1).contains(why));
        usual.pop();
    }
}

#[test]
fn refused_credentials_are_tried_once() {
    let wrong = Pod {
        password: "wrong",
        ..USUAL
    };
    let stage = Stage::with("stage-dbs-wrong", &wrong);
    let said = databases(&stage, &[]);
    assert_eq!(said.stdout, "");
    let stderr = said.failed(1);
    assert!(
        stderr.contains("refused the container's own credentials: 401 unauthorized Name or password is incorrect.")
            && stderr.contains("hint: CouchDB was asked once"),
        "{stderr}"
    );
    assert_eq!(asked(&stage), ["GET /_all_dbs"]);
}
