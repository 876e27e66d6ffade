//! A core/v1 Event, in the form of the old recorders (Flux, the Job controller) and of the new ones (the scheduler).

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
    /// The component that reported it.
    pub from: String,
    /// How often it was seen; 1 at least.
    pub count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

impl Event {
    /// Reads one object; what is not there is empty.
    pub fn from_value(event: &Value) -> Self {
        let text = |path: &str| {
            let found = event.pointer(path).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let time = |path: &str| event.pointer(path)?.as_str()?.parse::<Timestamp>().ok();
        let number = |path: &str| event.pointer(path).and_then(Value::as_i64);
        let from = [
            "/source/component",
            "/reportingComponent",
            "/reportingController",
        ];
        let made = || time("/metadata/creationTimestamp");
        Self {
            kind: text("/type"),
            reason: text("/reason"),
            message: text("/message"),
            object: format!(
                "{}/{}",
                text("/involvedObject/kind"),
                text("/involvedObject/name")
            ),
            from: from
                .iter()
                .map(|p| text(p))
                .find(|f| !f.is_empty())
                .unwrap_or_default(),
            count: number("/series/count")
                .or(number("/count"))
                .unwrap_or(1)
                .max(1),
            first_seen: time("/firstTimestamp")
                .or_else(|| time("/eventTime"))
                .or_else(made),
            last_seen: time("/series/lastObservedTime")
                .or_else(|| time("/lastTimestamp"))
                .or_else(|| time("/eventTime"))
                .or_else(|| time("/firstTimestamp"))
                .or_else(made),
        }
    }
}

/// Sorts Event objects by when they were last seen, newest last.
pub fn sort(events: &mut [Value]) {
    events.sort_by_cached_key(|e| Event::from_value(e).last_seen);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_kinds_of_events_are_read() {
        let old = json!({"type": "Warning", "reason": "InstallFailed", "message": "m", "count": 3,
            "involvedObject": {"kind": "HelmRelease", "name": "a"}, "source": {"component": "helm-controller"}, "eventTime": null,
            "firstTimestamp": "2026-11-23T10:00:00Z", "lastTimestamp": "2026-11-23T10:20:00Z"});
        let new = json!({"type": "Warning", "reason": "FailedScheduling", "message": "m", "reportingComponent": "default-scheduler",
            "involvedObject": {"kind": "Pod", "name": "p"}, "firstTimestamp": null, "eventTime": "2026-11-23T10:05:00.123456Z",
            "series": {"count": 5, "lastObservedTime": "2026-11-23T10:10:00.000000Z"}});
        let mut events = [old, new];
        sort(&mut events);
        let read: Vec<Event> = events.iter().map(Event::from_value).collect();
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
        assert_eq!(Event::from_value(&json!({})).count, 1);
    }
}
