//! `troubleshoot` and `explain` on failures that real Flux, Helm, scheduler and kubelet wrote.

use crate::harness::{RunOutput, kubectl, skvs};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use testbed::Sandbox;

const WHOLE: &str = "skvs-onboarding-";

/// Longest wait for Flux.
const LIMIT: Duration = Duration::from_secs(120);

/// Roots and what follows from them, by onboarding.
fn codes(said: &RunOutput) -> Vec<(String, Vec<String>)> {
    let report: Value = serde_json::from_str(&said.stdout).expect("the report is JSON");
    assert_eq!(report["kind"], "TroubleshootReport");
    let all = report["onboardings"].as_array().expect("a list");
    all.iter()
        .map(|o| {
            let name = o["name"].as_str().expect("a name");
            let findings = o["findings"].as_array().expect("a list");
            let codes = findings
                .iter()
                .map(|f| f["code"].as_str().expect("a code").to_owned());
            (name.trim_start_matches(WHOLE).to_owned(), codes.collect())
        })
        .collect()
}

#[test]
fn each_seeded_failure_has_its_cause_and_nothing_is_unknown() {
    let said = skvs(["troubleshoot", "-o", "json"]).run();
    assert_eq!(said.code, 3, "{}", said.stderr);
    let codes = codes(&said);
    for (name, code) in [
        ("iota--database", "SKVS301"),
        ("kilo--orders", "SKVS101"),
        ("lima--events", "SKVS107"),
        ("mike--index", "SKVS151"),
        ("papa--ledger", "SKVS302"),
        ("papa--ledger-readers", "SKVS302"),
        ("pds--database", "SKVS302"),
        ("quebec--archive", "SKVS107"),
        ("romeo--tokens", "SKVS401"),
        ("sierra--invoices", "SKVS402"),
        ("tango--metrics", "SKVS201"),
        ("uniform--notes", "SKVS203"),
        ("victor--carts", "SKVS202"),
        ("whiskey--photos", "SKVS307"),
        ("xray--vitals", "SKVS306"),
        ("yankee--orders", "SKVS309"),
    ] {
        let found = codes.iter().find(|(n, _)| n == name);
        assert_eq!(
            found.map(|(_, c)| c.as_slice()),
            Some(&[code.to_owned()][..]),
            "{name} in {}",
            said.stdout
        );
    }
}

#[test]
fn the_log_of_the_job_names_the_cause() {
    let said = skvs(["troubleshoot", "skvs-onboarding-iota--database"]).run();
    assert_eq!(said.code, 3, "{}", said.stderr);
    for part in [
        "skvs-onboarding-iota--database (database pds_database): failing for ",
        ", Flux has stopped retrying\n",
        "error[SKVS301]: the database pds_database already exists, so its creation Job fails\n  --> Job core/pds-database-create\n",
        "skvs-onboarding-pds--database owns it and is Ready.\n",
        "   container create exited 22\n           curl: (22) The requested URL returned error: 412\n",
        "\n  context sandbox, https://127.0.0.1:",
        "kubectl skvs describe -n flux-system skvs-onboarding-pds--database --context sandbox\n",
        "  = SKVS110 follows from this: install retries exhausted after 1 failure (spec.install.remediation.retries: 0)\n  = more: kubectl skvs explain SKVS301\n",
        "\n1 onboarding, 1 error. ",
    ] {
        assert!(
            said.stdout.contains(part),
            "{part:?} is not in:\n{}",
            said.stdout
        );
    }
    assert!(!said.stdout.contains("not run"), "{}", said.stdout);
}

#[test]
fn the_name_of_a_shared_database_means_every_onboarding_that_claims_it() {
    let said = skvs([
        "troubleshoot",
        "pds_database",
        "skvs-onboarding-pds--database",
        "-o",
        "json",
    ])
    .run();
    assert_eq!((said.code, said.stderr.as_str()), (3, ""));
    let codes = codes(&said);
    let found: Vec<(&str, &[String])> = codes
        .iter()
        .map(|(name, codes)| (name.as_str(), codes.as_slice()))
        .collect();
    assert_eq!(
        found,
        [
            ("iota--database", &["SKVS301".to_owned()][..]),
            ("pds--database", &["SKVS302".to_owned()][..])
        ]
    );
}

