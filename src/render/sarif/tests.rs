//! SARIF's required structure (OASIS, version 2.1.0, sections 3.13 to 3.58), checked on every case.

use super::*;
use crate::diagnosis::{Case, diagnose, fixture};
use proptest::prelude::*;

fn onboarding(name: &str) -> Onboarding {
    let snapshot = fixture::snapshot(name);
    let case = Case::new(&snapshot, fixture::meta(name).now);
    Onboarding::new(&case, diagnose(&case))
}

fn log_of(onboardings: Vec<Onboarding>) -> Value {
    let invocation = Invocation {
        exit_code: 3,
        errors: vec!["helmrelease \"x\" cannot be read".to_owned()],
    };
    log(&Report::new(onboardings, None, Vec::new()), &invocation)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"))
}

/// An object has these properties and no others.
fn has(object: &Value, required: &[&str], others: &[&str]) {
    let object = object.as_object().expect("an object");
    for key in required {
        assert!(object.contains_key(*key), "{key} is missing");
    }
    for key in object.keys() {
        let known = required.iter().chain(others).any(|k| k == key);
        assert!(known, "{key} is not known");
    }
}

fn is_message(value: &Value) {
    has(value, &["text"], &[]);
    assert!(!text(&value["text"]).is_empty());
}

/// The rules of the format as far as this file uses it.
fn check(log: &Value) {
    has(log, &["$schema", "version", "runs"], &[]);
    assert_eq!(log["version"], "2.1.0");
    for run in list(&log["runs"]) {
        let known = ["automationDetails", "invocations", "results", "properties"];
        has(run, &["tool"], &known);
        let driver = &run["tool"]["driver"];
        let known = ["version", "semanticVersion", "informationUri", "rules"];
        has(driver, &["name"], &known);
        assert!(text(&driver["informationUri"]).starts_with("https://"));
        let rules = list(&driver["rules"]);
        for (at, rule) in rules.iter().enumerate() {
            let known = [
                "name",
                "shortDescription",
                "fullDescription",
                "help",
                "defaultConfiguration",
            ];
            has(rule, &["id"], &known);
            is_message(&rule["shortDescription"]);
            is_message(&rule["fullDescription"]);
            has(&rule["help"], &["text", "markdown"], &[]);
            is_level(&rule["defaultConfiguration"]["level"]);
            assert!(
                rules[..at].iter().all(|r| r["id"] != rule["id"]),
                "ids are unique"
            );
        }
        let mut prints = Vec::new();
        for result in list(&run["results"]) {
            let known = [
                "ruleId",
                "ruleIndex",
                "kind",
                "level",
                "locations",
                "partialFingerprints",
            ];
            has(result, &["message"], &known);
            is_message(&result["message"]);
            is_level(&result["level"]);
            let at = result["ruleIndex"].as_u64().expect("an index");
            assert_eq!(rules[at as usize]["id"], result["ruleId"]);
            for location in list(&result["locations"]) {
                has(location, &[], &["logicalLocations"]);
                for logical in list(&location["logicalLocations"]) {
                    has(logical, &["name", "fullyQualifiedName", "kind"], &[]);
                }
            }
            let print = result["partialFingerprints"]
                .as_object()
                .expect("an object");
            assert!(print.values().all(Value::is_string));
            assert!(!prints.contains(&print), "{print:?} is there twice");
            prints.push(print);
        }
        for invocation in list(&run["invocations"]) {
            has(
                invocation,
                &["executionSuccessful"],
                &["exitCode", "toolExecutionNotifications"],
            );
            assert!(invocation["executionSuccessful"].is_boolean());
            for told in list(&invocation["toolExecutionNotifications"]) {
                has(told, &["message"], &["level", "associatedRule"]);
                is_message(&told["message"]);
                is_level(&told["level"]);
                if let Some(rule) = told.get("associatedRule") {
                    let at = rule["index"].as_u64().expect("an index");
                    assert_eq!(rules[at as usize]["id"], rule["id"]);
                }
            }
        }
    }
}

fn is_level(value: &Value) {
    assert!(
        ["none", "note", "warning", "error"].contains(&text(value)),
        "{value}"
    );
}

#[test]
fn every_case_has_the_structure_that_the_format_asks_for() {
    for name in fixture::names() {
        let log = log_of(vec![onboarding(&name)]);
        check(&log);
        let mut found: Vec<&str> = list(&log["runs"][0]["results"])
            .iter()
            .map(|r| text(&r["ruleId"]))
            .collect();
        found.sort_unstable();
        assert_eq!(found, fixture::meta(&name).expect, "{name}");
    }
}

#[test]
fn what_was_not_run_is_told_with_its_rule() {
    let log = log_of(vec![onboarding("database-exists-log-forbidden")]);
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["exitCode"], 3);
    assert_eq!(invocation["executionSuccessful"], false);
    let told = list(&invocation["toolExecutionNotifications"]);
    assert_eq!(
        told[0]["message"]["text"],
        "not checked: the log of the creation Job (forbidden: get pods/log in core)"
    );
    assert!(told[0]["associatedRule"]["id"].is_string());
    assert_eq!(told[told.len() - 1]["level"], "error");
}

#[test]
fn a_result_names_the_onboarding_and_the_object_and_stays_the_same() {
    let log = log_of(vec![onboarding("database-exists")]);
    let result = &log["runs"][0]["results"][0];
    assert_eq!(
        result["locations"][0]["logicalLocations"],
        json!([
            {"kind": "HelmRelease", "name": "skvs-onboarding-iota--database", "fullyQualifiedName": "flux-system/skvs-onboarding-iota--database"},
            {"kind": "Job", "name": "pds-database-create", "fullyQualifiedName": "core/pds-database-create"},
        ])
    );
    assert_eq!(
        result["partialFingerprints"],
        json!({"codeAndOnboarding/v1": "SKVS301:flux-system/skvs-onboarding-iota--database"})
    );
    let mut later = onboarding("database-exists");
    later.findings[0].found.subject.name = "pds-database-create-2".to_owned();
    later.findings[0].found.sentence = "another sentence".to_owned();
    let later = log_of(vec![later]);
    assert_eq!(
        later["runs"][0]["results"][0]["partialFingerprints"],
        result["partialFingerprints"]
    );
}

#[test]
fn rules_are_named_as_identifiers() {
    assert_eq!(name("database-exists"), "DatabaseExists");
}

proptest! {
    #[test]
    fn no_text_breaks_out_of_its_value(text in prop_oneof![any::<String>(), "[\\[\\]()a{}\"]{0,12}"]) {
        let mut onboarding = onboarding("database-exists");
        let finding = &mut onboarding.findings[0];
        finding.found.sentence.clone_from(&text);
        finding.found.subject.name.clone_from(&text);
        finding.found.why = vec![text.clone()];
        let log = log_of(vec![onboarding]);
        check(&log);
        let mut out = Vec::new();
        crate::render::json::write_value(&mut out, &log).unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(&read, &log);
        let message = read["runs"][0]["results"][0]["message"]["text"].as_str().unwrap();
        prop_assert!(message.contains(&unlinked(&text)));
        prop_assert!(!message.contains("]("));
    }
}
