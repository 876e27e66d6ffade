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
    pub fn check(root: &Path, file: &'f Path, before: &[u8]) -> Result<Self> {
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
    pub fn replace(self, after: &str) -> Result<(), Failure> {
        let temporary = self.folder.join(temporary(self.file));
        let failure = |why: &str| Failure::from(failed(self.file, why));
        // Of several runs at once, one writes and the others see the change. If the folder cannot be locked, only the comparison is left.
        let folder = File::open(&self.folder);
        let _locked = folder.as_ref().map(File::lock);
        match fs::read(self.file) {
            Ok(present) if present == self.before => {}
            Ok(_) => return Err(failure(CHANGED)),
            Err(error) => return Err(failure(&io_words(&error))),
        }
        let file = new(&temporary).map_err(|e| failure(&io_words(&e)))?;
        let written = fill(&file, after).and_then(|()| {
            fs::set_permissions(&temporary, self.permissions)?;
            fs::rename(&temporary, self.file)
        });
        written.map_err(|error| failure(&io_words(&error)).beside(removed(&temporary)))
    }
}

/// A write that failed.
#[derive(Debug)]
pub struct Failure {
    /// With a hint for each file that it left behind.
    pub error: Error,
    /// Whether everything is as it was before.
    pub is_clean: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let is_clean = true;
        Self { error, is_clean }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl Failure {
    /// The failure, and why something of it may have stayed.
    fn beside(self, left: Result<(), String>) -> Self {
        match left {
            Ok(()) => self,
            Err(why) => Self {
                error: self.error.hint(why),
                is_clean: false,
            },
        }
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
    pub fn check(root: &Path, file: &'f Path) -> Result<Self> {
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
    pub fn create(self, text: &str) -> Result<(), Failure> {
        self.create_by(text, |file, from, to| {
            private_file::publish(file, from, to, false)
        })
    }

    /// The same with the step that gives the file its name.
    fn create_by(
        self,
        text: &str,
        publish: impl FnOnce(&File, &Path, &Path) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let temporary = self.folder.join(temporary(self.file));
        let failure = |why: &str| Failure::from(failed(self.file, why));
        let file = new(&temporary).map_err(|e| failure(&io_words(&e)))?;
        let written = fill(&file, text).and_then(|()| publish(&file, &temporary, self.file));
        written.map_err(|error| {
            let temporary = removed(&temporary);
            if error.kind() == io::ErrorKind::AlreadyExists {
                return failure(EXISTS).beside(temporary);
            }
            // It may have got its name before the failure.
            failure(&io_words(&error))
                .beside(temporary)
                .beside(taken_back(self.file, text, |file| fs::remove_file(file)))
        })
    }
}

/// Removes a file that has this content.
///
/// # Errors
/// Why it may still be there.
fn taken_back(
    file: &Path,
    text: &str,
    remove: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), String> {
    let shown = super::folder::shown(file);
    match fs::read(file) {
        Ok(there) if there == text.as_bytes() => remove(file).map_err(|e| stays(file, &e)),
        Ok(_) => Err(format!("{shown} has other content, and was left")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!(
            "it is not known whether {shown} was written: {}",
            one_line(&io_words(&error))
        )),
    }
}

/// Removes a file of ours.
///
/// # Errors
/// Why it is still there.
fn removed(file: &Path) -> Result<(), String> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(stays(file, &error)),
        _ => Ok(()),
    }
}

fn stays(file: &Path, error: &io::Error) -> String {
    let shown = super::folder::shown(file);
    format!(
        "{shown} is still there, and cannot be removed: {}",
        one_line(&io_words(error))
    )
}

const CHANGED: &str = "it has changed since it was read";

const EXISTS: &str = "it exists already";

/// Removes a file that still has this content.
///
/// # Errors
/// As [`Replaceable::check`], or it cannot be removed.
pub fn remove(root: &Path, file: &Path, content: &[u8]) -> Result<()> {
    Replaceable::check(root, file, content)?;
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

fn new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn fill(mut file: &File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(root: &Path, file: &Path, before: &[u8], after: &str) -> Result<()> {
        Ok(Replaceable::check(root, file, before)?.replace(after)?)
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
        let of = || Replaceable::check(home.path(), &file, b"one").unwrap();
        let (first, second) = (of(), of());
        first.replace("two").unwrap();
        let refused = second.replace("three").unwrap_err().error;
        assert!(
            refused.message().ends_with(CHANGED),
            "{}",
            refused.message()
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    /// Whether somebody waits for the lock of this file.
    #[cfg(target_os = "linux")]
    fn is_waited_for(file: &File) -> bool {
        use std::os::unix::fs::MetadataExt;
        let inode = format!(":{} ", file.metadata().unwrap().ino());
        let locks = fs::read_to_string("/proc/locks").unwrap();
        let mut waiting = locks.lines().filter(|line| line.contains("-> FLOCK "));
        waiting.any(|line| line.contains(&inode))
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_another_run_writes_under_its_lock_is_seen() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a.yaml");
        fs::write(&file, "one").unwrap();
        let ours = Replaceable::check(home.path(), &file, b"one").unwrap();
        let folder = File::open(home.path()).unwrap();
        folder.lock().unwrap();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| ours.replace("two"));
            // Without a lock it does not wait, and ends.
            let begun = (0..6_000).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(10));
                run.is_finished() || is_waited_for(&folder)
            });
            assert!(begun);
            fs::write(&file, "theirs").unwrap();
            folder.unlock().unwrap();
            let refused = run.join().unwrap().unwrap_err();
            assert!(refused.error.message().ends_with(CHANGED), "{refused:?}");
        });
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_is_taken_back_if_its_writing_fails_and_what_stays_is_said() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a.yaml");
        let names = || fs::read_dir(home.path()).unwrap().count();
        let create = |named: fn(&Path, &Path)| {
            let of = Creatable::check(home.path(), &file).unwrap();
            let failed = of.create_by("one", |_, from, to| {
                named(from, to);
                Err(io::Error::other("the folder cannot be synced"))
            });
            failed.unwrap_err()
        };
        let hints = |failure: &Failure| format!("{:?}", failure.error.hints());
        // Before it had its name, with both names, and with its own alone.
        let steps: [fn(&Path, &Path); 3] = [
            |_, _| {},
            |from, to| fs::copy(from, to).map(drop).unwrap(),
            |from, to| fs::rename(from, to).unwrap(),
        ];
        for named in steps {
            let failure = create(named);
            assert!(failure.error.message().ends_with("cannot be synced"));
            assert_eq!((failure.is_clean, hints(&failure).as_str()), (true, "[]"));
            assert_eq!(names(), 0);
        }
        // Somebody else's is left, and what cannot be read is not known.
        let failure = create(|_, to| fs::write(to, "theirs").unwrap());
        assert!(hints(&failure).contains("a.yaml has other content"));
        assert!(!failure.is_clean);
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
        fs::remove_file(&file).unwrap();
        let failure = create(|_, to| fs::create_dir(to).unwrap());
        assert!(hints(&failure).contains("not known whether "));
        assert!(!failure.is_clean);
        fs::remove_dir(&file).unwrap();
        // So is what cannot be removed.
        let failure = create(|from, _| {
            fs::remove_file(from).unwrap();
            fs::create_dir(from).unwrap();
        });
        let said = hints(&failure);
        assert!(said.contains(".tmp is still there, and cannot be removed: "));
        assert!(!failure.is_clean);
        fs::write(&file, "one").unwrap();
        let busy = |_: &Path| Err(io::Error::other("it is busy"));
        let stays = taken_back(&file, "one", busy).unwrap_err();
        assert!(
            stays.ends_with("a.yaml is still there, and cannot be removed: it is busy"),
            "{stays}"
        );
    }

    #[test]
    fn a_new_file_replaces_nothing_and_is_removed_while_it_is_ours() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("r");
        fs::create_dir(&root).unwrap();
        let file = root.join("a.yaml");
        let late = Creatable::check(&root, &file).unwrap();
        Creatable::check(&root, &file)
            .unwrap()
            .create("one")
            .unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        for refused in [
            late.create("two").unwrap_err().error,
            Creatable::check(&root, &file).unwrap_err(),
        ] {
            assert!(refused.message().ends_with(EXISTS), "{refused:?}");
        }
        let outside = home.path().join("b.yaml");
        assert!(Creatable::check(&root, &outside).is_err());
        assert!(remove(&root, &file, b"two").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        remove(&root, &file, b"one").unwrap();
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    }
}
