//! `offboard` against an API server's answers and a repository: the exact text, and what is refused.

mod repository;
mod subject;
mod unread;

use crate::run::{Run, Told, skvs};
use crate::server::{Listener, status};
use insta::assert_snapshot;
use serde_json::{Value, json};

const FOLDER: &str = "gitops/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding";

fn list(kind: &str, version: &str, items: &Value) -> (u16, String) {
    let list = json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "9"}, "items": items});
    (200, list.to_string())
}

fn group(name: &str) -> (u16, String) {
    let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
    let group = json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": [version], "preferredVersion": version});
    (200, group.to_string())
}

fn helm_release(name: &str, database: &str) -> Value {
    json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": "flux-system", "uid": "u", "generation": 1, "resourceVersion": "7",
            "finalizers": ["finalizers.fluxcd.io"],
            "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding", "kustomize.toolkit.fluxcd.io/name": "kvs",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}},
        "spec": {"interval": "1m", "targetNamespace": "core", "chart": {"spec": {"chart": "secure-kvs-onboarding",
            "sourceRef": {"kind": "HelmRepository", "name": "r"}}},
            "values": {"namespace": "pds", "database": database, "serviceAccounts": ["pds"]}}})
}

/// An API server with two onboardings that a Kustomization applies, and no pod of CouchDB.
fn usual(path: &str) -> (u16, String) {
    let kustomization = json!({"metadata": {"name": "kvs", "namespace": "flux-system", "generation": 1, "resourceVersion": "5"},
        "spec": {"prune": true, "path": "./x"},
        "status": {"observedGeneration": 1,
            "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "observedGeneration": 1}],
            "inventory": {"entries": [
                {"id": "flux-system_skvs-onboarding-pds--database_helm.toolkit.fluxcd.io_HelmRelease", "v": "v2"},
                {"id": "flux-system_skvs-onboarding-pds--orders_helm.toolkit.fluxcd.io_HelmRelease", "v": "v2"}]}}});
    let policy = json!({"metadata": {"name": "pds-database", "namespace": "secure-kvs", "resourceVersion": "5"},
        "spec": {"action": "ALLOW", "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/pds/sa/pds"]}}],
            "to": [{"operation": {"paths": ["/pds_database", "/pds_database/*"]}}]}]}});
    let pod = json!({"metadata": {"name": "pds-0", "namespace": "pds"}, "spec": {"serviceAccountName": "pds", "containers": []}});
    let job = json!({"metadata": {"name": "pds-database-create", "namespace": "core"}});
    let releases = json!([
        helm_release("skvs-onboarding-pds--database", "database"),
        helm_release("skvs-onboarding-pds--orders", "orders"),
    ]);
    let named = |part: &str| path.contains(part);
    match path {
        "/apis/security.istio.io" | "/apis/kustomize.toolkit.fluxcd.io" => group(&path[6..]),
        _ if named("/helmreleases?") => {
            list("HelmReleaseList", "helm.toolkit.fluxcd.io/v2", &releases)
        }
        _ if named("/kustomizations?") => list(
            "KustomizationList",
            "kustomize.toolkit.fluxcd.io/v1",
            &json!([kustomization]),
        ),
        _ if named("/authorizationpolicies?") => list(
            "AuthorizationPolicyList",
            "security.istio.io/v1",
            &json!([policy]),
        ),
        _ if named("/secrets?") => list("SecretList", "v1", &json!([])),
        _ if named("/configmaps?") => {
            list("PartialObjectMetadataList", "meta.k8s.io/v1", &json!([]))
        }
        _ if named("/jobs?") => list("PartialObjectMetadataList", "meta.k8s.io/v1", &json!([job])),
        _ if named("/namespaces/pds/pods?") => list("PodList", "v1", &json!([pod])),
        _ if named("/pods?") => list("PodList", "v1", &json!([])),
        _ => {
            let message = "the server could not find the requested resource";
            (404, status(404, "NotFound", message))
        }
    }
}

fn manifest(database: &str) -> String {
    let name = format!("skvs-onboarding-pds--{database}");
    helm_release(&name, database).to_string()
}

/// The same, with other answers to some requests.
fn except(other: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static) -> Listener {
    Listener::scripted(move |path| other(path).unwrap_or_else(|| usual(path)))
}

