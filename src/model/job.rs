//! A Job as Kubernetes says it is. Nothing here judges what it means for an onboarding.
//!
//! Own types and not those of k8s-openapi: one odd field of a Job must not lose what the others say.

use super::condition::{Condition, Conditions};
use super::field::{Field, Fields, Meta, Parsed};
use super::helm_release::GROUP;
use super::pod_spec::PodSpec;
use serde_json::Value;

/// A Job, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    pub meta: Meta,
    pub completions: Field<i64>,
    /// What its pods are made of.
    pub template: Field<PodSpec>,
    pub active: Field<i64>,
    pub succeeded: Field<i64>,
    /// RFC 3339, as the server writes it.
    pub started: Field<String>,
    pub completed: Field<String>,
    pub conditions: Conditions,
}

impl Job {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            completions: fields.at("/spec/completions"),
            template: fields.at("/spec/template/spec"),
            active: fields.at("/status/active"),
            succeeded: fields.at("/status/succeeded"),
            started: fields.at("/status/startTime"),
            completed: fields.at("/status/completionTime"),
            conditions: fields.list::<Condition>("/status/conditions").into(),
            meta: fields.meta("Job"),
        }
    }

    /// `namespace/name` of the HelmRelease that Flux's labels name; controllers before 1.6 put none on hooks.
    pub fn made_by(&self) -> Field<String> {
        let label = |key: &str| self.meta.label(&format!("{GROUP}/{key}"));
        match (label("namespace"), label("name")) {
            (Field::Set(namespace), Field::Set(name)) => Field::Set(format!("{namespace}/{name}")),
            (Field::Malformed, _) | (_, Field::Malformed) => Field::Malformed,
            (Field::Absent, _) | (_, Field::Absent) => Field::Absent,
        }
    }

    /// Whether Helm may run it before an installation, as its annotation says.
    pub fn runs_before_installation(&self) -> bool {
        self.is_of_hook("pre-install") != Some(false)
    }

    /// Whether Helm runs it as this hook, as its annotation says; `None` where that cannot be read.
    pub fn is_of_hook(&self, hook: &str) -> Option<bool> {
        match self.meta.annotation("helm.sh/hook") {
            Field::Set(events) => Some(events.split(',').any(|event| event.trim() == hook)),
            Field::Absent => Some(false),
            Field::Malformed => None,
        }
    }

    /// The condition of a kind, where it is true.
    pub fn holds(&self, kind: &str) -> Option<&Condition> {
        let condition = self.conditions.of_untracked().present(kind);
        condition.filter(|c| c.is_true())
    }

    /// The condition that says that it failed, or is about to: it comes first and says why.
    pub fn failed(&self) -> Option<&Condition> {
        let mut kinds = ["Failed", "FailureTarget"].into_iter();
        kinds.find_map(|kind| self.holds(kind))
    }

    /// Whether it ended well, by its conditions; by its count of pods only where no condition tells. `None` where they cannot be read.
    pub fn is_complete(&self) -> Option<bool> {
        if self.failed().is_some() {
            return Some(false);
        }
        if !self.conditions.are_whole() {
            return None;
        }
        if self.holds("Complete").is_some() {
            return Some(true);
        }
        match (&self.succeeded, &self.completions) {
            (Field::Malformed, _) | (_, Field::Malformed) => None,
            (Field::Absent, _) => Some(false),
            (Field::Set(done), Field::Set(wanted)) => Some(*done >= (*wanted).max(1)),
            (Field::Set(done), Field::Absent) => Some(*done >= 1),
        }
    }

    /// Whether it runs for as long as it likes: nothing says that it has ended, or is being deleted.
    pub fn goes_on(&self) -> bool {
        let ends = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"];
        let ended = ends.into_iter().any(|kind| self.holds(kind).is_some());
        self.conditions.are_whole() && !ended && self.meta.deleted.is_absent()
    }
}

impl Parsed for Job {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_labels_name_the_maker() {
        let of = |labels: Value| {
            let job = Job::from_value(&json!({"metadata": {"labels": labels}}));
            job.made_by()
        };
        let labels = json!({"helm.toolkit.fluxcd.io/name": "a", "helm.toolkit.fluxcd.io/namespace": "flux-system"});
        assert_eq!(of(labels), Field::Set("flux-system/a".to_owned()));
        assert_eq!(
            of(json!({"helm.toolkit.fluxcd.io/name": "a"})),
            Field::Absent
        );
        assert_eq!(of(json!(null)), Field::Absent);
        assert_eq!(of(json!({"other": 7})), Field::Malformed);
    }

    #[test]
    fn a_failure_names_its_reason() {
        let job = Job::from_value(&json!({"status": {"conditions": [
            {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded"},
            {"type": "Failed", "status": "False"}]}}));
        assert_eq!(job.failed().unwrap().reason, "BackoffLimitExceeded");
        assert_eq!(job.is_complete(), Some(false));
    }

    #[test]
    fn a_job_is_complete_only_where_its_whole_status_says_so() {
        let complete = json!({"type": "Complete", "status": "True"});
        let of = |status: Value, completions: Value| {
            let job = json!({"spec": {"completions": completions}, "status": status});
            Job::from_value(&job).is_complete()
        };
        for (status, completions, expected) in [
            (json!({"conditions": [complete]}), json!(null), Some(true)),
            (json!({"conditions": [complete, 7]}), json!(null), None),
            (json!({"conditions": "Complete"}), json!(null), None),
            (json!({"succeeded": 1}), json!(null), Some(true)),
            (json!({"succeeded": 1}), json!(2), Some(false)),
            (json!({"succeeded": 1}), json!("1"), None),
            (json!({"succeeded": "1"}), json!(null), None),
            (json!({}), json!(null), Some(false)),
            (json!(null), json!(null), Some(false)),
            (json!("Complete"), json!(null), None),
        ] {
            let found = of(status.clone(), completions.clone());
            assert_eq!(found, expected, "{status} of {completions}");
        }
    }

    #[test]
    fn a_job_whose_end_cannot_be_read_is_not_said_to_go_on() {
        let goes_on = |object: Value| Job::from_value(&object).goes_on();
        assert!(goes_on(json!({})));
        assert!(!goes_on(json!({"status": {"conditions": [7]}})));
        assert!(!goes_on(json!({"metadata": {"deletionTimestamp": 7}})));
        let met = json!([{"type": "SuccessCriteriaMet", "status": "True"}]);
        assert!(!goes_on(json!({"status": {"conditions": met}})));
    }
}
