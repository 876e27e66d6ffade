//! A backup that is taken or checked while the user is shown how far it is, for `backup`, `delete-db` and `restore`.
//!
//! Owns the words; what is read and checked is in [`crate::couchdb::backup`].

pub(crate) mod meter;

use crate::advice::Command;
use crate::app::App;
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::backup::items::Broken;
use crate::couchdb::backup::part::{NoFile, Place};
use crate::couchdb::backup::pull::{NotTaken, Taken};
use crate::couchdb::backup::whole::Whole;
use crate::couchdb::delete::execute::Interrupt;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::names::DatabaseName;
use crate::text::{Shown, bytes, count, one_line};
use meter::Meter;
use std::path::Path;

/// Where a backup goes, looked at before anything else.
///
/// # Errors
/// It cannot go there.
pub(crate) fn place(file: &Path, force: bool) -> Result<Place> {
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

/// Why the database was not backed up.
pub(crate) struct Stopped {
    error: Error,
    kept: bool,
}

impl Stopped {
    /// The error, with where what is whole is kept.
    pub(crate) fn hint_part(self, place: &Place) -> Error {
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
    pub(crate) fn before_deletion(self, place: &Place) -> Error {
        let code = match self.error.code() {
            Code::Interrupted => Code::Interrupted,
            _ => Code::Refused,
        };
        self.hint_part(place).with_code(code)
    }
}

/// Takes the backup and tells how far it is and what came of it, on stderr. `stale` says why what is read may be stale, for the file.
pub(crate) async fn take(
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
                one_line(&why)
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

/// Reads and checks a file, and shows how far it is.
///
/// # Errors
/// It is not whole.
pub(crate) async fn checked(app: &mut App, file: &Path) -> Result<Whole> {
    let shown = file.display();
    let mut meter = Meter::new(&mut app.ui, &shown);
    let mut watch = |progress| meter.show(progress);
    let read = Whole::check(file, &mut watch).await;
    app.ui.end_live();
    read.map_err(|broken| {
        let why = match broken {
            Broken::Io(error) => crate::error::io_words(&error),
            broken => broken.to_string(),
        };
        Error::new(format!("{shown} is not a whole backup: {}", one_line(&why)))
    })
}
