//! Which nodes a pod or a volume may be on, by the labels of the nodes; and whose a volume is.

use super::claim::Claim;
use super::field::{Entries, Field, Fields, Meta, Parsed};
use super::node::Node;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A required node affinity: one of its terms must hold.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Terms {
    node_selector_terms: Entries<Term>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
struct Term {
    match_expressions: Entries<Expression>,
    match_fields: Entries<Expression>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Expression {
    key: String,
    operator: String,
    #[serde(default)]
    values: Entries<String>,
}

/// What a pod asks of its node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub selector: Field<BTreeMap<String, String>>,
    pub affinity: Field<Terms>,
}

/// A PersistentVolume, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    pub meta: Meta,
    affinity: Field<Terms>,
    /// What becomes of it once its claim is gone: `Retain`, `Delete`, `Recycle`.
    pub reclaim: Field<String>,
    class: Field<String>,
    phase: Field<String>,
    holder: Field<Holder>,
}

/// The claim that a volume is for.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Holder {
    namespace: Field<String>,
    name: Field<String>,
    uid: Field<String>,
}

impl Wanted {
    /// Whether a node has what the pod asks for; `None` where that cannot be read.
    pub fn fits(&self, node: &Node) -> Option<bool> {
        let labels = match &node.meta.labels {
            Field::Set(labels) => labels.clone(),
            Field::Absent => BTreeMap::new(),
            Field::Malformed => return None,
        };
        let selected = match &self.selector {
            Field::Set(wanted) => wanted
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value)),
            Field::Absent => true,
            Field::Malformed => return None,
        };
        let preferred = match &self.affinity {
            Field::Set(terms) => terms.fit(&labels)?,
            Field::Absent => true,
            Field::Malformed => return None,
        };
        Some(selected && preferred)
    }

    /// The values that the pod takes of a node's label; `None` where it takes any, or that cannot be read.
    pub fn of_label(&self, key: &str) -> Option<Vec<&str>> {
        let selected = self.selector.set().and_then(|s| s.get(key));
        match (selected, &self.affinity) {
            (Some(value), _) => Some(vec![value]),
            (None, Field::Set(terms)) => {
                let (own, values) = terms.label()?;
                (own == key).then_some(values)
            }
            (None, _) => None,
        }
    }
}

impl Volume {
    /// Reads one PersistentVolume.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            affinity: fields.at("/spec/nodeAffinity/required"),
            reclaim: fields.at("/spec/persistentVolumeReclaimPolicy"),
            class: fields.at("/spec/storageClassName"),
            phase: fields.at("/status/phase"),
            holder: fields.at("/spec/claimRef"),
            meta: fields.meta("PersistentVolume"),
        }
    }

    /// The volume that a PersistentVolumeClaim is bound to.
    pub fn bound_to(claim: &Value) -> Field<String> {
        Fields::new(claim).at("/spec/volumeName")
    }

    /// Its claim is gone, and it still waits for that one.
    pub fn is_released(&self) -> bool {
        self.phase.as_str() == Some("Released")
    }

    /// It stays, with its data, once its claim is gone. One that is being deleted itself does not.
    pub fn is_kept(&self) -> bool {
        self.keeps_disk() && self.meta.deleted.is_absent()
    }

    /// Its disk stays once it is gone itself.
    pub fn keeps_disk(&self) -> bool {
        self.reclaim.as_str() == Some("Retain")
    }

    /// It is released by an earlier claim of the same name as this one, and of the same class: this one could have it, and does not.
    pub fn was_of(&self, claim: &Claim) -> bool {
        let Some(holder) = self.holder.set().filter(|_| self.is_released()) else {
            return false;
        };
        let is = |own: &Field<String>, of: &str| !of.is_empty() && own.text() == of;
        let is_earlier = !holder.uid.text().is_empty()
            && !claim.meta.uid.is_empty()
            && holder.uid.text() != claim.meta.uid;
        let knows_classes = !self.class.is_malformed() && !claim.class.is_malformed();
        is(&holder.namespace, &claim.meta.namespace)
            && is(&holder.name, &claim.meta.name)
            && is_earlier
            && knows_classes
            && self.class.text() == claim.class.text()
    }

    /// The label of the nodes that it can be used on, with its values; `None` where it is more than one label, or cannot be read.
    pub fn label(&self) -> Option<(&str, Vec<&str>)> {
        self.affinity.set()?.label()
    }
}

