//! Whose a pod is: its owner references say it, its name only suggests it.

use super::field::Field;
use super::pod::Pod;
use serde::Deserialize;

/// Label of the pods of a Deployment's ReplicaSet, which is named after the Deployment and this hash.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// An entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Owner {
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub uid: String,
    #[serde(default)]
    controller: Field<bool>,
}

/// Whether a pod is one of a workload's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    Yes,
    No,
    /// Its name has the form that the workload gives its pods, and nothing says whose it is: it may be another workload's.
    Perhaps,
}

impl Belongs {
    fn when(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }

    fn perhaps(may_be: bool) -> Self {
        if may_be { Self::Perhaps } else { Self::No }
    }
}

impl Pod {
    /// The owner that made the pod and replaces it.
    fn controller(&self) -> Field<&Owner> {
        let mut owners = self.owners.known.iter();
        match owners.clone().find(|owner| owner.controller.is(&true)) {
            Some(controller) => Field::Set(controller),
            None if self.owners.all && !owners.any(|o| o.controller.is_malformed()) => {
                Field::Absent
            }
            None => Field::Malformed,
        }
    }

    /// The StatefulSet that made it.
    pub fn stateful_set(&self) -> Option<&str> {
        match self.controller() {
            Field::Set(owner) => (owner.kind == "StatefulSet").then_some(owner.name.as_str()),
            Field::Absent | Field::Malformed => None,
        }
    }

    /// Whether it is a pod of the workload of this kind and name in its namespace.
    ///
    /// ReplicaSets are not read: the name of a Deployment's ReplicaSet is the Deployment's and the pods' hash.
    pub fn belongs_to(&self, kind: &str, name: &str) -> Belongs {
        if kind == "Pod" {
            return Belongs::when(self.meta.name == name);
        }
        match self.controller() {
            Field::Set(owner) if kind == "Deployment" => {
                match (owner.kind.as_str(), self.meta.label(TEMPLATE_HASH)) {
                    ("ReplicaSet", Field::Set(hash)) => {
                        Belongs::when(owner.name == format!("{name}-{hash}"))
                    }
                    ("ReplicaSet", Field::Malformed) => {
                        Belongs::perhaps(self.is_named_by(kind, name))
                    }
                    // No Deployment made a ReplicaSet whose pods have no hash.
                    _ => Belongs::No,
                }
            }
            Field::Set(owner) => Belongs::when(owner.kind == kind && owner.name == name),
            // It has owners, and none of them makes pods.
            Field::Absent if !self.owners.is_empty() => Belongs::No,
            Field::Absent | Field::Malformed => Belongs::perhaps(self.is_named_by(kind, name)),
        }
    }

    /// Whether its controller is surely another object than the one with this UID.
    pub fn is_of_another(&self, uid: &str) -> bool {
        match self.controller() {
            Field::Set(owner) => !uid.is_empty() && !owner.uid.is_empty() && owner.uid != uid,
            Field::Absent | Field::Malformed => false,
        }
    }

    /// It is over, and its controller has made another one in its place.
    pub fn is_replaced_among<'a>(&self, pods: impl IntoIterator<Item = &'a Self>) -> bool {
        let mut others = pods.into_iter();
        self.is_over() && others.any(|pod| !pod.is_over() && self.is_sibling_of(pod))
    }

    /// The same controller surely made both.
    pub fn is_sibling_of(&self, pod: &Self) -> bool {
        let (Field::Set(own), Field::Set(other)) = (self.controller(), pod.controller()) else {
            return false;
        };
        self.meta.namespace == pod.meta.namespace
            && (&own.kind, &own.name, &own.uid) == (&other.kind, &other.name, &other.uid)
    }

    /// It is over, and was to end: a Job's.
    pub fn is_a_finished_job(&self) -> bool {
        self.is_over() && matches!(self.controller(), Field::Set(owner) if owner.kind == "Job")
    }

    fn is_named_by(&self, kind: &str, name: &str) -> bool {
        is_named_by(&self.meta.name, kind, name)
    }
}

