//! What troubleshoot says of each case: the expected causes and no others, with evidence, a next step, and the right exit code.

use super::stage::{Ended, stage};
use serde_json::Value;

/// The code of a failure that no rule knows.
const UNKNOWN: &str = "SKVS900";

fn findings(report: &Value) -> impl Iterator<Item = &Value> {
    report["findings"].as_array().into_iter().flatten()
}

fn codes(report: &Value) -> Vec<String> {
    let mut codes: Vec<String> = findings(report)
        .map(|f| f["code"].as_str().expect("a code").to_owned())
        .collect();
    codes.sort();
    codes
}

/// What is wrong with one report.
fn faults(ended: &Ended) -> Vec<String> {
    let mut faults = Vec::new();
    let (case, report) = (&ended.case, ended.report());
    if let Some(wait) = &ended.stuck {
        faults.push(format!("it did not come to its end: {wait}"));
    }
    let codes = codes(&report);
    if codes != case.expect {
        faults.push(format!("{codes:?} instead of {:?}", case.expect));
    }
    let errors = findings(&report).any(|f| f["severity"] == "error");
    let exit = if errors { 3 } else { 0 };
    for said in [&ended.said, &ended.text] {
        if said.code != exit {
            faults.push(format!(
                "exit code {} instead of {exit}: {}",
                said.code, said.stderr
            ));
        }
    }
    for finding in findings(&report) {
        let evidence = finding["evidence"].as_array().expect("a list");
        let told = |e: &Value| e["observed"].as_str().is_some_and(|t| !t.is_empty());
        if evidence.is_empty() || !evidence.iter().all(told) {
            faults.push(format!("{} has no evidence", finding["code"]));
        }
        if finding["fix"].as_array().is_none_or(Vec::is_empty) {
            faults.push(format!("{} tells nothing to do", finding["code"]));
        }
        if finding["code"] == UNKNOWN && case.unknown.is_none() {
            faults.push("the cause is unknown".to_owned());
        }
    }
    faults
}

#[test]
fn each_case_has_exactly_the_causes_that_it_expects() {
    let stage = stage();
    let mut wrong = Vec::new();
    for ended in stage.ended.iter().filter(|e| !e.healthy) {
        let faults = faults(ended);
        if !faults.is_empty() {
            let (slug, text) = (&ended.case.slug, &ended.text.stdout);
            let title = &ended.case.title;
            wrong.push(format!(
                "== {slug} ({title}): {}\n{text}",
                faults.join("; ")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_bundle_says_of_each_case_what_the_cluster_said() {
    let mut wrong = Vec::new();
    for ended in &stage().ended {
        let saved: Value = serde_json::from_str(&ended.saved.stdout).unwrap_or(Value::Null);
        let (saved, live) = (&saved["onboardings"][0], ended.report());
        let told = |report: &Value| -> Vec<(Value, Value)> {
            let findings = findings(report);
            findings
                .map(|f| (f["code"].clone(), f["severity"].clone()))
                .collect()
        };
        if told(saved) != told(&live) || saved["checksRun"] != live["checksRun"] {
            wrong.push(format!(
                "== {}: {:?} instead of {:?}\n{}",
                ended.case.slug,
                told(saved),
                told(&live),
                ended.saved.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
