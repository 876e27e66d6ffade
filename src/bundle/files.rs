//! The files that -f names: read whole into memory, within bounds, folders and .tar.gz taken apart.
//!
//! Owns what is read of a folder and the bounds. Nothing is written: an archive's entries are only kept by their names, and
//! none may leave the archive's own folder.

use super::manifest;
use crate::error::{Error, Result, io_words};
use crate::text::shell_quote;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Most bytes of all files together, unpacked.
const BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most files.
const FILES_MAX: usize = 50_000;
/// Deepest folder in a folder.
const FOLDERS_MAX: usize = 32;

/// Endings that are read of a folder without being named, as in kubectl.
const OBJECTS: [&str; 3] = [".yaml", ".yml", ".json"];
const ARCHIVES: [&str; 2] = [".tar.gz", ".tgz"];

/// What one word after -f stands for, or one archive in a folder.
#[derive(Debug)]
pub(super) struct Tree {
    /// As it is told: the path, or `standard input`.
    pub(super) shown: String,
    pub(super) entries: Vec<Entry>,
    /// A folder or an archive, not one file.
    pub(super) many: bool,
}

/// One file.
#[derive(Debug)]
pub(super) struct Entry {
    /// From the tree on, with slashes; empty where the tree is this file.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl Tree {
    /// How a file of it is told.
    pub(super) fn name(&self, entry: &Entry) -> String {
        match (self.many, self.shown.trim_end_matches('/')) {
            (true, shown) => format!("{shown}/{}", entry.path),
            (false, shown) => shown.to_owned(),
        }
    }
}

/// Whether a file in a folder holds objects, by its name.
pub(super) fn holds_objects(name: &str) -> bool {
    OBJECTS.iter().any(|e| name.ends_with(e))
}

fn is_archive(name: &str) -> bool {
    ARCHIVES.iter().any(|e| name.ends_with(e))
}

/// Reads what `paths` name; `-` is `stdin`.
///
/// # Errors
/// What cannot be read, by its name.
pub(super) fn read(paths: &[PathBuf], recursive: bool, stdin: &mut dyn Read) -> Result<Vec<Tree>> {
    let mut reader = Reader {
        bytes: BYTES_MAX,
        files: FILES_MAX,
        trees: Vec::new(),
    };
    let mut stdin_read = false;
    for path in paths {
        if path.as_os_str() == "-" {
            if std::mem::replace(&mut stdin_read, true) {
                return Err(Error::usage("standard input can be read only once: -f -"));
            }
            let bytes = reader.bounded(stdin, STDIN)?;
            reader.one(STDIN, bytes)?;
            continue;
        }
        let shown = path.display().to_string();
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::new(format!("the path {shown:?} does not exist")));
            }
            Err(error) => return Err(unreadable(&shown, &error)),
            Ok(facts) if facts.is_dir() => reader.folder(path, &shown, recursive)?,
            Ok(_) => {
                let bytes = reader.file(path)?;
                // A bundle's manifest stands for its bundle.
                match path.parent() {
                    Some(folder) if path.ends_with(manifest::FILE) && is_bundle(&bytes) => {
                        let folder = match folder.as_os_str().is_empty() {
                            true => Path::new("."),
                            false => folder,
                        };
                        reader.folder(folder, &folder.display().to_string(), false)?;
                    }
                    _ => reader.one(&shown, bytes)?,
                }
            }
        }
    }
    Ok(reader.trees)
}

/// How standard input is told.
const STDIN: &str = "standard input";

/// Whether a file is the manifest of a bundle, in whatever version.
pub(super) fn is_bundle(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        kind: String,
    }
    serde_json::from_slice::<Kind>(bytes).is_ok_and(|k| k.kind == manifest::KIND)
}

/// How a folder is gone through.
#[derive(Clone, Copy, Default)]
struct Walk {
    /// With the folders in it.
    recursive: bool,
    /// It is a bundle's or in one: all of it is read.
    of_bundle: bool,
    depth: usize,
}

/// What is left of the bounds, and what was read.
struct Reader {
    bytes: u64,
    files: usize,
    trees: Vec<Tree>,
}

impl Reader {
    /// All bytes of a stream, within what is left.
    fn bounded(&mut self, from: &mut dyn Read, shown: &str) -> Result<Vec<u8>> {
        self.files = self.files.checked_sub(1).ok_or_else(|| {
            Error::new(format!("{shown}: more than {FILES_MAX} files are not read"))
        })?;
        let mut bytes = Vec::new();
        from.take(self.bytes + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| unreadable(shown, &e))?;
        self.bytes = self.bytes.checked_sub(bytes.len() as u64).ok_or_else(|| {
            let most = BYTES_MAX / 1024 / 1024;
            Error::new(format!("{shown}: more than {most} MiB are not read"))
        })?;
        Ok(bytes)
    }

    fn file(&mut self, path: &Path) -> Result<Vec<u8>> {
        let shown = path.display().to_string();
        let mut file = File::open(path).map_err(|e| unreadable(&shown, &e))?;
        self.bounded(&mut file, &shown)
    }

