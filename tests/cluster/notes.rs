//! `notes` beside the real helm, and on Secrets that are missing, corrupt or forbidden.

use crate::harness::{Skvs, kubectl, skvs};
use std::process::Command;
use testbed::Sandbox;

/// The release's name as Flux stored it.
fn release_of(onboarding: &str) -> String {
    kubectl(&[
        "get",
        "helmrelease",
        "-n",
        "flux-system",
        onboarding,
        "-o",
        "jsonpath={.status.history[0].name}",
    ])
}

#[test]
fn they_are_what_helm_prints() {
    let sandbox = Sandbox::shared();
    for onboarding in [
        "skvs-onboarding-pds--database",
        "skvs-onboarding-hotel--catalogue",
        // Its newest revision failed: helm prints its notes all the same.
        "skvs-onboarding-iota--database",
    ] {
        let helm = Command::new(sandbox.bin("helm"))
            .args(["get", "notes", "-n", "flux-system", &release_of(onboarding)])
            .env("KUBECONFIG", sandbox.kubeconfig())
            .output()
            .unwrap();
        assert!(helm.status.success(), "{helm:?}");
        let expected = String::from_utf8(helm.stdout).unwrap();
        assert!(expected.starts_with("NOTES:\n"), "{expected}");
        assert_eq!(skvs(["notes", onboarding]).run().ok(), expected);
        assert_eq!(
            skvs(["notes", onboarding, "--revision", "1"]).run().ok(),
            expected
        );
    }
}

#[test]
fn two_requests_and_the_right_to_get_one_secret_are_enough() {
    let secret = format!(
        "sh.helm.release.v1.{}.v1",
        release_of("skvs-onboarding-pds--database")
    );
    let rbac = format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: notes-reader, namespace: flux-system}}
rules:
- {{apiGroups: [helm.toolkit.fluxcd.io], resources: [helmreleases], verbs: [get]}}
- {{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [{secret}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: notes-reader, namespace: flux-system}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: notes-reader}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: notes-reader}}]
"
    );
    let kubeconfig = Sandbox::shared().user("notes-reader", &[], &rbac).unwrap();
    let name = "skvs-onboarding-pds--database";
    let said = Skvs::with(&kubeconfig, ["notes", name, "-v", "6"]).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let asked = said.stderr.lines().filter(|l| l.starts_with("GET "));
    assert_eq!(asked.count(), 2, "{}", said.stderr);
    // Another onboarding's Secret may not be read.
    let said = Skvs::with(&kubeconfig, ["notes", "skvs-onboarding-golf--sessions"]).run();
    let stderr = said.failed(1);
    assert!(
        stderr.starts_with("Error from server (Forbidden): secrets \"sh.helm.release.v1."),
        "{stderr}"
    );
    assert!(
        stderr.ends_with(
            "hint: the notes are kept in that Secret; ask for: get secrets in flux-system\n"
        ),
        "{stderr}"
    );
}

