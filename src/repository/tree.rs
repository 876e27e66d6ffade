//! What the files of a repository hold: HelmReleases, kustomizations, and what is not known of them.

use super::folder::{File, Files};
use super::kustomization::{self, Kustomization};
use super::manifest::{self, Manifest, file_name, folder};
use super::node::Place;
use crate::model::documents::Room;
use crate::text::document;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// A file that could not be read or parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotKnown {
    pub file: String,
    /// Where a parser stopped.
    #[serde(flatten)]
    pub place: Option<Place>,
    pub why: String,
}

/// One state of a repository, or of the part of it that was named.
#[derive(Debug, Default)]
pub struct Tree {
    /// Sorted by their files.
    pub manifests: Vec<Manifest>,
    pub kustomizations: Vec<Kustomization>,
    pub not_known: Vec<NotKnown>,
    /// Every path that was read, of files and of the folders that they are in.
    paths: HashSet<String>,
    /// Single files were named: what is beside them was not read.
    pub alone: bool,
    /// From the path of what is listed to the kustomizations that list it.
    listers: HashMap<String, Vec<usize>>,
}

impl Tree {
    /// Takes the files apart.
    pub fn of(files: Files) -> Self {
        let templates = templates(&files.all);
        let mut tree = Self {
            alone: files.alone,
            ..Self::default()
        };
        let mut room = Room::default();
        for file in &files.all {
            let mut path = file.path.as_str();
            while tree.paths.insert(path.to_owned()) && !path.is_empty() {
                path = folder(path);
            }
            // A chart's templates are not YAML until Helm has rendered them.
            if !templates.iter().any(|t| file.path.starts_with(t.as_str())) {
                tree.take(file, &mut room);
            }
        }
        for (at, kustomization) in tree.kustomizations.iter().enumerate() {
            for path in kustomization.listed.iter().filter_map(|l| l.path.clone()) {
                tree.listers.entry(path).or_default().push(at);
            }
        }
        let patches = tree.kustomizations.iter().flat_map(|k| &k.patches);
        let patches: HashSet<&String> = patches.collect();
        tree.manifests.retain(|m| !patches.contains(&m.file));
        tree
    }

    fn take(&mut self, file: &File, room: &mut Room) {
        if let Err(why) = self.read(file, room) {
            let (place, why) = placed(&why);
            self.not_known.push(NotKnown {
                file: file.path.clone(),
                place,
                why,
            });
        }
    }

    fn read(&mut self, file: &File, room: &mut Room) -> Result<(), String> {
        let bytes = file.bytes.as_ref().map_err(Clone::clone)?;
        if kustomization::is_one(&file.path) {
            let documents = manifest::documents(bytes, room)?;
            let read = Kustomization::read(&file.path, &documents)?;
            self.kustomizations.push(read);
            return Ok(());
        }
        if manifest::mentions_one(&document::decode(bytes)?) {
            let documents = manifest::documents(bytes, room)?;
            self.manifests
                .extend(manifest::manifests(&file.path, documents));
        }
        Ok(())
    }

    /// Whether a file or a folder of this path was read.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path.trim_end_matches('/'))
    }

    /// Whether a path is in a folder that was read, so that what it does not have does not exist.
    pub fn is_within(&self, path: &str) -> bool {
        self.paths.contains(folder(path))
    }

    /// The kustomization of this folder.
    pub fn kustomization(&self, folder: &str) -> Option<&Kustomization> {
        self.kustomizations.iter().find(|k| k.folder() == folder)
    }

    /// The kustomizations that apply a file: those that list it, those that list their folders, and so on.
    pub fn appliers(&self, file: &str) -> Vec<&Kustomization> {
        let mut found: Vec<usize> = Vec::new();
        let mut paths = vec![file.to_owned()];
        while let Some(path) = paths.pop() {
            for at in self.listers.get(&path).into_iter().flatten() {
                if !found.contains(at) {
                    found.push(*at);
                    paths.push(self.kustomizations[*at].folder().to_owned());
                }
            }
        }
        found
            .into_iter()
            .map(|at| &self.kustomizations[at])
            .collect()
    }
}

/// The folders of charts' templates, with a slash at their ends.
fn templates(files: &[File]) -> Vec<String> {
    let charts = files.iter().filter(|f| file_name(&f.path) == "Chart.yaml");
    charts
        .map(|chart| format!("{}templates/", chart.path.trim_end_matches("Chart.yaml")))
        .collect()
}

