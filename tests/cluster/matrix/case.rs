//! One file of `cases/` or `healthy/`: its first document says what happens and what is expected, the others are objects that
//! are there before the onboarding.

#[path = "../../support/case.rs"]
mod file;

use file::merge;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

/// The HelmRelease that every case starts from.
const BASE: &str = include_str!("base.yaml");

/// A case as its file tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Case {
    /// The file's name without its end.
    #[serde(skip)]
    pub(super) slug: String,
    /// One line for docs/precision.md.
    pub(super) title: String,
    /// Codes of the root causes, sorted; none for a healthy one.
    #[serde(default)]
    pub(super) expect: Vec<String>,
    /// Why the cause may stay unknown (SKVS900); absent where it may not.
    #[serde(default)]
    pub(super) unknown: Option<String>,
    /// Namespaces with all that a creation Job needs, made for this case.
    #[serde(default)]
    wired: Vec<String>,
    /// Merged into the HelmRelease of `base.yaml`.
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    spec: Value,
    /// What happens before the HelmRelease is there.
    #[serde(default)]
    pub(super) before: Vec<Step>,
    /// What happens after, in this order; the last one waits for the state that is diagnosed.
    pub(super) steps: Vec<Step>,
    /// Objects that are there before the onboarding.
    #[serde(skip)]
    pub(super) objects: Vec<String>,
}

/// One step of a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Step {
    /// Waits until the HelmRelease is there.
    Until(Until),
    /// Waits until a condition's message holds this text.
    Says(String),
    /// Waits until an object of the path has this text at the JSON pointer.
    Object {
        path: String,
        pointer: String,
        holds: String,
    },
    /// Merged into the HelmRelease on the server.
    Patch(Value),
    Kubectl(Vec<String>),
    Apply(String),
    /// A database that is there already.
    Database(String),
    /// The database goes, without anyone being told.
    DropDatabase(String),
    /// The newest release Secret of this onboarding gets another status, in the label and in the release.
    Release(String),
}

/// Where a HelmRelease stands.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum Until {
    Ready,
    /// Ready is False, and Flux goes no further by itself.
    Failed,
    /// Flux waits for something.
    Running,
    Suspended,
    Unanswered,
}

impl Step {
    /// Whether it only looks.
    pub(super) fn is_wait(&self) -> bool {
        matches!(self, Step::Until(_) | Step::Says(_) | Step::Object { .. })
    }
}

impl Case {
    /// The onboarding's name; the file's is that of the team, its namespace and its service account.
    pub(super) fn name(&self) -> String {
        match self.metadata["name"].as_str() {
            Some(name) => name.to_owned(),
            None => format!("skvs-onboarding-{}--data", self.slug),
        }
    }

    /// The HelmRelease, with `label` as its value of the label `matrix`.
    pub(super) fn helm_release(&self, label: &str) -> Value {
        let mut object: Value = serde_saphyr::from_str(BASE).expect("base.yaml is YAML");
        let slug = &self.slug;
        merge(
            &mut object,
            &json!({
                "metadata": {"name": self.name(), "labels": {"matrix": label}},
                "spec": {"values": {"namespace": slug, "database": "data", "serviceAccounts": [slug]}},
            }),
        );
        merge(&mut object["metadata"], &self.metadata);
        merge(&mut object["spec"], &self.spec);
        object
    }

    /// What every requester has, and the namespaces of this case with what a creation Job needs in them.
    pub(super) fn surroundings(&self) -> Vec<Value> {
        let slug = &self.slug;
        let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let account = |name: &str, namespace: &str| {
            json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": name, "namespace": namespace}})
        };
        let mut all = vec![namespace(slug), account(slug, slug)];
        for wired in &self.wired {
            all.push(namespace(wired));
            all.push(account("agora-kvs", wired));
        }
        all
    }

    /// Namespaces that get copies of CouchDB's Secret and address.
    pub(super) fn wired(&self) -> &[String] {
        &self.wired
    }
}

/// All cases of a folder beside this file, with `${NAME}` replaced for each of `values`; sorted by name.
pub(super) fn read(folder: &str, values: &[(&str, String)]) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cluster/matrix")
        .join(folder);
    let read = |path: &std::path::PathBuf| {
        let file = file::read::<Case>(path, |text| file::filled(text, values));
        Case {
            slug: file.slug,
            objects: file.objects,
            ..file.header
        }
    };
    file::paths(&folder).iter().map(read).collect()
}
