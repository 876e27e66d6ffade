//! Why a pod of the creation Job does not end well, as its status and its log say, and which of several attempts says most.

use super::sidecar::{self, SIDECAR};
use crate::diagnosis::finding::{Evidence, Subject};
use crate::model::creation_log::{CouchFailure, couch_failure};
use crate::model::event::Event;
use crate::model::job::Job;
use crate::model::kubelet::{self, StartFailure};
use crate::model::pod::{Disruption, Pod};
use crate::snapshot::{JobPod, Why};

/// Lines of a log that are shown.
const LINES: usize = 5;

/// A container that ended badly.
#[derive(Clone, Debug, PartialEq)]
pub struct Death {
    pub pod: Subject,
    pub container: String,
    pub exit_code: i64,
    /// `Error`, `OOMKilled`, …
    pub reason: String,
    /// The last lines of its log, or of its termination message.
    pub lines: Vec<String>,
    /// Why the log is not known.
    pub log_missing: Option<Why>,
    /// Whether the pod has the mesh's sidecar; `None` where not all of its containers are known.
    pub has_sidecar: Option<bool>,
    /// Where the pod ran.
    pub node: Option<String>,
    /// Why its program could not be run, where the runtime or a shell says it.
    pub start: Option<Box<StartFailure>>,
}

/// Why the Job's newest pod does not end well.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// CouchDB says that the database exists (412).
    Exists(Death),
    /// The mesh refused the request before CouchDB saw it (403).
    Denied(Death),
    /// CouchDB refused the credentials (401, 403).
    Refused(Death),
    /// No answer from CouchDB.
    Unreachable(Death),
    /// The container ended badly for another reason.
    Died(Death),
    /// The container used more memory than its limit.
    OutOfMemory(Death),
    /// Kubernetes ended the pod.
    Disrupted {
        pod: Subject,
        by: Disruption,
        /// Kubernetes' own words.
        message: String,
    },
    /// The kubelet has no image.
    NoImage {
        pod: Subject,
        container: String,
        image: String,
        reason: String,
        message: String,
        /// What the registry said, as the pod's events have it.
        answer: Option<String>,
        /// Where the pod is; empty where that is not known.
        node: String,
        /// The Secrets that the pod names for the pull.
        secrets: Vec<String>,
        /// Those of them that the kubelet could not get.
        without: Vec<String>,
    },
    /// The kubelet cannot start a container for another reason, or refused the pod: a Secret is missing, the node is full.
    NotStarted {
        pod: Subject,
        reason: String,
        message: String,
        /// The runtime's own reason, where it is one.
        start: Option<Box<StartFailure>>,
    },
    /// No node takes the pod.
    Unscheduled { pod: Subject, message: String },
    /// A container still runs.
    Running { pod: Subject, running: Vec<String> },
    /// Nothing is wrong with it, or nothing is known.
    Nothing,
}

impl Death {
    /// The runtime could not run the container's command.
    pub(in crate::diagnosis) fn never_started(&self) -> bool {
        ["StartError", "ContainerCannotRun"].contains(&self.reason.as_str())
    }

    /// The last words of its program, from the termination message and the log. Empty where the program never ran: the message is then the
    /// container runtime's, and must not be read as an answer of CouchDB.
    pub(in crate::diagnosis) fn said(&self) -> String {
        match self.never_started() {
            true => String::new(),
            false => self.lines.join("\n"),
        }
    }

    /// Its log has the JSON of CouchDB's answer.
    fn quotes_couchdb(&self) -> bool {
        let is_answer = |l: &String| l.contains("\"error\":\"") && l.contains("\"reason\":\"");
        self.lines.iter().any(is_answer)
    }

    /// `500 {"error":"error","reason":"conflict"}`: another request was faster.
    pub(super) fn lost_race(&self) -> bool {
        self.lines
            .iter()
            .any(|l| l.contains("\"reason\":\"conflict\""))
    }

