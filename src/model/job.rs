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

/// How Kubernetes itself ended a pod, whatever its containers did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disruption {
    /// The node ran low on memory, disk or process IDs.
    Evicted,
    /// A pod with a higher priority took its place.
    Preempted,
    /// The node is gone or does not answer.
    NodeLost,
    /// The node was shut down or restarted.
    NodeShutdown,
    /// Somebody drained the node, or evicted the pod by the API.
    Drained,
}

/// Whether Kubernetes ended the pod, and its own words for it, which may be empty.
///
/// The condition `DisruptionTarget` says so since Kubernetes 1.26, the pod's reason and message in every version.
pub fn disruption(pod: &Value) -> Option<(Disruption, String)> {
    let message = text(pod, "/status/message");
    let conditions = conditions(pod);
    let target = condition::find(&conditions, "DisruptionTarget").filter(|c| c.is_true());
    let says = |texts: &[&str]| {
        let condition = target.map_or("", |c| c.message.as_str());
        texts
            .iter()
            .any(|t| message.contains(t) || condition.contains(t))
    };
    let reason = text(pod, "/status/reason");
    let cause = target.map_or("", |c| c.reason.as_str());
    let kind = if reason == "Evicted" || says(&["low on resource", "exceeds the limit"]) {
        Disruption::Evicted
    } else if cause == "PreemptionByScheduler"
        || reason == "Preempting"
        || says(&["Preempted in order to admit", "reempting to accommodate"])
    {
        Disruption::Preempted
    } else if reason == "NodeLost" || ["DeletionByTaintManager", "DeletionByPodGC"].contains(&cause)
    {
        Disruption::NodeLost
    } else if ["Terminated", "NodeShutdown", "Shutdown"].contains(&reason)
        || says(&["node shutdown", "shutting down"])
    {
        Disruption::NodeShutdown
    } else if cause == "EvictionByEvictionAPI" {
        Disruption::Drained
    } else if cause == "TerminationByKubelet" {
        Disruption::Evicted
    } else {
        return None;
    };
    let told = Some(message).filter(|m| !m.is_empty());
    let told = told.or(target.map(|c| c.message.as_str()));
    Some((kind, told.unwrap_or_default().to_owned()))
}

/// What a log of the creation Job says of CouchDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouchFailure {
    /// The database exists (412).
    Exists,
    /// The credentials were refused (401, 403).
    Refused,
    /// No answer.
    Unreachable,
}

/// Reads it; `None` where the log speaks of something else.
pub fn couch_failure(log: &str) -> Option<CouchFailure> {
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
    // An answer in words is one, whatever its status.
    if ["progress not possible", "No DB shards could be opened"]
        .iter()
        .any(|t| log.contains(t))
    {
        return None;
    }
    [
        (CouchFailure::Exists, EXISTS),
        (CouchFailure::Refused, REFUSED),
        (CouchFailure::Unreachable, UNREACHABLE),
    ]
    .into_iter()
    .find(|(_, texts)| texts.iter().any(|t| log.contains(t)))
    .map(|(said, _)| said)
}

/// What CouchDB's own words mean for the creation, where they are more than a status.
pub fn explained(log: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 4] = [
        (
            "No DB shards could be opened",
            "CouchDB answered that no member with a copy of its own system databases can be reached: check CouchDB's pods and its cluster (_membership).",
        ),
        (
            "progress not possible",
            "CouchDB answered that too few of its members can be reached (nodedown): check CouchDB's pods and its cluster (_membership).",
        ),
        (
            "Account is temporarily locked",
            "CouchDB has locked the account after failed logins, for five minutes: correct the password first, then wait until the lock ends.",
        ),
        (
            "bytes received",
            "The request was sent, but no whole answer came in time.",
        ),
    ];
    let found = WORDS.iter().find(|(text, _)| log.contains(text));
    found.map(|(_, words)| *words)
}

/// Why the kubelet does not start a pod: what a container waits for beyond its usual start, or why the whole pod was refused.
pub fn not_started(pod: &Value) -> Option<(String, String)> {
    let waits = containers(pod).filter_map(|c| c.waiting());
    let told = waits
        .filter(|w| !w.message.is_empty())
        .map(|w| (w.reason, w.message))
        .next();
    let refused = || {
        let (reason, message) = (text(pod, "/status/reason"), text(pod, "/status/message"));
        (text(pod, "/status/phase") == "Failed" && !reason.is_empty()).then_some((reason, message))
    };
    let (reason, message) = told.or_else(refused)?;
    Some((reason.to_owned(), message.to_owned()))
}

/// Whether the Job ended well, by its conditions; by its count of pods only where no condition tells.
pub fn is_complete(job: &Value) -> bool {
    let conditions = conditions(job);
    let is_true = |kind: &str| condition::find(&conditions, kind).is_some_and(|c| c.is_true());
    if is_true("Failed") || is_true("FailureTarget") {
        return false;
    }
    let number = |path: &str| job.pointer(path).and_then(Value::as_i64);
    let wanted = number("/spec/completions").unwrap_or(1).max(1);
    is_true("Complete") || number("/status/succeeded").is_some_and(|done| done >= wanted)
}

