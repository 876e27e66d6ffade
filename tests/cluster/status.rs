//! `status` on the sandbox's onboardings and shared CouchDB, and on a CouchDB of a test's own.

use crate::delete_db::stage::Stage;
use crate::harness::{Following, RunOutput, Skvs, skvs};
use crate::json_schema;
use crate::terminal::Terminal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testbed::Sandbox;
use testbed::couchdb::{Fault, ORPHAN};

/// The lines of a text with their blanks made one, each with those that it was folded into.
fn flat(said: &RunOutput) -> String {
    let words = said.stdout.split_whitespace().collect::<Vec<_>>();
    words.join(" ")
}

fn document(said: &RunOutput) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {}", said.stderr))
}

#[test]
fn one_screen_has_what_the_commands_say_one_by_one() {
    let said = skvs(["status"]).run();
    assert_eq!(said.code, 3, "{}\n{}", said.stdout, said.stderr);
    let text = flat(&said);
    for part in [
        " in flux-system: ",
        "3 of 3 members up, 3 of 3 pods ready",
        "HelmRepository flux-system/wit-artifactory: Ready, last changed ",
        ORPHAN,
        "pds_database (claimed by ",
        "(SKVS301)",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{}", said.stdout);
    }
    assert!(
        said.stderr.contains("kubectl skvs troubleshoot"),
        "{}",
        said.stderr
    );

    let said = skvs(["status", "-o", "html"]).run();
    assert_eq!((said.code, said.stderr.as_str()), (3, ""));
    for part in [
        "<!doctype html>",
        "3 of 3 members up, 3 of 3 pods ready",
        "<span class=\"state\">broken: <a href=\"#cause-",
        "<h2>Not checked</h2>",
    ] {
        assert!(
            said.stdout.contains(part),
            "{part:?} is not in\n{}",
            said.stdout
        );
    }

    let said = skvs(["status", "-A", "-o", "json", "-v", "6"]).run();
    assert_eq!(said.code, 3, "{}", said.stderr);
    let execs = said.stderr.lines().filter(|l| l.contains("/exec?"));
    assert_eq!(execs.count(), 1, "{}", said.stderr);
    let status = document(&said);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/status.v1.json");
    let schema = std::fs::read_to_string(file).expect("the schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(json_schema::faults(&schema, &status), [""; 0]);
    // Other tests add and remove their own; the seeds stay.
    let orphans = skvs(["databases", "--orphans", "-o", "name"]).run().ok();
    let attention = status["databases"]["attention"].as_array().expect("a list");
    let named: BTreeSet<&str> = attention
        .iter()
        .filter(|d| d["state"] == "orphan")
        .filter_map(|d| d["name"].as_str())
        .collect();
    assert!(orphans.lines().any(|name| name == ORPHAN) && named.contains(ORPHAN));
    let report = skvs(["troubleshoot", "-A", "-o", "json"]).run();
    let codes = |document: &Value| -> BTreeSet<String> {
        let causes = document["causes"].as_array().expect("a list");
        let seeds = causes.iter().filter(|cause| {
            let names = cause["onboardings"].to_string();
            names.contains("skvs-onboarding-") && !names.contains("zulu")
        });
        seeds
            .map(|c| format!("{} {}", c["code"], c["subject"]))
            .collect()
    };
    assert_eq!(codes(&status), codes(&document(&report)));
}

#[test]
fn what_is_missing_elsewhere_is_told_with_0_and_a_member_that_is_down_with_3() {
    let stage = Stage::new("stage-status-code");
    let front = &stage.front;
    front
        .create_database("status_orphan", 1)
        .expect("a database");
    // No onboarding is in this namespace, and this CouchDB has none of the databases that those elsewhere claim.
    let words = [
        "status",
        "-n",
        "default",
        "--couchdb-namespace",
        stage.namespace,
    ];
    let said = skvs(words).run();
    assert_eq!(said.code, 0, "{}\n{}", said.stdout, said.stderr);
    let text = flat(&said);
    assert!(
        text.contains(
            " missing databases of other namespaces Onboardings: none in default Databases: "
        ),
        "{text}"
    );
    assert!(text.contains("Orphans: status_orphan"), "{text}");

    let away = front.members()[1].clone();
    front.set_up(&away, false);
    let said = skvs(words).run();
    assert_eq!(said.code, 3, "{}\n{}", said.stdout, said.stderr);
    let down = format!("2 of 3 members up (not up: {away})");
    assert!(flat(&said).contains(&down), "{}", said.stdout);
    front.set_up(&away, true);

    front.plant(Fault::answer(
        "GET",
        "/_membership",
        500,
        json!({"error": "x", "reason": "y"}),
    ));
    let said = skvs(words).run();
    assert_eq!(said.code, 1, "{}\n{}", said.stdout, said.stderr);
    let text = flat(&said);
    assert!(text.contains("members not known"), "{text}");
    assert!(
        text.contains("Not read: CouchDB's members: CouchDB answered 500"),
        "{text}"
    );
    assert!(
        text.contains(" in what was read; 1 part was not read"),
        "{text}"
    );
}

#[test]
fn what_may_not_be_read_is_named_and_never_fine() {
    let lists = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "status-less"},
        "rules": [{"apiGroups": ["helm.toolkit.fluxcd.io"], "resources": ["helmreleases"], "verbs": ["list"]}]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "status-less"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "status-less"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "status-less"}]});
    let user = Sandbox::shared()
        .user(
            "status-less",
            &["status-less"],
            &format!("{lists}\n---\n{binding}"),
        )
        .expect("a user");
    let said = Skvs::with(&user, ["status", "-n", "default"]).run();
    assert_eq!(said.code, 1, "{}\n{}", said.stdout, said.stderr);
    let text = flat(&said);
    for part in [
        "Databases: not known",
        "members not known, pods not known",
        "Helm's Secrets of all namespaces",
        "CouchDB's databases and members: forbidden (list pods in secure-kvs)",
        "more may be wrong",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{}", said.stdout);
    }
    let said = skvs(["status", "-n", "default", "--no-exec"]).run();
    assert_eq!(said.code, 1, "{}", said.stdout);
    assert!(
        flat(&said).contains("left out by --no-exec"),
        "{}",
        said.stdout
    );
}

