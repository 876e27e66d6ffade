//! What rules on values and templates have in common: an action of Helm that failed before or while it applied the chart.

use super::case::Case;
use super::finding::{Evidence, Finding};
use super::peers;
use super::retries::{Fixes, then};
use crate::model::failure::Cause;
use crate::model::failure::template::Place;
use crate::snapshot::Checked;
use crate::text::one_line;
use serde_json::Value;

/// What follows from values or a chart that cannot be applied.
pub(super) const FOLLOWS: &[&str] = &["SKVS108", "SKVS110"];

/// Why an install or upgrade of Helm, or Flux's comparison before it, failed according to the text; `None` for any other failure, or none.
pub(super) fn cause<'c>(case: &'c Case<'_>) -> Checked<Option<&'c Cause>> {
    match case.action()? {
        Some("install" | "upgrade") => case.cause(),
        // The comparison before an action sends the same objects.
        None if case.reason() == "StateError" => case.cause(),
        _ => Ok(None),
    }
}

/// A finding on the HelmRelease whose mending is a change of its manifest.
pub(super) fn finding(case: &Case<'_>, sentence: &str, why: &str, step: &str) -> Finding {
    Finding::new(case.subject(), sentence)
        .why(why)
        .seen(case.seen_failure())
        .step(step)
        .then(then(case, Fixes::Manifest))
}

/// The step where the chart itself is at fault.
pub(super) fn other_version(case: &Case<'_>) -> String {
    let hr = case.hr();
    let attempted = hr.status.last_attempted_revision.as_deref();
    let version = hr.deployed_version();
    let version =
        version.filter(|version| attempted.is_some_and(|attempted| attempted != *version));
    let version = match (version, peers::version(case)) {
        (Some(version), _) => format!(
            "version {} of the chart, which is deployed,",
            one_line(version)
        ),
        (None, Some((version, peer))) => format!(
            "version {} of the chart, with which {} is Ready,",
            one_line(version),
            one_line(&peer.id())
        ),
        (None, None) => "another version of the chart".to_owned(),
    };
    let field = match hr.spec.chart_ref {
        Some(_) => "in the source that spec.chartRef names",
        None => "in spec.chart.spec.version",
    };
    format!(
        "Name {version} {field} until its publisher has corrected it, and report the error to them"
    )
}

/// ` (templates/job.yaml, line 12)`; empty where the text tells no place.
pub(super) fn at(place: &Place) -> String {
    match (place.template.as_str(), place.line) {
        ("", _) => String::new(),
        (template, Some(line)) => format!(" ({template}, line {line})"),
        (template, None) => format!(" ({template})"),
    }
}

/// What the manifest says at `path` below `spec.values`: its type, never the value itself.
pub(super) fn value(case: &Case<'_>, path: &str) -> Evidence {
    let values = &case.hr().spec.values;
    let found = path.split('.').try_fold(values, |at, part| at.get(part));
    let observed = match found {
        None if case.hr().spec.values_from.is_empty() => "not set",
        None => "not set here; spec.valuesFrom may set it",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "true or false",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a string",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "a map",
    };
    let field = format!("spec.values.{path}");
    Evidence::new(
        case.subject(),
        &format!(".{field}"),
        &format!("{field}: {observed}"),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};

    /// Codes of this family that a failed installation with `text` comes to.
    fn codes(text: &str) -> Vec<&'static str> {
        let mut snapshot = fixture::snapshot("values-refused");
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = format!(
                "Helm install failed for release core/x with chart secure-kvs-onboarding@0.1.2: {text}"
            );
        }
        let case = Case::new(&snapshot, fixture::meta("values-refused").now);
        let roots = diagnose(&case).roots;
        let found = roots.iter().map(|r| r.rule.code);
        found
            .filter(|c| ("SKVS225".."SKVS239").contains(c))
            .collect()
    }

    #[test]
    fn near_texts_are_left_to_others() {
        assert_eq!(
            codes("execution error at (c/templates/a.yaml:1:2): x"),
            ["SKVS230"]
        );
        for text in [
            "chart requires kubeVersion that nobody knows",
            "values are not what the schema asks for",
            "execution error in (c/templates/a.yaml): a text of tomorrow",
            "could not parse error at all",
            "YAML of templates/a.yaml is fine",
            "nil pointer dereference",
            "error calling webhook",
            "an error while running post renderers of tomorrow",
            "the chart was found in Chart.yaml",
            "Job.batch \"x\" is invalid: spec.template: Invalid value: {}: field is immutable",
            "Secret \"x\" is invalid: data: Too long: may not be more than 1048576 bytes",
            "failed pre-install: timed out waiting for the condition",
            "could not resolve Secret chart values reference 'flux-system/x' with key 'a': key not found",
        ] {
            assert!(codes(text).is_empty(), "{text}: {:?}", codes(text));
        }
    }
}
