//! Helm's releases: decoded out of their Secrets, cut down to the table, and written as JSON that people can read.

use super::Tally;
use super::fields::{self, Field};
use super::reduce::{LEFT_OUT, reduce};
use crate::model::helm_storage::{self, SECRET_TYPE, STORED_PREFIX};
use crate::model::manifest;
use crate::text::document::embedded;
use serde_json::{Map, Value, json};

/// What is kept of a Secret's payload: Helm's release, cut down, or why it cannot be decoded; `None` of any other Secret.
pub(super) fn payload(secret: &Value, tally: &mut Tally) -> Option<Value> {
    let text = |path: &str| {
        secret
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let has_payload = ["data", "stringData"]
        .iter()
        .any(|key| secret.get(*key).is_some());
    let of_helm = text("/type") == SECRET_TYPE
        || text("/metadata/name").starts_with(STORED_PREFIX)
        || text("/metadata/labels/owner") == "helm";
    if !(of_helm && has_payload) {
        return None;
    }
    Some(match helm_storage::from_secret::<Value>(secret) {
        Ok(release) => json!({"release": cut(release, tally)}),
        Err(why) => json!({"error": why.to_string()}),
    })
}

/// Hooks and manifests stay lists of objects until [`encode`].
fn cut(mut release: Value, tally: &mut Tally) -> Value {
    let manifest = release.as_object_mut().and_then(|r| r.remove("manifest"));
    let mut hooks = Vec::new();
    for hook in release
        .get_mut("hooks")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        hooks.push(hook.as_object_mut().and_then(|h| h.remove("manifest")));
    }
    if let Some(field) = fields::find("release") {
        reduce(&mut release, field, tally);
    }
    let mut put = |into: Option<&mut Map<String, Value>>, manifest: Option<Value>| {
        if let (Some(into), Some(manifest)) = (into, manifest) {
            let objects = manifest.as_str().map(|text| objects(text, tally));
            into.insert("manifest".to_owned(), objects.into());
        }
    };
    put(release.as_object_mut(), manifest);
    let all = release.get_mut("hooks").and_then(Value::as_array_mut);
    for (hook, manifest) in all.into_iter().flatten().zip(hooks) {
        put(hook.as_object_mut(), manifest);
    }
    release
}

/// The objects of a manifest, each cut down by its kind. Of a document that is none, a marker stays.
fn objects(text: &str, tally: &mut Tally) -> Vec<Value> {
    let parsed = manifest::documents(text)
        .into_iter()
        .map(|text| embedded::<Value>(&text));
    parsed
        .map(|document| match document {
            Some(mut object @ Value::Object(_)) => {
                one(&mut object, tally);
                object
            }
            Some(Value::Null) => Value::Null,
            Some(_) | None => LEFT_OUT.into(),
        })
        .collect()
}

fn one(object: &mut Value, tally: &mut Tally) {
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let field: &Field = match fields::of_kind(kind) {
        Some(resource) => fields::find(resource.name).unwrap_or(&fields::IDENTITY),
        None => &fields::IDENTITY,
    };
    reduce(object, field, tally);
}

/// Writes the release of a Secret as JSON, and the manifests in it as YAML.
pub(super) fn encode(secret: &mut Value) {
    let Some(release) = secret.pointer_mut("/stringData/release") else {
        return;
    };
    if let Some(manifest) = release.get_mut("manifest") {
        *manifest = yaml(manifest);
    }
    for hook in release
        .get_mut("hooks")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(manifest) = hook.get_mut("manifest") {
            *manifest = yaml(manifest);
        }
    }
    *release = serde_json::to_string_pretty(release)
        .unwrap_or_default()
        .into();
}

fn yaml(objects: &Value) -> Value {
    let mut text = Vec::new();
    for object in objects.as_array().into_iter().flatten() {
        text.extend_from_slice(b"---\n");
        if crate::text::yaml::write_value(&mut text, object).is_err() {
            return Value::Null;
        }
    }
    match objects {
        Value::Array(_) => String::from_utf8_lossy(&text).into(),
        _ => Value::Null,
    }
}
