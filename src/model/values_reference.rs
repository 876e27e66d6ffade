//! The texts by which helm-controller says that a reference of `spec.valuesFrom` gives no values.

use super::helm_release::ValuesFrom;
use super::source_error::quoted;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What is wrong with the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The ConfigMap or Secret is not there.
    Missing,
    /// It has no such key.
    Key,
    /// It is neither a ConfigMap nor a Secret.
    Kind,
    /// What it holds is no YAML, or cannot be put where `targetPath` says; the text is the parser's.
    Content(String),
}

/// A reference that gives no values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `Secret`, `ConfigMap`; empty where the text does not tell.
    pub kind: String,
    /// `namespace/name`.
    pub id: String,
    /// Empty where the text does not tell.
    pub key: String,
    pub trouble: Trouble,
}

/// What a reference takes of the ConfigMap or Secret that it names.
///
/// # Errors
/// Why there is nothing to take.
pub fn text(object: &Value, from: &ValuesFrom) -> Result<String, String> {
    let key = from.values_key.as_deref().unwrap_or("values.yaml");
    let value = object.get("data").and_then(|data| data.get(key));
    let value = value.and_then(Value::as_str);
    let value = value.ok_or_else(|| format!("{} {} has no key {key}", from.kind, from.name))?;
    if from.kind == "ConfigMap" {
        return Ok(value.to_owned());
    }
    let decoded = STANDARD.decode(value.trim()).ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| format!("key {key} of {} {} is not a text", from.kind, from.name))
}

/// Reads a text; `None` when it is about something else.
pub fn reference(text: &str) -> Option<Reference> {
    resolved(text).or_else(|| old(text))
}

/// Since 0.37: `could not resolve [optional ]Secret chart values reference 'ns/name' with key 'k': …`.
fn resolved(text: &str) -> Option<Reference> {
    let (_, rest) = text.split_once("could not resolve ")?;
    let (kind, rest) = rest.split_once("chart values reference")?;
    let id = quoted(rest, " ")?;
    let (_, rest) = rest.split_once(id)?;
    let key = rest
        .strip_prefix("' with key ")
        .and_then(|r| quoted(r, ""))
        .unwrap_or_default();
    let (_, why) = rest.split_once("': ")?;
    let why = why.trim();
    let trouble = if why == "key not found" {
        Trouble::Key
    } else if why == "unsupported values reference kind" {
        Trouble::Kind
    } else if why.ends_with("\" not found") || why == "values reference not found" {
        Trouble::Missing
    } else {
        Trouble::Content(why.to_owned())
    };
    Some(Reference {
        kind: kind.trim().trim_start_matches("optional").trim().to_owned(),
        id: id.to_owned(),
        key: key.to_owned(),
        trouble,
    })
}

/// Up to 0.36.
fn old(text: &str) -> Option<Reference> {
    for kind in ["Secret", "ConfigMap"] {
        let named = |lead: &str| quoted(text, &format!("{lead}{kind} "));
        let reference = |id: &str, key: &str, trouble| Reference {
            kind: kind.to_owned(),
            id: id.to_owned(),
            key: key.to_owned(),
            trouble,
        };
        if let Some(id) = named("could not find ") {
            return Some(reference(id, "", Trouble::Missing));
        }
        let Some(id) = named(" in ") else { continue };
        if let Some(key) = quoted(text, "missing key ") {
            return Some(reference(id, key, Trouble::Key));
        }
        for lead in [
            "unable to read values from key ",
            "unable to merge value from key ",
        ] {
            if let Some(key) = quoted(text, lead) {
                let why = text
                    .split_once(&format!("{id}': "))
                    .map_or(text, |(_, why)| why);
                return Some(reference(id, key, Trouble::Content(why.trim().to_owned())));
            }
        }
    }
    let kind = quoted(text, "unsupported ValuesReference kind ")?;
    Some(Reference {
        kind: kind.to_owned(),
        id: String::new(),
        key: String::new(),
        trouble: Trouble::Kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_version_is_read() {
        for (text, kind, key, trouble) in [
            (
                "could not resolve Secret chart values reference 'f/x' with key 'values.yaml': key not found",
                "Secret",
                "values.yaml",
                Trouble::Key,
            ),
            (
                "could not resolve optional ConfigMap chart values reference 'f/x' with key 'a': configmaps \"x\" not found",
                "ConfigMap",
                "a",
                Trouble::Missing,
            ),
            (
                "could not resolve Pod chart values reference 'f/x' with key 'a': unsupported values reference kind",
                "Pod",
                "a",
                Trouble::Kind,
            ),
            (
                "could not resolve Secret chart values reference 'f/x' with key 'a': error converting YAML to JSON: yaml: line 2: x",
                "Secret",
                "a",
                Trouble::Content("error converting YAML to JSON: yaml: line 2: x".to_owned()),
            ),
            (
                "could not find ConfigMap 'f/x'",
                "ConfigMap",
                "",
                Trouble::Missing,
            ),
            (
                "missing key 'values.yaml' in Secret 'f/x'",
                "Secret",
                "values.yaml",
                Trouble::Key,
            ),
            (
                "unable to read values from key 'a' in ConfigMap 'f/x': yaml: line 2: x",
                "ConfigMap",
                "a",
                Trouble::Content("yaml: line 2: x".to_owned()),
            ),
            (
                "unable to merge value from key 'a' in Secret 'f/x' into target path 'b': key b has no value",
                "Secret",
                "a",
                Trouble::Content(String::new()),
            ),
        ] {
            let found = reference(text).unwrap();
            assert_eq!(
                (found.kind.as_str(), found.id.as_str(), found.key.as_str()),
                (kind, "f/x", key),
                "{text}"
            );
            if !matches!(&trouble, Trouble::Content(why) if why.is_empty()) {
                assert_eq!(found.trouble, trouble, "{text}");
            }
        }
    }

    #[test]
    fn other_texts_are_none_of_it() {
        for text in [
            "could not find KubeConfig secret 'f/x'",
            "secrets \"x\" is forbidden: User \"y\" cannot get resource",
            "could not resolve the host",
            "failed to initialize Helm action runner",
        ] {
            assert_eq!(reference(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(could not resolve |optional |Secret |chart values reference|missing key | in Secret |could not find | 'f/x'|' with key |'|: |key not found|é){0,12}") {
            let _ = reference(&text);
        }
    }
}