#[test]
fn only_a_ready_onboarding_is_shared() {
    let said = skvs(["notes", "pds_database", "--share"]).run();
    assert_eq!(said.code, 1, "two onboardings claim it: {}", said.stderr);
    let said = skvs(["notes", "skvs-onboarding-pds--database", "--share"]).run();
    insta::assert_snapshot!(said.ok(), @r"
    Your Secure KVS database is ready.

      Database   pds_database
      Endpoint   http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984
      Access     pods in namespace pds that run as service account pds; no password is needed

    Try it from such a pod:
      curl http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984/pds_database
    ");
    let said = skvs(["notes", "hotel_catalogue", "--share"]).run().ok();
    assert!(
        said.contains("Encryption   none: this is CouchDB itself"),
        "{said}"
    );
    let iota = "skvs-onboarding-iota--database";
    let said = skvs(["notes", iota, "--share"]).run().failed(1);
    assert!(
        said.starts_with(&format!(
            "error: onboarding {iota} is not ready to be shared: install failed: "
        )),
        "{said}"
    );
    let said = skvs(["notes", iota, "--share", "--force"]).run();
    assert!(
        said.stderr
            .starts_with(&format!("Warning: {iota} is not ready: install failed: ")),
        "{}",
        said.stderr
    );
    let said = said.ok();
    assert!(
        said.starts_with("Your Secure KVS database is not ready yet: install failed: ")
            && said.contains("Database   pds_database"),
        "{said}"
    );
    // Helm prints them all the same, and so do we; they are not true.
    let said = skvs(["notes", iota]).run();
    assert_eq!(
        said.stderr,
        "Warning: revision 1 is failed: these notes do not apply yet\n"
    );
    assert!(said.ok().contains("A database was created!"));
}

#[test]
fn a_release_that_is_not_there_or_broken_is_named() {
    let said = skvs(["notes", "golf_sessions", "--revision", "7"])
        .run()
        .failed(1);
    assert!(
        said.contains("revision 7 of release ") && said.ends_with("hint: stored revisions: 1\n"),
        "{said}"
    );
    // Its chart was never found, so Helm never ran.
    let said = skvs(["notes", "skvs-onboarding-tango--metrics"])
        .run()
        .failed(1);
    assert!(
        said.starts_with("error: onboarding skvs-onboarding-tango--metrics has no release: Secret flux-system/sh.helm.release.v1."),
        "{said}"
    );
    // A cluster without controllers keeps what a test writes.
    let old = Sandbox::shared().old_cluster();
    old.apply(BROKEN).unwrap();
    old.apply_status(BROKEN_STATUS).unwrap();
    let said = Skvs::with(old.kubeconfig(), ["notes", "broken", "-n", "notes-test"]).run();
    assert_eq!(
        said.failed(1),
        "error: Secret notes-test/sh.helm.release.v1.broken.v1 does not hold a release: its payload is not base64 (inner layer)\n\
         hint: another revision may still be readable: give --revision N\n"
    );
}

#[test]
fn escape_sequences_do_not_reach_the_terminal() {
    let old = Sandbox::shared().old_cluster();
    old.apply(STEERS).unwrap();
    old.apply_status(STEERS_STATUS).unwrap();
    let said = Skvs::with(old.kubeconfig(), ["notes", "steers", "-n", "notes-steer"]).run();
    assert_eq!(said.ok(), "NOTES:\na^[[2J\tb\nc\n");
}

/// A release of which nothing but the notes is there, stored without gzip as old Helm did.
const STEERS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: notes-steer}
---
apiVersion: helm.toolkit.fluxcd.io/v2beta2
kind: HelmRelease
metadata: {name: steers, namespace: notes-steer}
spec:
  interval: 5m
  chart: {spec: {chart: secure-kvs-onboarding, sourceRef: {kind: HelmRepository, name: r}}}
---
apiVersion: v1
kind: Secret
type: helm.sh/release.v1
metadata: {name: sh.helm.release.v1.steers.v1, namespace: notes-steer, labels: {owner: helm, name: steers, status: deployed, version: '1'}}
stringData: {release: 'eyJuYW1lIjoic3RlZXJzIiwidmVyc2lvbiI6MSwiaW5mbyI6eyJzdGF0dXMiOiJkZXBsb3llZCIsIm5vdGVzIjoiYVx1MDAxYlsySlx0YlxyXG5jIn19'}
";

const STEERS_STATUS: &str = "
apiVersion: helm.toolkit.fluxcd.io/v2beta2
kind: HelmRelease
metadata: {name: steers, namespace: notes-steer}
status:
  lastReleaseRevision: 1
";

const BROKEN: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: notes-test}
---
apiVersion: helm.toolkit.fluxcd.io/v2beta2
kind: HelmRelease
metadata: {name: broken, namespace: notes-test}
spec:
  interval: 5m
  chart: {spec: {chart: secure-kvs-onboarding, sourceRef: {kind: HelmRepository, name: r}}}
---
apiVersion: v1
kind: Secret
type: helm.sh/release.v1
metadata: {name: sh.helm.release.v1.broken.v1, namespace: notes-test, labels: {owner: helm, name: broken, status: deployed, version: '1'}}
stringData: {release: '%%%'}
";

const BROKEN_STATUS: &str = "
apiVersion: helm.toolkit.fluxcd.io/v2beta2
kind: HelmRelease
metadata: {name: broken, namespace: notes-test}
status:
  lastReleaseRevision: 1
";
