//! The settings of onboardings: `onboard` writes them, and `lint`, `list` and `troubleshoot` go by them.

use crate::run::{Run, Told, skvs};
use serde_json::Value;

const SETTINGS: &str = "onboarding-selector = 'platform/kind=database'
[onboard]
source = 'HelmRepository/platform/charts'
chart-version = '*'
";

fn with(settings: &str, words: &[&str], files: &[(&str, &str)]) -> Run {
    let run = skvs(words);
    for (name, text) in files {
        run.file(name, text);
    }
    let file = run.file("config.toml", settings);
    run.env("SKVS_CONFIG", &file.display().to_string())
}

fn onboard(settings: &str) -> Told {
    let words = [
        "onboard",
        "pds",
        "fresh",
        "--service-account",
        "a",
        "--local",
        "-o",
        "json",
    ];
    with(settings, &words, &[]).run()
}

#[test]
fn what_onboard_writes_is_what_the_other_commands_look_for() {
    let told = onboard(SETTINGS);
    assert_eq!(told.code, Some(0), "{told}");
    assert!(!told.stderr.contains("SKVS"), "{told}");
    let manifest: Value = serde_json::from_str(&told.stdout).unwrap();
    let labels = serde_json::json!({"platform/kind": "database"});
    assert_eq!(manifest["metadata"]["labels"], labels);
    let files = [("pds_fresh.yaml", told.stdout.as_str())];
    let of = |settings: &str, words: &[&str]| with(settings, words, &files).run();
    let linted = of(SETTINGS, &["lint", "pds_fresh.yaml"]);
    assert_eq!(linted.code, Some(0), "{linted}");
    assert!(linted.stdout.contains("nothing found"), "{linted}");
    let listed = of(SETTINGS, &["list", "-f", "pds_fresh.yaml"]);
    assert!(listed.stdout.contains("pds--fresh"), "{listed}");
    let found = of(SETTINGS, &["troubleshoot", "-f", "pds_fresh.yaml"]);
    assert_eq!(found.code, Some(0), "{found}");
    assert!(
        found.stdout.contains("1 manifest, nothing found"),
        "{found}"
    );
    // By the runbook it lacks the label, and its source and range are others.
    let linted = of("", &["lint", "pds_fresh.yaml"]);
    for code in ["SKVS505", "SKVS512", "SKVS513"] {
        assert!(linted.stdout.contains(code), "{code}: {linted}");
    }
    // By these settings the runbook's own manifest does.
    let runbook = onboard("").stdout;
    let files = [("pds_fresh.yaml", runbook.as_str())];
    let linted = with(SETTINGS, &["lint", "pds_fresh.yaml"], &files).run();
    for said in [
        "set metadata.labels.\"platform/kind\": database",
        "the name of its chart's source is wit-artifactory, the settings' is charts",
        "the namespace of its chart's source is flux-system, the settings' is platform",
    ] {
        assert!(linted.stdout.contains(said), "{said}: {linted}");
    }
}

#[test]
fn a_source_without_a_namespace_is_the_onboardings_own() {
    let settings = "[onboard]\nsource = 'HelmRepository/charts'";
    let told = onboard(settings);
    assert!(!told.stderr.contains("SKVS"), "{told}");
    let files = [("pds_fresh.yaml", told.stdout.as_str())];
    let linted = with(settings, &["lint", "pds_fresh.yaml"], &files).run();
    assert!(linted.stdout.contains("nothing found"), "{linted}");
    let elsewhere = told.stdout.replace(
        r#""name": "charts""#,
        r#""name": "charts", "namespace": "other""#,
    );
    assert_ne!(elsewhere, told.stdout);
    let files = [("pds_fresh.yaml", elsewhere.as_str())];
    let linted = with(settings, &["lint", "pds_fresh.yaml"], &files).run();
    let said = "the namespace of its chart's source is other, the settings' is flux-system";
    assert!(linted.stdout.contains(said), "{linted}");
    // Its own, not that of -n.
    let named = elsewhere.replace(r#""namespace": "other""#, r#""namespace": "flux-system""#);
    assert_ne!(named, elsewhere);
    for text in [&told.stdout, &named] {
        let files = [("pds_fresh.yaml", text.as_str())];
        let words = ["lint", "pds_fresh.yaml", "-n", "team"];
        let linted = with(settings, &words, &files).run();
        assert!(!linted.stdout.contains("SKVS512"), "{linted}");
    }
}

#[test]
fn a_selector_that_is_not_one_label_is_not_checked() {
    for selector in ["platform/kind in (database,cache)", "a=b,c=d", "!legacy"] {
        let settings = format!("onboarding-selector = '{selector}'");
        let told = onboard(&settings);
        assert_eq!(told.code, Some(1), "{told}");
        let why = format!("the selector \"{selector}\" is not key=value");
        let said = format!("not checked: the label of onboardings: {why}");
        assert!(told.stderr.contains(&said), "{told}");
        let files = [("pds_fresh.yaml", told.stdout.as_str())];
        let linted = with(&settings, &["lint", "pds_fresh.yaml"], &files).run();
        assert!(!linted.stdout.contains("SKVS505"), "{linted}");
        let said = format!("the label of onboardings ({why})");
        assert!(linted.stdout.contains(&said), "{linted}");
    }
    let told = skvs(&["lint", "--onboarding-selector", "a=b=c"]).run();
    assert_eq!(told.code, Some(2), "{told}");
}
