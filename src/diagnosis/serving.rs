//! Why a pod is not serving, by its status, its events and the end of its log, and the step that fits the reason.

mod hints;
pub(super) mod pull;

pub use hints::hints;
pub(super) use hints::of_finding;

use self::pull::Pull;
use super::finding::{Evidence, Finding, Subject};
use super::object_commands;
use super::start::{self, Defined};
use crate::model::condition::Condition;
use crate::model::couch_log;
use crate::model::event::Event;
use crate::model::kubelet::{self, StartFailure, Trouble};
use crate::model::last_words::{Kind, LastWords};
use crate::model::pod::{Container, Ended, Pod};
use crate::snapshot::{Checked, IfRead, Listing, ServingPod, Why, why_not_all};
use crate::text::scrub::scrub;
use crate::text::thousands;
use k8s_openapi::jiff::Timestamp;

/// The most pods that are shown.
pub(super) const SHOWN: usize = 3;

/// Why one pod is not serving.
pub(super) struct Reason<'a> {
    /// `container exporter: ImagePullBackOff: …`
    pub(super) why: String,
    remedy: Remedy<'a>,
    /// The end of the log of the container that ended.
    words: Option<LastWords>,
    /// How the run before the present one ended.
    before: Option<String>,
    /// Parts that may say more, and are not known.
    unread: Vec<String>,
}

/// What would make it serve.
enum Remedy<'a> {
    /// The container used more memory than its limit, if it has one.
    Memory {
        container: &'a str,
        is_limited: bool,
    },
    /// The probe fails: what the kubelet says of it, and whether it restarts the container for it.
    Probe {
        kind: &'static str,
        said: &'a str,
        container: &'a str,
        is_killed: bool,
        /// The seconds that it waits for an answer.
        timeout: Option<i64>,
        /// The milliseconds after which CouchDB answered it with 200, according to its log.
        answered: Option<u64>,
    },
    /// The kubelet changes the group of the files of a volume.
    Group {
        pod: &'a Pod,
    },
    /// No node takes it, in the scheduler's words.
    Unscheduled(&'a str),
    /// The container ended by itself, and has a log of that run.
    Crash {
        container: &'a str,
        /// A later run has begun, or is to begin.
        is_previous: bool,
    },
    /// It has no image.
    Pull(Pull<'a>),
    /// The runtime cannot run its program.
    Start(Box<StartFailure>),
    Describe,
}

/// A pod with the reason.
pub(super) struct Unserving<'a> {
    pub(super) subject: Subject,
    pub(super) reason: Reason<'a>,
    /// Only its name gives it to the workload.
    pub(super) is_doubtful: bool,
}

/// By its status alone; `None` if it is ready or gives no reason.
pub(super) fn of_status(pod: &Pod) -> Option<Reason<'_>> {
    judge(pod, &[])
}

