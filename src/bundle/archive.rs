//! What -f names, read and taken apart: recorded requests with their answers, and objects.
//!
//! Owns which files are a bundle's and which hold objects of their own. After the reading there is no more input or output.

use super::files::{self, Entry, Tree};
use super::logs::{self, Logs};
use super::manifest::{self, Manifest, Outcome, Request};
use super::request::{self, Accept, Key, Named, Status};
use super::store::{Resource, Store};
use crate::advice::Command;
use crate::error::{Error, Result};
use crate::model::documents::{Room, documents};
use crate::model::helm_release::{GROUP, PLURAL};
use crate::text::one_line;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::PathBuf;

/// Everything that was saved.
#[derive(Debug, Default)]
pub struct Archive {
    pub(super) store: Store,
    pub(super) recorded: HashMap<Key, Recorded>,
    /// Lists that were recorded and go on: what is in `store` of them is not all. Without a namespace, of all.
    cut: HashSet<(Resource, Option<String>)>,
    /// Logs by the path of the request and the container, whatever end of them was asked for.
    pub(super) logs: HashMap<(String, String), String>,
    /// Whole logs that kubectl saved, by pod and container: it does not tell the namespace.
    pub(super) pod_logs: Logs,
    bundles: Vec<Manifest>,
    /// Whether there are files that belong to no bundle.
    plain: bool,
    /// For the documents that are still to be read.
    room: Room,
}

/// What became of a recorded request.
#[derive(Clone, Debug)]
pub(super) enum Recorded {
    Document(Value),
    Text(String),
    Status(Status),
    /// No answer at all, and why.
    Failed(String),
}

impl Archive {
    /// Reads files, folders (those in them too where `recursive`), archives, and `stdin` for `-`.
    ///
    /// # Errors
    /// What cannot be read, by its name and line; a file without any object; a bundle of a later version.
    pub fn load(paths: &[PathBuf], recursive: bool, stdin: &mut dyn Read) -> Result<Self> {
        let mut archive = Self::default();
        for tree in files::load(paths, recursive, stdin)? {
            archive.add(&tree)?;
        }
        Ok(archive)
    }

    /// What is in one tree.
    #[cfg(test)]
    pub(super) fn from_tree(tree: &Tree) -> Result<Self> {
        let mut archive = Self::default();
        archive.add(tree)?;
        Ok(archive)
    }

    /// The manifests of its bundles.
    pub fn bundles(&self) -> &[Manifest] {
        &self.bundles
    }

    /// Whether all of it is of one bundle, whose manifest tells what was asked for.
    pub fn one_bundle(&self) -> Option<&Manifest> {
        match self.bundles.as_slice() {
            [one] if !self.plain => Some(one),
            _ => None,
        }
    }

    /// Whether objects are among it that kubectl saved: nothing tells which others there were.
    pub fn has_plain(&self) -> bool {
        self.plain
    }

    fn add(&mut self, tree: &Tree) -> Result<()> {
        let is_manifest = |e: &&Entry| {
            tree.many
                && e.path.rsplit('/').next() == Some(manifest::FILE)
                && files::is_bundle(&e.bytes)
        };
        let manifests = tree.entries.iter().filter(is_manifest);
        let bundles: Vec<(&str, &Entry)> = manifests
            .map(|e| (e.path.strip_suffix(manifest::FILE).unwrap_or_default(), e))
            .collect();
        let (parts, rest) = apart(&tree.entries, &bundles);
        for ((folder, manifest), files) in bundles.iter().zip(parts) {
            self.add_bundle(tree, manifest, folder, &files)?;
        }
        let mut added = 0;
        for entry in rest {
            if let Some(logs) = logs::parse(&entry.bytes) {
                self.plain = true;
                added += logs.len();
                self.pod_logs.extend(logs);
                continue;
            }
            if tree.many && !files::holds_objects(&entry.path) {
                continue;
            }
            self.plain = true;
            for document in self.parsed(tree, entry)? {
                added += self.store.add(document);
            }
        }
        if added == 0 && bundles.is_empty() {
            let shown = &tree.shown;
            return Err(Error::new(format!("{shown} holds no Kubernetes object"))
                .hint(get_helm_releases().after("save some with:")));
        }
        Ok(())
    }

    /// A bundle whose manifest is `entry`; the other `files` of its folder hold what was answered.
    fn add_bundle(
        &mut self,
        tree: &Tree,
        entry: &Entry,
        folder: &str,
        files: &[&Entry],
    ) -> Result<()> {
        let name = tree.name(entry);
        let mut manifest = self.parsed(tree, entry)?;
        let manifest = manifest.pop().unwrap_or_default();
        let version = manifest.get("apiVersion").and_then(Value::as_str);
        if version.is_none_or(|v| !manifest::READABLE.contains(&v)) {
            let version = one_line(version.unwrap_or_default());
            return Err(Error::new(format!(
                "{name}: a bundle of apiVersion {version:?} cannot be read, only of {}",
                manifest::READABLE.join(" and ")
            ))
            .hint("read it with the version that captured it, see capturedBy in the manifest"));
        }
        let manifest: Manifest = serde_json::from_value(manifest)
            .map_err(|e| one_line(&e.to_string()))
            .map_err(|e| Error::new(format!("{name}: it is not a bundle's manifest: {e}")))?;
        let by_path: HashMap<&str, &Entry> = files
            .iter()
            .filter_map(|e| Some((e.path.strip_prefix(folder)?, *e)))
            .collect();
        let mut used = HashSet::from([manifest::FILE]);
        for request in &manifest.requests {
            let file = request.file.as_deref();
            used.extend(file);
            let answer = file.and_then(|f| by_path.get(f).copied());
            self.record(tree, request, answer)?;
        }
        // What was laid beside the answers, such as an object that was not readable then.
        for (path, entry) in by_path {
            if !used.contains(path) && files::holds_objects(path) {
                for document in self.parsed(tree, entry)? {
                    self.store.add(document);
                }
            }
        }
        self.bundles.push(manifest);
        Ok(())
    }

