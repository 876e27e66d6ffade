//! CouchDB's answers, read from the raw HTTP text that the script passes on, and the few documents that a deletion needs.
//!
//! Knows what a status and a reason mean; decides nothing.

use super::script::Exchange;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// An answer of CouchDB.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub status: u16,
    /// `X-Couch-Request-ID`, to be found in CouchDB's log.
    pub request_id: Option<String>,
    /// The body; null when it is no JSON.
    pub body: Value,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoResponse {
    /// curl's exit code says that no connection was made: nothing was sent.
    NotConnected,
    /// What listens there speaks TLS, or no HTTP at all: it took no request.
    NotHttp,
    /// The connection was there, and no answer came in time: whether the request was carried out is not known.
    TimedOut,
    /// The connection was there; whether the request was carried out is not known.
    Broken(String),
}

impl NoResponse {
    /// What an exit code of curl or of the shell tells; `None` when the request came to its end.
    pub fn from_exit(code: i32) -> Option<Self> {
        let why = match code {
            0 => return None,
            // The scheme is always http: what curl does not support is an answer that has no status line.
            1 => return Some(Self::NotHttp),
            7 => return Some(Self::NotConnected),
            28 => return Some(Self::TimedOut),
            18 | 52 | 55 | 56 => "the connection to CouchDB was cut".to_owned(),
            code => format!("the request ended with exit code {code}"),
        };
        Some(Self::Broken(why))
    }

    /// A clause for an error.
    pub fn clause(&self) -> String {
        match self {
            Self::NotConnected => "nothing listens on CouchDB's port in the pod".to_owned(),
            Self::NotHttp => {
                "CouchDB's port in the pod does not speak plain HTTP; it may be its port for TLS"
                    .to_owned()
            }
            Self::TimedOut => "CouchDB did not answer in time".to_owned(),
            Self::Broken(why) => why.clone(),
        }
    }
}

impl Response {
    /// Reads one exchange.
    ///
    /// # Errors
    /// No answer, or only a part of one.
    pub fn from_exchange(exchange: &Exchange) -> Result<Self, NoResponse> {
        if let Some(none) = NoResponse::from_exit(exchange.exit) {
            return Err(none);
        }
        if is_tls(&exchange.raw) {
            return Err(NoResponse::NotHttp);
        }
        Self::parse(&exchange.raw)
            .ok_or_else(|| NoResponse::Broken("the answer of CouchDB was cut".to_owned()))
    }

    /// Reads head and body; interim answers (1xx) are passed over. A 2xx without whole JSON is no answer.
    fn parse(raw: &[u8]) -> Option<Self> {
        let (head, body) = Head::parse(raw)?;
        let body = serde_json::from_slice(body).ok();
        if body.is_none() && head.is_success() {
            return None;
        }
        Some(Self {
            status: head.status,
            request_id: head.request_id,
            body: body.unwrap_or(Value::Null),
        })
    }

    /// `error` and `reason` of a refusal.
    pub fn reason(&self) -> &str {
        self.text("reason")
    }

    /// Whether CouchDB says 404 for this reason.
    pub fn is_absent(&self, reason: &str) -> bool {
        self.status == 404 && self.reason() == reason
    }

    /// `500 timeout (request 1a2b3c)`.
    pub fn clause(&self) -> String {
        let mut clause = self.status.to_string();
        for word in [self.text("error"), self.reason()] {
            if !word.is_empty() {
                clause.push(' ');
                clause.push_str(&crate::text::one_line(word));
            }
        }
        if let Some(id) = &self.request_id {
            clause.push_str(&format!(" (request {id})"));
        }
        clause
    }

    fn text(&self, key: &str) -> &str {
        self.body
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Status and headers of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    /// `X-Couch-Request-ID`.
    pub request_id: Option<String>,
}

impl Head {
    /// Reads the head of `raw`, and gives what follows it; interim answers (1xx) are passed over. `None`: it is not whole, or none.
    pub fn parse(raw: &[u8]) -> Option<(Self, &[u8])> {
        let mut rest = raw;
        loop {
            let (head, body) = split_head(rest)?;
            let head = String::from_utf8_lossy(head);
            let mut lines = head.lines();
            let status = status_of(lines.next()?)?;
            if (100..200).contains(&status) {
                rest = body;
                continue;
            }
            let request_id = lines.find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("x-couch-request-id")
                    .then(|| crate::text::one_line(value))
            });
            return Some((Self { status, request_id }, body));
        }
    }

    /// A 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What servers that expect TLS send to one who does not speak it: an alert (RFC 8446, 6), or a 400 that says so.
fn is_tls(raw: &[u8]) -> bool {
    let says = |body: &[u8]| {
        let told = String::from_utf8_lossy(body);
        told.contains("to an HTTPS server") || told.contains("to HTTPS port")
    };
    raw.starts_with(&[0x15, 0x03])
        || Head::parse(raw).is_some_and(|(head, body)| head.status == 400 && says(body))
}

