//! The flags of `delete-db`.

use super::plan_args::PlanArgs;
use super::trace::{KEEP, TraceArgs};
use crate::couchdb::backup::part::Place;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::couchdb_pods::PodArgs;
use crate::help;
use crate::model::duration::parse_duration;
use crate::model::names::DatabaseName;
use std::path::PathBuf;
use std::time::Duration;

/// Delete the database of an onboarding that is gone
///
/// Refuses while anything claims it or could not be read. Any other risk, such as a member that is down, has a name and is refused
/// until --accept names it. Asks for the database's name first; a script gives it with --confirm, and the cluster with --context.
/// Several databases are deleted one by one: a refused one does not stop the others, an unknown or incomplete outcome does.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs delete-db pds_database --dry-run
  kubectl skvs delete-db pds_database
  kubectl skvs delete-db pds_database --backup pds_database.skvs.gz
  kubectl skvs delete-db pds_database --context prod-east --confirm pds_database

Exit codes: 0 deleted, 1 failed or not found, 4 refused or not confirmed, 5 outcome unknown, 6 a member still holds the data, 130 interrupted before anything was sent; of several databases the worst")]
pub struct Args {
    /// Databases, <namespace>_<database>, such as pds_database
    #[arg(value_name = "DATABASE", required_unless_present = "orphans")]
    pub(super) databases: Vec<String>,
    /// Delete those that databases --orphans lists; with --confirm, name each of them
    #[arg(long, help_heading = help::SELECTION, conflicts_with_all = ["databases", "backup"])]
    pub(super) orphans: bool,
    /// Confirm without a question: the database's name; needs --context; repeatable
    #[arg(long, value_name = "NAME", help_heading = help::CONFIRMATION)]
    pub(super) confirm: Vec<String>,
    /// Check everything and delete nothing
    #[arg(long, value_name = "WHERE", help_heading = help::CONFIRMATION, hide_possible_values = true, num_args = 0..=1, require_equals = true, default_missing_value = "server", default_value = "none", hide_default_value = true, value_parser = ["none", "server"])]
    pub(super) dry_run: String,
    /// How long to wait for every member to forget the database
    #[arg(long, help_heading = help::COUCHDB, default_value = "30s", value_parser = parse_duration, value_name = "DURATION")]
    pub(super) timeout: Duration,
    /// Back up to this file first; delete only if it is whole and nothing was written since
    #[arg(long, value_name = "FILE", help_heading = KEEP)]
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
        crate::backup::place(file, false).map(Some)
    }
}
