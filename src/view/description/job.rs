//! The creation Job, its pods and what they said.

use crate::model::condition::{self, Condition};
use crate::model::event::Event;
use crate::model::job::made_by;
use crate::snapshot::{CreationJob, Events, JobPod, LostJob, Read, Why};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The Job.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// `namespace/name`.
    pub id: String,
    /// `Complete`, `Failed`, `Suspended`, `Running` or `Waiting`.
    pub state: &'static str,
    /// Since when; a running one since its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Why it is so, in the Job controller's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// `namespace/name` of the HelmRelease that made it, where that is another one: two onboardings for one database have one
    /// Job name, and the later one's Job replaces the earlier one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
    /// Its newest pods.
    pub pods: Read<Vec<Pod>>,
    pub events: Read<Vec<Event>>,
    /// Set where these are not all: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_not_read: Option<String>,
}

/// A pod of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    pub name: String,
    pub phase: String,
    /// Why it has no containers yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    pub containers: Vec<Container>,
}

/// A container of a pod.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    pub name: String,
    /// `exited 22`, `waits: ImagePullBackOff: …`, `runs`.
    pub state: String,
    /// The end of its log; null where it has not run.
    pub log: Option<Read<String>>,
}

/// A Job that is named and gone.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    pub id: String,
    pub events: Read<Vec<Event>>,
    /// Set where these are not all: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_not_read: Option<String>,
}

impl Lost {
    pub(super) fn of(lost: &LostJob) -> Self {
        Self {
            id: format!("{}/{}", lost.namespace, lost.name),
            events: events(&lost.events),
            events_not_read: not_all(&lost.events),
        }
    }
}

/// The events that were read.
pub(super) fn events(read: &Read<Events>) -> Read<Vec<Event>> {
    read.as_ref()
        .map(|all| all.known.iter().map(Event::from_value).collect())
}

/// Why they are not all.
pub(super) fn not_all(read: &Read<Events>) -> Option<String> {
    read.seen()?.not_all.as_ref().map(Why::clause)
}

impl Job {
    /// `owner`: `namespace/name` of the HelmRelease that is described.
    pub(super) fn of(found: &CreationJob, owner: &str) -> Self {
        let (state, since, message) = state(&found.job);
        Self {
            id: super::id_of(&found.job),
            state,
            since,
            message,
            made_by: made_by(&found.job).filter(|id| id != owner),
            pods: found
                .pods
                .as_ref()
                .map(|pods| pods.iter().map(Pod::of).collect()),
            events: events(&found.events),
            events_not_read: not_all(&found.events),
        }
    }
}

fn state(job: &Value) -> (&'static str, Option<String>, String) {
    let conditions = job.pointer("/status/conditions");
    let conditions: Vec<Condition> = conditions
        .and_then(|c| Vec::deserialize(c).ok())
        .unwrap_or_default();
    for kind in ["Complete", "Failed", "FailureTarget", "Suspended"] {
        let Some(found) = condition::find(&conditions, kind).filter(|c| c.is_true()) else {
            continue;
        };
        let word = match kind {
            "Complete" => "Complete",
            "Suspended" => "Suspended",
            _ => "Failed",
        };
        let message = if word == "Complete" {
            String::new()
        } else {
            [found.reason.as_str(), found.message.as_str()]
                .into_iter()
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
                .join(": ")
        };
        return (word, found.last_transition_time.clone(), message);
    }
    let started = job
        .pointer("/status/startTime")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let active = job
        .pointer("/status/active")
        .and_then(Value::as_i64)
        .unwrap_or(0);
    let word = if active > 0 { "Running" } else { "Waiting" };
    (word, started, String::new())
}

impl Pod {
    fn of(found: &JobPod) -> Self {
        let text = |path: &str| {
            let text = found.pod.pointer(path).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let mut containers = Vec::new();
        for field in ["/status/initContainerStatuses", "/status/containerStatuses"] {
            let statuses = found.pod.pointer(field).and_then(Value::as_array);
            for status in statuses.into_iter().flatten() {
                containers.push(container(status, &found.logs));
            }
        }
        let message = text("/status/message");
        Self {
            name: text("/metadata/name"),
            phase: text("/status/phase"),
            message: if message.is_empty() && containers.is_empty() {
                unscheduled(&found.pod).unwrap_or_default()
            } else {
                message
            },
            containers,
        }
    }
}

/// What keeps a pod without containers waiting.
fn unscheduled(pod: &Value) -> Option<String> {
    let conditions = pod.pointer("/status/conditions")?.as_array()?;
    let waiting = conditions.iter().find(|c| c["status"] == "False")?;
    Some(waiting.get("message")?.as_str()?.to_owned())
}

fn container(status: &Value, logs: &[(String, Read<String>)]) -> Container {
    let text = |path: &str| status.pointer(path).and_then(Value::as_str);
    let name = text("/name").unwrap_or_default().to_owned();
    let exited = |path: &str| {
        let terminated = status.pointer(path).filter(|t| !t.is_null())?;
        let code = terminated.get("exitCode").and_then(Value::as_i64)?;
        let reason = terminated.get("reason").and_then(Value::as_str);
        // Error and Completed say no more than the code.
        let reason = reason.filter(|r| !["Error", "Completed", ""].contains(r));
        Some(match reason {
            Some(reason) => format!("exited {code} ({reason})"),
            None => format!("exited {code}"),
        })
    };
    let state = match (exited("/state/terminated"), text("/state/waiting/reason")) {
        (Some(exited), _) => exited,
        (None, Some(reason)) => {
            let mut words = format!("waits: {reason}");
            if let Some(message) = text("/state/waiting/message") {
                words.push_str(": ");
                words.push_str(message);
            }
            if let Some(before) = exited("/lastState/terminated") {
                words.push_str(", before that ");
                words.push_str(&before);
            }
            words
        }
        (None, None) if status.pointer("/state/running").is_some() => "runs".to_owned(),
        (None, None) => "waits".to_owned(),
    };
    let log = logs
        .iter()
        .find(|(of, _)| *of == name)
        .map(|(_, log)| log.clone());
    Container { name, state, log }
}
