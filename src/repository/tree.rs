//! What the files of a repository hold: HelmReleases, kustomizations, and what is not known of them.

use super::folder::{File, Files, Root};
use super::kustomization::{self, Kustomization, Listed};
use super::layout::Layout;
use super::manifest::{self, Manifest, file_name, folder};
use super::node::{Kind, Node, Place};
use crate::model::documents::Room;
use crate::model::helm_release::ONBOARDING_CHART;
use crate::text::document;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

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
    /// The folders that were read.
    roots: Vec<Root>,
    /// Single files were named: what is beside them was not read.
    pub alone: bool,
    /// Files that hold something else than objects, and where.
    others: HashMap<String, Place>,
    /// From the path of what is listed to the kustomizations that list it.
    listers: HashMap<String, Vec<usize>>,
}

/// The state of an entry of a kustomization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was read, or its file says why not.
    Read,
    Missing,
    NotRead(&'static str),
}

/// The kustomization that decides whether a file is applied.
#[derive(Clone, Copy, Debug)]
pub enum Nearest<'t> {
    Known(&'t Kustomization),
    NotKnown(&'t NotKnown),
    None,
}

/// Whether a path is the same as another, or in that folder.
pub fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    folder == "." || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Tree {
    /// Takes the files apart. Of a cluster's folder of onboardings every YAML file is parsed, elsewhere only those that mention a HelmRelease: a
    /// repository has other teams' files that only their own tools can read.
    pub fn parse(files: Files, layout: &Layout) -> Self {
        let templates = templates(&files.all);
        let due = Due::new(&files.all, layout);
        let mut tree = Self {
            alone: files.alone,
            roots: files.roots,
            ..Self::default()
        };
        let mut room = Room::default();
        let mut later = Vec::new();
        for file in &files.all {
            let mut path = file.path.as_str();
            while tree.paths.insert(path.to_owned()) && !path.is_empty() {
                path = folder(path);
            }
            // A chart's templates are not YAML until Helm has rendered them, but a kustomization can list one all the same.
            match templates.iter().any(|t| file.path.starts_with(t.as_str())) {
                true => later.push(file),
                false => tree.take(file, &due, &mut room),
            }
        }
        loop {
            let listed = tree.kustomizations.iter().flat_map(|k| &k.listed);
            let listed: HashSet<String> = listed.filter_map(|l| l.path.clone()).collect();
            let is_listed = |file: &&File| {
                let in_folder = kustomization::is_one(&file.path).then(|| folder(&file.path));
                listed.contains(&file.path) || in_folder.is_some_and(|f| listed.contains(f))
            };
            let (taken, rest): (Vec<&File>, Vec<&File>) = later.into_iter().partition(is_listed);
            later = rest;
            if taken.is_empty() {
                break;
            }
            taken
                .into_iter()
                .for_each(|file| tree.take(file, &due, &mut room));
        }
        tree.drop_rivals();
        for (at, kustomization) in tree.kustomizations.iter().enumerate() {
            for path in kustomization.listed.iter().filter_map(|l| l.path.clone()) {
                tree.listers.entry(path).or_default().push(at);
            }
        }
        tree.check_listed(&files.all, &due, &mut room);
        let patches = tree.kustomizations.iter().flat_map(|k| &k.patches);
        let patches: HashSet<&String> = patches.collect();
        // A listed file is applied, even if it is also used as a patch.
        let listers = &tree.listers;
        tree.manifests
            .retain(|m| !patches.contains(&m.file) || listers.contains_key(&m.file));
        tree.manifests.sort_by(|a, b| a.file.cmp(&b.file));
        tree
    }

    /// A listed file that cannot be parsed, or holds a list or a scalar, keeps Flux from applying anything of the list.
    fn check_listed(&mut self, files: &[File], due: &Due<'_>, room: &mut Room) {
        for file in files {
            let Ok(bytes) = &file.bytes else {
                continue;
            };
            let is_known = !self.not_known.iter().any(|n| n.file == file.path);
            if !is_known || !self.listers.contains_key(&file.path) {
                continue;
            }
            let is_read = document::decode(bytes).map_or(true, |text| due.is_parsed(file, &text));
            if !is_read {
                match manifest::documents(bytes, room) {
                    Ok(documents) => self.note_others(file, &documents),
                    Err(why) => self.add_unknown(file, &why),
                }
            }
            if let Some(place) = self.others.get(&file.path).copied() {
                self.not_known.push(NotKnown {
                    file: file.path.clone(),
                    place: Some(place),
                    why: "it is listed as a resource, but holds no object here".to_owned(),
                });
            }
        }
    }

    fn note_others(&mut self, file: &File, documents: &[(Value, Node)]) {
        let other = documents
            .iter()
            .find(|(_, node)| !matches!(node.kind, Kind::Map { .. }));
        if let Some((_, node)) = other {
            self.others.insert(file.path.clone(), node.place);
        }
    }

    fn add_unknown(&mut self, file: &File, why: &str) {
        let (place, why) = placed(why);
        self.not_known.push(NotKnown {
            file: file.path.clone(),
            place,
            why,
        });
    }

    /// kustomize refuses a folder with two kustomizations: neither says what is applied.
    fn drop_rivals(&mut self) {
        let mut all: BTreeMap<String, Vec<Kustomization>> = BTreeMap::new();
        for one in std::mem::take(&mut self.kustomizations) {
            all.entry(one.folder().to_owned()).or_default().push(one);
        }
        for mut of_folder in all.into_values() {
            if let [_] = of_folder[..] {
                self.kustomizations.append(&mut of_folder);
                continue;
            }
            let files = of_folder.into_iter().map(|k| NotKnown {
                file: k.file,
                place: None,
                why: "its folder has another kustomization, and kustomize refuses both".to_owned(),
            });
            self.not_known.extend(files);
        }
        self.kustomizations.sort_by(|a, b| a.file.cmp(&b.file));
    }

    fn take(&mut self, file: &File, due: &Due<'_>, room: &mut Room) {
        if let Err(why) = self.add(file, due, room) {
            self.add_unknown(file, &why);
        }
    }

    fn add(&mut self, file: &File, due: &Due<'_>, room: &mut Room) -> Result<(), String> {
        let bytes = file.bytes.as_ref().map_err(Clone::clone)?;
        if kustomization::is_one(&file.path) {
            let documents = manifest::documents(bytes, room)?;
            let read = Kustomization::parse(&file.path, &documents)?;
            self.kustomizations.push(read);
            return Ok(());
        }
        if due.is_parsed(file, &document::decode(bytes)?) {
            let documents = manifest::documents(bytes, room)?;
            self.note_others(file, &documents);
            self.manifests
                .extend(manifest::manifests(&file.path, documents)?);
        }
        Ok(())
    }

    /// Every path that was read, of files and of the folders that they are in.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Whether a file or a folder of this path was read.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path.trim_end_matches('/'))
    }

    /// The state of an entry of a kustomization.
    pub fn standing(&self, listed: &Listed) -> Standing {
        let Some(path) = &listed.path else {
            return Standing::NotRead("it is an address, which is not fetched");
        };
        // The content of an unknown folder is not known.
        let is_unknown = self.not_known.iter().any(|n| is_below(path, &n.file));
        if self.has(path) || is_unknown {
            return Standing::Read;
        }
        if kustomization::may_be_address(&listed.entry) {
            return Standing::NotRead("it may be an address, which is not fetched");
        }
        match self.roots.iter().any(|root| root.has(path)) {
            true if !self.alone => Standing::Missing,
            _ => Standing::NotRead("it is outside the folders that were read"),
        }
    }

    /// The kustomization of this folder, or of the nearest folder above it that has one.
    pub fn nearest(&self, of: &str) -> Nearest<'_> {
        let mut at = of;
        loop {
            if let Some(found) = self.kustomization(at) {
                return Nearest::Known(found);
            }
            let mut not_known = self.not_known.iter();
            let is_here = |n: &&NotKnown| kustomization::is_one(&n.file) && folder(&n.file) == at;
            if let Some(found) = not_known.find(is_here) {
                return Nearest::NotKnown(found);
            }
            if at.is_empty() {
                return Nearest::None;
            }
            at = folder(at);
        }
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

/// Which files are parsed.
struct Due<'f> {
    layout: &'f Layout,
    /// Folders with an onboarding, wherever they are.
    folders: HashSet<&'f str>,
}

