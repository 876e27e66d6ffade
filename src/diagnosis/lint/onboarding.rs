//! One onboarding's manifest as the rules see it: its fields, each known or not and why, and the cluster it is for.

use super::rule::Finding;
use crate::diagnosis::finding::Subject;
use crate::model::helm_release::{HelmRelease, ONBOARDING_CHART};
use crate::model::lookup;
use crate::model::mark::Mark;
use crate::model::not_read::NotRead;
use crate::model::onboarding::Values;
use crate::repository::{Kustomization, Layout, Manifest, Node, Place};
use serde_json::Value;

/// How a field's value can be written in a file.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    pub value: &'a Value,
    /// As it is written; `None` where an alias or a merge key brings it.
    pub node: Option<&'a Node>,
}

/// Which cluster applies a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cluster<'a> {
    /// Its path says so.
    Named(&'a str),
    /// Its path does not follow the layout: the folder is all that is known.
    Folder(&'a str),
}

impl Cluster<'_> {
    /// Whether both are one cluster; `None` where that is not known.
    pub fn is_same(self, other: Cluster<'_>) -> Option<bool> {
        match (self, other) {
            (Cluster::Named(one), Cluster::Named(other)) => Some(one == other),
            (Cluster::Folder(one), Cluster::Folder(other)) if one == other => Some(true),
            (Cluster::Folder(_), _) | (_, Cluster::Folder(_)) => None,
        }
    }
}

/// One onboarding.
#[derive(Debug)]
pub struct Onboarding<'a> {
    pub manifest: &'a Manifest,
    pub cluster: Cluster<'a>,
    /// The folder of its cluster's onboardings, if its path follows the layout.
    pub home: Option<&'a str>,
    /// The kustomizations that apply its file.
    appliers: Vec<&'a Kustomization>,
    /// Its HelmRelease; `None` where a field has a type that no HelmRelease has.
    hr: Option<HelmRelease>,
}

/// The namespace and the database of the values, as a template prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub namespace: String,
    pub database: String,
}

/// Keys of a kustomization by which a field can have another value than its file.
pub const PATCHES: [&str; 7] = [
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replacements",
    "transformers",
    "components",
    "vars",
];

impl Names {
    /// The database's name in CouchDB, valid or not.
    pub fn joined(&self) -> String {
        format!("{}_{}", self.namespace, self.database)
    }
}

/// Where the four values of the runbook are.
pub const VALUES: [&str; 2] = ["spec", "values"];

/// What an onboarding is called in a folder of its own.
const FOLDER: &str = "secure-kvs-onboarding";

/// Whether a HelmRelease is an onboarding: by its chart, its labels, its name or its folder.
pub fn is_onboarding(manifest: &Manifest, mark: &Mark) -> bool {
    let chart = manifest.text(&["spec", "chart", "spec", "chart"]);
    let folder = chart.and_then(|c| c.trim_end_matches('/').rsplit('/').next());
    folder == Some(ONBOARDING_CHART)
        || mark.is_on(|key| manifest.text(&["metadata", "labels", key]))
        || manifest
            .name()
            .starts_with(crate::model::convention::PREFIX)
        || manifest.folder().split('/').any(|part| part == FOLDER)
}

impl<'a> Onboarding<'a> {
    pub(super) fn new(
        manifest: &'a Manifest,
        layout: &Layout,
        appliers: Vec<&'a Kustomization>,
    ) -> Self {
        let home = layout.home(&manifest.file);
        let cluster = match home {
            Some((name, _)) => Cluster::Named(name),
            None => Cluster::Folder(manifest.folder()),
        };
        Self {
            manifest,
            cluster,
            home: home.map(|(_, folder)| folder),
            appliers,
            hr: HelmRelease::from_value(&manifest.value).ok(),
        }
    }

