//! What the kubelet's events say of a pod's containers and probes. Here alone events are compared in time with the containers' runs: one
//! that is older than what it would explain explains nothing.

use super::event::Event;
use super::pod::{Container, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// What the newest failure of that probe of the container says, unless it is from an earlier run.
pub fn failing<'a>(events: &'a [Event], probe: &str, container: &Container) -> Option<&'a str> {
    let started = container.started();
    let is_old = |event: &&Event| {
        let times = event.last_seen.zip(started);
        times.is_some_and(|(seen, started)| seen < started)
    };
    let newest = failure(events, probe, &container.name)?;
    (!is_old(&newest.0)).then_some(newest.1)
}

fn failure<'a>(events: &'a [Event], probe: &str, container: &str) -> Option<(&'a Event, &'a str)> {
    let lead = format!("{probe} probe ");
    events.iter().rev().find_map(|event| {
        let said = event.message.strip_prefix(&lead)?;
        let said = ["failed: ", "errored: "]
            .iter()
            .find_map(|l| said.strip_prefix(l))?;
        let of_another = event.container.as_deref().is_some_and(|c| c != container);
        (event.reason == "Unhealthy" && !of_another).then_some((event, said))
    })
}

/// The probe for which the kubelet ended this container the last time, or ends it now, and what its newest failure says.
pub fn killed<'a>(
    events: &'a [Event],
    pod: &Pod,
    container: &Container,
) -> Option<(&'static str, &'a str)> {
    let lead = format!("Container {} failed ", container.name);
    events.iter().rev().find_map(|event| {
        let said = event.message.strip_prefix(&lead)?;
        let kinds = [("liveness", "Liveness"), ("startup", "Startup")];
        let (kind, name) = kinds.into_iter().find(|(kind, _)| said.starts_with(kind))?;
        if event.reason != "Killing" || !ends(event.last_seen?, events, pod.grace(), container) {
            return None;
        }
        let failure = failure(events, name, &container.name);
        Some((kind, failure.map_or(event.message.as_str(), |f| f.1)))
    })
}

/// Whether the kubelet's decision of this time led to the container's last end, or leads to the end of its present run.
fn ends(killed: Timestamp, events: &[Event], grace: SignedDuration, container: &Container) -> bool {
    let last = container.end().or(container.ended_before());
    let Some(ended) = last.and_then(|end| end.finished_at.set()) else {
        return false;
    };
    // One that still ran after the time for its end was not ended.
    let newest = events.iter().filter_map(|event| event.last_seen).max();
    let has_survived = container.started().is_some_and(|started| killed > started)
        && newest.is_some_and(|newest| newest > killed + grace);
    killed >= *ended - grace && !has_survived
}

/// The answer to the probe was 401 or 403.
pub fn refuses_login(said: &str) -> bool {
    let codes = ["statuscode: 401", "statuscode: 403"];
    codes.iter().any(|code| said.contains(code))
}

/// The newest thing that it could not do for the pod, and did not do later: mount a volume, create the sandbox, …
///
/// What the scheduler could not do is the condition `PodScheduled`.
pub fn refusal(events: &[Event]) -> Option<&Event> {
    const PROGRESS: [&str; 6] = [
        "Scheduled",
        "SuccessfulAttachVolume",
        "Pulling",
        "Pulled",
        "Created",
        "Started",
    ];
    let is_failure = |event: &&Event| {
        event.reason.starts_with("Failed")
            && event.reason != "FailedScheduling"
            && event.kind == "Warning"
    };
    let newest = events.iter().rev().find(is_failure)?;
    let mut progress = events
        .iter()
        .filter(|event| PROGRESS.contains(&event.reason.as_str()));
    let is_over = progress.any(|event| event.last_seen > newest.last_seen);
    (!is_over).then_some(newest)
}
