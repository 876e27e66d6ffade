//! `troubleshoot` and `explain` on failures that real Flux, Helm, scheduler and kubelet wrote.

use crate::harness::{Said, skvs};
use serde_json::Value;
use testbed::Sandbox;

const WHOLE: &str = "skvs-onboarding-";

/// Roots and what follows from them, by onboarding.
fn codes(said: &Said) -> Vec<(String, Vec<String>)> {
    let report: Value = serde_json::from_str(&said.stdout).expect("the report is JSON");
    assert_eq!(report["kind"], "TroubleshootReport");
    let all = report["onboardings"].as_array().expect("a list");
    all.iter()
        .map(|o| {
            let name = o["name"].as_str().expect("a name");
            let findings = o["findings"].as_array().expect("a list");
            let codes = findings
                .iter()
                .map(|f| f["code"].as_str().expect("a code").to_owned());
            (name.trim_start_matches(WHOLE).to_owned(), codes.collect())
        })
        .collect()
}

#[test]
fn each_seeded_failure_has_its_cause_and_nothing_is_unknown() {
    let said = skvs(["troubleshoot", "-o", "json"]).run();
    assert_eq!(said.code, 3, "{}", said.stderr);
    let codes = codes(&said);
    for (name, code) in [
        ("iota--database", "SKVS301"),
        ("kilo--orders", "SKVS101"),
        ("lima--events", "SKVS107"),
        ("mike--index", "SKVS105"),
        ("papa--ledger", "SKVS302"),
        ("papa--ledger-readers", "SKVS302"),
        ("pds--database", "SKVS302"),
        ("quebec--archive", "SKVS107"),
        ("romeo--tokens", "SKVS401"),
        ("sierra--invoices", "SKVS402"),
        ("tango--metrics", "SKVS201"),
        ("uniform--notes", "SKVS203"),
        ("victor--carts", "SKVS202"),
        ("whiskey--photos", "SKVS307"),
        ("xray--vitals", "SKVS306"),
        ("yankee--orders", "SKVS309"),
    ] {
        let found = codes.iter().find(|(n, _)| n == name);
        assert_eq!(
            found.map(|(_, c)| c.as_slice()),
            Some(&[code.to_owned()][..]),
            "{name} in {}",
            said.stdout
        );
    }
}

#[test]
fn the_log_of_the_job_names_the_cause() {
    let said = skvs(["troubleshoot", "skvs-onboarding-iota--database"]).run();
    assert_eq!(said.code, 3, "{}", said.stderr);
    for part in [
        "skvs-onboarding-iota--database (database pds_database): failing for ",
        ", Flux has stopped retrying\n",
        "error[SKVS301]: the database pds_database already exists, so its creation Job fails\n  --> Job core/pds-database-create\n",
        "skvs-onboarding-pds--database owns it and is Ready.\n",
        "   container create exited 22\n           curl: (22) The requested URL returned error: 412\n",
        "kubectl skvs describe -n flux-system skvs-onboarding-pds--database\n",
        "  = SKVS110 follows from this: install retries exhausted\n  = more: kubectl skvs explain SKVS301\n",
        "\n1 onboarding, 1 error. ",
    ] {
        assert!(
            said.stdout.contains(part),
            "{part:?} is not in:\n{}",
            said.stdout
        );
    }
    assert!(!said.stdout.contains("not run"), "{}", said.stdout);
}

#[test]
fn the_name_of_a_shared_database_means_every_onboarding_that_claims_it() {
    let said = skvs([
        "troubleshoot",
        "pds_database",
        "skvs-onboarding-pds--database",
        "-o",
        "json",
    ])
    .run();
    assert_eq!((said.code, said.stderr.as_str()), (3, ""));
    let codes = codes(&said);
    let found: Vec<(&str, &[String])> = codes
        .iter()
        .map(|(name, codes)| (name.as_str(), codes.as_slice()))
        .collect();
    assert_eq!(
        found,
        [
            ("iota--database", &["SKVS301".to_owned()][..]),
            ("pds--database", &["SKVS302".to_owned()][..])
        ]
    );
}

#[test]
fn a_healthy_onboarding_is_one_line_and_well() {
    let out = skvs(["troubleshoot", "golf_sessions"]).run().ok();
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(
        out.starts_with("skvs-onboarding-golf--sessions (database golf_sessions): Ready for "),
        "{out}"
    );
    assert!(out.contains("nothing found"), "{out}");
}

#[test]
fn what_may_not_be_read_is_told_and_never_taken_for_fine() {
    let said = skvs([
        "troubleshoot",
        "skvs-onboarding-iota--database",
        "--as=system:serviceaccount:flux-system:onboarding-reader",
    ])
    .run();
    // This account may read no HelmRelease at all: nothing is reported.
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (1, ""),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("Forbidden"), "{}", said.stderr);
}

#[test]
fn an_unknown_name_is_an_error_and_the_others_are_still_told() {
    let said = skvs(["troubleshoot", "skvs-onboarding-lima--events", "zzz"]).run();
    assert_eq!(said.code, 1, "{}", said.stdout);
    assert!(said.stdout.contains("warning[SKVS107]"), "{}", said.stdout);
    assert!(said.stderr.contains("\"zzz\" not found"), "{}", said.stderr);
}

#[test]
fn a_selector_narrows_and_an_empty_namespace_is_said_to_be_empty() {
    let said = skvs(["troubleshoot", "-l", "no=such"]).run();
    assert_eq!((said.code, said.stdout.as_str()), (0, ""));
    assert_eq!(
        said.stderr,
        "No onboardings found in flux-system namespace.\n"
    );
    let said = skvs(["troubleshoot", "-n", "tpyo"]).run();
    assert_eq!(
        said.stderr,
        "No onboardings found in tpyo namespace.\nhint: the namespace \"tpyo\" does not exist on this cluster\n"
    );
}

#[test]
fn explain_needs_no_cluster() {
    let nowhere = Sandbox::shared().run_dir().join("no-such-kubeconfig");
    let explain = |args: &[&str]| crate::harness::Skvs::with(&nowhere, args).run();
    let text = explain(&["explain", "skvs301"]).ok();
    assert!(
        text.starts_with("SKVS301 error: the database already exists (database-exists)\n"),
        "{text}"
    );
    assert!(explain(&["explain"]).ok().contains("SKVS900"));
    let wrong = explain(&["explain", "SKVS300"]).failed(1);
    assert!(
        wrong.starts_with("error: there is no code \"SKVS300\"\nhint: did you mean SKVS30"),
        "{wrong}"
    );
}
