//! A request to Flux for an attempt, as annotations of the HelmRelease: a token, and the same token again for one more wish.
//!
//! Flux heeds a wish only if its token is the request's, and heeds a token once.

use super::helm_release::Metadata;
use serde_json::{Value, json};

const REQUEST: &str = "reconcile.fluxcd.io/requestedAt";

/// A wish beside the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The failures are counted from zero.
    Reset,
    /// One upgrade, whatever failed before.
    Force,
}

impl Wish {
    fn annotation(self) -> &'static str {
        match self {
            Self::Reset => "reconcile.fluxcd.io/resetAt",
            Self::Force => "reconcile.fluxcd.io/forceAt",
        }
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A time that no earlier request had.
    pub token: String,
    pub wish: Option<Wish>,
}

impl Request {
    /// The annotations that it sets.
    pub fn annotations(&self) -> impl Iterator<Item = &'static str> {
        [REQUEST].into_iter().chain(self.wish.map(Wish::annotation))
    }

    /// A merge patch of the object as it was read: the API server refuses it (409) if the object has changed since.
    pub fn patch(&self, read: &Metadata) -> Value {
        let annotations = self
            .annotations()
            .map(|name| (name.to_owned(), json!(self.token)));
        json!({
            "metadata": {
                "uid": read.uid,
                "resourceVersion": read.resource_version,
                "annotations": annotations.collect::<serde_json::Map<_, _>>(),
            },
        })
    }

    /// Whether an object holds it.
    pub fn is_in(&self, object: &Value) -> bool {
        let held = &object["metadata"]["annotations"];
        self.annotations()
            .all(|name| held[name] == json!(self.token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_has_the_token_of_the_request() {
        let read = Metadata {
            uid: "u".to_owned(),
            resource_version: "7".to_owned(),
            ..Metadata::default()
        };
        let request = |wish| Request {
            token: "t".to_owned(),
            wish,
        };
        let patch = |wish| request(wish).patch(&read);
        assert_eq!(
            patch(None),
            json!({"metadata": {"uid": "u", "resourceVersion": "7", "annotations": {REQUEST: "t"}}})
        );
        let reset = patch(Some(Wish::Reset));
        assert_eq!(
            reset["metadata"]["annotations"],
            json!({REQUEST: "t", "reconcile.fluxcd.io/resetAt": "t"})
        );
        assert!(request(Some(Wish::Reset)).is_in(&reset));
        assert!(request(None).is_in(&reset));
        assert!(!request(Some(Wish::Force)).is_in(&reset));
        assert!(!request(None).is_in(&json!({})));
    }
}
