//! What the kubelet's events say of a pod's containers and probes. Here alone events are compared in time with the containers' runs: one
//! that is older than what it would explain explains nothing.

mod eviction;
mod memory;
mod pull;
mod remedy;
mod start;

pub use eviction::{Eviction, Limited, Use, eviction};
pub use memory::{Victim, other_victims, victim_at};
pub use pull::{
    Trouble, has_numeric_tag, is_about_image, is_refused_pull, lost_pull_secrets, may_lack_image,
    pull_failure, registry,
};
pub use remedy::{
    is_held_by_claims, is_held_by_spread, lacks_free_volume, remedy, scheduling_step,
};
pub use start::{Fault, Obstacle, StartFailure};

use super::event::Event;
use super::pod::{Container, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// The kind and the name of the Secret or ConfigMap that the pod lacks, as the kubelet says.
pub fn missing(message: &str) -> Option<(&'static str, &str)> {
    const LEADS: [(&str, &str); 4] = [
        ("configmap \"", "ConfigMap"),
        ("configmaps \"", "ConfigMap"),
        ("secret \"", "Secret"),
        ("secrets \"", "Secret"),
    ];
    LEADS.iter().find_map(|(lead, kind)| {
        let (_, rest) = message.split_once(lead)?;
        let (name, after) = rest.split_once('"')?;
        after
            .trim_start()
            .starts_with("not found")
            .then_some((*kind, name))
    })
}

/// Whether the event says that the hook failed that runs right after the container's start.
pub fn is_failed_start(event: &Event, container: &str) -> bool {
    // Kubernetes before 1.22 gives the container's field, later ones its name in the text.
    let is_named = event
        .message
        .contains(&format!("for Container \"{container}\""));
    event.reason == "FailedPostStartHook"
        && (is_named || event.container.as_deref() == Some(container))
}

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

/// The probe waited for an answer, or for its command's end, and gave up.
pub fn is_late(said: &str) -> bool {
    let texts = [
        "context deadline exceeded",
        "Client.Timeout exceeded",
        "timed out after ",
        "command timed out",
    ];
    texts.iter().any(|text| said.contains(text))
}

/// The path that the probe asks for does not exist, or is not there yet.
pub fn is_not_found(said: &str) -> bool {
    said.contains("statuscode: 404")
}

/// Whether the text says that a volume is attached to another node.
pub fn is_attached_elsewhere(text: &str) -> bool {
    text.contains("Multi-Attach error for volume ")
}

/// The volumes that are attached to another node, according to the events.
pub fn attached_elsewhere(events: &[Event]) -> impl Iterator<Item = &str> {
    events.iter().filter_map(|event| {
        let rest = event
            .message
            .strip_prefix("Multi-Attach error for volume \"")?;
        rest.split_once('"').map(|(volume, _)| volume)
    })
}

/// What the kubelet does for a pod, one after the other.
const PROGRESS: [&str; 6] = [
    "Scheduled",
    "SuccessfulAttachVolume",
    "Pulling",
    "Pulled",
    "Created",
    "Started",
];

/// A summary names the volume and not the reason, which is an event of its own.
fn is_summary(event: &Event) -> bool {
    event
        .message
        .starts_with("Unable to attach or mount volumes")
}

/// Whether it did something for the pod after this.
fn is_over(events: &[Event], event: &Event) -> bool {
    let mut progress = events
        .iter()
        .filter(|event| PROGRESS.contains(&event.reason.as_str()));
    progress.any(|later| later.last_seen > event.last_seen)
}

/// It gives the files of a volume their group, and was not seen to go on since; nothing failed later.
pub fn setting_group(events: &[Event]) -> Option<&Event> {
    let is = |event: &&Event| event.reason == "VolumePermissionChangeInProgress";
    let newest = events.iter().rev().find(is)?;
    let failed = refusal(events).filter(|failed| !is_summary(failed));
    let is_later = failed.is_some_and(|failed| failed.last_seen > newest.last_seen);
    (!is_later && !is_over(events, newest)).then_some(newest)
}

/// The newest thing that it could not do for the pod, and did not do later: mount a volume, create the sandbox, …
///
/// What the scheduler could not do is the condition `PodScheduled`.
pub fn refusal(events: &[Event]) -> Option<&Event> {
    let is_failure = |event: &&Event| {
        event.reason.starts_with("Failed")
            && event.reason != "FailedScheduling"
            && event.kind == "Warning"
    };
    let newest = events.iter().rev().find(is_failure)?;
    let reason = |event: &&Event| is_failure(event) && !is_summary(event);
    let newest = match is_summary(newest) {
        true => events.iter().rev().find(reason).unwrap_or(newest),
        false => newest,
    };
    (!is_over(events, newest)).then_some(newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: &str = "2026-11-27T05:00:00Z";

    /// Warnings, of which each has a reason and a message; the newest last.
    fn warnings(said: &[(&str, &str)]) -> Vec<Event> {
        let event = |(reason, message): &(&str, &str)| {
            Event::from_value(
                &json!({"type": "Warning", "reason": reason, "message": message, "lastTimestamp": NOW}),
            )
        };
        said.iter().map(event).collect()
    }

    /// A pod with this container, which has just ended.
    fn pod(container: &str) -> Pod {
        let state = json!({"terminated": {"exitCode": 137, "finishedAt": NOW}});
        Pod::from_value(
            &json!({"status": {"containerStatuses": [{"name": container, "state": state}]}}),
        )
    }

    #[test]
    fn a_change_of_files_counts_until_the_pod_goes_on() {
        const CHANGE: &str = "VolumePermissionChangeInProgress";
        const SUMMARY: &str = "Unable to attach or mount volumes: x";
        let of = |said: &[(&str, &str, i64)]| {
            let event = |(reason, message, minute): &(&str, &str, i64)| {
                Event::from_value(
                    &json!({"type": "Warning", "reason": reason, "message": message,
                    "lastTimestamp": format!("2026-11-27T05:0{minute}:00Z")}),
                )
            };
            let events: Vec<Event> = said.iter().map(event).collect();
            setting_group(&events).map(|event| event.message.clone())
        };
        let newest = Some("2 files".to_owned());
        let attached = ("SuccessfulAttachVolume", "x", 0);
        let change = [(CHANGE, "1 files", 1), (CHANGE, "2 files", 2)];
        let then = |later| of(&[attached, change[0], change[1], later]);
        assert_eq!(of(&change), newest);
        assert_eq!(then(("FailedMount", SUMMARY, 3)), newest);
        assert_eq!(then(("FailedMount", "MountVolume.SetUp failed", 1)), newest);
        assert_eq!(then(("FailedMount", "MountVolume.SetUp failed", 3)), None);
        assert_eq!(then(("Pulling", "x", 3)), None);
        assert_eq!(of(&[("FailedMount", SUMMARY, 3)]), None);
    }

    #[test]
    fn the_newest_failure_of_the_probe_counts() {
        let events = warnings(&[
            ("Unhealthy", "Readiness probe failed: first"),
            ("Unhealthy", "Readiness probe errored: last"),
            ("Unhealthy", "Liveness probe failed: other"),
            ("ProbeWarning", "Readiness probe failed: redirect"),
        ]);
        let pod = pod("c");
        let of = |events, probe| failing(events, probe, &pod.containers.known[0]);
        assert_eq!(of(&events, "Readiness"), Some("last"));
        assert_eq!(of(&events[..1], "Readiness"), Some("first"));
        assert_eq!(of(&events, "Startup"), None);
        assert_eq!(of(&events[3..], "Readiness"), None);
    }

    #[test]
    fn the_kubelet_says_for_which_probe_it_ends_a_container() {
        let startup = "Container c failed startup probe, will be restarted";
        let liveness = "Container c failed liveness probe, will be restarted";
        let mut said = vec![
            ("Unhealthy", "Liveness probe failed: timeout"),
            ("Killing", startup),
            ("Killing", liveness),
            ("Other", startup),
        ];
        let of = |said: &[(&str, &str)], container: &str| {
            let (pod, events) = (pod(container), warnings(said));
            let killed = killed(&events, &pod, &pod.containers.known[0]);
            killed.map(|(probe, said)| format!("{probe}: {said}"))
        };
        assert_eq!(of(&said, "c").as_deref(), Some("liveness: timeout"));
        assert_eq!(of(&said, "d"), None);
        said.truncate(2);
        assert_eq!(of(&said, "c"), Some(format!("startup: {startup}")));
        assert_eq!(of(&[("Other", startup)], "c"), None);
    }

    #[test]
    fn a_login_is_refused_by_two_codes() {
        for code in [401, 403] {
            assert!(refuses_login(&format!(
                "HTTP probe failed with statuscode: {code}"
            )));
        }
        assert!(!refuses_login("HTTP probe failed with statuscode: 500"));
    }

    #[test]
    fn the_newest_warning_of_a_failure_is_what_it_could_not_do() {
        let mut events = warnings(&[
            ("FailedMount", "a"),
            ("FailedCreatePodSandBox", "b"),
            ("Unhealthy", "c"),
        ]);
        events.push(Event::from_value(
            &json!({"type": "Normal", "reason": "FailedNot", "message": "d"}),
        ));
        assert_eq!(refusal(&events).unwrap().message, "b");
        assert_eq!(refusal(&events[2..]), None);
    }

    #[test]
    fn the_reason_of_a_volume_comes_before_the_summary() {
        let summary = "Unable to attach or mount volumes: unmounted volumes=[certs]: timed out waiting for the condition";
        let said = warnings(&[
            ("FailedMount", "secret \"a\" not found"),
            ("FailedMount", summary),
        ]);
        assert_eq!(refusal(&said).unwrap().message, "secret \"a\" not found");
        assert_eq!(refusal(&said[1..]).unwrap().message, summary);
    }
}
