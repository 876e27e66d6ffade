//! `troubleshoot` for pipelines, on saved objects: every format, thresholds, exceptions.

use crate::run::{Told, skvs};
use insta::assert_snapshot;

/// A run on a file of tests/fixtures/saved.
fn on(name: &str, words: &[&str]) -> Told {
    let file = format!(
        "{}/tests/fixtures/saved/{name}.yaml",
        env!("CARGO_MANIFEST_DIR")
    );
    let words = [&["troubleshoot", "-f", &file][..], words].concat();
    skvs(&words).run()
}

/// Without what changes from day to day: ages, times and the counts of checks.
fn still(told: &Told) -> String {
    let mut text = String::new();
    for line in told.to_string().lines() {
        // Saved objects of one file leave much unread; which checks that concerns is not this test's business.
        if line.starts_with("::notice title=not checked") {
            continue;
        }
        text.push_str(match line.split_once(" checks run") {
            Some((before, _)) => before.trim_end_matches(|c: char| c.is_ascii_digit()),
            None => line,
        });
        text.push('\n');
    }
    text
}

#[test]
fn annotations() {
    assert_snapshot!(still(&on("suspended", &["-o", "github"])), @"
    exit 0
    stdout:
    ::warning title=SKVS107 HelmRelease flux-system/skvs-onboarding-i--suspended::it is suspended: Flux does nothing for it%0AHits: flux-system/skvs-onboarding-i--suspended%0AWhy: Whether anything was installed is not known: its status names no release, and Helm's revisions were not read (not in the saved files).%0ADo: Ask first who suspended it and why: the entry in managedFields with f:suspend names the writer.%0A  kubectl get -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-i--suspended -o yaml --show-managed-fields%0ADo: To resume, remove suspend from the manifest, or do as follows.%0AMore: kubectl skvs explain SKVS107
    1 onboarding, 1 warning.
    ");
}

#[test]
fn what_fails_and_what_is_shown_are_apart() {
    for (words, code, shown) in [
        (&[][..], 0, true),
        (&["--fail-on", "error"], 0, true),
        (&["--fail-on", "warning"], 3, true),
        (&["--fail-on", "info"], 3, true),
        (&["--fail-on", "never"], 0, true),
        (&["--severity", "error"], 0, false),
        (&["--severity", "error", "--fail-on", "warning"], 3, false),
        (&["--severity", "warning", "--fail-on", "warning"], 3, true),
        (&["--ignore", "SKVS107", "--fail-on", "warning"], 0, false),
        (
            &[
                "--ignore",
                "suspended=skvs-onboarding-i--suspended",
                "--fail-on",
                "info",
            ],
            0,
            false,
        ),
        (
            &["--ignore", "SKVS107=other", "--fail-on", "warning"],
            3,
            true,
        ),
    ] {
        for format in ["text", "json", "yaml", "github", "sarif", "html"] {
            let told = on("suspended", &[words, &["-o", format]].concat());
            assert_eq!(told.code, Some(code), "{words:?} {format}: {told}");
            let mark = match format {
                "json" => "\"severity\": \"warning\"",
                "yaml" => "severity: warning",
                "sarif" => "\"ruleId\": \"SKVS107\"",
                _ => "it is suspended",
            };
            assert_eq!(
                told.stdout.contains(mark),
                shown,
                "{words:?} {format}: {told}"
            );
        }
    }
}

#[test]
fn what_is_left_out_is_counted_at_the_end() {
    assert_snapshot!(still(&on("suspended", &["--severity", "error"])), @r"
    exit 0
    stdout:
    flux-system/skvs-onboarding-i--suspended (database i_main): suspended; 1 finding not shown
    Not shown: 1 warning (less severe than --severity asks for)
    1 onboarding, 1 warning.
    ");
    let told = on("suspended", &["--ignore", "SKVS107,SKVS301", "-v", "1"]);
    assert!(told.stdout.contains("SKVS107 ignored"), "{told}");
    assert!(told.stdout.contains("no error, 1 ignored. "), "{told}");
    assert_eq!(told.stderr, "--ignore SKVS301: no finding matches\n");
}

#[test]
fn a_code_that_does_not_exist_is_told_and_ignores_nothing() {
    let told = on(
        "suspended",
        &["--ignore", "SKVS1O7", "--fail-on", "warning"],
    );
    assert_eq!(told.code, Some(3), "{told}");
    assert_eq!(
        told.stderr.lines().next(),
        Some("Warning: cannot ignore code \"SKVS1O7\": it does not exist")
    );
    assert!(told.stderr.contains("hint: did you mean SKVS1"), "{told}");
    let told = on(
        "suspended",
        &["--ignore", "SKVS107=", "--fail-on", "warning"],
    );
    assert_eq!(told.code, Some(3), "{told}");
    assert!(told.stderr.contains("names no onboarding"), "{told}");
}

#[test]
fn flags_that_do_not_go_together() {
    for (words, told) in [
        (&["--wait"][..], "--wait needs the name of an onboarding"),
        (&["-w"], "--watch needs the name of an onboarding"),
        (
            &["a", "--wait", "-w"],
            "'--wait' cannot be used with '--watch'",
        ),
        (
            &["a", "--wait", "-f", "x"],
            "cannot be used with '--filename",
        ),
        (&["--wait", "-A"], "cannot be used with '--all-namespaces'"),
        (
            &["a", "--timeout", "5s"],
            "required arguments were not provided: --wait",
        ),
        (&["a", "--wait", "--timeout", "soon"], "is not a duration"),
        (
            &["a", "-w", "-o", "sarif"],
            "a watch prints text, json or yaml",
        ),
        (
            &["a", "-w", "-o", "html"],
            "a watch prints text, json or yaml",
        ),
        (
            &["--fail-on", "x"],
            "invalid value 'x' for '--fail-on <SEVERITY>'",
        ),
    ] {
        let run = skvs(&[&["troubleshoot"][..], words].concat()).run();
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(2), ""),
            "{words:?}: {run}"
        );
        assert!(run.stderr.contains(told), "{words:?}: {run}");
    }
}