/// By its status, its events and its log; `None` if it is ready or is being deleted.
pub(super) fn of_serving(found: &ServingPod) -> Option<Unserving<'_>> {
    let (pod, events, log) = (&found.pod, found.events(), found.log());
    if pod.is_ready() || !pod.meta.deleted.is_absent() {
        return None;
    }
    // Events and logs that were not read are added to `unread` below.
    let events_known = events.clone().if_read().map_or(&[][..], Listing::known);
    let mut reason = judge(pod, events_known).unwrap_or_else(|| unexplained(pod));
    if !pod.has_whole_status() {
        reason.remedy = Remedy::Describe;
        let malformed = "Its status has malformed fields.";
        reason.unread.push(malformed.to_owned());
    }
    match &mut reason.remedy {
        Remedy::Crash { container, .. } => {
            let own = log
                .clone()
                .if_read()
                .filter(|log| log.container == *container);
            reason.words = own.and_then(|log| LastWords::parse(&log.text));
            reason
                .unread
                .extend(unread("log", log.err().map(|unread| unread.why)));
            let ended = pod.culprit().and_then(Container::end);
            let start = own
                .zip(ended)
                .and_then(|(log, end)| StartFailure::of_end(pod, container, end, &log.text));
            if let Some(start) = start {
                reason.remedy = Remedy::Start(Box::new(start));
            }
        }
        Remedy::Probe {
            container,
            said,
            timeout,
            answered,
            ..
        } => {
            let own = log
                .clone()
                .if_read()
                .filter(|log| log.container == *container);
            let words = own.and_then(|log| LastWords::parse(&log.text));
            // What it writes while it waits is not the reason.
            reason.words = words.filter(|words| words.kind != Kind::Last);
            *answered = own.and_then(|log| couch_log::slowest_up(&log.text));
            let is_too_late = |millis: &u64| {
                let timeout = timeout.and_then(|seconds| u64::try_from(seconds).ok());
                timeout.is_some_and(|seconds| *millis >= seconds.saturating_mul(1000))
            };
            *answered = answered.filter(|millis| kubelet::is_late(said) && is_too_late(millis));
            reason
                .unread
                .extend(unread("log", log.err().map(|unread| unread.why)));
        }
        // Which Secrets the kubelet could read is in the events.
        Remedy::Pull(Pull {
            trouble: Some(trouble),
            ..
        }) if *trouble != Trouble::Refused => {}
        Remedy::Memory { .. }
        | Remedy::Unscheduled(_)
        | Remedy::Group { .. }
        | Remedy::Start(_) => {}
        Remedy::Pull(_) | Remedy::Describe => {
            reason.unread.extend(unread("events", why_not_all(events)));
        }
    }
    Some(Unserving {
        subject: Subject::from(&pod.meta),
        reason,
        is_doubtful: false,
    })
}

/// One that should have been gone by now: `metadata.deletionTimestamp` includes its grace period.
fn overdue(pod: &Pod, now: Timestamp) -> Option<Unserving<'_>> {
    let due = pod.meta.deleted.as_str()?;
    let is_overdue = due.parse::<Timestamp>().is_ok_and(|due| due < now);
    let why = format!("it is being deleted and should have been gone at {due}");
    is_overdue.then(|| Unserving {
        subject: Subject::from(&pod.meta),
        reason: Reason::new(&why, Remedy::Describe),
        is_doubtful: false,
    })
}

fn unread(part: &str, why: Option<Why>) -> Option<String> {
    let why = why.filter(|why| !matches!(why, Why::NotNeeded(_)))?;
    let verb = if part == "log" { "was" } else { "were" };
    Some(format!("Its {part} {verb} not read: {}.", why.clause()))
}

fn judge<'a>(pod: &'a Pod, events: &'a [Event]) -> Option<Reason<'a>> {
    if let Some(container) = pod.culprit() {
        return Some(of_culprit(pod, container, events));
    }
    if let Some(said) = pod.unscheduled() {
        return Some(Reason::new(
            &format!("it cannot be scheduled: {said}"),
            Remedy::Unscheduled(said),
        ));
    }
    let condition = pod.unready();
    if let Some(container) = pod.unready_container().filter(|_| !pod.is_over()) {
        return Some(of_running(pod, container, condition, events));
    }
    if let Some(ready) = condition.filter(|_| pod.starting().is_none()) {
        let why = match (ready.message.as_str(), ready.reason.as_str()) {
            ("", "") if pod.has_ready_containers() => {
                format!(
                    "it is running but not ready; {} may be unreachable",
                    its_node(pod)
                )
            }
            ("", "") => "it is running but not ready".to_owned(),
            ("", said) | (said, _) => format!("it is running but not ready: {said}"),
        };
        return Some(Reason::new(&why, Remedy::Describe));
    }
    let not_started = pod.not_started();
    if let Some((why, message)) = not_started.filter(|(why, _)| pod.starting() != Some(why)) {
        let remedy = unstarted(pod, pod.waits_with(message), message);
        return Some(Reason::new(&format!("{why}: {message}"), remedy));
    }
    if let Some(event) = kubelet::setting_group(events) {
        let why = match pod.group_of_every_file() {
            Some(group) => format!(
                "the kubelet gives every file of a volume the group {group} before the pod starts (securityContext.fsGroup): {}",
                event.message
            ),
            None => format!(
                "the kubelet changes the group of a volume's files before the pod starts: {}",
                event.message
            ),
        };
        return Some(Reason::new(&why, Remedy::Group { pod }));
    }
    let event = kubelet::refusal(events)?;
    let why = format!("{}: {}", event.reason, event.message);
    let remedy = unstarted(pod, event.container.as_deref(), &event.message);
    Some(Reason::new(&why, remedy))
}

