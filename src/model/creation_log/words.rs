//! Words in a log of the creation Job that say more than a status, and their meaning.

use super::{couch_failure, is_of_own_proxy, may_have_created};

/// Words of CouchDB, the mesh or the Job's client with their meaning; the first that is in a line counts.
const WORDS: &[(&str, &str)] = &[
    (
        "server_admin required",
        "CouchDB knows the account, but it is not a server admin: only server admins may create databases.",
    ),
    (
        "no_majority",
        "CouchDB answered that its members disagree, or too few of them can be reached: check CouchDB's pods and its cluster (_membership).",
    ),
    (
        "fabric timeout",
        "CouchDB answered that its members did not answer each other in time: check CouchDB's pods and their load.",
    ),
    (
        "eacces",
        "CouchDB may not write to its own data folder: check CouchDB's pods, and the owner of the files on their volumes (securityContext.fsGroup).",
    ),
    (
        "erofs",
        "The file system of a CouchDB volume has become read-only: check CouchDB's pods, their volumes and their nodes.",
    ),
    (
        "enospc",
        "CouchDB answered that it has no space left: check CouchDB's pods and their volumes.",
    ),
    (
        "emfile",
        "CouchDB has reached its limit of open files: check CouchDB's pods and their configuration ([couchdb] max_dbs_open, and the limit of the process).",
    ),
    (
        "too many open files",
        "CouchDB has reached its limit of open files: check CouchDB's pods and their configuration ([couchdb] max_dbs_open, and the limit of the process).",
    ),
    (
        "all_dbs_active",
        "CouchDB has as many databases open as it may: check CouchDB's pods and their configuration ([couchdb] max_dbs_open).",
    ),
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
    (
        "\"nodedown\"",
        "CouchDB answered that a member is down: check CouchDB's pods and its cluster (_membership).",
    ),
    (
        "\"error\":\"unknown_error\"",
        "CouchDB answered with an internal error, which only its log explains: check CouchDB's pods and their logs.",
    ),
    (
        "\"error\":\"internal_server_error\"",
        "CouchDB answered with an internal error, which only its log explains: check CouchDB's pods and their logs.",
    ),
    (
        "\"error\":\"case_clause\"",
        "CouchDB answered with an internal error, which only its log explains: check CouchDB's pods and their logs.",
    ),
    (
        "\"error\":\"function_clause\"",
        "CouchDB answered with an internal error, which only its log explains: check CouchDB's pods and their logs.",
    ),
    (
        "\"error\":\"badarg\"",
        "CouchDB answered with an internal error, which only its log explains: check CouchDB's pods and their logs.",
    ),
    (
        "\"error\":\"noproc\"",
        "CouchDB answered that a part of it does not run, which only its log explains: check CouchDB's pods and their logs.",
    ),
    (
        "no_db_file",
        "The Job asked about a database that does not exist, where it should have created it: the command or the URL that it uses is wrong.",
    ),
    (
        "Database does not exist.",
        "The Job asked about a database that does not exist, where it should have created it: the command or the URL that it uses is wrong.",
    ),
    // What is between the Job and CouchDB.
    (
        "Jwt is missing",
        "Istio answered, not CouchDB: a RequestAuthentication and an AuthorizationPolicy at CouchDB's pods demand a token (JWT). Have the policy except the Job's account.",
    ),
    (
        "Jwt verification fails",
        "Istio answered, not CouchDB: a RequestAuthentication at CouchDB's pods does not accept the token (JWT) that the Job sends.",
    ),
    (
        "WRONG_VERSION_NUMBER",
        "The Job's proxy speaks mutual TLS, and what answers does not: a DestinationRule demands it (ISTIO_MUTUAL), while CouchDB's pods have no sidecar, or a PeerAuthentication switches it off there.",
    ),
    (
        "delayed connect error: 111",
        "The Job's proxy reached a pod of CouchDB, and nothing listens there at the Service's target port: check CouchDB's pods and the Service's targetPort.",
    ),
    (
        "upstream request timeout",
        "Istio's proxy waited for CouchDB's answer as long as it may: check CouchDB's pods and their load.",
    ),
    (
        "returned error: 426",
        "A proxy refuses the client's version of HTTP: the Job's client speaks HTTP/1.0, and Istio's proxies accept HTTP/1.1.",
    ),
    (
        "426 Upgrade Required",
        "A proxy refuses the client's version of HTTP: the Job's client speaks HTTP/1.0, and Istio's proxies accept HTTP/1.1.",
    ),
    (
        "Could not resolve proxy",
        "The Job asks through an HTTP proxy (HTTP_PROXY or http_proxy in its environment): have CouchDB's host added to NO_PROXY.",
    ),
    (
        "CONNECT tunnel failed",
        "The Job asks through an HTTP proxy, which refuses to lead to CouchDB: have CouchDB's host added to NO_PROXY.",
    ),
    (
        "from proxy after CONNECT",
        "The Job asks through an HTTP proxy, which refuses to lead to CouchDB: have CouchDB's host added to NO_PROXY.",
    ),
    (
        "301 Moved Permanently",
        "The answer is a redirect, which CouchDB does not give: the URL that the Job uses leads to something else, such as an ingress.",
    ),
    (
        "302 Found",
        "The answer is a redirect, which CouchDB does not give: the URL that the Job uses leads to something else, such as an ingress.",
    ),
    (
        "308 Permanent Redirect",
        "The answer is a redirect, which CouchDB does not give: the URL that the Job uses leads to something else, such as an ingress.",
    ),
    (
        "returned error: 429",
        "Whoever answers limits the number of requests (429): find the limit in the mesh or in a proxy before CouchDB, and try again later.",
    ),
    // What the Job's client says.
    (
        "wrong version number",
        "The Job asks by https, and what answers speaks plain HTTP: the URL that the Job uses has the wrong scheme or port.",
    ),
    (
        "packet length too long",
        "The Job asks by https, and what answers speaks plain HTTP: the URL that the Job uses has the wrong scheme or port.",
    ),
    (
        "SSL certificate problem",
        "The Job asks by https, and does not trust the certificate of what answers: the URL leads to something else than CouchDB's Service, or the Job lacks the authority's certificate.",
    ),
    (
        "URL using bad/illegal format",
        "The URL that the Job uses is not valid: check values.couchdb.serviceName and its port, and whether the password has characters that a URL must encode (@ : / ? #).",
    ),
    (
        "URL rejected",
        "The URL that the Job uses is not valid: check values.couchdb.serviceName and its port, and whether the password has characters that a URL must encode (@ : / ? #).",
    ),
    (
        "Port number was not a decimal number",
        "The URL that the Job uses is not valid: check values.couchdb.port, and whether the password has characters that a URL must encode (@ : / ? #).",
    ),
    (
        "not supported or disabled in libcurl",
        "The URL that the Job uses has a scheme that its client does not know: it has to be http or https.",
    ),
    (
        "exec format error",
        "The image is for another CPU architecture than the node's: use an image for that architecture, or a node of the image's.",
    ),
    (
        "command not found",
        "The Job's script calls a program that is not in its image: use an image that has it (values.databaseCreationJob.image).",
    ),
    (
        "curl: not found",
        "The Job's script calls curl, which is not in its image: use an image that has it (values.databaseCreationJob.image).",
    ),
];

