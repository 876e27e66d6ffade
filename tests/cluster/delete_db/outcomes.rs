//! What CouchDB can answer, and what is said of it.

use super::stage::{Pod, Stage, USUAL};
use crate::harness::{RunOutput, kubectl, skvs};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
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
    // The files are this database's alone: one that is created again by then has another suffix.
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

/// A confirmed deletion, and what happens `meanwhile`: once the members have been asked after the DELETE.
fn while_it_waits(stage: &Stage, database: &str, meanwhile: impl FnOnce()) -> RunOutput {
    let args = ["--confirm", database, "--timeout", "60s"];
    let mut command = skvs(stage.args(database, &args)).into_command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the plugin starts");
    let member = &stage.front.members()[2];
    let path = format!("/_node/{}/_dbs/{database}", member.replace('@', "%40"));
    let asked = || {
        let seen = stage.front.requests();
        let delete = seen.iter().position(|r| r.method == "DELETE")?;
        seen[delete..]
            .iter()
            .find(|r| r.bare_path() == path)
            .map(|_| ())
    };
    testbed::wait("the read-back", Duration::from_secs(60), asked).expect("members are asked");
    meanwhile();
    RunOutput::from(child.wait_with_output().expect("it ends"))
}

#[test]
fn a_member_that_lets_go_late_is_waited_for() {
    let stage = Stage::new("stage-late");
    let member = stage.front.members()[2].clone();
    stage.front.create_database("late_db", 1).unwrap();
    stage.front.set_lagging(&member, true);
    let said = while_it_waits(&stage, "late_db", || {
        stage.front.set_lagging(&member, false)
    });
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stderr.ends_with("Checked on 3 of 3 members: gone.\n"),
        "{}",
        said.stderr
    );
    assert_eq!(stage.deletes(), 1);
}

#[test]
fn a_database_that_comes_back_is_no_deletion() {
    let stage = Stage::new("stage-back");
    let member = stage.front.members()[2].clone();
    stage.front.create_database("back_db", 1).unwrap();
    stage.front.set_lagging(&member, true);
    let said = while_it_waits(&stage, "back_db", || {
        stage.front.create_database("back_db", 1).unwrap();
        stage.front.set_lagging(&member, false);
    });
    assert_eq!(said.stdout, "");
    let stderr = said.failed(1);
    assert!(
        stderr.contains("database \"back_db\" was deleted and is there again, created again, 20"),
        "{stderr}"
    );
    assert!(stage.front.exists("back_db"));
}

#[test]
fn a_pod_that_goes_in_the_middle_leaves_it_unknown() {
    let stage = Stage::new("stage-pod-gone");
    stage.front.create_database("pod_gone", 1).unwrap();
    stage.front.plant(Fault::hang("DELETE", "/pod_gone"));
    let args = ["--confirm", "pod_gone", "--timeout", "2s"];
    let mut command = skvs(stage.args("pod_gone", &args)).into_command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the plugin starts");
    let sent = || (stage.deletes() > 0).then_some(());
    testbed::wait("the DELETE", Duration::from_secs(60), sent).expect("it is sent");
    kubectl(&["delete", "pod", "-n", stage.namespace, "db-0", "--now"]);
    let said = RunOutput::from(child.wait_with_output().expect("it ends"));
    assert_eq!(said.stdout, "");
    let stderr = said.failed(5);
    assert!(
        stderr.contains("may have been sent and its outcome is not known"),
        "{stderr}"
    );
    assert!(
        stderr.contains("  the members were not asked: "),
        "{stderr}"
    );
    assert_eq!(stage.deletes(), 1);
}

#[test]
fn each_status_has_its_outcome() {
    let stage = Stage::new("stage-status");
    stage.front.create_database("status_db", 1).unwrap();
    let nodedown = json!({"error": "nodedown", "reason": "couchdb@db-2 is down"});
    let cases = [
        (
            400,
            json!({"error": "bad_request", "reason": "no"}),
            4,
            "CouchDB did not delete it: 400",
        ),
        (
            403,
            json!({"error": "forbidden", "reason": "Account is temporarily locked due to multiple authentication failures"}),
            4,
            "did not delete it: 403 forbidden Account is temporarily locked",
        ),
        (
            405,
            json!({"error": "method_not_allowed", "reason": "Only GET,HEAD allowed"}),
            4,
            "CouchDB did not delete it: 405",
        ),
        (
            412,
            nodedown,
            5,
            "was sent and its outcome is not known: CouchDB answered 412 nodedown couchdb@db-2 is down",
        ),
        (
            404,
            json!({"error": "not_found", "reason": "missing"}),
            5,
            "CouchDB answered 404 not_found missing",
        ),
        (200, json!({"ok": false}), 5, "CouchDB answered 200"),
        (302, json!({}), 5, "CouchDB answered 302"),
    ];
    for (at, (status, body, code, says)) in cases.into_iter().enumerate() {
        stage
            .front
            .plant(Fault::answer("DELETE", "/status_db", status, body));
        let said = stage.delete("status_db");
        assert_eq!(said.stdout, "", "{status}");
        let stderr = said.failed(code);
        assert!(stderr.contains(says), "{stderr}");
        assert_eq!(stage.deletes(), at + 1);
    }
    assert!(stage.front.exists("status_db"));
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
fn an_answer_that_does_not_tell_leaves_it_to_the_members() {
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
        assert_eq!(stage.front.exists(name), left);
        assert_eq!(stage.front.count("DELETE", &format!("/{name}")), 1);
        if !left {
            assert_eq!(said.code, 0, "{name}: {}", said.stderr);
            let warned = "Warning: by its members' word alone, the DELETE itself did not say so: ";
            assert!(
                said.stderr.contains(warned) && said.stderr.contains(why),
                "{}",
                said.stderr
            );
            assert!(
                said.stderr.contains("Checked on 3 of 3 members: gone."),
                "{}",
                said.stderr
            );
            continue;
        }
        assert_eq!(said.stdout, "", "{name}");
        let stderr = said.failed(5);
        let sent = if why.starts_with("500") {
            "was sent and its outcome is not known"
        } else {
            "may have been sent and its outcome is not known"
        };
        assert!(stderr.contains(sent) && stderr.contains(why), "{stderr}");
        assert_eq!(stderr.matches("still has it").count(), 3, "{stderr}");
        // The one command that tells, as it was printed.
        let command = stderr
            .lines()
            .find_map(|l| l.strip_prefix("hint: what became of it: kubectl skvs "))
            .unwrap();
        let told = skvs(command.split(' ')).run();
        assert_eq!(told.code, 0, "{}", told.stderr);
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
        stderr.contains("answered GET /_membership with 500 error internal"),
        "{stderr}"
    );
    assert_eq!(stage.deletes(), 3);
}
