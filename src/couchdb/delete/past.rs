//! Who claimed the database last, as far as anything that is left tells it. Evidence for people: nothing is decided by it but that
//! a history which Helm was told to keep asks for a word of its own.
//!
//! A claim that is still made is no matter of this file: it is a refusal in [`super::claims`].

use crate::model::convention;
use crate::model::event::Event;
use crate::model::names::DatabaseName;
use crate::text::one_line;
use serde_json::Value;

/// A release that was installed with the database and uninstalled; Helm kept its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRelease {
    /// `Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2)`.
    pub by: String,
    /// When it was uninstalled, RFC 3339, as Helm wrote it.
    pub at: Option<String>,
}

/// The newest event of an onboarding that, by its name or in the event's words, was the database's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEvent {
    /// `HelmRelease flux-system/x`.
    pub by: String,
    pub reason: String,
    /// RFC 3339.
    pub at: Option<String>,
}

/// What is left of the last claim. The releases are with [`super::claims::Unclaimed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastClaim {
    /// Events are kept for an hour or so; why they could not be read.
    pub event: Result<Option<PastEvent>, String>,
}

impl LastClaim {
    /// From the events about HelmReleases of all namespaces.
    pub fn of(events: Result<Vec<Value>, String>, name: &DatabaseName) -> Self {
        let event = events.map(|events| {
            let mut ours: Vec<&Value> = events.iter().filter(|e| is_about(e, name)).collect();
            ours.sort_by_cached_key(|e| Event::from_value(e).last_seen);
            ours.last().map(|event| past(event))
        });
        Self { event }
    }
}

/// Its object is named after the database, or its words hold the database's name.
fn is_about(event: &Value, name: &DatabaseName) -> bool {
    let text = |path: &str| {
        let found = event.pointer(path).and_then(Value::as_str);
        found.unwrap_or_default()
    };
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    convention::is_named_for(text("/involvedObject/name"), name)
        || text("/message")
            .split(|c: char| !of_a_name(c))
            .any(|word| word == name.as_str())
}

fn past(object: &Value) -> PastEvent {
    let event = Event::from_value(object);
    let namespace = object
        .pointer("/involvedObject/namespace")
        .and_then(Value::as_str);
    let (kind, name) = event.object.split_once('/').unwrap_or_default();
    PastEvent {
        by: one_line(&format!("{kind} {}/{name}", namespace.unwrap_or("?"))),
        reason: one_line(&event.reason),
        at: event.last_seen.map(|t| t.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(name: &str, reason: &str, at: &str, message: &str) -> Value {
        json!({"reason": reason, "message": message, "lastTimestamp": at,
            "involvedObject": {"kind": "HelmRelease", "namespace": "flux-system", "name": name}})
    }

    fn last(events: Vec<Value>) -> Option<PastEvent> {
        let name = DatabaseName::parse("pds_database").unwrap();
        LastClaim::of(Ok(events), &name).event.unwrap()
    }

    #[test]
    fn the_newest_event_that_is_about_it_counts() {
        let found = last(vec![
            event(
                "skvs-onboarding-pds--database",
                "UninstallSucceeded",
                "2026-11-24T03:00:00Z",
                "",
            ),
            event(
                "skvs-onboarding-pds--database",
                "InstallSucceeded",
                "2026-11-24T02:00:00Z",
                "",
            ),
            event(
                "skvs-onboarding-pds--database2",
                "Late",
                "2026-11-24T03:30:00Z",
                "of pds_database2",
            ),
            event("skvs-onboarding-pds", "Late", "2026-11-24T03:30:00Z", ""),
        ])
        .unwrap();
        assert_eq!(
            (
                found.by.as_str(),
                found.reason.as_str(),
                found.at.as_deref()
            ),
            (
                "HelmRelease flux-system/skvs-onboarding-pds--database",
                "UninstallSucceeded",
                Some("2026-11-24T03:00:00Z")
            )
        );
        let by_words = vec![event(
            "x",
            "InstallFailed",
            "2026-11-24T03:00:00Z",
            "job \"pds_database\": failed",
        )];
        assert_eq!(last(by_words).unwrap().by, "HelmRelease flux-system/x");
        assert_eq!(last(vec![json!({}), json!(null)]), None);
    }

    #[test]
    fn events_that_were_refused_are_not_none() {
        let name = DatabaseName::parse("pds_database").unwrap();
        let refused = Err("forbidden (list events in all namespaces)".to_owned());
        assert!(LastClaim::of(refused, &name).event.is_err());
    }
}
