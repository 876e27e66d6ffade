//! `notes -o json|yaml`: the release notes and what they say, kind `ReleaseNotes`.

use super::description::API_VERSION;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage;
use crate::model::notes::Notes;
use serde::Serialize;

/// The notes of one revision.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReleaseNotes {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// Of the HelmRelease.
    pub namespace: String,
    pub name: String,
    /// Helm's name of the release.
    pub release: String,
    pub revision: i64,
    /// Helm's word for its state, such as `deployed`. Only then the notes are true.
    pub status: String,
    /// What the notes say; null where they do not.
    pub database: Option<String>,
    pub endpoint: Option<String>,
    pub service_accounts: Vec<String>,
    /// The notes as Helm stored them.
    pub text: String,
}

impl ReleaseNotes {
    /// Of this onboarding and revision.
    pub fn new(hr: &HelmRelease, stored: &helm_storage::ReleaseNotes) -> Self {
        let notes = Notes::parse(&stored.info.notes);
        Self {
            api_version: API_VERSION,
            kind: "ReleaseNotes",
            namespace: hr.metadata.namespace.clone(),
            name: hr.metadata.name.clone(),
            release: hr.release_name().to_string(),
            revision: stored.version,
            status: stored.info.status.clone(),
            database: notes.database,
            endpoint: notes.endpoint,
            service_accounts: notes.service_accounts,
            text: stored.info.notes.clone(),
        }
    }
}
