//! One HelmRelease of a file, with the place of each of its fields.

use super::node::{self, Node, Place};
use crate::model::documents::{self, Room};
use crate::model::helm_release::KIND;
use crate::text::document;
use serde_json::Value;

/// Endings of files that can hold a manifest.
const ENDINGS: [&str; 3] = [".yaml", ".yml", ".json"];
/// Names of the file that lists a folder's manifests.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

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

pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file could hold a HelmRelease: the word is in every one of them.
pub(super) fn mentions_one(text: &str) -> bool {
    text.contains(KIND)
}

/// Each document of a text: its value and how it is written.
///
/// # Errors
/// A clause that says where and what is wrong.
pub(super) fn documents(bytes: &[u8], room: &mut Room) -> Result<Vec<(Value, Node)>, String> {
    let values = documents::documents(bytes, room)?;
    let nodes = node::documents(&document::decode(bytes)?)?;
    if values.len() != nodes.len() {
        return Err("its documents cannot be told apart".to_owned());
    }
    Ok(values.into_iter().zip(nodes).collect())
}

/// The HelmReleases among the documents of a file, those in lists too.
pub(super) fn manifests(file: &str, documents: Vec<(Value, Node)>) -> Vec<Manifest> {
    let mut found = Vec::new();
    for (value, node) in documents {
        let items = value.get("items").and_then(Value::as_array);
        let written = node.at(&["items"]).map(Node::items).unwrap_or_default();
        match items {
            Some(items) if items.len() == written.len() => {
                for (value, node) in items.iter().zip(written) {
                    add(&mut found, file, value.clone(), node.clone());
                }
            }
            _ => add(&mut found, file, value, node),
        }
    }
    found
}

fn add(found: &mut Vec<Manifest>, file: &str, value: Value, node: Node) {
    if value.get("kind").and_then(Value::as_str) == Some(KIND) {
        found.push(Manifest {
            file: file.to_owned(),
            value,
            node,
        });
    }
}
