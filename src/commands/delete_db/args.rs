//! The flags of `delete-db`.

use super::super::couchdb_pods::PodArgs;
use super::plan_args::PlanArgs;
use super::trace::TraceArgs;
use crate::advice::Command;
use crate::cluster::parse_duration;
use crate::couchdb::backup::part::Place;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::names::DatabaseName;
use std::path::PathBuf;
use std::time::Duration;

/// Delete the database of an onboarding that is gone
///
/// Refuses while anything claims it, and whatever it cannot read. What else speaks against it is a risk with a name, such as a
/// member of the CouchDB cluster that is away: it is refused too, until --accept takes it on. Asks for the database's name before it deletes; a script gives it with --confirm, and the cluster with --context. Several databases go one
/// after the other, each with its own plan and confirmation: one that is refused is left out, an outcome that is not known or not
/// complete ends the run.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs delete-db pds_database --dry-run
  kubectl skvs delete-db pds_database
  kubectl skvs delete-db pds_database --context prod-east --confirm pds_database
  kubectl skvs delete-db pds_database --dry-run -o json
  kubectl skvs delete-db pds_database --context prod-east --confirm pds_database --plan TOKEN
  kubectl skvs delete-db pds_database --backup pds_database.skvs.gz
  kubectl skvs delete-db pds_database web_cart

-n and --onboarding-selector are not used: the HelmReleases of all namespaces are read.
Exit codes: 0 deleted, 1 failed or not there, 4 refused or not confirmed, 5 the outcome is not known, 6 a member still holds the data, 130 interrupted while nothing was being deleted; of several databases the worst")]
pub struct Args {
    /// The databases, <namespace>_<database>, such as pds_database
    #[arg(value_name = "DATABASE", required_unless_present = "orphans")]
    pub(super) databases: Vec<String>,
    /// Those that nobody claims, as databases --orphans lists them; with --confirm, each of them must be named
    #[arg(long, conflicts_with_all = ["databases", "backup"])]
    pub(super) orphans: bool,
    /// Confirm without a question; must be the database's name, and needs --context. Repeat it for each database
    #[arg(long, value_name = "NAME")]
    pub(super) confirm: Vec<String>,
    /// Read everything and delete nothing
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "server", default_value = "none", hide_default_value = true, value_parser = ["none", "server"])]
    pub(super) dry_run: String,
    /// How long to wait, after the deletion, until every member has let go of the database
    #[arg(long, default_value = "30s", value_parser = parse_duration, value_name = "DURATION")]
    pub(super) timeout: Duration,
    /// Save the database to this file first, and delete it only when the file is whole and nothing was written since
    #[arg(long, value_name = "FILE")]
    pub(super) backup: Option<PathBuf>,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
    #[command(flatten)]
    pub(super) trace: TraceArgs,
    #[command(flatten)]
    pub(super) pods: PodArgs,
}

impl Args {
    /// Nothing is to be deleted.
    pub(super) fn is_rehearsal(&self) -> bool {
        self.dry_run != "none"
    }

    /// Where the backup goes, if there is to be one.
    ///
    /// # Errors
    /// It cannot go there, or one file is to hold several databases.
    pub(super) fn place(&self, names: &[DatabaseName]) -> Result<Option<Place>> {
        let Some(file) = &self.backup else {
            return Ok(None);
        };
        if names.len() > 1 {
            return Err(Error::new("--backup takes one database: a file holds one")
                .with_code(Code::Usage)
                .hint("delete them one by one, each with its own file"));
        }
        super::super::backup::place(file, false).map(Some)
    }

    /// The databases, each once, in the order in which they were given.
    ///
    /// # Errors
    /// One of them cannot be an onboarding's: then none is looked at.
    pub(super) fn names(&self) -> Result<Vec<DatabaseName>> {
        let mut names: Vec<DatabaseName> = Vec::new();
        for text in &self.databases {
            let name = DatabaseName::parse(text).map_err(|why| {
                Error::new(format!(
                    "refused: {text:?} is not an onboarding's database: {why}"
                ))
                .with_code(Code::Refused)
                .hint(Command::skvs(["list"]).after("the name is <namespace>_<database>, as in:"))
            })?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }
}
