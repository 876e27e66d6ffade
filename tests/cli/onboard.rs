//! `onboard` without a cluster: the manifest, its place in the repository, and what is refused.

use crate::lint::{FOLDER, manifest};
use crate::run::{Run, Told, skvs};
use insta::assert_snapshot;
use serde_json::Value;

const LIST: &str =
    "# The onboardings\r\nresources:\n  - kilo_carts.yaml # since May\n  - zulu_x.yaml\n";

/// A manifest that differs from the runbook's style in everything that a new one takes over.
fn neighbour(namespace: &str, database: &str, version: &str) -> String {
    let own = "  serviceAccountName: helm-controller\n  targetNamespace: core-eu\n  values:\n";
    manifest(namespace, database)
        .replace("/v2\n", &format!("/{version}\n"))
        .replace("<0.2.0", "<0.3.0")
        .replace("  values:\n", own)
}

/// A run in a repository with two onboardings.
fn onboard(words: &[&str]) -> Run {
    let words: Vec<&str> = ["onboard"].iter().chain(words).copied().collect();
    let run = skvs(&words);
    run.file(
        &format!("{FOLDER}/kilo_carts.yaml"),
        &neighbour("kilo", "carts", "v2"),
    );
    run.file(
        &format!("{FOLDER}/zulu_x.yaml"),
        &neighbour("zulu", "x", "v2"),
    );
    run.file(&format!("{FOLDER}/kustomization.yaml"), LIST);
    run
}

const WANTED: [&str; 5] = ["pds", "orders", "--service-account", "api,batch", "--local"];

/// What the folder holds after the run.
fn after(mut run: Run) -> (Told, Vec<(String, String)>) {
    let folder = run.home().join(FOLDER);
    let output = run.command().output().unwrap();
    let told = run.told(&output);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            (name, text)
        })
        .collect();
    files.sort();
    (told, files)
}

