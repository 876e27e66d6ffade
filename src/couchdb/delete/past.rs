//! Who claimed the database last, as far as anything that is left says so, and whether it may come back.
//!
//! A claim that is still made is a refusal elsewhere. Here an onboarding that is gone is a risk unless its uninstall was seen to end: an
//! event of it that is newer, no uninstall at all, or a Kustomization that still lists it.

use crate::model::convention;
use crate::model::event::Event;
use crate::model::names::DatabaseName;
use crate::text::one_line;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Reason of the event that ends an onboarding.
const UNINSTALLED: &str = "UninstallSucceeded";

/// Beginnings of the reasons that a living onboarding's events have.
const ALIVE: [&str; 6] = [
    "Install",
    "Upgrade",
    "Rollback",
    "Test",
    "Ready",
    "ReconciliationSucceeded",
];

/// The newest event of an onboarding that, by its name or in the event's words, was the database's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEvent {
    /// `HelmRelease flux-system/x`.
    pub by: String,
    pub reason: String,
    /// RFC 3339.
    pub at: Option<String>,
}

/// What the events say of one onboarding that was the database's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Trail {
    /// The reason of its newest event, other than that of an uninstall.
    last: Option<String>,
    /// Its newest event as a living onboarding: its reason, and when.
    alive: Option<(Option<Timestamp>, String)>,
    /// When its last uninstall ended.
    uninstalled: Option<Option<Timestamp>>,
}

/// What is left of the last claim. Helm's histories are with [`crate::model::ownership::Unclaimed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastClaim {
    /// Events are kept for an hour or so; why they could not be read.
    pub event: Result<Option<PastEvent>, String>,
    /// By `namespace/name` of the HelmRelease.
    trails: BTreeMap<String, Trail>,
    /// Kustomizations with the HelmRelease that each still lists, both as `namespace/name`.
    listed: Vec<(String, String)>,
    /// Why the Kustomizations could not be read.
    pub kustomizations_unread: Option<String>,
}

