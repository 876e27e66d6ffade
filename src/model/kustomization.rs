//! A Kustomization of Flux, which applies onboardings' manifests from the GitOps repository.

mod inventory;
mod remedy;

use super::condition::{Condition, Conditions, Dated, Stated, Undated};
use super::field::{Entries, Field, Fields, Meta, Parsed};
use super::source::SourceRef;
pub use inventory::Applied;
use remedy::target;
pub use remedy::{Remedy, is_cut_off, is_of_download, remedy};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A Kustomization, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kustomization {
    pub meta: Meta,
    pub suspend: Field<bool>,
    /// Whether it removes objects that are gone from its folder.
    pub prune: Field<bool>,
    /// Where its folder is.
    pub source_ref: Field<FolderSource>,
    /// Generation of its last success; the controller does not set it for a failure.
    observed: Field<i64>,
    pub conditions: Conditions,
    /// The revision of its source that it has applied last.
    pub applied_revision: Field<String>,
    /// The cluster to which it applies its folder, where that is not its own.
    kube_config: Field<KubeConfig>,
    /// What it has applied.
    inventory: Field<Inventory>,
    /// The variables that it puts into the manifests.
    post_build: Field<PostBuild>,
    /// Its folder in the source.
    path: Field<String>,
    patches: Entries<Patch>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
struct KubeConfig {}

/// `spec.postBuild`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct PostBuild {
    substitute: Field<BTreeMap<String, String>>,
}

/// One of `spec.patches`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Patch {
    #[serde(default)]
    patch: String,
}

/// A map rather than a struct, which a list would fit too.
type Inventory = BTreeMap<String, Entries<Entry>>;

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Entry {
    /// `namespace_name_group_kind`
    id: String,
}

/// The source of a Kustomization's folder.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct FolderSource {
    #[serde(flatten)]
    pub object: SourceRef,
    /// The Kustomization's own where it is not given.
    pub namespace: Option<String>,
}