/// Splits `line 3, column 5: WHY`.
fn placed(why: &str) -> (Option<Place>, String) {
    let read = || {
        let (line, rest) = why.strip_prefix("line ")?.split_once([',', ':'])?;
        let line = line.parse().ok().filter(|line| *line > 0)?;
        match rest
            .strip_prefix(" column ")
            .and_then(|r| r.split_once(": "))
        {
            Some((column, why)) => {
                let column = column.parse().ok()?;
                Some((Place { line, column }, why.to_owned()))
            }
            None => Some((Place { line, column: 1 }, rest.trim_start().to_owned())),
        }
    };
    match read() {
        Some((place, why)) => (Some(place), why),
        None => (None, why.to_owned()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A tree of these files.
    pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
        let all = files.iter().map(|(path, text)| File {
            path: (*path).to_owned(),
            bytes: Ok(text.as_bytes().to_vec()),
        });
        Tree::of(Files {
            all: all.collect(),
            alone: false,
        })
    }

    const ONE: &str =
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: a\n";

    #[test]
    fn helm_releases_are_found_and_other_objects_passed_over() {
        let both = format!("{ONE}---\n{ONE}---\nkind: ConfigMap\n");
        let list = format!("kind: List\nitems:\n- {}", ONE.replace('\n', "\n  "));
        let tree = tree(&[
            ("a/both.yaml", &both),
            ("a/list.yaml", &list),
            (
                "a/one.json",
                r#"{"kind": "HelmRelease", "metadata": {"name": "j"}}"#,
            ),
            ("a/broken.yaml", "a: b\n  c: d\n"),
            (
                "a/of-a-team.yaml",
                "kind: ConfigMap\ndata: {about: HelmRelease}\n",
            ),
            ("chart/Chart.yaml", "name: c\n"),
            (
                "chart/templates/hr.yaml",
                "kind: HelmRelease\nname: {{ .Values.x }}\n",
            ),
        ]);
        let found: Vec<(&str, u64)> = tree
            .manifests
            .iter()
            .map(|m| (m.file.as_str(), m.place(&["metadata", "name"]).line))
            .collect();
        assert_eq!(
            found,
            [
                ("a/both.yaml", 4),
                ("a/both.yaml", 9),
                ("a/list.yaml", 6),
                ("a/one.json", 1)
            ]
        );
        assert_eq!(tree.not_known, []);
        assert!(tree.has("a/broken.yaml") && tree.has("a") && !tree.has("b"));
    }

    #[test]
    fn what_cannot_be_parsed_is_not_known() {
        let tree = tree(&[
            ("a/x.yaml", "kind: HelmRelease\n  a: b\n"),
            ("a/kustomization.yaml", "resources: x.yaml\n"),
        ]);
        assert!(tree.manifests.is_empty() && tree.kustomizations.is_empty());
        let told: Vec<(&str, Option<u64>, &str)> = tree
            .not_known
            .iter()
            .map(|n| (n.file.as_str(), n.place.map(|p| p.line), n.why.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "a/x.yaml",
                    Some(2),
                    "mapping values are not allowed in this context"
                ),
                ("a/kustomization.yaml", None, "resources must be a list"),
            ]
        );
    }

    #[test]
    fn kustomizations_apply_files_through_folders_and_patches_are_no_manifests() {
        let tree = tree(&[
            ("base/x.yaml", ONE),
            (
                "base/kustomization.yaml",
                "resources:\n- ./x.yaml\n- gone.yaml\n",
            ),
            (
                "prod/kustomization.yaml",
                "namespace: flux-system\nresources: [../base]\npatches:\n- path: p.yaml\n",
            ),
            ("prod/p.yaml", ONE),
        ]);
        let files: Vec<&str> = tree.manifests.iter().map(|m| m.file.as_str()).collect();
        assert_eq!(files, ["base/x.yaml"]);
        let appliers: Vec<&str> = tree
            .appliers("base/x.yaml")
            .iter()
            .map(|k| k.folder())
            .collect();
        assert_eq!(appliers, ["base", "prod"]);
        assert!(
            tree.kustomization("prod")
                .is_some_and(|k| k.has("namespace") && k.has("patches"))
        );
        assert!(
            tree.kustomization("base")
                .is_some_and(|k| k.lists("base/gone.yaml"))
        );
    }
}
