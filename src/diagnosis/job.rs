//! What became of the creation Job: which pod ended how, and what its log says. Flux and Helm say only that the Job failed.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use crate::advice::Command;
use crate::model::event::Event;
use crate::model::job::{self as model, CouchFailure, Disruption, containers, made_by};
use crate::snapshot::{CreationJob, Events, JobPod, Read, Snapshot, Why};
use serde_json::Value;

/// Lines of a log that are shown.
const LINES: usize = 5;

/// Codes of the rules that judge by the creation Job's pods: what they miss where not all of the pods are known.
pub const BY_PODS: [&str; 9] = [
    "SKVS301", "SKVS304", "SKVS305", "SKVS306", "SKVS307", "SKVS309", "SKVS316", "SKVS317",
    "SKVS318",
];

/// What the kubelet says while it has no image.
const NO_IMAGE: [&str; 5] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
];

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
}

/// Why the Job's newest pod does not end well.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// CouchDB says that the database exists (412).
    Exists(Death),
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
    },
    /// The kubelet cannot start a container for another reason, or refused the pod: a Secret is missing, the node is full.
    NotStarted {
        pod: Subject,
        reason: String,
        message: String,
    },
    /// No node takes the pod.
    Unscheduled { pod: Subject, message: String },
    /// A container still runs.
    Running { pod: Subject, running: Vec<String> },
    /// Nothing to tell.
    Nothing,
}

/// Why nothing is known of what the Job's pods did.
#[derive(Clone, Debug, PartialEq)]
pub enum Silent {
    /// The Job was not read.
    NotRead(Why),
    /// The Job is gone.
    Gone,
    /// Another HelmRelease, `namespace/name`, made a Job of the same name since: the old one and its pods are gone.
    Replaced(String),
    /// The Job is there and its pods were not read.
    PodsNotRead(Why),
    /// The Job is there and has no pods any more.
    PodsGone,
}

impl Silent {
    /// Why a check that needs the pods was not run.
    pub(super) fn why(&self) -> Why {
        Why::NotAsked(match self {
            Silent::NotRead(why) | Silent::PodsNotRead(why) => return why.clone(),
            Silent::Gone => "the Job is gone".to_owned(),
            Silent::Replaced(other) => format!("{other} has replaced the Job"),
            Silent::PodsGone => "they are gone".to_owned(),
        })
    }

    /// A sentence for a finding.
    pub fn sentence(&self) -> String {
        match self {
            Silent::NotRead(why) => format!("The Job was not read: {}.", why.clause()),
            Silent::Gone => "The Job is gone, and its log with it.".to_owned(),
            Silent::Replaced(other) => {
                format!("{other} has replaced the Job, and its log is gone.")
            }
            Silent::PodsNotRead(why) => format!("Its pods were not read: {}.", why.clause()),
            Silent::PodsGone => "Its pods are gone, and their logs with them.".to_owned(),
        }
    }
}

/// No pod of the Job could be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncreated {
    /// The Job, which may be gone.
    pub job: Subject,
    /// As the Job controller's event tells it.
    pub why: String,
    pub gone: bool,
}

/// What the sidecar does that keeps a Job from its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Sidecar {
    /// The Job's own containers are through, and the sidecar runs on.
    RunsOn { pod: Subject, ended: Vec<String> },
    /// It does not get ready, and the Job's own containers wait for it.
    NotReady { pod: Subject, state: String },
}

/// The container that Istio puts into a pod.
const SIDECAR: &str = "istio-proxy";

/// The creation Job, as far as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The Job, if it was seen.
    pub subject: Option<Subject>,
    /// Its Failed condition: reason and message.
    pub failed: Option<(String, String)>,
    pub outcome: Outcome,
    /// Why its pods tell nothing.
    pub silent: Option<Silent>,
    /// It has no pod since none could be made.
    pub uncreated: Option<Uncreated>,
    /// Why it is not known whether a pod could be made.
    pub events_unread: Option<Why>,
    /// What its mesh sidecar does that keeps it from its end.
    pub sidecar: Option<Sidecar>,
    /// What became of each of its pods, oldest first.
    pub attempts: Vec<Outcome>,
}

