//! What the log of the creation Job says: how CouchDB answered, and whether it may have created the database.

/// What a log of the creation Job says of CouchDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouchFailure {
    /// The database exists (412).
    Exists,
    /// The mesh let the request not through to CouchDB (403).
    Denied,
    /// The credentials were refused (401, 403).
    Refused,
    /// No answer.
    Unreachable,
}

/// Reads it; `None` where the log speaks of something else.
pub fn couch_failure(log: &str) -> Option<CouchFailure> {
    const EXISTS: &[&str] = &[
        "returned error: 412",
        "file_exists",
        "412 Precondition Failed",
        "the file already exists",
    ];
    // Envoy's words; CouchDB answers in JSON.
    const DENIED: &[&str] = &["RBAC: access denied"];
    const REFUSED: &[&str] = &[
        "returned error: 401",
        "returned error: 403",
        "401 Unauthorized",
        "403 Forbidden",
        "Name or password is incorrect",
        "\"error\":\"unauthorized\"",
        "Account is temporarily locked",
    ];
    const UNREACHABLE: &[&str] = &[
        "Could not resolve host",
        "Failed to connect",
        "Couldn't connect",
        "Connection refused",
        "onnection timed out",
        "Operation timed out",
        "Resolving timed out",
        "Empty reply from server",
        "Recv failure",
        "returned error: 502",
        "returned error: 503",
        "returned error: 504",
    ];
    // An answer in words is one, whatever its status.
    if ["progress not possible", "No DB shards could be opened"]
        .iter()
        .any(|t| log.contains(t))
    {
        return None;
    }
    [
        (CouchFailure::Exists, EXISTS),
        (CouchFailure::Denied, DENIED),
        (CouchFailure::Refused, REFUSED),
        (CouchFailure::Unreachable, UNREACHABLE),
    ]
    .into_iter()
    .find(|(_, texts)| texts.iter().any(|t| log.contains(t)))
    .map(|(said, _)| said)
}

/// What the log of a Job that got no answer says of the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mesh {
    /// The proxies do not trust each other's certificates.
    Distrusts,
    /// The Job's own proxy answered that it has no pod to send the request to.
    NoPod,
    /// The connection was reset, as a proxy does that demands mutual TLS.
    Reset,
}

/// Reads it; `None` where the log has no word of a mesh.
pub fn mesh(log: &str) -> Option<Mesh> {
    const WORDS: [(&str, Mesh); 4] = [
        ("CERTIFICATE_VERIFY_FAILED", Mesh::Distrusts),
        ("no healthy upstream", Mesh::NoPod),
        ("upstream connect error", Mesh::NoPod),
        ("Connection reset by peer", Mesh::Reset),
    ];
    let found = WORDS.into_iter().find(|(text, _)| log.contains(text));
    found.map(|(_, mesh)| mesh)
}

/// What CouchDB's own words mean for the creation, where they are more than a status.
pub fn explained(log: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 18] = [
        (
            "No DB shards could be opened",
            "CouchDB answered that no member with a copy of its own system databases can be reached: check CouchDB's pods and its cluster (_membership).",
        ),
        (
            "progress not possible",
            "CouchDB answered that too few of its members can be reached (nodedown): check CouchDB's pods and its cluster (_membership).",
        ),
        (
            "Account is temporarily locked",
            "CouchDB has locked the account after failed logins, for five minutes: correct the password first, then wait until the lock ends.",
        ),
        (
            "write_quorum_not_met",
            "CouchDB answered that too few of its members have confirmed the write: check CouchDB's pods and its cluster (_membership).",
        ),
        (
            "due to overloading or maintenance mode",
            "CouchDB answered that none of its members accepts requests (overloaded or in maintenance mode): check CouchDB's pods and their configuration.",
        ),
        (
            "maintenance_mode",
            "CouchDB answered that a member is in maintenance mode: check CouchDB's pods and their configuration.",
        ),
        (
            "could not be processed in a reasonable amount of time",
            "CouchDB answered that its members did not answer each other in time: check CouchDB's pods and their load.",
        ),
        (
            "insufficient_storage",
            "CouchDB answered that it has no space left: check CouchDB's pods and their volumes.",
        ),
        (
            "no space left on device",
            "CouchDB answered that it has no space left: check CouchDB's pods and their volumes.",
        ),
        (
            "database_name_too_long",
            "CouchDB answered that the database's name is too long: shorten values.namespace or values.database.",
        ),
        (
            "You are not a server admin",
            "CouchDB knows the account, but it is not a server admin: only server admins may create databases.",
        ),
        (
            "\"method_not_allowed\"",
            "The request went to a path that does not accept PUT: the URL that the Job uses is not CouchDB's, or lacks the database's name.",
        ),
        (
            "read_beyond_eof",
            "CouchDB answered that one of its files ends too early, so it is damaged; the answer names the file. Restore that member's file or volume before anything else: check CouchDB's pods, their logs and their volumes.",
        ),
        (
            "file_corruption",
            "CouchDB answered that one of its files is damaged: check CouchDB's pods, their logs and their volumes.",
        ),
        // Terms of Erlang: an error that CouchDB has no words for.
        (
            "{badmatch,",
            "CouchDB answered with an internal error, which only its log explains: check CouchDB's pods and their logs.",
        ),
        (
            "{bad_return_value,",
            "CouchDB answered with an internal error, which only its log explains: check CouchDB's pods and their logs.",
        ),
        (
            "CERTIFICATE_VERIFY_FAILED",
            "The mesh's proxies do not trust each other's certificates: those of the Job and of CouchDB come from different roots of istiod, or one has expired.",
        ),
        (
            "bytes received",
            "The request was sent, but no whole answer came in time.",
        ),
    ];
    let found = WORDS.iter().find(|(text, _)| log.contains(text));
    found.map(|(_, words)| *words)
}

