//! Files that kustomizations apply although a walk of the folder passes over them: with other names, or in folders with a dot.

use super::folder::File;
use super::kustomization::{self, Kustomization};
use super::manifest;
use crate::model::documents::Room;
use std::collections::HashSet;

/// The paths that the kustomizations from `from` on list and that are not among the files. A folder is among them if its kustomization is.
pub(super) fn beyond(files: &[File], from: usize) -> Vec<String> {
    let mut known: HashSet<&str> = HashSet::new();
    for file in files {
        known.insert(&file.path);
        if kustomization::is_one(&file.path) {
            known.insert(kustomization::folder(&file.path));
        }
    }
    let mut found = Vec::new();
    let new = files.iter().skip(from);
    for file in new.filter(|f| kustomization::is_one(&f.path)) {
        let bytes = file.bytes.as_ref();
        let documents = bytes
            .ok()
            .and_then(|b| manifest::documents(b, &mut Room::default()).ok());
        // One that cannot be read is not known, and the tree says so.
        let read = documents.and_then(|d| Kustomization::parse(&file.path, &d).ok());
        let listed = read.into_iter().flat_map(|k| k.listed);
        let paths = listed
            .filter_map(|l| l.path)
            .filter(|p| !known.contains(p.as_str()));
        found.extend(paths);
    }
    found.sort();
    found.dedup();
    found
}
