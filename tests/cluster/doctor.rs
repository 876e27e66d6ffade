//! `doctor` on the sandbox: as its administrator, and as users with few rights and with none.

use crate::harness::{RunOutput, Skvs, skvs};
use crate::json_schema;
use serde_json::{Value, json};
use std::path::PathBuf;
use testbed::Sandbox;

fn report(said: &RunOutput) -> Value {
    let report = serde_json::from_str(&said.stdout);
    let report: Value = report.unwrap_or_else(|e| panic!("{e}: {said:?}"));
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/doctor-report.v1.json"
    );
    let schema = std::fs::read_to_string(file).expect("the schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(json_schema::faults(&schema, &report), [""; 0]);
    report
}

/// The checks of an area: subject and state, or of one state the subjects.
fn checks<'r>(report: &'r Value, area: &str) -> Vec<(&'r str, &'r str)> {
    let all = report["checks"].as_array().expect("a list").iter();
    let own = all.filter(|check| check["area"] == area);
    let text = |value: &'r Value| value.as_str().expect("a text");
    own.map(|check| (text(&check["subject"]), text(&check["state"])))
        .collect()
}

fn commands<'r>(report: &'r Value, state: &str) -> Vec<&'r str> {
    let rights = checks(report, "rights").into_iter();
    let own = rights.filter(|(_, own)| *own == state);
    own.map(|(command, _)| command).collect()
}

fn user(name: &str, rbac: &str) -> PathBuf {
    Sandbox::shared().user(name, &[name], rbac).expect("a user")
}

#[test]
fn an_administrator_has_every_right_and_no_pod_is_reached_into() {
    let said = skvs(["doctor", "-n", "default", "-o", "json", "-v", "6"]).run();
    let report = report(&said);
    assert_eq!(
        commands(&report, "ok").len(),
        checks(&report, "rights").len()
    );
    assert_eq!(checks(&report, "couchdb"), [("CouchDB's pods", "ok")]);
    // In this testbed the controllers are not Deployments, so it is not known whether they run.
    let flux = [
        ("HelmRelease", "ok"),
        ("HelmChart", "ok"),
        ("HelmRepository", "ok"),
        ("OCIRepository", "ok"),
        ("Kustomization", "warning"),
        ("helm-controller", "notKnown"),
        ("source-controller", "notKnown"),
        ("kustomize-controller", "notKnown"),
        ("onboardings", "ok"),
    ];
    assert_eq!(checks(&report, "flux"), flux);
    assert_eq!(said.code, 1, "{}", said.stdout);
    assert!(!said.stderr.contains("/exec"), "{}", said.stderr);
    // Of each namespace one review of its rules, and of what holds everywhere one for each right.
    let reviews = |of: &str| said.stderr.matches(of).count();
    assert_eq!(reviews("/selfsubjectrulesreviews"), 5);
    assert_eq!(reviews("/selfsubjectaccessreviews"), 48, "{}", said.stderr);
}

#[test]
fn one_screen() {
    let said = skvs(["doctor", "-n", "default"]).run();
    let end = said
        .stdout
        .find("\nok         plugin")
        .or(said.stdout.find("\nwarning    plugin"));
    let text =
        &said.stdout[said.stdout.find("\n\n").expect("a blank line") + 2..end.expect("a line")];
    let server = text.lines().next().expect("a line");
    assert!(server.contains("v1.") && server.contains("context sandbox, https://127.0.0.1:"));
    let rest = text.lines().skip(1).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(rest, @"
    ok         user                 admin
    ok         HelmRelease          helm.toolkit.fluxcd.io/v2
    ok         HelmChart            source.toolkit.fluxcd.io/v1
    ok         HelmRepository       source.toolkit.fluxcd.io/v1
    ok         OCIRepository        source.toolkit.fluxcd.io/v1
    warning    Kustomization        kustomize.toolkit.fluxcd.io is not served: this part of Flux is not installed
    not known  helm-controller      no Deployment of it in flux-system; Flux may run elsewhere
               see: kubectl get deployments -A --context sandbox
    not known  source-controller    no Deployment of it in flux-system; Flux may run elsewhere
               see: kubectl get deployments -A --context sandbox
    not known  kustomize-controller no Deployment of it in flux-system; Flux may run elsewhere
               see: kubectl get deployments -A --context sandbox
    ok         onboardings          0 HelmReleases in default
    ok         CouchDB's pods       3 of 3 ready in secure-kvs
    ok         rights               backup, capture, check-access, completion, databases, delete-db, describe, doctor, lint, list, notes, offboard, onboard, restore, resume, retry, status, suspend, troubleshoot, version
    ");
}

#[test]
fn what_a_role_gives_is_what_was_missing() {
    let name = "doctor-few";
    let few = user(name, "");
    // Other tests' onboardings have targets of their own.
    let words = ["doctor", "-o", "json", "--target-namespace", "core"];
    let said = Skvs::with(&few, words).run();
    let before = report(&said);
    assert_eq!(said.code, 3, "{}", said.stdout);
    // Kubernetes gives this right to everybody.
    assert_eq!(commands(&before, "ok"), ["version"]);
    let role = |of: &str| {
        let words = ["doctor", "--role", of, "--group", name];
        // Other tests have given these names to other groups.
        Skvs::with(&few, words)
            .run()
            .ok()
            .replace("kubectl-skvs-", "doctor-test-")
    };
    user(name, &role("list,delete-db"));
    let said = Skvs::with(&few, words).run();
    let some = report(&said);
    // The rights of delete-db are enough for these too.
    let ok = [
        "backup",
        "databases",
        "delete-db",
        "lint",
        "list",
        "notes",
        "restore",
        "version",
    ];
    assert_eq!(commands(&some, "ok"), ok);
    assert_eq!(said.code, 3, "{}", said.stdout);
    let all = some["checks"].as_array().expect("a list");
    let suspend = all.iter().find(|check| check["subject"] == "suspend");
    let suspend = suspend.expect("a check");
    let patch = "patch helmreleases in flux-system";
    assert_eq!(suspend["missing"], json!([patch]));
    let next = suspend["next"].as_str().expect("a hint");
    assert!(next.starts_with("for an administrator to apply: kubectl skvs doctor --role suspend"));
    let rights = checks(&before, "rights");
    let every: Vec<&str> = rights.iter().map(|(command, _)| *command).collect();
    user(name, &role(&every.join(",")));
    let after = report(&Skvs::with(&few, words).run());
    assert_eq!(commands(&after, "ok"), every);
}

#[test]
fn a_user_who_may_do_nothing_learns_what_is_missing() {
    let nobody = user("doctor-nobody", "");
    let said = Skvs::with(&nobody, ["doctor"]).run();
    assert_eq!(said.code, 3, "{}", said.stdout);
    for part in [
        "ok         user                 doctor-nobody\n",
        "not known  onboardings          forbidden (list helmreleases in flux-system)\n",
        "not known  CouchDB's pods       forbidden (list pods in secure-kvs)\n",
        "ok         rights               version\n",
        "failed     rights               rights are missing: backup, capture, ",
        "kubectl skvs doctor --role backup,capture,check-access,completion,",
    ] {
        assert!(said.stdout.contains(part), "{part:?}: {}", said.stdout);
    }
    assert!(said.stdout.lines().count() < 30, "{}", said.stdout);
}