impl Terms {
    /// The one label that all terms are about, with the values that they take together.
    fn label(&self) -> Option<(&str, Vec<&str>)> {
        let terms = &self.node_selector_terms;
        let mut found: Option<(&str, Vec<&str>)> = None;
        for term in &terms.known {
            let [one] = term.match_expressions.known.as_slice() else {
                return None;
            };
            let is_whole = term.match_expressions.all && one.values.all;
            if !is_whole || one.operator != "In" || !term.match_fields.is_empty() {
                return None;
            }
            let (key, values) = found.get_or_insert((&one.key, Vec::new()));
            if *key != one.key {
                return None;
            }
            values.extend(one.values.known.iter().map(String::as_str));
        }
        found.filter(|_| terms.all)
    }

    /// Whether one of them holds for these labels.
    fn fit(&self, labels: &BTreeMap<String, String>) -> Option<bool> {
        let terms = &self.node_selector_terms;
        let all: Vec<Option<bool>> = terms.known.iter().map(|term| term.fits(labels)).collect();
        if all.contains(&Some(true)) {
            return Some(true);
        }
        (terms.all && !all.contains(&None)).then_some(false)
    }
}

impl Term {
    fn fits(&self, labels: &BTreeMap<String, String>) -> Option<bool> {
        if !self.match_expressions.all || !self.match_fields.is_empty() {
            return None;
        }
        let mut fits = !self.match_expressions.known.is_empty();
        for expression in &self.match_expressions.known {
            fits &= expression.fits(labels)?;
        }
        Some(fits)
    }
}

impl Expression {
    fn fits(&self, labels: &BTreeMap<String, String>) -> Option<bool> {
        if !self.values.all {
            return None;
        }
        let value = labels.get(&self.key);
        let is_in = value.is_some_and(|value| self.values.known.contains(value));
        Some(match self.operator.as_str() {
            "In" => is_in,
            "NotIn" => !is_in,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => return None,
        })
    }
}

impl Parsed for Volume {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expression(key: &str, operator: &str, values: Value) -> Value {
        json!({"key": key, "operator": operator, "values": values})
    }

    fn terms(terms: &[Value]) -> Value {
        let terms: Vec<Value> = terms
            .iter()
            .map(|t| json!({"matchExpressions": [t]}))
            .collect();
        json!({"nodeSelectorTerms": terms})
    }

    #[test]
    fn only_a_released_volume_of_an_earlier_claim_of_that_name_and_class_was_of_it() {
        let claim = |uid: &str, class: Value| {
            Claim::from_value(
                &json!({"metadata": {"namespace": "n", "name": "a", "uid": uid}, "spec": {"storageClassName": class}}),
            )
        };
        let volume = |change: &dyn Fn(&mut Value)| {
            let mut volume = json!({"metadata": {"name": "pv"}, "spec": {"storageClassName": "local",
                "claimRef": {"namespace": "n", "name": "a", "uid": "old"}}, "status": {"phase": "Released"}});
            change(&mut volume);
            Volume::from_value(&volume)
        };
        let new = claim("new", json!("local"));
        assert!(volume(&|_| ()).was_of(&new));
        for other in [
            claim("old", json!("local")),
            claim("", json!("local")),
            claim("new", json!("ssd")),
            claim("new", json!(7)),
        ] {
            assert!(!volume(&|_| ()).was_of(&other), "{other:?}");
        }
        for (field, value) in [
            ("/status/phase", json!("Available")),
            ("/spec/claimRef/namespace", json!("m")),
            ("/spec/claimRef/name", json!("b")),
            ("/spec/claimRef/uid", json!(null)),
            ("/spec/claimRef", json!(7)),
            ("/spec/storageClassName", json!(7)),
        ] {
            let odd = volume(&|volume| *volume.pointer_mut(field).unwrap() = value.clone());
            assert!(!odd.was_of(&new), "{field}");
        }
    }

