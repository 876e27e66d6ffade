//! The question on a terminal, and what ends a run from outside.

use super::stage::{Stage, USUAL};
use crate::harness::{RunOutput, kubectl, skvs};
use crate::terminal::Terminal;
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use testbed::Sandbox;
use testbed::couchdb::Fault;

/// The end of the question, behind which the cursor stands.
const QUESTION: &str = " to delete it: ";

/// Starts a run, waits until the front has seen a request, and sends a signal.
fn interrupt_at(
    stage: &Stage,
    signal: &str,
    database: &str,
    method: &str,
    path: &str,
) -> RunOutput {
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
    RunOutput::from(child.wait_with_output().expect("it ends"))
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

/// A run on a terminal of its own. What happens `meanwhile` happens while the question stands, which then gets `answer`.
fn typed(stage: &Stage, database: &str, meanwhile: impl FnOnce(), answer: &str) -> RunOutput {
    typed_with(stage, database, &[], meanwhile, answer)
}

/// The same with more flags.
fn typed_with(
    stage: &Stage,
    database: &str,
    more: &[&str],
    meanwhile: impl FnOnce(),
    answer: &str,
) -> RunOutput {
    let mut terminal = Terminal::skvs(&stage.args(database, more));
    terminal.expect(QUESTION);
    meanwhile();
    terminal.press(answer);
    terminal.end()
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
    let mut terminal = Terminal::skvs(&stage.args("typed_db", &[]));
    terminal.expect(QUESTION);
    terminal.close();
    let said = terminal.end();
    assert_eq!(said.code, 4, "{}", said.stdout);
    assert!(said.stdout.contains("the input ended"), "{}", said.stdout);
    assert_eq!(stage.deletes(), 0);
    let said = typed(&stage, "typed_db", || (), "typed_dx\u{7f}b\r");
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
            "refused: since the plan was made, the database is another one, or was created again",
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
        "refused: HelmRelease stage-last-look/late names last_claim",
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
        "stop the writer, then run this again; or take it on: --accept=writes",
    ] {
        assert!(said.stdout.contains(told), "{}", said.stdout);
    }
    assert_eq!(stage.deletes(), 0);
    let accept = ["--accept=writes"];
    let said = typed_with(&stage, "busy_db", &accept, || write("two"), "busy_db\r");
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert!(!stage.front.exists("busy_db"));
}

#[test]
fn what_is_typed_before_the_question_is_no_answer() {
    let stage = Stage::new("stage-ahead");
    stage.front.create_database("ahead_db", 1).unwrap();
    for (ahead, answer, why) in [
        ("ahead_db\r", "\r", "not confirmed: nothing was typed"),
        ("ahead_db\r", "\u{4}", "not confirmed: the input ended"),
        ("ahead_", "db\r", "not confirmed: \"db\" is not ahead_db"),
    ] {
        let mut terminal = Terminal::skvs(&stage.args("ahead_db", &[]));
        terminal.press(ahead);
        // The terminal shows it, long before the card.
        terminal.expect("ahead_");
        terminal.expect("This deletes a database");
        terminal.expect(QUESTION);
        terminal.press(answer);
        let said = terminal.end();
        assert_eq!(said.code, 4, "{ahead:?}: {}", said.stdout);
        assert!(said.stdout.contains(why), "{ahead:?}: {}", said.stdout);
        assert_eq!(stage.deletes(), 0);
    }
}

/// A shell that says how the plugin ended, and then the line that is typed next.
const SHELL: &str = "PLUGIN; echo ended $?; read -r rest; echo \"rest [$rest]\"";

/// What the shell reads after the plugin ended is what is typed then.
#[track_caller]
fn the_shell_reads_nothing_else(mut terminal: Terminal, code: i32) -> RunOutput {
    terminal.expect(&format!("ended {code}"));
    terminal.press("later\r");
    terminal.expect("rest [later]");
    terminal.end()
}

#[test]
fn the_rest_of_a_paste_answers_nothing_and_does_not_reach_the_shell() {
    let stage = Stage::new("stage-paste");
    for database in ["paste_a", "paste_b"] {
        stage.front.create_database(database, 1).unwrap();
    }
    let mut terminal = Terminal::shell(SHELL, &stage.args("paste_a", &[]));
    terminal.expect(QUESTION);
    terminal.press("wrong\rpaste_a\r");
    the_shell_reads_nothing_else(terminal, 4);
    assert_eq!(stage.deletes(), 0);

    let two = stage.args("paste_a", &["paste_b"]);
    let mut terminal = Terminal::shell(SHELL, &two);
    terminal.expect(QUESTION);
    terminal.press("paste_a\rpaste_b\r");
    terminal.expect(QUESTION);
    terminal.press("\u{4}");
    terminal.expect("1 of 2 databases deleted; not: paste_b (not confirmed).");
    the_shell_reads_nothing_else(terminal, 4);
    assert!(!stage.front.exists("paste_a") && stage.front.exists("paste_b"));

    let mut terminal = Terminal::shell(SHELL, &stage.args("paste_b", &[]));
    terminal.expect(QUESTION);
    terminal.press("paste_b\rls\r");
    the_shell_reads_nothing_else(terminal, 0);
    assert!(!stage.front.exists("paste_b"));
}

#[test]
fn an_answer_to_a_question_that_does_not_come_does_not_reach_the_shell() {
    let stage = Stage::new("stage-no-question");
    stage.front.create_database("none_db", 1).unwrap();
    let member = stage.front.members()[1].clone();
    stage.front.set_up(&member, false);
    let mut terminal = Terminal::shell(SHELL, &stage.args("none_db", &[]));
    terminal.press("none_db\r");
    terminal.expect("This deletes a database");
    let said = the_shell_reads_nothing_else(terminal, 4);
    assert!(!said.stdout.contains(QUESTION), "{}", said.stdout);
}

#[test]
fn after_a_suspension_the_question_is_asked_again() {
    let stage = Stage::new("stage-suspended");
    stage.front.create_database("back_db", 1).unwrap();
    let mut terminal = Terminal::shell("set -m; PLUGIN; fg", &stage.args("back_db", &[]));
    terminal.expect(QUESTION);
    terminal.press("wrong\u{1a}");
    terminal.expect("Type back_db to delete it: ");
    assert_eq!(stage.deletes(), 0);
    terminal.press("back_db\r");
    let said = terminal.end();
    assert_eq!(said.code, 0, "{}", said.stdout);
    assert!(!stage.front.exists("back_db"));
}