/// Of a container that the kubelet does not start, in its own words.
fn unstarted<'a>(pod: &Pod, container: Option<&str>, said: &str) -> Remedy<'a> {
    let failure = container.and_then(|name| StartFailure::of_message(pod, name, said));
    failure.map_or(Remedy::Describe, |failure| Remedy::Start(Box::new(failure)))
}

/// Of a container that does not start, or has ended.
fn of_culprit<'a>(pod: &'a Pod, container: &'a Container, events: &'a [Event]) -> Reason<'a> {
    let name = container.name.as_str();
    let waiting = container.waiting().map(|w| match w.message.as_str() {
        "" => w.reason.clone(),
        message => format!("{}: {message}", w.reason),
    });
    let ended = container.end().map(|end| exit(pod, container, end));
    let said: Vec<String> = [waiting, ended].into_iter().flatten().collect();
    let said = format!("container {name}: {}", said.join("; "));
    if container.end().is_some_and(Ended::is_out_of_memory) {
        let is_limited = pod.memory_limit(name).is_some();
        let remedy = Remedy::Memory {
            container: name,
            is_limited,
        };
        return Reason::new(&said, remedy);
    }
    if container.end().is_some()
        && let Some(killed) = killed(pod, container, &said, events)
    {
        return killed;
    }
    if let Some(pull) = Pull::of(pod, container, events) {
        let said = match pull.answer {
            Some(answer) => format!("{said}: {answer}"),
            None => said,
        };
        return Reason::new(&said, Remedy::Pull(pull));
    }
    let remedy = match container.has_crashed() {
        true => Remedy::Crash {
            container: name,
            is_previous: container.waiting().is_some(),
        },
        false => {
            let ended = container.end().filter(|end| !end.has_run());
            let said = ended.map(|end| end.message.as_str());
            let said = said.or(container.waiting().map(|w| w.message.as_str()));
            unstarted(pod, Some(name), said.unwrap_or_default())
        }
    };
    Reason::new(&said, remedy)
}

/// Of a container that runs and is not ready.
fn of_running<'a>(
    pod: &'a Pod,
    container: &'a Container,
    condition: Option<&Condition>,
    events: &'a [Event],
) -> Reason<'a> {
    let name = container.name.as_str();
    let before = container.ended_before();
    let said = before.map(|end| format!("container {name}: {}", exit(pod, container, end)));
    if let Some(said) = &said
        && let Some(killed) = killed(pod, container, said, events)
    {
        return killed;
    }
    // Another reason of the condition has nothing to do with a probe.
    let may_be_probe =
        condition.is_none_or(|c| ["", "ContainersNotReady"].contains(&c.reason.as_str()));
    let probes = [("readiness", "Readiness"), ("startup", "Startup")].into_iter();
    let mut probes = probes.filter(|_| may_be_probe);
    let failing =
        probes.find_map(|(kind, probe)| Some((kind, kubelet::failing(events, probe, container)?)));
    let reason = match (failing, condition.map(|c| c.message.as_str())) {
        (Some((kind, said)), _) => {
            let remedy = Remedy::Probe {
                kind,
                said,
                container: name,
                is_killed: false,
                timeout: pod.probe_timeout(name, kind),
                answered: None,
            };
            let why = format!("it is running but not ready: its {kind} probe fails: {said}");
            Reason::new(&why, remedy)
        }
        (None, None | Some("")) => Reason::new("it is running but not ready", Remedy::Describe),
        (None, Some(said)) => {
            let why = format!("it is running but not ready: {said}");
            Reason::new(&why, Remedy::Describe)
        }
    };
    let before = before.filter(|end| end.exit_code != 0).map(|end| {
        let when = end.finished_at.set();
        let when = when.map_or_else(String::new, |when| format!(" at {when}"));
        let exit = exit(pod, container, end);
        format!("The run of container {name} before this one ended{when}: {exit}.")
    });
    Reason { before, ..reason }
}

