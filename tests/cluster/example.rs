//! Makes `examples/three-of-four-fail` anew: real failures of real Flux, captured by the plugin itself.
//!
//! `cargo test --test cluster example -- --ignored`

use crate::harness::{kubectl, skvs};
use flate2::read::GzDecoder;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testbed::Sandbox;

const SELECTOR: &str = "app.kubernetes.io/part-of=secure-kvs-onboarding,environment=lab2";

/// Name, namespace, database, target namespace, chart version, reason of its Ready condition.
const ONBOARDINGS: [(&str, &str, &str, &str, &str, &str); 4] = [
    (
        "skvs-onboarding-maps--tiles",
        "maps",
        "tiles",
        "core",
        ">=0.3.0",
        "SourceNotReady",
    ),
    (
        "skvs-onboarding-orders--basket",
        "orders",
        "basket",
        "core",
        "<0.2.0",
        "InstallFailed",
    ),
    (
        "skvs-onboarding-rides--trips",
        "rides",
        "trips",
        "core-west",
        "<0.2.0",
        "InstallFailed",
    ),
    (
        "skvs-onboarding-users--profiles",
        "users",
        "profiles",
        "core",
        "<0.2.0",
        "InstallSucceeded",
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/three-of-four-fail")
}

#[test]
#[ignore = "rewrites examples/"]
fn example() {
    let sandbox = Sandbox::shared();
    // An earlier onboarding made it, and is gone.
    sandbox
        .couchdb()
        .create_database("orders_basket", 1_208)
        .expect("a database");
    for (name, namespace, database, target, version, _) in ONBOARDINGS {
        sandbox
            .apply(&manifest(name, namespace, database, target, version))
            .expect("a HelmRelease");
    }
    for (name, _, _, _, _, reason) in ONBOARDINGS {
        let told = testbed::wait(name, Duration::from_secs(180), || {
            let path = "-ojsonpath={.status.conditions[?(@.type==\"Ready\")].reason}";
            let told = kubectl(&["get", "helmreleases", "-n", "flux-system", name, path]);
            (told == reason).then_some(told)
        });
        told.expect("Flux's verdict");
    }
    let names = ONBOARDINGS.iter().map(|o| o.0);
    let words = ["capture"].into_iter().chain(names);
    let words = words.chain(["--onboarding-selector", SELECTOR, "--to", "-"]);
    let output = skvs(words)
        .into_command()
        .output()
        .expect("the plugin runs");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut archive = tar::Archive::new(GzDecoder::new(output.stdout.as_slice()));
    for old in ["answers", "manifest.json"].map(|n| folder().join(n)) {
        let _ = std::fs::remove_dir_all(&old).or_else(|_| std::fs::remove_file(&old));
    }
    for entry in archive.entries().expect("a tar archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").into_owned();
        let path = folder().join(path.iter().skip(1).collect::<PathBuf>());
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).expect("text");
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(path, of_no_machine(&text)).expect("the file");
    }
}

fn manifest(name: &str, namespace: &str, database: &str, target: &str, version: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: flux-system
  labels: {{app.kubernetes.io/part-of: secure-kvs-onboarding, environment: lab2}}
spec:
  interval: 5m
  timeout: 10s
  chart:
    spec:
      chart: secure-kvs-onboarding
      version: \"{version}\"
      sourceRef: {{kind: HelmRepository, name: wit-artifactory, namespace: flux-system}}
      interval: 1m
  serviceAccountName: helm-controller
  targetNamespace: {target}
  values: {{namespace: {namespace}, database: {database}, serviceAccounts: [{namespace}], encryption: true}}
"
    )
}

/// Without the ports and folders of the run.
fn of_no_machine(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("127.0.0.1:") {
        let end = at + "127.0.0.1:".len();
        out.push_str(&rest[..end]);
        let port = &rest[end..];
        rest = port.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() < port.len() {
            out.push_str("8443");
        }
    }
    out.push_str(rest);
    let run = Sandbox::shared().run_dir().to_string_lossy().into_owned();
    out.replace(&run, "/run/sandbox")
}