impl LastClaim {
    /// From the events about HelmReleases of all namespaces, and from the Kustomizations, as far as they may be read.
    pub fn find(
        events: Result<Vec<Value>, String>,
        kustomizations: Result<Vec<Value>, String>,
        name: &DatabaseName,
    ) -> Self {
        let (kustomizations, kustomizations_unread) = match kustomizations {
            Ok(all) => (all, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        let mut trails: BTreeMap<String, Trail> = BTreeMap::new();
        let event = events.map(|events| {
            let mut ours: Vec<&Value> = events.iter().filter(|e| is_about(e, name)).collect();
            ours.sort_by_cached_key(|e| Event::from_value(e).last_seen);
            for event in &ours {
                trails.entry(id(event)).or_default().add(event);
            }
            ours.last().map(|event| past(event))
        });
        let known = |id: &str| {
            let named = id.split_once('/').map(|(_, name)| name);
            trails.contains_key(id) || named.is_some_and(|n| convention::is_named_for(n, name))
        };
        let listed = kustomizations.iter().flat_map(inventory);
        let listed = listed.filter(|(_, id)| known(id)).collect();
        Self {
            event,
            trails,
            listed,
            kustomizations_unread,
        }
    }

    /// Why what claimed it may come back. `lives`: whether a HelmRelease exists.
    pub fn doubts(&self, lives: impl Fn(&str) -> bool) -> Vec<String> {
        let mut doubts = Vec::new();
        for (id, trail) in self.trails.iter().filter(|(id, _)| !lives(id)) {
            match (&trail.uninstalled, &trail.alive, &trail.last) {
                (None, _, Some(last)) => doubts.push(format!(
                    "HelmRelease {id} is gone, and no event says that its uninstall ended (last event: {last})"
                )),
                // A time that is not known proves nothing.
                (Some(ended), Some((alive, reason)), _)
                    if ended.is_none() || alive.is_none() || alive > ended =>
                {
                    doubts.push(format!(
                        "HelmRelease {id} is gone, and its event {reason} is newer than its uninstall"
                    ));
                }
                _ => {}
            }
        }
        for (kustomization, id) in self.listed.iter().filter(|(_, id)| !lives(id)) {
            doubts.push(format!(
                "Kustomization {kustomization} still lists HelmRelease {id}, which is gone, and may bring it back"
            ));
        }
        doubts
    }
}

impl Trail {
    /// Adds an event, older ones first.
    fn add(&mut self, event: &Value) {
        let event = Event::from_value(event);
        if event.reason == UNINSTALLED {
            self.uninstalled = Some(event.last_seen);
            return;
        }
        self.last = Some(one_line(&event.reason));
        if ALIVE.iter().any(|lead| event.reason.starts_with(lead)) {
            self.alive = Some((event.last_seen, one_line(&event.reason)));
        }
    }
}

/// The HelmReleases that a Kustomization has applied: `<namespace>_<name>_<group>_<kind>`.
fn inventory(kustomization: &Value) -> Vec<(String, String)> {
    let text = |path: &str| {
        let text = kustomization.pointer(path).and_then(Value::as_str);
        one_line(text.unwrap_or("?"))
    };
    let by = format!("{}/{}", text("/metadata/namespace"), text("/metadata/name"));
    let entries = kustomization.pointer("/status/inventory/entries");
    let entries = entries.and_then(Value::as_array).into_iter().flatten();
    let listed = entries.filter_map(|entry| {
        let id = entry.get("id")?.as_str()?;
        let object = id.strip_suffix("_helm.toolkit.fluxcd.io_HelmRelease")?;
        let (namespace, name) = object.split_once('_')?;
        Some((by.clone(), one_line(&format!("{namespace}/{name}"))))
    });
    listed.collect()
}

/// `namespace/name` of the object that an event is about.
fn id(event: &Value) -> String {
    let text = |key: &str| {
        let object = event.get("involvedObject").and_then(|o| o.get(key));
        one_line(object.and_then(Value::as_str).unwrap_or("?"))
    };
    format!("{}/{}", text("namespace"), text("name"))
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
        LastClaim::find(Ok(events), Ok(Vec::new()), &name)
            .event
            .unwrap()
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
        assert!(
            LastClaim::find(refused, Ok(Vec::new()), &name)
                .event
                .is_err()
        );
    }

    #[test]
    fn what_may_come_back_is_a_doubt_and_a_finished_uninstall_is_not() {
        const ID: &str = "skvs-onboarding-pds--database";
        let name = DatabaseName::parse("pds_database").unwrap();
        let at = |reason: &str, second: u32| {
            event(ID, reason, &format!("2026-11-24T02:00:{second:02}Z"), "")
        };
        let doubts = |events: Vec<Value>, kustomizations: &[Value], lives: bool| {
            LastClaim::find(Ok(events), Ok(kustomizations.to_vec()), &name).doubts(|_| lives)
        };
        let ended = vec![at("InstallSucceeded", 1), at("UninstallSucceeded", 2)];
        assert_eq!(doubts(ended.clone(), &[], false), [""; 0]);
        let again = vec![at("UninstallSucceeded", 2), at("InstallSucceeded", 3)];
        assert!(
            doubts(again, &[], false)[0].contains("InstallSucceeded is newer than its uninstall")
        );
        let vanished = vec![at("UpgradeSucceeded", 1)];
        assert!(
            doubts(vanished.clone(), &[], false)[0]
                .contains("no event says that its uninstall ended")
        );
        assert_eq!(doubts(vanished, &[], true), [""; 0]);
        // Whatever its last event says.
        let failing = vec![at("UninstallFailed", 1)];
        assert!(doubts(failing, &[], false)[0].contains("(last event: UninstallFailed)"));
        let mut timeless = at("UninstallSucceeded", 1);
        timeless["lastTimestamp"] = Value::Null;
        assert_eq!(
            doubts(vec![timeless, at("InstallSucceeded", 1)], &[], false).len(),
            1
        );
        let lists = |id: &str| {
            json!({"metadata": {"namespace": "flux-system", "name": "apps"},
                "status": {"inventory": {"entries": [{"id": id, "v": "v2"}]}}})
        };
        let listed = lists(&format!(
            "flux-system_{ID}_helm.toolkit.fluxcd.io_HelmRelease"
        ));
        assert!(
            doubts(ended.clone(), std::slice::from_ref(&listed), false)[0].starts_with(
                "Kustomization flux-system/apps still lists HelmRelease flux-system/skvs-"
            )
        );
        let other = lists("flux-system_podinfo_helm.toolkit.fluxcd.io_HelmRelease");
        assert_eq!(doubts(ended, &[other, json!({})], false), [""; 0]);
    }
}
