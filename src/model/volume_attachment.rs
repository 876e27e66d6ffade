//! A VolumeAttachment: the node that a volume is attached to.

use super::field::{Field, Fields, Meta, Parsed};
use serde_json::Value;

/// A VolumeAttachment, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeAttachment {
    pub meta: Meta,
    pub node: Field<String>,
    /// The PersistentVolume.
    pub volume: Field<String>,
    attached: Field<bool>,
    fault: Field<String>,
}

impl VolumeAttachment {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            node: fields.at("/spec/nodeName"),
            volume: fields.at("/spec/source/persistentVolumeName"),
            attached: fields.at("/status/attached"),
            fault: fields.at("/status/detachError/message"),
            meta: fields.meta("VolumeAttachment"),
        }
    }

    /// The volume is surely attached.
    pub fn is_attached(&self) -> bool {
        self.attached.is(&true)
    }

    /// Since when the volume is to be detached.
    pub fn detached_since(&self) -> Option<&str> {
        self.meta.deleted.as_str()
    }

    /// Why the storage driver could not detach the volume.
    pub fn fault(&self) -> Option<&str> {
        let fault = self.fault.as_str().filter(|fault| !fault.is_empty())?;
        self.detached_since().map(|_| fault)
    }

    /// The storage driver does not find the node: it cannot detach the volume from it.
    pub fn lacks_node(&self) -> bool {
        let Some(fault) = self.fault().map(str::to_lowercase) else {
            return false;
        };
        let node = self.node.text().to_lowercase();
        let is_node = |word: &str| {
            let own = ["node", "instance", "server", "machine"];
            own.contains(&word) || (!node.is_empty() && word == node)
        };
        let words = |text: &str| -> Vec<String> {
            let ends = |c: char| !(c.is_ascii_alphanumeric() || ['-', '.', '_'].contains(&c));
            let all = text.split(ends).map(|word| word.trim_matches('.'));
            all.filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let is_missing = ["not found", "does not exist", "doesn't exist"]
            .iter()
            .filter_map(|part| fault.split_once(part))
            // What is missing is named right before.
            .filter_map(|(before, _)| before.rsplit([':', ',', '=']).next())
            .any(|clause| {
                let words = words(clause);
                let of_node = words.iter().any(|word| is_node(word));
                of_node
                    && !words
                        .iter()
                        .any(|word| ["volume", "disk"].contains(&word.as_str()))
            });
        let is_unfound = ["find ", "no such "]
            .iter()
            .filter_map(|part| fault.split_once(part))
            .any(|(_, after)| words(after).iter().take(2).any(|word| is_node(word)));
        is_missing || is_unfound
    }
}

impl Parsed for VolumeAttachment {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn attachment(deleted: &Value, fault: &Value) -> VolumeAttachment {
        VolumeAttachment::from_value(
            &json!({"metadata": {"name": "csi-1", "deletionTimestamp": deleted},
            "spec": {"nodeName": "worker-7"}, "status": {"attached": true, "detachError": {"message": fault}}}),
        )
    }

    #[test]
    fn a_node_that_the_driver_does_not_find_is_known_by_its_words() {
        let of =
            |fault: &str| attachment(&json!("2026-11-27T03:58:12Z"), &json!(fault)).lacks_node();
        for fault in [
            "rpc error: code = NotFound desc = node \"worker-7\" not found",
            "rpc error: code = NotFound desc = Instance \"i-0a\" not found",
            "rpc error: code = Internal desc = could not detach volume vol-0: worker-7 does not exist",
            "rpc error: code = Internal desc = failed to find node worker-7",
            "attachment of volume vol-0: no such instance",
        ] {
            assert!(of(fault), "{fault}");
        }
        for fault in [
            "rpc error: code = NotFound desc = volume vol-0 not found",
            "rpc error: code = NotFound desc = volume vol-0 not found on node worker-7",
            "rpc error: code = NotFound desc = vol-0 of node-group does not exist",
            "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
            "rpc error: code = Unavailable desc = node worker-7 does not answer",
            "",
        ] {
            assert!(!of(fault), "{fault}");
        }
    }

    #[test]
    fn a_fault_counts_while_the_volume_is_to_be_detached() {
        let when = json!("2026-11-27T03:58:12Z");
        assert_eq!(attachment(&when, &json!("m")).fault(), Some("m"));
        for (deleted, fault) in [
            (json!(null), json!("m")),
            (json!(7), json!("m")),
            (when, json!(7)),
        ] {
            let found = attachment(&deleted, &fault);
            assert_eq!(found.fault(), None, "{deleted} {fault}");
        }
    }
}