    #[test]
    fn a_volume_that_is_being_deleted_does_not_stay() {
        let of = |deleted: Value, policy: &str| {
            let metadata = json!({"name": "pv", "deletionTimestamp": deleted});
            let spec = json!({"persistentVolumeReclaimPolicy": policy});
            let volume = Volume::from_value(&json!({"metadata": metadata, "spec": spec}));
            (volume.is_kept(), volume.keeps_disk())
        };
        assert_eq!(of(json!(null), "Retain"), (true, true));
        assert_eq!(of(json!(null), "Delete"), (false, false));
        for deleted in [json!("2026-11-27T04:12:44Z"), json!(7)] {
            assert_eq!(of(deleted.clone(), "Retain"), (false, true), "{deleted}");
        }
    }

    #[test]
    fn a_pod_fits_a_node_only_where_that_is_surely_so() {
        let place = Node::from_value(
            &json!({"metadata": {"name": "w", "labels": {"pool": "batch", "zone": "b"}},
            "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "t"}]}}),
        );
        assert_eq!(place.ready_since(), Some("t"));
        let fits = |spec: Value| {
            let mut fields = Fields::new(&spec);
            let wanted = Wanted {
                selector: fields.at("/selector"),
                affinity: fields.at("/affinity"),
            };
            wanted.fits(&place)
        };
        for (operator, values, expected) in [
            ("In", json!(["a", "b"]), Some(true)),
            ("In", json!(["a"]), Some(false)),
            ("NotIn", json!(["a"]), Some(true)),
            ("Exists", json!(null), Some(true)),
            ("DoesNotExist", json!(null), Some(false)),
            ("Gt", json!(["1"]), None),
            ("In", json!(["a", 7]), None),
        ] {
            let wanted = json!({"affinity": terms(&[expression("zone", operator, values)])});
            assert_eq!(fits(wanted.clone()), expected, "{wanted}");
        }
        assert_eq!(fits(json!({})), Some(true));
        assert_eq!(fits(json!({"selector": {"pool": "batch"}})), Some(true));
        assert_eq!(fits(json!({"selector": {"pool": "other"}})), Some(false));
        assert_eq!(fits(json!({"selector": 7})), None);
        // One term that holds is enough, whatever the others are.
        let either = terms(&[
            expression("zone", "Gt", json!(["1"])),
            expression("pool", "In", json!(["batch"])),
        ]);
        assert_eq!(fits(json!({"affinity": either})), Some(true));
        let by_name = json!({"nodeSelectorTerms": [{"matchFields": [expression("metadata.name", "In", json!(["w"]))]}]});
        assert_eq!(fits(json!({"affinity": by_name})), None);
    }

    #[test]
    fn a_volume_has_one_label_or_none_that_is_known() {
        let label = |required: Value| {
            let volume = Volume::from_value(
                &json!({"metadata": {"name": "pv"}, "spec": {"nodeAffinity": {"required": required}}}),
            );
            let label = volume.label();
            label.map(|(key, values)| format!("{key} {}", values.join(",")))
        };
        let zone = |values: Value| expression("zone", "In", values);
        assert_eq!(
            label(terms(&[zone(json!(["d"]))])).as_deref(),
            Some("zone d")
        );
        let each = terms(&[zone(json!(["b"])), zone(json!(["c"]))]);
        assert_eq!(label(each).as_deref(), Some("zone b,c"));
        for unknown in [
            json!(null),
            json!(7),
            terms(&[zone(json!(["b"])), expression("host", "In", json!(["w"]))]),
            terms(&[expression("zone", "NotIn", json!(["b"]))]),
            terms(&[zone(json!(["b", 7]))]),
        ] {
            assert_eq!(label(unknown.clone()), None, "{unknown}");
        }
    }
}
