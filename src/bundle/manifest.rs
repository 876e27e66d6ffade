//! `manifest.json` of a bundle: when and where it was captured, every request and what became of it.
//!
//! Owns the format, read and written, and when two requests are the same one. Which files the answers are in is said here;
//! what is in them is not.

use super::kept::Asked;
use k8s_openapi::jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `apiVersion` of the bundles that this version writes. It counts the lists of what is kept: a reader that knows another list would
/// take a field that was not kept for one that is absent.
pub const API_VERSION: &str = "skvs.kubectl.io/v1alpha2";
/// Of those that it reads: version 1 holds whole answers.
pub const READABLE: [&str; 2] = ["skvs.kubectl.io/v1alpha1", API_VERSION];
/// `kind` of the manifest.
pub const KIND: &str = "Bundle";
/// Name of the manifest in the bundle's folder.
pub const FILE: &str = "manifest.json";
/// Folder of the answers beside it.
pub const ANSWERS: &str = "answers";

/// Parameters that cut a list into pages: a saved list is whole.
const PAGING: [&str; 2] = ["limit", "continue"];

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

/// In which form an answer is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    /// The objects, whole.
    #[default]
    Json,
    /// A list of the objects' metadata alone: no Secret's payload travels.
    Metadata,
    /// Text as it is: a pod's log.
    Text,
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

/// A Kubernetes `Status`, as far as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    pub code: u16,
    pub reason: String,
    pub message: String,
    /// Name of the object that it is about: a 404 without one tells that the path is not served.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// What makes two requests the same: path, query without paging in any order, form, body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    path: String,
    query: Vec<(String, String)>,
    accept: Accept,
    /// The body as text: object keys are sorted.
    body: String,
}

impl Key {
    /// The key of a request, sent or recorded.
    pub fn new(path: &str, accept: Accept, body: Option<&Value>) -> Self {
        let (path, query) = split(path);
        let mut query: Vec<_> = query
            .into_iter()
            .filter(|(name, _)| !PAGING.contains(&name.as_str()))
            .collect();
        query.sort();
        Self {
            path,
            query,
            accept,
            body: body.map_or(String::new(), Value::to_string),
        }
    }
}

impl Asked {
    /// Its key.
    pub fn key(&self) -> Key {
        Key::new(self.path(), self.accept(), self.body())
    }
}

/// Path and query of a request, decoded. Segments of the path stay encoded: a slash in a name is none of the path's.
pub(crate) fn split(path: &str) -> (String, Vec<(String, String)>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
    (path.to_owned(), query.collect())
}

/// Percent-decoded; what is no UTF-8 is replaced.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(path: &str) -> Key {
        Key::new(path, Accept::Json, None)
    }

    #[test]
    fn paging_and_encoding_make_no_other_request() {
        let asked = key("/api/v1/pods?labelSelector=a%3Db&limit=500&continue=x");
        assert_eq!(asked, key("/api/v1/pods?labelSelector=a=b"));
        assert_eq!(key("/a?x=1&y=2"), key("/a?y=2&x=1"));
        assert_ne!(asked, key("/api/v1/pods?labelSelector=a%3Dc"));
        assert_ne!(asked, key("/api/v1/pods"));
        assert_ne!(key("/a"), Key::new("/a", Accept::Metadata, None));
        assert_ne!(key("/a"), Key::new("/a", Accept::Json, Some(&json!({}))));
        assert_eq!(
            Key::new("/a", Accept::Json, Some(&json!({"x": 1, "y": 2}))),
            Key::new("/a", Accept::Json, Some(&json!({"y": 2, "x": 1})))
        );
    }

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
