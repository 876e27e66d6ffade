//! One HelmRelease of a file, with the place of each of its fields.

use super::node::{self, Node, Place};
use crate::model::documents::{self, Room};
use crate::model::helm_release::KIND;
use crate::text::document;
use serde_json::Value;

/// Endings of files that can hold a manifest.
const ENDINGS: [&str; 3] = [".yaml", ".yml", ".json"];
/// Names of the file that lists a folder's manifests.
pub(super) const KUSTOMIZATIONS: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a file can hold manifests, or lists them, by its name.
pub(super) fn may_be_yaml(name: &str) -> bool {
    ENDINGS.iter().any(|e| name.ends_with(e)) || is_kustomization(name)
}

/// Whether a file lists the manifests of its folder, by its name.
pub fn is_kustomization(name: &str) -> bool {
    KUSTOMIZATIONS.contains(&name)
}

/// One HelmRelease.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its file, as messages name it.
    pub file: String,
    /// What it says: aliases are resolved, and of a key that is there twice the last one counts.
    pub value: Value,
    /// How it is written.
    pub node: Node,
}

impl Manifest {
    /// The value under these keys; an explicit null is none.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let found = path
            .iter()
            .try_fold(&self.value, |value, key| value.get(key));
        found.filter(|value| !value.is_null())
    }

    /// The text under these keys.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// Where the value under these keys is written, or the nearest key above it.
    pub fn place(&self, path: &[&str]) -> Place {
        self.node.place_of(path)
    }

    /// `.metadata.name`; empty where it has none.
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"]).unwrap_or_default()
    }

    /// Another path as it is called here: in the same folder by its name alone.
    pub fn beside<'p>(&self, other: &'p str) -> &'p str {
        match folder(other) == self.folder() {
            true => file_name(other),
            false => other,
        }
    }

    /// The folder of its file, without the slash at its end.
    pub fn folder(&self) -> &str {
        folder(&self.file)
    }

    /// The name of its file in its folder.
    pub fn file_name(&self) -> &str {
        file_name(&self.file)
    }
}

/// The folder of a path; empty where the path is a name.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file could hold a HelmRelease: the word is in every one of them, written out, with escapes or in base64.
pub(super) fn mentions_one(text: &str) -> bool {
    text.contains(KIND)
        || (text.contains('\\') && unescaped(text).contains(KIND))
        || text.contains("!!binary")
        || text.contains("tag:yaml.org")
}

/// Resolves escapes of letters, in quotes or not, and removes escaped line ends.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let digits = match after.bytes().next() {
            Some(b'x') => 2,
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => 0,
        };
        let code = after.get(1..=digits).filter(|_| digits > 0);
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        rest = match code.and_then(char::from_u32) {
            Some(letter) => {
                out.push(letter);
                &after[1 + digits..]
            }
            None => match after
                .strip_prefix("\r\n")
                .or_else(|| after.strip_prefix('\n'))
            {
                Some(next) => next.trim_start_matches([' ', '\t']),
                None => after,
            },
        };
    }
    out.push_str(rest);
    out
}

/// YAML 1.1, which Flux reads, ends a line and a comment where YAML 1.2 does not: text after such a character would be applied and not seen
/// here.
fn one_reading(text: &str) -> Result<(), String> {
    let is_break = |c: char| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}');
    let Some((at, found)) = text.char_indices().find(|(_, c)| is_break(*c)) else {
        return Ok(());
    };
    let line = 1 + text[..at].matches('\n').count();
    let code = u32::from(found);
    Err(format!(
        "line {line}: it holds U+{code:04X}, at which Flux begins a new line"
    ))
}

/// Each document of a text: its value and how it is written.
///
/// # Errors
/// A clause that says where and what is wrong.
pub(super) fn documents(bytes: &[u8], room: &mut Room) -> Result<Vec<(Value, Node)>, String> {
    let values = documents::documents(bytes, room)?;
    let text = document::decode(bytes)?;
    one_reading(&text)?;
    let nodes = node::documents(&text)?;
    if values.len() != nodes.len() {
        return Err("its documents cannot be told apart".to_owned());
    }
    Ok(values.into_iter().zip(nodes).collect())
}

/// Deepest list in a list.
const LISTS_MAX: usize = 16;

/// The HelmReleases among the documents of a file, those in lists too.
///
/// # Errors
/// A clause: why the content of a list is not known.
pub(super) fn manifests(
    file: &str,
    documents: Vec<(Value, Node)>,
) -> Result<Vec<Manifest>, String> {
    let mut found = Vec::new();
    for (value, node) in documents {
        add(&mut found, file, value, node, 0)?;
    }
    Ok(found)
}

/// Takes an object, or its items if its kind is a list's, as kustomize does.
fn add(
    found: &mut Vec<Manifest>,
    file: &str,
    value: Value,
    node: Node,
    depth: usize,
) -> Result<(), String> {
    let not_told = |why: &str| {
        let place = node.place;
        Err(format!(
            "line {}, column {}: {why}",
            place.line, place.column
        ))
    };
    let kind = value.get("kind").and_then(Value::as_str);
    let written = node.at(&["kind"]);
    if kind != Some(KIND) && written.is_some_and(|k| k.tagged) {
        return not_told("its kind has a tag, so its type is not known");
    }
    let is_list = kind.is_some_and(|kind| kind.ends_with("List"));
    match value.get("items") {
        Some(items) if is_list && !items.is_null() => {
            if depth >= LISTS_MAX {
                return not_told("lists in lists are not read this deep");
            }
            let written = node.at(&["items"]).map(Node::items).unwrap_or_default();
            let Some(items) = items.as_array().filter(|i| i.len() == written.len()) else {
                return not_told("the place of the list's items in the file is not known");
            };
            for (value, node) in items.iter().zip(written) {
                add(found, file, value.clone(), node.clone(), depth + 1)?;
            }
        }
        _ if kind == Some(KIND) => found.push(Manifest {
            file: file.to_owned(),
            value,
            node,
        }),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_found_however_it_is_escaped() {
        for text in [
            "kind: HelmRelease",
            r#"kind: "Helm\x52elease""#,
            r#"{"kind": "\u0048elmRelease"}"#,
            r#"kind: "\U00000048elmRelease""#,
            "kind: \"Helm\\\n  Release\"",
            "kind: \"Helm\\\r\n\tRelease\"",
            "kind: !!binary SGVsbVJlbGVhc2U=",
        ] {
            assert!(mentions_one(text), "{text}");
        }
        for text in ["kind: Helm Release", r"kind: Helm\R", r"a: \x5", "\\"] {
            assert!(!mentions_one(text), "{text}");
        }
    }
}