/// The kubelet restarts the container for a probe.
fn killed<'a>(
    pod: &'a Pod,
    container: &'a Container,
    said: &str,
    events: &'a [Event],
) -> Option<Reason<'a>> {
    let (kind, probe) = kubelet::killed(events, pod, container)?;
    let why =
        format!("{said}; the kubelet keeps restarting it because its {kind} probe fails: {probe}");
    let remedy = Remedy::Probe {
        kind,
        said: probe,
        container: &container.name,
        is_killed: true,
        timeout: pod.probe_timeout(&container.name, kind),
        answered: None,
    };
    Some(Reason::new(&why, remedy))
}

/// Of a pod whose status, events and log do not say why it is not ready.
fn unexplained(pod: &Pod) -> Reason<'_> {
    let why = match (pod.starting(), pod.unheard()) {
        _ if !pod.has_whole_status() => "it is not known whether it is ready".to_owned(),
        _ if pod.is_over() => format!("it has ended ({})", pod.phase.text()),
        (_, Some(condition)) => {
            let said = [&condition.reason, &condition.message];
            let said = said.into_iter().find(|text| !text.is_empty());
            let said = said.map_or_else(String::new, |said| format!(" ({said})"));
            let node = its_node(pod);
            format!("it is not known whether it is ready{said}; {node} may be unreachable")
        }
        (Some(starting), None) => format!("it is starting: {starting}"),
        (None, None) => "it is not ready, and nothing says why".to_owned(),
    };
    Reason::new(&why, Remedy::Describe)
}

/// `its node worker-2`
fn its_node(pod: &Pod) -> String {
    match pod.node.text() {
        "" => "its node".to_owned(),
        node => format!("its node {node}"),
    }
}

/// `exited 137 (OOMKilled, memory limit 512Mi)`
fn exit(pod: &Pod, container: &Container, end: &Ended) -> String {
    let code = end.exit_code;
    match end.reason.as_str() {
        "" | "Error" => format!("exited {code}"),
        "OOMKilled" => match pod.memory_limit(&container.name) {
            Some(limit) => format!("exited {code} (OOMKilled, memory limit {limit})"),
            None => format!("exited {code} (OOMKilled)"),
        },
        reason if !end.has_run() && !end.message.is_empty() => {
            format!("exited {code} ({reason}: {})", end.message)
        }
        reason => format!("exited {code} ({reason})"),
    }
}

impl<'a> Reason<'a> {
    /// Programs write into events and termination messages what they write into their logs, credentials too.
    fn new(why: &str, remedy: Remedy<'a>) -> Self {
        Self {
            why: scrub(why).0.into_owned(),
            remedy,
            words: None,
            before: None,
            unread: Vec::new(),
        }
    }

    /// It may be that it only waits for other members: its probe gets 404, or says nothing.
    pub(super) fn may_wait_for_others(&self) -> bool {
        match self.remedy {
            Remedy::Probe { said, .. } => kubelet::is_not_found(said),
            Remedy::Describe => true,
            Remedy::Memory { .. }
            | Remedy::Unscheduled(_)
            | Remedy::Group { .. }
            | Remedy::Crash { .. }
            | Remedy::Start(_)
            | Remedy::Pull(_) => false,
        }
    }

