//! What rules on values and templates have in common: an action of Helm that failed before or while it applied the chart.

use super::case::Case;
use super::finding::{Evidence, Finding};
use super::retries::{Fixes, then};
use crate::model::template_error::{Place, TemplateError};
use serde_json::Value;

/// What follows from values or a chart that cannot be applied.
pub(super) const FOLLOWS: &[&str] = &["SKVS108", "SKVS110"];

/// Helm was asked to install or upgrade, and failed.
pub(super) fn by_helm(case: &Case<'_>) -> bool {
    let action = case.failure.as_ref().and_then(|f| f.action);
    matches!(action, Some("install" | "upgrade"))
}

/// What a template of the chart says.
pub(super) fn template(case: &Case<'_>) -> Option<TemplateError> {
    TemplateError::read(case.error())
}

/// A finding on the HelmRelease whose mending is a change of its manifest.
pub(super) fn finding(case: &Case<'_>, sentence: &str, why: &str, step: &str) -> Finding {
    Finding::new(case.subject(), sentence)
        .why(why)
        .seen(case.seen_failure())
        .step(step)
        .then(then(case, Fixes::Manifest))
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
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "a map",
    };
    Evidence::new(case.subject(), &format!(".spec.values.{path}"), observed)
}