    /// A file that was named: text or an archive, whatever its name ends with.
    fn one(&mut self, shown: &str, bytes: Vec<u8>) -> Result<()> {
        let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
            self.bounded(&mut MultiGzDecoder::new(bytes.as_slice()), shown)
                .map_err(|e| match e.message().strip_prefix("cannot read ") {
                    Some(why) => Error::new(format!("{why} (is the file whole?)")),
                    None => e,
                })?
        } else {
            bytes
        };
        let (many, entries) = if is_archive(shown) || is_tar(&bytes) {
            (true, self.unpacked(shown, &bytes)?)
        } else {
            let path = String::new();
            (false, vec![Entry { path, bytes }])
        };
        self.trees.push(Tree {
            shown: shown.to_owned(),
            entries,
            many,
        });
        Ok(())
    }

    /// The files in an archive.
    fn unpacked(&mut self, shown: &str, bytes: &[u8]) -> Result<Vec<Entry>> {
        let broken = |e: &io::Error| {
            let why = crate::text::one_line(&io_words(e));
            Error::new(format!("{shown} is no whole archive: {why}"))
        };
        let mut archive = tar::Archive::new(bytes);
        let mut entries = Vec::new();
        for entry in archive.entries().map_err(|e| broken(&e))? {
            let mut entry = entry.map_err(|e| broken(&e))?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path().map_err(|e| broken(&e))?.into_owned();
            let inside = inside(&path).ok_or_else(|| {
                let path = path.display().to_string();
                Error::new(format!("{shown} holds the path {path:?}, which leaves it"))
            })?;
            // Their size is already that of the archive, which was counted.
            self.files = self.files.checked_sub(1).ok_or_else(|| {
                Error::new(format!("{shown}: more than {FILES_MAX} files are not read"))
            })?;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(|e| broken(&e))?;
            entries.push(Entry {
                path: inside,
                bytes,
            });
        }
        Ok(entries)
    }

    /// The files of a folder; of a bundle's all.
    fn folder(&mut self, folder: &Path, shown: &str, recursive: bool) -> Result<()> {
        let at = self.trees.len();
        let mut entries = Vec::new();
        let walk = Walk {
            recursive,
            ..Walk::default()
        };
        self.entries(folder, "", walk, &mut entries)?;
        let nothing = entries.iter().all(|e: &Entry| is_log(&e.path));
        if nothing && self.trees.len() == at {
            let error = Error::new(format!("the folder {shown:?} holds no file to read"));
            return Err(error.hint(match bundle_in(folder) {
                Some(bundle) => format!("it holds a bundle, name that: -f {}", shell_quote(&bundle)),
                None => "files that end with .yaml, .yml, .json, .tar.gz or .tgz are read; with -R those of its folders too".to_owned(),
            }));
        }
        let shown = shown.to_owned();
        let tree = Tree {
            shown,
            entries,
            many: true,
        };
        self.trees.insert(at, tree);
        Ok(())
    }

    fn entries(
        &mut self,
        folder: &Path,
        prefix: &str,
        walk: Walk,
        entries: &mut Vec<Entry>,
    ) -> Result<()> {
        let shown = folder.display().to_string();
        if walk.depth > FOLDERS_MAX {
            return Err(Error::new(format!(
                "{shown}: folders deeper than {FOLDERS_MAX} are not read"
            )));
        }
        let listed = std::fs::read_dir(folder)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(|e| unreadable(&shown, &e))?;
        let mut names: Vec<String> = listed
            .into_iter()
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        names.sort();
        let of_bundle = walk.of_bundle
            || (names.iter().any(|n| n == manifest::FILE)
                && is_bundle(&self.file(&folder.join(manifest::FILE))?));
        for name in names {
            let path = folder.join(&name);
            let inside = format!("{prefix}{name}");
            // A link to a folder is not followed: it can lead back.
            let link = path.symlink_metadata().is_ok_and(|m| m.is_symlink());
            let facts = std::fs::metadata(&path);
            match facts.map_err(|e| unreadable(&path.display().to_string(), &e)) {
                Ok(facts) if facts.is_dir() => {
                    if (walk.recursive || of_bundle) && !link {
                        let walk = Walk {
                            of_bundle,
                            depth: walk.depth + 1,
                            ..walk
                        };
                        self.entries(&path, &format!("{inside}/"), walk, entries)?;
                    }
                }
                Ok(_) if is_archive(&name) => {
                    let bytes = self.file(&path)?;
                    self.one(&path.display().to_string(), bytes)?;
                }
                Ok(_) if holds_objects(&name) || is_log(&name) => {
                    let bytes = self.file(&path)?;
                    entries.push(Entry {
                        path: inside,
                        bytes,
                    });
                }
                Ok(_) => {}
                Err(error) if holds_objects(&name) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// The text of a pod's log: as a bundle holds it, or as kubectl logs --prefix saved it.
fn is_log(name: &str) -> bool {
    name.ends_with(".log")
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// The path from the archive on; `None` where it leads out.
fn inside(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

fn unreadable(shown: &str, error: &io::Error) -> Error {
    let why = crate::text::one_line(&io_words(error));
    Error::new(format!("cannot read {shown}: {why}"))
}

/// The folder in `folder` that is a bundle, where there is one.
fn bundle_in(folder: &Path) -> Option<String> {
    let inner = std::fs::read_dir(folder).ok()?;
    inner.flatten().find_map(|entry| {
        let bytes = std::fs::read(entry.path().join(manifest::FILE)).ok()?;
        is_bundle(&bytes).then(|| crate::text::line(&entry.path().to_string_lossy()).into_owned())
    })
}

#[cfg(test)]
mod tests;