    /// The value under these keys; an explicit null is none.
    ///
    /// # Errors
    /// Something other than the file says it.
    pub fn field(&self, path: &[&str]) -> Result<Option<Field<'a>>, NotRead> {
        let name = path.join(".");
        let not_known = |why: &str| Err(NotRead::new(&name, why));
        if let Some(by) = self.changed_by(path) {
            return not_known(&format!("{} sets {}", by.0.file, by.1));
        }
        for above in 1..path.len() {
            if self
                .manifest
                .text(&path[..above])
                .is_some_and(|text| text.contains("${"))
            {
                let above = path[..above].join(".");
                return not_known(&format!("Flux replaces the variable in {above} (${{…}})"));
            }
        }
        let Some(value) = self.manifest.at(path) else {
            let from = self.manifest.at(&["spec", "valuesFrom"]);
            let from = from.is_some_and(|v| !v.as_array().is_some_and(Vec::is_empty));
            if path.starts_with(&VALUES) && from {
                return not_known("it may come from spec.valuesFrom, which is not read");
            }
            if let Some((by, key)) = self.patched_by() {
                return not_known(&format!("{key} of {} may bring it", by.file));
            }
            return Ok(None);
        };
        if is_replaced(value) {
            return not_known("Flux replaces the variable in it (${…}) or decrypts it");
        }
        let node = self.manifest.node.at(path);
        Ok(Some(Field { value, node }))
    }

    /// The text under these keys; `None` also for another type and an empty text.
    ///
    /// # Errors
    /// As [`Onboarding::field`].
    pub fn text(&self, path: &[&str]) -> Result<Option<&'a str>, NotRead> {
        let text = self.field(path)?.and_then(|field| field.value.as_str());
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A value of the chart.
    ///
    /// # Errors
    /// As [`Onboarding::field`].
    pub fn value(&self, key: &str) -> Result<Option<Field<'a>>, NotRead> {
        self.field(&[VALUES[0], VALUES[1], key])
    }

    /// The names that the values give; `None` where one is missing or is not a plain value, which is another rule's finding.
    ///
    /// # Errors
    /// As [`Onboarding::field`].
    pub fn names(&self) -> Result<Option<Names>, NotRead> {
        let (namespace, database) = (self.value("namespace")?, self.value("database")?);
        if namespace.is_none() || database.is_none() {
            return Ok(None);
        }
        let values = self.manifest.at(&VALUES).map(Values::parse);
        let values = values.unwrap_or_default();
        Ok(values
            .namespace
            .zip(values.database)
            .map(|(namespace, database)| Names {
                namespace,
                database,
            }))
    }

    /// Whether a kustomization that was read applies its file.
    pub fn is_applied(&self) -> bool {
        !self.appliers.is_empty()
    }

    /// The kustomization that gives this field another value, and the key that does.
    fn changed_by(&self, path: &[&str]) -> Option<(&'a Kustomization, &'static str)> {
        let keys: &[&'static str] = match path {
            ["metadata", "name"] => &["namePrefix", "nameSuffix"],
            ["metadata", "namespace"] => &["namespace"],
            ["metadata", "labels", ..] if self.manifest.at(path).is_none() => {
                &["labels", "commonLabels"]
            }
            _ => &[],
        };
        self.with_key(keys)
    }

    /// The kustomization that patches manifests, and the key that does: what a file lacks may come from there.
    pub fn patched_by(&self) -> Option<(&'a Kustomization, &'static str)> {
        self.with_key(&PATCHES)
    }

    fn with_key(&self, keys: &[&'static str]) -> Option<(&'a Kustomization, &'static str)> {
        let mut appliers = self.appliers.iter();
        appliers.find_map(|by| keys.iter().find(|key| by.has(key)).map(|key| (*by, *key)))
    }

    /// Its namespace and name, as the file has them.
    pub fn id(&self) -> (&'a str, &'a str) {
        let namespace = self.manifest.text(&["metadata", "namespace"]);
        (namespace.unwrap_or_default(), self.manifest.name())
    }

    /// The HelmRelease; `None` where a field has a type that no HelmRelease has.
    pub fn hr(&self) -> Option<&HelmRelease> {
        self.hr.as_ref()
    }

    /// A finding at the value under these keys, or the nearest key above it.
    pub fn finding(&self, path: &[&str], sentence: impl AsRef<str>) -> Finding {
        self.finding_at(self.manifest.place(path), sentence)
    }

    /// A finding at a place in its file.
    pub fn finding_at(&self, place: Place, sentence: impl AsRef<str>) -> Finding {
        let (namespace, name) = self.id();
        let mut finding = Finding::new(&self.manifest.file, place, sentence);
        if !name.is_empty() {
            finding.subject = Some(Subject::new("HelmRelease", namespace, name));
        }
        finding.called = self.called();
        finding
    }

    /// Every name that a user may give it: its own ones, and its file's.
    pub fn called(&self) -> Vec<String> {
        let mut called = self.called_itself();
        called.push(lookup::typed(&self.manifest.file).to_owned());
        called.push(self.manifest.file.clone());
        called
    }

    /// The names of the HelmRelease and of its database.
    pub fn called_itself(&self) -> Vec<String> {
        let (namespace, name) = self.id();
        let mut called = vec![name.to_owned(), format!("{namespace}/{name}")];
        called.extend(lookup::short(name).map(str::to_owned));
        if let Ok(Some(names)) = self.names() {
            called.push(names.joined());
        }
        called
    }
}

/// Whether Flux puts something else into a text before it is applied: a variable, or what SOPS has encrypted.
pub fn is_replaced_text(text: &str) -> bool {
    text.contains("${") || text.starts_with("ENC[")
}

fn is_replaced(value: &Value) -> bool {
    match value {
        Value::String(text) => is_replaced_text(text),
        Value::Array(items) => items.iter().any(is_replaced),
        // Of a map each value is looked at by itself.
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
