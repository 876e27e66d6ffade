//! `-f`: saved objects and bundles, exactly as recorded from real Flux, Helm and kubelet, without any cluster.

use crate::run::{Run, skvs};
use insta::assert_snapshot;
use std::fs::File;
use std::path::PathBuf;

/// Files that kubectl and a capture saved of one incident.
fn saved() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/saved")
}

/// A run in the folder of the saved files.
fn there(words: &[&str]) -> Run {
    let mut run = skvs(words);
    run.command().current_dir(saved());
    run
}

/// What is counted from now, and how long it took, is not the same twice; each new check adds to what was run.
macro_rules! assert_steady {
    ($told:expr, @$expected:literal) => {
        insta::with_settings!({filters => vec![
            (r"failing for \w+", "failing for AGE"),
            (r"(requestedAt|resetAt)=[\w:.-]+", "$1=NOW"),
            (r"\d+ checks run in \d+\.\d s.*", "CHECKS"),
            (r"(?m)^(flux-system +skvs.* False +)\d\w+ +", "${1}AGE "),
            (r"AGE +STATUS", "AGE STATUS"),
        ]}, { assert_snapshot!($told, @$expected) })
    };
}

#[test]
fn a_bundle_is_told_as_on_the_day_of_its_capture() {
    let told = there(&["troubleshoot", "-f", "bundle"]).run();
    assert!(
        told.stdout.contains("): failing for 2m18s, Flux has "),
        "{told}"
    );
    assert_steady!(told, @r"
    exit 3
    stdout:
    skvs-onboarding-iota--database (database pds_database): failing for AGE, Flux has stopped retrying

    error[SKVS301]: the database pds_database already exists, so its creation Job fails
      --> Job core/pds-database-create
      context prod-east, https://10.20.0.1:6443, 2026-11-24 01:33 UTC

      Why    The chart creates the database once, before anything else, and refuses to take over an existing one.
             skvs-onboarding-pds--database owns it and is Ready.
             The onboarding's name implies another database: the manifest may be a copy in which a value was forgotten.
      Seen   HelmRelease   Released=False InstallFailed: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']
             Pod core/pds-database-create-bhrfd   container create exited 22
               curl: (22) The requested URL returned error: 412
             HelmRelease skvs-onboarding-pds--database   claims pds_database too
      Do     Two teams asked for the same name. Give this onboarding another database name in its manifest.
             If both are the same team, remove this manifest and add its service account to the other one.
             kubectl skvs describe -n flux-system skvs-onboarding-pds--database --context prod-east
      Then   Flux picks up the changed manifest on its own, but as an upgrade of the failed revision, which does not create the database. Wait until that attempt is over, then remove the release and make Flux start again:
             helm uninstall -n flux-system core-skvs-onboarding-iota--database --kube-context prod-east
             kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-iota--database --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=NOW reconcile.fluxcd.io/resetAt=NOW --context prod-east

      = SKVS110 follows from this: install retries exhausted after 1 failure (spec.install.remediation.retries: 0)
      = more: kubectl skvs explain SKVS301

    1 onboarding, 1 error. CHECKS
    stderr:
    captured 2026-11-24T01:33:27Z on context prod-east
    ");
    assert!(!told.stdout.contains("other than the saved ones"), "{told}");
    let described = there(&["describe", "-f", "bundle"]).run();
    for line in [
        "Status:           Not ready for 2m18s: install failed: Job core/pds-database-create failed (retries exhausted)\n",
        "Also claimed by:  flux-system/skvs-onboarding-pds--database\n",
        "Policy:           does not exist\n",
        "Creation Job:     core/pds-database-create   Failed 2m22s ago: BackoffLimitExceeded: ",
        "      curl: (22) The requested URL returned error: 412\n",
    ] {
        assert!(described.stdout.contains(line), "{line:?} in {described}");
    }
    assert_eq!(described.code, Some(0));
}

#[test]
fn what_kubectl_saved_is_diagnosed_and_what_is_missing_is_told() {
    let told = there(&["troubleshoot", "-f", "incident"]).run();
    let (_, not_run) = told.stdout.rsplit_once(" not run: ").unwrap();
    for part in [
        "the namespace core",
        "Helm's release",
        "(not in the saved files)",
        "databases claimed by onboardings in other namespaces, pods and events other than the saved ones (only the saved files were read)",
    ] {
        assert!(not_run.contains(part), "{part:?} in {told}");
    }
    assert_steady!(told, @r"
    exit 3
    stdout:
    flux-system/skvs-onboarding-iota--database (database pds_database): failing for AGE, Flux has stopped retrying

    error[SKVS301]: the database pds_database already exists, so its creation Job fails
      --> Job core/pds-database-create
      saved files: cluster and time unknown

      Why    The chart creates the database once, before anything else, and refuses to take over an existing one.
             It is unknown whether this onboarding was installed before: not in the saved files.
             Whether anything else claims it is unknown: none of those read does: only the saved files were read.
             The onboarding's name implies another database: the manifest may be a copy in which a value was forgotten.
      Seen   HelmRelease   Released=False InstallFailed: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']
             Pod core/pds-database-create-bhrfd   container create exited 22
               curl: (22) The requested URL returned error: 412
      Do     First find out who uses it. This reads everything that could claim it, and deletes nothing:
             kubectl skvs delete-db pds_database --dry-run
             If its data is needed, skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value. Ask its former owner first.
      Then   A restored manifest is a new installation; a changed manifest is picked up by Flux on its own.

      = SKVS110 follows from this: install retries exhausted after 1 failure (spec.install.remediation.retries: 0)
      = more: kubectl skvs explain SKVS301

    1 onboarding, 1 error. CHECKS
    ");
}

#[test]
fn without_the_log_the_cause_is_not_guessed() {
    let told = there(&[
        "troubleshoot",
        "-f",
        "incident/onboarding.yaml",
        "-f",
        "incident/job.json",
        "-o",
        "json",
    ])
    .run();
    assert_eq!(told.code, Some(3));
    let report: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(report["onboardings"][0]["findings"][0]["code"], "SKVS303");
    let not_run = report["onboardings"][0]["notRun"].as_array().unwrap();
    let log = not_run
        .iter()
        .find(|n| n["what"] == "the log of the creation Job");
    assert_eq!(log.unwrap()["why"], "not in the saved files");
}

#[test]
fn stdin_is_read() {
    let mut run = there(&["list", "-f", "-"]);
    let onboarding = File::open(saved().join("incident/onboarding.yaml")).unwrap();
    run.command().stdin(onboarding);
    assert_steady!(run.run(), @r"
    exit 0
    stdout:
    NAMESPACE     NAME                             DATABASE       READY   AGE STATUS
    flux-system   skvs-onboarding-iota--database   pds_database   False   AGE install failed: Job core/pds-database-create failed (retries exhausted)
    ");
}

#[test]
fn names_and_namespaces_are_as_on_the_cluster() {
    let by_database = there(&[
        "list",
        "-f",
        "bundle",
        "-o",
        "name",
        "--database",
        "pds_database",
    ]);
    assert_snapshot!(by_database.run(), @r"
    exit 0
    stdout:
    helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-iota--database
    helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-pds--database
    stderr:
    captured 2026-11-24T01:33:27Z on context prod-east
    Warning: 2 onboardings claim the database pds_database: skvs-onboarding-iota--database, skvs-onboarding-pds--database
    ");
    assert_snapshot!(there(&["list", "-f", "incident", "skvs-onboarding-iota--database", "-o", "name"]).run(), @r"
    exit 0
    stdout:
    helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-iota--database
    ");
    assert_snapshot!(there(&["list", "-f", "incident", "-n", "core"]).run(), @r"
    exit 0
    stderr:
    No resources found in core namespace.
    hint: the files hold 1 HelmRelease, none of the namespace core has the label app.kubernetes.io/part-of=secure-kvs-onboarding
    ");
    for (command, empty) in [
        ("list", "\"items\": []"),
        ("troubleshoot", "\"onboardings\": []"),
    ] {
        let none = there(&[command, "-f", "incident", "-n", "core", "-o", "json"]).run();
        assert!(none.stdout.contains(empty), "{none}");
        assert!(
            none.stderr
                .contains("hint: the files hold 1 HelmRelease, none of the namespace core "),
            "{none}"
        );
    }
    assert_snapshot!(there(&["list", "-f", "incident", "--onboarding-selector", "team in (a,b)"]).run(), @r"
    exit 0
    stderr:
    No resources found
    hint: these HelmReleases install the onboarding chart and lack the label team in (a,b): skvs-onboarding-iota--database
    ");
    assert_snapshot!(there(&["list", "-f", "incident", "skvs-onboarding-iota--databse"]).run(), @r#"
    exit 1
    stderr:
    error: not in the saved files: helmreleases.helm.toolkit.fluxcd.io "skvs-onboarding-iota--databse"
    hint: did you mean skvs-onboarding-iota--database?
    "#);
    assert_snapshot!(there(&["describe", "-f", "incident", "orders"]).run(), @r#"
    exit 1
    stderr:
    error: not in the saved files: helmreleases.helm.toolkit.fluxcd.io "orders"
    hint: the files hold: skvs-onboarding-iota--database
    "#);
    assert_snapshot!(there(&["troubleshoot", "-f", "incident/job.json"]).run(), @r"
    exit 1
    stderr:
    error: not in the saved files: helmreleases.helm.toolkit.fluxcd.io in all namespaces
    hint: save it too, and name both with -f: kubectl get helmreleases.helm.toolkit.fluxcd.io -A -o yaml
    ");
}

#[test]
fn one_onboarding_in_the_files_needs_no_name() {
    assert_snapshot!(there(&["notes", "-f", "bundle"]).run(), @r"
    exit 0
    stdout:
    NOTES:
    A database was created!

      Database name: pds_database
      Endpoint: http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984
      Service accounts:
        - iota

    stderr:
    captured 2026-11-24T01:33:27Z on context prod-east
    Warning: revision 1 is failed: these notes do not apply yet
    ");
    assert_snapshot!(there(&["notes", "-f", "incident"]).run(), @r#"
    exit 1
    stderr:
    error: not in the saved files: secrets "sh.helm.release.v1.core-skvs-onboarding-iota--database.v1" in namespace flux-system
    hint: save it too, and name both with -f: kubectl get secrets sh.helm.release.v1.core-skvs-onboarding-iota--database.v1 -n flux-system -o yaml
    "#);
    assert_snapshot!(there(&["describe", "-f", "incident/job.json"]).run(), @r"
    exit 1
    stderr:
    error: no HelmRelease is in the saved files
    hint: save them too, and name both with -f: kubectl get helmreleases -A -o yaml
    ");
    let mut both = there(&["describe", "-f", "-"]);
    both.command()
        .stdin(File::open(saved().join("bundle/answers/0002-helmreleases.yaml")).unwrap());
    assert_snapshot!(both.run(), @r"
    exit 2
    stderr:
    error: several HelmReleases are in the saved files: name one
    hint: the files hold: skvs-onboarding-iota--database, skvs-onboarding-pds--database
    ");
}

#[test]
fn names_are_completed_from_the_files() {
    let offered = |words: &[&str]| there(&[&["__complete"], words].concat()).run().stdout;
    assert_eq!(
        offered(&["describe", "-f", "incident", "s"]),
        "skvs-onboarding-iota--database\tpds_database\n:4\n"
    );
    assert_eq!(
        offered(&["list", "-fbundle", "--database", "p"]),
        "pds_database\tclaimed by skvs-onboarding-iota--database\n:4\n"
    );
    assert_eq!(offered(&["list", "-f", "none", "s"]), ":4\n");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let run = skvs(&["troubleshoot", "-f", "none.yaml"]);
    assert_snapshot!(run.run(), @r#"
    exit 1
    stderr:
    error: the path "none.yaml" does not exist
    "#);
    for (name, text) in [
        (
            "broken.yaml",
            "kind: HelmRelease\nmetadata:\n  name: a\n name: b\n",
        ),
        ("values.yaml", "database: a\n"),
        ("cut.tar.gz", "\u{1f}no gzip"),
        ("empty/README", "nothing"),
        (
            "later/manifest.json",
            r#"{"apiVersion": "skvs.kubectl.io/v1beta1", "kind": "Bundle"}"#,
        ),
    ] {
        let folder = name.split('/').next().unwrap();
        let run = skvs(&["troubleshoot", "-f", folder]);
        run.file(name, text);
        match name {
            "broken.yaml" => assert_snapshot!(run.run(), @r"
            exit 1
            stderr:
            error: broken.yaml: line 4, column 2: while parsing a block mapping, did not find expected key
            "),
            "values.yaml" => assert_snapshot!(run.run(), @r"
            exit 1
            stderr:
            error: values.yaml holds no Kubernetes object
            hint: save some with: kubectl get helmreleases -A -o yaml
            "),
            "cut.tar.gz" => assert_snapshot!(run.run(), @r"
            exit 1
            stderr:
            error: cut.tar.gz is not a complete archive: failed to read entire block
            "),
            "empty/README" => assert_snapshot!(run.run(), @r#"
            exit 1
            stderr:
            error: the folder "empty" holds no file to read
            hint: files that end with .yaml, .yml, .json, .tar.gz or .tgz are read; with -R those of its folders too
            "#),
            _ => assert_snapshot!(run.run(), @r#"
            exit 1
            stderr:
            error: later/manifest.json: a bundle of apiVersion "skvs.kubectl.io/v1beta1" cannot be read, only of skvs.kubectl.io/v1alpha1 and skvs.kubectl.io/v1alpha5
            hint: read it with the version that captured it, see capturedBy in the manifest
            "#),
        }
    }
}

#[test]
fn flags_of_a_cluster_are_of_no_use() {
    assert_snapshot!(there(&["list", "-f", "incident", "--context", "prod"]).run(), @r"
    exit 2
    stderr:
    error: --context cannot be used with -f: files are read, no cluster is asked
    ");
    assert_snapshot!(there(&["list", "-f", "incident", "-w"]).run(), @r"
    exit 2
    stderr:
    error: the argument '--filename <FILE>' cannot be used with '--watch'
    See 'kubectl skvs list -h' for help and examples
    ");
    assert_snapshot!(there(&["troubleshoot", "-R"]).run(), @r"
    exit 2
    stderr:
    error: the following required arguments were not provided: --filename <FILE>
    See 'kubectl skvs troubleshoot -h' for help and examples
    ");
}

/// Saved files hold no CouchDB: nothing is called missing, and nothing an orphan.
#[test]
fn of_saved_files_only_claims_are_known() {
    assert_snapshot!(there(&["databases", "-f", "bundle"]).run(), @r"
    exit 0
    stdout:
    NAME           ONBOARDING                         STATE
    pds_database   skvs-onboarding-iota--database+1   shared
    stderr:
    captured 2026-11-24T01:33:27Z on context prod-east
    Warning: 2 onboardings claim the database pds_database: flux-system/skvs-onboarding-iota--database, flux-system/skvs-onboarding-pds--database
    Warning: CouchDB is not asked with -f: it is not known which of these databases exist, nor which others do
    ");
    let refused = |words: &[&str]| {
        let told = there(&[&["databases", "-f", "bundle"], words].concat()).run();
        assert_eq!(told.stdout, "", "{told}");
        let last = told.stderr.lines().last().unwrap_or_default().to_owned();
        (told.code, last)
    };
    assert_eq!(
        refused(&["nope"]),
        (
            Some(1),
            "error: database \"nope\" not found: no onboarding in the files claims it".to_owned()
        )
    );
    let why =
        "error: CouchDB is not asked with -f: a database is shared or unknown then, never orphan";
    for words in [&["--orphans"][..], &["--state", "shared,orphan"]] {
        assert_eq!(refused(words), (Some(2), why.to_owned()), "{words:?}");
    }
}