/// Whether a Kustomization applies its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'k> {
    /// Applied by its present spec.
    Applied,
    /// Applied, and not all of its objects are healthy yet.
    Waits(&'k Condition),
    /// It has not applied it yet: it is at work, or waits for another Kustomization.
    Pending(&'k Condition),
    Failed(&'k Condition),
    /// With the failure that it had before.
    Suspended(Option<&'k Condition>),
    /// Its status does not say; why, as a clause.
    Unknown(&'static str),
}

/// Labels by which an object names the Kustomization that applies it: its name, its namespace.
pub const LABELS: [&str; 2] = [
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
];

impl Kustomization {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        let inventory: Field<Inventory> = fields.at("/status/inventory");
        if inventory
            .set()
            .and_then(listed)
            .is_some_and(|known| !known.all)
        {
            fields.note("/status/inventory/entries");
        }
        Self {
            kube_config: fields.at("/spec/kubeConfig"),
            inventory,
            post_build: fields.at("/spec/postBuild"),
            path: fields.at("/spec/path"),
            patches: fields.list("/spec/patches"),
            suspend: fields.at("/spec/suspend"),
            prune: fields.at("/spec/prune"),
            source_ref: fields.at("/spec/sourceRef"),
            observed: fields.at("/status/observedGeneration"),
            applied_revision: fields.at("/status/lastAppliedRevision"),
            conditions: fields.list::<Condition>("/status/conditions").into(),
            meta: fields.meta("Kustomization"),
        }
    }

    /// Whether it surely applies its folder to its own cluster.
    pub fn is_of_own_cluster(&self) -> bool {
        self.kube_config.is_absent()
    }

    /// Whether it can be the one that applies an object of this cluster, given as its group and kind, namespace and name.
    ///
    /// # Errors
    /// Why that is not known, as a clause.
    pub fn applies(&self, [group, kind]: [&str; 2], meta: [&str; 2]) -> Result<(), &'static str> {
        if !self.is_of_own_cluster() {
            return Err("it may apply its folder to another cluster (spec.kubeConfig)");
        }
        let [namespace, name] = meta;
        let id = format!("{namespace}_{name}_{group}_{kind}");
        let known = match &self.inventory {
            Field::Absent => return Ok(()),
            Field::Set(inventory) => listed(inventory),
            Field::Malformed => return Err("its status.inventory cannot be read"),
        };
        if known.is_some_and(|known| known.known.iter().any(|entry| entry.id == id)) {
            return Ok(());
        }
        if known.is_some_and(|known| !known.all) {
            return Err("its status.inventory cannot be read");
        }
        Err("its status does not list this HelmRelease among what it has applied")
    }

    /// The Kustomization that a message says it waits for, as `namespace/name`.
    pub fn waited_for(message: &str) -> Option<&str> {
        let (id, _) = message.split_once("dependency '")?.1.split_once('\'')?;
        id.contains('/').then_some(id)
    }

    /// The names of an object of this kind that it has applied.
    fn applied_names(&self, kind: &str) -> Vec<&str> {
        let known = self.inventory.set().and_then(listed);
        let ids = known.into_iter().flat_map(|known| &known.known);
        ids.filter_map(|entry| {
            // Neither a namespace nor a name has an underscore.
            let mut parts = entry.id.split('_').skip(1);
            let (name, _, own) = (parts.next()?, parts.next()?, parts.next()?);
            (own == kind && parts.next().is_none()).then_some(name)
        })
        .collect()
    }

    /// What to do about one of its messages: as [`remedy`], with what of its own spec the message may be about.
    pub fn remedy(&self, message: &str) -> Option<Remedy> {
        let remedy = remedy(message)?;
        if let Some(target) = target(message) {
            let mut patches = self.patches.known.iter();
            let is_in_spec = patches.any(|own| names(&own.patch, target.name));
            let near = crate::text::near(target.name, self.applied_names(target.kind));
            return Some(target.remedy(is_in_spec, near.first().copied()));
        }
        if let Some(path) = self.path.as_str().filter(|path| path.contains('\\'))
            && message.contains(path.trim_start_matches("./"))
        {
            return Some(Remedy::of_path(&path.replace('\\', "/")));
        }
        let set = self.post_build.set().and_then(|p| p.substitute.set());
        Some(match set {
            Some(variables) => remedy.with_variables(variables),
            None => remedy,
        })
    }

    /// Whether it applies its folder, by the status of its present spec.
    pub fn state(&self) -> State<'_> {
        let failure = self.failure();
        if self.suspend.is(&true) {
            return State::Suspended(failure);
        }
        if let Some(failure) = failure {
            return State::Failed(failure);
        }
        if self.suspend.is_malformed() {
            return State::Unknown("its spec.suspend cannot be read");
        }
        if !self.conditions.are_whole() {
            return State::Unknown("its conditions cannot be read");
        }
        let old = State::Unknown("its Ready is not known to be of its present spec");
        let ready = match self.conditions().get("Ready") {
            None => return State::Unknown("it has no Ready condition"),
            Some(Stated::History(_)) => return old,
            Some(Stated::Present(ready)) => ready,
        };
        // A success counts by the generation, too, that the controller sets with it.
        if ready.is_true() && !self.is_processed() {
            return old;
        }
        match (ready.status.as_str(), ready.reason.as_str()) {
            ("True", _) => State::Applied,
            ("False", "HealthCheckFailed") => State::Waits(ready),
            ("Unknown", _) if self.checks_health() => State::Waits(ready),
            ("False" | "Unknown", _) => State::Pending(ready),
            _ => State::Unknown("its Ready is neither True, False nor Unknown"),
        }
    }

    /// Why it could not apply its folder. Waiting, for objects that it has applied or for another Kustomization, is not a failure; what
    /// is not known to be of the present spec is not one either.
    fn failure(&self) -> Option<&Condition> {
        let waits = ["HealthCheckFailed", "DependencyNotReady", "Progressing"];
        let all = self.conditions().all_present();
        all.filter(|c| match c.kind.as_str() {
            "Ready" => c.is_false() && !waits.contains(&c.reason.as_str()),
            "Stalled" => c.is_true(),
            _ => false,
        })
        .max_by_key(|c| c.message.len())
    }

    /// Its conditions. One without a generation of its own counts by that of the status; where either is not known, it is history.
    fn conditions(&self) -> Dated<'_> {
        let generation = self.meta.generation.set().copied();
        self.conditions.at(generation, self.undated())
    }

    fn undated(&self) -> Undated {
        Undated::by(&self.observed, &self.meta.generation)
    }

    /// It has surely applied its present spec.
    pub fn is_processed(&self) -> bool {
        self.undated() == Undated::Present
    }

    /// It has applied its folder, and looks at the health of its objects.
    fn checks_health(&self) -> bool {
        let reconciling = self.conditions().present("Reconciling");
        reconciling.is_some_and(|c| {
            c.is_true() && c.message.starts_with("Running health checks for revision ")
        })
    }
}