/// Head without its blank line, and what follows.
fn split_head(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = raw.windows(4).position(|w| w == b"\r\n\r\n")?;
    Some((&raw[..at], &raw[at + 4..]))
}

/// `HTTP/1.1 200 OK`.
fn status_of(line: &str) -> Option<u16> {
    let (version, rest) = line.split_once(' ')?;
    let code = rest.get(..3)?;
    (version.starts_with("HTTP/") && code.bytes().all(|b| b.is_ascii_digit()))
        .then(|| code.parse().ok())?
}

/// `GET /`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Server {
    /// Always `Welcome`: what tells CouchDB from anything else.
    pub couchdb: String,
    pub version: String,
    #[serde(default)]
    pub uuid: String,
}

/// `GET /_membership`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Membership {
    /// Members that are connected now.
    pub all_nodes: Vec<String>,
    /// Members that the cluster is made of.
    pub cluster_nodes: Vec<String>,
}

/// `GET /{db}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct DatabaseInfo {
    pub db_name: String,
    /// Design documents included.
    pub doc_count: u64,
    #[serde(default)]
    pub doc_del_count: Option<u64>,
    pub sizes: Sizes,
    #[serde(default, deserialize_with = "sequence")]
    pub update_seq: Option<Sequence>,
    #[serde(default, deserialize_with = "sequence")]
    pub purge_seq: Option<Sequence>,
    /// Seconds since 1970 from 3.3 on, `0` before.
    pub instance_start_time: String,
}

impl DatabaseInfo {
    /// When it was created, in seconds since 1970, where CouchDB says so.
    pub fn created(&self) -> Option<i64> {
        self.instance_start_time.parse().ok().filter(|t| *t > 0)
    }
}

/// `.sizes`: one copy, summed over the shards.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes on disk.
    pub file: u64,
    /// Bytes of it that are in use.
    #[serde(default)]
    pub active: Option<u64>,
    /// Bytes of the documents before compression.
    #[serde(default)]
    pub external: Option<u64>,
}

/// A position in a database's history, `12-g1AAAB…`. What follows the number differs between two reads of the same state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    pub number: u64,
    /// The beginning of its JSON that stays: `"12-`, or `12` where there is no opaque part.
    pub stays: String,
}

impl Sequence {
    /// Reads it in each form that CouchDB has had.
    pub fn parse(value: &Value) -> Option<Self> {
        let (number, stays) = match value {
            Value::Number(number) => (number.as_u64()?, number.to_string()),
            Value::String(text) => match text.split_once('-') {
                Some((number, _)) => (digits(number)?, format!("\"{number}-")),
                None => (digits(text)?, format!("\"{text}\"")),
            },
            _ => return None,
        };
        Some(Self { number, stays })
    }
}

fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok())?
}

/// A sequence in a form that is not known is none.
fn sequence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Sequence>, D::Error> {
    Ok(Sequence::parse(&Value::deserialize(deserializer)?))
}

/// A member's entry of the shard map: what makes a database this one and not a later one of the same name.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct ShardMap {
    #[serde(rename = "_rev")]
    pub rev: String,
    /// The bytes of `.<seconds since 1970>`.
    pub shard_suffix: Vec<u8>,
    /// The ranges of the shards by the member that holds a copy of them.
    #[serde(default)]
    pub by_node: BTreeMap<String, Vec<String>>,
    /// Other leaf revisions of the entry, where they were asked for: two maps then claim to be the database's.
    #[serde(default, rename = "_conflicts")]
    pub conflicts: Vec<String>,
}

impl ShardMap {
    /// When the database was created, in seconds since 1970.
    pub fn epoch(&self) -> Option<i64> {
        let text = std::str::from_utf8(&self.shard_suffix).ok()?;
        text.strip_prefix('.')?.parse().ok()
    }
}

/// `GET /_node/{member}/_system`, in part.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct System {
    /// Seconds since the member was started.
    pub uptime: u64,
    /// Shards that it has yet to send to other members.
    pub internal_replication_jobs: u64,
}

