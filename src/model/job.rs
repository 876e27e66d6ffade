//! What a hook Job and its pods say of themselves, for the diagnosis and the views.
//!
//! Plain reading of the objects: nothing here judges what it means for an onboarding.

use super::condition::{self, Condition};
use super::helm_release::GROUP;
use serde::Deserialize;
use serde_json::Value;

/// `namespace/name` of the HelmRelease that Flux's labels name; controllers before 1.6 put none on hooks.
pub fn made_by(job: &Value) -> Option<String> {
    let labels = job.pointer("/metadata/labels")?;
    let label = |key: &str| labels.get(format!("{GROUP}/{key}"))?.as_str();
    Some(format!("{}/{}", label("namespace")?, label("name")?))
}

/// Conditions of a Job or a pod.
pub fn conditions(object: &Value) -> Vec<Condition> {
    array(object, "/status/conditions")
        .iter()
        .filter_map(|c| Condition::deserialize(c).ok())
        .collect()
}

/// The condition that says that the Job failed, or is about to: it comes first and says why.
pub fn failed(conditions: &[Condition]) -> Option<&Condition> {
    ["Failed", "FailureTarget"]
        .iter()
        .filter_map(|kind| condition::find(conditions, kind))
        .find(|c| c.is_true())
}

/// What the scheduler says of a pod that no node takes.
pub fn unscheduled(pod: &Value) -> Option<String> {
    let conditions = conditions(pod);
    let scheduled = condition::find(&conditions, "PodScheduled")?;
    scheduled.is_false().then(|| scheduled.message.clone())
}

/// What a log of the creation Job says of CouchDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The database exists (412).
    Exists,
    /// The credentials were refused (401, 403).
    Refused,
    /// No answer.
    Unreachable,
}

/// Reads it; `None` where the log speaks of something else.
pub fn said(log: &str) -> Option<Said> {
    const EXISTS: &[&str] = &[
        "returned error: 412",
        "file_exists",
        "412 Precondition Failed",
        "the file already exists",
    ];
    const REFUSED: &[&str] = &[
        "returned error: 401",
        "returned error: 403",
        "401 Unauthorized",
        "403 Forbidden",
        "Name or password is incorrect",
        "\"error\":\"unauthorized\"",
        "Account is temporarily locked",
    ];
    const UNREACHABLE: &[&str] = &[
        "Could not resolve host",
        "Failed to connect",
        "Couldn't connect",
        "Connection refused",
        "onnection timed out",
        "Operation timed out",
        "Resolving timed out",
        "Empty reply from server",
        "Recv failure",
        "returned error: 502",
        "returned error: 503",
        "returned error: 504",
    ];
    [
        (Said::Exists, EXISTS),
        (Said::Refused, REFUSED),
        (Said::Unreachable, UNREACHABLE),
    ]
    .into_iter()
    .find(|(_, texts)| texts.iter().any(|t| log.contains(t)))
    .map(|(said, _)| said)
}

/// The status of one container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Container<'v>(&'v Value);

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended<'v> {
    pub exit_code: i64,
    /// `Error`, `Completed`, `OOMKilled`, …
    pub reason: &'v str,
    /// The termination message.
    pub message: &'v str,
}

/// What keeps a container from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting<'v> {
    /// `ImagePullBackOff`, …
    pub reason: &'v str,
    pub message: &'v str,
}

/// The containers of a pod that have a status, the init containers first.
pub fn containers(pod: &Value) -> impl Iterator<Item = Container<'_>> {
    array(pod, "/status/initContainerStatuses")
        .iter()
        .chain(array(pod, "/status/containerStatuses"))
        .map(Container)
}

