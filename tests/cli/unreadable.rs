//! A labelled HelmRelease with a field of the wrong type is an onboarding about which nothing more is known.

use crate::run::{Told, skvs};
use crate::server::{Listener, helm_releases, status};
use serde_json::{Value, json};

const WHY: &str = "helmrelease \"flux-system/broken\" cannot be read: invalid type: string \"maybe\", expected a boolean";

fn onboarding(name: &str) -> Value {
    json!({"kind": "HelmRelease", "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "metadata": {"name": name, "namespace": "flux-system", "uid": name, "generation": 1},
        "spec": {"chart": {"spec": {"chart": "secure-kvs-onboarding", "sourceRef": {"kind": "HelmRepository", "name": "r"}}},
            "targetNamespace": "core", "values": {"namespace": "pds", "database": "database"}},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}})
}

fn broken() -> Value {
    let mut broken = onboarding("broken");
    broken["spec"]["suspend"] = json!("maybe");
    broken
}

/// Runs the words against a server that lists these onboardings and forbids all else.
fn listed(words: &[&str], items: &[Value]) -> Told {
    let list = helm_releases(items, "");
    let server = Listener::scripted(move |path| match path {
        path if path.contains("%21%3D") => (403, status(403, "Forbidden", "no")),
        path if path.contains("/helmreleases?") => (200, list.clone()),
        path if path.contains("/helmreleases/") => (404, status(404, "NotFound", "no")),
        _ => (403, status(403, "Forbidden", "no")),
    });
    skvs(words).server(&server.http()).run()
}

#[test]
fn status_counts_it() {
    let told = listed(&["status", "--no-exec"], &[broken()]);
    assert_eq!(told.code, Some(1), "{told}");
    let text = told.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("Onboardings: 1 in flux-system: 1 unreadable"),
        "{told}"
    );
    assert!(text.contains(WHY), "{told}");
    assert!(!told.stderr.contains("label"), "{told}");
    let both = [onboarding("a"), broken()];
    let told = listed(&["status", "--no-exec", "-o", "json"], &both);
    let counts = &serde_json::from_str::<Value>(&told.stdout).unwrap()["onboardings"];
    assert_eq!(
        (&counts["ready"], &counts["unreadable"]),
        (&json!(1), &json!(1)),
        "{told}"
    );
}

#[test]
fn troubleshoot_names_it_and_does_not_know_who_shares_a_database() {
    let told = listed(&["troubleshoot"], &[broken()]);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stderr.contains(WHY), "{told}");
    assert!(!told.stderr.contains("label"), "{told}");
    let mut failing = onboarding("a");
    failing["status"]["conditions"][0]["status"] = json!("False");
    let told = listed(&["troubleshoot", "-o", "json"], &[failing, broken()]);
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    let text = report.to_string();
    assert!(text.contains(&WHY.replace('"', "\\\"")), "{told}");
}

#[test]
fn a_name_that_it_may_answer_to_is_not_called_unclaimed() {
    for items in [vec![broken()], vec![onboarding("a"), broken()]] {
        let told = listed(&["describe", "kilo_orders"], &items);
        assert_eq!(told.code, Some(1), "{told}");
        assert!(!told.stderr.contains("no onboarding claims it"), "{told}");
        let said = format!("one was skipped: {WHY}");
        assert!(told.stderr.contains(&said), "{told}");
        assert!(!told.stderr.contains("label"), "{told}");
    }
}
