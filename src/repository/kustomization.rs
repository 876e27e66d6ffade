//! A kustomization.yaml: which files of its folder are applied, and what it changes in them.

use super::manifest::is_kustomization;

pub use super::manifest::{file_name, folder};

use super::node::{Kind, Node, Place};
use serde_json::Value;

/// Keys of paths that are applied.
const LISTS: [&str; 3] = ["resources", "bases", "components"];
/// Keys of patches, the only files that change others without being applied.
const PATCHES: [&str; 4] = [
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replacements",
];

/// One entry of `resources`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As it is written.
    pub entry: String,
    /// The path of what it names, as messages name paths; an address has none.
    pub path: Option<String>,
    pub place: Place,
}

/// One kustomization.yaml.
#[derive(Clone, Debug)]
pub struct Kustomization {
    pub file: String,
    pub listed: Vec<Listed>,
    /// Patches: files that change others and are not manifests of their own.
    pub patches: Vec<String>,
    /// Its keys, `namespace` and `patches` among them.
    keys: Vec<String>,
}

impl Kustomization {
    /// Reads the one document of such a file.
    ///
    /// # Errors
    /// A clause: it is not a kustomization.
    pub(super) fn parse(file: &str, documents: &[(Value, Node)]) -> Result<Self, String> {
        let [(value, node)] = documents else {
            return Err("it must hold one document".to_owned());
        };
        if !value.is_object() {
            return Err("it must be a map".to_owned());
        }
        let mut read = Self {
            file: file.to_owned(),
            listed: Vec::new(),
            patches: Vec::new(),
            keys: Vec::new(),
        };
        for entry in node.entries() {
            let key = entry.key.text().ok_or("its keys must be text")?;
            let place = |why: &str| {
                let place = entry.key.place;
                Err(format!(
                    "line {}, column {}: {why}",
                    place.line, place.column
                ))
            };
            if key == "<<" {
                return place("a merge key adds to it, which is not read");
            }
            // Kustomize takes the last of the two, whatever the case of its letters.
            if read.keys.iter().any(|k| k.eq_ignore_ascii_case(key)) {
                return place(&format!("the key {key} is there twice"));
            }
            let mut known = LISTS.iter().chain(&PATCHES);
            if known.any(|k| *k != key && k.eq_ignore_ascii_case(key)) {
                return place(&format!("the key {key} has unusual capitals"));
            }
            read.keys.push(key.to_owned());
            let Kind::List { items, .. } = &entry.value.kind else {
                let empty = value.get(key).is_none_or(Value::is_null);
                if LISTS.contains(&key) && !empty {
                    return Err(format!("{key} must be a list"));
                }
                continue;
            };
            for item in items {
                if LISTS.contains(&key) {
                    let text = item.text();
                    let text = text.ok_or_else(|| format!("an entry of {key} is not text"))?;
                    read.listed.push(read.entry(text, item.place));
                } else if PATCHES.contains(&key) {
                    read.patches.extend(read.patch(item));
                }
            }
        }
        Ok(read)
    }

    fn entry(&self, text: &str, place: Place) -> Listed {
        Listed {
            entry: text.to_owned(),
            path: resolved(self.folder(), text),
            place,
        }
    }

    /// The file of a patch, where it is not written in the kustomization itself.
    fn patch(&self, item: &Node) -> Option<String> {
        let text = item.text().or_else(|| item.at(&["path"])?.text())?;
        let is_name = !text.contains('\n');
        is_name.then(|| resolved(self.folder(), text))?
    }

    /// The folder that it is in.
    pub fn folder(&self) -> &str {
        folder(&self.file)
    }

    /// Whether it has this key.
    pub fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|k| k == key)
    }

    /// What may bring files that it does not list: the kustomization's own path and the key.
    pub fn brings_files(&self) -> Option<(&str, &'static str)> {
        let keys = [
            "generators",
            "transformers",
            "components",
            "helmCharts",
            "helmChartInflationGenerator",
        ];
        let key = keys.into_iter().find(|key| self.has(key))?;
        Some((&self.file, key))
    }

    /// What it names: the file or the folder of this path.
    pub fn lists(&self, path: &str) -> bool {
        self.listed.iter().any(|l| l.path.as_deref() == Some(path))
    }
}

/// The kustomization.yaml of a folder, by its path.
pub fn is_one(path: &str) -> bool {
    is_kustomization(file_name(path))
}

/// Whether an entry may be an address although it has the form of a path: `github.com/o/r`, `host:path`.
pub(super) fn may_be_address(entry: &str) -> bool {
    let first = entry.split_once('/').map(|(first, _)| first);
    entry.contains(':') || first.is_some_and(|f| !f.starts_with('.') && f.contains('.'))
}

/// `../base` from `a/b` on is `a/base`; `None` for an address and for what leads out of the folder that messages begin at.
pub(super) fn resolved(folder: &str, entry: &str) -> Option<String> {
    if entry.contains("://") || entry.contains('?') || entry.starts_with("git@") {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').collect();
    if entry.starts_with('/') || folder.is_empty() {
        parts.clear();
    }
    for part in entry.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    Some(if entry.starts_with('/') {
        format!("/{path}")
    } else {
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_paths_from_where_messages_begin() {
        for (folder, entry, path) in [
            ("a/b", "x.yaml", Some("a/b/x.yaml")),
            ("a/b", "./x.yaml", Some("a/b/x.yaml")),
            ("a/b", "../c/", Some("a/c")),
            ("", "x.yaml", Some("x.yaml")),
            ("", "../x", Some("../x")),
            ("..", "../x", Some("../../x")),
            ("/r/a", "../x", Some("/r/x")),
            ("a", "https://h/x.yaml", None),
            ("a", "github.com/o/r?ref=v1", None),
        ] {
            assert_eq!(resolved(folder, entry).as_deref(), path, "{folder} {entry}");
        }
    }
}
