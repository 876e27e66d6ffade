//! Writes a file of the repository: whole or not at all, and never outside the named folder.

use crate::error::{Error, Result, io_words};
use crate::private_file;
use crate::text::one_line;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that may be replaced: a regular one in the folder that is as it was read.
#[derive(Debug)]
pub struct Replaceable<'f> {
    file: &'f Path,
    folder: PathBuf,
    permissions: fs::Permissions,
    before: Vec<u8>,
}

impl<'f> Replaceable<'f> {
    /// Checks everything that a rehearsal can.
    ///
    /// # Errors
    /// It has changed since it was read, or is not a regular file in the folder.
    pub fn of(root: &Path, file: &'f Path, before: &[u8]) -> Result<Self> {
        let failed = |why: &str| failed(file, why);
        let folder = within(root, file).map_err(|why| failed(&why))?;
        let facts = fs::symlink_metadata(file).map_err(|e| failed(&io_words(&e)))?;
        if !facts.is_file() {
            return Err(failed("it is not a regular file"));
        }
        if fs::read(file).map_err(|e| failed(&io_words(&e)))? != before {
            return Err(failed(CHANGED));
        }
        Ok(Self {
            file,
            folder,
            permissions: facts.permissions(),
            before: before.to_vec(),
        })
    }

    /// Replaces its content.
    ///
    /// # Errors
    /// It has changed since, or cannot be written.
    pub fn replace(self, after: &str) -> Result<()> {
        let temporary = self.folder.join(temporary(self.file));
        // Of several runs at once, one writes and the others see the change. If the folder cannot be locked, only the comparison is left.
        let folder = File::open(&self.folder);
        let _locked = folder.as_ref().map(File::lock);
        match fs::read(self.file) {
            Ok(present) if present == self.before => {}
            Ok(_) => return Err(failed(self.file, CHANGED)),
            Err(error) => return Err(failed(self.file, &io_words(&error))),
        }
        let written = put(&temporary, after).and_then(|_| {
            fs::set_permissions(&temporary, self.permissions)?;
            fs::rename(&temporary, self.file)
        });
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            failed(self.file, &io_words(&error))
        })
    }
}

/// An unused name in the folder.
#[derive(Debug)]
pub struct Creatable<'f> {
    file: &'f Path,
    folder: PathBuf,
}

impl<'f> Creatable<'f> {
    /// Checks everything that a rehearsal can.
    ///
    /// # Errors
    /// Something has the name, or it is not in the folder.
    pub fn of(root: &Path, file: &'f Path) -> Result<Self> {
        let folder = within(root, file).map_err(|why| failed(file, &why))?;
        match fs::symlink_metadata(file) {
            Ok(_) => Err(failed(file, EXISTS)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { file, folder }),
            Err(error) => Err(failed(file, &io_words(&error))),
        }
    }

    /// Writes the file; one created in the meantime is not replaced.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(self, text: &str) -> Result<()> {
        let temporary = self.folder.join(temporary(self.file));
        let written = put(&temporary, text)
            .and_then(|file| private_file::publish(&file, &temporary, self.file, false));
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            if error.kind() == io::ErrorKind::AlreadyExists {
                return failed(self.file, EXISTS);
            }
            // It may have got its name before the failure.
            if fs::read(self.file).is_ok_and(|there| there == text.as_bytes()) {
                let _ = fs::remove_file(self.file);
            }
            failed(self.file, &io_words(&error))
        })
    }
}

const CHANGED: &str = "it has changed since it was read";

const EXISTS: &str = "it exists already";

/// Removes a file that still has this content.
///
/// # Errors
/// As [`Replaceable::of`], or it cannot be removed.
pub fn remove(root: &Path, file: &Path, content: &[u8]) -> Result<()> {
    Replaceable::of(root, file, content)?;
    fs::remove_file(file).map_err(|error| {
        let shown = super::folder::shown(file);
        Error::new(format!(
            "cannot remove {shown}: {}",
            one_line(&io_words(&error))
        ))
    })
}

fn failed(file: &Path, why: &str) -> Error {
    let file = super::folder::shown(file);
    Error::new(format!("cannot write {file}: {}", one_line(why)))
}

/// The folder that a file is in, which must be in the named one.
fn within(root: &Path, file: &Path) -> Result<PathBuf, String> {
    let real = |path: &Path| path.canonicalize().map_err(|e| io_words(&e));
    let parent = file.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = real(parent.unwrap_or(Path::new(".")))?;
    match folder.starts_with(real(root)?) {
        true => Ok(folder),
        false => Err("it is outside the repository's folder".to_owned()),
    }
}

/// A name beside the file's that nobody else has.
fn temporary(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.{}.tmp", std::process::id())
}

fn put(path: &Path, text: &str) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(root: &Path, file: &Path, before: &[u8], after: &str) -> Result<()> {
        Replaceable::of(root, file, before)?.replace(after)
    }

    #[test]
    fn a_file_is_replaced_as_long_as_it_is_what_was_read() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("r");
        fs::create_dir(&root).unwrap();
        let file = root.join("a.yaml");
        fs::write(&file, "one").unwrap();
        replace(&root, &file, b"one", "two").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        let changed = replace(&root, &file, b"one", "three").unwrap_err();
        assert!(changed.message().ends_with("changed since it was read"));
        let outside = home.path().join("b.yaml");
        fs::write(&outside, "one").unwrap();
        let refused = replace(&root, &outside, b"one", "two").unwrap_err();
        assert!(
            refused
                .message()
                .ends_with("outside the repository's folder")
        );
        #[cfg(unix)]
        {
            let link = root.join("l.yaml");
            std::os::unix::fs::symlink(&outside, &link).unwrap();
            let refused = replace(&root, &link, b"one", "two").unwrap_err();
            assert!(refused.message().ends_with("not a regular file"));
        }
        assert_eq!(fs::read_to_string(&outside).unwrap(), "one");
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        let names = fs::read_dir(&root).unwrap().count();
        assert_eq!(names, if cfg!(unix) { 2 } else { 1 });
    }

    #[test]
    fn of_two_at_once_one_replaces() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a.yaml");
        fs::write(&file, "one").unwrap();
        let of = || Replaceable::of(home.path(), &file, b"one").unwrap();
        let (first, second) = (of(), of());
        first.replace("two").unwrap();
        let refused = second.replace("three").unwrap_err();
        assert!(
            refused.message().ends_with(CHANGED),
            "{}",
            refused.message()
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_replaces_nothing_and_is_removed_while_it_is_ours() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("r");
        fs::create_dir(&root).unwrap();
        let file = root.join("a.yaml");
        let late = Creatable::of(&root, &file).unwrap();
        Creatable::of(&root, &file).unwrap().create("one").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        for refused in [
            late.create("two").unwrap_err(),
            Creatable::of(&root, &file).unwrap_err(),
        ] {
            assert!(refused.message().ends_with(EXISTS), "{refused:?}");
        }
        let outside = home.path().join("b.yaml");
        assert!(Creatable::of(&root, &outside).is_err());
        assert!(remove(&root, &file, b"two").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        remove(&root, &file, b"one").unwrap();
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    }
}
