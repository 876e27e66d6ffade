//! Secrets: their payloads become sizes, those of Helm become the release without what may be secret in it.

use super::{MARK, is_mark, walk};
use crate::model::helm_storage;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Parts of Helm's JSON that no command reads and that are most of it: the chart's own files.
const CHART_FILES: [&str; 5] = ["templates", "files", "schema", "lock", "modtime"];

/// Redacts the payload of a Secret.
pub(super) fn payload(secret: &mut Map<String, Value>) {
    if let Some(release) = release(secret) {
        secret.remove("data");
        let release = Map::from_iter([("release".to_owned(), Value::String(release))]);
        secret.insert("stringData".to_owned(), Value::Object(release));
        return;
    }
    for (field, encoded) in [("data", true), ("stringData", false)] {
        match secret.get_mut(field) {
            Some(Value::Object(values)) => sizes(values, encoded),
            // Not what the API allows; what it is cannot be told.
            Some(other) if !other.is_null() => *other = Value::Null,
            _ => {}
        }
    }
}

/// Replaces each value by its size.
pub(super) fn sizes(values: &mut Map<String, Value>, encoded: bool) {
    for value in values.values_mut() {
        let size = match value.as_str() {
            Some(text) if is_mark(text) => continue,
            Some(text) if encoded => STANDARD.decode(text.trim()).map_or(text.len(), |d| d.len()),
            Some(text) => text.len(),
            None => value.to_string().len(),
        };
        *value = Value::String(format!("{MARK} {size} bytes>"));
    }
}

/// Helm's release as redacted JSON; `None` for any other Secret, and for a payload that is no release.
fn release(secret: &Map<String, Value>) -> Option<String> {
    let of_helm = secret.get("type").and_then(Value::as_str) == Some(helm_storage::SECRET_TYPE);
    if !of_helm {
        return None;
    }
    let mut release: Value = helm_storage::from_secret(&Value::Object(secret.clone())).ok()?;
    let chart = release.as_object_mut()?.get_mut("chart");
    if let Some(Value::Object(chart)) = chart {
        for field in CHART_FILES {
            chart.remove(field);
        }
    }
    walk(&mut release, false);
    serde_json::to_string_pretty(&release).ok()
}
