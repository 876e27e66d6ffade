//! The file of `--record`: one JSON object a line, on the disk before the run goes on.

use crate::error::{Error, Result, io_words};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// An open record.
#[derive(Debug)]
pub(super) struct Record {
    file: File,
    path: PathBuf,
}

impl Record {
    /// Opens it at its end; a new one is its owner's alone.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let new = !path.exists();
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = options.open(path).and_then(|file| {
            if new {
                settle_folder(path)?;
            }
            Ok(file)
        });
        let path = path.to_owned();
        match opened {
            Ok(file) => Ok(Self { file, path }),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    /// Writes one line and waits until the disk has it.
    ///
    /// # Errors
    /// The disk has it not.
    pub(super) fn write(&mut self, record: &Value) -> Result<()> {
        let line = format!("{record}\n");
        let written = self.file.write_all(line.as_bytes());
        written
            .and_then(|()| self.file.sync_all())
            .map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    Error::new(format!(
        "cannot write the record {path}: {}",
        io_words(error)
    ))
}

/// A new file's name is on the disk only when its folder is.
#[cfg(unix)]
fn settle_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn settle_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_is_the_owners_and_goes_on_behind_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deletions.jsonl");
        for at in 0..2 {
            Record::open(&path)
                .unwrap()
                .write(&json!({"at": at}))
                .unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "{\"at\":0}\n{\"at\":1}\n"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let error = Record::open(&folder.path().join("none/x")).unwrap_err();
        assert!(
            error.message().starts_with("cannot write the record "),
            "{error}"
        );
        assert!(
            error.message().ends_with("no such file or directory"),
            "{error}"
        );
    }
}