    /// The exit code and the end of the log.
    pub fn evidence(&self) -> Evidence {
        let reason = match self.reason.as_str() {
            "" | "Error" => String::new(),
            other => format!(" ({other})"),
        };
        let observed = format!(
            "container {} exited {}{reason}",
            self.container, self.exit_code
        );
        let field = format!(".status.containerStatuses[{}], log", self.container);
        Evidence::new(self.pod.clone(), &field, &observed).lines(&self.lines)
    }
}

impl Outcome {
    /// The container that died, whatever of.
    pub(in crate::diagnosis) fn death(&self) -> Option<&Death> {
        match self {
            Outcome::Exists(d)
            | Outcome::Denied(d)
            | Outcome::Refused(d)
            | Outcome::Unreachable(d)
            | Outcome::OutOfMemory(d)
            | Outcome::Died(d) => Some(d),
            Outcome::Disrupted { .. }
            | Outcome::NoImage { .. }
            | Outcome::NotStarted { .. }
            | Outcome::Unscheduled { .. }
            | Outcome::Running { .. }
            | Outcome::Nothing => None,
        }
    }
}

/// The attempt that says most: that the database exists holds whatever a later attempt met; otherwise the newest that says anything.
/// The pods of a Job that ended well say nothing against it.
pub(super) fn weigh(job: &Job, attempts: &[Outcome]) -> Outcome {
    if job.is_complete() == Some(true) {
        return Outcome::Nothing;
    }
    let exists = |o: &&Outcome| matches!(o, Outcome::Exists(_));
    let newest = attempts.iter().rfind(|o| **o != Outcome::Nothing);
    let told = attempts.iter().rfind(exists).or(newest);
    // One that ended in the same way, and whose log has CouchDB's own words, says more than a bare status.
    let in_words = |o: &&Outcome| {
        let alike = |newest: &Outcome| std::mem::discriminant(newest) == std::mem::discriminant(*o);
        told.is_some_and(alike) && o.death().is_some_and(Death::quotes_couchdb)
    };
    let bare = told
        .and_then(Outcome::death)
        .is_some_and(|d| !d.quotes_couchdb());
    let told = attempts.iter().rfind(in_words).filter(|_| bare).or(told);
    told.cloned().unwrap_or(Outcome::Nothing)
}

/// Why a pod does not end well. `events` are those of the Job and of all its pods, newest last.
pub(super) fn judge(found: &JobPod, events: &[Event]) -> Outcome {
    let pod = &found.pod;
    let death = death(found).map(classify);
    // A container that ended by itself, with an answer in its log, says more than what befell its pod afterwards.
    let speaks = death.as_ref().is_some_and(|d| match d {
        Outcome::Died(death) => ![137, 143].contains(&death.exit_code),
        _ => true,
    });
    let subject = Subject::from(&pod.meta);
    if let Some((by, message)) = pod.disruption().filter(|_| !speaks) {
        return Outcome::Disrupted {
            pod: subject,
            by,
            message: message.to_owned(),
        };
    }
    if let Some(death) = death {
        return death;
    }
    for c in &pod.containers.known {
        let Some(waiting) = c.waiting() else {
            continue;
        };
        if kubelet::is_about_image(&waiting.reason) {
            return Outcome::NoImage {
                pod: subject,
                container: c.name.clone(),
                image: c.image.text().to_owned(),
                reason: waiting.reason.clone(),
                message: waiting.message.clone(),
                node: pod.node.text().to_owned(),
                without: kubelet::lost_pull_secrets(&own_events(pod, events)).unwrap_or_default(),
                secrets: pod.pull_secrets().map(str::to_owned).collect(),
                answer: kubelet::pull_failure(&own_events(pod, events), c.image.text())
                    .filter(|_| waiting.reason == "ImagePullBackOff")
                    .map(str::to_owned),
            };
        }
    }
    if let Some(message) = pod.unscheduled() {
        return Outcome::Unscheduled {
            pod: subject,
            message: message.to_owned(),
        };
    }
    if let Some((reason, message)) = pod.not_started() {
        return Outcome::NotStarted {
            pod: subject,
            reason: reason.to_owned(),
            message: message.to_owned(),
            start: not_started(pod, pod.waits_with(message), message),
        };
    }
    let running = pod.containers.known.iter().filter(|c| c.is_running());
    let running: Vec<String> = running.map(|c| c.name.clone()).collect();
    if running.is_empty() {
        // A volume that cannot be mounted is in the pod's events alone.
        return match kubelet::refusal(&own_events(pod, events)).filter(|_| pod.is_to_start()) {
            Some(refusal) => Outcome::NotStarted {
                pod: subject,
                reason: refusal.reason.clone(),
                message: refusal.message.clone(),
                start: not_started(pod, refusal.container.as_deref(), &refusal.message),
            },
            None => Outcome::Nothing,
        };
    }
    Outcome::Running {
        pod: subject,
        running,
    }
}