/// The same with these HelmReleases.
fn having(items: Value) -> Listener {
    except(move |path| {
        let all = || list("HelmReleaseList", "helm.toolkit.fluxcd.io/v2", &items);
        path.contains("/helmreleases?").then(all)
    })
}

fn policies(items: &Value) -> (u16, String) {
    list("AuthorizationPolicyList", "security.istio.io/v1", items)
}

/// A policy for a database, as Flux labels it for a HelmRelease.
fn policy(name: &str, database: &str, made_by: &str) -> Value {
    let label = |key: &str| format!("helm.toolkit.fluxcd.io/{key}");
    json!({"metadata": {"name": name, "namespace": "secure-kvs", "resourceVersion": "5",
            "labels": {label("name"): made_by, label("namespace"): "flux-system"}},
        "spec": {"action": "ALLOW", "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/pds/sa/pds"]}}],
            "to": [{"operation": {"paths": [format!("/{database}"), format!("/{database}/*")]}}]}]}})
}

/// The state of a step.
fn state<'t>(told: &'t Told, step: &str) -> &'t str {
    let mut rows = told
        .stdout
        .lines()
        .filter_map(|line| line.split_at_checked(11));
    let row = rows.find(|(_, rest)| rest.split("  ").next() == Some(step));
    row.map_or("", |(state, _)| state.trim())
}

/// A run with the repository of both onboardings.
fn run(server: &Listener, words: &[&str]) -> Run {
    let run = skvs(words).server(&server.http());
    for database in ["database", "orders"] {
        run.file(
            &format!("{FOLDER}/pds_{database}.yaml"),
            &manifest(database),
        );
    }
    let listed = "resources:\n  - pds_database.yaml\n  - pds_orders.yaml\n";
    run.file(&format!("{FOLDER}/kustomization.yaml"), listed);
    run
}

