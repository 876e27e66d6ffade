//! Takes what is secret out of objects and text, before they are kept in a bundle.
//!
//! Owns what counts as secret: payloads of Secrets, values under keys that look secret, credentials in URLs and headers,
//! tokens and keys that are known by their form. When in doubt the value goes. What the rules need (names, conditions, exit
//! codes, the values of an onboarding) has none of these forms and stays.
//!
//! Pure. What is redacted once is not changed by a second time.

mod keys;
mod secret;
mod text;

pub use text::text;

use serde_json::{Map, Value};

/// What stands in place of a secret value.
pub const REDACTED: &str = "<redacted>";

/// How every placeholder begins.
const MARK: &str = "<redacted";

/// Redacts an object, a List or any other JSON.
pub fn value(value: &mut Value) {
    walk(value, false);
}

/// Whether a text is a placeholder already.
fn is_mark(text: &str) -> bool {
    text.starts_with(MARK) && text.ends_with('>')
}

/// `secret`: the value stands under a key that looks secret, so what is in it is secret unless its own key says otherwise.
fn walk(value: &mut Value, secret: bool) {
    match value {
        Value::Object(map) => object(map, secret),
        Value::Array(items) => array(items, secret),
        Value::String(_) | Value::Number(_) if secret => blank(value),
        Value::String(string) => *string = embedded(string),
        _ => {}
    }
}

fn object(map: &mut Map<String, Value>, secret: bool) {
    items_of_secret_list(map);
    let is_secret = map.get("kind").and_then(Value::as_str) == Some("Secret");
    if is_secret {
        secret::payload(map);
    }
    if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
        // kubectl leaves them out too: pages of field names that nobody reads.
        metadata.remove("managedFields");
    }
    if let Some(Value::Object(binary)) = map.get_mut("binaryData") {
        secret::sizes(binary, true);
    }
    let refers = map.contains_key("name") || map.contains_key("path");
    // `{name: PASSWORD, value: …}`, as in a container's environment.
    let named = ["name", "key"].iter().any(|k| {
        map.get(*k)
            .and_then(Value::as_str)
            .is_some_and(keys::is_secret)
    });
    for (key, value) in map.iter_mut() {
        if key == "binaryData" || (is_secret && matches!(key.as_str(), "data" | "stringData")) {
            continue;
        }
        let inside = if keys::is_reference(key) || (key == "key" && refers) {
            false
        } else {
            secret || keys::is_secret(key) || (named && key == "value")
        };
        // An object by this name is a setting, a text is a registry's credentials.
        if keys::is_login(key) && value.is_string() {
            blank(value);
        }
        walk(value, inside);
    }
}

/// The items of a list of Secrets carry no kind of their own as the API server sends them.
fn items_of_secret_list(map: &mut Map<String, Value>) {
    if map.get("kind").and_then(Value::as_str) != Some("SecretList") {
        return;
    }
    for item in map
        .get_mut("items")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Value::Object(item) = item {
            item.entry("kind").or_insert_with(|| "Secret".into());
            item.entry("apiVersion").or_insert_with(|| "v1".into());
        }
    }
}

/// A list; in one of arguments the word after a flag such as `--password` is its value.
fn array(items: &mut [Value], secret: bool) {
    let (mut flag, mut login) = (false, false);
    for item in items {
        let word = item.as_str().unwrap_or_default();
        let hidden = secret || (flag && !text::is_flag(word)) || (login && word.contains(':'));
        (flag, login) = (text::is_secret_flag(word), text::takes_login(word));
        walk(item, hidden);
    }
}

/// Puts the placeholder in the place of a text or a number.
fn blank(value: &mut Value) {
    let keep = match value {
        Value::String(s) => s.is_empty() || is_mark(s) || text::is_variable(s),
        Value::Number(_) => false,
        _ => true,
    };
    if !keep {
        *value = REDACTED.into();
    }
}

/// A text that may itself hold objects: JSON in an annotation, YAML in a ConfigMap or a manifest.
fn embedded(string: &str) -> String {
    let rewritten = json(string).or_else(|| match documents(string) {
        Some(documents) => yaml(documents),
        None => broken_yaml(string),
    });
    text::text(rewritten.as_deref().unwrap_or(string)).into_owned()
}

/// The redacted form of a JSON text; `None` where it is none or nothing in it is secret.
fn json(string: &str) -> Option<String> {
    let trimmed = string.trim();
    if !trimmed.starts_with(['{', '[']) {
        return None;
    }
    let before: Value = serde_json::from_str(trimmed).ok()?;
    let mut after = before.clone();
    walk(&mut after, false);
    if after == before {
        return None;
    }
    let text = if trimmed.contains('\n') {
        serde_json::to_string_pretty(&after)
    } else {
        serde_json::to_string(&after)
    };
    text.ok()
}

/// The YAML documents of a text; `None` where one cannot be read or is neither mapping nor list.
fn documents(string: &str) -> Option<Vec<Value>> {
    if !string.contains('\n') || !string.contains(':') {
        return None;
    }
    crate::model::manifest::documents(string)
        .into_iter()
        .map(|part| serde_saphyr::from_str(&part).ok())
        .filter(|document| !matches!(document, Some(Value::Null)))
        .map(|document| document.filter(|d: &Value| d.is_object() || d.is_array()))
        .collect()
}

/// The redacted form of YAML documents; `None` where nothing in them is secret.
fn yaml(documents: Vec<Value>) -> Option<String> {
    let mut parts = Vec::new();
    let mut changed = false;
    for before in documents {
        let mut after = before.clone();
        walk(&mut after, false);
        changed |= after != before;
        let mut out = Vec::new();
        crate::render::yaml::write_value(&mut out, &after).ok()?;
        parts.push(String::from_utf8(out).ok()?);
    }
    changed.then(|| parts.join("---\n"))
}

/// YAML of which a part cannot be read, without its Secrets; `None` where no part looks like one.
///
/// A part is what stands between lines that begin with `---`. It goes whole: where in it the payload ends cannot be told.
fn broken_yaml(string: &str) -> Option<String> {
    if !string.contains('\n') {
        return None;
    }
    let (mut out, mut part) = (String::new(), String::new());
    let mut changed = false;
    let mut end = |part: &mut String, out: &mut String| {
        if looks_like_secret(part) {
            changed = true;
            out.push_str(REDACTED);
            out.push('\n');
        } else {
            out.push_str(part);
        }
        part.clear();
    };
    for line in string.split_inclusive('\n') {
        if line.starts_with("---") {
            end(&mut part, &mut out);
            out.push_str(line);
        } else {
            part.push_str(line);
        }
    }
    end(&mut part, &mut out);
    changed.then_some(out)
}

/// Whether the lines say `kind: Secret` and hold a payload, in YAML or JSON.
fn looks_like_secret(part: &str) -> bool {
    let (mut kind, mut payload) = (false, false);
    for line in part.lines() {
        let plain: String = line
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '-' | '{' | ','))
            .collect();
        kind |= plain == "kind:Secret" || plain.starts_with("kind:Secret#");
        payload |= plain.starts_with("data:") || plain.starts_with("stringData:");
    }
    kind && payload
}

#[cfg(test)]
mod tests;
