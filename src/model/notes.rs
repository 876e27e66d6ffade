//! The release notes of an onboarding: what the chart tells about the database that it made.
//!
//! The chart's NOTES.txt has changed its layout over the versions and never its words; reading is tolerant and says nothing
//! about what is not there.

use crate::text::marker::is_marked;
use serde::Serialize;

/// What the notes tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notes {
    pub database: Option<String>,
    pub endpoint: Option<String>,
    pub service_accounts: Vec<String>,
}

impl Notes {
    /// Reads the text that Helm stored.
    pub fn parse(text: &str) -> Self {
        let mut notes = Self::default();
        let mut in_accounts = false;
        for line in text.lines().map(str::trim) {
            if let Some(account) = line.strip_prefix("- ").filter(|_| in_accounts) {
                notes.service_accounts.push(account.trim().to_owned());
                continue;
            }
            let Some((key, value)) = line.split_once(':') else {
                // A blank line does not end the list, any other text does.
                in_accounts &= line.is_empty();
                continue;
            };
            in_accounts = false;
            let value = Some(value.trim().to_owned()).filter(|v| !v.is_empty() && !is_marked(v));
            match key.trim().to_ascii_lowercase().as_str() {
                "database name" | "database" => notes.database = notes.database.or(value),
                "endpoint" => notes.endpoint = notes.endpoint.or(value),
                "service accounts" => in_accounts = value.is_none(),
                _ => {}
            }
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_runbooks_notes_are_read() {
        let notes = Notes::parse(
            "A database was created!\n\n  Database name: pds_database\n  Endpoint: http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984\n  Service accounts:\n    - pds\n    - other\n",
        );
        assert_eq!(notes.database.as_deref(), Some("pds_database"));
        assert_eq!(
            notes.endpoint.as_deref(),
            Some("http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984")
        );
        assert_eq!(notes.service_accounts, ["pds", "other"]);
    }

    #[test]
    fn other_text_tells_nothing() {
        assert_eq!(
            Notes::parse("Thank you!\n- a\nEndpoint:\n"),
            Notes::default()
        );
    }

    #[test]
    fn a_name_that_was_scrubbed_is_not_read() {
        let notes = Notes::parse("Database name: orders_<scrubbed>\nEndpoint: http://h:5984\n");
        assert_eq!(notes.database, None);
        assert_eq!(notes.endpoint.as_deref(), Some("http://h:5984"));
    }

    proptest! {
        #[test]
        fn no_notes_panic(text in "(  ?Database name: ?|Endpoint:|Service accounts:|- |\n|\\PC{0,6}){0,12}") {
            let notes = Notes::parse(&text);
            prop_assert!(notes.endpoint.is_none_or(|e| !e.is_empty()));
        }
    }
}