    /// The end of its log, how it ended before, and what may say more and is not known.
    pub(super) fn whys(&self) -> impl Iterator<Item = String> {
        let last = |line: &str| format!("The last line of its log: {line}");
        let known = self.words.iter().filter_map(LastWords::meaning);
        let known = known.map(str::to_owned);
        let words = self.words.iter().flat_map(move |words| {
            let line = match words.kind {
                Kind::Panic => format!("Its log says why: {}", words.line),
                Kind::Error => format!("The last error in its log: {}", words.line),
                Kind::Last => last(&words.line),
            };
            let end = words.end.as_deref().map(last);
            std::iter::once(line).chain(end)
        });
        let start = match &self.remedy {
            Remedy::Start(failure) => start::whys(failure),
            _ => Vec::new(),
        };
        let start = start.into_iter().map(|why| scrub(&why).0.into_owned());
        start
            .chain(words)
            .chain(known)
            .chain(self.before.clone())
            .chain(self.unread.clone())
    }

    /// What was seen.
    pub(super) fn evidence(&self, of: &Subject, doubt: &str) -> Evidence {
        let observed = format!("{}{doubt}", self.why);
        let evidence = Evidence::new(of.clone(), ".status", &observed);
        evidence.lines(self.words.iter().map(|words| &words.line))
    }

    /// The step that fits the reason, with its command.
    pub(super) fn step(&self, finding: Finding, of: &Subject) -> Finding {
        let (namespace, name) = (of.namespace.as_str(), of.name.as_str());
        let describe = |finding: Finding, step: &str| {
            finding.step(step).command(object_commands::describe(of))
        };
        let log = |finding: Finding, step: &str, container: &str, run: &str| {
            let command = [
                "kubectl", "logs", "-n", namespace, name, "-c", container, run,
            ];
            finding.step(step).command(command)
        };
        match &self.remedy {
            Remedy::Memory {
                container,
                is_limited: true,
            } => describe(
                finding,
                &format!(
                    "Raise the memory limit of container {container}, or find out why it uses so much memory:"
                ),
            ),
            Remedy::Memory { .. } => describe(
                finding,
                "Check the memory of its node, or whether a limit is set:",
            ),
            Remedy::Probe { said, .. } if kubelet::refuses_login(said) => describe(
                finding,
                "Give the probe valid credentials, or point it at a path that needs none:",
            ),
            Remedy::Probe {
                kind,
                said,
                container,
                timeout,
                answered,
                is_killed,
            } if self.words.is_none()
                && kubelet::is_late(said)
                && (!is_killed || answered.is_some()) =>
            {
                let waits = match timeout {
                    Some(seconds) => format!("timeoutSeconds of its {kind} probe is {seconds}"),
                    None => format!("timeoutSeconds of its {kind} probe"),
                };
                match answered {
                    Some(millis) => describe(
                        finding,
                        &format!(
                            "CouchDB answers 200, but only after up to {} ms ({waits}). Raise timeoutSeconds where the container is defined, and find out what slows CouchDB down (CPU limit, disk, indexing):",
                            thousands(*millis)
                        ),
                    ),
                    None => log(
                        finding,
                        &format!(
                            "The probe gets no answer in time ({waits}). See in its log whether it answers later: then raise timeoutSeconds where the container is defined, and find out what slows it down. Restart the pod only if it hangs:"
                        ),
                        container,
                        "--tail=50",
                    ),
                }
            }
            Remedy::Probe {
                is_killed: true, ..
            } => describe(
                finding,
                "Find out why the probe fails. If the container is only slow, give it more time: a startupProbe, or a larger failureThreshold or timeoutSeconds of that probe:",
            ),
            Remedy::Probe {
                said, container, ..
            } if *container == "couchdb" && kubelet::is_not_found(said) => log(
                finding,
                "CouchDB answers 404 to /_up in maintenance mode, and until its system databases (_users, _replicator) exist: end the maintenance mode, or finish the cluster's setup. Its log:",
                container,
                "--tail=50",
            ),
            Remedy::Probe { container, .. } => log(
                finding,
                "Check its log to see why the probe fails; restart the pod if it hangs:",
                container,
                "--tail=50",
            ),
            Remedy::Crash {
                container,
                is_previous,
            } => {
                let words = self.words.as_ref();
                let finding = match words.and_then(LastWords::unserved_group) {
                    Some(group) => finding
                        .step("It uses an API version that the cluster's CRDs do not serve. Apply the CRDs of its release, or go back to the previous release. Served versions:")
                        .command(["kubectl", "api-resources", &format!("--api-group={group}")]),
                    None => finding,
                };
                let step = match words.map(|words| words.kind) {
                    Some(Kind::Panic) => {
                        "A panic is a bug in the program: update it, or go back to the previous version. Its last log:"
                    }
                    _ => "Read the log of the container's last run, and fix the error:",
                };
                let run = if *is_previous {
                    "--previous"
                } else {
                    "--tail=50"
                };
                log(finding, step, container, run)
            }
            Remedy::Pull(pull) => pull.step(finding, of),
            Remedy::Unscheduled(said) => match kubelet::scheduling_step(said) {
                Some(step) => describe(finding, &step),
                None => describe(finding, "Find out why no node takes it, and fix it:"),
            },
            Remedy::Group { pod } => {
                let finding = describe(
                    finding,
                    "Wait: the pod starts once the kubelet has changed all files. Do not delete the pod, which would begin again. The number of files in its events should grow:",
                );
                let place = match pod.stateful_set() {
                    Some(set) => format!("the pod template of StatefulSet {namespace}/{set}"),
                    None => "the pod's definition".to_owned(),
                };
                finding.steps(pod.group_of_every_file().map(|_| {
                    format!("So that later starts do not repeat it, set securityContext.fsGroupChangePolicy: OnRootMismatch in {place}: the kubelet then changes the files only if the volume's own folder has another group.")
                }))
            }
            Remedy::Start(failure) => describe(
                finding,
                &format!(
                    "{}. Its events say more:",
                    start::step(failure, Defined::Elsewhere)
                ),
            ),
            Remedy::Describe => match kubelet::remedy(&self.why) {
                Some(remedy) => describe(finding, &format!("{remedy}. Its events say more:")),
                None => describe(finding, "Find out why it is not ready, and fix it:"),
            },
        }
    }
}

