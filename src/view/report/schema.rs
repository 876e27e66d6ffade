//! docs/schema/troubleshoot-report.v1.json: the JSON Schema of the report, made from its types. Test code only.
//!
//! `BLESS=1 cargo test --lib docs` rewrites the file.

use super::Report;
use crate::diagnosis::{Case, diagnose, fixture};
use crate::view::report::Onboarding;
use serde_json::{Value, json};

use crate::view::contexts::{Documents, InContext, Unread};
use crate::view::json_schema::faults;
use crate::view::schema::{is_in_docs, strict};

fn schema() -> Value {
    strict::<Report>("TroubleshootReport", "troubleshoot-report")
}

fn report(name: &str) -> Value {
    let snapshot = fixture::snapshot(name);
    let case = Case::new(&snapshot, fixture::meta(name).now);
    let onboarding = Onboarding::new(&case, diagnose(&case));
    serde_json::to_value(Report::new(vec![onboarding], None, Vec::new())).unwrap()
}

#[test]
fn docs_schema_is_that_of_the_types() {
    is_in_docs("troubleshoot-report", &schema());
    is_in_docs("troubleshoot-report-list", &list());
}

fn list() -> Value {
    strict::<Documents<Report>>("TroubleshootReportList", "troubleshoot-report-list")
}

#[test]
fn the_reports_of_several_clusters_fit_and_a_stranger_does_not() {
    let document = Report::new(Vec::new(), None, Vec::new());
    let context = "prod".to_owned();
    let items = vec![InContext { context, document }];
    let unread = vec![Unread::new("lab", "refused")];
    let mut value = json!(Documents::new("TroubleshootReportList", items, unread));
    assert_eq!(faults(&list(), &value), [""; 0]);
    value["notRead"][0]["stranger"] = json!(1);
    assert!(!faults(&list(), &value).is_empty());
}

#[test]
fn the_report_of_every_case_fits() {
    let schema = schema();
    for name in fixture::names() {
        assert_eq!(faults(&schema, &report(&name)), [""; 0], "{name}");
    }
    let mut all = Vec::new();
    for name in ["database-exists", "suspended", "ready"] {
        let snapshot = fixture::snapshot(name);
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let mut one = Onboarding::new(&case, diagnose(&case));
        one.ignore(|code| code == "SKVS110");
        all.push(one);
    }
    let considered = super::Considered {
        onboardings: 9,
        namespace: None,
    };
    let mut report = Report::new(all, Some(considered), Vec::new());
    report.show(crate::diagnosis::Severity::Error);
    assert!(report.totals.not_shown > 0 && report.totals.ignored > 0);
    assert_eq!(faults(&schema, &json!(report)), [""; 0]);
}

#[test]
fn what_is_not_described_does_not_fit() {
    let schema = schema();
    let breaks: [(&str, Value); 7] = [
        ("", json!({"stranger": 1})),
        ("/onboardings/0", json!({"stranger": 1})),
        ("/onboardings/0/findings/0", json!({"code": "SKVS000"})),
        ("/onboardings/0/findings/0", json!({"severity": "fatal"})),
        ("/onboardings/0/findings/0/fix/0", json!({"stranger": 1})),
        ("", json!({"kind": "Report"})),
        ("", json!({"errors": "1"})),
    ];
    for (place, change) in breaks {
        let mut report = report("database-exists");
        let target = report.pointer_mut(place).and_then(Value::as_object_mut);
        target.unwrap().extend(change.as_object().unwrap().clone());
        assert!(!faults(&schema, &report).is_empty(), "{place}: {change}");
    }
    let mut report = report("database-exists");
    report["onboardings"][0]
        .as_object_mut()
        .unwrap()
        .remove("state");
    assert_eq!(
        faults(&schema, &report),
        ["$.onboardings[0]: state is missing"]
    );
}
