//! `backup`: a database into a local file, and the same as a step of `delete-db`.
//!
//! Owns the flags and the words; what is read and checked is in [`crate::couchdb::backup`].

pub(super) mod meter;
pub(super) mod verify;

use crate::advice::Command;
use crate::app::App;
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::backup::part::{NoFile, Place};
use crate::couchdb::backup::pull::{NotTaken, Taken};
use crate::couchdb::delete::execute::Interrupt;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::couchdb_pods::PodArgs;
use crate::help;
use crate::lookup::database_name;
use crate::model::names::DatabaseName;
use crate::text::{Shown, bytes, count, shown};
use meter::Meter;
use std::path::{Path, PathBuf};

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
    let place = place(to, args.force)?;
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    let cluster = app.cluster().await?;
    let target = tokio::select! {
        biased;
        () = interrupt.as_mut() => return Err(Error::new("interrupted").with_code(Code::Interrupted)),
        target = args.pods.container(&cluster) => target?,
    };
    let stale = Vec::new();
    let taken = take(
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

/// Where a backup goes, looked at before anything else.
///
/// # Errors
/// It cannot go there.
pub(super) fn place(file: &Path, force: bool) -> Result<Place> {
    Place::new(file, force).map_err(|no| no_file(&no))
}

fn no_file(no: &NoFile) -> Error {
    let error = Error::new(no.to_string());
    match no {
        NoFile::Exists(_) => error.hint("choose another name, or move it away"),
        NoFile::Other(part, _) => error.hint(format!(
            "move {} away, or choose another name",
            part.display()
        )),
        NoFile::Foreign(..) => {
            error.hint("choose another name, in a folder that only you can write to")
        }
        NoFile::InUse(_) | NoFile::Io(..) => error,
    }
}

/// Why there is no backup.
pub(super) struct Stopped {
    error: Error,
    kept: bool,
}

impl Stopped {
    /// The error, with where what is whole is kept.
    pub(super) fn hint_part(self, place: &Place) -> Error {
        if !self.kept {
            return self.error;
        }
        let again = match place.begins_anew() {
            false => "run the same command to resume",
            true => "run the same command without --force to resume",
        };
        self.error.hint(format!(
            "the part read so far is kept in {}; {again}",
            place.part().display()
        ))
    }

    /// The same when a deletion was to follow: its code says that nothing was deleted.
    pub(super) fn before_deletion(self, place: &Place) -> Error {
        let code = match self.error.code() {
            Code::Interrupted => Code::Interrupted,
            _ => Code::Refused,
        };
        self.hint_part(place).with_code(code)
    }
}

/// Takes the backup and tells how far it is and what came of it, on stderr. `stale` says why what is read may be stale, for the file.
pub(super) async fn take(
    app: &mut App,
    cluster: &Cluster,
    target: &Target,
    name: &DatabaseName,
    place: &Place,
    stale: Vec<String>,
    mut interrupt: Interrupt<'_>,
) -> std::result::Result<Taken, Stopped> {
    let mut meter = Meter::new(&mut app.ui, name);
    let mut watch = |progress| meter.show(progress);
    let taken = tokio::select! {
        biased;
        () = interrupt.as_mut() => None,
        taken = crate::couchdb::backup::take(cluster, target, name, place, stale, &mut watch) => Some(taken),
    };
    app.ui.end_live();
    let kept = place.part().exists();
    match taken {
        None => Err(Stopped {
            error: Error::new(format!(
                "interrupted: the backup of database \"{name}\" is not finished, and nothing was changed"
            ))
            .with_code(Code::Interrupted),
            kept,
        }),
        Some(Err(NotTaken::NoFile(no))) => Err(Stopped {
            error: no_file(&no),
            kept: false,
        }),
        Some(Err(NotTaken::Absent)) => Err(Stopped {
            error: Error::new(format!("database \"{name}\" not found in CouchDB in {target}"))
                .hint(Command::skvs(["databases"]).after("those that exist:")),
            kept: false,
        }),
        Some(Err(NotTaken::Stopped { why, .. })) => Err(Stopped {
            error: Error::new(format!(
                "the backup of database \"{name}\" failed: {}",
                crate::text::one_line(&why)
            )),
            kept,
        }),
        Some(Ok(taken)) => {
            app.ui.status(Shown::line(told(&taken)));
            Ok(taken)
        }
    }
}

/// What is in the file.
fn told(taken: &Taken) -> String {
    let (totals, lines) = (taken.trailer.totals, taken.trailer.lines);
    let compared = match taken.trailer.compared {
        Some(percent) => format!(
            ", the revisions of {percent}% of them compared: the others were written to in the meantime"
        ),
        None => String::new(),
    };
    format!(
        "Saved {} ({}, {}, {}) as CouchDB counts them{compared}; {} in {}, sha256 of its content {}",
        count(totals.documents, "document"),
        count(lines.revisions, "revision"),
        count(totals.deleted, "deletion"),
        count(lines.attachments, "attachment"),
        bytes(taken.size),
        taken.file.display(),
        taken.trailer.sha256
    )
}
