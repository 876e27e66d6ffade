//! What CouchDB can answer, and what is said of it.

use super::stage::{Pod, Stage, USUAL};
use crate::harness::skvs;
use serde_json::json;
use testbed::couchdb::Fault;

#[test]
fn members_that_keep_the_data_make_it_incomplete() {
    let stage = Stage::new("stage-members");
    let member = stage.front.members()[2].clone();
    for name in ["members_down", "members_accepted", "members_lagging"] {
        stage.front.create_database(name, 1).unwrap();
    }
    // Known before: refused.
    stage.front.set_up(&member, false);
    let stderr = stage.delete("members_down").failed(4);
    assert!(
        stderr.contains(&format!(
            "refused: member {member} is not connected to its cluster"
        )),
        "{stderr}"
    );
    assert_eq!(stage.deletes(), 0);
    stage.front.set_up(&member, true);
    // Known by the 202 alone.
    let accepted =
        Fault::answer("DELETE", "/members_accepted", 202, json!({"ok": true})).after_it_happened();
    stage.front.plant(accepted);
    let said = stage.delete("members_accepted");
    assert_eq!(said.stdout, "");
    let stderr = said.failed(6);
    assert!(stderr.contains("answered 202"), "{stderr}");
    // The files are this database's alone: one that is created anew by then has another suffix.
    let at = stderr
        .find("shards/*/members_accepted.")
        .expect("the files");
    let suffix: String = stderr[at + "shards/*/members_accepted.".len()..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    assert!(!suffix.is_empty(), "{stderr}");
    let files = format!(
        "shards/*/members_accepted.{suffix}.couch .shards/*/members_accepted.{suffix}_design\n"
    );
    assert!(stderr.ends_with(&files), "{stderr}");
    // Known by the read-back alone.
    stage.front.set_lagging(&member, true);
    let said = stage.delete("members_lagging");
    assert_eq!(said.stdout, "");
    let stderr = said.failed(6);
    assert!(
        stderr.contains(&format!("  {member} still has it")),
        "{stderr}"
    );
    assert_eq!(stage.deletes(), 2);
}

#[test]
fn credentials_that_are_refused_are_tried_once() {
    let wrong = Pod {
        password: "wrong",
        ..USUAL
    };
    let stage = Stage::with("stage-wrong-password", &wrong);
    stage.front.create_database("wrong_password", 1).unwrap();
    let stderr = stage.delete("wrong_password").failed(1);
    assert!(stderr.contains("refused the container's own credentials: 401 unauthorized Name or password is incorrect."), "{stderr}");
    assert_eq!(stage.front.requests().len(), 1);
}

#[test]
fn a_lockout_ends_the_run() {
    let stage = Stage::new("stage-lockout");
    stage.front.create_database("locked_out", 1).unwrap();
    stage.front.plant(Fault::lockout(9));
    let stderr = stage.delete("locked_out").failed(1);
    assert!(
        stderr.contains("403 forbidden Account is temporarily locked"),
        "{stderr}"
    );
    assert_eq!(stage.front.requests().len(), 1);
}

#[test]
fn an_answer_that_does_not_tell_leaves_it_unknown() {
    let stage = Stage::new("stage-unknown");
    let timeout = || json!({"error": "error", "reason": "timeout"});
    let cases = [
        (
            "unknown_timeout",
            Fault::answer("DELETE", "/unknown_timeout", 500, timeout()).after_it_happened(),
            false,
            "500 error timeout",
        ),
        (
            "unknown_failed",
            Fault::answer("DELETE", "/unknown_failed", 500, timeout()),
            true,
            "500 error timeout",
        ),
        (
            "unknown_cut",
            Fault::cut("DELETE", "/unknown_cut"),
            false,
            "was cut",
        ),
        (
            "unknown_dropped",
            Fault::drop_connection("DELETE", "/unknown_dropped"),
            true,
            "was cut",
        ),
    ];
    for (name, fault, left, why) in cases {
        stage.front.create_database(name, 1).unwrap();
        stage.front.plant(fault);
        let said = stage.delete(name);
        assert_eq!(said.stdout, "", "{name}");
        let stderr = said.failed(5);
        let sent = if why.starts_with("500") {
            "was sent and its outcome is not known"
        } else {
            "may have been sent and its outcome is not known"
        };
        assert!(stderr.contains(sent) && stderr.contains(why), "{stderr}");
        let says = if left {
            "still has it"
        } else {
            "says it is deleted"
        };
        assert_eq!(stderr.matches(says).count(), 3, "{stderr}");
        // The one command that tells, as it was printed.
        let command = stderr
            .lines()
            .find_map(|l| l.strip_prefix("hint: what became of it: kubectl skvs "))
            .unwrap();
        let told = skvs(command.split(' ')).run();
        assert_eq!(told.code, i32::from(!left), "{}", told.stderr);
        assert_eq!(stage.front.exists(name), left);
        assert_eq!(stage.front.count("DELETE", &format!("/{name}")), 1);
    }
}

#[test]
fn a_delete_that_couchdb_refuses_deleted_nothing() {
    let stage = Stage::new("stage-refused");
    stage.front.create_database("refused_db", 1).unwrap();
    let body = json!({"error": "unauthorized", "reason": "You are not a server admin."});
    stage
        .front
        .plant(Fault::answer("DELETE", "/refused_db", 401, body));
    let stderr = stage.delete("refused_db").failed(4);
    assert!(
        stderr.contains("CouchDB did not delete it: 401 unauthorized You are not a server admin."),
        "{stderr}"
    );
    // A 404 is not believed while a member still has it.
    let gone = || {
        let body = json!({"error": "not_found", "reason": "Database does not exist."});
        Fault::answer("DELETE", "/refused_db", 404, body)
    };
    stage.front.plant(gone());
    let stderr = stage.delete("refused_db").failed(6);
    assert!(
        stderr.contains("answered 404") && stderr.matches("still has it\n").count() == 4,
        "{stderr}"
    );
    stage.front.plant(gone().after_it_happened());
    let stderr = stage.delete("refused_db").failed(1);
    assert!(
        stderr.contains("was gone already when the DELETE arrived"),
        "{stderr}"
    );
    stage.front.create_database("refused_db", 1).unwrap();
    let body = json!({"error": "error", "reason": "internal"});
    stage
        .front
        .plant(Fault::answer("GET", "/_membership", 500, body));
    let stderr = stage.delete("refused_db").failed(1);
    assert!(
        stderr.contains("did not answer GET /_membership: 500 error internal"),
        "{stderr}"
    );
    assert_eq!(stage.deletes(), 3);
}