/// Why a container could not be started, by the words of the kubelet.
fn not_started(pod: &Pod, container: Option<&str>, said: &str) -> Option<Box<StartFailure>> {
    let container = container.filter(|name| !sidecar::is_of_mesh(name))?;
    StartFailure::of_message(pod, container, said).map(Box::new)
}

/// The events of this pod, not those of a former one of its name.
fn own_events(pod: &Pod, events: &[Event]) -> Vec<Event> {
    let name = format!("Pod/{}", pod.meta.name);
    let is_own = |event: &&Event| {
        let known = !event.uid.is_empty() && !pod.meta.uid.is_empty();
        event.object == name && (!known || event.uid == pod.meta.uid)
    };
    events.iter().filter(is_own).cloned().collect()
}

/// The first container of the pod that failed. A sidecar that fails after its pod's work is not a cause.
fn death(found: &JobPod) -> Option<Death> {
    let pod = &found.pod;
    let mut own = pod.containers.known.iter().filter(|c| c.name != SIDECAR);
    let (container, ended) = own.find_map(|c| Some((&c.name, c.ended_badly()?)))?;
    let (log, log_missing) = match found.log(container) {
        Some(Ok(Some(log))) => (log.as_str(), None),
        Some(Err(unread)) => ("", Some(unread.why)),
        Some(Ok(None)) => ("", Some(Why::NotAsked("it is gone".to_owned()))),
        None => ("", Some(Why::NotAsked("it was not read".to_owned()))),
    };
    let is_own = !sidecar::is_of_mesh(container);
    let start = StartFailure::of_end(pod, container, ended, log).filter(|_| is_own);
    let mut lines: Vec<String> = ended
        .message
        .lines()
        .chain(log.lines())
        .map(str::trim_end)
        .filter(|l| !l.is_empty())
        .map(str::to_owned)
        .collect();
    lines.drain(..lines.len().saturating_sub(LINES));
    Some(Death {
        pod: Subject::from(&pod.meta),
        container: container.clone(),
        exit_code: ended.exit_code,
        reason: ended.reason.clone(),
        // A termination message that speaks is as good as the log.
        log_missing: log_missing.filter(|_| lines.is_empty()),
        has_sidecar: sidecar::is_in(pod),
        node: pod.node.as_str().map(crate::text::one_line),
        start: start.map(Box::new),
        lines,
    })
}

/// Sorts a death by what the log says; the exit code alone names no cause.
fn classify(death: Death) -> Outcome {
    // Istio's containers speak of the mesh, not of CouchDB.
    let said = couch_failure(&death.said());
    match said.filter(|_| !sidecar::is_of_mesh(&death.container)) {
        Some(CouchFailure::Exists) => Outcome::Exists(death),
        Some(CouchFailure::Denied) => Outcome::Denied(death),
        Some(CouchFailure::Refused) => Outcome::Refused(death),
        Some(CouchFailure::Unreachable) => Outcome::Unreachable(death),
        None if death.reason == "OOMKilled" => Outcome::OutOfMemory(death),
        None => Outcome::Died(death),
    }
}
