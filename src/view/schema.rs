//! The JSON Schemas of small documents in docs/schema, made from their types. Test code only.
//!
//! `BLESS=1 cargo test --lib docs` rewrites the files.

use super::access_change::AccessChange;
use super::access_check::AccessCheck;
use super::config::{Config, File, Origin};
use super::diagnosis::Diagnosis;
use super::json_schema::faults;
use super::release_notes::ReleaseNotes;
use super::retry::Retry;
use crate::diagnosis::catalogue;
use crate::diagnosis::registry::RULES;
use crate::model::helm_release::HelmRelease;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

fn schema<T: JsonSchema>(kind: &str, file: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = serde_json::to_value(schema).unwrap();
    let map = schema.as_object_mut().unwrap();
    map.insert("additionalProperties".to_owned(), json!(false));
    schema["title"] = json!(kind);
    schema["$id"] = json!(format!("urn:kubectl-skvs:schema:{file}:v1"));
    let properties = schema["properties"].as_object_mut().unwrap();
    properties.insert(
        "apiVersion".to_owned(),
        json!({"const": super::description::API_VERSION}),
    );
    properties.insert("kind".to_owned(), json!({"const": kind}));
    for property in properties.values_mut() {
        // Kinds of numbers that JSON does not know.
        property.as_object_mut().unwrap().remove("format");
    }
    schema
}

/// The schema of a type with others in it: no field but those that are described, in any of them, and codes that troubleshoot has.
pub(super) fn strict<T: JsonSchema>(kind: &str, file: &str) -> Value {
    strict_with::<T>(kind, file, RULES.iter().map(|r| r.code).collect())
}

/// The same with these codes.
pub(super) fn strict_with<T: JsonSchema>(kind: &str, file: &str, codes: Vec<&str>) -> Value {
    let mut schema = schema::<T>(kind, file);
    tighten(&mut schema);
    schema["$defs"]["Code"] = json!({
        "description": "What a code means: kubectl skvs explain CODE",
        "enum": codes,
    });
    schema
}

fn tighten(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                let code = || json!({"$ref": "#/$defs/Code"});
                if let Some(one) = properties.get_mut("code") {
                    *one = code();
                }
                if let Some(many) = properties.get_mut("codes") {
                    many["items"] = code();
                }
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            // Kinds of numbers that JSON does not know.
            map.retain(|key, value| key != "format" || !value.is_string());
            map.values_mut().for_each(tighten);
        }
        Value::Array(all) => all.iter_mut().for_each(tighten),
        _ => {}
    }
}

/// Asserts that this is the schema in docs/schema.
pub(super) fn is_in_docs(name: &str, schema: &Value) {
    let text = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    crate::generated::holds(&format!("docs/schema/{name}.v1.json"), &text);
}

fn release_notes() -> Value {
    schema::<ReleaseNotes>("ReleaseNotes", "release-notes")
}

fn access_change() -> Value {
    schema::<AccessChange>("AccessChange", "access-change")
}

fn access_check() -> Value {
    let mut schema = schema::<AccessCheck>("AccessCheck", "access-check");
    tighten(&mut schema);
    schema
}

fn config() -> Value {
    let mut schema = schema::<Config>("Config", "config");
    tighten(&mut schema);
    schema
}

fn retry() -> Value {
    strict::<Retry>("Retry", "retry")
}

fn diagnosis() -> Value {
    schema::<Diagnosis>("Diagnosis", "diagnosis")
}

#[test]
fn docs_schema_is_that_of_the_types() {
    for (name, schema) in [
        ("release-notes", release_notes()),
        ("diagnosis", diagnosis()),
        ("access-change", access_change()),
        ("access-check", access_check()),
        ("config", config()),
        ("retry", retry()),
    ] {
        is_in_docs(name, &schema);
    }
}

#[test]
fn every_code_fits_and_a_stranger_does_not() {
    let schema = diagnosis();
    let codes = catalogue::all();
    for code in &codes {
        let value = serde_json::to_value(Diagnosis::from(*code)).unwrap();
        assert_eq!(faults(&schema, &value), [""; 0], "{}", code.code);
    }
    let mut value = serde_json::to_value(Diagnosis::from(codes[0])).unwrap();
    value["stranger"] = json!(1);
    assert!(!faults(&schema, &value).is_empty());
}

#[test]
fn a_change_of_access_fits_and_a_stranger_does_not() {
    let change = AccessChange {
        added: vec!["a".to_owned()],
        ..AccessChange::new("flux-system", "a", "a.yaml", true, "+ a\n")
    };
    let mut value = json!(change);
    assert_eq!(faults(&access_change(), &value), [""; 0]);
    value["stranger"] = json!(1);
    assert!(!faults(&access_change(), &value).is_empty());
}

#[test]
fn settings_fit_and_a_stranger_does_not() {
    let setting = super::config::Value {
        key: "couchdb.port",
        value: None,
        origin: Origin::Default,
        variable: Some("SKVS_COUCHDB_PORT".to_owned()),
    };
    let file = File {
        path: "/c.toml".to_owned(),
        exists: false,
    };
    for file in [None, Some(file)] {
        let mut value = json!(Config::new(file, vec![setting.clone()]));
        assert_eq!(faults(&config(), &value), [""; 0]);
        value["settings"][0]["stranger"] = json!(1);
        assert!(!faults(&config(), &value).is_empty());
    }
}

#[test]
fn notes_fit_with_and_without_a_database() {
    let object = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"namespace": "flux-system", "name": "a"},
    });
    let hr = HelmRelease::from_value(&object).unwrap();
    for notes in [
        "",
        "Database name: a_b\nEndpoint: http://h\nService accounts:\n  - a",
    ] {
        let stored = json!({"version": 1, "info": {"status": "deployed", "notes": notes}, "config": null, "hooks": null});
        let stored = serde_json::from_value(stored).unwrap();
        let value = serde_json::to_value(ReleaseNotes::new(&hr, &stored)).unwrap();
        assert_eq!(faults(&release_notes(), &value), [""; 0]);
        assert_eq!(value["database"].is_null(), notes.is_empty());
    }
}
