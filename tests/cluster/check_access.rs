//! `check-access` on the sandbox's onboardings, whose policies, pods and Services are real objects.

use crate::harness::{RunOutput, skvs};
use crate::json_schema;
use serde_json::Value;
use testbed::Sandbox;

/// A pod of the account, with a sidecar.
const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: golf-api, namespace: golf}
spec:
  serviceAccountName: golf-api
  containers:
    - {name: istio-proxy, image: istio/proxyv2:1.14.3}
    - {name: api, image: golf/api:1}
";

/// A policy for everything in the mesh, which concerns one method only.
const DENY: &str = "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-deletions, namespace: istio-system}
spec:
  action: DENY
  rules:
    - to: [{operation: {methods: [DELETE]}}]
";

fn check(database: &str, account: &str) -> RunOutput {
    skvs(["check-access", database, "--service-account", account]).run()
}

#[test]
fn the_verdict_is_the_policies_and_yes_only_if_all_is_known() {
    let sandbox = Sandbox::shared();
    sandbox.apply(POD).expect("a pod");
    let said = check("golf_sessions", "golf/golf-api");
    assert_eq!(
        said.row("Verdict:"),
        "Verdict: yes: the policies of the endpoint's pods let golf/golf-api use golf_sessions",
        "{}",
        said.stdout
    );
    assert!(said.stderr.contains(" -c istio-proxy"), "{}", said.stderr);
    said.ok();

    let words = [
        "check-access",
        "golf_sessions",
        "--service-account",
        "golf/golf-api",
        "-o",
        "json",
    ];
    let check_: Value = serde_json::from_str(&skvs(words).run().ok()).expect("JSON");
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/access-check.v1.json"
    );
    let schema = std::fs::read_to_string(file).expect("the schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(json_schema::faults(&schema, &check_), [""; 0]);
    assert_eq!(check_["principal"], "cluster.local/ns/golf/sa/golf-api");
    let endpoint = "http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984";
    assert_eq!(check_["endpoint"], endpoint);

    // The same policy names it, and no pod of it shows that it has a sidecar.
    let said = check("golf_sessions", "golf/golf-worker");
    assert!(
        said.stdout.contains("no pod runs as golf/golf-worker"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("lets it in"), "{}", said.stdout);
    said.failed(1);

    let said = check("golf_sessions", "papa/papa");
    assert!(
        said.stdout
            .contains("no: no ALLOW policy of the pods lets it in"),
        "{}",
        said.stdout
    );
    assert!(
        said.failed(3)
            .contains("kubectl skvs troubleshoot skvs-onboarding-golf--sessions")
    );
    let said = check("golf_sessions", "golf/nobody");
    assert!(
        said.stdout
            .contains("no: the service account golf/nobody does not exist"),
        "{}",
        said.stdout
    );
    said.failed(3);
    // Two claim it, and one of them was never installed.
    let said = check("pds_database", "pds/pds");
    assert!(said.stdout.contains("unknown: "), "{}", said.stdout);
    said.failed(1);
    let said = check("nobody_database", "pds/pds");
    assert!(
        said.stdout.contains("no onboarding claims nobody_database"),
        "{}",
        said.stdout
    );
    said.failed(1);

    sandbox.apply(DENY).expect("a policy");
    let said = check("golf_sessions", "golf/golf-api");
    sandbox
        .kubectl_ok(&[
            "delete",
            "authorizationpolicies",
            "-n",
            "istio-system",
            "no-deletions",
        ])
        .expect("it is deleted");
    assert!(
        said.stdout.contains(
            "no: GET, HEAD, POST, PUT only: istio-system/no-deletions: a DENY policy refuses it"
        ),
        "{}",
        said.stdout
    );
    said.failed(3);
}
