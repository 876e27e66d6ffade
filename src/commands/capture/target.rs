//! Where a bundle is written: a file that is there whole or not at all, or stdout.

use crate::error::{Error, Result, io_words};
use crate::private_file;
use crate::text::shell_quote;
use std::io::{self, Write};
use std::path::PathBuf;

/// What `--to` names.
pub(super) enum Target {
    Stdout,
    File(NewFile),
}

/// A file that is not there yet, or that may be replaced.
pub(super) struct NewFile {
    pub(super) path: PathBuf,
    replace: bool,
}

impl Target {
    /// Reads `--to`.
    ///
    /// # Errors
    /// Something is there already, or stdout is a terminal.
    pub(super) fn parse(to: &str, replace: bool, terminal: bool) -> Result<Self> {
        if to == "-" {
            if terminal {
                return Err(Error::usage("an archive is not written to a terminal")
                    .hint("name a file: --to bundle.tar.gz"));
            }
            return Ok(Self::Stdout);
        }
        let file = NewFile {
            path: PathBuf::from(to),
            replace,
        };
        file.check()?;
        Ok(Self::File(file))
    }
}

impl NewFile {
    /// Whether it may be written.
    fn check(&self) -> Result<()> {
        let shown = self.path.display();
        if self.path.is_dir() {
            return Err(Error::new(format!("{shown} is a folder")).hint(format!(
                "name a file in it: --to {}",
                shell_quote(&self.path.join("bundle.tar.gz").to_string_lossy())
            )));
        }
        let folder = private_file::folder(&self.path);
        if !folder.is_dir() {
            return Err(Error::new(format!(
                "{shown} cannot be written: folder {} does not exist",
                folder.display()
            )));
        }
        // A link that leads nowhere is there too.
        if !self.replace && self.path.symlink_metadata().is_ok() {
            return Err(self.exists());
        }
        Ok(())
    }

    fn exists(&self) -> Error {
        Error::new(format!("{} is there already", self.path.display()))
            .hint("name another file, or replace it with --force")
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(
        &self,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        private_file::write(&self.path, self.replace, content).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => self.exists(),
            _ => Error::new(format!(
                "{} cannot be written: {}",
                self.path.display(),
                io_words(&error)
            )),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn file(path: &Path, replace: bool) -> Result<NewFile> {
        match Target::parse(&path.to_string_lossy(), replace, true)? {
            Target::File(file) => Ok(file),
            Target::Stdout => panic!("{} is a file", path.display()),
        }
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.tar.gz");
        let new = file(&path, false).unwrap();
        let broken = new.write(|out| {
            out.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(
            broken
                .unwrap_err()
                .message()
                .ends_with("b.tar.gz cannot be written: the disk is full")
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        new.write(|out| out.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_there_is_not_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.tar.gz");
        let early = file(&path, false).unwrap();
        fs::write(&path, b"old").unwrap();
        for refused in [
            file(&path, false).map(drop),
            early.write(|out| out.write_all(b"new")),
        ] {
            let error = refused.unwrap_err();
            assert!(error.message().ends_with("is there already"), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file(&path, true)
            .unwrap()
            .write(|out| out.write_all(b"new"))
            .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_a_file_is_told_before_anything_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let told = |to: &Path| file(to, true).map(drop).unwrap_err();
        assert!(told(folder.path()).message().ends_with(" is a folder"));
        let missing = folder.path().join("x/b.tar.gz");
        assert!(told(&missing).message().contains(" does not exist"));
        let terminal = Target::parse("-", false, true).map(drop).unwrap_err();
        assert_eq!(terminal.code(), crate::exit::Code::Usage);
        assert!(matches!(
            Target::parse("-", false, false),
            Ok(Target::Stdout)
        ));
    }
}
