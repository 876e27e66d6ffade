//! `backup`: a database into a local file, and the same as a step of `delete-db`.
//!
//! Owns the flags and the words; what is read and checked is in [`crate::couchdb::backup`].

mod verify;

use crate::app::App;
use crate::backup;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::couchdb_pods::PodArgs;
use crate::help;
use crate::lookup::database_name;
use crate::text::shown;
use std::path::PathBuf;

/// Copy a database into a compressed local file
///
/// Saves documents with all leaf revisions and their history, attachments, design documents, the security object and the entry of
/// the shard map. The file is FILE.part until it is whole and its count is CouchDB's; the same command resumes it.
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
#[command(after_help = "Examples:
  kubectl skvs backup pds_database --to pds_database.skvs.gz
  kubectl skvs backup verify pds_database.skvs.gz

Format of the file: docs/backup-format.md
Exit codes: 0 saved, 1 failed, 4 refused, 130 interrupted")]
pub struct Args {
    /// Database, <namespace>_<database>, such as pds_database
    #[arg(value_name = "DATABASE", required = true)]
    database: Option<String>,
    /// File to write; it must not exist
    #[arg(long, value_name = "FILE", required = true, help_heading = help::OUTPUT)]
    to: Option<PathBuf>,
    /// Replace FILE, and discard FILE.part instead of resuming it
    #[arg(long, help_heading = help::OUTPUT)]
    force: bool,
    #[command(flatten)]
    pods: PodArgs,
    #[command(subcommand)]
    of_a_file: Option<OfFile>,
}

/// What is done with a backup that is there.
#[derive(clap::Subcommand, Debug)]
enum OfFile {
    Verify(verify::Args),
}

/// Runs `backup`.
///
/// # Errors
/// There is no whole file.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    if let Some(OfFile::Verify(args)) = &args.of_a_file {
        return verify::run(app, args).await;
    }
    let (Some(database), Some(to)) = (&args.database, &args.to) else {
        return Err(Error::usage("name a database, and a file with --to"));
    };
    let name = database_name::resolve(app, database).await?;
    let place = backup::place(to, args.force)?;
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    let cluster = app.cluster().await?;
    let target = tokio::select! {
        biased;
        () = interrupt.as_mut() => return Err(Error::new("interrupted").with_code(Code::Interrupted)),
        target = args.pods.container(&cluster) => target?,
    };
    let stale = Vec::new();
    let taken = backup::take(
        app,
        &cluster,
        &target,
        &name,
        &place,
        stale,
        interrupt.as_mut(),
    )
    .await
    .map_err(|error| error.hint_part(&place))?;
    let line = shown!("database \"{name}\" saved to {}", taken.file.display());
    app.ui.result(line)?;
    Ok(Code::Ok)
}
