//! A StatefulSet: from which template it makes its pods, and whether it replaces those of an older one.

use super::field::{Entries, Field, Fields, Meta, Parsed};
use super::pod::Pod;
use serde::Deserialize;
use serde_json::Value;

/// Label of a pod: the revision of the template that it was made from.
const REVISION: &str = "controller-revision-hash";

/// A StatefulSet, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatefulSet {
    pub meta: Meta,
    management: Field<String>,
    strategy: Field<String>,
    partition: Field<i64>,
    start: Field<i64>,
    replicas: Field<i64>,
    observed: Field<i64>,
    revision: Field<String>,
    containers: Entries<Container>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Container {
    name: String,
    image: Field<String>,
}

/// A pod that stays as an older template made it until somebody deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The revision of the pod's template, and that of the present one.
    pub own: &'a str,
    pub newest: &'a str,
    pub rule: Rule,
}

/// Why the StatefulSet does not replace the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It waits until the pod is ready.
    OrderedReady,
    /// It never does.
    OnDelete,
}

/// Whether a StatefulSet keeps a pod that is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    Kept(Kept<'a>),
    /// The pod has the present template, or the StatefulSet replaces it by itself, or would make it from the old one again.
    Current,
    /// A field that says so is malformed, or not set.
    Unknown,
}

impl StatefulSet {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        let [mut containers, own]: [Entries<Container>; 2] = ["initContainers", "containers"]
            .map(|list| fields.list(&format!("/spec/template/spec/{list}")));
        containers.known.extend(own.known);
        containers.all &= own.all;
        Self {
            management: fields.at("/spec/podManagementPolicy"),
            strategy: fields.at("/spec/updateStrategy/type"),
            partition: fields.at("/spec/updateStrategy/rollingUpdate/partition"),
            start: fields.at("/spec/ordinals/start"),
            replicas: fields.at("/spec/replicas"),
            observed: fields.at("/status/observedGeneration"),
            revision: fields.at("/status/updateRevision"),
            containers,
            meta: fields.meta("StatefulSet"),
        }
    }

    /// The image that the template has for a container.
    pub fn image(&self, container: &str) -> Option<&str> {
        let own = self.containers.known.iter().find(|c| c.name == container)?;
        own.image.as_str()
    }

    /// Whether it keeps this pod of its own, which is not ready.
    pub fn standing<'a>(&'a self, pod: &'a Pod) -> Standing<'a> {
        if !self.meta.deleted.is_absent() {
            return Standing::Current;
        }
        let (Field::Set(own), Some(newest)) = (pod.meta.label(REVISION), self.revision.as_str())
        else {
            return Standing::Unknown;
        };
        // A change that its controller has not seen yet has no revision.
        if self.meta.generation.set() > self.observed.set() {
            return Standing::Unknown;
        }
        if own == newest {
            return Standing::Current;
        }
        let kept = |rule| Standing::Kept(Kept { own, newest, rule });
        let place = pod.meta.name.rsplit('-').next();
        let place = place.and_then(|number| number.parse::<i64>().ok());
        match (place, self.end()) {
            // It goes, and no other is made.
            (Some(place), Some(end)) if place >= end => return Standing::Current,
            (Some(_), Some(_)) => {}
            (None, _) | (_, None) => return Standing::Unknown,
        }
        let Some(strategy) = or(&self.strategy, "RollingUpdate") else {
            return Standing::Unknown;
        };
        if strategy == "OnDelete" {
            return kept(Rule::OnDelete);
        }
        let (Some(place), Some(first)) = (place, self.first_updated()) else {
            return Standing::Unknown;
        };
        match or(&self.management, "OrderedReady") {
            Some(_) if place < first => Standing::Current,
            Some("OrderedReady") if strategy == "RollingUpdate" => kept(Rule::OrderedReady),
            Some("Parallel") if strategy == "RollingUpdate" => Standing::Current,
            Some(_) | None => Standing::Unknown,
        }
    }

    /// The number of the first pod that gets the present template.
    fn first_updated(&self) -> Option<i64> {
        number(&self.start, 0)?.checked_add(number(&self.partition, 0)?)
    }

    /// The number behind that of its last pod.
    fn end(&self) -> Option<i64> {
        number(&self.start, 0)?.checked_add(number(&self.replicas, 1)?)
    }
}

/// The value of a field, or the API's default.
fn number(field: &Field<i64>, default: i64) -> Option<i64> {
    match field {
        Field::Set(number) => Some(*number),
        Field::Absent => Some(default),
        Field::Malformed => None,
    }
}

/// The value of a field, or the API's default.
fn or<'f>(field: &'f Field<String>, default: &'static str) -> Option<&'f str> {
    match field {
        Field::Set(value) => Some(value),
        Field::Absent => Some(default),
        Field::Malformed => None,
    }
}

