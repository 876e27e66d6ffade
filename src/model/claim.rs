//! A PersistentVolumeClaim and its StorageClass, as far as they say why the claim has no volume, or is about to lose it.

use super::field::{Field, Fields, Meta, Parsed};
use serde_json::Value;

/// When a claim of a class gets its volume; the word of the API and of the event.
const LATE: &str = "WaitForFirstConsumer";
/// The provisioner of a class whose volumes are made by hand.
const BY_HAND: &str = "kubernetes.io/no-provisioner";
/// Where a claim named its class before it had a field for it.
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// The annotation that makes a class the default.
pub const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// The annotations that make a class the default, the present one first.
const DEFAULTS: [&str; 2] = [
    DEFAULT_CLASS,
    "storageclass.beta.kubernetes.io/is-default-class",
];

/// A PersistentVolumeClaim, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    pub meta: Meta,
    /// `Pending`, `Bound`, `Lost`.
    pub phase: Field<String>,
    /// The name of its StorageClass; empty for none.
    pub class: Field<String>,
    /// The PersistentVolume that it is bound to, or is to have.
    pub volume: Field<String>,
}

/// A StorageClass, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageClass {
    pub meta: Meta,
    binding: Field<String>,
    provisioner: Field<String>,
}

impl Claim {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            phase: fields.at("/status/phase"),
            class: fields.at("/spec/storageClassName"),
            volume: fields.at("/spec/volumeName"),
            meta: fields.meta("PersistentVolumeClaim"),
        }
    }

    /// It has its volume.
    pub fn is_bound(&self) -> bool {
        self.phase.as_str() == Some("Bound")
    }

    /// The volume that it had does not exist any more.
    pub fn is_lost(&self) -> bool {
        self.phase.as_str() == Some("Lost")
    }

    /// It has no volume yet.
    pub fn is_pending(&self) -> bool {
        self.phase.as_str() == Some("Pending")
    }

    /// When its deletion was asked for; it stays while something holds it.
    pub fn deleted(&self) -> Option<&str> {
        self.meta.deleted.as_str()
    }

    /// Surely without a class of its own: it gets the default one, where one exists. An empty name asks for none.
    pub fn names_no_class(&self) -> bool {
        self.class.is_absent() && self.meta.annotation(OLD_CLASS).is_absent()
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
            provisioner: fields.at("/provisioner"),
            meta: fields.meta("StorageClass"),
        }
    }

    /// Its claims get a volume once a pod uses them, and not before.
    pub fn binds_late(&self) -> bool {
        self.binding.as_str() == Some(LATE)
    }

    /// Surely nothing makes volumes for it: an administrator does.
    pub fn is_by_hand(&self) -> bool {
        self.provisioner.as_str() == Some(BY_HAND)
    }

    /// Claims that name no class get this one; `None` where that cannot be read.
    pub fn is_default(&self) -> Option<bool> {
        let says = DEFAULTS.map(|key| self.meta.annotation(key));
        if says.iter().any(|own| own.is(&"true")) {
            return Some(true);
        }
        (!says.iter().any(Field::is_malformed)).then_some(false)
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
    fn a_claim_without_a_class_is_not_one_that_asks_for_none() {
        let of = |metadata: Value, class: Value| {
            let claim = json!({"metadata": metadata, "spec": {"storageClassName": class}});
            Claim::from_value(&claim).names_no_class()
        };
        assert!(of(json!({}), json!(null)));
        let old = json!({"annotations": {"volume.beta.kubernetes.io/storage-class": "ssd"}});
        for (metadata, class) in [
            (json!({}), json!("")),
            (json!({}), json!("ssd")),
            (json!({}), json!(7)),
            (old, json!(null)),
            (json!({"annotations": 7}), json!(null)),
        ] {
            assert!(!of(metadata.clone(), class.clone()), "{metadata} {class}");
        }
    }

    #[test]
    fn a_class_is_the_default_only_where_it_says_so() {
        let of = |annotations: Value| {
            let class = json!({"metadata": {"annotations": annotations}, "provisioner": "kubernetes.io/no-provisioner"});
            let class = StorageClass::from_value(&class);
            assert!(class.is_by_hand());
            class.is_default()
        };
        assert_eq!(of(json!({DEFAULTS[0]: "true"})), Some(true));
        assert_eq!(of(json!({DEFAULTS[1]: "true"})), Some(true));
        assert_eq!(of(json!({DEFAULTS[0]: "false"})), Some(false));
        assert_eq!(of(json!(null)), Some(false));
        assert_eq!(of(json!({DEFAULTS[0]: true})), None);
        assert!(!StorageClass::from_value(&json!({"provisioner": 7})).is_by_hand());
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
