//! Several databases in one run: each its own plan and confirmation, and what one's end means for the next.

use super::stage::Stage;
use crate::harness::{RunOutput, skvs};
use crate::terminal::Terminal;
use serde_json::json;
use testbed::couchdb::Fault;

/// A run for these, each confirmed.
fn delete(stage: &Stage, databases: &[&str]) -> RunOutput {
    let mut args = vec![
        "delete-db",
        "--couchdb-namespace",
        stage.namespace,
        "--context",
        "sandbox",
    ];
    for database in databases {
        args.extend([database, "--confirm", database]);
    }
    skvs(args).run()
}

#[test]
fn one_that_is_refused_or_not_there_keeps_no_other_from_its_turn() {
    let stage = Stage::new("stage-several");
    for name in ["several_one", "several_two"] {
        stage.front.create_database(name, 1).unwrap();
    }
    // Claimed, not there, and twice the same.
    let names = [
        "several_one",
        "pds_database",
        "several_none",
        "several_two",
        "several_one",
    ];
    let said = delete(&stage, &names);
    assert_eq!(
        said.stdout,
        "database \"several_one\" deleted from stage-several namespace\ndatabase \"several_two\" deleted from stage-several namespace\n"
    );
    let stderr = said.failed(4);
    let start = "4 databases: several_one, pds_database, several_none, several_two\n\n1 of 4: several_one\n";
    assert!(stderr.starts_with(start), "{stderr}");
    assert!(stderr.contains("\n\n4 of 4: several_two\n"), "{stderr}");
    assert!(stderr.contains("still claims pds_database\n"), "{stderr}");
    assert!(
        stderr.contains("database \"several_none\" not found"),
        "{stderr}"
    );
    assert!(
        stderr.ends_with(
            "2 of 4 databases deleted; not: pds_database (refused), several_none (failed).\n"
        ),
        "{stderr}"
    );
    assert_eq!(stage.deletes(), 2);
}

#[test]
fn an_outcome_that_is_not_known_ends_the_run() {
    let stage = Stage::new("stage-several-stop");
    for name in ["stop_one", "stop_two", "stop_three"] {
        stage.front.create_database(name, 1).unwrap();
    }
    stage
        .front
        .plant(Fault::drop_connection("DELETE", "/stop_two"));
    let said = delete(&stage, &["stop_one", "stop_two", "stop_three"]);
    assert_eq!(said.stdout.lines().count(), 1);
    let stderr = said.failed(5);
    assert!(
        stderr.ends_with(
            "1 of 3 databases deleted; not: stop_two (not known), stop_three (not tried).\n"
        ),
        "{stderr}"
    );
    assert!(stage.front.exists("stop_three"));
    assert_eq!(stage.deletes(), 2);
    // What CouchDB refuses is not asked of it again: a few failures lock the account.
    let body = json!({"error": "unauthorized", "reason": "You are not a server admin."});
    stage
        .front
        .plant(Fault::answer("DELETE", "/stop_two", 401, body));
    let stderr = delete(&stage, &["stop_two", "stop_three"]).failed(4);
    assert!(stderr.contains("stop_three (not tried)"), "{stderr}");
    assert!(stage.front.exists("stop_three"));
}

#[test]
fn a_confirmation_that_lacks_a_name_or_has_one_too_many_deletes_nothing() {
    let stage = Stage::new("stage-several-confirm");
    for name in ["each_one", "each_two"] {
        stage.front.create_database(name, 1).unwrap();
    }
    let run = |more: &[&str]| {
        let args = [&["each_two"][..], more].concat();
        skvs(stage.args("each_one", &args)).run().failed(4)
    };
    let stderr = run(&["--confirm", "each_one"]);
    assert!(
        stderr.contains("--confirm does not name each_two"),
        "{stderr}"
    );
    let stderr = run(&[
        "--confirm",
        "each_one",
        "--confirm",
        "each_two",
        "--confirm",
        "each_three",
    ]);
    assert!(stderr.contains("--confirm says \"each_three\""), "{stderr}");
    assert!(stage.front.requests().is_empty());
    let args = stage.args("each_one", &["each_two", "--dry-run"]);
    let said = skvs(args).run();
    assert!(
        said.stderr
            .ends_with("2 of 2 databases could be deleted.\n"),
        "{}",
        said.stderr
    );
    assert_eq!(
        said.ok(),
        "dry run: nothing was deleted; would delete database \"each_one\" from stage-several-confirm namespace\n\
         dry run: nothing was deleted; would delete database \"each_two\" from stage-several-confirm namespace\n"
    );
}