impl Parsed for StatefulSet {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, revision: &Value) -> Pod {
        Pod::from_value(&json!({"metadata": {"name": name, "labels": {REVISION: revision}}}))
    }

    fn set(spec: &Value, status: &Value) -> StatefulSet {
        let mut spec = spec.clone();
        if spec["replicas"].is_null() {
            spec["replicas"] = json!(9);
        }
        StatefulSet::from_value(
            &json!({"metadata": {"name": "db", "generation": 2}, "spec": spec, "status": status}),
        )
    }

    /// How a pod of revision `a` stands.
    fn of(spec: Value, status: Value) -> &'static str {
        let (set, pod) = (set(&spec, &status), pod("db-1", &json!("a")));
        match set.standing(&pod) {
            Standing::Kept(Kept { own, newest, rule }) => {
                assert_eq!((own, newest), ("a", "b"));
                match rule {
                    Rule::OrderedReady => "ordered",
                    Rule::OnDelete => "on delete",
                }
            }
            Standing::Current => "current",
            Standing::Unknown => "unknown",
        }
    }

    #[test]
    fn an_older_pod_is_kept_only_by_an_ordered_set_or_one_that_waits_for_deletions() {
        let newer = || json!({"updateRevision": "b", "observedGeneration": 2});
        let update = |strategy: Value| json!({"updateStrategy": strategy});
        assert_eq!(of(json!({}), newer()), "ordered");
        assert_eq!(
            of(json!({"podManagementPolicy": "OrderedReady"}), newer()),
            "ordered"
        );
        assert_eq!(
            of(json!({"podManagementPolicy": "Parallel"}), newer()),
            "current"
        );
        let on_delete =
            json!({"podManagementPolicy": "Parallel", "updateStrategy": {"type": "OnDelete"}});
        assert_eq!(of(on_delete, newer()), "on delete");
        let partition = |number: Value| update(json!({"rollingUpdate": {"partition": number}}));
        assert_eq!(of(partition(json!(1)), newer()), "ordered");
        let replicas = |number: Value| json!({"replicas": number});
        assert_eq!(of(replicas(json!(2)), newer()), "ordered");
        // It goes, and no other is made; or that is not known.
        assert_eq!(of(replicas(json!(1)), newer()), "current");
        assert_eq!(of(replicas(json!(0)), newer()), "current");
        assert_eq!(of(replicas(json!("2")), newer()), "unknown");
        // It would be made from the old template again.
        assert_eq!(of(partition(json!(2)), newer()), "current");
        let started = json!({"ordinals": {"start": 1}, "updateStrategy": {"rollingUpdate": {"partition": 1}}});
        assert_eq!(of(started, newer()), "current");
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        let newer = || json!({"updateRevision": "b", "observedGeneration": 2});
        let unseen = json!({"updateRevision": "b", "observedGeneration": 1});
        assert_eq!(of(json!({}), unseen), "unknown");
        for spec in [
            json!({"podManagementPolicy": 7}),
            json!({"podManagementPolicy": "New"}),
            json!({"updateStrategy": {"type": 7}}),
            json!({"updateStrategy": {"type": "New"}}),
            json!({"updateStrategy": {"rollingUpdate": {"partition": "1"}}}),
        ] {
            assert_eq!(of(spec.clone(), newer()), "unknown", "{spec}");
        }
        for status in [json!({}), json!({"updateRevision": 7}), json!(7)] {
            assert_eq!(of(json!({}), status.clone()), "unknown", "{status}");
        }
        let set = set(&json!({}), &newer());
        for revision in [json!(null), json!(7)] {
            let pod = pod("db-0", &revision);
            assert_eq!(set.standing(&pod), Standing::Unknown, "{revision}");
        }
        let odd = pod("db-x", &json!("a"));
        assert_eq!(set.standing(&odd), Standing::Unknown);
    }

    #[test]
    fn the_newest_revision_is_that_of_the_present_spec() {
        let same = |observed: i64| json!({"updateRevision": "a", "observedGeneration": observed});
        assert_eq!(of(json!({}), same(2)), "current");
        assert_eq!(of(json!({}), same(1)), "unknown");
        let going = json!({"metadata": {"deletionTimestamp": "2026-11-27T03:58:12Z"}, "status": {"updateRevision": "b"}});
        let pod = pod("db-0", &json!("a"));
        assert_eq!(
            StatefulSet::from_value(&going).standing(&pod),
            Standing::Current
        );
    }

    #[test]
    fn the_template_has_the_image_of_a_container() {
        let template = json!({"template": {"spec": {"containers": [{"name": "c", "image": "i:2"}, {"name": "d", "image": 7}]}}});
        let set = set(&template, &json!({}));
        assert_eq!(
            (set.image("c"), set.image("d"), set.image("e")),
            (Some("i:2"), None, None)
        );
    }
}
