//! Checks a value against a JSON Schema (2020-12), as far as the schema in docs/schema uses the language: any other keyword is
//! refused, so that nothing passes unread.
//!
//! A crate for the whole language brings some fifty others, a licence that deny.toml does not allow among them.

use serde_json::Value;

/// What is wrong, each with its place; empty when all is well.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "$", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = schema.as_object().expect("a schema is an object");
    for (keyword, rule) in schema {
        match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "format" => {}
            "$ref" => {
                let path = rule.as_str().and_then(|r| r.strip_prefix('#'));
                let target = path.and_then(|p| root.pointer(p));
                check(
                    root,
                    target.expect("a reference that is there"),
                    value,
                    at,
                    faults,
                );
            }
            "type" => {
                let names: Vec<&str> = match rule {
                    Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
                    one => one.as_str().into_iter().collect(),
                };
                if !names.iter().any(|name| is(name, value)) {
                    faults.push(format!("{at}: {value} is no {}", names.join(" or ")));
                }
            }
            "const" if rule != value => faults.push(format!("{at}: {value} is not {rule}")),
            "enum" if !list(rule).contains(value) => {
                faults.push(format!("{at}: {value} is none of {rule}"));
            }
            "const" | "enum" => {}
            "minimum" => {
                // What is no number is the type's matter.
                if value.is_number() && value.as_f64() < rule.as_f64() {
                    faults.push(format!("{at}: {value} is less than {rule}"));
                }
            }
            "required" => {
                let missing = list(rule).iter().filter_map(Value::as_str);
                let missing = missing.filter(|key| value.get(key).is_none());
                faults.extend(missing.map(|key| format!("{at}: {key} is missing")));
            }
            "properties" => {
                for (key, rule) in rule.as_object().expect("an object") {
                    if let Some(value) = value.get(key) {
                        check(root, rule, value, &format!("{at}.{key}"), faults);
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(*rule, Value::Bool(false), "the only form that is used");
                let known = schema["properties"].as_object().expect("an object");
                let keys = value.as_object().into_iter().flat_map(|o| o.keys());
                let strange = keys.filter(|key| !known.contains_key(*key));
                faults.extend(strange.map(|key| format!("{at}: {key} is not known")));
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}[{i}]"), faults);
                }
            }
            "oneOf" | "anyOf" => {
                let fits = list(rule).iter().filter(|one| {
                    let mut inner = Vec::new();
                    check(root, one, value, at, &mut inner);
                    inner.is_empty()
                });
                let fits = fits.count();
                if fits == 0 || keyword == "oneOf" && fits > 1 {
                    faults.push(format!("{at}: {value} fits {fits} of {keyword}"));
                }
            }
            other => panic!("the keyword {other} is not known here"),
        }
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}
