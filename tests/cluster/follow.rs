//! `troubleshoot --wait` and `--watch` on what real Flux does.

use crate::harness::{Following, patch_helm_release, skvs};
use crate::json_schema;
use crate::troubleshoot::onboarding;
use serde_json::{Value, json};

#[test]
fn a_new_onboarding_is_waited_for_until_it_is_ready() {
    let (_temporary, name) = onboarding("zulu-waited", "core");
    let said = skvs(["troubleshoot", &name, "--wait", "--timeout", "3m"]).run();
    assert_eq!(said.code, 0, "{}\n{}", said.stdout, said.stderr);
    assert!(said.stdout.contains(": Ready for "), "{}", said.stdout);
    // Each state once, in plain lines: stderr is no terminal.
    let mut lines: Vec<&str> = said.stderr.lines().collect();
    assert!(
        lines.iter().all(|l| l.starts_with(&name)),
        "{}",
        said.stderr
    );
    assert!(lines.len() >= 2, "{}", said.stderr);
    lines.dedup();
    assert_eq!(lines.len(), said.stderr.lines().count(), "{}", said.stderr);
}

#[test]
fn one_that_flux_gives_up_ends_the_waiting_with_its_code() {
    let (_temporary, name) = onboarding("zulu-stuck", "zulu-stuck");
    let words = [
        "troubleshoot",
        &name,
        "--wait",
        "--timeout",
        "3m",
        "-o",
        "json",
    ];
    let said = skvs(words).run();
    assert_eq!(said.code, 3, "{}\n{}", said.stdout, said.stderr);
    let report: Value = serde_json::from_str(&said.stdout).expect("one report");
    assert_eq!(report["causes"][0]["code"], "SKVS101", "{report}");
    // What was ignored is no verdict: the time runs out.
    let words = [
        "troubleshoot",
        &name,
        "--wait",
        "--timeout",
        "2s",
        "--ignore",
        "SKVS101",
    ];
    let said = skvs(words).run();
    assert_eq!(said.code, 1, "{}\n{}", said.stdout, said.stderr);
}

/// Looking again and again must not ask CouchDB each time; the report must not lack it for that.
#[test]
fn the_report_of_a_wait_is_the_one_of_a_run_without_it() {
    let name = "skvs-onboarding-iota--database";
    let report = |more: &[&str]| -> Value {
        let said = skvs([&["troubleshoot", name, "-o", "json"], more].concat()).run();
        assert_eq!(said.code, 3, "{}", said.stderr);
        serde_json::from_str(&said.stdout).expect("one report")
    };
    let (plain, waited) = (report(&[]), report(&["--wait"]));
    for part in ["notRun", "checksRun"] {
        let of = |report: &Value| report["onboardings"][0][part].clone();
        assert_eq!(of(&waited), of(&plain), "{part}");
    }
    let documents = waited["onboardings"][0]["findings"][0]["evidence"].to_string();
    assert!(documents.contains("documents"), "{documents}");
    let lines = skvs(["troubleshoot", name, "--wait"]).run().failed(3);
    assert!(
        lines.contains(
            "; the database pds_database already exists, so its creation Job fails [SKVS301]"
        ),
        "{lines}"
    );
}

#[test]
fn the_time_limit_tells_what_was_waited_for() {
    let name = "skvs-onboarding-mike--index";
    let said = skvs(["troubleshoot", name, "--wait", "--timeout", "2s"]).run();
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stdout.contains("SKVS151"), "{}", said.stdout);
    let last = said.stderr.lines().last().unwrap_or_default();
    let start = format!("error: timed out after 2s, waiting for {name}: no answer from Flux for ");
    assert!(last.starts_with(&start), "{}", said.stderr);
    let said = skvs(["troubleshoot", "no-such", "--wait"]).run();
    assert_eq!((said.code, said.stdout.as_str()), (1, ""));
    assert!(
        said.stderr.contains("\"no-such\" not found"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_watch_prints_a_report_on_each_change_until_it_is_interrupted() {
    let (_temporary, name) = onboarding("zulu-watched", "zulu-watched");
    let words = ["troubleshoot", &name, "--watch"];
    let mut watch = Following::start(words);
    watch.until("error[SKVS101]");
    patch_helm_release(&name, &json!({"spec": {"suspend": true}}));
    watch.until("[SKVS107]");
    patch_helm_release(&name, &json!({"spec": {"suspend": false}}));
    watch.until("SKVS101");
    // As kubectl get -w.
    assert_eq!(watch.interrupt(), Some(1));
}

#[test]
fn the_report_on_the_whole_cluster_fits_the_published_schema() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/troubleshoot-report.v1.json"
    );
    let text = std::fs::read_to_string(file).expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    for words in [
        &["troubleshoot", "-A", "-o", "json"][..],
        &[
            "troubleshoot",
            "pds_database",
            "-o",
            "json",
            "--severity",
            "error",
        ],
    ] {
        let said = skvs(words).run();
        let report: Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert_eq!(json_schema::faults(&schema, &report), [""; 0]);
    }
}