impl Job {
    /// Reads what is there.
    pub fn read(snapshot: &Snapshot) -> Self {
        let nothing = |silent| Self {
            subject: None,
            failed: None,
            outcome: Outcome::Nothing,
            silent: Some(silent),
            uncreated: None,
            events_unread: None,
            sidecar: None,
            attempts: Vec::new(),
        };
        let CreationJob { job, pods, events } = match &snapshot.creation_job {
            Read::Seen(found) => found,
            Read::Absent => {
                let events = snapshot.lost_job.as_ref().map(|lost| &lost.events);
                return Self {
                    uncreated: lost(snapshot),
                    events_unread: events.and_then(unread_events),
                    ..nothing(Silent::Gone)
                };
            }
            Read::Unknown(why) => {
                return Self {
                    events_unread: Some(why.clone()),
                    ..nothing(Silent::NotRead(why.clone()))
                };
            }
        };
        // Two onboardings for one database have one Job name: what the other's Job says is not about this one.
        if let Some(other) = made_by(job).filter(|id| *id != snapshot.helm_release.id()) {
            return nothing(Silent::Replaced(crate::text::one_line(&other)));
        }
        let subject = Subject::of(job, "Job");
        let uncreated = match (pods, events) {
            (Read::Seen(pods), _) if !pods.is_empty() => None,
            (_, Read::Seen(events)) => uncreated(&subject, events, false),
            _ => None,
        };
        // A pod that was seen could be made.
        let has_pods = pods.seen().is_some_and(|pods| !pods.is_empty());
        let events_unread = (!has_pods).then(|| unread_events(events)).flatten();
        let silent = match pods {
            _ if uncreated.is_some() => None,
            Read::Unknown(why) => Some(Silent::PodsNotRead(why.clone())),
            Read::Absent => Some(Silent::PodsGone),
            Read::Seen(pods) => pods.is_empty().then_some(Silent::PodsGone),
        };
        let pods: &[JobPod] = pods.seen().map_or(&[], Vec::as_slice);
        let attempts: Vec<Outcome> = pods.iter().rev().map(outcome).collect();
        Self {
            silent,
            uncreated,
            events_unread,
            sidecar: pods.iter().find_map(|p| sidecar(&p.pod)),
            subject: Some(subject),
            failed: model::failed(&model::conditions(job))
                .map(|c| (c.reason.clone(), c.message.clone())),
            outcome: judged(job, &attempts),
            attempts,
        }
    }

    /// The kubelet's own words on why the pod does not start.
    pub(super) fn not_started(&self) -> Option<(&Subject, Evidence, &str)> {
        let Outcome::NotStarted {
            pod,
            reason,
            message,
        } = &self.outcome
        else {
            return None;
        };
        let observed = format!("{reason}: {message}");
        let evidence = Evidence::new(pod.clone(), ".status", &observed);
        Some((pod, evidence, message))
    }

    /// Why the log of the container that died is missing.
    pub(super) fn log_missing(&self) -> Option<Why> {
        self.death().and_then(|d| d.log_missing.clone())
    }

    /// The finding that the Job failed of `death`, with what was seen.
    pub(super) fn died(case: &Case<'_>, death: &Death, sentence: impl AsRef<str>) -> Finding {
        let subject = case.job_as_far_as_read().subject.clone();
        Finding::new(subject.unwrap_or_else(|| death.pod.clone()), sentence)
            .seen(case.seen_failure())
            .seen([death.evidence()])
    }

    /// Adds to a finding why no pod could be made, and what to do; nothing where that is not the case.
    pub fn tell_refusal(&self, finding: Finding) -> Finding {
        let Some(refused) = &self.uncreated else {
            return finding;
        };
        finding
            .why(format!("The Job's pod was refused: {}", refused.why))
            .seen([refused.evidence()])
            .step("Fix the reason for the refusal. The Job's events:")
            .command(refused.command())
    }

    /// The container that died, whatever for.
    pub fn death(&self) -> Option<&Death> {
        self.outcome.death()
    }

    /// The attempt before the newest that may have created the database although it ended badly: CouchDB can carry a request out
    /// whose answer is an error of its own, or is lost.
    pub(super) fn own_creation(&self) -> Option<&Death> {
        let first = |o: &Outcome| matches!(o, Outcome::Exists(_));
        let first = self.attempts.iter().position(first)?;
        let deaths = self.attempts[..first].iter().filter_map(Outcome::death);
        deaths
            .into_iter()
            .find(|death| !death.lost_race() && model::may_have_created(&death.lines.join("\n")))
    }

