//! A Node of the cluster, as far as it decides whether pods run on it.

use super::condition::{Condition, Conditions};
use super::field::{Fields, Meta, Parsed};
use crate::text::one_line;
use serde_json::Value;

/// A Node, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    pub meta: Meta,
    conditions: Conditions,
}

/// Whether pods can run on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Fine,
    /// Its faults, each as the end of a sentence: `is unreachable since …`.
    Troubled(Vec<String>),
    /// Its conditions do not say.
    Unknown,
}

/// Conditions, the status that is a fault, and its meaning.
const FAULTS: [(&str, &str, &str); 6] = [
    ("Ready", "Unknown", "is unreachable"),
    ("Ready", "False", "is not ready"),
    ("MemoryPressure", "True", "is short of memory"),
    ("DiskPressure", "True", "is short of disk space"),
    ("PIDPressure", "True", "is short of process IDs"),
    ("NetworkUnavailable", "True", "has no network"),
];

impl Node {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            conditions: fields.list::<Condition>("/status/conditions").into(),
            meta: fields.meta("Node"),
        }
    }

    /// Since when it has been ready; `None` where it is not, or does not say.
    pub fn ready_since(&self) -> Option<&str> {
        let ready = self.conditions.of_untracked().present("Ready")?;
        ready
            .last_transition_time
            .as_deref()
            .filter(|_| ready.is_true())
    }

    /// It does not answer, or says that it cannot run pods.
    pub fn is_lost(&self) -> bool {
        let ready = self.conditions.of_untracked().present("Ready");
        ready.is_some_and(|ready| ready.is_false() || ready.status == "Unknown")
    }

    /// By its conditions. A cordoned node takes no new pods, and runs those that it has.
    pub fn health(&self) -> Health {
        let conditions = self.conditions.of_untracked();
        let troubles: Vec<String> = conditions.all_present().filter_map(trouble).collect();
        let is_ready = conditions.present("Ready").is_some_and(Condition::is_true);
        match troubles.is_empty() {
            false => Health::Troubled(troubles),
            true if is_ready && self.meta.malformed.is_empty() => Health::Fine,
            true => Health::Unknown,
        }
    }
}

fn trouble(condition: &Condition) -> Option<String> {
    let mut faults = FAULTS.into_iter();
    let (_, _, what) =
        faults.find(|(kind, status, _)| condition.kind == *kind && condition.status == *status)?;
    let since = condition.last_transition_time.as_deref();
    let since = since.map_or_else(String::new, |time| format!(" since {time}"));
    let said = [&condition.reason, &condition.message];
    let said: Vec<&str> = said.into_iter().map(String::as_str).collect();
    let said = said.join(": ");
    let said = one_line(said.trim_matches([':', ' ', '.']));
    Some(match said.is_empty() {
        true => format!("{what}{since}"),
        false => format!("{what}{since} ({said})"),
    })
}

impl Parsed for Node {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn health(spec: Value, conditions: Value) -> Health {
        let object =
            json!({"metadata": {"name": "w"}, "spec": spec, "status": {"conditions": conditions}});
        Node::from_value(&object).health()
    }

    #[test]
    fn only_a_node_that_says_that_it_is_ready_is_fine() {
        let ready = |status: &str| json!({"type": "Ready", "status": status});
        let calm = json!({"type": "DiskPressure", "status": "False"});
        assert_eq!(
            health(json!({}), json!([ready("True"), calm])),
            Health::Fine
        );
        for odd in [
            json!(null),
            json!([]),
            json!("x"),
            json!([{"type": "Ready", "status": true}]),
            json!([ready("true")]),
        ] {
            assert_eq!(health(json!({}), odd.clone()), Health::Unknown, "{odd}");
        }
        let cordoned = json!({"unschedulable": true});
        assert_eq!(health(cordoned, json!([ready("True")])), Health::Fine);
    }

    #[test]
    fn each_trouble_is_named_with_its_reason() {
        let lost = json!({"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
            "lastTransitionTime": "2026-11-27T04:20:00Z"});
        let full = json!({"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure", "message": ""});
        let Health::Troubled(found) = health(json!({}), json!([lost, full])) else {
            panic!("not troubled");
        };
        insta::assert_snapshot!(found.join("\n"), @"
        is unreachable since 2026-11-27T04:20:00Z (NodeStatusUnknown: Kubelet stopped posting node status)
        is short of disk space (KubeletHasDiskPressure)
        ");
    }
}
