//! What `troubleshoot` reads beyond the onboarding's own objects: CouchDB's answer, and how much it asks for in all.

use crate::harness::{kubectl, skvs};
use kubectl_skvs::cluster::gather::ON_DEMAND_REQUESTS_MAX;
use serde_json::json;
use std::time::Duration;
use testbed::Sandbox;
use testbed::couchdb::Fault;

/// Longest wait for Flux.
const LIMIT: Duration = Duration::from_secs(120);

/// An onboarding of a test, in its team's namespace: lists of the seeds' one stay as they are. It goes with the test.
struct Temporary {
    team: &'static str,
    name: String,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let sandbox = Sandbox::shared();
        let _ = sandbox.kubectl(&["delete", "helmrelease", "-n", self.team, &self.name]);
        let _ = sandbox.kubectl(&["delete", "namespace", self.team, "--wait=false"]);
    }
}

/// Applies an onboarding for the database `<team>_data` and waits for a condition.
fn onboard(team: &'static str, condition: &str) -> Temporary {
    let name = format!("skvs-onboarding-{team}--data");
    let manifest = format!(
        "
apiVersion: v1
kind: Namespace
metadata: {{name: {team}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: {team}
  labels: {{app.kubernetes.io/part-of: secure-kvs-onboarding}}
spec:
  interval: 5m
  timeout: 1m
  chart:
    spec:
      chart: secure-kvs-onboarding
      version: '<0.2.0'
      sourceRef: {{kind: HelmRepository, name: wit-artifactory, namespace: flux-system}}
      interval: 1m
  targetNamespace: core
  values: {{namespace: {team}, database: data, serviceAccounts: [{team}], encryption: true}}
"
    );
    let temporary = Temporary {
        team,
        name: name.clone(),
    };
    let sandbox = Sandbox::shared();
    sandbox.apply(&manifest).expect("the manifest is taken");
    let path = format!("jsonpath={{.status.conditions[?(@.type==\"{condition}\")].status}}");
    testbed::wait(&format!("{condition} of {name}"), LIMIT, || {
        let said = kubectl(&["get", "helmrelease", "-n", team, &name, "-o", &path]);
        (said == "True").then_some(())
    })
    .expect("Flux comes to an end");
    temporary
}

/// The text with its folds undone.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_database_that_is_gone_is_found_behind_a_ready_onboarding() {
    let onboarding = onboard("zulu-lost", "Ready");
    let name = onboarding.name.as_str();
    let well = skvs(["troubleshoot", "-n", "zulu-lost", name]).run().ok();
    assert!(well.contains("nothing found"), "{well}");

    let front = Sandbox::shared().couchdb();
    front.drop_database("zulu-lost_data").expect("it is there");
    let said = skvs(["troubleshoot", "-n", "zulu-lost", name]).run();
    assert_eq!(said.code, 3, "{}\n{}", said.stdout, said.stderr);
    let sentence = "error[SKVS323]: CouchDB does not have the database zulu-lost_data, although the onboarding is Ready";
    assert!(flat(&said.stdout).contains(sentence), "{}", said.stdout);

    let all = skvs(["troubleshoot", "-n", "zulu-lost", "-o", "json"]).run();
    assert!(all.stdout.contains("SKVS323"), "{}", all.stdout);

    let left_out = skvs(["troubleshoot", "-n", "zulu-lost", name, "--no-exec"])
        .run()
        .ok();
    let told = "not run: the database in CouchDB (left out by --no-exec)";
    assert!(flat(&left_out).contains(told), "{left_out}");

    // Where CouchDB cannot be asked the report goes on.
    for elsewhere in [["--couchdb-namespace", "core"], ["--pod", "no-such"]] {
        let words = ["troubleshoot", "-n", "zulu-lost", name]
            .into_iter()
            .chain(elsewhere);
        let said = skvs(words).run();
        assert_eq!(said.code, 0, "{}", said.stderr);
        let told = "not run: the database in CouchDB (";
        assert!(flat(&said.stdout).contains(told), "{}", said.stdout);
    }
}

/// Answered as by clusters of three, 3.5.0 and 3.2.3, for a database none of whose shards can be reached.
#[test]
fn a_database_that_couchdb_cannot_serve_is_found_behind_a_ready_onboarding() {
    let onboarding = onboard("zulu-cut", "Ready");
    let name = onboarding.name.as_str();
    let front = Sandbox::shared().couchdb();
    let body = json!({"error": "internal_server_error", "reason": "No DB shards could be opened."});
    let fault = Fault::answer("GET", "/zulu-cut_data", 500, body);
    front.plant(fault.times(3));
    let sentence = "error[SKVS324]: CouchDB has the database zulu-cut_data but cannot serve it";
    for more in [&[name][..], &[]] {
        let args = [&["troubleshoot", "-n", "zulu-cut"][..], more].concat();
        let said = skvs(args).run();
        assert_eq!(said.code, 3, "{}\n{}", said.stdout, said.stderr);
        let text = flat(&said.stdout);
        for part in [
            sentence,
            "CouchDB answered 500 internal_server_error No DB shards could be opened.",
            "kubectl get pods -n secure-kvs",
            "kubectl skvs databases zulu-cut_data -o wide",
        ] {
            assert!(text.contains(part), "no {part:?} in:\n{}", said.stdout);
        }
        assert!(!text.contains("SKVS323"), "{}", said.stdout);
    }
    let said = skvs(["databases", "zulu-cut_data", "-o", "name"]).run();
    assert_eq!(said.ok(), "zulu-cut_data\n");
    let said = skvs(["databases", "zulu-cut_data"]).run();
    assert!(said.stdout.contains("   unserved   "), "{}", said.stdout);
    said.failed(1);

    // CouchDB is well again.
    let well = skvs(["troubleshoot", "-n", "zulu-cut", name]).run().ok();
    assert!(well.contains("nothing found"), "{well}");
    front.drop_database("zulu-cut_data").expect("it is there");
}

#[test]
fn a_database_that_was_left_behind_is_told_with_its_documents() {
    let front = Sandbox::shared().couchdb();
    front
        .create_database("zulu-left_data", 3)
        .expect("a database");
    let onboarding = onboard("zulu-left", "Stalled");
    let said = skvs(["troubleshoot", "-n", "zulu-left", &onboarding.name]).run();
    assert_eq!(said.code, 3, "{}", said.stderr);
    let text = flat(&said.stdout);
    for part in [
        "error[SKVS301]: the database zulu-left_data already exists",
        "3 documents, ",
        "kubectl skvs delete-db zulu-left_data",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{}", said.stdout);
    }
    front.drop_database("zulu-left_data").expect("it is there");
}

#[test]
fn a_report_asks_for_no_more_than_it_may() {
    for (name, code) in [("golf--sessions", 0), ("iota--database", 3)] {
        let name = format!("skvs-onboarding-{name}");
        let said = skvs(["troubleshoot", &name, "-v", "6"]).run();
        assert_eq!(said.code, code, "{}", said.stderr);
        let asked: Vec<&str> = said
            .stderr
            .lines()
            .filter(|l| l.contains("GET http") || l.contains("POST http"))
            .collect();
        // The name, all onboardings, CouchDB's pods and one exec come on top.
        let most = ON_DEMAND_REQUESTS_MAX + 5;
        assert!(asked.len() as u64 <= most, "{asked:#?}");
        assert!(asked.len() < 30, "{asked:#?}");
        let execs = asked.iter().filter(|l| l.contains("/exec")).count();
        assert_eq!(execs, 1, "{asked:#?}");
    }
}
