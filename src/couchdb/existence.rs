//! Whether a database exists, judged from the answer to its own GET.
//!
//! Nothing else judges a database absent: CouchDB leaves a database that it cannot serve out of an answer about many, in the same words as
//! one that does not exist.

use super::response::Response;
use serde_json::Value;

/// CouchDB was asked for this one database and says that it does not exist. Only [`Existence::judge`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence(());

/// What the answer to `GET /{db}` says.
#[derive(Clone, Debug, PartialEq)]
pub enum Existence<'a> {
    /// It exists, with what CouchDB says of it.
    Served(&'a Value),
    Absent(Absence),
    /// CouchDB failed to answer for it, in its own words. A database without an entry in the shard map is answered 404, so it exists where
    /// its name is seen in the shard map too.
    Unserved(String),
    /// The answer does not say.
    Unknown(String),
}

impl<'a> Existence<'a> {
    /// Judges the answer.
    pub fn judge(response: &'a Response) -> Self {
        let said = || format!("CouchDB answered {}", response.clause());
        match response.status {
            200 => Self::Served(&response.body),
            404 if response.is_absent("Database does not exist.") => Self::Absent(Absence(())),
            500..600 => Self::Unserved(said()),
            // The members that hold it cannot be reached from this one.
            412 if response.body["error"] == "nodedown" => Self::Unserved(said()),
            _ => Self::Unknown(said()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn response(status: u16, body: Value) -> Response {
        Response {
            status,
            request_id: None,
            body,
        }
    }

    #[test]
    fn only_a_404_with_its_reason_is_an_absence() {
        let absent = json!({"error": "not_found", "reason": "Database does not exist."});
        assert!(matches!(
            Existence::judge(&response(404, absent.clone())),
            Existence::Absent(_)
        ));
        for (status, body) in [
            (404, json!({"error": "not_found", "reason": "missing"})),
            (404, json!({"error": "not_found"})),
            (404, Value::Null),
            (410, absent.clone()),
            (401, json!({"error": "unauthorized"})),
            (412, json!({"error": "precondition_failed"})),
        ] {
            let answer = response(status, body);
            assert!(
                matches!(Existence::judge(&answer), Existence::Unknown(_)),
                "{answer:?}"
            );
        }
        let there = response(200, json!({"db_name": "a_b"}));
        assert_eq!(
            Existence::judge(&there),
            Existence::Served(&json!({"db_name": "a_b"}))
        );
    }

    /// Seen on clusters of three, 3.5.0 and 3.2.3, for a database none of whose shards could be reached.
    #[test]
    fn a_failure_of_couchdb_is_no_absence() {
        for (status, error, reason) in [
            (
                500,
                "internal_server_error",
                "No DB shards could be opened.",
            ),
            (500, "nodedown", "progress not possible"),
            (412, "nodedown", "progress not possible"),
            (500, "error", "timeout"),
            (503, "service_unavailable", "Database does not exist."),
        ] {
            let answer = response(status, json!({"error": error, "reason": reason}));
            assert_eq!(
                Existence::judge(&answer),
                Existence::Unserved(format!("CouchDB answered {status} {error} {reason}"))
            );
        }
    }
}