    /// An attempt before the one that found the database, and which may have created it: it was ended, and no log says how far it came.
    pub(super) fn silent_attempt(&self) -> Option<Subject> {
        let first = |o: &Outcome| matches!(o, Outcome::Exists(_));
        let first = self.attempts.iter().position(first)?;
        self.attempts[..first]
            .iter()
            .find_map(|outcome| match outcome {
                Outcome::Disrupted { pod, .. } => Some(pod.clone()),
                Outcome::OutOfMemory(death) => Some(death.pod.clone()),
                _ => {
                    let death = outcome
                        .death()
                        .filter(|d| d.log_missing.is_some() && !d.never_started());
                    death.map(|d| d.pod.clone())
                }
            })
    }

    /// The attempt to which CouchDB answered that another request created the database at the same time.
    pub(super) fn lost_race(&self) -> Option<&Death> {
        let mut deaths = self.attempts.iter().filter_map(Outcome::death);
        deaths.find(|death| death.lost_race())
    }
}

impl Uncreated {
    /// The event.
    pub fn evidence(&self) -> Evidence {
        let observed = format!("FailedCreate: {}", self.why);
        Evidence::new(self.job.clone(), "events", &observed)
    }

    /// Shows the Job's events.
    pub fn command(&self) -> Command {
        let Subject {
            namespace, name, ..
        } = &self.job;
        let of = format!("involvedObject.kind=Job,involvedObject.name={name}");
        let words: &[&str] = if self.gone {
            &["get", "events", "-n", namespace, "--field-selector", &of]
        } else {
            &["describe", "-n", namespace, "job", name]
        };
        Command::new(["kubectl"]).args(words)
    }
}

/// Adds how to see whether the database exists before anything is tried again.
pub(super) fn existing(case: &Case<'_>, finding: Finding) -> Finding {
    match case.database() {
        Some(database) => finding
            .step("See first whether the database exists:")
            .command(["kubectl", "skvs", "databases", &database]),
        None => finding,
    }
}

impl Death {
    /// The runtime could not run the container's command.
    pub(super) fn never_started(&self) -> bool {
        ["StartError", "ContainerCannotRun"].contains(&self.reason.as_str())
    }

    /// `500 {"error":"error","reason":"conflict"}`: another request was faster.
    fn lost_race(&self) -> bool {
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

/// What keeps the Job controller from making a pod: a quota, a policy, a ServiceAccount that is not there. The newest of its
/// events tells, unless a pod was made after it.
fn uncreated(job: &Subject, events: &Events, gone: bool) -> Option<Uncreated> {
    let mut newest_first = events.known.iter().rev().map(Event::from_value);
    let newest =
        newest_first.find(|e| ["FailedCreate", "SuccessfulCreate"].contains(&e.reason.as_str()))?;
    let why = newest.message.strip_prefix("Error creating: ");
    (newest.reason == "FailedCreate").then(|| Uncreated {
        job: job.clone(),
        why: crate::text::one_line(why.unwrap_or(&newest.message)),
        gone,
    })
}

/// Why the events, or some of them, are not known.
fn unread_events(events: &Read<Events>) -> Option<Why> {
    match events {
        Read::Seen(events) => events.not_all.clone(),
        Read::Absent => None,
        Read::Unknown(why) => Some(why.clone()),
    }
}

/// What the events of a Job that is gone tell.
fn lost(snapshot: &Snapshot) -> Option<Uncreated> {
    let lost = snapshot.lost_job.as_ref()?;
    let job = Subject::new("Job", &lost.namespace, &lost.name);
    uncreated(&job, lost.events.seen()?, true)
}

/// What the pod's sidecar does that keeps the Job from its end.
fn sidecar(pod: &Value) -> Option<Sidecar> {
    let proxy = containers(pod).find(|c| c.name() == SIDECAR)?;
    let own = || containers(pod).filter(|c| c.name() != SIDECAR);
    let ended = || own().filter(|c| c.ended().is_some());
    let subject = Subject::of(pod, "Pod");
    if proxy.is_running() && own().all(|c| c.ended().is_some_and(|e| e.exit_code == 0)) {
        return (ended().next().is_some()).then(|| Sidecar::RunsOn {
            pod: subject,
            ended: ended().map(|c| c.name().to_owned()).collect(),
        });
    }
    let state = match (proxy.waiting(), proxy.ended().or(proxy.ended_before())) {
        _ if proxy.is_ready() => return None,
        (_, Some(ended)) if ended.exit_code != 0 => format!("exited {}", ended.exit_code),
        _ if proxy.is_running() => "is running but not ready".to_owned(),
        _ => return None,
    };
    let waits = own().any(|c| !c.has_run() || c.is_running());
    waits.then_some(Sidecar::NotReady {
        pod: subject,
        state,
    })
}

/// The first container of the pod that ended badly. A sidecar that ends badly after its pod's work is no cause.
fn death(pod: &JobPod) -> Option<Death> {
    let (container, ended) = containers(&pod.pod)
        .filter(|c| c.name() != SIDECAR)
        .find_map(|c| Some((c.name().to_owned(), c.ended_badly()?)))?;
    let log = pod
        .logs
        .iter()
        .find(|(name, _)| *name == container)
        .map(|(_, log)| log);
    let (log, log_missing) = match log {
        Some(Read::Seen(log)) => (log.as_str(), None),
        Some(Read::Unknown(why)) => ("", Some(why.clone())),
        Some(Read::Absent) => ("", Some(Why::NotAsked("it is gone".to_owned()))),
        None => ("", Some(Why::NotAsked("it was not read".to_owned()))),
    };
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
        pod: Subject::of(&pod.pod, "Pod"),
        container,
        exit_code: ended.exit_code,
        reason: ended.reason.to_owned(),
        // A termination message that speaks is as good as the log.
        log_missing: log_missing.filter(|_| lines.is_empty()),
        lines,
    })
}

