//! `suspend` and `resume` on real HelmReleases, beside a real helm-controller.

use crate::harness::{RunOutput, at_once, helm_release, kubectl, patch_helm_release, skvs};
use crate::troubleshoot::onboarding;
use serde_json::{Value, json};
use testbed::Sandbox;

const RECORD: &str = "skvs.kubectl.io/suspended";

fn suspend(name: &str, reason: &str) -> RunOutput {
    skvs(["suspend", name, "--reason", reason]).run()
}

/// Sets fields as kustomize-controller does, which applies manifests of Git.
fn applied_by_flux(name: &str, spec: &Value) {
    let manifest = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": "flux-system"}, "spec": spec});
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("manifest.json");
    std::fs::write(&file, manifest.to_string()).expect("it is written");
    let file = file.to_str().expect("a path");
    let manager = "--field-manager=kustomize-controller";
    kubectl(&[
        "apply",
        "--server-side",
        "--force-conflicts",
        manager,
        "-f",
        file,
    ]);
}

#[test]
fn who_and_why_are_recorded_shown_and_removed() {
    let (_temporary, name) = onboarding("zulu-pause", "core");
    skvs(["troubleshoot", &name, "--wait", "--timeout", "3m"])
        .run()
        .ok();
    let line = format!("helmrelease.helm.toolkit.fluxcd.io/{name} suspended");
    let words = ["suspend", &name, "--reason", "an upgrade", "--dry-run"];
    assert_eq!(skvs(words).run().ok(), format!("{line} (server dry run)\n"));
    assert_eq!(helm_release(&name)["spec"].get("suspend"), None);

    assert_eq!(
        suspend("zulu-pause_data", "an upgrade").ok(),
        format!("{line}\n")
    );
    let object = helm_release(&name);
    assert_eq!(object["spec"]["suspend"], true);
    let record =
        |field: &str| object["metadata"]["annotations"][format!("{RECORD}-{field}")].clone();
    assert_eq!(record("reason"), "an upgrade");
    let generation = object["metadata"]["generation"].as_i64().expect("a number");
    assert_eq!(record("generation"), generation.to_string());
    let by = record("by");
    let by = by.as_str().expect("a user");
    assert!(!by.is_empty() && !by.contains("unknown"), "{by}");
    // kustomize-controller takes back what a manager whose name begins with kubectl has changed.
    let fields = object["metadata"]["managedFields"]
        .as_array()
        .expect("a list");
    let setters: Vec<&str> = fields
        .iter()
        .filter(|f| f.pointer("/fieldsV1/f:spec/f:suspend").is_some())
        .filter_map(|f| f["manager"].as_str())
        .collect();
    assert_eq!(setters, ["flux"]);

    let words = format!("suspended by {by}: an upgrade");
    for command in ["list", "describe", "troubleshoot"] {
        let said = skvs([command, &name]).run();
        let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&words), "{command}: {}", said.stdout);
    }
    let again = suspend(&name, "another");
    assert!(
        again
            .failed(1)
            .contains("is suspended already (suspended by ")
    );
    // What is recorded is about the spec that the suspension left.
    patch_helm_release(&name, &json!({"spec": {"interval": "7m"}}));
    let said = skvs(["describe", &name]).run().ok();
    assert!(
        said.contains("(recorded before the spec last changed)"),
        "{said}"
    );

    skvs(["resume", &name]).run().ok();
    let object = helm_release(&name);
    assert_eq!(object["spec"].get("suspend"), None);
    let annotations = object["metadata"]["annotations"].to_string();
    assert!(!annotations.contains(RECORD), "{annotations}");
    let again = skvs(["resume", &name]).run();
    assert!(
        again
            .failed(1)
            .contains("is not suspended; nothing was changed")
    );
}

#[test]
fn a_manifest_with_suspend_wins_and_one_without_leaves_it() {
    let (_temporary, name) = onboarding("zulu-manifest", "core");
    let interval = json!({"interval": "6m"});
    applied_by_flux(&name, &interval);
    let said = suspend(&name, "a test");
    let card = "a manifest that sets suspend wins the next time that it is applied";
    assert!(said.stderr.contains(card), "{}", said.stderr);
    said.ok();
    applied_by_flux(&name, &interval);
    assert_eq!(helm_release(&name)["spec"]["suspend"], true);

    let both = json!({"interval": "6m", "suspend": false});
    applied_by_flux(&name, &both);
    assert_eq!(helm_release(&name)["spec"]["suspend"], false);
    let said = suspend(&name, "a test");
    let card = "kustomize-controller set spec.suspend before: the manifest wins";
    assert!(said.stderr.contains(card), "{}", said.stderr);
    said.ok();
    applied_by_flux(&name, &both);
    assert_eq!(helm_release(&name)["spec"]["suspend"], false);
}

#[test]
fn of_two_at_once_one_suspends_it() {
    let (_temporary, name) = onboarding("zulu-twice", "core");
    skvs(["troubleshoot", &name, "--wait", "--timeout", "3m"])
        .run()
        .ok();
    for round in 0..4 {
        let runs = ["first", "second"].map(|reason| skvs(["suspend", &name, "--reason", reason]));
        let ended = at_once(runs);
        let mut codes: Vec<i32> = ended.iter().map(|said| said.code).collect();
        codes.sort_unstable();
        assert_eq!(codes, [0, 1], "round {round}: {ended:?}");
        skvs(["resume", &name]).run().ok();
    }
}

#[test]
fn a_resumption_that_would_not_create_the_database_is_refused() {
    let (_temporary, name) = onboarding("zulu-trap", "zulu-trap");
    let said = skvs(["troubleshoot", &name, "--wait", "--timeout", "3m"]).run();
    assert_eq!(said.code, 3, "{}", said.stdout);
    suspend(&name, "a test").ok();
    let said = skvs(["resume", &name]).run();
    let why = said.failed(4);
    assert!(
        why.contains("refused: the next attempt would be an upgrade"),
        "{why}"
    );
    assert!(
        why.contains("helm uninstall -n flux-system zulu-trap-"),
        "{why}"
    );
    assert_eq!(helm_release(&name)["spec"]["suspend"], true);
    // The hint is right: without the failed revision it is resumed.
    let release = format!("zulu-trap-{name}");
    let sandbox = Sandbox::shared();
    let helm = sandbox
        .command(sandbox.bin("helm"))
        .args(["uninstall", "-n", "flux-system", &release])
        .output()
        .expect("helm runs");
    assert!(
        helm.status.success(),
        "{}",
        String::from_utf8_lossy(&helm.stderr)
    );
    skvs(["resume", &name]).run().ok();
}