/// Words of CouchDB's that answer a question about a database, as a Job may ask before it creates one.
const OF_QUESTION: [&str; 2] = ["no_db_file", "Database does not exist."];

/// What the log's last answer means for the creation: what earlier attempts and other requests were answered is over.
pub fn explained(log: &str) -> Option<&'static str> {
    let lines: Vec<&str> = log.lines().filter(|line| !is_of_own_proxy(line)).collect();
    let mut has_ended = false;
    for (number, line) in lines.iter().enumerate().rev() {
        // curl writes after the answer, and without one where it got none.
        let end = line.split_once("curl: (").map(|(_, code)| code);
        if end.is_some() && has_ended {
            return None;
        }
        has_ended |= end.is_some();
        if let Some((text, words)) = WORDS.iter().find(|(text, _)| has(line, text)) {
            let later = lines[number + 1..].join("\n");
            let is_other = couch_failure(&later).is_some() || may_have_created(&later);
            return (!OF_QUESTION.contains(text) || !is_other).then_some(*words);
        }
        if end.is_some_and(|code| !WITH_ANSWER.iter().any(|own| code.starts_with(own))) {
            return None;
        }
    }
    None
}

/// Codes with which curl ends after it has read a part of an answer. With 28 it may not even have had a connection; where it had, the
/// line has words of the table.
const WITH_ANSWER: [&str; 3] = ["18)", "22)", "56)"];

