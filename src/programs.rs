//! Executables on PATH, found as a shell finds them. Nothing is run here.

pub(crate) mod shadow;

use crate::error::io_words;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folders of a PATH, in its order.
#[derive(Clone, Debug)]
pub(crate) struct Folders(Vec<PathBuf>);

/// The executables of one folder.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) folder: PathBuf,
    /// Sorted by name; or why the folder cannot be listed.
    pub(crate) files: Result<Vec<PathBuf>, String>,
}

impl Folders {
    /// Those of the environment's PATH.
    pub(crate) fn of_path() -> Self {
        Self::of(&std::env::var_os("PATH").unwrap_or_default())
    }

    /// Those of this PATH.
    pub(crate) fn of(path: &OsStr) -> Self {
        Self(std::env::split_paths(path).collect())
    }

    /// The same without relative ones, which depend on the working directory.
    #[must_use]
    pub(crate) fn absolute(mut self) -> Self {
        self.0.retain(|folder| folder.is_absolute());
        self
    }

    /// The first executable of this name.
    pub(crate) fn first(&self, name: &str) -> Option<PathBuf> {
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        let mut files = self.0.iter().map(|folder| folder.join(&name));
        files.find(|file| is_executable(file))
    }

    /// The executables whose names begin with `prefix`. A folder that does not exist has none.
    pub(crate) fn beginning_with(&self, prefix: &str) -> Vec<Listed> {
        let listed = self.0.iter().filter_map(|folder| {
            let files = match names(folder) {
                Ok(names) => Ok(names),
                Err(error) if is_nothing(&error) => return None,
                Err(error) => Err(io_words(&error)),
            };
            let files = files.map(|mut names| {
                names.retain(|name| name.to_string_lossy().starts_with(prefix));
                names.sort();
                let files = names.iter().map(|name| folder.join(name));
                files.filter(|file| is_executable(file)).collect()
            });
            let folder = folder.clone();
            Some(Listed { folder, files })
        });
        listed.collect()
    }
}

/// Whether both names lead to one file.
///
/// # Errors
/// One of them leads nowhere.
pub(crate) fn are_one(a: &Path, b: &Path) -> std::io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id =
            |file: &Path| Ok::<_, std::io::Error>((file.metadata()?.dev(), file.metadata()?.ino()));
        Ok(id(a)? == id(b)?)
    }
    #[cfg(not(unix))]
    Ok(a.canonicalize()? == b.canonicalize()?)
}

/// Whether this is all that a file holds.
///
/// # Errors
/// It cannot be read.
pub(crate) fn holds(file: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    let mut read = Vec::new();
    let most = bytes.len() as u64 + 1;
    std::fs::File::open(file)?
        .take(most)
        .read_to_end(&mut read)?;
    Ok(read == bytes)
}

fn names(folder: &Path) -> std::io::Result<Vec<OsString>> {
    let entries = folder.read_dir()?;
    entries.map(|entry| Ok(entry?.file_name())).collect()
}

fn is_nothing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(folder: &Path, name: &str, mode: u32) {
        let file = folder.join(name);
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_that_can_be_run_is_found_and_none_of_a_relative_folder() {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        file(first.path(), "helm", 0o644);
        file(second.path(), "helm", 0o755);
        let path = std::env::join_paths([Path::new("."), first.path(), second.path()]).unwrap();
        let folders = Folders::of(&path).absolute();
        assert_eq!(folders.first("helm"), Some(second.path().join("helm")));
        assert_eq!(folders.first("git"), None);
        assert!(
            Folders::of(OsStr::new("relative:."))
                .absolute()
                .0
                .is_empty()
        );
    }

    #[test]
    fn a_link_is_the_file_it_leads_to_and_a_copy_is_not() {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), "a", 0o755);
        file(folder.path(), "copy", 0o755);
        let path = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(path("a"), path("link")).unwrap();
        std::fs::hard_link(path("a"), path("hard")).unwrap();
        let is_a = |name: &str| are_one(&path("a"), &path(name)).unwrap();
        assert!(is_a("link") && is_a("hard") && !is_a("copy"));
        assert!(are_one(&path("a"), &path("gone")).is_err());
        let holds = |bytes: &[u8]| holds(&path("link"), bytes).unwrap();
        assert!(holds(b"#!/bin/sh\n"));
        assert!(!holds(b"#!/bin/sh") && !holds(b"#!/bin/sh\n\n"));
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_not_one_without_executables() {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), "a-one", 0o755);
        file(folder.path(), "a-text", 0o644);
        file(folder.path(), "b", 0o755);
        let gone = folder.path().join("gone");
        let long = folder.path().join("x".repeat(5000));
        let path = std::env::join_paths([folder.path(), &gone, &long]).unwrap();
        let listed = Folders::of(&path).beginning_with("a-");
        assert_eq!(listed.len(), 2, "{listed:?}");
        assert_eq!(listed[0].files, Ok(vec![folder.path().join("a-one")]));
        assert_eq!(listed[1].folder, long);
        assert!(listed[1].files.is_err(), "{listed:?}");
    }
}