    fn note_cut(&mut self, path: &str, document: &Value) {
        let token = document.pointer("/metadata/continue");
        let goes_on = token
            .and_then(Value::as_str)
            .is_some_and(|token| !token.is_empty());
        let (path, query) = request::split(path);
        let selects = |(name, value): &(String, String)| {
            ["labelSelector", "fieldSelector"].contains(&name.as_str()) && !value.is_empty()
        };
        let Named::List {
            resource,
            namespace,
        } = request::named(&path)
        else {
            return;
        };
        // Whatever is asked of onboardings is asked with their label.
        let is_part = query.iter().any(selects) && resource != Resource::new(GROUP, PLURAL);
        if goes_on || is_part {
            self.cut.insert((resource, namespace));
        }
    }

    /// Whether the files are known to lack objects of this list.
    pub(super) fn is_cut(&self, resource: &Resource, namespace: Option<&str>) -> bool {
        self.cut.iter().any(|(cut, of)| {
            let meet = of.as_deref().zip(namespace).is_none_or(|(a, b)| a == b);
            cut == resource && meet
        })
    }

    fn parsed(&mut self, tree: &Tree, entry: &Entry) -> Result<Vec<Value>> {
        documents(&entry.bytes, &mut self.room)
            .map_err(|why| Error::new(format!("{}: {why}", tree.name(entry))))
    }

    fn record(&mut self, tree: &Tree, request: &Request, answer: Option<&Entry>) -> Result<()> {
        let recorded = match (request.outcome, answer) {
            (Outcome::Seen, Some(entry)) if request.asked.accept() == Accept::Text => {
                self.room
                    .take_text(entry.bytes.len())
                    .map_err(|why| Error::new(format!("{}: {why}", tree.name(entry))))?;
                let text = String::from_utf8_lossy(&entry.bytes).into_owned();
                let (path, query) = request::split(request.asked.path());
                let container = query.into_iter().find(|(name, _)| name == "container");
                let container = container.map(|(_, c)| c).unwrap_or_default();
                self.logs.insert((path, container), text.clone());
                Recorded::Text(text)
            }
            (Outcome::Seen, Some(entry)) => {
                let mut documents = self.parsed(tree, entry)?;
                if documents.len() != 1 {
                    let (name, n) = (tree.name(entry), documents.len());
                    let path = one_line(request.asked.path());
                    return Err(Error::new(format!(
                        "{name}: the answer to {path} is one document, here are {n}"
                    )));
                }
                let document = documents.remove(0);
                if request.asked.accept() == Accept::Json && request.asked.body().is_none() {
                    self.store.add(document.clone());
                    self.note_cut(request.asked.path(), &document);
                }
                Recorded::Document(document)
            }
            // Its file is not there: as if it had not been asked.
            (Outcome::Seen, None) => return Ok(()),
            (Outcome::Refused, _) => match (&request.status, &request.error) {
                (Some(status), _) => Recorded::Status(status.clone()),
                (None, Some(why)) => Recorded::Failed(why.clone()),
                (None, None) => return Ok(()),
            },
        };
        self.recorded.insert(request.asked.key(), recorded);
        Ok(())
    }
}

/// The files of each bundle, and those of none, each in the order of `entries`. A file belongs to the innermost bundle around it.
///
/// Folders and files are walked together in the order of their paths, so that each file is compared with the bundles around it alone:
/// an archive can hold thousands of bundles.
fn apart<'e>(
    entries: &'e [Entry],
    bundles: &[(&str, &Entry)],
) -> (Vec<Vec<&'e Entry>>, Vec<&'e Entry>) {
    let mut folders: Vec<usize> = (0..bundles.len()).collect();
    folders.sort_by_key(|at| bundles[*at].0);
    let mut folders = folders.into_iter().peekable();
    let mut files: Vec<usize> = (0..entries.len()).collect();
    files.sort_by_key(|at| &entries[*at].path);
    let mut owners: Vec<Option<usize>> = vec![None; entries.len()];
    let mut around: Vec<usize> = Vec::new();
    for file in files {
        let path = entries[file].path.as_str();
        while let Some(folder) = folders.next_if(|at| bundles[*at].0 <= path) {
            close(&mut around, bundles, bundles[folder].0);
            around.push(folder);
        }
        close(&mut around, bundles, path);
        owners[file] = around.last().copied();
    }
    let mut parts = vec![Vec::new(); bundles.len()];
    let mut rest = Vec::new();
    for (entry, owner) in entries.iter().zip(owners) {
        match owner {
            Some(bundle) => parts[bundle].push(entry),
            None => rest.push(entry),
        }
    }
    (parts, rest)
}

/// Leaves the bundles that `path` is not in.
fn close(around: &mut Vec<usize>, bundles: &[(&str, &Entry)], path: &str) {
    while around
        .last()
        .is_some_and(|at| !path.starts_with(bundles[*at].0))
    {
        around.pop();
    }
}

/// Saves what a report begins with.
pub fn get_helm_releases() -> Command {
    Command::new(["kubectl", "get", "helmreleases", "-A", "-o", "yaml"])
}

#[cfg(test)]
mod tests;