#[test]
fn it_is_printed_in_the_runbooks_form() {
    let told = skvs(&[&["onboard"][..], &WANTED, &["--no-encryption"]].concat()).run();
    assert_snapshot!(told, @r#"
    exit 0
    stdout:
    ---
    apiVersion: helm.toolkit.fluxcd.io/v2beta1
    kind: HelmRelease
    metadata:
      name: skvs-onboarding-pds--orders
      namespace: flux-system
      labels:
        app.kubernetes.io/part-of: secure-kvs-onboarding
    spec:
      interval: 5m
      chart:
        spec:
          chart: secure-kvs-onboarding
          version: "<0.2.0"
          sourceRef:
            kind: HelmRepository
            name: wit-artifactory
            namespace: flux-system
          interval: 1m
      serviceAccountName: helm-controller
      targetNamespace: core
      values:
        namespace: pds
        database: orders
        serviceAccounts:
          - api
          - batch
        encryption: false
    stderr:
    Warning: not checked: the cluster (--local)
    Warning: not checked: other manifests: no repository is named (--repo)
    Encryption is off: the team uses CouchDB itself, which stores documents as they are. Only for data that is not sensitive.
    Do not change this after the installation.
    In the runbook's installation its endpoint is http://db-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984
    hint: once it is installed, print the message for the team: kubectl skvs notes skvs-onboarding-pds--orders -n flux-system --share
    "#);
    // The printed manifest is one that lint has nothing against.
    let run = skvs(&["lint", "pds_orders.yaml"]);
    run.file("pds_orders.yaml", &told.stdout);
    let linted = run.run();
    assert_eq!(linted.code, Some(0), "{linted}");
    assert!(linted.stdout.contains("nothing found"), "{linted}");
}

#[test]
fn it_is_written_as_its_neighbours_are_and_listed() {
    let (told, files) = after(onboard(&[&WANTED[..], &["--repo", "."]].concat()));
    assert_snapshot!(told, @r#"
    exit 0
    stdout:
    --- /dev/null
    +++ b/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml
    @@ -0,0 +1,28 @@
    +---
    +apiVersion: helm.toolkit.fluxcd.io/v2
    +kind: HelmRelease
    +metadata:
    +  name: skvs-onboarding-pds--orders
    +  namespace: flux-system
    +  labels:
    +    app.kubernetes.io/part-of: secure-kvs-onboarding
    +spec:
    +  interval: 5m
    +  chart:
    +    spec:
    +      chart: secure-kvs-onboarding
    +      version: "<0.3.0"
    +      sourceRef:
    +        kind: HelmRepository
    +        name: wit-artifactory
    +        namespace: flux-system
    +      interval: 1m
    +  serviceAccountName: helm-controller
    +  targetNamespace: core-eu
    +  values:
    +    namespace: pds
    +    database: orders
    +    serviceAccounts:
    +      - api
    +      - batch
    +    encryption: true
    --- a/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kustomization.yaml
    +++ b/infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kustomization.yaml
    @@ -1,4 +1,5 @@
     # The onboardings\r
     resources:
       - kilo_carts.yaml # since May
    +  - pds_orders.yaml
       - zulu_x.yaml
    stderr:
    Warning: not checked: the cluster (--local)
    infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml written and listed in infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kustomization.yaml; Flux installs it when it is merged
    Encryption is on: the team uses Steelcouch, which encrypts what CouchDB stores.
    Do not change this after the installation.
    In the runbook's installation its endpoint is http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984
    hint: once it is installed, print the message for the team: kubectl skvs notes skvs-onboarding-pds--orders -n flux-system --share
    "#);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "kilo_carts.yaml",
            "kustomization.yaml",
            "pds_orders.yaml",
            "zulu_x.yaml"
        ]
    );
    let line = "  - zulu_x.yaml\n";
    assert_eq!(
        files[1].1,
        LIST.replace(line, &format!("  - pds_orders.yaml\n{line}"))
    );
    let manifest = &files[2].1;
    for line in [
        "helm.toolkit.fluxcd.io/v2\n",
        "version: \"<0.3.0\"\n",
        "targetNamespace: core-eu\n",
    ] {
        assert!(manifest.contains(line), "{manifest}");
    }
    // A program gets the object, and a rehearsal writes nothing.
    let words = [&WANTED[..], &["--repo", ".", "--dry-run", "-o", "json"]].concat();
    let (told, files) = after(onboard(&words));
    assert_eq!((told.code, files.len()), (Some(0), 3), "{told}");
    let object: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(
        object["spec"]["values"]["serviceAccounts"],
        serde_json::json!(["api", "batch"])
    );
    assert_eq!(object["metadata"]["name"], "skvs-onboarding-pds--orders");
}

#[test]
fn what_looks_like_another_type_stays_text() {
    for name in ["1e3", "0", "null", "on"] {
        let told = skvs(&[
            "onboard",
            "pds",
            "--local",
            "--service-account",
            "a",
            "-o",
            "json",
            "--",
            name,
        ])
        .run();
        assert_eq!(told.code, Some(0), "{told}");
        let object: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(object["spec"]["values"]["database"], name);
    }
}

#[test]
fn a_neighbour_whose_database_is_not_known_may_claim_it() {
    let variable = neighbour("lima", "y", "v2").replace("database: y", "database: ${DB}");
    let missing = neighbour("lima", "y", "v2").replace("    database: y\n", "");
    let elsewhere = FOLDER.replace("prod", "lab");
    for (folder, unknown, why) in [
        (FOLDER, &variable, "spec.values.database: "),
        (FOLDER, &missing, "its values do not name one"),
        (
            &format!("{FOLDER}/more"),
            &variable,
            "spec.values.database: ",
        ),
        ("apps", &variable, "spec.values.database: "),
    ] {
        let run = onboard(&[&WANTED[..], &["--repo", ".", "--for-cluster", "prod"]].concat());
        run.file(&format!("{folder}/lima_y.yaml"), unknown);
        run.file(&format!("{elsewhere}/lima_y.yaml"), &variable);
        let (told, _) = after(run);
        assert_eq!(told.code, Some(1), "{told}");
        let said = format!("{folder}/lima_y.yaml, which may claim the database: {why}");
        assert!(told.stderr.contains(&said), "{told}");
        // Another cluster has its own CouchDB.
        let other = format!("{elsewhere}/lima_y.yaml, which");
        assert!(!told.stderr.contains(&other), "{told}");
    }
}

