//! What the log of the creation Job says: how CouchDB answered, and whether it may have created the database.

mod words;

pub use words::{ended_with, explained};

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
        // Other clients' words, and Envoy's.
        "connection refused",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "EHOSTUNREACH",
        "ENOTFOUND",
        "EAI_AGAIN",
        "no such host",
        "server misbehaving",
        "i/o timeout",
        "bad address '",
        "Name or service not known",
        "Temporary failure in name resolution",
        "Name does not resolve",
        "nodename nor servname provided",
        "No route to host",
        "Network is unreachable",
        "Could not connect to",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Time",
        "upstream connect error",
        "upstream request timeout",
        "no healthy upstream",
    ];
    let asked = without_own_proxy(log);
    // An answer in words is one, whatever its status.
    if [
        "progress not possible",
        "No DB shards could be opened",
        "Jwt is missing",
        "Jwt verification fails",
    ]
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
    .find(|(said, texts)| {
        let log = match said {
            CouchFailure::Unreachable => asked.as_str(),
            _ => log,
        };
        texts.iter().any(|t| log.contains(t))
    })
    .map(|(said, _)| said)
}

/// How the Job failed to learn the address of CouchDB's Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// DNS did not answer, or with an error of its own.
    NoAnswer,
    /// DNS answered that the name does not exist.
    NoName,
    /// The client does not say which of the two it was.
    Either,
}

/// Reads how the last attempt failed; `None` where it got an address, or the log speaks of something else.
pub fn unresolved(log: &str) -> Option<Unresolved> {
    const WORDS: [(&str, Unresolved); 13] = [
        ("Could not resolve host", Unresolved::Either),
        ("Resolving timed out", Unresolved::NoAnswer),
        ("EAI_AGAIN", Unresolved::NoAnswer),
        ("Temporary failure in name resolution", Unresolved::NoAnswer),
        ("server misbehaving", Unresolved::NoAnswer),
        ("ENOTFOUND", Unresolved::NoName),
        ("no such host", Unresolved::NoName),
        ("Name or service not known", Unresolved::NoName),
        ("Name does not resolve", Unresolved::NoName),
        ("nodename nor servname provided", Unresolved::NoName),
        // Of busybox, whatever happened.
        ("bad address '", Unresolved::Either),
        // Of Go: the lookup itself had no answer.
        (": i/o timeout", Unresolved::NoAnswer),
        (": connection refused", Unresolved::NoAnswer),
    ];
    let asked = without_own_proxy(log);
    let line = asked
        .lines()
        .rev()
        .find(|line| couch_failure(line).is_some())?;
    let is = |text: &str| match text.strip_prefix(": ") {
        Some(text) => line
            .split_once("dial tcp: lookup ")
            .is_some_and(|(_, rest)| rest.contains(text)),
        None => line.contains(text),
    };
    let found = WORDS.into_iter().find(|(text, _)| is(text));
    found.map(|(_, how)| how)
}

/// The host whose address was not found, where the log names it.
pub fn unresolved_host(log: &str) -> Option<&str> {
    const LEADS: [&str; 5] = [
        "Could not resolve host: ",
        "bad address '",
        "dial tcp: lookup ",
        "getaddrinfo ENOTFOUND ",
        "getaddrinfo EAI_AGAIN ",
    ];
    let mut lines = log.lines().rev();
    lines.find_map(|line| {
        let (_, rest) = LEADS.iter().find_map(|lead| line.split_once(lead))?;
        let end = |c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-');
        let host = rest.split(end).next()?;
        (!host.is_empty()).then_some(host)
    })
}

