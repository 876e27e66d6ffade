//! A PersistentVolumeClaim and its StorageClass, as far as they say why the claim has no volume.

use super::field::{Field, Fields, Meta, Parsed};
use serde_json::Value;

/// When a claim of a class gets its volume; the word of the API and of the event.
const LATE: &str = "WaitForFirstConsumer";

/// A PersistentVolumeClaim, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    pub meta: Meta,
    /// `Pending`, `Bound`, `Lost`.
    pub phase: Field<String>,
    /// The name of its StorageClass; empty for none.
    pub class: Field<String>,
}

/// A StorageClass, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageClass {
    pub meta: Meta,
    binding: Field<String>,
}

impl Claim {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            phase: fields.at("/status/phase"),
            class: fields.at("/spec/storageClassName"),
            meta: fields.meta("PersistentVolumeClaim"),
        }
    }

    /// It has no volume yet.
    pub fn is_pending(&self) -> bool {
        self.phase.as_str() == Some("Pending")
    }

    /// The name of its class, where it has one.
    pub fn class(&self) -> Option<&str> {
        self.class.as_str().filter(|class| !class.is_empty())
    }
}

impl StorageClass {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            binding: fields.at("/volumeBindingMode"),
            meta: fields.meta("StorageClass"),
        }
    }

    /// Its claims get a volume once a pod uses them, and not before.
    pub fn binds_late(&self) -> bool {
        self.binding.as_str() == Some(LATE)
    }
}

/// Whether an event of a claim says that no pod uses it yet.
pub fn awaits_pod(reason: &str) -> bool {
    reason == LATE
}

impl Parsed for Claim {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

impl Parsed for StorageClass {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_is_pending_only_where_it_says_so() {
        let of = |phase: Value, class: Value| {
            let claim = json!({"spec": {"storageClassName": class}, "status": {"phase": phase}});
            let claim = Claim::from_value(&claim);
            (claim.is_pending(), claim.class().map(str::to_owned))
        };
        assert_eq!(
            of(json!("Pending"), json!("ssd")),
            (true, Some("ssd".to_owned()))
        );
        assert_eq!(of(json!("Bound"), json!("")), (false, None));
        assert_eq!(of(json!(null), json!(null)), (false, None));
        assert_eq!(of(json!(7), json!(7)), (false, None));
    }

    #[test]
    fn a_class_binds_late_only_where_it_says_so() {
        let of = |mode: Value| {
            StorageClass::from_value(&json!({"volumeBindingMode": mode})).binds_late()
        };
        assert!(of(json!("WaitForFirstConsumer")));
        for mode in [json!("Immediate"), json!(null), json!(7)] {
            assert!(!of(mode.clone()), "{mode}");
        }
    }
}
