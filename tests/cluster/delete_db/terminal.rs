//! The question on a terminal, and what ends a run from outside.

use super::stage::{Stage, USUAL};
use crate::harness::{Said, kubectl, skvs};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;
use testbed::Sandbox;
use testbed::couchdb::Fault;

/// Starts a run, waits until the front has seen a request, and sends a signal.
fn interrupt_at(stage: &Stage, signal: &str, database: &str, method: &str, path: &str) -> Said {
    stage.front.plant(Fault::hang(method, path));
    let mut command = skvs(stage.args(database, &["--confirm", database])).into_command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the plugin starts");
    testbed::wait("the request that hangs", Duration::from_secs(60), || {
        (stage.front.count(method, path) > 0).then_some(())
    })
    .expect("it is asked for");
    let kill = std::process::Command::new("/bin/sh")
        .args(["-c", &format!("kill -{signal} {}", child.id())])
        .status()
        .expect("kill runs");
    assert!(kill.success());
    Said::from(child.wait_with_output().expect("it ends"))
}

#[test]
fn ctrl_c_is_harmless_before_the_delete_and_unknown_after_it() {
    let stage = Stage::new("stage-interrupt");
    stage.front.create_database("interrupt_db", 1).unwrap();
    // Ctrl-C, an end that a supervisor asks for, and a terminal that is closed.
    for signal in ["INT", "TERM", "HUP"] {
        stage.front.forget_requests();
        let said = interrupt_at(&stage, signal, "interrupt_db", "GET", "/interrupt_db");
        assert_eq!(said.failed(130), "error: interrupted: nothing was sent\n");
        assert_eq!(stage.deletes(), 0);
        let path = "/interrupt_db";
        let said = interrupt_at(&stage, signal, "interrupt_db", "DELETE", path);
        assert_eq!(said.stdout, "");
        let stderr = said.failed(5);
        assert!(
            stderr.contains("interrupted after the DELETE was handed to the pod"),
            "{stderr}"
        );
        assert_eq!(stage.deletes(), 1);
    }
}

/// A run on a terminal of its own, made by script(1). What happens `meanwhile` happens while the question stands, which then gets `answer`.
fn typed(stage: &Stage, database: &str, meanwhile: impl FnOnce(), answer: &str) -> Said {
    typed_with(stage, database, &[], meanwhile, answer)
}

/// The same with more flags.
fn typed_with(
    stage: &Stage,
    database: &str,
    more: &[&str],
    meanwhile: impl FnOnce(),
    answer: &str,
) -> Said {
    let binary = env!("CARGO_BIN_EXE_kubectl-skvs");
    let line = format!("{binary} {}", stage.args(database, more).join(" "));
    let command = skvs::<&str>([]).into_command();
    let mut script = std::process::Command::new("script");
    script.args(["-qfec", &line, "/dev/null"]).env_clear();
    for (key, value) in command.get_envs() {
        script.env(key, value.unwrap_or_default());
    }
    script
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = script.spawn().expect("script(1) of util-linux starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("to delete it") {
        let read = stdout.fill_buf().expect("it can be read");
        assert!(
            !read.is_empty(),
            "no question: {}",
            String::from_utf8_lossy(&seen)
        );
        seen.extend_from_slice(read);
        let taken = read.len();
        stdout.consume(taken);
    }
    meanwhile();
    stdin.write_all(answer.as_bytes()).expect("it reads");
    stdin.flush().expect("it reads");
    std::io::Read::read_to_end(&mut stdout, &mut seen).expect("it can be read");
    Said {
        stdout: String::from_utf8_lossy(&seen).into_owned(),
        stderr: String::new(),
        code: child.wait().expect("it ends").code().unwrap_or(-1),
    }
}