/// Whether the workload of this kind and name gives its pods names of this form.
pub fn is_named_by(pod: &str, kind: &str, name: &str) -> bool {
    let Some(rest) = pod.strip_prefix(name) else {
        return false;
    };
    let parts = match kind {
        // Its ReplicaSet's hash, and the pod's own.
        "Deployment" => 2,
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => 1,
        _ => return false,
    };
    let mut words = rest.split('-');
    words.next() == Some("") && words.clone().count() == parts && words.all(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(name: &str, labels: Value, owners: Value) -> Pod {
        Pod::from_value(
            &json!({"metadata": {"name": name, "labels": labels, "ownerReferences": owners}}),
        )
    }

    fn owned(name: &str, by: &str, owner: &str) -> Pod {
        let hash = json!({"pod-template-hash": "6c9d8f7b5"});
        let owner = json!({"kind": by, "name": owner, "uid": "1-a", "controller": true});
        pod(name, hash, json!([owner]))
    }

    #[test]
    fn one_that_is_over_is_replaced_by_a_sibling() {
        let with = |mut pod: Pod, phase: &str| {
            pod.phase = Field::Set(phase.to_owned());
            pod
        };
        let set = |name: &str| owned(name, "ReplicaSet", "a-1");
        let evicted = with(set("a-1-x"), "Failed");
        let lives = with(set("a-1-y"), "Running");
        assert!(evicted.is_replaced_among([&evicted, &lives]));
        assert!(!lives.is_replaced_among([&evicted, &lives]));
        let too = with(set("a-1-y"), "Failed");
        assert!(!evicted.is_replaced_among([&evicted, &too]));
        let other = with(owned("b", "ReplicaSet", "b-1"), "Running");
        assert!(!evicted.is_replaced_among([&other]));
        let bare = |phase| with(pod("p", json!({}), json!(null)), phase);
        assert!(!bare("Failed").is_replaced_among([&bare("Running")]));
        let job = |phase| with(owned("j", "Job", "j"), phase);
        assert!(job("Failed").is_a_finished_job() && !job("Running").is_a_finished_job());
        assert!(!evicted.is_a_finished_job());
    }

    #[test]
    fn the_form_of_a_name_is_its_workloads() {
        let exporter = "a-exporter-6c9d8f7b5-lq8vz";
        assert!(is_named_by(exporter, "Deployment", "a-exporter"));
        assert!(!is_named_by(exporter, "Deployment", "a"));
        assert!(is_named_by("a-0", "StatefulSet", "a"));
        assert!(!is_named_by("ab-0", "StatefulSet", "a"));
        assert!(!is_named_by("a--x", "Deployment", "a"));
        assert!(!is_named_by("a-0", "AuthorizationPolicy", "a"));
    }

    #[test]
    fn a_pod_is_its_controllers_whatever_its_name() {
        use Belongs::{No, Yes};
        let replica = owned("gate-6c9d8f7b5-lq8vz", "ReplicaSet", "gate-6c9d8f7b5");
        assert_eq!(replica.belongs_to("Deployment", "gate"), Yes);
        assert_eq!(replica.belongs_to("ReplicaSet", "gate-6c9d8f7b5"), Yes);
        assert_eq!(replica.belongs_to("Deployment", "gate-6c9d8f7b5"), No);
        assert_eq!(replica.belongs_to("StatefulSet", "gate"), No);
        let other = owned("gate-6c9d8f7b5-lq8vz", "ReplicaSet", "gateway-6c9d8f7b5");
        assert_eq!(other.belongs_to("Deployment", "gate"), No);
        // A StatefulSet's name can have hyphens, and so its pod's the form of a Deployment's.
        let member = owned("gate-two-0", "StatefulSet", "gate-two");
        assert_eq!(member.belongs_to("Deployment", "gate"), No);
        assert_eq!(member.belongs_to("StatefulSet", "gate-two"), Yes);
        for kind in ["StatefulSet", "DaemonSet", "Job"] {
            let renamed = owned("other-x", kind, "gate");
            assert_eq!(renamed.belongs_to(kind, "gate"), Yes, "{kind}");
            let foreign = owned("gate-x", kind, "gate-of-others");
            assert_eq!(foreign.belongs_to(kind, "gate"), No, "{kind}");
        }
        // Another kind of workload makes ReplicaSets too, with another label.
        let mut rollout = replica.clone();
        rollout.meta.labels = Field::Absent;
        assert_eq!(rollout.belongs_to("Deployment", "gate"), No);
        assert_eq!(replica.belongs_to("Pod", "gate"), No);
        assert_eq!(replica.belongs_to("Pod", "gate-6c9d8f7b5-lq8vz"), Yes);
    }

    #[test]
    fn a_name_alone_is_no_more_than_a_hint() {
        use Belongs::{No, Perhaps};
        let name = "gate-6c9d8f7b5-lq8vz";
        let belongs = |labels, owners| pod(name, labels, owners).belongs_to("Deployment", "gate");
        assert_eq!(belongs(json!({}), json!(null)), Perhaps);
        for odd in [
            json!("odd"),
            json!([7]),
            json!([{"kind": "ReplicaSet", "name": "x", "controller": "yes"}]),
        ] {
            assert_eq!(belongs(json!({}), odd.clone()), Perhaps, "{odd}");
        }
        let owner = json!([{"kind": "ReplicaSet", "name": "gate-6c9d8f7b5", "controller": true}]);
        assert_eq!(belongs(json!("odd"), owner), Perhaps);
        // One that only holds on to the pod did not make it.
        let holder = json!([{"kind": "ConfigMap", "name": "gate"}]);
        assert_eq!(belongs(json!({}), holder), No);
        assert_eq!(
            pod("other", json!({}), json!(null)).belongs_to("Deployment", "gate"),
            No
        );
    }

    #[test]
    fn only_a_uid_that_is_known_is_another() {
        let one = owned("a-x", "Job", "a");
        assert!(one.is_of_another("2-b"));
        assert!(!one.is_of_another("1-a"));
        assert!(!one.is_of_another(""));
        assert!(!pod("a-x", json!({}), json!(null)).is_of_another("2-b"));
        let unnamed = json!([{"kind": "Job", "name": "a", "controller": true}]);
        assert!(!pod("a-x", json!({}), unnamed).is_of_another("2-b"));
    }
}