/// `GET /_node/{member}/{shard}`, in part: one copy of one shard.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Copy {
    pub doc_count: u64,
    pub doc_del_count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exchange(raw: &str, exit: i32) -> Exchange {
        Exchange {
            method: "GET".into(),
            path: "/".into(),
            raw: raw.as_bytes().to_vec(),
            exit,
        }
    }

    const GONE: &str = "HTTP/1.1 404 Object Not Found\r\nServer: CouchDB/3.2.2 (Erlang OTP/23)\r\nX-Couch-Request-ID: 0a1b2c\r\n\r\n{\"error\":\"not_found\",\"reason\":\"deleted\"}";

    #[test]
    fn an_answer_is_read_with_its_reason_and_request() {
        let answer = Response::from_exchange(&exchange(GONE, 0)).unwrap();
        assert!(answer.is_absent("deleted") && !answer.is_absent("missing"));
        assert_eq!(answer.clause(), "404 not_found deleted (request 0a1b2c)");
        let interim = format!("HTTP/1.1 100 Continue\r\n\r\n{GONE}");
        assert_eq!(
            Response::from_exchange(&exchange(&interim, 0)).unwrap(),
            answer
        );
    }

    #[test]
    fn what_was_cut_is_no_answer() {
        let whole = "HTTP/1.1 200 OK\r\n\r\n{\"ok\":true}";
        assert_eq!(
            Response::from_exchange(&exchange(whole, 0)).unwrap().status,
            200
        );
        for cut in 0..whole.len() {
            assert!(
                Response::from_exchange(&exchange(&whole[..cut], 0)).is_err(),
                "{cut}"
            );
        }
        assert_eq!(
            Response::from_exchange(&exchange(whole, 18)),
            Err(NoResponse::Broken(
                "the connection to CouchDB was cut".into()
            ))
        );
        assert_eq!(
            Response::from_exchange(&exchange("", 7)),
            Err(NoResponse::NotConnected)
        );
        assert!(matches!(
            Response::from_exchange(&exchange("", 28)),
            Err(NoResponse::TimedOut)
        ));
    }

    #[test]
    fn a_port_for_tls_is_named() {
        let alert = Exchange {
            raw: vec![0x15, 0x03, 0x03, 0x02, 0x02, 0x0a],
            ..exchange("", 0)
        };
        let go = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.";
        let nginx = "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<center>The plain HTTP request was sent to HTTPS port</center>";
        for tls in [alert, exchange("", 1), exchange(go, 0), exchange(nginx, 0)] {
            assert_eq!(Response::from_exchange(&tls), Err(NoResponse::NotHttp));
        }
        let couchdb =
            "HTTP/1.1 400 Bad Request\r\n\r\n{\"error\":\"bad_request\",\"reason\":\"x\"}";
        assert_eq!(
            Response::from_exchange(&exchange(couchdb, 0))
                .unwrap()
                .status,
            400
        );
    }

    #[test]
    fn the_shard_suffix_tells_the_creation() {
        let map: ShardMap = serde_json::from_str(r#"{"_id":"x_y","_rev":"1-ab","shard_suffix":[46,49,55,48,48,48,48,48,48,48,48],"by_node":{}}"#).unwrap();
        assert_eq!(map.epoch(), Some(1_700_000_000));
        let odd = ShardMap {
            rev: String::new(),
            shard_suffix: vec![46, 255],
            ..map
        };
        assert_eq!(odd.epoch(), None);
    }

    #[test]
    fn the_number_of_a_sequence_is_read_in_every_form() {
        let read = |json: &str| {
            let value = serde_json::from_str(json).unwrap();
            Sequence::parse(&value).map(|s| (s.number, s.stays))
        };
        let number = |number, stays: &str| Some((number, stays.to_owned()));
        assert_eq!(read(r#""12-g1AAAB-x""#), number(12, "\"12-"));
        assert_eq!(read("12"), number(12, "12"));
        assert_eq!(read(r#""12""#), number(12, "\"12\""));
        for odd in [
            "null",
            "-1",
            "1.5",
            r#""g1""#,
            r#""-g1""#,
            r#""1 -x""#,
            "[1]",
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
        let info: DatabaseInfo = serde_json::from_str(
            r#"{"db_name":"a_b","doc_count":1,"sizes":{"file":1},"update_seq":[],"instance_start_time":"0"}"#,
        )
        .unwrap();
        assert_eq!((info.update_seq, info.purge_seq), (None, None));
    }

    proptest! {
        #[test]
        fn what_stays_of_a_sequence_begins_its_json(number in any::<u64>(), opaque in "\\PC{0,20}") {
            let value = serde_json::json!(format!("{number}-{opaque}"));
            let read = Sequence::parse(&value).unwrap();
            prop_assert_eq!(read.number, number);
            prop_assert!(value.to_string().starts_with(&read.stays));
        }

        #[test]
        fn no_sequence_panics(text in "\\PC{0,12}|[0-9]{1,25}-?") {
            let _ = Sequence::parse(&Value::String(text));
        }

        #[test]
        fn no_answer_panics(raw in proptest::collection::vec(any::<u8>(), 0..200), text in "(HTTP/1.1 [0-9]{0,4}( OK)?)?(\r\n){0,3}\\PC{0,20}", exit in -1..200) {
            let mut exchange = exchange(&text, exit);
            let _ = Response::from_exchange(&exchange).map(|r| r.clause());
            exchange.raw = raw;
            let _ = Response::from_exchange(&exchange).map(|r| r.clause());
        }
    }
}