impl<'v> Container<'v> {
    pub fn name(self) -> &'v str {
        text(self.0, "/name")
    }

    pub fn image(self) -> &'v str {
        text(self.0, "/image")
    }

    pub fn is_running(self) -> bool {
        self.0
            .pointer("/state/running")
            .is_some_and(|v| !v.is_null())
    }

    /// The kubelet's word that it can do its work.
    pub fn is_ready(self) -> bool {
        self.0.pointer("/ready").and_then(Value::as_bool) == Some(true)
    }

    /// How it ended, if it does not run.
    pub fn ended(self) -> Option<Ended<'v>> {
        Ended::of(self.0, "/state/terminated")
    }

    /// How it ended before it was started again.
    pub fn ended_before(self) -> Option<Ended<'v>> {
        Ended::of(self.0, "/lastState/terminated")
    }

    /// How it ended with another code than 0, now or before it was started again.
    pub fn ended_badly(self) -> Option<Ended<'v>> {
        let ended = [self.ended(), self.ended_before()];
        ended.into_iter().flatten().find(|e| e.exit_code != 0)
    }

    /// What it waits for, where the kubelet says it.
    pub fn waiting(self) -> Option<Waiting<'v>> {
        let reason = self.0.pointer("/state/waiting/reason")?.as_str()?;
        Some(Waiting {
            reason,
            message: text(self.0, "/state/waiting/message"),
        })
    }

    /// It runs or has run: only then it has a log.
    pub fn has_run(self) -> bool {
        self.is_running() || self.ended().is_some() || self.ended_before().is_some()
    }
}

impl<'v> Ended<'v> {
    fn of(status: &'v Value, path: &str) -> Option<Self> {
        let ended = status.pointer(path)?;
        Some(Self {
            exit_code: ended.get("exitCode")?.as_i64()?,
            reason: text(ended, "/reason"),
            message: text(ended, "/message"),
        })
    }
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn array<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_labels_name_the_maker() {
        let labels = json!({"helm.toolkit.fluxcd.io/name": "a", "helm.toolkit.fluxcd.io/namespace": "flux-system"});
        let job = json!({"metadata": {"labels": labels}});
        assert_eq!(made_by(&job).as_deref(), Some("flux-system/a"));
        let half = json!({"metadata": {"labels": {"helm.toolkit.fluxcd.io/name": "a"}}});
        assert_eq!((made_by(&half), made_by(&json!({}))), (None, None));
    }

    #[test]
    fn containers_tell_how_they_ended() {
        let pod = json!({"status": {
            "containerStatuses": [
                {"name": "create", "state": {"terminated": {"exitCode": 22, "reason": "Error", "message": "m"}}},
                {"name": "waits", "image": "i", "state": {"waiting": {"reason": "ImagePullBackOff"}}},
                {"name": "again", "state": {"waiting": {}}, "lastState": {"terminated": {"exitCode": 1}}},
                {"name": "runs", "state": {"running": {}, "terminated": null}},
            ],
            "initContainerStatuses": [{"name": "first", "state": {"terminated": {"exitCode": 0}}}],
        }});
        let all: Vec<Container<'_>> = containers(&pod).collect();
        let names = |kept: fn(&Container<'_>) -> bool| -> Vec<&str> {
            all.iter()
                .copied()
                .filter(kept)
                .map(Container::name)
                .collect()
        };
        assert_eq!(names(|c| c.has_run()), ["first", "create", "again", "runs"]);
        assert_eq!(names(|c| c.is_running()), ["runs"]);
        assert_eq!(names(|c| c.ended_badly().is_some()), ["create", "again"]);
        let ended = all[1].ended().unwrap();
        assert_eq!(
            (ended.exit_code, ended.reason, ended.message),
            (22, "Error", "m")
        );
        assert_eq!(all[2].waiting().unwrap().reason, "ImagePullBackOff");
        assert_eq!((all[2].image(), all[3].waiting()), ("i", None));
        assert_eq!(all[3].ended_before().unwrap().exit_code, 1);
    }

    #[test]
    fn conditions_tell_of_failure_and_of_a_pod_without_a_node() {
        let object = json!({"status": {"conditions": [
            {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded"},
            {"type": "Failed", "status": "False"},
            {"type": "PodScheduled", "status": "False", "message": "0/1 nodes"},
            7,
        ]}});
        let all = conditions(&object);
        assert_eq!(failed(&all).unwrap().reason, "BackoffLimitExceeded");
        assert_eq!(unscheduled(&object).as_deref(), Some("0/1 nodes"));
        assert_eq!(unscheduled(&json!({})), None);
    }

    proptest! {
        #[test]
        fn no_status_panics(status in r#"\{"(containerStatuses|conditions)":(null|1|\[(null|\{"state":(\{"terminated":(1|\{"exitCode":"x"\})\}|null)\})\])\}"#) {
            let pod: Value = json!({"status": serde_json::from_str::<Value>(&status).unwrap()});
            prop_assert!(!containers(&pod).any(Container::has_run));
            prop_assert!(conditions(&pod).len() <= 1 && unscheduled(&pod).is_none());
        }
    }
}