/// `status -w` of a namespace without onboardings, on the CouchDB of a stage.
fn watching(stage: &Stage) -> [&'static str; 6] {
    let namespace = stage.namespace;
    [
        "status",
        "-w",
        "-n",
        "default",
        "--couchdb-namespace",
        namespace,
    ]
}

/// The second drawing is in place of the first one, and a CouchDB that has refused the password is not asked again.
#[test]
fn a_watch_draws_in_place_and_asks_no_couchdb_twice_that_refuses() {
    let stage = Stage::new("stage-status-watch");
    stage.front.plant(Fault::lockout(9));
    let words = watching(&stage);
    let mut terminal = Terminal::shell("trap : INT; PLUGIN; echo code $?", &words);
    terminal.expect("Onboardings:      none in default");
    terminal.expect("temporarily locked");
    terminal.expect("A\r\u{1b}[J");
    terminal.expect("nothing wrong in what was read; 1 part was not read");
    terminal.expect("Onboardings:      none in default");
    assert_eq!(stage.front.count("GET", "/_all_dbs"), 1);
    terminal.press("\u{3}");
    // As kubectl get -w.
    terminal.expect("code 1\r\n");
    terminal.end().ok();
}

#[test]
fn a_watch_without_a_terminal_prints_what_changes() {
    let stage = Stage::new("stage-status-pipe");
    let words = watching(&stage);
    let mut watch = Following::start(words);
    watch.until("3 of 3 members up");
    stage.front.set_up(&stage.front.members()[2].clone(), false);
    watch.until("2 of 3 members up");
    assert_eq!(watch.interrupt(), Some(1));
}