/// Those pods that are not serving.
pub(super) fn unserving<'a>(
    pods: impl IntoIterator<Item = &'a ServingPod>,
    now: Timestamp,
) -> Vec<Unserving<'a>> {
    let pods = pods.into_iter();
    let found = pods.filter_map(|found| of_serving(found).or_else(|| overdue(&found.pod, now)));
    let mut found: Vec<Unserving<'_>> = found.collect();
    // A member that runs waits for those that do not.
    found.sort_by_key(|pod| matches!(pod.reason.remedy, Remedy::Probe { .. }));
    found.truncate(SHOWN);
    found
}

/// Adds those pods to the finding, and the step for the first of them.
pub(super) fn shown(finding: Finding, pods: &[Unserving<'_>]) -> Finding {
    let Some(first) = pods.first() else {
        return finding;
    };
    let mut finding = with_reasons(finding, pods);
    finding = first.reason.step(finding, &first.subject);
    finding
}

/// Adds those pods to the finding, without a step.
pub(super) fn with_reasons(mut finding: Finding, pods: &[Unserving<'_>]) -> Finding {
    let Some(first) = pods.first() else {
        return finding;
    };
    let why = first.reason.why.trim_end_matches('.');
    let doubt = if first.is_doubtful {
        " Only its name suggests whose it is."
    } else {
        ""
    };
    finding = finding.why(format!("{} is not serving: {why}.{doubt}", first.subject));
    for why in first.reason.whys() {
        finding = finding.why(why);
    }
    for pod in pods {
        let doubt = if pod.is_doubtful {
            super::controllers::PERHAPS
        } else {
            ""
        };
        finding = finding.seen([pod.reason.evidence(&pod.subject, doubt)]);
    }
    finding
}

/// Why pods were not read, if they would be needed.
pub(super) fn not_read<T>(pods: Checked<Option<&T>>, whose: &str) -> Option<String> {
    let unread = pods.err().filter(|unread| !unread.is_not_needed())?;
    Some(format!(
        "It is not known why {whose} is not serving, because its pods were not read: {}.",
        unread.why.clause()
    ))
}

#[cfg(test)]
mod tests;