#[test]
fn orphans_are_those_that_nobody_claims_and_each_is_confirmed() {
    let stage = Stage::new("stage-orphans");
    let there = ["orphans_one", "orphans_two", "pds_database", "lima_events"];
    for name in there {
        stage.front.create_database(name, 1).unwrap();
    }
    let run = |more: &[&str]| {
        let args = [
            "delete-db",
            "--orphans",
            "--couchdb-namespace",
            stage.namespace,
            "--context",
            "sandbox",
        ];
        skvs([&args[..], more].concat()).run()
    };
    let (one, two) = ("orphans_one", "orphans_two");
    let stderr = run(&["--confirm", one]).failed(4);
    assert!(
        stderr.contains("--confirm does not name orphans_two"),
        "{stderr}"
    );
    let stderr = run(&[
        "--confirm",
        one,
        "--confirm",
        two,
        "--confirm",
        "pds_database",
    ])
    .failed(4);
    assert!(
        stderr.contains("--confirm says \"pds_database\""),
        "{stderr}"
    );
    let stderr = run(&[]).failed(4);
    assert!(
        stderr.contains("--context NAME --confirm orphans_one --confirm orphans_two\n"),
        "{stderr}"
    );
    run(&["orphans_one"]).failed(2);
    // Each plan has its token, whatever the order.
    let plans: serde_json::Value =
        serde_json::from_str(&run(&["--dry-run", "-o", "json"]).ok()).unwrap();
    let tokens: Vec<&str> = plans["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|p| p["token"].as_str().unwrap())
        .collect();
    assert_eq!(tokens.len(), 2);
    let confirmed = ["--confirm", one, "--confirm", two];
    let stderr = run(&[&confirmed[..], &["--plan", tokens[0]]].concat()).failed(2);
    assert!(
        stderr.contains("--plan is given 1 times for 2 databases"),
        "{stderr}"
    );
    assert_eq!(stage.deletes(), 0);
    let planned = [&confirmed[..], &["--plan", tokens[0], "--plan", tokens[1]]].concat();
    let said = run(&planned);
    assert!(
        said.stderr.ends_with("2 of 2 databases deleted.\n"),
        "{}",
        said.stderr
    );
    assert!(stage.front.exists("pds_database"));
    let again = run(&[]);
    assert!(
        again.stderr.contains("No orphans found."),
        "{}",
        again.stderr
    );
    assert_eq!(again.ok(), "");
}

#[test]
fn more_orphans_than_databases_in_use_are_a_risk_of_their_own() {
    let stage = Stage::new("stage-many-orphans");
    for name in ["many_one", "many_two", "pds_database"] {
        stage.front.create_database(name, 1).unwrap();
    }
    let args = [
        "delete-db",
        "--orphans",
        "--couchdb-namespace",
        stage.namespace,
        "--context",
        "sandbox",
    ];
    let run = |more: &[&str]| skvs([&args[..], more].concat()).run();
    let what = "more databases are orphans (2) than are in use (1)";
    let both = ["--confirm", "many_one", "--confirm", "many_two"];
    let stderr = run(&both).failed(4);
    assert!(
        stderr.contains(&format!("refused: {what}"))
            && stderr.contains("or take it on: --accept=many-orphans\n"),
        "{stderr}"
    );
    // A rehearsal says so, and fails where the deletion would.
    let said = run(&["--dry-run"]);
    assert!(said.stderr.contains(&format!("Warning: {what}")));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(run(&[&both[..], &["--dry-run"]].concat()).code, 4);

    // A person types how many there are.
    let typed = |answer: &str| {
        let mut terminal = Terminal::skvs(&args);
        terminal.expect(what);
        terminal.expect("Type the number of databases to go on: ");
        terminal.press(answer);
        terminal
    };
    for answer in ["\r", "y\r", "1\r", "many_one\r", "\u{4}"] {
        let said = typed(answer).end();
        assert_eq!(said.code, 4, "{answer:?}: {}", said.stdout);
        assert!(
            said.stdout.contains("nothing was deleted"),
            "{}",
            said.stdout
        );
    }
    let said = typed("\u{3}").end();
    assert_eq!(said.code, 130, "{}", said.stdout);
    assert_eq!(stage.deletes(), 0);
    let mut terminal = typed("2\r");
    terminal.expect("Type many_one to delete it: ");
    terminal.press("many_one\r");
    terminal.expect("Type many_two to delete it: ");
    terminal.press("\r");
    let said = terminal.end();
    assert_eq!(said.code, 4, "{}", said.stdout);
    assert!(
        said.stdout
            .contains("1 of 2 databases deleted; not: many_two (not confirmed)."),
        "{}",
        said.stdout
    );
    assert!(!stage.front.exists("many_one") && stage.front.exists("many_two"));

    stage.front.create_database("many_one", 1).unwrap();
    let said = run(&[&both[..], &["--accept=many-orphans"]].concat());
    assert!(said.stderr.contains(&format!("Warning: {what}")));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(
        stage
            .front
            .databases()
            .iter()
            .filter(|d| d.starts_with("many_"))
            .count(),
        0
    );
    // Nothing asked for it.
    stage.front.create_database("many_one", 1).unwrap();
    let one = ["--confirm", "many_one", "--accept=many-orphans"];
    let said = run(&one);
    assert!(
        said.stderr.contains("--accept many-orphans was not needed"),
        "{}",
        said.stderr
    );
    said.ok();
}
