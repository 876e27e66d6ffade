//! The settings' file: what it is the default of, what is wrong with one, and who does not use it.

use crate::run::{Run, skvs};
use crate::server::{Listener, helm_releases, nobody};
use insta::assert_snapshot;

const FILE: &str = ".config/kubectl-skvs/config.toml";

fn with(words: &[&str], settings: &str) -> Run {
    let run = skvs(words);
    run.file(FILE, settings);
    run
}

#[test]
fn without_a_file_the_defaults_are_shown() {
    assert_snapshot!(skvs(&["config"]).run(), @"
    exit 0
    stdout:
    File: HOME/.config/kubectl-skvs/config.toml (does not exist)

    KEY                     VALUE                                                           ORIGIN
    namespace               flux-system                                                     default
    onboarding-selector     app.kubernetes.io/part-of=secure-kvs-onboarding                 default
    couchdb.namespace       secure-kvs                                                      default
    couchdb.pod-selector    <none>                                                          default
    couchdb.port            <none>                                                          default
    repository.layout       infrastructure/k8s/<cluster>/secure-kvs/secure-kvs-onboarding   default
    onboard.source          HelmRepository/flux-system/wit-artifactory                      default
    onboard.chart-version   <0.2.0                                                          default
    notes.template          <none>                                                          default
    ");
}

#[test]
fn each_value_says_where_it_comes_from() {
    let settings = "namespace = 'from-the-file'\nonboarding-selector = 'team=a'\n\
        [couchdb]\nnamespace = 'databases'\nport = 15984\n\
        [notes]\ntemplate = '''\n{endpoint}\nis ready\n'''\n";
    let run = with(&["config", "-n", "from-the-flag"], settings)
        .env("SKVS_SELECTOR", "team=b")
        .env("SKVS_COUCHDB_NAMESPACE", "")
        .env("SKVS_POD_SELECTOR", "app=couchdb");
    assert_snapshot!(run.run(), @"
    exit 0
    stdout:
    File: HOME/.config/kubectl-skvs/config.toml

    KEY                     VALUE                                                           ORIGIN
    namespace               from-the-flag                                                   flag
    onboarding-selector     team=b                                                          variable SKVS_SELECTOR
    couchdb.namespace       databases                                                       file
    couchdb.pod-selector    app=couchdb                                                     variable SKVS_POD_SELECTOR
    couchdb.port            15984                                                           file
    repository.layout       infrastructure/k8s/<cluster>/secure-kvs/secure-kvs-onboarding   default
    onboard.source          HelmRepository/flux-system/wit-artifactory                      default
    onboard.chart-version   <0.2.0                                                          default
    notes.template          {endpoint} …                                                    file
    ");
    assert_snapshot!(with(&["config", "-o", "yaml"], "onboard.source = 'Bucket/charts'").run(), @"
    exit 0
    stdout:
    apiVersion: skvs.kubectl.io/v1alpha1
    file:
      exists: true
      path: HOME/.config/kubectl-skvs/config.toml
    kind: Config
    settings:
    - key: namespace
      origin: default
      value: flux-system
      variable: SKVS_NAMESPACE
    - key: onboarding-selector
      origin: default
      value: app.kubernetes.io/part-of=secure-kvs-onboarding
      variable: SKVS_SELECTOR
    - key: couchdb.namespace
      origin: default
      value: secure-kvs
      variable: SKVS_COUCHDB_NAMESPACE
    - key: couchdb.pod-selector
      origin: default
      value: null
      variable: SKVS_POD_SELECTOR
    - key: couchdb.port
      origin: default
      value: null
      variable: SKVS_COUCHDB_PORT
    - key: repository.layout
      origin: default
      value: infrastructure/k8s/<cluster>/secure-kvs/secure-kvs-onboarding
    - key: onboard.source
      origin: file
      value: Bucket/charts
    - key: onboard.chart-version
      origin: default
      value: <0.2.0
    - key: notes.template
      origin: default
      value: null
    ");
}

#[test]
fn another_file_can_be_named_and_must_be_there() {
    let run = with(&["config", "-o", "json"], "namespace = 3");
    let other = run.file("other.toml", "namespace = 'other'");
    let told = run.env("SKVS_CONFIG", &other.display().to_string()).run();
    assert_eq!(told.code, Some(0), "{told}");
    assert!(told.stdout.contains(r#""value": "other""#), "{told}");
    let run = skvs(&["list"]).env("SKVS_CONFIG", "gone.toml");
    assert_snapshot!(run.run(), @"
    exit 1
    stderr:
    error: gone.toml: no such file or directory
    hint: SKVS_CONFIG names this file
    ");
    // Set to nothing, it names none.
    assert_eq!(skvs(&["config"]).env("SKVS_CONFIG", "").run().code, Some(0));
    let run = with(&["config"], "namespace = 3").env("XDG_CONFIG_HOME", "relative");
    assert_eq!(run.run().code, Some(1));
}

#[test]
fn the_list_is_that_of_the_settings() {
    let server = Listener::answering(200, &helm_releases(&[], ""));
    let settings = "namespace = 'platform'\nonboarding-selector = 'kind=database'";
    let told = with(&["list"], settings).server(&server.http()).run();
    assert_eq!(told.code, Some(0), "{told}");
    let first = server.requests().swap_remove(0);
    assert!(
        first.contains("/namespaces/platform/helmreleases?"),
        "{first}"
    );
    assert!(first.contains("labelSelector=kind%3Ddatabase"), "{first}");
}

/// A mistake is never the default.
#[test]
fn a_file_with_a_mistake_ends_what_would_use_it() {
    let wrong = "[couchdb]\nnamespce = 'databases'\n";
    for words in [
        &["list"][..],
        &["onboard", "a", "b", "--service-account", "c", "--local"],
        &["config"],
    ] {
        let told = with(words, wrong).server(&nobody()).run();
        assert_eq!(told.code, Some(1), "{told}");
        assert!(told.stdout.is_empty(), "{told}");
    }
    assert_snapshot!(with(&["list"], wrong).run(), @"
    exit 1
    stderr:
    error: HOME/.config/kubectl-skvs/config.toml:2: unknown field `namespce`, expected one of `namespace`, `pod-selector`, `port`
    ");
    assert_eq!(with(&["explain", "SKVS301"], wrong).run().code, Some(0));
    let doctor = with(&["doctor"], wrong).run();
    let settings = doctor.stdout.lines().find(|line| line.contains("settings"));
    assert_snapshot!(settings.unwrap(), @"failed     settings             HOME/.config/kubectl-skvs/config.toml:2: unknown field `namespce`, expected one of `namespace`, `pod-selector`, `port`");
    // As a folder, a file that is not text, and a link to nowhere.
    let run = skvs(&["list"]);
    std::fs::create_dir_all(run.home().join(FILE)).unwrap();
    assert_snapshot!(run.run(), @"
    exit 1
    stderr:
    error: HOME/.config/kubectl-skvs/config.toml: it is not a regular file
    ");
    let run = skvs(&["list"]);
    run.file(FILE, "");
    std::fs::write(run.home().join(FILE), b"namespace = '\xff'").unwrap();
    assert_snapshot!(run.run(), @"
    exit 1
    stderr:
    error: HOME/.config/kubectl-skvs/config.toml: stream did not contain valid UTF-8
    ");
}

/// Where something is written into CouchDB, the file has no say: neither what it holds nor what is wrong in it.
#[test]
fn what_writes_to_couchdb_does_not_use_the_file() {
    let plain = |words: &[&str], settings: Option<&str>| {
        let server = Listener::answering(403, "");
        let run = skvs(words).server(&server.http());
        run.file("b.skvs", "");
        if let Some(settings) = settings {
            run.file(FILE, settings);
        }
        let told = run.run().to_string();
        let mut requests = server.requests();
        requests.sort();
        (told, requests)
    };
    for words in [
        &["delete-db", "a_b", "--dry-run"][..],
        &["restore", "a_b", "--from", "b.skvs"],
    ] {
        let bare = plain(words, None);
        let moved = "namespace = 'x'\nonboarding-selector = 'x'\n[couchdb]\nnamespace = 'x'\npod-selector = 'x'\nport = 1";
        assert_eq!(plain(words, Some(moved)), bare);
        assert_eq!(plain(words, Some("nonsense")), bare);
    }
    let (_, requests) = plain(&["delete-db", "a_b", "--dry-run"], None);
    assert!(!requests.is_empty());
}

#[test]
fn the_first_onboarding_of_a_repository_has_the_settings_style() {
    let words = [
        "onboard",
        "pds",
        "orders",
        "--service-account",
        "pds",
        "--local",
    ];
    let settings = "[onboard]\nsource = 'HelmRepository/platform/charts'\nchart-version = '<0.3.0'";
    let told = with(&words, settings).run();
    let chart = told.stdout.split_once("    spec:\n").unwrap().1;
    let chart = chart.split_once("      interval").unwrap().0;
    assert_snapshot!(chart, @r#"
    chart: secure-kvs-onboarding
    version: "<0.3.0"
    sourceRef:
      kind: HelmRepository
      name: charts
      namespace: platform
    "#);
}
