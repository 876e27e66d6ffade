//! The message for the team that asked for a database: what the runbook has us share with them.

use crate::model::notes::Notes;
use crate::model::onboarding::Values;
use crate::render::table::Table;
use crate::settings::{Filled, Template};
use crate::text::{Shown, shell_quote};
use crate::view::description::is_steelcouch;

const NOT_ENCRYPTED: &str = "none: this is CouchDB itself, so store nothing sensitive in it";

/// What a requester needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    database: String,
    endpoint: String,
    /// Service accounts by namespace, in the order of the notes.
    accounts: Vec<(String, Vec<String>)>,
}

impl Share {
    /// From a release's notes and the values it was installed with.
    ///
    /// # Errors
    /// What the notes do not tell.
    pub fn compose(notes: &Notes, values: &Values) -> Result<Self, &'static str> {
        let database = notes.database.clone().ok_or("the database")?;
        let endpoint = notes.endpoint.clone().ok_or("the endpoint")?;
        let mut told = values.clone();
        if !notes.service_accounts.is_empty() {
            told.service_accounts = notes.service_accounts.clone();
        }
        let mut accounts: Vec<(String, Vec<String>)> = Vec::new();
        for account in told.accounts() {
            let (namespace, name) = account.split_once('/').unwrap_or(("", &account));
            match accounts.iter_mut().find(|(n, _)| n == namespace) {
                Some((_, names)) => names.push(name.to_owned()),
                None => accounts.push((namespace.to_owned(), vec![name.to_owned()])),
            }
        }
        Ok(Self {
            database,
            endpoint,
            accounts,
        })
    }

    /// The message: the user's template, or the built-in text. `unready`, why the database is not there yet, comes before a template.
    pub fn message(&self, template: Option<&Template>, unready: Option<&str>) -> Shown {
        let Some(template) = template else {
            return self.text(unready);
        };
        let encryption = match is_steelcouch(&self.endpoint) {
            true => "on: Steelcouch encrypts what CouchDB stores",
            false => NOT_ENCRYPTED,
        };
        let text = template.fill(&Filled {
            database: self.database.clone(),
            endpoint: self.endpoint.clone(),
            encryption: encryption.to_owned(),
            access: self.access(),
            command: self.command(),
        });
        let before = unready.map(|why| format!("Not ready yet: {why}\n\n"));
        Shown::lines(format!("{}{}", before.unwrap_or_default(), text.trim_end()))
    }

    /// Tries the database from a pod.
    fn command(&self) -> String {
        let url = format!("{}/{}", self.endpoint.trim_end_matches('/'), self.database);
        format!("curl {}", shell_quote(&url))
    }

    /// The message, ready to be pasted; `unready` says why the database is not there yet.
    fn text(&self, unready: Option<&str>) -> Shown {
        let mut rows = vec![
            ("Database", self.database.clone()),
            ("Endpoint", self.endpoint.clone()),
        ];
        if !is_steelcouch(&self.endpoint) {
            rows.push(("Encryption", NOT_ENCRYPTED.to_owned()));
        }
        rows.extend(self.access().into_iter().map(|line| ("Access", line)));
        let mut text = match unready {
            None => "Your Secure KVS database is ready.\n\n".to_owned(),
            Some(why) => format!("Your Secure KVS database is not ready yet: {why}\n\n"),
        };
        let mut before = "";
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(key, value)| {
                let shown = if key == before { "" } else { key };
                before = key;
                vec![shown.to_owned(), value]
            })
            .collect();
        let mut table = Table::new([""; 2]).no_headers(true).indent(2);
        for line in table.page(&rows) {
            text.push_str(line.as_str());
            text.push('\n');
        }
        if !self.accounts.is_empty() {
            let when = if unready.is_some() {
                "Once it is ready, try"
            } else {
                "Try"
            };
            text.push_str(&format!(
                "\n{when} it from such a pod:\n  {}",
                self.command()
            ));
        }
        Shown::lines(text.trim_end())
    }

    fn access(&self) -> Vec<String> {
        if self.accounts.is_empty() {
            return vec!["no service account is let in yet".to_owned()];
        }
        let last = self.accounts.len() - 1;
        self.accounts
            .iter()
            .enumerate()
            .map(|(number, (namespace, names))| {
                let end = if number == last {
                    "; no password is needed"
                } else {
                    ", and"
                };
                format!(
                    "pods in namespace {namespace} that run as service account {}{end}",
                    names.join(" or ")
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(notes: &str, values: serde_json::Value) -> String {
        Share::compose(&Notes::parse(notes), &Values::parse(&values))
            .unwrap()
            .text(None)
            .to_string()
    }

    #[test]
    fn the_users_words_do_not_announce_what_is_not_there() {
        let notes = "Database name: pds_logs\nEndpoint: http://db-x.secure-kvs.svc:5984\nService accounts:\n  - pds\n  - other/job\n";
        let notes = Notes::parse(notes);
        let share = Share::compose(&notes, &Values::parse(&json!({"namespace": "pds"}))).unwrap();
        let template =
            "{database} is at {endpoint}\nEncryption: {encryption}\n{access}\n{command}\n";
        let template: Template = template.parse().unwrap();
        insta::assert_snapshot!(share.message(Some(&template), None), @"
        pds_logs is at http://db-x.secure-kvs.svc:5984
        Encryption: none: this is CouchDB itself, so store nothing sensitive in it
        pods in namespace pds that run as service account pds, and
        pods in namespace other that run as service account job; no password is needed
        curl http://db-x.secure-kvs.svc:5984/pds_logs
        ");
        insta::assert_snapshot!(share.message(Some(&template), Some("no answer from Flux yet")), @"
        Not ready yet: no answer from Flux yet

        pds_logs is at http://db-x.secure-kvs.svc:5984
        Encryption: none: this is CouchDB itself, so store nothing sensitive in it
        pods in namespace pds that run as service account pds, and
        pods in namespace other that run as service account job; no password is needed
        curl http://db-x.secure-kvs.svc:5984/pds_logs
        ");
    }

    #[test]
    fn a_database_that_is_not_there_is_not_announced() {
        let notes = Notes::parse(
            "Database name: pds_logs\nEndpoint: http://steelcouch-x.secure-kvs.svc:5984\nService accounts:\n  - pds\n",
        );
        let share = Share::compose(&notes, &Values::parse(&json!({"namespace": "pds"}))).unwrap();
        insta::assert_snapshot!(share.text(Some("install failed: Job core/pds-logs-create failed")), @r"
        Your Secure KVS database is not ready yet: install failed: Job core/pds-logs-create failed

          Database   pds_logs
          Endpoint   http://steelcouch-x.secure-kvs.svc:5984
          Access     pods in namespace pds that run as service account pds; no password is needed

        Once it is ready, try it from such a pod:
          curl http://steelcouch-x.secure-kvs.svc:5984/pds_logs
        ");
    }

    #[test]
    fn the_requester_gets_what_the_runbook_promises() {
        let notes = "A database was created!\n\n  Database name: pds_database\n  Endpoint: http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984\n  Service accounts:\n    - pds\n";
        insta::assert_snapshot!(text(notes, json!({"namespace": "pds"})), @r"
        Your Secure KVS database is ready.

          Database   pds_database
          Endpoint   http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984
          Access     pods in namespace pds that run as service account pds; no password is needed

        Try it from such a pod:
          curl http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984/pds_database
        ");
    }

    #[test]
    fn without_encryption_it_says_so_and_names_every_account() {
        let notes = "Database name: pds_logs\nEndpoint: http://db-agora-kvs-x.secure-kvs.svc:5984/\nService accounts:\n  - writer\n  - reader\n  - other/job\n";
        insta::assert_snapshot!(text(notes, json!({"namespace": "pds"})), @r"
        Your Secure KVS database is ready.

          Database     pds_logs
          Endpoint     http://db-agora-kvs-x.secure-kvs.svc:5984/
          Encryption   none: this is CouchDB itself, so store nothing sensitive in it
          Access       pods in namespace pds that run as service account writer or reader, and
                       pods in namespace other that run as service account job; no password is needed

        Try it from such a pod:
          curl http://db-agora-kvs-x.secure-kvs.svc:5984/pds_logs
        ");
    }

    #[test]
    fn notes_without_an_endpoint_cannot_be_shared() {
        let notes = Notes::parse("Database name: pds_logs\n");
        assert_eq!(
            Share::compose(&notes, &Values::default()),
            Err("the endpoint")
        );
    }
}
