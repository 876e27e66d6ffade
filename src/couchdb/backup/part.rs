//! The file on the user's disk: `FILE.part` while it grows, `FILE` when it is whole.
//!
//! `FILE` is never there without being whole, and is not replaced unless asked. Only the user can read either.

use super::format::Header;
use super::items::Broken;
use super::tally::{self, Partial};
use super::writer::{Mark, Writer};
use crate::private_file;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

/// More than a header takes on the disk, in bytes.
const HEADER_MAX: u64 = 256 * 1024;

/// Why there is no file to write to.
#[derive(Debug, thiserror::Error)]
pub enum NoFile {
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("{} is of another backup: {}", .0.display(), .1)]
    Other(PathBuf, String),
    #[error("{} cannot be the backup's: {}", .0.display(), .1)]
    Foreign(PathBuf, io::Error),
    #[error("{} is being written by another run", .0.display())]
    InUse(PathBuf),
    #[error("{} cannot be written: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
}

/// The two names.
#[derive(Clone, Debug)]
pub struct Place {
    file: PathBuf,
    part: PathBuf,
    /// Replace both.
    force: bool,
}

impl Place {
    /// Looks whether a backup may be written there; nothing is made yet.
    ///
    /// # Errors
    /// The file exists, or its folder does not.
    pub fn new(file: &Path, force: bool) -> Result<Self, NoFile> {
        let mut part = file.as_os_str().to_owned();
        part.push(".part");
        let place = Self {
            file: file.to_owned(),
            part: part.into(),
            force,
        };
        place.free()?;
        let failed = |error| NoFile::Io(file.to_owned(), error);
        if file.file_name().is_none() || file.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        fs::metadata(private_file::folder(file)).map_err(failed)?;
        Ok(place)
    }

    /// The name of the whole file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The name of the file that grows.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// What is there is replaced, a part too.
    pub fn begins_anew(&self) -> bool {
        self.force
    }

