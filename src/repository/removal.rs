//! What it takes to remove a manifest: the file, and the entries that name it. Nothing is written.

use super::edit::{self, ListChange};
use super::folder;
use super::tree::{Nearest, Tree};
use super::{Kustomization, Manifest};
use crate::model::documents::{Room, documents};
use crate::text::diff;
use serde_json::Value;
use std::path::Path;

/// What removing a manifest takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The path from the repository's folder on, if the file holds nothing else; else why it stays.
    pub whole_file: Result<String, &'static str>,
    pub lists: Vec<Unlisting>,
    /// A kustomization decides what of its folder is applied, and none lists it.
    pub unlisted: bool,
}

/// An entry that names the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisting {
    pub file: String,
    pub entry: String,
    pub line: u64,
    /// The edit as a difference, or why it has to be made by hand.
    pub edit: Result<String, String>,
    /// The list is empty then.
    pub is_last: bool,
}

impl Removal {
    /// Of a manifest in a tree that was read of the folder `repo`.
    pub fn of(tree: &Tree, repo: &Path, manifest: &Manifest) -> Self {
        let file = &manifest.file;
        let alone = || {
            let bytes = bytes(file).ok_or("which could not be read again")?;
            let all = documents(&bytes, &mut Room::default());
            let all = all
                .map_err(|_| "which could not be read again")?
                .into_iter();
            let all: Vec<Value> = all.filter(|document| !document.is_null()).collect();
            match all == [manifest.value.clone()] {
                true => Ok(()),
                false => Err("which holds others too"),
            }
        };
        let prefix = folder::prefix(&folder::shown(repo));
        let path = file.strip_prefix(&prefix).filter(|path| !path.is_empty());
        let listing = tree.kustomizations.iter().filter(|k| k.lists(file));
        let lists: Vec<Unlisting> = listing.flat_map(|k| unlistings(k, file, &prefix)).collect();
        let decided = matches!(tree.nearest(manifest.folder()), Nearest::Known(_));
        Self {
            whole_file: alone().and_then(|()| {
                let path = path.ok_or("which is the file that --repo names")?;
                Ok(path.to_owned())
            }),
            unlisted: decided && lists.is_empty(),
            lists,
        }
    }
}

/// The entries of one kustomization that name the file.
fn unlistings(kustomization: &Kustomization, file: &str, prefix: &str) -> Vec<Unlisting> {
    let entries = kustomization.listed.iter();
    let entries = entries.filter(|entry| entry.path.as_deref() == Some(file));
    let is_last = kustomization.listed.len() == 1;
    let of = |entry: &super::kustomization::Listed| Unlisting {
        file: kustomization.file.clone(),
        entry: entry.entry.clone(),
        line: entry.place.line,
        edit: match is_last {
            true => Err("it is the last one: write resources: []".to_owned()),
            false => unlisted(&kustomization.file, &entry.entry, prefix),
        },
        is_last,
    };
    entries.map(of).collect()
}

/// The difference that removes an entry of `resources`.
fn unlisted(file: &str, entry: &str, prefix: &str) -> Result<String, String> {
    let text = bytes(file).and_then(|bytes| String::from_utf8(bytes).ok());
    let before = text.ok_or("it cannot be read as text")?;
    let change = ListChange {
        path: &["resources"],
        remove: &[entry.to_owned()],
        add: &[],
        sorted: false,
    };
    let after = edit::changed(&before, |_| true, change)?;
    let shown = file.strip_prefix(prefix).unwrap_or(file);
    Ok(diff::unified(shown, &before, &after))
}

fn bytes(file: &str) -> Option<Vec<u8>> {
    let mut files = folder::load(&[file.into()]).ok()?;
    files.all.pop()?.bytes.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ONE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a, namespace: n}\n";

    fn removals(list: Option<&str>, manifest: &str) -> Vec<Removal> {
        let repo = tempfile::tempdir().unwrap();
        let folder = repo.path().join("k8s");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("a.yaml"), manifest).unwrap();
        if let Some(list) = list {
            fs::write(folder.join("kustomization.yaml"), list).unwrap();
        }
        let tree = Tree::parse(
            folder::load(&[repo.path().to_owned()]).unwrap(),
            &crate::repository::Layout::default(),
        );
        let all = tree.manifests.iter();
        all.map(|m| Removal::of(&tree, repo.path(), m)).collect()
    }

    #[test]
    fn the_file_goes_with_its_entry() {
        let [removal] = &removals(Some("resources:\n- a.yaml # pds\n- b.yaml\n"), ONE)[..] else {
            panic!("one manifest");
        };
        assert_eq!(removal.whole_file.as_deref(), Ok("k8s/a.yaml"));
        assert!(!removal.unlisted);
        let [list] = &removal.lists[..] else {
            panic!("one entry");
        };
        assert_eq!(
            (list.entry.as_str(), list.line, list.is_last),
            ("a.yaml", 2, false)
        );
        assert_eq!(
            list.edit.as_deref(),
            Ok(
                "--- a/k8s/kustomization.yaml\n+++ b/k8s/kustomization.yaml\n@@ -1,3 +1,2 @@\n resources:\n-- a.yaml # pds\n - b.yaml\n"
            )
        );
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_user() {
        // Other objects of the file would go with it.
        let both = format!("{ONE}---\nkind: ConfigMap\n");
        assert_eq!(
            removals(None, &both)[0].whole_file,
            Err("which holds others too")
        );
        let list = format!(
            "kind: List\nitems:\n- {}",
            ONE.trim_end().replace('\n', "\n  ")
        );
        assert!(removals(None, &list)[0].whole_file.is_err());
        let again = format!("{ONE}---\n");
        assert!(removals(None, &again)[0].whole_file.is_ok());

        assert!(removals(Some("resources: [b.yaml]\n"), ONE)[0].unlisted);
        assert!(!removals(None, ONE)[0].unlisted);
        let last = &removals(Some("resources:\n- a.yaml\n"), ONE)[0].lists[0];
        assert!(last.is_last && last.edit.is_err());
        let flow = &removals(Some("resources: [a.yaml, b.yaml]\n"), ONE)[0].lists[0];
        assert!(flow.edit.as_ref().unwrap_err().contains("brackets"));
    }
}
