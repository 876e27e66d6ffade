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
}

impl VolumeAttachment {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            node: fields.at("/spec/nodeName"),
            volume: fields.at("/spec/source/persistentVolumeName"),
            attached: fields.at("/status/attached"),
            meta: fields.meta("VolumeAttachment"),
        }
    }

    /// The volume is surely attached.
    pub fn is_attached(&self) -> bool {
        self.attached.is(&true)
    }
}

impl Parsed for VolumeAttachment {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}
