//! Who suspended an onboarding, and why, as `suspend` records it in the HelmRelease's annotations; and the two changes themselves.
//!
//! A record counts for the generation that the suspension made: whoever suspends it later by another way leaves the old record behind.

use super::helm_release::{HelmRelease, Metadata};
use serde_json::{Value, json};

const BY: &str = "skvs.kubectl.io/suspended-by";
const AT: &str = "skvs.kubectl.io/suspended-at";
const REASON: &str = "skvs.kubectl.io/suspended-reason";
const GENERATION: &str = "skvs.kubectl.io/suspended-generation";

/// Who suspended an onboarding that is suspended, as far as that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension<'h> {
    pub by: &'h str,
    /// RFC 3339, if it is one.
    pub at: Option<&'h str>,
    pub reason: &'h str,
    /// The spec is still the one that the suspension left.
    pub is_current: bool,
}

impl<'h> Suspension<'h> {
    /// `None` where the onboarding is not suspended, or nobody recorded who did it.
    pub fn from_release(hr: &'h HelmRelease) -> Option<Self> {
        let annotations = hr.metadata.annotations.set()?;
        let text = |key: &str| {
            let value = annotations.get(key).map(String::as_str);
            value.filter(|text| !text.trim().is_empty())
        };
        let by = text(BY).filter(|_| hr.spec.suspend)?;
        let generation = text(GENERATION).and_then(|g| g.parse::<i64>().ok());
        Some(Self {
            by,
            at: text(AT),
            reason: text(REASON).unwrap_or("no reason recorded"),
            is_current: generation == Some(hr.metadata.generation),
        })
    }

    /// `suspended by alice: CouchDB is upgraded`, one line.
    pub fn words(&self) -> String {
        let Self { by, reason, .. } = self;
        let before = match self.is_current {
            true => "",
            false => " (recorded before the spec last changed)",
        };
        crate::text::one_line(&format!("suspended by {by}{before}: {reason}"))
    }
}

/// What is done to one HelmRelease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Flux is to leave it alone.
    Suspend {
        by: String,
        at: String,
        reason: String,
    },
    /// Flux is to look at it again.
    Resume,
}

impl Change {
    /// Whether an object has the change.
    pub fn is_in(&self, object: &Value) -> bool {
        let suspend = object.get("spec").filter(|spec| spec.is_object());
        let suspend = suspend.map(|spec| spec.get("suspend").unwrap_or(&Value::Null));
        suspend.is_some_and(|suspend| match self {
            Self::Suspend { .. } => *suspend == json!(true),
            Self::Resume => *suspend == json!(false) || suspend.is_null(),
        })
    }

    /// A merge patch of the object as it was read: the API server refuses it (409) if the object has changed since.
    pub fn patch(&self, read: &Metadata) -> Value {
        let (suspend, record) = match self {
            Self::Suspend { by, at, reason } => (
                json!(true),
                [
                    json!(by),
                    json!(at),
                    json!(reason),
                    json!((read.generation + 1).to_string()),
                ],
            ),
            Self::Resume => (
                Value::Null,
                [Value::Null, Value::Null, Value::Null, Value::Null],
            ),
        };
        let [by, at, reason, generation] = record;
        json!({
            "metadata": {
                "uid": read.uid,
                "resourceVersion": read.resource_version,
                "annotations": {
                    BY: by,
                    AT: at,
                    REASON: reason,
                    GENERATION: generation,
                },
            },
            "spec": {"suspend": suspend},
        })
    }
}