    fn free(&self) -> Result<(), NoFile> {
        match fs::symlink_metadata(&self.file) {
            Ok(found) if self.force && found.is_file() => Ok(()),
            Ok(_) if self.force => Err(NoFile::Io(
                self.file.clone(),
                io::Error::other("it is not a regular file"),
            )),
            Ok(_) => Err(NoFile::Exists(self.file.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(NoFile::Io(self.file.clone(), error)),
        }
    }

    /// Opens the part: a new one, or the one of an earlier run of the same database, which is gone on with. The bool says so.
    ///
    /// # Errors
    /// It belongs to another backup or another run, or cannot be written.
    pub fn open(&self, header: &Header) -> Result<(Writer, bool), NoFile> {
        let failed = |error| NoFile::Io(self.part.clone(), error);
        if self.force {
            // Never emptied: after a crash both names may stand for one file.
            match fs::remove_file(&self.part) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        let mut file = match private_file::create(&self.part) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let foreign = |error| NoFile::Foreign(self.part.clone(), error);
                private_file::open(&self.part).map_err(foreign)?
            }
            made => made.map_err(failed)?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(NoFile::InUse(self.part.clone())),
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let empty = file.metadata().map_err(failed)?.len() == 0;
        let mark = if empty {
            None
        } else {
            Some(self.goes_on(&mut file, header)?)
        };
        match mark.filter(|mark| mark.offset > 0) {
            Some(mark) => Writer::resume(file, mark).map(|w| (w, true)),
            None => file
                .set_len(0)
                .and_then(|()| Writer::create(file, header))
                .map(|w| (w, false)),
        }
        .map_err(failed)
    }

    /// Where an earlier run's part ends.
    fn goes_on(&self, file: &mut File, header: &Header) -> Result<Mark, NoFile> {
        let other = |why: String| NoFile::Other(self.part.clone(), why);
        let failed = |error| NoFile::Io(self.part.clone(), error);
        file.rewind().map_err(failed)?;
        let partial = match tally::partial(&*file) {
            Ok(_) => return Err(other("it is finished".to_owned())),
            Err(partial) => partial,
        };
        match *partial {
            Partial {
                header: Some(found),
                mark,
                ..
            } if is_same(&found, header) => Ok(mark),
            Partial {
                header: Some(found),
                ..
            } if found.format != header.format => {
                Err(other("an older version of the plugin wrote it".to_owned()))
            }
            Partial {
                header: Some(found),
                ..
            } if found.server.uuid != header.server.uuid => {
                Err(other("it is of another CouchDB".to_owned()))
            }
            Partial {
                header: Some(found),
                ..
            } if found.database == header.database => Err(other(format!(
                "the database {} has been created again since",
                found.database
            ))),
            Partial {
                header: Some(found),
                ..
            } => Err(other(format!("it is of database {:?}", found.database))),
            Partial {
                header: None, why, ..
            } => match why {
                // A run that ended before its first member was whole.
                Broken::Cut(_) if is_begun(file).map_err(failed)? => Ok(Mark::start()),
                why => Err(other(why.to_string())),
            },
        }
    }

    /// Gives the part, which is `file`, its final name. Its content must be on the disk.
    ///
    /// # Errors
    /// The file was created in the meantime, or cannot be renamed, or the part is another file now.
    pub fn finish(&self, file: &File) -> Result<(), NoFile> {
        private_file::publish(file, &self.part, &self.file, self.force).map_err(|error| match error
            .kind()
        {
            io::ErrorKind::AlreadyExists => NoFile::Exists(self.file.clone()),
            _ => NoFile::Io(self.file.clone(), error),
        })
    }
}

/// Whether both are of one database. A copy of a whole CouchDB, as staging may be of production, has databases of the same identity.
fn is_same(one: &Header, other: &Header) -> bool {
    one.format == other.format
        && one.server.uuid == other.server.uuid
        && one.database == other.database
        && one.identity == other.identity
}

/// Whether this may be the beginning of a header's member, not of somebody's own file.
fn is_begun(file: &mut File) -> io::Result<bool> {
    const HEAD: [u8; 3] = [0x1f, 0x8b, 8];
    let mut head = Vec::new();
    file.rewind()?;
    file.take(HEAD.len() as u64).read_to_end(&mut head)?;
    Ok(HEAD.starts_with(&head) && file.metadata()?.len() < HEADER_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::format::{FORMAT, Server};
    use super::*;
    use serde_json::json;

    fn header(identity: &str) -> Header {
        Header {
            format: FORMAT,
            plugin: "0.1.0".into(),
            taken: "2026-11-24T00:00:00Z".into(),
            server: Server {
                uuid: "u".into(),
                version: "3.2.2".into(),
            },
            database: "pds_database".into(),
            identity: identity.into(),
            partitioned: false,
            shards: Some(2),
            stale: Vec::new(),
            shard_map: json!({}),
        }
    }

    fn finish(writer: Writer) -> File {
        let finish = super::super::writer::Finish {
            finished: "2026-11-24T00:00:01Z".into(),
            update_seq: "0".into(),
            totals: Default::default(),
            stale: Vec::new(),
            compared: None,
            properties: Default::default(),
        };
        writer.finish(finish).unwrap().0
    }

    #[test]
    fn the_name_is_there_when_the_file_is_whole_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("b.gz");
        let place = Place::new(&file, false).unwrap();
        let (writer, resumed) = place.open(&header(".1")).unwrap();
        assert!(!resumed && !file.exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(place.part()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(matches!(place.open(&header(".1")), Err(NoFile::InUse(_))));
        place.finish(&finish(writer)).unwrap();
        assert!(file.exists() && !place.part().exists());
        assert!(matches!(Place::new(&file, false), Err(NoFile::Exists(_))));
        // One that came to be while the backup was written.
        let (writer, _) = place.open(&header(".1")).unwrap();
        let whole = finish(writer);
        assert!(matches!(place.finish(&whole), Err(NoFile::Exists(_))));
        let place = Place::new(&file, true).unwrap();
        place.finish(&whole).unwrap();
        assert!(!place.part().exists());
    }

    #[test]
    fn an_earlier_part_is_gone_on_with_only_for_the_same_database() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("b.gz"), false).unwrap();
        let (mut writer, _) = place.open(&header(".1")).unwrap();
        writer.checkpoint("7-x".into()).unwrap();
        drop(writer);
        let (writer, resumed) = place.open(&header(".1")).unwrap();
        assert!(resumed);
        assert_eq!(writer.mark().seq, "7-x");
        drop(writer);
        let told = |header: &Header| place.open(header).err().unwrap().to_string();
        assert!(told(&header(".2")).ends_with("has been created again since"));
        let mut other = header(".1");
        other.format = 1;
        assert!(told(&other).ends_with("an older version of the plugin wrote it"));
        let mut other = header(".1");
        other.database = "a_b".into();
        assert!(told(&other).ends_with("it is of database \"pds_database\""));
        // What was cut within its first member begins anew, what is no backup does not.
        fs::write(place.part(), [0x1f, 0x8b]).unwrap();
        assert!(!place.open(&header(".1")).unwrap().1);
        fs::write(place.part(), "text").unwrap();
        assert!(told(&header(".1")).contains("is of another backup: it is cut"));
        fs::write(place.part(), "a text of somebody's own").unwrap();
        assert!(told(&header(".1")).contains("it is not a backup of a database"));
        let place = Place::new(&folder.path().join("b.gz"), true).unwrap();
        assert!(!place.open(&header(".2")).unwrap().1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_before_anything() {
        assert!(matches!(
            Place::new(Path::new("/nowhere/b.gz"), false),
            Err(NoFile::Io(..))
        ));
        assert!(Place::new(Path::new("/"), true).is_err());
    }
}
