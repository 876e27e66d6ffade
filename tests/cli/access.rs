//! `access` on a folder of manifests: what it edits, what it leaves alone, and what it refuses.

use crate::run::{Told, skvs};
use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

const PROD: &str = "infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml";
const LAB: &str = "infrastructure/k8s/lab2/secure-kvs/secure-kvs-onboarding/pds_orders.yaml";

const MANIFEST: &str = "# The team's ticket: 4711
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind:   HelmRelease   # as in the runbook
metadata:
  name: skvs-onboarding-pds--orders
  namespace: flux-system
spec:
  interval: 5m
  chart: {spec: {chart: secure-kvs-onboarding, version: \"<0.2.0\"}}
  values:
    namespace: pds
    database: orders
    serviceAccounts:
      # the API
      - pds-api
      - pds-worker   # until March
    encryption: true
";

/// A run in a repository with these files, and what the first one holds afterwards.
fn access(words: &[&str], files: &[(&str, &str)]) -> (Told, String) {
    let repo = TempDir::new().unwrap();
    for (name, text) in files {
        let path = repo.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let folder = repo.path().display().to_string();
    let words: Vec<&str> = ["access"]
        .iter()
        .chain(words)
        .copied()
        .chain(["--repo", &folder])
        .collect();
    let told = skvs(&words).named(&folder, "REPO").run();
    (
        told,
        std::fs::read_to_string(repo.path().join(files[0].0)).unwrap(),
    )
}

#[test]
fn an_account_is_added_and_nothing_else_changes() {
    let (told, text) = access(
        &["pds_orders", "add", "pds-batch", "pds-api"],
        &[(PROD, MANIFEST)],
    );
    assert_snapshot!(told, @r"
    exit 0
    stdout:
    --- a/REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml
    +++ b/REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml
    @@ -15,4 +15,5 @@
           # the API
           - pds-api
           - pds-worker   # until March
    +      - pds-batch
         encryption: true
    stderr:
    pds-api is in the list already
    REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml changed; Flux applies it when it is merged
    ");
    let line = "      - pds-worker   # until March\n";
    assert_eq!(
        text,
        MANIFEST.replace(line, &format!("{line}      - pds-batch\n"))
    );
}

#[test]
fn an_account_is_removed_with_its_line() {
    let (told, text) = access(
        &["pds--orders", "remove", "pds-worker"],
        &[(PROD, MANIFEST)],
    );
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(
        text,
        MANIFEST.replace("      - pds-worker   # until March\n", "")
    );
}

#[test]
fn a_rehearsal_writes_nothing() {
    let (told, text) = access(
        &["pds_orders", "add", "x", "--dry-run", "-o", "json"],
        &[(PROD, MANIFEST)],
    );
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(text, MANIFEST);
    let change: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(change["written"], false);
    assert_eq!(change["added"], serde_json::json!(["x"]));
    assert!(
        change["diff"].as_str().unwrap().contains("\n+      - x\n"),
        "{change}"
    );
    let (told, text) = access(&["pds_orders", "add", "pds-api"], &[(PROD, MANIFEST)]);
    assert!(told.stderr.contains("Nothing to change."), "{told}");
    assert_eq!(text, MANIFEST);
}

#[test]
fn one_manifest_must_be_meant() {
    let both = [(PROD, MANIFEST), (LAB, MANIFEST)];
    let (told, text) = access(&["pds_orders", "add", "x"], &both);
    assert_snapshot!(told, @r#"
    exit 1
    stderr:
    error: "pds_orders" means 2 manifests: REPO/infrastructure/k8s/lab2/secure-kvs/secure-kvs-onboarding/pds_orders.yaml, REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml
    hint: name the file, or its cluster with --for-cluster
    "#);
    assert_eq!(text, MANIFEST);
    let (told, text) = access(&["pds_orders", "add", "x", "--for-cluster", "lab2"], &both);
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(text, MANIFEST);
    let (told, _) = access(&["pds_order", "add", "x"], &both);
    assert_snapshot!(told, @r#"
    exit 1
    stderr:
    error: no onboarding "pds_order" in REPO
    hint: did you mean pds_orders, REPO/infrastructure/k8s/lab2/secure-kvs/secure-kvs-onboarding/pds_orders.yaml, REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml?
    "#);
    // A path means one file.
    let repo = TempDir::new().unwrap();
    for name in [PROD, LAB] {
        let path = repo.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, MANIFEST).unwrap();
    }
    let mut run = skvs(&["access", PROD, "remove", "pds-api"]);
    run.command().current_dir(repo.path());
    assert_eq!(run.run().code, Some(0));
    let text = |name: &str| std::fs::read_to_string(repo.path().join(name)).unwrap();
    assert!(!text(PROD).contains("pds-api") && text(LAB) == MANIFEST);
    let (told, _) = access(
        &["pds_order", "add", "x"],
        &[(PROD, "kind: HelmRelease\n  a: b\n")],
    );
    assert!(
        told.stderr
            .contains("it may be in what was not read: REPO/"),
        "{told}"
    );
}

#[test]
fn the_cluster_must_be_the_repositorys() {
    let files = [(PROD, MANIFEST), (LAB, MANIFEST)];
    let (told, text) = access(&["pds_orders", "add", "x", "--for-cluster", "nope"], &files);
    assert_snapshot!(told, @r"
    exit 2
    stderr:
    error: REPO has no folder of cluster nope
    hint: clusters of the repository: lab2, prod
    ");
    assert_eq!(text, MANIFEST);
    for name in ["lab2,prod", "lab2/", "../prod", ""] {
        let (told, text) = access(&["pds_orders", "add", "x", "--for-cluster", name], &files);
        assert_eq!(told.code, Some(2), "{name}: {told}");
        assert!(told.stderr.contains("not the name of a folder"), "{told}");
        assert_eq!(text, MANIFEST);
    }
}

#[test]
fn one_of_another_cluster_is_said_to_be_there() {
    let empty = PROD.replace("/prod/", "/lab2/");
    let empty = empty.replace("pds_orders", "pds_other");
    let other = MANIFEST.replace("orders", "other");
    let files = [(PROD, MANIFEST), (&*empty, &*other)];
    let (told, _) = access(&["pds_orders", "add", "x", "--for-cluster", "lab2"], &files);
    assert_snapshot!(told, @r#"
    exit 1
    stderr:
    error: no onboarding "pds_orders" in REPO for cluster lab2
    hint: it is in REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml (cluster prod)
    "#);
}

#[test]
fn what_cannot_be_edited_safely_is_left_alone() {
    let list =
        "serviceAccounts:\n      # the API\n      - pds-api\n      - pds-worker   # until March\n";
    let with = |new: &str| MANIFEST.replace(list, new);
    assert_ne!(with(""), MANIFEST);
    for (text, why) in [
        (with("serviceAccounts: [pds-api]\n"), "in brackets"),
        (with("serviceAccounts: &all\n      - pds-api\n"), "anchor"),
        (
            with("serviceAccounts:\n      - ${account}\n"),
            "Flux replaces the variable",
        ),
        (with("serviceAccounts: pds-api\n"), "not a list of texts"),
        (with("x: 1\n"), "no serviceAccounts"),
        (
            with(list).replace("kind:   HelmRelease", "apiVersion: x\nkind: HelmRelease"),
            "",
        ),
    ] {
        let (told, kept) = access(&["pds--orders", "add", "x"], &[(PROD, &text)]);
        if why.is_empty() {
            assert_eq!(told.code, Some(0), "{told}");
            continue;
        }
        assert_eq!((told.code, told.stdout.as_str()), (Some(4), ""), "{told}");
        assert!(told.stderr.contains(why), "{why}: {told}");
        assert_eq!(kept, text);
    }
    let (told, _) = access(
        &["pds--orders", "add", "x"],
        &[(PROD, &with("serviceAccounts: [pds-api]\n"))],
    );
    assert_snapshot!(told, @r"
    exit 4
    stderr:
    error: cannot edit REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml: the list is written in brackets; nothing was added
    hint: write it by hand: serviceAccounts: [pds-api, x]
    ");
    let (told, kept) = access(
        &["pds--orders", "remove", "pds-api", "pds-worker"],
        &[(PROD, MANIFEST)],
    );
    assert_snapshot!(told, @r"
    exit 4
    stderr:
    error: cannot edit REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml: nobody would be left who may access the database
    hint: remove the manifest where the onboarding is not needed any more
    ");
    assert_eq!(kept, MANIFEST);
}

#[test]
fn a_files_name_alone_is_not_whose_list_it_is() {
    let other = PROD.replace("pds_orders", "kilo_orders");
    let files = [(other.as_str(), MANIFEST)];
    let (told, text) = access(&["kilo_orders", "add", "x"], &files);
    assert_snapshot!(told, @r"
    exit 4
    stderr:
    error: only a file is named kilo_orders: REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kilo_orders.yaml is for the database pds_orders
    hint: name the database, or the file: REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kilo_orders.yaml
    ");
    assert_eq!(text, MANIFEST);
    let (told, _) = access(&["hr/kilo_orders", "add", "x", "--dry-run"], &files);
    assert_eq!((told.code, told.stdout.as_str()), (Some(4), ""), "{told}");
    let (told, text) = access(&["kilo_orders.yaml", "add", "x"], &files);
    assert_eq!(told.code, Some(0), "{told}");
    assert!(text.contains("- x\n"), "{text}");
}

#[test]
fn a_rehearsal_is_refused_as_the_change_would_be() {
    for rehearsal in [true, false] {
        let repo = TempDir::new().unwrap();
        let path = repo.path().join(PROD);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(repo.path().join("real.txt"), MANIFEST).unwrap();
        std::os::unix::fs::symlink(repo.path().join("real.txt"), &path).unwrap();
        let folder = repo.path().display().to_string();
        let mut words = vec!["access", "pds_orders", "add", "x", "--repo", &folder];
        words.extend(rehearsal.then_some("--dry-run"));
        let told = skvs(&words).run();
        assert_eq!((told.code, told.stdout.as_str()), (Some(4), ""), "{told}");
        assert!(told.stderr.contains("not a regular file"), "{told}");
        assert!(path.is_symlink());
    }
}

#[test]
fn an_account_must_be_a_name() {
    for name in ["Pds", "pds/api", "a_b", "", "x\n- y"] {
        let (told, text) = access(&["pds_orders", "add", name], &[(PROD, MANIFEST)]);
        assert_eq!(told.code, Some(2), "{name}: {told}");
        assert_eq!(text, MANIFEST);
    }
}

#[test]
fn what_was_not_read_of_the_named_cluster_may_have_it() {
    let odd = PROD.replace("pds_orders", "odd");
    let files = |cluster: &'static str| {
        let odd = (odd.as_str(), "kind: HelmRelease\n  a: b\n");
        let words = ["pds_nope", "add", "x", "--for-cluster", cluster];
        access(&words, &[(LAB, MANIFEST), (PROD, MANIFEST), odd]).0
    };
    assert_snapshot!(files("prod"), @r#"
    exit 1
    stderr:
    error: cannot tell whether onboarding "pds_nope" is in REPO for cluster prod: REPO/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/odd.yaml: mapping values are not allowed in this context
    "#);
    assert_snapshot!(files("lab2"), @r#"
    exit 1
    stderr:
    error: no onboarding "pds_nope" in REPO for cluster lab2
    "#);
}

#[test]
fn of_two_manifests_of_the_named_cluster_the_file_must_be_named() {
    let second = PROD.replace("pds_orders", "orders");
    let words = ["pds_orders", "add", "x", "--for-cluster", "prod"];
    let (told, text) = access(&words, &[(PROD, MANIFEST), (&second, MANIFEST)]);
    assert!(told.stderr.ends_with("hint: name the file\n"), "{told}");
    assert_eq!(text, MANIFEST);
}
