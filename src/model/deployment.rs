//! A Deployment of one of Flux's controllers.

use super::condition::{Condition, Conditions};
use super::field::{Entries, Field, Fields, Meta, Parsed};
use super::pod_spec::Container;
use serde_json::Value;

/// A Deployment, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    pub meta: Meta,
    pub replicas: Field<i64>,
    /// Pods that do their work.
    pub available: Field<i64>,
    containers: Entries<Container>,
    conditions: Conditions,
}

/// Why it is not known whether, or for what, the API server refuses a Deployment's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownRefusal<'a> {
    /// A condition cannot be read.
    Malformed,
    /// It does, and only a word is said of it, if any.
    Untold(&'a str),
    /// The condition is neither True nor False.
    Odd,
}

impl Deployment {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            replicas: fields.at("/spec/replicas"),
            available: fields.at("/status/availableReplicas"),
            containers: fields.list("/spec/template/spec/containers"),
            conditions: fields.list::<Condition>("/status/conditions").into(),
            meta: fields.meta("Deployment"),
        }
    }

    /// A pod of it is surely available.
    pub fn is_available(&self) -> bool {
        self.available.set().is_some_and(|pods| *pods > 0)
    }

    /// Why the API server refuses its pods, as its ReplicaSet was told.
    pub fn refusal(&self) -> Option<&str> {
        // The Deployment controller keeps it up to date, whatever the generation is.
        let failed = self.conditions.of_untracked().present("ReplicaFailure")?;
        let said = failed.message.trim();
        (failed.is_true() && !said.is_empty()).then_some(said)
    }

    /// What is not known of a refusal of its pods.
    pub fn unknown_refusal(&self) -> Option<UnknownRefusal<'_>> {
        if !self.conditions.are_whole() {
            return Some(UnknownRefusal::Malformed);
        }
        let failed = self.conditions.of_untracked().present("ReplicaFailure")?;
        if failed.is_true() {
            let reason = failed.reason.as_str();
            let is_untold = failed.message.trim().is_empty();
            return is_untold.then_some(UnknownRefusal::Untold(reason));
        }
        (!failed.is_false()).then_some(UnknownRefusal::Odd)
    }

    /// The image of the first container; empty where it is not known.
    pub fn image(&self) -> &str {
        let first = self.containers.known.first();
        first.map_or("", |container| container.image.text())
    }

    /// The tag of that image; `None` where it has none.
    pub fn tag(&self) -> Option<&str> {
        let image = self.image().split('@').next().unwrap_or_default();
        let name = image.rsplit('/').next().unwrap_or_default();
        name.split_once(':').map(|(_, tag)| tag)
    }

    /// The value of a flag that one of its containers is given.
    pub fn flag(&self, name: &str) -> Field<String> {
        let mut given = self.containers.known.iter().map(|c| c.flag(name));
        match given.find(|flag| !flag.is_absent()) {
            Some(flag) => flag,
            None if self.containers.all => Field::Absent,
            None => Field::Malformed,
        }
    }
}

impl Parsed for Deployment {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_of_blanks_says_nothing() {
        let failed = |message: &str| {
            let failed = json!([{"type": "ReplicaFailure", "status": "True", "reason": "R", "message": message}]);
            Deployment::from_value(&json!({"status": {"conditions": failed}}))
        };
        assert_eq!(failed(" a\n").refusal(), Some("a"));
        assert_eq!(failed(" a\n").unknown_refusal(), None);
        for blank in ["", " \n"] {
            assert_eq!(failed(blank).refusal(), None);
            let unknown = failed(blank);
            assert_eq!(unknown.unknown_refusal(), Some(UnknownRefusal::Untold("R")));
        }
    }

    #[test]
    fn a_flag_that_cannot_be_read_is_not_one_that_is_not_given() {
        let flag = |containers: Value| {
            let object = json!({"spec": {"template": {"spec": {"containers": containers}}}});
            Deployment::from_value(&object).flag("--a")
        };
        assert_eq!(
            flag(json!([{}, {"args": ["--a=b"]}])),
            Field::Set("b".to_owned())
        );
        assert_eq!(flag(json!([{"args": ["--b"]}])), Field::Absent);
        assert_eq!(flag(json!([{"args": "--a=b"}])), Field::Malformed);
        assert_eq!(flag(json!([7])), Field::Malformed);
        assert_eq!(flag(json!("none")), Field::Malformed);
    }

    #[test]
    fn only_a_failure_that_lasts_refuses_its_pods() {
        let refusal = |status: &str, message: &str| {
            let failure = json!({"type": "ReplicaFailure", "status": status, "message": message});
            let object = json!({"status": {"conditions": [failure]}});
            Deployment::from_value(&object).refusal().map(str::to_owned)
        };
        assert_eq!(refusal("True", "no quota").as_deref(), Some("no quota"));
        assert_eq!(refusal("False", "no quota"), None);
        assert_eq!(refusal("True", ""), None);
    }

    #[test]
    fn a_refusal_that_is_not_told_is_not_none() {
        let unknown = |conditions: Value, expected: Option<UnknownRefusal<'_>>| {
            let object = json!({"status": {"conditions": conditions}});
            let deployment = Deployment::from_value(&object);
            assert_eq!(deployment.unknown_refusal(), expected, "{object}");
        };
        let failed = |status: &str, message: &str| json!([{"type": "ReplicaFailure", "status": status, "reason": "FailedCreate", "message": message}]);
        unknown(json!([]), None);
        unknown(failed("False", ""), None);
        unknown(failed("True", "no quota"), None);
        unknown(
            failed("True", ""),
            Some(UnknownRefusal::Untold("FailedCreate")),
        );
        for odd in ["", "true", "Unknown", "x"] {
            unknown(failed(odd, "no quota"), Some(UnknownRefusal::Odd));
        }
        unknown(json!([7]), Some(UnknownRefusal::Malformed));
    }

    #[test]
    fn a_tag_is_not_a_port_and_not_a_digest() {
        let tag = |image: &str| {
            let containers = json!([{"image": image}]);
            let object = json!({"spec": {"template": {"spec": {"containers": containers}}}});
            Deployment::from_value(&object).tag().map(str::to_owned)
        };
        let tagged = "registry:5000/fluxcd/helm-controller:v1.3.0";
        assert_eq!(tag(tagged).as_deref(), Some("v1.3.0"));
        let with_digest = format!("{tagged}@sha256:00ff");
        assert_eq!(tag(&with_digest).as_deref(), Some("v1.3.0"));
        assert_eq!(tag("registry:5000/helm-controller"), None);
        assert_eq!(tag("helm-controller@sha256:00ff"), None);
    }

    #[test]
    fn only_a_number_above_zero_is_available() {
        let is_available =
            |status: Value| Deployment::from_value(&json!({"status": status})).is_available();
        assert!(is_available(json!({"availableReplicas": 1})));
        for status in [
            json!({}),
            json!({"availableReplicas": 0}),
            json!({"availableReplicas": "1"}),
        ] {
            assert!(!is_available(status.clone()), "{status}");
        }
    }
}
