//! The files that -f names: read whole into memory, within bounds, folders and .tar.gz taken apart.
//!
//! Owns what is read of a folder and the bounds. Nothing is written: an archive's entries are only kept by their names, and
//! none may leave the archive's own folder.

use super::manifest;
use crate::error::{Error, Result, io_words};
use crate::text::{line, shell_quote, thousands};
use flate2::read::MultiGzDecoder;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Most bytes of all files together, unpacked: they are held in memory. A few kilobytes of an archive can unpack to gigabytes, and a
/// device never ends.
const BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most files that are read: a bundle of every onboarding of a large cluster has some 10,000.
const FILES_MAX: usize = 50_000;
/// Most names in all folders together, whether they are read or not: a million names take seconds.
const NAMES_MAX: usize = 500_000;
/// Deepest folder in a folder: deeper ones are made to exhaust a reader.
const FOLDERS_MAX: usize = 32;
/// Largest manifest that is looked at only to say where a bundle is.
const MANIFEST_MAX: u64 = 16 * 1024 * 1024;

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
    /// How messages name a file of it.
    pub(super) fn name(&self, entry: &Entry) -> String {
        match (self.many, self.shown.trim_end_matches('/')) {
            (true, shown) => format!("{shown}/{}", line(&entry.path)),
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
pub(super) fn load(paths: &[PathBuf], recursive: bool, stdin: &mut dyn Read) -> Result<Vec<Tree>> {
    let mut reader = Reader {
        bytes: BYTES_MAX,
        files: FILES_MAX,
        names: NAMES_MAX,
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
        let shown = shown(path);
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
                        reader.folder(folder, &self::shown(folder), false)?;
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
    names: usize,
    trees: Vec<Tree>,
}

impl Reader {
    /// One file more, within what is left.
    fn count_file(&mut self, shown: &str) -> Result<()> {
        self.files = self.files.checked_sub(1).ok_or_else(|| {
            Error::new(format!(
                "{shown}: more than {} files are not read",
                thousands(FILES_MAX as u64)
            ))
        })?;
        Ok(())
    }

    /// All bytes of a stream, within what is left.
    fn bounded(&mut self, from: &mut dyn Read, shown: &str) -> Result<Vec<u8>> {
        self.count_file(shown)?;
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
        let shown = shown(path);
        let mut file = File::open(path).map_err(|e| unreadable(&shown, &e))?;
        self.bounded(&mut file, &shown)
    }

    /// Reads a file of a folder. A pipe can keep its reader waiting for ever and a device never ends: those must be named to be read.
    fn file_in_folder(&mut self, path: &Path, facts: &Metadata) -> Result<Vec<u8>> {
        if facts.is_file() {
            return self.file(path);
        }
        let name = shown(path);
        let error = Error::new(format!("{name} is not a regular file but {}", kind(facts)));
        Err(error.hint(format!(
            "remove it from the folder, or name it to read it: -f {}",
            shell_quote(&name)
        )))
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
            Error::new(format!("{shown} is not a complete archive: {why}"))
        };
        let mut archive = tar::Archive::new(bytes);
        let mut entries = Vec::new();
        for entry in archive.entries().map_err(|e| broken(&e))? {
            let mut entry = entry.map_err(|e| broken(&e))?;
            let path = entry.path().map_err(|e| broken(&e))?.into_owned();
            if !entry.header().entry_type().is_file() {
                let name = path.to_string_lossy();
                // A link, or a file with holes, whose size is not that in the archive.
                if !entry.header().entry_type().is_dir() && (holds_objects(&name) || is_log(&name))
                {
                    return Err(Error::new(format!(
                        "{shown}: {} is not a regular file in the archive",
                        line(&name)
                    ))
                    .hint("unpack it and give its folder: -f FOLDER"));
                }
                continue;
            }
            let inside = inside(&path).ok_or_else(|| {
                let path = self::shown(&path);
                Error::new(format!("{shown} holds the path {path:?}, which leaves it"))
            })?;
            // Their size is already that of the archive, which was counted.
            self.count_file(shown)?;
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
        let shown = shown(folder);
        if walk.depth > FOLDERS_MAX {
            return Err(Error::new(format!(
                "{shown}: folders deeper than {FOLDERS_MAX} are not read"
            )));
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|e| unreadable(&shown, &e))? {
            self.names = self.names.checked_sub(1).ok_or_else(|| {
                let most = thousands(NAMES_MAX as u64);
                Error::new(format!(
                    "{shown}: more than {most} names in folders are not read"
                ))
            })?;
            names.push(entry.map_err(|e| unreadable(&shown, &e))?.file_name());
        }
        names.sort();
        let manifest = folder.join(manifest::FILE);
        let of_bundle = walk.of_bundle
            || (names.iter().any(|n| n == manifest::FILE)
                && match std::fs::metadata(&manifest) {
                    Ok(facts) if !facts.is_dir() => {
                        is_bundle(&self.file_in_folder(&manifest, &facts)?)
                    }
                    _ => false,
                });
        for file in names {
            let path = folder.join(&file);
            // A name that is not UTF-8 is read too, as kubectl does.
            let name = file.to_string_lossy();
            let inside = format!("{prefix}{name}");
            // A link to a folder is not followed: it can lead back.
            let link = path.symlink_metadata().is_ok_and(|m| m.is_symlink());
            let facts = std::fs::metadata(&path);
            match facts.map_err(|e| unreadable(&self::shown(&path), &e)) {
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
                Ok(facts) if is_archive(&name) => {
                    let bytes = self.file_in_folder(&path, &facts)?;
                    self.one(&self::shown(&path), bytes)?;
                }
                Ok(facts) if holds_objects(&name) || is_log(&name) => {
                    let bytes = self.file_in_folder(&path, &facts)?;
                    entries.push(Entry {
                        path: inside,
                        bytes,
                    });
                }
                Ok(_) => {}
                Err(error) if holds_objects(&name) || is_archive(&name) || is_log(&name) => {
                    return Err(error);
                }
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

/// A path, as messages name it.
fn shown(path: &Path) -> String {
    line(&path.to_string_lossy()).into_owned()
}

/// Names what is not a regular file.
fn kind(facts: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = facts.file_type();
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if facts.is_dir() {
        "a folder"
    } else {
        "something else"
    }
}

fn unreadable(shown: &str, error: &io::Error) -> Error {
    let why = crate::text::one_line(&io_words(error));
    Error::new(format!("cannot read {shown}: {why}"))
}

/// The folder in `folder` that is a bundle, where there is one.
fn bundle_in(folder: &Path) -> Option<String> {
    let inner = std::fs::read_dir(folder).ok()?;
    inner.flatten().find_map(|entry| {
        let manifest = entry.path().join(manifest::FILE);
        std::fs::metadata(&manifest)
            .ok()
            .filter(Metadata::is_file)?;
        let mut bytes = Vec::new();
        let file = File::open(manifest).ok()?;
        file.take(MANIFEST_MAX).read_to_end(&mut bytes).ok()?;
        is_bundle(&bytes).then(|| shown(&entry.path()))
    })
}

#[cfg(test)]
mod tests;
