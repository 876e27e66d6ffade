//! The messages for a request that CouchDB refuses or cannot answer.

use super::Target;
use super::credentials::Credentials;
use super::request::Path;
use super::response::Response;
use crate::error::Error;

/// CouchDB refused the credentials (401, 403). It is not asked again.
pub(crate) fn refused(target: &Target, response: &Response) -> Error {
    let error = Error::new(format!(
        "CouchDB in {target} refused {}: {}",
        target.credentials.whose(),
        response.clause()
    ));
    let error = if response.reason().contains("temporarily locked") {
        error.hint("too many logins failed, so CouchDB locked the account for five minutes; something else may be logging in with an old password")
    } else if matches!(target.credentials, Credentials::Container) {
        error.hint("the password in the pod's environment may be older than the stored one: give the right one with --credentials-from-secret NAME, or restart the pods")
    } else {
        error
    };
    error.hint("CouchDB was asked once and is not asked again: from 3.4 on, a few failures lock the account for five minutes, for the pod's probes too")
}

/// CouchDB answered a question of which only 200 is an answer with another status.
pub(crate) fn answered(target: &Target, path: &Path, response: &Response) -> Error {
    let error = Error::new(format!(
        "CouchDB in {target} answered GET {} with {}",
        path.as_str(),
        response.clause()
    ));
    match explanation(response) {
        Some(why) => error.hint(why),
        None => error,
    }
}

/// CouchDB gave no answer, or one that cannot be read.
pub(crate) fn unanswered(target: &Target, path: &Path, why: &str) -> Error {
    Error::new(format!(
        "CouchDB in {target} did not answer GET {}: {why}",
        path.as_str()
    ))
}

/// What the commonest failures of a CouchDB cluster mean.
fn explanation(response: &Response) -> Option<&'static str> {
    let reason = response.reason();
    let says = |text: &str| reason.contains(text);
    if says("No DB shards could be opened") || says("progress not possible") {
        return Some(
            "no member with a copy of its shards can be reached; check CouchDB's pods and _membership",
        );
    }
    if says("not enough") || says("quorum") || response.status == 503 {
        return Some("too few members answer; check CouchDB's pods and _membership");
    }
    (response.status == 500 && says("timeout"))
        .then_some("a member did not answer the others in time; check CouchDB's pods")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, reason: &str) -> Response {
        Response {
            status,
            request_id: None,
            body: json!({"error": "e", "reason": reason}),
        }
    }

    #[test]
    fn a_cluster_s_failures_have_their_own_words() {
        let shards = explanation(&answer(500, "No DB shards could be opened."));
        assert!(shards.is_some_and(|w| w.contains("copy of its shards")));
        let quorum = explanation(&answer(503, "service unavailable"));
        assert!(quorum.is_some_and(|w| w.contains("too few members")));
        assert!(
            explanation(&answer(
                500,
                "The request could not be processed in a reasonable amount of time: timeout"
            ))
            .is_some()
        );
        assert_eq!(explanation(&answer(500, "badmatch")), None);
        assert_eq!(explanation(&answer(404, "missing")), None);
    }
}