/// Whether the line has the words, and not as a part of others.
fn has(line: &str, text: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    let (first, last) = (text.chars().next(), text.chars().next_back());
    line.match_indices(text).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + text.len()..]);
        (is_edge(first) || is_edge(before.chars().next_back()))
            && (is_edge(last) || is_edge(after.chars().next()))
    })
}

/// Statuses with which a shell or curl ends, and their meaning where the log says nothing.
const ENDS: [(i64, &str); 13] = [
    (
        126,
        "Status 126 is a shell's: the command may not be executed, because of its file mode or the image's CPU architecture.",
    ),
    (
        127,
        "Status 127 is a shell's: the command, or a program that the script calls, is not in the image (values.databaseCreationJob.image).",
    ),
    (
        137,
        "Status 137 is that of a killed process: by the kernel for want of memory on the node, or by the kubelet.",
    ),
    (
        139,
        "Status 139 is that of a process that crashed (SIGSEGV): use another version of the image.",
    ),
    (
        143,
        "Status 143 is that of a process that was asked to end: its pod was deleted, or its node was drained.",
    ),
    (
        6,
        "If the Job's last command is curl, status 6 means that CouchDB's host was not resolved: check values.couchdb.serviceName.",
    ),
    (
        7,
        "If the Job's last command is curl, status 7 means that nothing accepted the connection: check CouchDB's pods.",
    ),
    (
        22,
        "If the Job's last command is curl, status 22 means that CouchDB answered 400 or more: have the Job print the answer.",
    ),
    (
        28,
        "If the Job's last command is curl, status 28 means that no answer came in time: check CouchDB's pods and network policies.",
    ),
    (
        35,
        "If the Job's last command is curl, status 35 means that TLS failed: check the scheme of the URL that the Job uses.",
    ),
    (
        52,
        "If the Job's last command is curl, status 52 means an empty answer: the database may exist all the same; check CouchDB's pods.",
    ),
    (
        56,
        "If the Job's last command is curl, status 56 means that the connection broke: the database may exist all the same; check CouchDB's pods and the mesh.",
    ),
    (
        60,
        "If the Job's last command is curl, status 60 means that the certificate is not trusted: check the URL that the Job uses.",
    ),
];