#[test]
fn a_healthy_onboarding_is_one_line_and_well() {
    let out = skvs(["troubleshoot", "golf_sessions"]).run().ok();
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(
        out.starts_with("skvs-onboarding-golf--sessions (database golf_sessions): Ready for "),
        "{out}"
    );
    assert!(out.contains("nothing found"), "{out}");
}

#[test]
fn what_may_not_be_read_is_told_and_never_taken_for_fine() {
    let said = skvs([
        "troubleshoot",
        "skvs-onboarding-iota--database",
        "--as=system:serviceaccount:flux-system:onboarding-reader",
    ])
    .run();
    // This account may read no HelmRelease at all: nothing is reported.
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (1, ""),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("Forbidden"), "{}", said.stderr);
}

#[test]
fn an_unknown_name_is_an_error_and_the_others_are_still_told() {
    let said = skvs(["troubleshoot", "skvs-onboarding-lima--events", "zzz"]).run();
    assert_eq!(said.code, 1, "{}", said.stdout);
    assert!(said.stdout.contains("warning[SKVS107]"), "{}", said.stdout);
    assert!(said.stderr.contains("\"zzz\" not found"), "{}", said.stderr);
}

#[test]
fn a_selector_narrows_and_an_empty_namespace_is_said_to_be_empty() {
    let said = skvs(["troubleshoot", "-l", "no=such"]).run();
    assert_eq!((said.code, said.stdout.as_str()), (0, ""));
    assert_eq!(
        said.stderr,
        "No onboardings found in flux-system namespace.\n"
    );
    let said = skvs(["troubleshoot", "-n", "tpyo"]).run();
    assert_eq!(
        said.stderr,
        "No onboardings found in tpyo namespace.\nhint: the namespace \"tpyo\" does not exist on this cluster\n"
    );
}

/// Runs a command of a report as its reader would, in a shell with the sandbox's programs.
pub(crate) fn paste(command: &str) {
    let sandbox = Sandbox::shared();
    let mut path: Vec<PathBuf> = ["helm", "kubectl"]
        .map(|program| sandbox.bin(program).parent().expect("a folder").to_owned())
        .into();
    let plugin = std::path::Path::new(env!("CARGO_BIN_EXE_kubectl-skvs"));
    path.extend(plugin.parent().map(PathBuf::from));
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let output = Command::new("sh")
        .args(["-c", command])
        .env("PATH", std::env::join_paths(path).expect("plain paths"))
        .env("KUBECONFIG", sandbox.kubeconfig())
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{command}: {output:?}");
}

