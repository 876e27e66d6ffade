//! `describe` on onboardings that real Flux and Helm made, and on a cluster of old API versions.

use crate::harness::{Skvs, kubectl, skvs};
use kubectl_skvs::cluster::gather::REQUESTS_MAX;
use serde_json::Value;
use testbed::Sandbox;

/// The requests that a run with `-v 6` told.
fn requests(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|l| l.starts_with("GET ")).collect()
}

#[test]
fn a_healthy_onboarding_is_told_in_full() {
    let said = skvs(["describe", "skvs-onboarding-golf--sessions", "-v", "6"]).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let is = |key: &str, wanted: &str| {
        let row = said.row(key);
        assert!(row.contains(wanted), "{row:?} does not tell {wanted:?}");
    };
    is("Database:", "golf_sessions (from the release notes)");
    is(
        "Endpoint:",
        "http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984 (encrypted, through Steelcouch)",
    );
    is("Status:", "Ready for ");
    is("Chart:", "secure-kvs-onboarding 0.1.2");
    is("Chart:", "up to date)");
    is(
        "Release:",
        ", revision 1, deployed, in Secret flux-system/sh.helm.release.v1.",
    );
    is("Policy:", "AuthorizationPolicy secure-kvs/");
    is("Policy:", "lets in golf/");
    is("Creation Job:", "Complete ");
    assert!(!said.stdout.contains("not read"), "{}", said.stdout);
    assert!(!said.stdout.contains("BUT"), "{}", said.stdout);
    let asked = requests(&said.stderr);
    // The HelmRelease, the other onboardings, and what belongs to it.
    assert!(asked.len() as u64 <= 2 + REQUESTS_MAX, "{asked:#?}");
    assert!(
        asked.len() <= 17,
        "more than a healthy one needs: {asked:#?}"
    );
    let secrets = asked.iter().filter(|l| l.contains("/secrets/")).count();
    assert_eq!(secrets, 1, "one release is decoded: {asked:#?}");
}

#[test]
fn a_named_onboarding_is_fetched_once() {
    for command in ["describe", "troubleshoot", "list"] {
        for name in ["skvs-onboarding-golf--sessions", "golf_sessions"] {
            let said = skvs([command, name, "-v", "6"]).run();
            let asked = requests(&said.stderr);
            let fetched = asked.iter().filter(|line| line.contains("/helmreleases"));
            assert_eq!(fetched.count(), 1, "{command} {name}: {asked:#?}");
        }
    }
}

#[test]
fn every_name_of_an_onboarding_finds_it() {
    let object: Value = serde_json::from_str(&kubectl(&[
        "get",
        "helmrelease",
        "-n",
        "flux-system",
        "skvs-onboarding-golf--sessions",
        "-o",
        "json",
    ]))
    .unwrap();
    let release = object["status"]["history"][0]["name"].as_str().unwrap();
    for name in [
        "golf_sessions",
        "golf_sessions.yaml",
        "helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-golf--sessions",
        release,
    ] {
        let said = skvs(["describe", name]).run();
        assert_eq!(
            said.row("Name:"),
            "Name: skvs-onboarding-golf--sessions",
            "{name}"
        );
    }
}

#[test]
fn a_name_that_means_two_or_none_is_an_error_with_the_candidates() {
    let said = skvs(["describe", "papa_ledger"]).run().failed(1);
    assert_eq!(
        said,
        "error: \"papa_ledger\" means 2 onboardings: skvs-onboarding-papa--ledger, skvs-onboarding-papa--ledger-readers\n\
         hint: name one of these HelmReleases instead\n"
    );
    let said = skvs(["describe", "golf_session"]).run().failed(1);
    assert_eq!(
        said,
        "Error from server (NotFound): helmreleases.helm.toolkit.fluxcd.io \"golf_session\" not found\n\
         hint: did you mean golf_sessions, golf--sessions?\n"
    );
    let said = skvs(["troubleshoot", "nobody_claimed-it"]).run().failed(1);
    assert!(
        said.contains(
            "hint: no onboarding of this namespace claims it; see: kubectl skvs databases nobody_claimed-it"
        ),
        "{said}"
    );
}

#[test]
fn an_onboarding_given_for_its_database_is_told_its_database() {
    let name = "skvs-onboarding-golf--sessions";
    for words in [
        &["delete-db", name, "--dry-run"][..],
        &["backup", name, "--to", "/nonexistent/file"],
    ] {
        assert_eq!(
            skvs(words).run().failed(4),
            format!(
                "error: refused: \"{name}\" is an onboarding, not a database\n\
                 hint: its database is golf_sessions\n"
            )
        );
    }
}