#[test]
fn every_step_is_told_with_its_commands() {
    let server = Listener::scripted(usual);
    let words = ["offboard", "pds_database", "--repo", "gitops"];
    assert_snapshot!(run(&server, &words).run(), @"
    exit 3
    stdout:
    pds_database, HelmRelease flux-system/skvs-onboarding-pds--database: 1 of 7 steps done, 1 not known

    to do      users          1 pod runs as pds/pds: pds/pds-0
               agree with the team: access ends with the HelmRelease
    to do      manifest       gitops/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_database.yaml, line 1, declares HelmRelease flux-system/skvs-onboarding-pds--database, for cluster prod
               git -C gitops rm -- infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_database.yaml
               --- a/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kustomization.yaml
               +++ b/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kustomization.yaml
               @@ -1,3 +1,2 @@
                resources:
               -  - pds_database.yaml
                  - pds_orders.yaml
               commit and merge it: Flux reads what is merged
    blocked    Kustomization  waits for the manifest; it then removes the HelmRelease
                              Kustomization flux-system/kvs holds HelmRelease flux-system/skvs-onboarding-pds--database
    blocked    HelmRelease    HelmRelease flux-system/skvs-onboarding-pds--database exists and waits for the manifest
    done       Helm release   Helm stores no release of it
    blocked    access         waits for the HelmRelease
                              AuthorizationPolicy secure-kvs/pds-database lets pods in
                              Job core/pds-database-create is left
    not known  database       whether CouchDB has pds_database is not known: no CouchDB pod in namespace secure-kvs (0 pods looked at)
               kubectl skvs delete-db pds_database --dry-run --context here
    ");
}

/// Without any right every step is not known.
#[test]
fn what_may_not_be_read_is_not_known() {
    let server = Listener::scripted(|_| (403, status(403, "Forbidden", "no")));
    let words = ["offboard", "pds_database", "--no-exec"];
    assert_snapshot!(run(&server, &words).run(), @"
    exit 1
    stdout:
    pds_database, by convention HelmRelease flux-system/skvs-onboarding-pds--database: 0 of 7 steps done, 7 not known

    not known  users          who is let in is not known: the AuthorizationPolicies of all namespaces: forbidden (no)
    not known  manifest       it was not looked for: no repository was named
               name the folder of the GitOps repository with --repo
    not known  Kustomization  whether a Kustomization holds the HelmRelease is not known: forbidden (no)
    not known  HelmRelease    whether it exists is not known: forbidden (no)
    not known  Helm release   whether Helm stores a release is not known: Helm's Secrets of all namespaces: forbidden (no)
    not known  access         whether a policy lets pods in is not known: the AuthorizationPolicies of all namespaces: forbidden (no)
                              whether the creation Job is left is not known: forbidden (no)
    not known  database       whether CouchDB has pds_database is not known: left out by --no-exec
               kubectl skvs delete-db pds_database --dry-run --context here
    ");
}

#[test]
fn a_name_that_means_nothing_or_several_is_an_error() {
    let server = Listener::scripted(usual);
    let told = run(&server, &["offboard", "pds--databse", "--no-exec"]).run();
    assert_eq!(told.code, Some(1), "{told}");
    assert!(
        told.stderr.contains("did you mean pds--database?"),
        "{told}"
    );

    let twice = Listener::scripted(|path| {
        let both = json!([helm_release("a", "database"), helm_release("b", "database")]);
        match path.contains("/helmreleases?") {
            true => list("HelmReleaseList", "helm.toolkit.fluxcd.io/v2", &both),
            false => usual(path),
        }
    });
    let told = run(&twice, &["offboard", "pds_database", "--no-exec"]).run();
    assert_eq!(told.code, Some(2), "{told}");
    assert!(
        told.stderr
            .contains("means 2 onboardings: flux-system/a, flux-system/b"),
        "{told}"
    );

    // A manifest of another state than the cluster's.
    let other = Listener::scripted(|path| {
        let one = json!([helm_release("skvs-onboarding-pds--database", "moved")]);
        match path.contains("/helmreleases?") {
            true => list("HelmReleaseList", "helm.toolkit.fluxcd.io/v2", &one),
            false => usual(path),
        }
    });
    let words = ["offboard", "pds_database", "--no-exec", "--repo", "gitops"];
    let told = run(&other, &words).run();
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stderr.contains("says another database"), "{told}");
}

#[test]
fn a_folder_that_may_be_the_wrong_one_proves_nothing() {
    let server = Listener::scripted(usual);
    for (words, why) in [
        (
            &["offboard", "pds_other", "--no-exec", "--repo", "empty"][..],
            "is it the right folder?",
        ),
        (
            &[
                "offboard",
                "pds_other",
                "--no-exec",
                "--repo",
                "gitops",
                "--for-cluster",
                "lab",
            ],
            "is it the right folder?",
        ),
        (
            &[
                "offboard",
                "pds_other",
                "--no-exec",
                "--repo",
                "loose",
                "--for-cluster",
                "prod",
            ],
            "is it the right folder?",
        ),
        (
            &[
                "offboard",
                "pds_other",
                "--no-exec",
                "--repo",
                "gitops/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml",
            ],
            "what is beside it was not read",
        ),
    ] {
        let run = run(&server, words);
        run.file("empty/README.md", "x");
        run.file("loose/pds_orders.yaml", &manifest("orders"));
        // The clusters are there.
        for rest in [
            "loose/infrastructure/k8s/prod/x",
            "gitops/infrastructure/k8s/lab/x",
        ] {
            run.file(&format!("{rest}/README.md"), "x");
        }
        let told = run.run();
        let row = told.stdout.lines().find(|l| l.contains(" manifest "));
        assert!(
            row.is_some_and(|row| row.starts_with("not known")),
            "{told}"
        );
        let flat: Vec<&str> = told.stdout.split_whitespace().collect();
        assert!(flat.join(" ").contains(why), "{told}");
    }
    // The same name where both onboardings are looked at.
    let words = ["offboard", "pds_other", "--no-exec", "--repo", "gitops"];
    let told = run(&server, &words).run();
    let row = told.stdout.lines().find(|l| l.contains(" manifest "));
    assert!(row.is_some_and(|row| row.starts_with("done")), "{told}");
    // One whose database the files do not say may be it.
    let run = run(&server, &words);
    let open = manifest("orders").replace("\"orders\"", "\"${database}\"");
    run.file(&format!("{FOLDER}/pds_orders.yaml"), &open);
    let told = run.run();
    let row = told.stdout.lines().find(|l| l.contains(" manifest "));
    assert!(
        row.is_some_and(|row| row.starts_with("not known")),
        "{told}"
    );
}