impl<'f> Due<'f> {
    fn new(files: &'f [File], layout: &'f Layout) -> Self {
        let has_onboarding = |file: &&File| {
            let text = file.bytes.as_ref().map(|bytes| document::decode(bytes));
            let Ok(Ok(text)) = text else {
                return false;
            };
            text.contains(ONBOARDING_CHART) && manifest::mentions_one(&text)
        };
        let folders = files.iter().filter(has_onboarding);
        let folders = folders.map(|file| folder(&file.path)).collect();
        Self { layout, folders }
    }

    /// Flux applies every YAML file of a folder without a list, and none if one of them is broken. Where there is a list, a file that is not in
    /// it may be meant to be.
    fn is_parsed(&self, file: &File, text: &str) -> bool {
        let is_yaml = [".yaml", ".yml"].iter().any(|e| file.path.ends_with(e));
        let is_here = || {
            self.folders.contains(folder(&file.path)) || self.layout.cluster(&file.path).is_some()
        };
        (is_yaml && is_here()) || manifest::mentions_one(text)
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
        let files = Files {
            all: all.collect(),
            roots: vec![Root {
                prefix: String::new(),
                deep: true,
            }],
            alone: false,
        };
        Tree::parse(files, &Layout::default())
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
    fn what_kustomize_takes_for_one_is_one() {
        let count = |text: &str| {
            let tree = tree(&[("a/x.yaml", text)]);
            (tree.manifests.len(), tree.not_known.len())
        };
        let listed = |kind: &str, text: &str| {
            format!(
                "kind: {kind}\nitems:\n- {}\n",
                text.trim_end().replace('\n', "\n  ")
            )
        };
        assert_eq!(
            count(&ONE.replace("HelmRelease", r#""Helm\x52elease""#)),
            (1, 0)
        );
        assert_eq!(count(&listed("List", &listed("List", ONE))), (1, 0));
        assert_eq!(count(&listed("HelmReleaseList", ONE)), (1, 0));
        assert_eq!(count(&format!("{ONE}items: []\n")), (1, 0));
        let of_alias = "a: &a [{kind: HelmRelease}]\nkind: List\nitems: *a\n";
        assert_eq!(count(of_alias), (0, 1));
        assert_eq!(count("kind: !!binary SGVsbVJlbGVhc2U=\n"), (1, 0));
        assert_eq!(count("kind: !!binary TGlzdA==\n"), (0, 1));
        let deep = (0..20).fold(ONE.to_owned(), |text, _| listed("List", &text));
        assert_eq!(count(&deep), (0, 1));
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
    fn a_listed_file_that_holds_no_object_is_not_known() {
        let not_known = |text: &str| {
            let list = "resources:\n- x.yaml\n";
            let tree = tree(&[("a/x.yaml", text), ("a/kustomization.yaml", list)]);
            tree.not_known
                .into_iter()
                .map(|n| (n.file, n.place.map(|p| p.line), n.why))
                .collect::<Vec<_>>()
        };
        let refused = |line: u64| {
            let why = "it is listed as a resource, but holds no object here".to_owned();
            vec![("a/x.yaml".to_owned(), Some(line), why)]
        };
        assert_eq!(not_known("- kind: ConfigMap\n"), refused(1));
        assert_eq!(not_known("kind: ConfigMap\n---\nsome text\n"), refused(3));
        assert_eq!(not_known("- kind: HelmRelease\n"), refused(1));
        for fine in [
            "",
            "# only a comment\n",
            "kind: ConfigMap\n---\n---\nkind: Secret\n",
            "---\nnull\n",
        ] {
            assert_eq!(not_known(fine), [], "{fine}");
        }
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