#[test]
fn a_namespace_that_is_not_there_is_named() {
    for command in ["describe", "notes", "troubleshoot", "list"] {
        let said = skvs([command, "golf--sessions", "-n", "tpyo"])
            .run()
            .failed(1);
        assert!(
            said.contains("\"golf--sessions\" not found\n")
                && said.contains("hint: the namespace \"tpyo\" does not exist on this cluster\n"),
            "{command}: {said}"
        );
    }
}

#[test]
fn a_failed_creation_job_is_told_with_its_log() {
    let said = skvs(["describe", "skvs-onboarding-iota--database"]).run();
    let job = said.row("Creation Job:");
    assert!(
        job.starts_with("Creation Job: core/pds-database-create Failed "),
        "{job}"
    );
    assert!(
        said.stdout.contains("container create exited 22"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("412"), "{}", said.stdout);
    assert!(
        said.stdout.contains("BackoffLimitExceeded"),
        "{}",
        said.stdout
    );
    assert_eq!(
        said.row("Also claimed by:"),
        "Also claimed by: flux-system/skvs-onboarding-pds--database"
    );
}

#[test]
fn a_job_that_another_onboarding_made_is_not_its_own() {
    let said = skvs(["describe", "skvs-onboarding-pds--database"]).run();
    assert_eq!(
        said.row("Creation Job:"),
        "Creation Job: core/pds-database-create was replaced by the Job of flux-system/skvs-onboarding-iota--database"
    );
    assert!(!said.stdout.contains("412"), "{}", said.stdout);
}

#[test]
fn json_holds_the_raw_status() {
    let name = "skvs-onboarding-hotel--catalogue";
    let said = skvs(["describe", name, "-o", "json"]).run().ok();
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["kind"], "OnboardingDescription");
    assert_eq!(told["endpoint"]["encrypted"], false);
    let object = kubectl(&[
        "get",
        "helmrelease",
        "-n",
        "flux-system",
        name,
        "-o",
        "json",
    ]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(
        told["helmRelease"]["status"]["history"],
        object["status"]["history"]
    );
    let both = skvs(["describe", name, "golf_sessions", "-o", "yaml"])
        .run()
        .ok();
    assert!(both.starts_with("apiVersion: v1\nitems:\n"), "{both}");
}

#[test]
fn several_are_two_blank_lines_apart() {
    let said = skvs(["describe", "hotel_catalogue", "golf_sessions"]).run();
    assert!(
        said.stdout
            .contains("\n\n\nName:             skvs-onboarding-golf--sessions\n"),
        "{}",
        said.stdout
    );
}

#[test]
fn what_may_not_be_read_says_so_in_its_place() {
    let rbac = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: describe-reader, namespace: flux-system}
rules:
- {apiGroups: [helm.toolkit.fluxcd.io], resources: [helmreleases], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: describe-reader, namespace: flux-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: describe-reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: describe-reader}]
";
    let kubeconfig = Sandbox::shared()
        .user("describe-reader", &[], rbac)
        .unwrap();
    let said = Skvs::with(&kubeconfig, ["describe", "golf_sessions"]).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    for (key, why) in [
        (
            "Events:",
            "not read: forbidden (list events in flux-system)",
        ),
        (
            "Release:",
            "not read: forbidden (get secrets in flux-system)",
        ),
        (
            "Endpoint:",
            "not read: forbidden (get secrets in flux-system)",
        ),
        (
            "History:",
            "not read: forbidden (list secrets in flux-system)",
        ),
        (
            "Other claims:",
            "forbidden (list helmreleases in all namespaces)",
        ),
    ] {
        let row = said.row(key);
        assert!(row.ends_with(why), "{row:?} does not tell {why:?}");
    }
    // What the HelmRelease itself tells is there all the same.
    assert_eq!(
        said.row("Database:"),
        "Database: golf_sessions (from spec.values)"
    );
}

#[test]
fn an_old_cluster_is_described_too() {
    let old = Sandbox::shared().old_cluster();
    let said = Skvs::with(
        old.kubeconfig(),
        ["describe", "skvs-onboarding-pds--database"],
    )
    .run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let status = said.row("Status:");
    assert!(
        status.ends_with("install failed: namespace \"core\" not found (retries exhausted)"),
        "{status}"
    );
    assert_eq!(
        said.row("Target Namespace:"),
        "Target Namespace: core (does not exist)"
    );
}
