//! `manifest.json` of a bundle: when and where it was captured, every request and what became of it.
//!
//! Owns the format, read and written. Which files the answers are in is said here; what is in them is not.

use super::kept::Asked;
use super::request::Status;
use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `apiVersion` of the bundles that this version writes. It counts the lists of what is kept: a reader that knows another list would
/// take a field that was not kept for one that is absent.
pub const API_VERSION: &str = "skvs.kubectl.io/v1alpha5";
/// Of those that it reads: version 1 holds whole answers.
pub const READABLE: [&str; 2] = ["skvs.kubectl.io/v1alpha1", API_VERSION];
/// `kind` of the manifest.
pub const KIND: &str = "Bundle";
/// Name of the manifest in the bundle's folder.
pub const FILE: &str = "manifest.json";
/// Folder of the answers beside it.
pub const ANSWERS: &str = "answers";

/// The manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub api_version: String,
    pub kind: String,
    /// The time from which ages are counted when the bundle is read.
    pub captured_at: Timestamp,
    /// Program and version.
    #[serde(default)]
    pub captured_by: String,
    /// The kubeconfig's context, if one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The API server's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Namespace in which onboardings were looked up; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Label selector of onboardings.
    #[serde(default)]
    pub selector: String,
    /// Names as they were given; empty for all.
    #[serde(default)]
    pub names: Vec<String>,
    #[serde(default)]
    pub requests: Vec<Request>,
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    #[serde(flatten)]
    pub asked: Asked,
    pub outcome: Outcome,
    /// The answer, from the bundle's folder on: `answers/0001-helmreleases.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What the API server said instead: absent, forbidden, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why there was no answer at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// There is an answer: in [`Request::file`].
    Seen,
    /// There is none: [`Request::status`] or [`Request::error`] says why.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::request::Accept;
    use serde_json::json;

    #[test]
    fn the_manifest_is_written_as_it_is_read() {
        let text = json!({
            "apiVersion": API_VERSION, "kind": KIND, "capturedAt": "2026-11-24T01:02:03Z", "capturedBy": "kubectl-skvs 0.1.0",
            "context": "prod-east", "server": "https://10.20.0.1:6443/", "namespace": "flux-system", "selector": "a=b",
            "names": ["pds_database"],
            "requests": [
                {"path": "/api/v1/namespaces/core", "accept": "json", "outcome": "refused",
                 "status": {"code": 404, "reason": "NotFound", "message": "namespaces \"core\" not found", "name": "core"}},
                {"path": "/api/v1/namespaces/core/pods/a/log", "accept": "text", "outcome": "seen", "file": "answers/0002-a.log"},
                {"path": "/apis/authorization.k8s.io/v1/subjectaccessreviews", "accept": "json", "body": {"kind": "SubjectAccessReview"},
                 "outcome": "refused", "error": "no answer in 30s"},
            ],
        });
        let manifest: Manifest = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(manifest.requests[1].asked.accept(), Accept::Text);
        assert_eq!(serde_json::to_value(&manifest).unwrap(), text);
    }
}
