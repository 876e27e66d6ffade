//! Text of a cluster, a kubeconfig, a file or a flag that tries to steer the terminal or to begin a line of its own.

use crate::run::{Told, skvs, steering};
use crate::server::Listener;
use serde_json::{Value, json};

/// Clears the screen, sets a title, forges a line, and hides and turns what follows: C0, C1, bidirectional, without width.
const NASTY: &str =
    "a\u{1b}[2J\u{1b}]0;t\u{7}\nerror: forged\r\nhint: forged\u{9b}31m\u{202e}x\u{200b}";
/// What a line of it would begin with if it had begun one.
const FORGED: [&str; 2] = ["error: forged", "hint: forged"];

/// Every stream of it is read by a person.
fn harmless(told: &Told) {
    for stream in [&told.stdout, &told.stderr] {
        assert_eq!(steering(stream), None, "{told}");
        for line in stream.lines() {
            assert!(!FORGED.iter().any(|f| line.starts_with(f)), "{told}");
        }
    }
}

fn helm_release(name: &str, values: Value) -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {
            "name": name, "namespace": "flux-system", "uid": name, "generation": 1, "resourceVersion": "1",
            "creationTimestamp": "2026-11-24T10:00:00Z",
            "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding", "nasty": NASTY},
        },
        "spec": {"interval": "5m", "values": values, "targetNamespace": NASTY, "serviceAccountName": NASTY},
        "status": {"observedGeneration": 1, "conditions": [
            {"type": "Ready", "status": "False", "reason": NASTY, "message": NASTY, "observedGeneration": 1,
             "lastTransitionTime": "2026-11-24T10:00:00Z"},
        ]},
    })
}

#[test]
fn saved_objects_steer_nothing() {
    let values = json!({"namespace": NASTY, "database": NASTY, "serviceAccounts": [NASTY], "encryption": NASTY});
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": NASTY, "namespace": "flux-system"},
        "type": "Warning", "reason": NASTY, "message": NASTY,
        "involvedObject": {"kind": "HelmRelease", "name": "one", "namespace": "flux-system", "uid": "one"},
    });
    let items = [
        helm_release("one", values.clone()),
        helm_release("two", values),
        helm_release(NASTY, json!({"namespace": "a", "database": "b"})),
        event,
    ];
    let saved = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    for words in [
        &["list", "-f", "saved.json"][..],
        &["list", "-f", "saved.json", "-o", "wide", "--show-labels"],
        &["list", "-f", "saved.json", "-o", "name"],
        &["list", "-f", "saved.json", "-o", "yaml"],
        &["list", "-f", "saved.json", "-o", "json"],
        &[
            "list",
            "-f",
            "saved.json",
            "-o",
            "custom-columns=N:.metadata.name,M:.status.conditions[*].message",
        ],
        &["list", "-f", "saved.json", "-l", NASTY],
        &["list", "-f", "saved.json", "--database", NASTY],
        &["list", "-f", "saved.json", NASTY],
        &["describe", "one", "-f", "saved.json"],
        &["describe", "one", "-f", "saved.json", "-o", "yaml"],
        &["describe", NASTY, "-f", "saved.json"],
        &["notes", "one", "-f", "saved.json"],
        &["notes", "one", "-f", "saved.json", "--share"],
        &["troubleshoot", "-f", "saved.json"],
        &["troubleshoot", "-f", "saved.json", "-v", "9"],
        &["troubleshoot", "-f", "saved.json", "-o", "github"],
        &["troubleshoot", "-f", "saved.json", "-o", "sarif"],
        &["troubleshoot", "-f", "saved.json", "-o", "html"],
        &["troubleshoot", "one", "-f", "saved.json", "--ignore", NASTY],
        &["troubleshoot", NASTY, "two", "-f", "saved.json"],
        &["troubleshoot", "-f", "saved.json", "-f", NASTY],
    ] {
        let run = skvs(words);
        run.file("saved.json", &saved);
        harmless(&run.run());
    }
}

#[test]
fn names_in_a_kubeconfig_and_on_the_command_line_steer_nothing() {
    let name = serde_json::to_string(NASTY).unwrap();
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\ncontexts:\n- {{name: {name}, context: {{cluster: {name}, user: {name}}}}}\n\
         clusters:\n- {{name: {name}, cluster: {{server: 'http://127.0.0.1:9'}}}}\nusers:\n- {{name: {name}, user: {{token: t}}}}\n"
    );
    for words in [
        &["list"][..],
        &["list", "-v", "6"],
        &["list", "--context", NASTY, "-n", NASTY],
        &["list", "--context", "no\u{1b}[2J\nhint: forged"],
        &["list", "--cluster", NASTY, "--user", "no\u{1b}[2J"],
        &["list", "--kubeconfig", "no\u{1b}[2J\nhint: forged"],
        &["list", "-s", "http://127.0.0.1:9/\u{9b}31m"],
        &["troubleshoot", NASTY],
        &["databases", NASTY],
        &["delete-db", NASTY],
        &["delete-db", "a_b", "--context", NASTY, "--confirm", NASTY],
        &["delete-db", "a_b", "--record", "no/\u{1b}[2J\nhint: forged"],
        &["backup", "a_b", "--to", "no/\u{1b}[2J\nhint: forged"],
        &["restore", "no\u{1b}[2J\nhint: forged", "--to", "a_b"],
        &["capture", "--to", "no/\u{1b}[2J\nhint: forged"],
        &["explain", NASTY],
        &[NASTY],
        &["list", "-o", NASTY],
        &["version"],
    ] {
        let run = skvs(words);
        run.file(".kube/config", &kubeconfig);
        harmless(&run.run());
    }
}

#[test]
fn a_servers_answers_and_its_log_lines_steer_nothing() {
    let status = |code: u16, reason: &str| {
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": NASTY,
               "details": {"name": NASTY, "kind": NASTY, "causes": [{"message": NASTY, "reason": NASTY, "field": NASTY}]}})
        .to_string()
    };
    let list = json!({"kind": "HelmReleaseList", "apiVersion": "helm.toolkit.fluxcd.io/v2", "metadata": {"resourceVersion": "1"},
        "items": [helm_release("one", json!({"namespace": NASTY, "database": NASTY})), helm_release(NASTY, json!({"namespace": NASTY, "database": NASTY}))]})
    .to_string();
    for (code, body) in [
        (200, list),
        (200, NASTY.to_owned()),
        (403, status(403, "Forbidden")),
        (403, status(403, NASTY)),
        (404, status(404, "NotFound")),
        (422, status(422, "Invalid")),
        (500, status(500, "InternalError")),
        (502, NASTY.to_owned()),
    ] {
        for words in [
            &["list", "-v", "9"][..],
            &["troubleshoot", "one"],
            &["describe", "one"],
            &["databases"],
            &["delete-db", "a_b", "--dry-run", "-v", "9"],
            &["version"],
        ] {
            let server = Listener::answering(code, &body);
            harmless(&skvs(words).server(&server.http()).run());
        }
    }
}
