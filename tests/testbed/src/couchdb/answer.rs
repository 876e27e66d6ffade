//! The answers that the front gives in CouchDB's words: a status and a JSON body.
//!
//! Texts are CouchDB's own, to the letter; nothing here knows about requests.

use serde_json::{Value, json};

/// A status with its JSON body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }

    /// `{"ok":true}` with 200, 201 or 202: the body never tells them apart.
    pub(crate) fn ok(status: u16) -> Self {
        Self::new(status, json!({"ok": true}))
    }

    pub(crate) fn error(status: u16, error: &str, reason: impl Into<String>) -> Self {
        Self::new(status, json!({"error": error, "reason": reason.into()}))
    }

    pub(crate) fn not_server_admin() -> Self {
        Self::error(401, "unauthorized", "You are not a server admin.")
    }

    pub(crate) fn no_access_to_database() -> Self {
        Self::error(
            401,
            "unauthorized",
            "You are not authorized to access this db.",
        )
    }

    pub(crate) fn wrong_credentials() -> Self {
        Self::error(401, "unauthorized", "Name or password is incorrect.")
    }

    pub(crate) fn malformed_credentials() -> Self {
        Self::error(
            400,
            "bad_request",
            "Authorization header has invalid base64 value",
        )
    }

    pub(crate) fn no_database() -> Self {
        Self::error(404, "not_found", "Database does not exist.")
    }

    pub(crate) fn missing() -> Self {
        Self::error(404, "not_found", "missing")
    }

    pub(crate) fn file_exists() -> Self {
        Self::error(
            412,
            "file_exists",
            "The database could not be created, the file already exists.",
        )
    }

    pub(crate) fn rev_on_database() -> Self {
        Self::error(
            400,
            "bad_request",
            "You tried to DELETE a database with a ?=rev parameter. Did you mean to DELETE a document instead?",
        )
    }

    /// 405; `allowed` as CouchDB lists them: `GET,HEAD`.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        Self::error(405, "method_not_allowed", format!("Only {allowed} allowed"))
    }
}
