//! A core/v1 Event, in the form of the old recorders (Flux, the Job controller) and of the new ones (the scheduler).

use super::field::{Field, Fields};
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// What an Event tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: String,
    pub reason: String,
    /// Raw text, possibly of several lines.
    pub message: String,
    /// `Kind/name` of what it is about.
    pub object: String,
    /// The container of the pod that it is about, where it names one.
    #[serde(skip)]
    pub container: Option<String>,
    /// UID of that object; empty where the event has none.
    #[serde(skip)]
    pub uid: String,
    /// The component that reported it.
    pub from: String,
    /// How often it was seen; 1 at least.
    pub count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// No field that was read is malformed.
    #[serde(skip)]
    pub is_whole: bool,
}

impl Event {
    /// Reads one object; what is not there is empty.
    pub fn from_value(event: &Value) -> Self {
        let mut fields = Fields::new(event);
        let [kind, reason, message] = ["/type", "/reason", "/message"].map(|p| fields.text(p));
        let about = ["/involvedObject/kind", "/involvedObject/name"].map(|p| fields.text(p));
        let uid = fields.text("/involvedObject/uid");
        let container = container(&fields.text("/involvedObject/fieldPath"));
        let from = [
            "/source/component",
            "/reportingComponent",
            "/reportingController",
        ];
        let from = from.map(|path| fields.text(path));
        let counts = ["/series/count", "/count"].map(|path| fields.at::<i64>(path));
        let mut first = |paths: &[&str]| {
            let times = paths.iter().map(|path| fields.time(path));
            times
                .collect::<Vec<_>>()
                .iter()
                .find_map(Field::set)
                .copied()
        };
        let made = "/metadata/creationTimestamp";
        let first_seen = first(&["/firstTimestamp", "/eventTime", made]);
        let last_seen = first(&[
            "/series/lastObservedTime",
            "/lastTimestamp",
            "/eventTime",
            "/firstTimestamp",
            made,
        ]);
        Self {
            kind,
            reason,
            message,
            object: about.join("/"),
            container,
            uid,
            from: from.into_iter().find(|f| !f.is_empty()).unwrap_or_default(),
            count: counts
                .iter()
                .find_map(Field::set)
                .map_or(1, |n| (*n).max(1)),
            first_seen,
            last_seen,
            is_whole: fields.are_whole(),
        }
    }
}

impl Event {
    /// helm-controller has uninstalled this release, `namespace/name`, of this chart: `Helm uninstall succeeded for release core/a.v1 with chart
    /// c@0.1.2`. The name of a chart is not known where it comes from an artifact.
    pub fn is_uninstall_of(&self, release: &str, chart: Option<&str>) -> bool {
        let rest = self
            .message
            .strip_prefix("Helm uninstall succeeded for release ");
        let rest = rest.and_then(|rest| rest.strip_prefix(release));
        let is_whole = |rest: &str| {
            let rest = rest.strip_prefix(".v").map_or(rest, |rest| {
                rest.trim_start_matches(|c: char| c.is_ascii_digit())
            });
            rest.is_empty() || rest.starts_with([' ', '\n', ':'])
        };
        let of_chart = self
            .message
            .split_once(" with chart ")
            .map(|(_, rest)| rest);
        let is_of_another = of_chart
            .zip(chart)
            .is_some_and(|(said, chart)| said.split('@').next() != Some(chart));
        self.reason == "UninstallSucceeded" && rest.is_some_and(is_whole) && !is_of_another
    }
}

/// `couchdb` of `spec.containers{couchdb}`.
fn container(path: &str) -> Option<String> {
    let (list, name) = path.strip_suffix('}')?.split_once('{')?;
    let lists = [
        "spec.containers",
        "spec.initContainers",
        "spec.ephemeralContainers",
    ];
    lists.contains(&list).then(|| name.to_owned())
}

/// Sorts events by when they were last seen, newest last.
pub fn sort(events: &mut [Event]) {
    events.sort_by_key(|event| event.last_seen);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_uninstall_is_of_one_release() {
        let is = |reason: &str, message: &str| {
            let event = json!({"reason": reason, "message": message});
            Event::from_value(&event).is_uninstall_of("core/a", Some("c"))
        };
        let lead = "Helm uninstall succeeded for release ";
        for end in [
            "core/a",
            "core/a.v12 with chart c@0.1.2",
            "core/a with chart c",
        ] {
            assert!(is("UninstallSucceeded", &format!("{lead}{end}")), "{end}");
        }
        for end in ["core/ab", "core/a.b", "core/a.v1x", "other/a", ""] {
            assert!(!is("UninstallSucceeded", &format!("{lead}{end}")), "{end}");
        }
        assert!(!is("UninstallFailed", &format!("{lead}core/a")));
        assert!(!is(
            "UninstallSucceeded",
            &format!("{lead}core/a.v1 with chart nginx@1.0.0")
        ));
    }

    #[test]
    fn both_kinds_of_events_are_read() {
        let old = json!({"type": "Warning", "reason": "InstallFailed", "message": "m", "count": 3,
            "involvedObject": {"kind": "HelmRelease", "name": "a"}, "source": {"component": "helm-controller"}, "eventTime": null,
            "firstTimestamp": "2026-11-23T10:00:00Z", "lastTimestamp": "2026-11-23T10:20:00Z"});
        let new = json!({"type": "Warning", "reason": "FailedScheduling", "message": "m", "reportingComponent": "default-scheduler",
            "involvedObject": {"kind": "Pod", "name": "p"}, "firstTimestamp": null, "eventTime": "2026-11-23T10:05:00.123456Z",
            "series": {"count": 5, "lastObservedTime": "2026-11-23T10:10:00.000000Z"}});
        let mut read = [old, new].map(|event| Event::from_value(&event));
        sort(&mut read);
        assert_eq!(
            (
                read[0].object.as_str(),
                read[0].count,
                read[0].from.as_str()
            ),
            ("Pod/p", 5, "default-scheduler")
        );
        assert_eq!(
            read[1].first_seen.unwrap().to_string(),
            "2026-11-23T10:00:00Z"
        );
        assert!(read.iter().all(|event| event.is_whole));
        assert_eq!(Event::from_value(&json!({})).count, 1);
    }

    #[test]
    fn an_event_with_an_odd_field_keeps_the_others_and_says_so() {
        let read = Event::from_value(
            &json!({"reason": "InstallFailed", "message": ["m"], "eventTime": "now"}),
        );
        assert_eq!(
            (read.reason.as_str(), read.message.as_str()),
            ("InstallFailed", "")
        );
        assert!(!read.is_whole && read.last_seen.is_none());
    }
}