fn listed(inventory: &Inventory) -> Option<&Entries<Entry>> {
    inventory.get("entries")
}

impl Parsed for Kustomization {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

/// Whether a message names an object: as a whole word, and not as a part of a longer name.
pub fn names(message: &str, name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    message.match_indices(name).any(|(at, _)| {
        let before = message[..at].chars().next_back();
        let after = message[at + name.len()..].chars().next();
        !before.is_some_and(inner) && !after.is_some_and(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(generation: &Value, suspend: &Value, status: &Value) -> Kustomization {
        Kustomization::from_value(&json!({
            "metadata": {"namespace": "flux-system", "name": "onboardings", "generation": generation},
            "spec": {"suspend": suspend},
            "status": status,
        }))
    }

    fn condition(kind: &str, status: &str, reason: &str, generation: i64) -> Value {
        json!({"type": kind, "status": status, "reason": reason, "message": reason, "observedGeneration": generation})
    }

    /// The state in short, with the reason of its condition.
    fn state(kustomization: &Kustomization) -> String {
        match kustomization.state() {
            State::Applied => "applied".to_owned(),
            State::Waits(c) => format!("waits: {}", c.reason),
            State::Pending(c) => format!("pending: {}", c.reason),
            State::Failed(c) => format!("failed: {}", c.reason),
            State::Suspended(None) => "suspended".to_owned(),
            State::Suspended(Some(c)) => format!("suspended: {}", c.reason),
            State::Unknown(why) => format!("unknown: {why}"),
        }
    }

    #[test]
    fn only_a_success_of_the_present_spec_is_one() {
        let succeeded = |observed: Value, own: i64| {
            let ready = condition("Ready", "True", "ReconciliationSucceeded", own);
            let status = json!({"observedGeneration": observed, "conditions": [ready]});
            state(&of(&json!(5), &json!(false), &status))
        };
        assert_eq!(succeeded(json!(5), 5), "applied");
        let old = "unknown: its Ready is not known to be of its present spec";
        assert_eq!(succeeded(json!(3), 3), old);
        assert_eq!(succeeded(json!(3), 5), old);
        assert_eq!(succeeded(json!(5), 3), old);
        assert_eq!(succeeded(json!("5"), 5), old, "malformed");
        assert_eq!(succeeded(Value::Null, 5), old);
        let ready = condition("Ready", "True", "ReconciliationSucceeded", 5);
        let status = json!({"observedGeneration": 5, "conditions": [ready]});
        assert_eq!(state(&of(&Value::Null, &Value::Null, &status)), old);
        assert_eq!(
            state(&of(&json!(5), &json!("yes"), &status)),
            "unknown: its spec.suspend cannot be read"
        );
        assert_eq!(state(&of(&json!(5), &json!(true), &status)), "suspended");
    }

    #[test]
    fn no_status_is_not_a_success() {
        let with = |status: Value| state(&of(&json!(3), &json!(false), &status));
        let none = "unknown: it has no Ready condition";
        assert_eq!(with(json!({})), none);
        assert_eq!(with(Value::Null), none);
        assert_eq!(with(json!({"observedGeneration": 3})), none);
        let unreadable = "unknown: its conditions cannot be read";
        assert_eq!(with(json!({"conditions": "x"})), unreadable);
        let ready = condition("Ready", "True", "ReconciliationSucceeded", 3);
        assert_eq!(
            with(json!({"observedGeneration": 3, "conditions": [ready, 7]})),
            unreadable
        );
        let odd = condition("Ready", "true", "x", 3);
        assert_eq!(
            with(json!({"observedGeneration": 3, "conditions": [odd]})),
            "unknown: its Ready is neither True, False nor Unknown"
        );
    }

    #[test]
    fn what_it_says_now_is_told_from_history_and_from_waiting() {
        let with = |suspend: bool, conditions: &[Value]| {
            let status = json!({"observedGeneration": 2, "conditions": conditions});
            state(&of(&json!(3), &json!(suspend), &status))
        };
        let ready = |status, reason, generation| condition("Ready", status, reason, generation);
        let failed = ready("False", "ReconciliationFailed", 3);
        assert_eq!(
            with(false, std::slice::from_ref(&failed)),
            "failed: ReconciliationFailed"
        );
        assert_eq!(with(true, &[failed]), "suspended: ReconciliationFailed");
        let old = ready("False", "ReconciliationFailed", 2);
        assert_eq!(
            with(false, std::slice::from_ref(&old)),
            "unknown: its Ready is not known to be of its present spec"
        );
        assert_eq!(with(true, &[old]), "suspended");
        let stalled = condition("Stalled", "True", "InvalidSource", 3);
        let works = ready("Unknown", "Progressing", 3);
        assert_eq!(
            with(false, &[stalled, works.clone()]),
            "failed: InvalidSource"
        );
        let stalled = condition("Stalled", "True", "InvalidSource", 1);
        assert_eq!(
            with(false, &[stalled, works.clone()]),
            "pending: Progressing"
        );
        let checks = |generation: i64| {
            json!({"type": "Reconciling", "status": "True", "reason": "Progressing", "observedGeneration": generation,
                "message": "Running health checks for revision main@sha1:1 with a timeout of 30s"})
        };
        assert_eq!(
            with(false, &[works.clone(), checks(3)]),
            "waits: Progressing"
        );
        assert_eq!(with(false, &[works, checks(2)]), "pending: Progressing");
        let health = ready("False", "HealthCheckFailed", 3);
        assert_eq!(with(false, &[health]), "waits: HealthCheckFailed");
        let dependency = ready("False", "DependencyNotReady", 3);
        assert_eq!(with(false, &[dependency]), "pending: DependencyNotReady");
    }

    #[test]
    fn a_condition_of_an_unknown_generation_is_not_of_the_present_spec() {
        let with = |observed: Value, conditions: &[Value]| {
            let status = json!({"observedGeneration": observed, "conditions": conditions});
            state(&of(&json!(3), &json!(false), &status))
        };
        let unknown = |mut condition: Value| {
            condition
                .as_object_mut()
                .unwrap()
                .remove("observedGeneration");
            condition
        };
        let old = "unknown: its Ready is not known to be of its present spec";
        let failed = unknown(condition("Ready", "False", "BuildFailed", 3));
        assert_eq!(with(Value::Null, std::slice::from_ref(&failed)), old);
        assert_eq!(with(json!(3), &[failed]), "failed: BuildFailed");
        let works = condition("Ready", "Unknown", "Progressing", 3);
        let stalled = unknown(condition("Stalled", "True", "InvalidSource", 3));
        assert_eq!(
            with(Value::Null, &[stalled, works.clone()]),
            "pending: Progressing"
        );
        let checks = json!({"type": "Reconciling", "status": "True", "reason": "Progressing",
            "message": "Running health checks for revision main@sha1:1 with a timeout of 30s"});
        assert_eq!(with(Value::Null, &[works, checks]), "pending: Progressing");
    }

    #[test]
    fn a_message_names_an_object_as_a_whole_word() {
        let message = "HelmRelease/flux-system/skvs-onboarding-a--b dry-run failed: \"skvs-onboarding-a--b\" is invalid";
        assert!(names(message, "skvs-onboarding-a--b"));
        assert!(!names(message, "skvs-onboarding-a"));
        assert!(!names(message, "onboarding-a--b"));
    }
}