/// The attempt that says most: that the database exists holds whatever a later attempt met; otherwise the newest that says anything.
/// The pods of a Job that ended well say nothing against it.
fn judged(job: &Value, attempts: &[Outcome]) -> Outcome {
    if model::is_complete(job) {
        return Outcome::Nothing;
    }
    let exists = |o: &&Outcome| matches!(o, Outcome::Exists(_));
    let newest = attempts.iter().rfind(|o| **o != Outcome::Nothing);
    let told = attempts.iter().rfind(exists).or(newest);
    told.cloned().unwrap_or(Outcome::Nothing)
}

impl Outcome {
    /// The container that died, whatever of.
    pub(super) fn death(&self) -> Option<&Death> {
        match self {
            Outcome::Exists(d)
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

fn outcome(pod: &JobPod) -> Outcome {
    let death = death(pod).map(classify);
    // A container that ended by itself, with an answer in its log, says more than what befell its pod afterwards.
    let speaks = death.as_ref().is_some_and(|d| match d {
        Outcome::Died(death) => ![137, 143].contains(&death.exit_code),
        _ => true,
    });
    if let Some((by, message)) = model::disruption(&pod.pod).filter(|_| !speaks) {
        return Outcome::Disrupted {
            pod: Subject::of(&pod.pod, "Pod"),
            by,
            message,
        };
    }
    if let Some(death) = death {
        return death;
    }
    let subject = Subject::of(&pod.pod, "Pod");
    for c in containers(&pod.pod) {
        let Some(waiting) = c.waiting().filter(|w| NO_IMAGE.contains(&w.reason)) else {
            continue;
        };
        return Outcome::NoImage {
            pod: subject,
            container: c.name().to_owned(),
            image: c.image().to_owned(),
            reason: waiting.reason.to_owned(),
            message: waiting.message.to_owned(),
        };
    }
    if let Some(message) = model::unscheduled(&pod.pod) {
        return Outcome::Unscheduled {
            pod: subject,
            message,
        };
    }
    if let Some((reason, message)) = model::not_started(&pod.pod) {
        return Outcome::NotStarted {
            pod: subject,
            reason,
            message,
        };
    }
    let running: Vec<String> = containers(&pod.pod)
        .filter(|c| c.is_running())
        .map(|c| c.name().to_owned())
        .collect();
    if running.is_empty() {
        return Outcome::Nothing;
    }
    Outcome::Running {
        pod: subject,
        running,
    }
}

/// Sorts a death by what the log says; the exit code alone names no cause.
fn classify(death: Death) -> Outcome {
    match model::couch_failure(&death.lines.join("\n")) {
        Some(CouchFailure::Exists) => Outcome::Exists(death),
        Some(CouchFailure::Refused) => Outcome::Refused(death),
        Some(CouchFailure::Unreachable) => Outcome::Unreachable(death),
        None if death.reason == "OOMKilled" => Outcome::OutOfMemory(death),
        None => Outcome::Died(death),
    }
}
