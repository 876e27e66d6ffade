//! docs/schema/lint-report.v1.json: the JSON Schema of the report, made from its types. Test code only.

use super::LintReport;
use crate::diagnosis::ignore::Ignores;
use crate::diagnosis::lint::registry::RULES;
use crate::diagnosis::lint::{Conventions, Repository, run};
use crate::repository::tree::tests::tree;
use crate::view::json_schema::faults;
use crate::view::schema::{is_in_docs, strict_with};
use serde_json::{Value, json};

fn schema() -> Value {
    let codes = RULES.iter().map(|r| r.entry.code).collect();
    strict_with::<LintReport>(super::KIND, "lint-report", codes)
}

fn report() -> LintReport {
    let broken = "kind: HelmRelease\n  a: b\n";
    let bare = "kind: HelmRelease\nmetadata: {name: skvs-onboarding-a_b}\nspec: {valuesFrom: [{kind: Secret, name: s}]}\n";
    let tree = tree(&[
        ("a/x.yaml", bare),
        ("a/y.yaml", broken),
        ("a/kustomization.yaml", "resources: [gone.yaml]\n"),
    ]);
    let repository = Repository::new(&tree, &Conventions::runbook());
    let outcome = run(&repository);
    LintReport::new(&repository, outcome, Some("1234"), &mut Ignores::default())
}

#[test]
fn docs_schema_is_that_of_the_types() {
    is_in_docs("lint-report", &schema());
}

#[test]
fn a_report_with_everything_fits_and_a_stranger_does_not() {
    let report = report();
    assert!(
        !report.findings.is_empty()
            && !report.not_checked.is_empty()
            && !report.not_known.is_empty()
    );
    let value = json!(report);
    assert_eq!(faults(&schema(), &value), [""; 0]);
    for place in ["", "/findings/0", "/notChecked/0", "/notKnown/0"] {
        let mut value = value.clone();
        value.pointer_mut(place).unwrap()["stranger"] = json!(1);
        assert!(!faults(&schema(), &value).is_empty(), "{place}");
    }
}