#[test]
fn a_folder_that_is_not_read_is_not_written_into() {
    let layout = ".infra/<cluster>/onboardings";
    let words = ["--repo", ".", "--layout", layout, "--for-cluster", "prod"];
    let mut run = onboard(&[&WANTED[..], &words].concat());
    run.file(".infra/prod/onboardings/kustomization.yaml", LIST);
    let folder = run.home().join(".infra/prod/onboardings");
    let output = run.command().output().unwrap();
    let told = run.told(&output);
    assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told}");
    let said = ".infra/prod/onboardings is not read with the repository; nothing was written";
    assert!(told.stderr.contains(said), "{told}");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn a_namespace_that_cannot_be_is_refused() {
    let told = skvs(&[&["onboard"][..], &WANTED, &["-n", "Bad NS"]].concat()).run();
    assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""), "{told}");
}

#[test]
fn fields_that_no_neighbour_has_are_named() {
    let run = skvs(&[&["onboard"][..], &WANTED, &["--repo", "."]].concat());
    let (before, rest) = neighbour("kilo", "carts", "v2")
        .split_once("  chart:\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let (_, after_chart) = rest.split_once("  serviceAccountName:").unwrap();
    let by_reference = format!(
        "{before}  chartRef: {{kind: OCIRepository, name: c}}\n  serviceAccountName:{after_chart}"
    );
    run.file(&format!("{FOLDER}/kilo_carts.yaml"), &by_reference);
    run.file(
        &format!("{FOLDER}/kustomization.yaml"),
        "resources:\n  - kilo_carts.yaml\n",
    );
    let (told, files) = after(run);
    let written = files.iter().find(|(name, _)| name == "pds_orders.yaml");
    let written = &written.unwrap_or_else(|| panic!("{told}")).1;
    assert!(
        written.contains("apiVersion: helm.toolkit.fluxcd.io/v2\n"),
        "{written}"
    );
    assert!(written.contains("targetNamespace: core-eu\n"), "{written}");
    let said = "prod: the other manifests do not say what to use for spec.chart.spec.version: <0.2.0, spec.chart.spec.sourceRef: HelmRepository flux-system/wit-artifactory; check these";
    assert!(told.stderr.contains(said), "{told}");
}

#[test]
fn neighbours_that_disagree_are_told() {
    let run = onboard(&[&WANTED[..], &["--repo", "."]].concat());
    run.file(
        &format!("{FOLDER}/lima_y.yaml"),
        &neighbour("lima", "y", "v2beta1"),
    );
    let (told, files) = after(run);
    assert_eq!(told.code, Some(0), "{told}");
    assert!(
        told.stderr.contains("prod: the other manifests disagree about apiVersion: helm.toolkit.fluxcd.io/v2 (2), helm.toolkit.fluxcd.io/v2beta1 (1); helm.toolkit.fluxcd.io/v2 is taken"),
        "{told}"
    );
    let manifest = files
        .iter()
        .find(|(name, _)| name == "pds_orders.yaml")
        .unwrap();
    assert!(manifest.1.contains("fluxcd.io/v2\n"), "{}", manifest.1);
}

#[test]
fn what_speaks_against_it_leaves_the_repository_alone() {
    let changed = |words: &[&str], change: &dyn Fn(&Run)| {
        let words = [words, &["--local", "--repo", "."]].concat();
        let run = onboard(&words);
        change(&run);
        let (told, files) = after(run);
        assert!(
            files.iter().all(|(name, _)| !name.ends_with(".tmp")),
            "{files:?}"
        );
        (told, files)
    };
    let orders = ["pds", "orders", "--service-account", "api"];
    // Another manifest claims it.
    let claims = |run: &Run| {
        let other = neighbour("kilo", "carts", "v2")
            .replace("namespace: kilo", "namespace: pds")
            .replace("database: carts", "database: orders");
        run.file(&format!("{FOLDER}/kilo_carts.yaml"), &other);
    };
    let (told, files) = changed(&orders, &claims);
    assert_snapshot!(told, @r#"
    exit 4
    stderr:
    Warning: not checked: the cluster (--local)
    error: infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml: kilo_carts.yaml claims the database pds_orders too (SKVS531)
    hint: what it means: kubectl skvs explain SKVS531
    hint: nothing was written
    "#);
    assert_eq!(files.len(), 3);
    // It is there already.
    let there = |run: &Run| {
        run.file(&format!("{FOLDER}/pds_orders.yaml"), "kind: ConfigMap\n");
    };
    let (told, files) = changed(&orders, &there);
    assert_eq!(told.code, Some(4), "{told}");
    assert!(
        told.stderr.contains("pds_orders.yaml: it exists already"),
        "{told}"
    );
    assert_eq!(files[2].1, "kind: ConfigMap\n");
    // A list that cannot be edited.
    let flow = |run: &Run| {
        run.file(
            &format!("{FOLDER}/kustomization.yaml"),
            "resources: [kilo_carts.yaml, zulu_x.yaml]\n",
        );
    };
    let (told, files) = changed(&orders, &flow);
    assert_snapshot!(told, @r"
    exit 1
    stderr:
    error: cannot edit infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kustomization.yaml: the list is written in brackets; nothing was written
    hint: add pds_orders.yaml to its resources by hand, then run this again
    ");
    assert_eq!(files.len(), 3);
    // A name whose derived name is too long.
    let long = "a".repeat(60);
    let (told, files) = changed(&["pds", &long, "--service-account", "api"], &|_| {});
    assert_eq!((told.code, files.len()), (Some(4), 3), "{told}");
    assert!(told.stderr.contains("SKVS526"), "{told}");
    // A link in the place of the list.
    let link = |run: &Run| {
        let list = run.home().join(FOLDER).join("kustomization.yaml");
        std::fs::rename(&list, run.home().join("list.yaml")).unwrap();
        std::os::unix::fs::symlink("../../../../../list.yaml", &list).unwrap();
    };
    let (told, files) = changed(&orders, &link);
    assert_eq!((told.code, files.len()), (Some(4), 3), "{told}");
    assert!(told.stderr.contains("not a regular file"), "{told}");
}

#[test]
fn what_is_missing_or_wrong_is_a_usage_error() {
    for (words, why) in [
        (&["pds"][..], "missing: DATABASE, --service-account"),
        (&["pds", "orders"], "missing: --service-account"),
        (
            &["Pds", "orders", "--service-account", "a"],
            "is not a namespace",
        ),
        (
            &["pds_a", "orders", "--service-account", "a"],
            "is not a namespace",
        ),
        (
            &["pds", "a.b", "--service-account", "a"],
            "is not a database",
        ),
        (
            &["pds", "orders", "--service-account", "A"],
            "not the name of a service account",
        ),
        (
            &[
                "pds",
                "orders",
                "--service-account",
                "a",
                "--for-cluster",
                "x",
            ],
            "--repo",
        ),
        (
            &[
                "pds",
                "orders",
                "--service-account",
                "a",
                "--repo",
                ".",
                "--for-cluster",
                "../x",
            ],
            "not the name of a folder",
        ),
    ] {
        let words = [&["onboard", "--local"][..], words].concat();
        let told = skvs(&words).run();
        assert_eq!(
            (told.code, told.stdout.as_str()),
            (Some(2), ""),
            "{words:?}: {told}"
        );
        assert!(told.stderr.contains(why), "{why}: {told}");
    }
}

#[test]
fn of_several_clusters_some_must_be_meant() {
    let lab = FOLDER.replace("prod", "lab2");
    let run = |words: &[&str]| {
        let run = onboard(&[&WANTED[..], &["--repo", "."], words].concat());
        run.file(
            &format!("{lab}/kilo_carts.yaml"),
            &neighbour("kilo", "carts", "v2beta1"),
        );
        let lab = run.home().join(&lab).join("pds_orders.yaml");
        let (told, files) = after(run);
        (told, files.len(), lab)
    };
    let (told, files, _) = run(&[]);
    assert_eq!((told.code, files), (Some(2), 3), "{told}");
    assert!(
        told.stderr.contains("several clusters: lab2, prod"),
        "{told}"
    );
    let (told, files, _) = run(&["--for-cluster", "lab2,prod"]);
    assert_eq!((told.code, files), (Some(0), 4), "{told}");
    assert!(
        told.stderr.contains("its folder has no kustomization.yaml"),
        "{told}"
    );
    let (told, files, _) = run(&["--for-cluster", "lab3"]);
    assert_eq!((told.code, files), (Some(2), 3), "{told}");
    assert!(
        told.stderr
            .contains("clusters of the repository: lab2, prod"),
        "{told}"
    );
}

#[test]
fn a_cluster_without_onboardings_is_one_of_the_repository() {
    let run = |words: &[&str], clusters: &[&str]| {
        let run = skvs(&[&["onboard"][..], &WANTED, &["--repo", "."], words].concat());
        for cluster in clusters {
            let folder = FOLDER.replace("prod", cluster);
            std::fs::create_dir_all(run.home().join(folder)).unwrap();
        }
        let written = FOLDER.replace("prod", clusters[0]);
        let written = run.home().join(written).join("pds_orders.yaml");
        let mut run = run;
        let output = run.command().output().unwrap();
        (run.told(&output), written.exists())
    };
    let (told, written) = run(&[], &["lab"]);
    assert_eq!((told.code, written), (Some(0), true), "{told}");
    let (told, written) = run(&[], &["lab", "prod"]);
    assert_eq!((told.code, written), (Some(2), false), "{told}");
    assert!(
        told.stderr.contains("several clusters: lab, prod"),
        "{told}"
    );
    // One that is there without a place for onboardings.
    let (told, _) = run(&["--for-cluster", "k8s"], &["lab", "k8s/other"]);
    let said = "error: cluster k8s has no folder for onboardings";
    assert!(told.stderr.contains(said), "{told}");
    assert_eq!(told.code, Some(2), "{told}");
    let (told, _) = run(&["--for-cluster", "nope"], &["lab", "prod"]);
    assert!(
        told.stderr
            .contains("clusters of the repository: lab, prod"),
        "{told}"
    );
}

#[test]
fn a_cluster_that_does_not_answer_is_told_and_not_taken_for_fine() {
    let words = [&["onboard"][..], &WANTED[..4], &["--request-timeout", "2s"]].concat();
    let told = skvs(&words).server("http://127.0.0.1:9").run();
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("database: orders"), "{told}");
    for what in [
        "who claims the database pds_orders",
        "whether CouchDB has pds_orders",
        "whether the namespace pds exists",
    ] {
        assert!(
            told.stderr.contains(&format!("not checked: {what}")),
            "{told}"
        );
    }
    // No kubeconfig at all.
    let told = skvs(&words).run();
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stderr.contains("not checked: "), "{told}");
    // One that a flag names must be there.
    let told = skvs(&[&words[..], &["--context", "gone"]].concat()).run();
    assert_eq!(told.stdout, "", "{told}");
}

#[test]
fn a_file_that_is_not_known_may_claim_it() {
    let run = onboard(&[&WANTED[..], &["--repo", "."]].concat());
    run.file(
        &format!("{FOLDER}/lima_y.yaml"),
        "kind: HelmRelease\n  a: b\n",
    );
    let (told, files) = after(run);
    assert_eq!((told.code, files.len()), (Some(1), 5), "{told}");
    assert!(
        told.stderr
            .contains("lima_y.yaml, which may claim the database: "),
        "{told}"
    );
}

#[test]
#[cfg(unix)]
fn a_link_that_leads_nowhere_matters_only_where_no_cluster_is_named() {
    let run = |words: &[&str]| {
        let run = onboard(&[&WANTED[..], &["--repo", "."], words].concat());
        let link = run.home().join("infrastructure/k8s/old");
        std::os::unix::fs::symlink("gone", link).unwrap();
        after(run).0
    };
    assert_eq!(run(&["--for-cluster", "prod"]).code, Some(0));
    assert_snapshot!(run(&[]), @"
    exit 1
    stderr:
    error: cannot tell which clusters the repository has: infrastructure/k8s/old: the link leads nowhere
    ");
}

#[test]
fn a_place_that_is_a_file_is_no_folder() {
    let run = onboard(&[&WANTED[..], &["--repo", ".", "--for-cluster", "lab"]].concat());
    run.file(
        "infrastructure/k8s/lab/secure-kvs/secure-kvs-onboarding",
        "",
    );
    assert_snapshot!(after(run).0, @"
    exit 1
    stderr:
    error: infrastructure/k8s/lab/secure-kvs/secure-kvs-onboarding is not a folder; nothing was written
    ");
}