/// The meaning of a status with which a shell or curl ends.
pub fn ended_with(status: i64) -> Option<&'static str> {
    let found = ENDS.iter().find(|(own, _)| *own == status);
    found.map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_within_another_says_nothing() {
        for log in ["GET /acme_remoteaccess", "itemfiles: 3", "zeroffset"] {
            assert_eq!(explained(log), None, "{log}");
        }
    }

    #[test]
    fn only_the_last_answer_counts() {
        let missing = "{\"error\":\"not_found\",\"reason\":\"Database does not exist.\"}";
        let of = |later: &str| explained(&format!("{missing}\n{later}"));
        let is_of_question =
            |said: Option<&str>| said.is_some_and(|said| said.contains("should have created"));
        assert!(is_of_question(of(
            "curl: (22) The requested URL returned error: 404"
        )));
        assert!(is_of_question(of("creating failed")));
        for later in [
            "curl: (7) Failed to connect to couchdb port 5984: Connection refused",
            "curl: (6) Could not resolve host: couchdb",
            "curl: (22) The requested URL returned error: 401",
            "curl: (22) The requested URL returned error: 500",
            "curl: (22) The requested URL returned error: 404\ncurl: (35) TLS connect error",
            "wget: can't connect to remote host (10.0.0.1): Connection refused",
        ] {
            assert_eq!(of(later), None, "{later}");
        }
        let later = of("{\"error\":\"error\",\"reason\":\"no_majority\"}");
        assert!(later.is_some_and(|said| said.contains("disagree")));
        // The end of the sidecar is not the answer.
        assert!(is_of_question(of(
            "curl: (7) Failed to connect to 127.0.0.1 port 15020: Connection refused"
        )));
        let retried = "progress not possible\ncurl: (22) The requested URL returned error: 500\n";
        let same = explained(retried);
        assert!(same.is_some_and(|said| said.contains("nodedown")));
        assert_eq!(
            explained("progress not possible\ncurl: (7) Failed to connect"),
            None
        );
        for later in [
            "curl: (7) Failed to connect",
            "curl: (28) Connection timed out after 5001 milliseconds",
            "curl: (28) Resolving timed out after 5000 milliseconds",
        ] {
            assert_eq!(explained(&format!("{retried}{later}")), None, "{later}");
            let log = format!("progress not possible\n{later}");
            assert_eq!(explained(&log), None, "{log}");
        }
        let late =
            "curl: (28) Operation timed out after 5001 milliseconds with 3 out of 9 bytes received";
        let said = explained(&format!("progress not possible\n{late}"));
        assert!(said.is_some_and(|said| said.starts_with("The request was sent")));
    }

    #[test]
    fn words_are_explained_with_what_to_do() {
        for (log, part) in [
            (
                "{\"error\":\"forbidden\",\"reason\":\"server_admin required\"}",
                "not a server admin",
            ),
            (
                "{\"error\":\"error\",\"reason\":\"no_majority\"}",
                "disagree",
            ),
            (
                "{\"error\":\"case_clause\",\"reason\":\"{error,eacces}\"}",
                "fsGroup",
            ),
            ("{\"error\":\"emfile\"}", "open files"),
            (
                "{\"error\":\"unknown_error\",\"reason\":\"undefined\"}",
                "only its log",
            ),
            (
                "{\"error\":\"not_found\",\"reason\":\"no_db_file\"}",
                "should have created",
            ),
            ("Jwt is missing", "Istio answered"),
            (
                "TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER",
                "DestinationRule",
            ),
            (
                "transport failure reason: delayed connect error: 111",
                "targetPort",
            ),
            (
                "curl: (35) error:0A00010B:SSL routines::wrong version number",
                "plain HTTP",
            ),
            (
                "curl: (60) SSL certificate problem: unable to get local issuer certificate",
                "does not trust",
            ),
            (
                "curl: (3) URL using bad/illegal format or missing URL",
                "must encode",
            ),
            ("curl: (5) Could not resolve proxy: p", "NO_PROXY"),
            (
                "curl: (1) Protocol \"couchdb\" not supported or disabled in libcurl",
                "http or https",
            ),
            ("/bin/sh: curl: not found", "not in its image"),
            ("exec /usr/bin/curl: exec format error", "CPU architecture"),
        ] {
            let said = explained(log).unwrap_or_default();
            assert!(said.contains(part), "{log}: {said}");
        }
        assert_eq!(explained("something new"), None);
        assert!(ended_with(7).is_some_and(|said| said.starts_with("If ")));
        assert_eq!(ended_with(1), None);
    }
}