#[test]
fn a_person_types_the_name_and_one_wrong_answer_ends_it() {
    let stage = Stage::new("stage-typed");
    stage.front.create_database("typed_db", 1).unwrap();
    for (answer, code) in [
        ("yes\r", 4),
        ("\r", 4),
        ("typed_d\r", 4),
        ("typed_db \r", 4),
        ("\u{3}", 130),
        // The end of the input is no answer, not even behind the name.
        ("\u{4}", 4),
        ("typed_db\u{4}\u{4}", 4),
    ] {
        let said = typed(&stage, "typed_db", || (), answer);
        assert_eq!(said.code, code, "{answer:?}: {}", said.stdout);
        assert!(
            said.stdout.contains("Type typed_db to delete it"),
            "{}",
            said.stdout
        );
        assert_eq!(stage.deletes(), 0);
    }
    let said = typed(&stage, "typed_db", || (), "typed_db\r");
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert!(
        said.stdout.contains("Checked on 3 of 3 members: gone."),
        "{}",
        said.stdout
    );
    assert!(!stage.front.exists("typed_db"));
}

#[test]
fn what_changes_while_the_question_stands_is_seen_in_the_last_look() {
    let stage = Stage::new("stage-last-look");
    let refused = |database: &str, meanwhile: &dyn Fn(), why: &str| {
        stage.front.create_database(database, 1).unwrap();
        let answer = format!("{database}\r");
        let said = typed(&stage, database, meanwhile, &answer);
        assert_eq!(said.code, 4, "{}", said.stdout);
        assert!(said.stdout.contains(why), "{}", said.stdout);
        assert!(stage.front.exists(database));
        assert_eq!(stage.deletes(), 0);
    };
    // Another database of the same name: 3.2 tells by the shard map, 3.3 by the time of its creation too.
    for (database, version) in [("last_look", "3.2.2"), ("last_look-3", "3.5.0")] {
        stage.front.set_version(version);
        let again = || stage.front.recreate_database(database).unwrap();
        refused(
            database,
            &again,
            "refused: since the plan was made, the database is another one, or was created anew",
        );
    }
    let other = || stage.front.set_version("3.5.1");
    refused(
        "last_server",
        &other,
        "since the plan was made, CouchDB is another one or has another version: now 3.5.1",
    );
    let member = stage.front.members()[1].clone();
    let down = || stage.front.set_up(&member, false);
    refused(
        "last_member",
        &down,
        "since the plan was made, the members of its cluster are others, or keep other files: now 2 of 3",
    );
    stage.front.set_up(&member, true);

    let replicated = || {
        let job = json!({"id": "ab12", "source": "http://elsewhere/last_quiet", "target": "http://here/last_quiet"});
        stage.front.set_work("_scheduler/jobs", vec![job]);
    };
    refused(
        "last_quiet",
        &replicated,
        "refused: replication ab12 (scheduled) writes into it from http://elsewhere/last_quiet",
    );
    stage.front.set_work("_scheduler/jobs", Vec::new());

    let claim = || {
        let claim = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": "late", "namespace": stage.namespace},
            "spec": {"suspend": true, "interval": "5m", "values": {"namespace": "last", "database": "claim"},
                "chart": {"spec": {"chart": "other", "sourceRef": {"kind": "HelmRepository", "name": "none"}}}}});
        Sandbox::shared().apply(&claim.to_string()).unwrap();
    };
    refused(
        "last_claim",
        &claim,
        "refused: HelmRelease stage-last-look/late still claims last_claim",
    );
    kubectl(&["delete", "helmrelease", "-n", stage.namespace, "late"]);

    let replaced = || {
        kubectl(&["delete", "pod", "-n", stage.namespace, "db-0", "--now"]);
        stage.pod("db-0", &USUAL);
    };
    refused(
        "last_pod",
        &replaced,
        "since the plan was made, pod stage-last-look/db-0 has been replaced or is not ready",
    );
}

#[test]
fn documents_that_are_written_meanwhile_need_a_word_of_their_own() {
    let stage = Stage::new("stage-writes");
    let write = |id: &str| stage.front.write_document("busy_db", id).unwrap();
    stage.front.create_database("busy_db", 1).unwrap();
    let said = typed(&stage, "busy_db", || write("one"), "busy_db\r");
    assert_eq!(said.code, 4, "{}", said.stdout);
    for told in [
        "refused: documents were written since the plan was made (now 2)",
        "stop what writes, then run this again; or take it on: --accept=writes",
    ] {
        assert!(said.stdout.contains(told), "{}", said.stdout);
    }
    assert_eq!(stage.deletes(), 0);
    let accept = ["--accept=writes"];
    let said = typed_with(&stage, "busy_db", &accept, || write("two"), "busy_db\r");
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert!(!stage.front.exists("busy_db"));
}