/// An onboarding of a test; it and its namespace go with it.
pub(crate) struct Temporary(pub(crate) &'static str);

impl Drop for Temporary {
    fn drop(&mut self) {
        let sandbox = Sandbox::shared();
        let name = format!("{WHOLE}{}--data", self.0);
        let _ = sandbox.kubectl(&["delete", "helmrelease", "-n", "flux-system", &name]);
        let _ = sandbox.kubectl(&["delete", "namespace", self.0, "--wait=false"]);
    }
}

/// Waits until a condition of the onboarding has this status.
fn until(name: &str, condition: &str) {
    let path = format!("jsonpath={{.status.conditions[?(@.type==\"{condition}\")].status}}");
    testbed::wait(&format!("{condition} of {name}"), LIMIT, || {
        let said = kubectl(&["get", "helmrelease", "-n", "flux-system", name, "-o", &path]);
        (said == "True").then_some(())
    })
    .expect("Flux comes to an end");
}

/// Makes an onboarding into a namespace that does not exist, and waits until Flux gives up.
pub(crate) fn failed_onboarding(team: &'static str) -> (Temporary, String) {
    let made = onboarding(team, team);
    until(&made.1, "Stalled");
    made
}

/// Makes an onboarding of `team` into a namespace.
pub(crate) fn onboarding(team: &'static str, target: &str) -> (Temporary, String) {
    let name = format!("{WHOLE}{team}--data");
    let manifest = format!(
        "
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: flux-system
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
  serviceAccountName: helm-controller
  targetNamespace: {target}
  values: {{namespace: {team}, database: data, serviceAccounts: [{team}], encryption: true}}
"
    );
    let temporary = Temporary(team);
    Sandbox::shared()
        .apply(&manifest)
        .expect("the manifest is taken");
    (temporary, name)
}

/// Creates the namespace with what the creation Job needs in it.
pub(crate) fn mend(team: &str) {
    let sandbox = Sandbox::shared();
    kubectl(&["create", "namespace", team]);
    kubectl(&["create", "serviceaccount", "agora-kvs", "-n", team]);
    for kind in ["configmap", "secret"] {
        let all = kubectl(&["get", kind, "-n", "core", "-o", "json"]);
        let all: Value = serde_json::from_str(&all).expect("JSON");
        for object in all["items"].as_array().expect("a list") {
            let name = object["metadata"]["name"].as_str().expect("a name");
            if name == "kube-root-ca.crt" || object["type"] == "helm.sh/release.v1" {
                continue;
            }
            let mut copy = object.clone();
            copy["metadata"] = serde_json::json!({"name": name, "namespace": team});
            sandbox.apply(&copy.to_string()).expect("a copy is taken");
        }
    }
}

/// The commands of the report's finding with `code`: after the fix, or the fix's own as well.
fn commands(name: &str, code: &str, with_fix: bool) -> Vec<String> {
    let said = skvs(["troubleshoot", name, "-o", "json"]).run();
    let report: Value = serde_json::from_str(&said.stdout).expect("the report is JSON");
    let findings = report["onboardings"][0]["findings"]
        .as_array()
        .expect("a list");
    let finding = findings
        .iter()
        .find(|f| f["code"] == code)
        .unwrap_or_else(|| panic!("{code} is not in {}", said.stdout));
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let fix = finding["fix"].as_array().into_iter().flatten();
    let fix = fix
        .filter(|_| with_fix)
        .filter_map(|step| text(&step["command"]));
    let then = finding["then"]["commands"].as_array().expect("a list");
    fix.chain(then.iter().filter_map(text)).collect()
}

#[test]
fn what_a_report_tells_to_do_creates_the_database() {
    let (_temporary, name) = failed_onboarding("zulu-mended");
    mend("zulu-mended");
    let commands = commands(&name, "SKVS101", false);
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in &commands {
        paste(command);
    }
    until(&name, "Ready");
    assert!(Sandbox::shared().couchdb().exists("zulu-mended_data"));
}

#[test]
fn a_ready_onboarding_without_its_database_is_found_and_mended() {
    let (_temporary, name) = failed_onboarding("zulu-upgraded");
    mend("zulu-upgraded");
    // What people know: the reset alone.
    paste(commands(&name, "SKVS101", false).last().expect("a command"));
    until(&name, "Ready");
    let couchdb = Sandbox::shared().couchdb();
    assert!(!couchdb.exists("zulu-upgraded_data"), "Flux upgraded");

    let said = skvs(["troubleshoot", "-o", "json"]).run();
    let found = codes(&said);
    let ours = found.iter().find(|(n, _)| n == "zulu-upgraded--data");
    let ours = ours.map(|(_, codes)| codes.as_slice());
    assert_eq!(ours, Some(&["SKVS310".to_owned()][..]), "{}", said.stdout);
    let refused = skvs(["notes", &name, "--share"]).run().failed(1);
    assert!(refused.contains("was probably never created"), "{refused}");

    for command in commands(&name, "SKVS310", true) {
        // The proof: there is no such Job.
        if !command.starts_with("kubectl get") {
            paste(&command);
        }
    }
    testbed::wait("the database", LIMIT, || {
        couchdb.exists("zulu-upgraded_data").then_some(())
    })
    .unwrap();
    until(&name, "Ready");
    let text = skvs(["troubleshoot", &name]).run().ok();
    assert!(text.contains("nothing found"), "{text}");
    skvs(["notes", &name, "--share"]).run().ok();
}

#[test]
fn explain_needs_no_cluster() {
    let nowhere = Sandbox::shared().run_dir().join("no-such-kubeconfig");
    let explain = |args: &[&str]| crate::harness::Skvs::with(&nowhere, args).run();
    let text = explain(&["explain", "skvs301"]).ok();
    assert!(
        text.starts_with("SKVS301 error: the database already exists (database-exists)\n"),
        "{text}"
    );
    assert!(explain(&["explain"]).ok().contains("SKVS900"));
    let wrong = explain(&["explain", "SKVS300"]).failed(1);
    assert!(
        wrong.starts_with("error: code \"SKVS300\" does not exist\nhint: did you mean SKVS30"),
        "{wrong}"
    );
}
