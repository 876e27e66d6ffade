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

/// Where something is removed or overwritten, the file does not say in which CouchDB: flags must.
#[test]
fn what_removes_or_overwrites_is_told_by_flags() {
    let plain = |words: &[&str], settings: &str| {
        let server = Listener::answering(403, "");
        let run = skvs(words).server(&server.http());
        run.file("b.skvs", "");
        run.file(FILE, settings);
        (run.run(), server.requests())
    };
    let moved = "namespace = 'x'\n[couchdb]\nnamespace = 'xy'\nport = 1";
    let confirmed = ["--context", "here", "--confirm", "a_b"];
    for words in [
        &["delete-db", "a_b"][..],
        &["restore", "b.skvs", "--to", "a_b"],
        &["retry", "a_b"],
    ] {
        let words = [words, &confirmed].concat();
        let (told, requests) = plain(&words, moved);
        assert_eq!(told.code, Some(2), "{told}");
        assert!(
            told.stderr.contains("couchdb.namespace, couchdb.port"),
            "{told}"
        );
        assert_eq!(requests, [""; 0]);
        let (told, requests) = plain(&words, "nonsense");
        assert_eq!(told.code, Some(1), "{told}");
        assert_eq!(requests, [""; 0]);
        // What the file says of other things is not in the way.
        let (told, _) = plain(
            &words,
            "namespace = 'x'\n[couchdb]\nnamespace = 'secure-kvs'",
        );
        assert_ne!(told.code, Some(2), "{told}");
        assert!(!told.stderr.contains("settings"), "{told}");
    }
    let (told, _) = plain(&["delete-db", "a_b", "--dry-run"], moved);
    assert_snapshot!(told, @"
    exit 2
    stderr:
    error: delete-db does not use couchdb.namespace, couchdb.port of the settings; pass --couchdb-namespace xy --port 1, or what you mean instead
    See 'kubectl skvs delete-db -h' for help and examples
    ");
    let named = [
        "delete-db",
        "a_b",
        "--dry-run",
        "--couchdb-namespace",
        "other",
        "--port",
        "1",
    ];
    let (told, requests) = plain(&named, moved);
    assert!(!told.stderr.contains("settings"), "{told}");
    assert!(!requests.is_empty());
}

/// What `config` says is what a command does.
#[test]
fn variables_are_read_as_the_flags_do() {
    let settings = "onboarding-selector = 'team=a'\n[couchdb]\nnamespace = 'databases'\npod-selector = 'app=x'";
    let run = with(&["config"], settings)
        .env("SKVS_SELECTOR", "")
        .env("SKVS_COUCHDB_NAMESPACE", " ")
        .env("SKVS_POD_SELECTOR", "");
    let told = run.run();
    let lines: Vec<&str> = told.stdout.lines().skip(4).take(3).collect();
    assert_snapshot!(lines.join("\n"), @"
    onboarding-selector                                                                     variable SKVS_SELECTOR
    couchdb.namespace       databases                                                       file
    couchdb.pod-selector    app=x                                                           file
    ");
    let run = with(&["config"], settings).env("SKVS_COUCHDB_PORT", "abc");
    assert_snapshot!(run.run(), @"
    exit 1
    stderr:
    error: SKVS_COUCHDB_PORT: invalid value 'abc' for '--port <PORT>': invalid digit found in string
    ");
}

/// The demo shows a recording: the user's own settings are not in it.
#[test]
fn the_demo_has_no_settings() {
    // Without the one line that has a time.
    let lines = |run: Run| {
        let told = run.run();
        assert_eq!(told.code, Some(0), "{told}");
        let lines = told
            .stdout
            .lines()
            .filter(|line| !line.contains("checks run in"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    let bare = lines(skvs(&["demo"]));
    for settings in [
        "nonsense",
        "namespace = 'x'\n[notes]\ntemplate = 'mine: {endpoint}'",
    ] {
        assert_eq!(lines(with(&["demo"], settings)), bare);
    }
}

#[test]
fn a_file_that_everybody_can_write_to_is_not_read() {
    let run = skvs(&["list"]);
    let file = run.file(FILE, "namespace = 'x'");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(file, mode).unwrap();
    assert_snapshot!(run.run(), @"
    exit 1
    stderr:
    error: HOME/.config/kubectl-skvs/config.toml: everybody can write to it
    ");
    // The home of a user such as nobody is not a folder.
    let told = skvs(&["config"]).env("HOME", "/dev/null").run();
    assert_eq!(told.code, Some(0), "{told}");
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