/// Whether a failed creation's log leaves it open that CouchDB created the database: it answered with an error of its own (5xx), or the
/// request was sent and the answer lost. Without a quorum CouchDB answers 500 to a creation that it carries out.
pub fn may_have_created(log: &str) -> bool {
    const SENT: [&str; 8] = [
        "returned error: 5",
        "progress not possible",
        "No DB shards could be opened",
        "Empty reply from server",
        "Recv failure",
        // Of curl's time-outs the ones after the connection was made say how much came.
        "bytes received",
        "Internal Server Error",
        "504 Gateway Time",
    ];
    // A proxy's answer: it had no CouchDB to send the request to. curl's line for that answer is one of `SENT`, so only further ones count.
    const NOT_SENT: [&str; 3] = [
        "no healthy upstream",
        "reset reason: connection failure",
        "CERTIFICATE_VERIFY_FAILED",
    ];
    let lines = |texts: &[&str]| {
        let has = |line: &&str| texts.iter().any(|t| line.contains(t));
        log.lines().filter(has).count()
    };
    lines(&SENT) > lines(&NOT_SENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mesh_answers_in_its_own_words() {
        let distrust = "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: TLS_error: CERTIFICATE_VERIFY_FAILED\ncurl: (22) The requested URL returned error: 503";
        assert_eq!(mesh(distrust), Some(Mesh::Distrusts));
        assert!(!may_have_created(distrust));
        assert_eq!(mesh("no healthy upstream"), Some(Mesh::NoPod));
        let reset = "curl: (56) Recv failure: Connection reset by peer";
        assert_eq!(mesh(reset), Some(Mesh::Reset));
        assert_eq!(mesh("curl: (6) Could not resolve host: a"), None);
        let denied = "RBAC: access denied\ncurl: (22) The requested URL returned error: 403";
        assert_eq!(couch_failure(denied), Some(CouchFailure::Denied));
    }

    #[test]
    fn a_request_that_was_never_sent_created_nothing() {
        for log in [
            "curl: (22) The requested URL returned error: 500",
            "curl: (22) The requested URL returned error: 503",
            "curl: (52) Empty reply from server",
            "curl: (28) Operation timed out after 30001 milliseconds with 0 bytes received",
            "curl: (28) Operation timed out after 5001 milliseconds with 0 out of 0 bytes received",
            // One attempt reached CouchDB, the next one did not.
            "curl: (22) The requested URL returned error: 500\nno healthy upstream\ncurl: (22) The requested URL returned error: 503",
        ] {
            assert!(may_have_created(log), "{log}");
        }
        let sent =
            "curl: (28) Operation timed out after 5001 milliseconds with 0 out of 0 bytes received";
        let unsent = "curl: (28) Connection timed out after 5001 milliseconds";
        assert!(explained(sent).is_some_and(|why| why.starts_with("The request was sent")));
        assert_eq!(explained(unsent), None);
        for log in [
            "curl: (6) Could not resolve host: couchdb",
            "curl: (7) Failed to connect to couchdb port 5984",
            "curl: (7) Failed to connect to couchdb port 5984 after 130 ms: Operation timed out",
            "curl: (28) Connection timed out after 5001 milliseconds",
            "curl: (28) Resolving timed out after 5000 milliseconds",
            "curl: (22) The requested URL returned error: 412",
            "curl: (22) The requested URL returned error: 401",
            "no healthy upstream\ncurl: (22) The requested URL returned error: 503",
        ] {
            assert!(!may_have_created(log), "{log}");
        }
    }
}
