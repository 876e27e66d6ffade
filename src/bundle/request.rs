//! A request to the API server, as files know it: path, query, the form of the answer, and the refusal.
//!
//! Owns when two requests are the same one, and what a path names.

use super::store::Resource;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Parameters that cut a list into pages: a saved list is whole.
const PAGING: [&str; 2] = ["limit", "continue"];

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

/// A Kubernetes `Status`, as far as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    pub code: u16,
    pub reason: String,
    pub message: String,
    /// Name of the object in question: a 404 without one means that the path is not served.
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

/// Decodes percent escapes; invalid UTF-8 is replaced.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// One object; the namespace is empty for one that is in none.
    Object {
        resource: Resource,
        namespace: String,
        name: String,
    },
    /// Those of a namespace, or all.
    List {
        resource: Resource,
        namespace: Option<String>,
    },
    /// The log of a pod's container.
    Log { namespace: String, pod: String },
    /// Discovery, a review, …
    Other,
}

/// Reads a path: `/api/v1/…` or `/apis/GROUP/VERSION/…`.
pub(super) fn named(path: &str) -> Named {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let (group, rest) = match segments.as_slice() {
        ["api", _version, rest @ ..] => ("", rest),
        ["apis", group, _version, rest @ ..] => (*group, rest),
        _ => return Named::Other,
    };
    let resource = |plural: &str| Resource::new(&decoded(group), &decoded(plural));
    match rest {
        ["namespaces", namespace, plural] => Named::List {
            resource: resource(plural),
            namespace: Some(decoded(namespace)),
        },
        ["namespaces", namespace, plural, name] => Named::Object {
            resource: resource(plural),
            namespace: decoded(namespace),
            name: decoded(name),
        },
        ["namespaces", namespace, "pods", pod, "log"] => Named::Log {
            namespace: decoded(namespace),
            pod: decoded(pod),
        },
        [plural, name] => Named::Object {
            resource: resource(plural),
            namespace: String::new(),
            name: decoded(name),
        },
        [plural] => Named::List {
            resource: resource(plural),
            namespace: None,
        },
        _ => Named::Other,
    }
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
}