/// Who else owns `spec.suspend`: the manifest's applier sets it again the next time.
pub fn owner<'o>(object: &'o Value, own: &str) -> Option<&'o str> {
    let fields = object.pointer("/metadata/managedFields")?.as_array()?;
    let mut owners = fields.iter().filter(|entry| {
        entry
            .pointer("/fieldsV1/f:spec/f:suspend")
            .is_some_and(Value::is_object)
    });
    owners
        .find_map(|entry| entry.get("manager")?.as_str().filter(|m| *m != own))
        .filter(|manager| !manager.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspended(annotations: Value, generation: i64) -> HelmRelease {
        let object = json!({
            "metadata": {"name": "a", "namespace": "n", "generation": generation, "annotations": annotations},
            "spec": {"suspend": true},
        });
        HelmRelease::from_value(&object).unwrap()
    }

    /// The object as the API server makes it of the patch.
    fn patched(change: &Change) -> HelmRelease {
        let read = Metadata {
            generation: 3,
            ..Metadata::default()
        };
        let patch = change.patch(&read);
        suspended(patch["metadata"]["annotations"].clone(), 4)
    }

    #[test]
    fn what_is_recorded_is_read() {
        let change = Change::Suspend {
            by: "alice".to_owned(),
            at: "2026-11-24T12:00:00Z".to_owned(),
            reason: "an upgrade\u{1b}[2J".to_owned(),
        };
        let hr = patched(&change);
        let suspension = Suspension::from_release(&hr).unwrap();
        assert_eq!(suspension.at, Some("2026-11-24T12:00:00Z"));
        assert_eq!(suspension.words(), "suspended by alice: an upgrade^[[2J");
        let mut resumed = hr.clone();
        resumed.spec.suspend = false;
        assert_eq!(Suspension::from_release(&resumed), None);
        assert_eq!(Suspension::from_release(&patched(&Change::Resume)), None);
    }

    /// Resumed and suspended again with kubectl: the generation is another one.
    #[test]
    fn a_record_of_an_older_spec_says_so() {
        let by = json!({"skvs.kubectl.io/suspended-by": "alice", "skvs.kubectl.io/suspended-generation": "4"});
        let words = |annotations: &Value, generation| {
            let hr = suspended(annotations.clone(), generation);
            Suspension::from_release(&hr).map(|s| s.words())
        };
        assert_eq!(
            words(&by, 4).unwrap(),
            "suspended by alice: no reason recorded"
        );
        let stale =
            "suspended by alice (recorded before the spec last changed): no reason recorded";
        assert_eq!(words(&by, 6).unwrap(), stale);
        let mut malformed = by.clone();
        malformed["skvs.kubectl.io/suspended-generation"] = json!("four");
        assert_eq!(words(&malformed, 4).unwrap(), stale);
        for none in [
            json!({}),
            Value::Null,
            json!({"skvs.kubectl.io/suspended-by": " "}),
        ] {
            assert_eq!(words(&none, 4), None, "{none}");
        }
    }

    #[test]
    fn a_change_is_of_the_object_that_was_read() {
        let read = Metadata {
            uid: "u".to_owned(),
            resource_version: "7".to_owned(),
            ..Metadata::default()
        };
        let patch = Change::Resume.patch(&read);
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        assert_eq!(patch["metadata"]["uid"], "u");
        assert_eq!(patch["spec"], json!({"suspend": null}));
    }

    #[test]
    fn whoever_else_sets_the_field_is_named() {
        let entry = |manager: &str, fields: Value| json!({"manager": manager, "fieldsV1": fields});
        let suspend = json!({"f:spec": {"f:suspend": {}}});
        let object = |entries: Vec<Value>| json!({"metadata": {"managedFields": entries}});
        let other = entry("kustomize-controller", json!({"f:spec": {"f:values": {}}}));
        let of = |entries: Vec<Value>| owner(&object(entries), "flux").map(str::to_owned);
        assert_eq!(
            of(vec![other.clone(), entry("flux", suspend.clone())]),
            None
        );
        let kustomize = entry("kustomize-controller", suspend.clone());
        assert_eq!(
            of(vec![entry("flux", suspend), kustomize]).unwrap(),
            "kustomize-controller"
        );
        assert_eq!(owner(&json!({}), "flux"), None);
    }
}
