//! The trace of a deletion: Events on CouchDB's pod, and the record on this machine.

use super::stage::{Stage, claims};
use crate::harness::{Skvs, kubectl, skvs};
use serde_json::{Value, json};
use std::time::Duration;
use testbed::Sandbox;
use testbed::couchdb::Fault;

/// The Events that the plugin has written about a stage's pod, in their order.
fn events(stage: &Stage) -> Vec<Value> {
    let told = kubectl(&[
        "get",
        "events",
        "-n",
        stage.namespace,
        "--field-selector",
        "reportingComponent=kubectl-skvs,involvedObject.kind=Pod",
        "-o",
        "json",
    ]);
    let list: Value = serde_json::from_str(&told).expect("JSON");
    let mut events = list["items"].as_array().expect("a list").clone();
    events.sort_by_key(|e| e["metadata"]["creationTimestamp"].to_string());
    events
}

fn reasons(stage: &Stage) -> Vec<String> {
    let mut reasons: Vec<String> = events(stage)
        .iter()
        .map(|e| e["reason"].as_str().expect("a reason").to_owned())
        .collect();
    reasons.sort();
    reasons
}

#[test]
fn a_deletion_is_told_on_the_pod_and_recorded() {
    let stage = Stage::new("stage-trace");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.jsonl");
    let record = file.to_str().unwrap();
    for name in ["trace_one", "trace_two"] {
        stage.front.create_database(name, 2).unwrap();
    }
    // A rehearsal asks whether it could, and leaves nothing.
    let dry = ["--dry-run", "--record", record];
    assert_eq!(skvs(stage.args("trace_one", &dry)).run().code, 0);
    assert!(events(&stage).is_empty() && !file.exists());

    let pod: Value = serde_json::from_str(&kubectl(&[
        "get",
        "pod",
        "-n",
        stage.namespace,
        "db-0",
        "-o",
        "json",
    ]))
    .unwrap();
    let more = ["--confirm", "trace_one", "--record", record];
    skvs(stage.args("trace_one", &more)).run().ok();
    assert_eq!(
        reasons(&stage),
        ["DatabaseDeleted", "DatabaseDeletionStarted"]
    );
    for event in events(&stage) {
        assert_eq!(event["involvedObject"]["uid"], pod["metadata"]["uid"]);
        assert_eq!(event["type"], "Normal");
        let message = event["message"].as_str().unwrap();
        for part in ["trace_one", "context sandbox", " from "] {
            assert!(message.contains(part), "{message}");
        }
    }
    let timeout = json!({"error": "error", "reason": "timeout"});
    let fault = Fault::answer("DELETE", "/trace_two", 500, timeout);
    stage.front.plant(fault);
    let more = [
        "--confirm",
        "trace_two",
        "--record",
        record,
        "--timeout",
        "2s",
    ];
    skvs(stage.args("trace_two", &more)).run().failed(5);
    assert!(reasons(&stage).contains(&"DatabaseDeletionUnknown".to_owned()));

    let lines: Vec<Value> = std::fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let told: Vec<(&str, &str)> = lines
        .iter()
        .map(|l| {
            (
                l["stage"].as_str().unwrap(),
                l["outcome"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("started", ""),
            ("ended", "deleted"),
            ("started", ""),
            ("ended", "unknown")
        ]
    );
    assert_eq!(lines[0]["id"], lines[1]["id"]);
    assert_eq!(lines[0]["database"]["documents"], 2);
    assert_eq!(lines[0]["pod"]["uid"], pod["metadata"]["uid"]);
    // As the API server knows the user.
    let whoami = kubectl(&[
        "auth",
        "whoami",
        "-o",
        "jsonpath={.status.userInfo.username}",
    ]);
    assert_eq!(lines[0]["user"], whoami.as_str());
    assert_eq!(lines[3]["exitCode"], 5);
}

#[test]
fn what_cannot_be_traced_is_said_before_anything_is_deleted() {
    let stage = Stage::new("stage-no-trace");
    stage.front.create_database("no_trace", 1).unwrap();
    let api = "rbac.authorization.k8s.io";
    let rules = json!([
        {"apiGroups": ["helm.toolkit.fluxcd.io"], "resources": ["helmreleases"], "verbs": ["list"]},
        claims(),
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
    ]);
    let role = json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": "delete-no-trace"}, "rules": rules});
    let binding = json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "delete-no-trace"},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "delete-no-trace"},
        "subjects": [{"apiGroup": api, "kind": "User", "name": "delete-no-trace"}]});
    let kubeconfig = Sandbox::shared()
        .user("delete-no-trace", &[], &format!("{role}\n---\n{binding}"))
        .unwrap();
    let run = |more: &[&str]| {
        let args = [&["--confirm", "no_trace"][..], more].concat();
        Skvs::with(&kubeconfig, stage.args("no_trace", &args)).run()
    };
    let why =
        "no Event about the deletion can be written: forbidden (create events in stage-no-trace)";
    let stderr = run(&["--require-trace"]).failed(4);
    assert!(stderr.contains(&format!("refused: {why}")), "{stderr}");
    let nowhere = "/no/such/folder/record";
    let stderr = run(&["--record", nowhere]).failed(1);
    assert!(
        stderr
            .contains("cannot write the record /no/such/folder/record: no such file or directory"),
        "{stderr}"
    );
    assert_eq!(stage.deletes(), 0);
    // RunOutput with the plan, so that a person reads it before the question.
    let said = run(&["--dry-run"]);
    assert!(
        said.stderr.contains(&format!("Warning: {why}")),
        "{}",
        said.stderr
    );
    let said = run(&[]);
    assert!(
        said.stderr.contains(&format!("Warning: {why}")),
        "{}",
        said.stderr
    );
    said.ok();
    assert!(events(&stage).is_empty());
    testbed::wait("the deletion", Duration::from_secs(10), || {
        (!stage.front.exists("no_trace")).then_some(())
    })
    .unwrap();
}
