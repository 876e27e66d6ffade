//! `explain -o json|yaml`: what a code means, kind `Diagnosis`.

use super::description::API_VERSION;
use crate::diagnosis::catalogue::Entry;
use serde::Serialize;

/// One code.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    pub api_version: &'static str,
    pub kind: &'static str,
    #[serde(flatten)]
    pub entry: Entry,
}

impl From<Entry> for Diagnosis {
    fn from(entry: Entry) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "Diagnosis",
            entry,
        }
    }
}