/// Whether a failed creation's log leaves it open that CouchDB created the database: it answered with an error of its own (5xx), or the
/// request was sent and the answer lost. Without a quorum CouchDB answers 500 to a creation that it carries out.
pub fn may_have_created(log: &str) -> bool {
    const SENT: [&str; 8] = [
        "returned error: 5",
        "progress not possible",
        "No DB shards could be opened",
        "Empty reply from server",
        "Recv failure",
        // Of curl's time-outs the ones after the connection was made say how much came.
        "bytes received",
        "Internal Server Error",
        "504 Gateway Time",
    ];
    // A proxy's answer: it had no CouchDB to send the request to. curl's line for that answer is one of `SENT`, so only further ones count.
    const NOT_SENT: [&str; 2] = ["no healthy upstream", "reset reason: connection failure"];
    let lines = |texts: &[&str]| {
        let has = |line: &&str| texts.iter().any(|t| line.contains(t));
        log.lines().filter(has).count()
    };
    lines(&SENT) > lines(&NOT_SENT)
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

    #[test]
    fn kubernetes_says_how_it_ended_a_pod() {
        use Disruption as D;
        let of = |status: Value| disruption(&json!({"status": status})).map(|(kind, _)| kind);
        let target = |reason: &str, message: &str| json!({"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}]});
        for (status, kind) in [
            (
                json!({"reason": "Evicted", "message": "The node was low on resource: memory."}),
                Some(D::Evicted),
            ),
            (
                json!({"message": "Pod ephemeral local storage usage exceeds the limit"}),
                Some(D::Evicted),
            ),
            (
                target(
                    "TerminationByKubelet",
                    "The node was low on resource: memory.",
                ),
                Some(D::Evicted),
            ),
            (
                target(
                    "PreemptionByScheduler",
                    "default-scheduler: preempting to accommodate a higher priority pod",
                ),
                Some(D::Preempted),
            ),
            (
                json!({"reason": "Preempting", "message": "Preempted in order to admit critical pod"}),
                Some(D::Preempted),
            ),
            (
                target(
                    "DeletionByTaintManager",
                    "Taint manager: deleting due to NoExecute taint",
                ),
                Some(D::NodeLost),
            ),
            (
                target("DeletionByPodGC", "PodGC: node no longer exists"),
                Some(D::NodeLost),
            ),
            (json!({"reason": "NodeLost"}), Some(D::NodeLost)),
            (
                json!({"reason": "Terminated", "message": "Pod was terminated in response to imminent node shutdown."}),
                Some(D::NodeShutdown),
            ),
            (
                target(
                    "TerminationByKubelet",
                    "Pod was terminated in response to imminent node shutdown.",
                ),
                Some(D::NodeShutdown),
            ),
            (
                target("EvictionByEvictionAPI", "Eviction API: evicting"),
                Some(D::Drained),
            ),
            (json!({"reason": "DeadlineExceeded"}), None),
            (
                json!({"conditions": [{"type": "DisruptionTarget", "status": "False", "reason": "EvictionByEvictionAPI"}]}),
                None,
            ),
            (json!(7), None),
        ] {
            assert_eq!(of(status.clone()), kind, "{status}");
        }
    }

    #[test]
    fn a_request_that_was_never_sent_created_nothing() {
        for log in [
            "curl: (22) The requested URL returned error: 500",
            "curl: (22) The requested URL returned error: 503",
            "curl: (52) Empty reply from server",
            "curl: (28) Operation timed out after 30001 milliseconds with 0 bytes received",
            "curl: (28) Operation timed out after 5001 milliseconds with 0 out of 0 bytes received",
            // One attempt reached CouchDB, the next one did not.
            "curl: (22) The requested URL returned error: 500\nno healthy upstream\ncurl: (22) The requested URL returned error: 503",
        ] {
            assert!(may_have_created(log), "{log}");
        }
        let sent =
            "curl: (28) Operation timed out after 5001 milliseconds with 0 out of 0 bytes received";
        let unsent = "curl: (28) Connection timed out after 5001 milliseconds";
        assert!(explained(sent).is_some_and(|why| why.starts_with("The request was sent")));
        assert_eq!(explained(unsent), None);
        for log in [
            "curl: (6) Could not resolve host: couchdb",
            "curl: (7) Failed to connect to couchdb port 5984",
            "curl: (7) Failed to connect to couchdb port 5984 after 130 ms: Operation timed out",
            "curl: (28) Connection timed out after 5001 milliseconds",
            "curl: (28) Resolving timed out after 5000 milliseconds",
            "curl: (22) The requested URL returned error: 412",
            "curl: (22) The requested URL returned error: 401",
            "no healthy upstream\ncurl: (22) The requested URL returned error: 503",
        ] {
            assert!(!may_have_created(log), "{log}");
        }
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