/// Whether the name of a user in the log ends with a line break.
pub fn has_broken_name(log: &str) -> bool {
    const BEFORE: [&str; 6] = ["user", "username", "name", "login", "account", "as"];
    let lines: Vec<&str> = log.lines().collect();
    let is_open = |line: &str, quote: char| {
        let Some((before, name)) = line.rsplit_once(quote) else {
            return false;
        };
        let word = before.trim_end_matches([' ', ':', '=']);
        let word = word.rsplit(' ').next().unwrap_or_default();
        let is_name = !name.is_empty() && !name.contains(' ');
        is_name && BEFORE.iter().any(|own| word.eq_ignore_ascii_case(own))
    };
    let goes_on = lines.windows(2).any(|pair| {
        let mut quotes = ['\'', '"'].into_iter();
        quotes.any(|quote| is_open(pair[0], quote) && pair[1].starts_with(quote))
    });
    // In a URL, before the password or the host.
    let mut lines = lines.iter();
    goes_on || lines.any(|line| line.contains("%0A@") || line.contains("%0A:"))
}

/// Whether the log says that no connection to CouchDB was made, as far as it says anything: no request was sent.
pub fn is_unconnected(log: &str) -> bool {
    couch_failure(log) == Some(CouchFailure::Unreachable) && !may_have_created(log)
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

/// The Job waits for a sidecar, or ends one: it asks for a port of Istio's agent or Envoy in its own pod, and nothing listens there.
pub fn waits_for_proxy(log: &str) -> bool {
    const REFUSED: [&str; 5] = [
        "Failed to connect",
        "Couldn't connect",
        "Could not connect",
        "onnection refused",
        "ECONNREFUSED",
    ];
    let mut lines = log.lines().filter(|line| is_of_own_proxy(line));
    lines.any(|line| REFUSED.iter().any(|text| line.contains(text)))
}

/// A line about a port of Istio's agent or Envoy in the Job's own pod.
fn is_of_own_proxy(line: &str) -> bool {
    const OWN: [&str; 3] = ["127.0.0.1", "localhost", "::1"];
    const PORTS: [&str; 3] = ["15000", "15020", "15021"];
    let has = |texts: &[&str]| texts.iter().any(|text| line.contains(text));
    has(&OWN) && has(&PORTS)
}

fn without_own_proxy(log: &str) -> String {
    let lines = log.lines().filter(|line| !is_of_own_proxy(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a failed creation's log leaves it open that CouchDB created the database: it answered with an error of its own (5xx), or the
/// request was sent and the answer lost. Without a quorum CouchDB answers 500 to a creation that it carries out.
pub fn may_have_created(log: &str) -> bool {
    const SENT: [&str; 11] = [
        "returned error: 5",
        "progress not possible",
        "No DB shards could be opened",
        "Empty reply from server",
        "Recv failure",
        // Of curl's time-outs the ones after the connection was made say how much came.
        "bytes received",
        "Internal Server Error",
        "504 Gateway Time",
        "upstream request timeout",
        "reset reason: connection termination",
        "ECONNRESET",
    ];
    // A proxy's answer: it had no CouchDB to send the request to. curl's line for that answer is one of `SENT`, so only further ones count.
    const NOT_SENT: [&str; 4] = [
        "no healthy upstream",
        "reset reason: connection failure",
        "reset reason: remote connection failure",
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
    fn the_host_without_an_address_is_read() {
        for (log, host) in [
            (
                "curl: (6) Could not resolve host: db.a.example",
                Some("db.a.example"),
            ),
            (
                "wget: bad address 'db.a.example:5984'",
                Some("db.a.example"),
            ),
            (
                "dial tcp: lookup db.a.example on 10.96.0.10:53: no such host",
                Some("db.a.example"),
            ),
            (
                "Error: getaddrinfo ENOTFOUND db.a.example\nlater",
                Some("db.a.example"),
            ),
            // The last one counts.
            (
                "Could not resolve host: a\nCould not resolve host: b",
                Some("b"),
            ),
            ("Could not resolve host", None),
            ("Could not resolve host: ", None),
        ] {
            assert_eq!(unresolved_host(log), host, "{log}");
        }
    }

    #[test]
    fn a_name_with_a_line_break_is_seen() {
        for (log, broken) in [
            ("PUT http://db:5984/a as user 'admin\n'", true),
            ("user: \"admin\n\" was refused", true),
            ("http://admin%0A:***@db:5984", true),
            ("as user 'admin'\n'x'", false),
            ("it doesn't\n'work'", false),
            ("curl -w '%{http_code}\\n' http://db:5984\n'", false),
            ("printf '%s\n' x", false),
            (
                r#"b'{"error":"unauthorized","reason":"Name or password is incorrect."}\n'"#,
                false,
            ),
            ("", false),
        ] {
            assert_eq!(has_broken_name(log), broken, "{log}");
        }
    }

    #[test]
    fn only_a_port_of_the_proxy_in_the_own_pod_is_waited_for() {
        for (log, waits) in [
            (
                "curl: (7) Failed to connect to 127.0.0.1 port 15020: Connection refused",
                true,
            ),
            (
                "wget: can't connect to remote host (127.0.0.1:15021): Connection refused",
                true,
            ),
            ("dial tcp [::1]:15000: connect: connection refused", true),
            (
                "curl: (7) Failed to connect to 127.0.0.1 port 5984: Connection refused",
                false,
            ),
            (
                "curl: (7) Failed to connect to couchdb port 15020: Connection refused",
                false,
            ),
            ("GET http://127.0.0.1:15020/quitquitquit 200", false),
        ] {
            assert_eq!(waits_for_proxy(log), waits, "{log}");
        }
    }

    #[test]
    fn a_name_that_was_not_resolved_is_no_answer_of_couchdb() {
        use Unresolved::{Either, NoAnswer, NoName};
        for (log, how) in [
            (
                "curl: (6) Could not resolve host: db.secure-kvs.svc",
                Some(Either),
            ),
            (
                "curl: (28) Resolving timed out after 5000 milliseconds",
                Some(NoAnswer),
            ),
            ("wget: bad address 'db.secure-kvs.svc:5984'", Some(Either)),
            (
                "Error: getaddrinfo ENOTFOUND db.secure-kvs.svc",
                Some(NoName),
            ),
            (
                "Error: getaddrinfo EAI_AGAIN db.secure-kvs.svc",
                Some(NoAnswer),
            ),
            (
                "dial tcp: lookup db.secure-kvs.svc on 10.96.0.10:53: no such host",
                Some(NoName),
            ),
            (
                "dial tcp: lookup db.secure-kvs.svc on 10.96.0.10:53: server misbehaving",
                Some(NoAnswer),
            ),
            (
                "dial tcp: lookup db.secure-kvs.svc on 10.96.0.10:53: read udp 10.42.0.7:5000->10.96.0.10:53: i/o timeout",
                Some(NoAnswer),
            ),
            (
                "dial tcp: lookup db.secure-kvs.svc on 10.96.0.10:53: read udp 10.42.0.7:5000->10.96.0.10:53: read: connection refused",
                Some(NoAnswer),
            ),
            (
                "socket.gaierror: [Errno -2] Name or service not known",
                Some(NoName),
            ),
            (
                "socket.gaierror: [Errno -3] Temporary failure in name resolution",
                Some(NoAnswer),
            ),
            ("[Errno -2] Name does not resolve", Some(NoName)),
            (
                "[Errno 8] nodename nor servname provided, or not known",
                Some(NoName),
            ),
            ("dial tcp 10.96.3.8:5984: i/o timeout", None),
            ("dial tcp 10.96.3.8:5984: connect: connection refused", None),
            (
                "curl: (7) Failed to connect to db.secure-kvs.svc port 5984",
                None,
            ),
            ("curl: (5) Could not resolve proxy: p", None),
            // Only the last attempt counts.
            (
                "curl: (6) Could not resolve host: db\ncurl: (7) Failed to connect to db port 5984",
                None,
            ),
            (
                "curl: (7) Failed to connect to db port 5984\ncurl: (6) Could not resolve host: db\ngiving up",
                Some(Either),
            ),
        ] {
            assert_eq!(unresolved(log), how, "{log}");
            if how.is_some() {
                assert!(is_unconnected(log), "{log}");
            }
        }
        assert!(!is_unconnected("curl: (52) Empty reply from server"));
        assert!(!is_unconnected(
            "curl: (22) The requested URL returned error: 401"
        ));
        assert!(is_unconnected(
            "curl: (7) Failed to connect to db port 5984"
        ));
    }

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
