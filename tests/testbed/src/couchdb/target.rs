//! What a request's path asks for, with CouchDB's own readings of odd paths.
//!
//! `//ns_db` and `/ns_db/` both mean the database `ns_db`; a raw `/` starts a document; a raw `+` is a space.

/// The thing a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Welcome,
    /// A server endpoint: the path without its first slash, `_up` or `_scheduler/docs`.
    Server(String),
    /// `/_node/<node>/…`: the node as asked for (`_local` too) and the rest, each part decoded.
    Node {
        node: String,
        rest: Vec<String>,
    },
    Database(String),
    /// A document or an endpoint inside a database: `rest` is raw and starts with `/`.
    Inside {
        database: String,
        rest: String,
    },
}

const SERVER: [&str; 10] = [
    "_up",
    "_membership",
    "_all_dbs",
    "_dbs_info",
    "_active_tasks",
    "_session",
    "_uuids",
    "_scheduler/docs",
    "_scheduler/jobs",
    "_reshard/jobs",
];

/// Reads a raw path (no query).
pub(crate) fn target(path: &str) -> Target {
    let path = path.trim_start_matches('/');
    let bare = path.trim_end_matches('/');
    if bare.is_empty() {
        return Target::Welcome;
    }
    if SERVER.contains(&bare) {
        return Target::Server(bare.to_owned());
    }
    if let Some(rest) = bare.strip_prefix("_node/") {
        let mut parts = rest.split('/').map(decode);
        let node = parts.next().unwrap_or_default();
        return Target::Node {
            node,
            rest: parts.collect(),
        };
    }
    match path.split_once('/') {
        Some((database, rest)) if !rest.is_empty() => Target::Inside {
            database: decode(database),
            rest: format!("/{rest}"),
        },
        _ => Target::Database(decode(bare)),
    }
}

/// Percent-decoding as CouchDB does it in a path: a raw `+` is a space; bytes that are no UTF-8 become U+FFFD.
pub(crate) fn decode(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| part.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Percent-encodes all but letters, digits, `_` and `-`.
pub(crate) fn encode(part: &str) -> String {
    part.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The value of a query parameter, decoded; `Some("")` for one without a value.
pub(crate) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn database(name: &str) -> Target {
        Target::Database(name.to_owned())
    }

    #[test]
    fn odd_paths_still_name_the_database() {
        for path in ["/ns_db", "/ns_db/", "//ns_db", "/ns%5Fdb"] {
            assert_eq!(target(path), database("ns_db"), "{path}");
        }
        assert_eq!(target("/a%2Fb"), database("a/b"));
        assert_eq!(target("/a+b"), database("a b"));
        assert_eq!(target("/a%2Bb"), database("a+b"));
        assert_eq!(target("/_dbs"), database("_dbs"));
        assert_eq!(target("/_users"), database("_users"));
    }

    #[test]
    fn an_unencoded_slash_is_a_document() {
        assert_eq!(
            target("/a/b"),
            Target::Inside {
                database: "a".into(),
                rest: "/b".into()
            }
        );
    }

    #[test]
    fn server_endpoints_are_told_from_databases() {
        assert_eq!(target("/"), Target::Welcome);
        assert_eq!(
            target("/_scheduler/docs"),
            Target::Server("_scheduler/docs".into())
        );
        assert_eq!(
            target("/_node/couchdb%40a.b/_dbs/ns%5Fdb"),
            Target::Node {
                node: "couchdb@a.b".into(),
                rest: vec!["_dbs".into(), "ns_db".into()]
            }
        );
    }

    #[test]
    fn a_parameter_may_have_no_value() {
        assert_eq!(parameter(Some("a=1&rev"), "rev").as_deref(), Some(""));
        assert_eq!(
            parameter(Some("start_key=%22a%22"), "start_key").as_deref(),
            Some("\"a\"")
        );
        assert_eq!(parameter(Some("revs=1"), "rev"), None);
        assert_eq!(parameter(None, "rev"), None);
    }

    proptest! {
        #[test]
        fn encoding_is_undone(name in ".{0,40}") {
            prop_assert_eq!(decode(&encode(&name)), name);
        }

        #[test]
        fn any_path_is_read(path in ".{0,60}") {
            let _ = target(&path);
        }
    }
}
