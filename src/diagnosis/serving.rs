//! Why a pod does not serve, by its status, its events and the end of its log, and the step that fits the reason.

use super::finding::{Evidence, Finding, Subject};
use crate::model::event::Event;
use crate::model::kubelet;
use crate::model::last_words::{Kind, LastWords};
use crate::model::pod::{Container, Pod};
use crate::snapshot::{Listing, Read, ServingPod, Why};

/// The most pods that are shown.
pub(super) const SHOWN: usize = 3;

/// Why one pod does not serve.
pub(super) struct Reason<'a> {
    /// `container exporter: ImagePullBackOff: …`
    pub(super) why: String,
    remedy: Remedy<'a>,
    /// The end of the log of the container that ended.
    words: Option<LastWords>,
    /// A part that may say more, and was not read.
    unread: Option<String>,
}

/// What would make it serve.
enum Remedy<'a> {
    /// The container used more memory than its limit.
    Memory(&'a str),
    /// The probe fails: what the kubelet says of it, and whether it restarts the container for it.
    Probe {
        said: &'a str,
        container: Option<&'a str>,
        is_killed: bool,
    },
    /// The container ended by itself, and has a log of its last run.
    Crash(&'a str),
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

/// By its status, its events and its log. One that is being deleted goes anyway.
pub(super) fn of_serving(found: &ServingPod) -> Option<Unserving<'_>> {
    let ServingPod { pod, events, log } = found;
    if pod.is_ready() || !pod.meta.deleted.is_absent() {
        return None;
    }
    let events_known = events.seen().map_or(&[][..], Listing::known);
    let mut reason = judge(pod, events_known)?;
    match reason.remedy {
        Remedy::Crash(_) => {
            reason.words = log.seen().and_then(|log| LastWords::of(log));
            reason.unread = unread("log", log.unknown());
        }
        Remedy::Describe => {
            let not_all = events.seen().and_then(Listing::not_all);
            reason.unread = unread("events", events.unknown().or(not_all));
        }
        Remedy::Memory(_) | Remedy::Probe { .. } => {}
    }
    Some(Unserving {
        subject: Subject::from(&pod.meta),
        reason,
        is_doubtful: false,
    })
}

fn unread(part: &str, why: Option<&Why>) -> Option<String> {
    let why = why.filter(|why| !matches!(why, Why::NotNeeded(_)))?;
    let verb = if part == "log" { "was" } else { "were" };
    Some(format!("Its {part} {verb} not read: {}.", why.clause()))
}

fn judge<'a>(pod: &'a Pod, events: &'a [Event]) -> Option<Reason<'a>> {
    let containers = &pod.containers.known;
    let bad = containers
        .iter()
        .find(|c| !c.is_ready() && c.waiting().is_some_and(|w| is_bad(&w.reason)));
    let reason = |why: String, remedy| Reason {
        why,
        remedy,
        words: None,
        unread: None,
    };
    if let Some(container) = bad.or_else(|| pod.crashed()) {
        let name = container.name.as_str();
        let said = of_container(pod, container);
        if container.is_out_of_memory() {
            return Some(reason(said, Remedy::Memory(name)));
        }
        if let Some((kind, probe)) = kubelet::killed(events, name) {
            let why =
                format!("{said}; the kubelet restarts it, because its {kind} probe fails: {probe}");
            let remedy = Remedy::Probe {
                said: probe,
                container: Some(name),
                is_killed: true,
            };
            return Some(reason(why, remedy));
        }
        let ended = container.ended_before().or(container.ended());
        let remedy = match ended.filter(|e| e.exit_code != 0) {
            Some(_) => Remedy::Crash(name),
            None => Remedy::Describe,
        };
        return Some(reason(said, remedy));
    }
    if let Some(said) = pod.unscheduled() {
        return Some(reason(
            format!("no node takes it: {said}"),
            Remedy::Describe,
        ));
    }
    if let Some(said) = pod.unready() {
        let probe = kubelet::failing(events, "Readiness").map(|said| ("readiness", said));
        let probe = probe.or(kubelet::failing(events, "Startup").map(|said| ("startup", said)));
        if let Some((kind, probe)) = probe {
            let running = containers.iter().find(|c| c.is_running() && !c.is_ready());
            let remedy = Remedy::Probe {
                said: probe,
                container: running.map(|c| c.name.as_str()),
                is_killed: false,
            };
            let why = format!("it runs and is not ready: its {kind} probe fails: {probe}");
            return Some(reason(why, remedy));
        }
        let said = match said {
            "" => "it runs and is not ready".to_owned(),
            said => format!("it runs and is not ready: {said}"),
        };
        return Some(reason(said, Remedy::Describe));
    }
    if let Some((why, message)) = pod.not_started().filter(|(why, _)| is_bad(why)) {
        return Some(reason(format!("{why}: {message}"), Remedy::Describe));
    }
    let event = kubelet::refusal(events)?;
    let why = format!("{}: {}", event.reason, event.message);
    Some(reason(why, Remedy::Describe))
}

/// Reasons of a container to wait during a normal start.
fn is_bad(reason: &str) -> bool {
    !["ContainerCreating", "PodInitializing"].contains(&reason)
}

fn of_container(pod: &Pod, container: &Container) -> String {
    let waiting = container.waiting().map(|w| match w.message.as_str() {
        "" => w.reason.clone(),
        message => format!("{}: {message}", w.reason),
    });
    let ended = container.ended_badly().map(|e| match e.reason.as_str() {
        "" | "Error" => format!("exited {}", e.exit_code),
        "OOMKilled" => match pod.memory_limit(&container.name) {
            Some(limit) => format!("exited {} (OOMKilled, memory limit {limit})", e.exit_code),
            None => format!("exited {} (OOMKilled)", e.exit_code),
        },
        reason => format!("exited {} ({reason})", e.exit_code),
    });
    let said: Vec<String> = [waiting, ended].into_iter().flatten().collect();
    format!("container {}: {}", container.name, said.join("; "))
}

impl Reason<'_> {
    /// The end of its log, and what may say more and was not read.
    pub(super) fn whys(&self) -> impl Iterator<Item = String> {
        let words = self.words.iter().map(|words| match words.kind {
            Kind::Panic => format!("Its log says why: {}", words.line),
            Kind::Error => format!("Its log ends with an error: {}", words.line),
            Kind::Last => format!("The last line of its log: {}", words.line),
        });
        words.chain(self.unread.clone())
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
            let command = ["kubectl", "describe", "-n", namespace, "pod", name];
            finding.step(step).command(command)
        };
        let log = |finding: Finding, step: &str, container: &str, run: &str| {
            let command = [
                "kubectl", "logs", "-n", namespace, name, "-c", container, run,
            ];
            finding.step(step).command(command)
        };
        match &self.remedy {
            Remedy::Memory(container) => describe(
                finding,
                &format!(
                    "Raise the memory limit of container {container}, or find out what it needs so much for:"
                ),
            ),
            Remedy::Probe { said, .. } if kubelet::refuses_login(said) => describe(
                finding,
                "Give the probe credentials that are accepted, or have it ask a path that needs none:",
            ),
            Remedy::Probe {
                is_killed: true, ..
            } => describe(
                finding,
                "Find out why it does not answer, or give it more time if it is only slow: a startupProbe, or a larger failureThreshold or timeoutSeconds of that probe:",
            ),
            Remedy::Probe {
                container: Some(container),
                ..
            } => log(
                finding,
                "Find out in its log why it does not answer its probe; restart it if it hangs:",
                container,
                "--tail=50",
            ),
            Remedy::Probe { .. } => describe(finding, "Find out why it does not answer its probe:"),
            Remedy::Crash(container) => {
                let words = self.words.as_ref();
                let finding = match words.and_then(LastWords::unserved_group) {
                    Some(group) => finding
                        .step("It asks for a version that the cluster's CRDs do not have yet. Apply the CRDs of its own release, or go back to the release before. The versions that are served:")
                        .command(["kubectl", "api-resources", &format!("--api-group={group}")]),
                    None => finding,
                };
                let step = match words.map(|words| words.kind) {
                    Some(Kind::Panic) => {
                        "A panic is an error in the program itself: update it, or go back to the version before. Its last log:"
                    }
                    _ => "Read its container's last log, and fix the error in it:",
                };
                log(finding, step, container, "--previous")
            }
            Remedy::Describe => describe(finding, "Find out why it does not start, and fix it:"),
        }
    }
}

/// Those pods that do not serve; why one of them may be missing.
pub(super) fn unserving<'a>(pods: impl IntoIterator<Item = &'a ServingPod>) -> Vec<Unserving<'a>> {
    let found = pods.into_iter().filter_map(of_serving);
    found.take(SHOWN).collect()
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
        " Only its name says whose it is."
    } else {
        ""
    };
    finding = finding.why(format!("{} does not serve: {why}.{doubt}", first.subject));
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
pub(super) fn not_read<T>(pods: &Read<T>, whose: &str) -> Option<String> {
    let why = pods.unknown()?;
    let is_needed = !matches!(why, Why::NotNeeded(_));
    is_needed.then(|| {
        format!(
            "Why {whose} does not serve is unknown; its pods were not read: {}.",
            why.clause()
        )
    })
}

#[cfg(test)]
mod tests;
