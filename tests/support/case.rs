//! A test case of the diagnosis as its YAML file tells it: a first document that says what the case is and what is expected of
//! it, and the objects that are there beside the onboarding. One form for tests/fixtures/diagnosis and tests/cluster/matrix.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One file.
pub(crate) struct File<Header> {
    /// Its name without the end.
    pub(crate) slug: String,
    pub(crate) header: Header,
    /// The other documents, as they are written.
    pub(crate) objects: Vec<String>,
}

/// The files of a folder, sorted by their names without the end.
pub(crate) fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    paths.sort_by_key(|path| path.file_stem().map(std::ffi::OsStr::to_owned));
    paths
}

/// Reads a file whose text is first changed by `fill`.
pub(crate) fn read<Header: DeserializeOwned>(
    path: &Path,
    fill: impl Fn(&str) -> String,
) -> File<Header> {
    let slug = path.file_stem().expect("a name").to_string_lossy();
    let text = fill(&std::fs::read_to_string(path).expect("a case is text"));
    let mut documents = documents(&text);
    let header = documents.next().expect("split gives one");
    let header = serde_saphyr::from_str(header).unwrap_or_else(|error| panic!("{slug}: {error}"));
    File {
        slug: slug.into_owned(),
        header,
        objects: documents.map(str::to_owned).collect(),
    }
}

/// The documents of a text.
pub(crate) fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n---\n")
}

/// The text with `${NAME}` replaced for each of `values`, which must be all.
pub(crate) fn filled(text: &str, values: &[(&str, String)]) -> String {
    let mut text = text.to_owned();
    for (key, value) in values {
        text = text.replace(&format!("${{{key}}}"), value);
    }
    assert!(!text.contains("${"), "an unknown placeholder: {text}");
    text
}

/// Lays what a case says over what the base says: RFC 7396, but a `null` in its place is nothing.
pub(crate) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        if !patch.is_null() {
            *into = patch.clone();
        }
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            into.as_object_mut().expect("made one").remove(key);
        } else {
            merge(&mut into[key], value);
        }
    }
}
