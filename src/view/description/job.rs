//! The creation Job, its pods and what they said.

use crate::model::event::Event;
use crate::model::job as model;
use crate::model::pod;
use crate::snapshot::{Checked, CreationJob, Events, IfRead, JobPod, Listing, LostJob, Read, Why};
use serde::Serialize;

/// The Job.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// `namespace/name`.
    pub id: String,
    /// `Complete`, `Failed`, `Suspended`, `Running`, `Waiting` or, where its status is malformed, `Unknown`.
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
    /// Set where these are not all: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods_not_read: Option<String>,
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
    pub(super) fn describe(lost: &LostJob) -> Self {
        Self {
            id: format!("{}/{}", lost.namespace, lost.name),
            events: events(lost.events()),
            events_not_read: not_all(lost.events()),
        }
    }
}

/// The events that were read.
pub(super) fn events(read: Checked<Option<&Events>>) -> Read<Vec<Event>> {
    Read::from(read).map(|all| all.known().to_vec())
}

/// Why they are not all.
pub(super) fn not_all<T>(read: Checked<Option<&Listing<T>>>) -> Option<String> {
    // Of those that were not read at all the list itself says so.
    read.if_read()?.not_all().map(Why::clause)
}

impl Job {
    /// `owner`: `namespace/name` of the HelmRelease that is described.
    pub(super) fn describe(found: &CreationJob, owner: &str) -> Self {
        let (state, since, message) = state(&found.job);
        Self {
            id: found.job.meta.id(),
            state,
            since,
            message,
            made_by: found.job.made_by().set().filter(|id| *id != owner).cloned(),
            pods: Read::from(found.pods())
                .map(|pods| pods.known().iter().map(Pod::describe).collect()),
            pods_not_read: not_all(found.pods()),
            events: events(found.events()),
            events_not_read: not_all(found.events()),
        }
    }
}

fn state(job: &model::Job) -> (&'static str, Option<String>, String) {
    if !job.conditions.are_whole() || job.active.is_malformed() {
        let fields = job.meta.malformed.join(", ");
        return ("Unknown", None, format!("malformed: {fields}"));
    }
    let found = [
        ("Complete", job.holds("Complete")),
        ("Failed", job.failed()),
        ("Suspended", job.holds("Suspended")),
    ];
    if let Some((word, found)) = found.into_iter().find_map(|(w, c)| Some((w, c?))) {
        let said = [found.reason.as_str(), found.message.as_str()];
        let said: Vec<&str> = said.into_iter().filter(|t| !t.is_empty()).collect();
        let message = if word == "Complete" {
            String::new()
        } else {
            said.join(": ")
        };
        return (word, found.last_transition_time.clone(), message);
    }
    let word = match job.active.set() {
        Some(1..) => "Running",
        _ => "Waiting",
    };
    (word, job.started.set().cloned(), String::new())
}

impl Pod {
    fn describe(found: &JobPod) -> Self {
        let pod = &found.pod;
        let containers = pod
            .containers
            .known
            .iter()
            .map(|status| container(status, found.log(&status.name)));
        let containers: Vec<Container> = containers.collect();
        let message = match pod.message.text() {
            _ if !pod.meta.malformed.is_empty() => {
                format!("malformed: {}", pod.meta.malformed.join(", "))
            }
            "" if containers.is_empty() => pod.unscheduled().unwrap_or_default().to_owned(),
            message => message.to_owned(),
        };
        Self {
            name: pod.meta.name.clone(),
            phase: pod.phase.text().to_owned(),
            message,
            containers,
        }
    }
}

fn container(status: &pod::Container, log: Option<Checked<Option<&String>>>) -> Container {
    let exited = |ended: &pod::Ended| match ended.reason.as_str() {
        // These say no more than the code.
        "" | "Error" | "Completed" => format!("exited {}", ended.exit_code),
        reason => format!("exited {} ({reason})", ended.exit_code),
    };
    let state = match (status.ended(), status.waiting()) {
        (Some(ended), _) => exited(ended),
        (None, Some(waiting)) => {
            let mut words = format!("waits: {}", waiting.reason);
            if !waiting.message.is_empty() {
                words.push_str(": ");
                words.push_str(&waiting.message);
            }
            if let Some(before) = status.ended_before() {
                words.push_str(", before that ");
                words.push_str(&exited(before));
            }
            words
        }
        (None, None) if status.is_running() => "runs".to_owned(),
        (None, None) => "waits".to_owned(),
    };
    Container {
        name: status.name.clone(),
        state,
        log: log.map(|log| Read::from(log).map(String::clone)),
    }
}
