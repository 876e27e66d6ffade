//! What a Kustomization has applied, by its status: the only objects that it removes.

use super::{Kustomization, listed};
use crate::model::field::Field;

/// The objects of one kind in an inventory, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied<'k> {
    pub known: Vec<[&'k str; 2]>,
    /// These are all: each entry was read.
    pub all: bool,
}

impl Kustomization {
    /// The objects of a group and kind that it has applied.
    pub fn applied(&self, [group, kind]: [&str; 2]) -> Applied<'_> {
        let inventory = match &self.inventory {
            Field::Absent => return Applied::of(Vec::new(), true),
            Field::Malformed => return Applied::of(Vec::new(), false),
            Field::Set(inventory) => inventory,
        };
        let Some(entries) = listed(inventory) else {
            return Applied::of(Vec::new(), true);
        };
        let end = format!("_{group}_{kind}");
        let ours = entries.known.iter().filter_map(|e| e.id.strip_suffix(&end));
        let ours: Vec<&str> = ours.collect();
        let known: Vec<[&str; 2]> = ours
            .iter()
            .filter_map(|id| {
                id.split_once('_')
                    .map(|(namespace, name)| [namespace, name])
            })
            .collect();
        let all = entries.all && known.len() == ours.len();
        Applied::of(known, all)
    }

    /// Whether it applies its folder to the cluster of its `spec.kubeConfig`, or may do so.
    pub fn is_remote(&self) -> bool {
        !self.kube_config.is_absent()
    }
}

impl<'k> Applied<'k> {
    fn of(known: Vec<[&'k str; 2]>, all: bool) -> Self {
        Self { known, all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const HELM_RELEASE: [&str; 2] = ["helm.toolkit.fluxcd.io", "HelmRelease"];

    fn applied(inventory: Value) -> (Vec<String>, bool) {
        let object = json!({"metadata": {"name": "k", "namespace": "n"}, "status": {"inventory": inventory}});
        let kustomization = Kustomization::from_value(&object);
        let applied = kustomization.applied(HELM_RELEASE);
        let known = applied.known.iter().map(|id| id.join("/"));
        (known.collect(), applied.all)
    }

    #[test]
    fn what_cannot_be_read_is_not_all() {
        let one = json!({"id": "n_a_helm.toolkit.fluxcd.io_HelmRelease", "v": "v2"});
        let other = json!({"id": "n_a_batch_Job", "v": "v1"});
        let known = vec!["n/a".to_owned()];
        assert_eq!(
            applied(json!({"entries": [one, other]})),
            (known.clone(), true)
        );
        assert_eq!(applied(json!({"entries": [one, 1]})), (known, false));
        let odd = json!({"id": "a_helm.toolkit.fluxcd.io_HelmRelease"});
        for (inventory, all) in [
            (Value::Null, true),
            (json!({}), true),
            (json!({"entries": null}), true),
            (json!([]), false),
            (json!({"entries": "x"}), false),
            (json!({"entries": [odd]}), false),
        ] {
            assert_eq!(applied(inventory.clone()), (Vec::new(), all), "{inventory}");
        }
    }
}
