//! The files of named folders, read within bounds.
//!
//! Owns the walk. A symbolic link is read only where its file is in the named folder too; whatever else cannot be read is kept with the
//! reason. Folders whose name begins with a dot are passed over, as `.git` is, and so are files of other names than manifests', unless a
//! kustomization lists them.

use super::listed;
use super::manifest::{KUSTOMIZATIONS, is_kustomization, may_be_yaml};
use crate::error::{Error, Result, io_words};
use crate::text::{line, misleads, one_line, thousands};
use std::collections::HashSet;
use std::fs::File as Open;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest file that is read: etcd takes no object of 2 MiB.
pub const FILE_MAX: u64 = 4 * 1024 * 1024;
/// Most bytes of all files together: they are held in memory.
pub const BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most files of one run.
pub const FILES_MAX: usize = 50_000;
/// Most names in all folders together.
const NAMES_MAX: usize = 500_000;
/// Deepest folder in a folder.
const FOLDERS_MAX: usize = 32;

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// As messages name it: the named path and the way from it, with slashes.
    pub path: String,
    /// Its bytes, or why they are not known.
    pub bytes: Result<Vec<u8>, String>,
}

/// What was read, sorted by path.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub all: Vec<File>,
    /// The folders that were read.
    pub roots: Vec<Root>,
    /// Single files were named: what is beside them was not read.
    pub alone: bool,
}

/// A folder that was read.
#[derive(Clone, Debug)]
pub struct Root {
    /// The prefix of its files' paths; empty for the current folder.
    pub prefix: String,
    /// With the folders below it.
    pub deep: bool,
}

impl Root {
    /// Whether a path is in what was read.
    pub fn has(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&self.prefix);
        is_under(&self.prefix, path) && (self.deep || rest.is_none_or(|rest| !rest.contains('/')))
    }
}

impl Files {
    /// Keeps the files that are named, and those directly in the named folders.
    pub fn keep_tops(&mut self, paths: &[PathBuf]) {
        let prefixes: Vec<String> = paths.iter().map(|p| prefix(&shown(p))).collect();
        let is_top = |path: &str| {
            let mut below = prefixes
                .iter()
                .filter_map(|p| path.strip_prefix(p.as_str()));
            below.any(|rest| !rest.contains('/')) || paths.iter().any(|p| shown(p) == path)
        };
        self.all.retain(|file| is_top(&file.path));
        for root in &mut self.roots {
            root.deep = false;
        }
    }
}

/// Reads every file that can hold manifests in these folders, and these files.
///
/// # Errors
/// A path that does not exist or cannot be read, and more than the bounds allow.
pub fn load(paths: &[PathBuf]) -> Result<Files> {
    let mut tops = Vec::new();
    let mut reader = Reader {
        bytes: BYTES_MAX,
        names: NAMES_MAX,
        seen: HashSet::new(),
        files: Files::default(),
    };
    for path in paths {
        let shown = shown(path);
        if path.to_string_lossy().chars().any(misleads) {
            let error = format!("the path {shown:?} has characters that are not shown");
            return Err(Error::usage(error));
        }
        match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::new(format!("the path {shown:?} does not exist")));
            }
            Err(error) => return Err(unreadable(&shown, &error)),
            Ok(facts) if facts.is_dir() => {
                let root = path.canonicalize().map_err(|e| unreadable(&shown, &e))?;
                let prefix = prefix(&shown);
                reader.folder(path, &prefix, &root, 0)?;
                reader.files.roots.push(Root {
                    prefix: prefix.clone(),
                    deep: true,
                });
                tops.push(Top { path, prefix, root });
            }
            Ok(_) => {
                reader.files.alone = true;
                let bytes = reader.bytes(path);
                reader.keep(shown, path, bytes)?;
            }
        }
    }
    let mut from = 0;
    loop {
        let listed = listed::beyond(&reader.files.all, from);
        from = reader.files.all.len();
        for path in listed {
            if let Some(top) = tops.iter().find(|top| is_under(&top.prefix, &path)) {
                reader.listed(top, path)?;
            }
        }
        if reader.files.all.len() == from {
            break;
        }
    }
    reader.files.all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(reader.files)
}

/// A named folder.
struct Top<'p> {
    path: &'p Path,
    prefix: String,
    root: PathBuf,
}

/// Whether a path is in the folder with this prefix.
pub fn is_under(prefix: &str, path: &str) -> bool {
    match prefix {
        "" => !path.starts_with('/') && path.split('/').next() != Some(".."),
        _ => format!("{path}/").starts_with(prefix),
    }
}

/// What comes before the path of a file in a folder: `.` adds nothing.
pub fn prefix(folder: &str) -> String {
    match folder.trim_end_matches('/') {
        "" if folder.starts_with('/') => "/".to_owned(),
        "" | "." => String::new(),
        folder => format!("{}/", folder.strip_prefix("./").unwrap_or(folder)),
    }
}

/// A path, as messages name it.
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    line(
        text.strip_prefix("./")
            .filter(|t| !t.is_empty())
            .unwrap_or(&text),
    )
    .into_owned()
}

struct Reader {
    bytes: u64,
    names: usize,
    /// Where the files that were read are, so that a path that is named twice is read once.
    seen: HashSet<PathBuf>,
    files: Files,
}

impl Reader {
    fn folder(&mut self, folder: &Path, prefix: &str, root: &Path, depth: usize) -> Result<()> {
        if depth > FOLDERS_MAX {
            let why = format!("folders deeper than {FOLDERS_MAX} are not read");
            self.not_known(prefix, why);
            return Ok(());
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.not_known(prefix, words(&error));
                return Ok(());
            }
        };
        let mut names = Vec::new();
        for entry in entries {
            self.names = self.names.checked_sub(1).ok_or_else(|| {
                let most = thousands(NAMES_MAX as u64);
                Error::new(format!("more than {most} names in folders are not read"))
            })?;
            match entry {
                Ok(entry) => names.push(entry.file_name()),
                Err(error) => self.not_known(prefix, words(&error)),
            }
        }
        names.sort();
        for name in names {
            let path = folder.join(&name);
            let name = name.to_string_lossy();
            let shown = format!("{prefix}{}", line(&name));
            if name.chars().any(misleads) && (may_be_yaml(&name) || path.is_dir()) {
                // Another file can have the name that is shown.
                self.not_known(
                    &shown,
                    "its name has characters that are not shown".to_owned(),
                );
                continue;
            }
            let facts = match path.symlink_metadata() {
                Ok(facts) => facts,
                Err(error) => {
                    self.not_known(&shown, words(&error));
                    continue;
                }
            };
            if facts.is_dir() {
                if !name.starts_with('.') {
                    self.folder(&path, &format!("{shown}/"), root, depth + 1)?;
                }
                continue;
            }
            let is_link = facts.is_symlink();
            // The ending of a link does not show that it leads to a folder.
            let is_linked_folder = is_link && path.is_dir() && !name.starts_with('.');
            if !may_be_yaml(&name) && !is_linked_folder {
                continue;
            }
            if is_link {
                if let Err(why) = inside(&path, root) {
                    self.not_known(&shown, why);
                    continue;
                }
            } else if !facts.is_file() {
                self.not_known(&shown, "it is not a regular file".to_owned());
                continue;
            }
            let bytes = self.bytes(&path);
            self.keep(shown, &path, bytes)?;
        }
        Ok(())
    }

    /// Entries of a kustomization that the walk did not read: a file, or the kustomization of a folder. Missing ones are left out.
    fn listed(&mut self, top: &Top<'_>, shown: String) -> Result<()> {
        let rest = format!("{shown}/");
        let rest = rest.strip_prefix(&top.prefix).unwrap_or_default();
        let path = top.path.join(rest.trim_end_matches('/'));
        let facts = match path.metadata() {
            Ok(facts) => facts,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                return Ok(());
            }
            Err(error) => {
                self.not_known(&shown, words(&error));
                return Ok(());
            }
        };
        let target = path.canonicalize();
        if !target.is_ok_and(|target| target.starts_with(&top.root)) {
            let why = "it is a link that leads out of the folder, which is not followed";
            self.not_known(&shown, why.to_owned());
            return Ok(());
        }
        if facts.is_file() {
            let bytes = self.bytes(&path);
            return self.push(shown, bytes);
        }
        let names = KUSTOMIZATIONS.iter();
        let Some(name) = names.into_iter().find(|name| path.join(name).exists()) else {
            let why = "a kustomization lists it, and it has no kustomization.yaml";
            self.not_known(&shown, why.to_owned());
            return Ok(());
        };
        let file = path.join(name);
        let shown = match shown.as_str() {
            "" => (*name).to_owned(),
            folder => format!("{folder}/{name}"),
        };
        let bytes = match file.is_symlink() {
            true => inside(&file, &top.root).and_then(|()| self.bytes(&file)),
            false => self.bytes(&file),
        };
        self.push(shown, bytes)
    }

    /// The bytes of a file, within the bounds.
    fn bytes(&mut self, path: &Path) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let file = Open::open(path).map_err(|e| words(&e))?;
        let most = FILE_MAX.min(self.bytes);
        let read = file.take(most + 1).read_to_end(&mut bytes);
        read.map_err(|e| words(&e))?;
        if bytes.len() as u64 > FILE_MAX {
            return Err(format!(
                "files of more than {} MiB are not read",
                FILE_MAX / 1024 / 1024
            ));
        }
        Ok(bytes)
    }

    fn keep(&mut self, shown: String, path: &Path, bytes: Result<Vec<u8>, String>) -> Result<()> {
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        // A link is a separate file, at another place in the tree.
        match path.is_symlink() || self.seen.insert(place) {
            true => self.push(shown, bytes),
            false => Ok(()),
        }
    }

    fn push(&mut self, shown: String, bytes: Result<Vec<u8>, String>) -> Result<()> {
        let length = bytes.as_ref().map_or(0, Vec::len) as u64;
        self.bytes = self.bytes.checked_sub(length).ok_or_else(|| {
            let most = BYTES_MAX / 1024 / 1024;
            Error::new(format!("{shown}: more than {most} MiB are not read"))
        })?;
        if self.files.all.len() >= FILES_MAX {
            let most = thousands(FILES_MAX as u64);
            return Err(Error::new(format!(
                "{shown}: more than {most} files are not read"
            )));
        }
        self.files.all.push(File { path: shown, bytes });
        Ok(())
    }

    fn not_known(&mut self, path: &str, why: String) {
        let path = match path.trim_end_matches('/') {
            "" => ".".to_owned(),
            path => path.to_owned(),
        };
        let bytes = Err(why);
        self.files.all.push(File { path, bytes });
    }
}

/// Whether a link leads to a regular file of the named folder.
fn inside(link: &Path, root: &Path) -> Result<(), String> {
    let target = link.canonicalize().map_err(|e| words(&e))?;
    if !target.starts_with(root) {
        return Err("it is a link that leads out of the folder, which is not followed".to_owned());
    }
    match std::fs::metadata(&target) {
        Ok(facts) if facts.is_file() => Ok(()),
        Ok(_) => Err("it is a link to a folder, which is not followed".to_owned()),
        Err(error) => Err(words(&error)),
    }
}

fn words(error: &io::Error) -> String {
    one_line(&io_words(error))
}

fn unreadable(shown: &str, error: &io::Error) -> Error {
    Error::new(format!("cannot read {shown}: {}", words(error)))
}

/// Whether a folder has this path.
pub fn is_there(path: &Path) -> bool {
    path.is_dir()
}

/// Whether a file of a folder is read, by its name alone.
pub fn is_read(name: &str) -> bool {
    may_be_yaml(name) || is_kustomization(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(files: &Files) -> Vec<(&str, &str)> {
        let of = |f: &'static str| f;
        let bytes = |f: &File| match &f.bytes {
            Ok(_) => of("read"),
            Err(why) if why.contains("leads out") => of("out"),
            Err(why) if why.contains("link to a folder") => of("folder"),
            Err(why) if why.contains("MiB") => of("large"),
            Err(why) if why.contains("regular") => of("special"),
            Err(_) => of("failed"),
        };
        files
            .all
            .iter()
            .map(|f| (f.path.as_str(), bytes(f)))
            .collect()
    }

    #[test]
    fn a_folder_is_read_with_those_in_it_and_nothing_beside_them() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("repo");
        std::fs::create_dir_all(root.join("a/.hidden")).unwrap();
        std::fs::create_dir_all(root.join("b")).unwrap();
        for file in [
            "a/x.yaml",
            "a/.hidden/y.yaml",
            "a/z.txt",
            "b/k.yml",
            "b/j.json",
        ] {
            std::fs::write(root.join(file), "a: 1\n").unwrap();
        }
        std::fs::write(home.path().join("outside.yaml"), "a: 1\n").unwrap();
        let large = std::fs::File::create(root.join("b/large.yaml")).unwrap();
        large.set_len(FILE_MAX + 1).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("../../outside.yaml", root.join("b/out.yaml")).unwrap();
            symlink("../a/x.yaml", root.join("b/in.yaml")).unwrap();
            symlink("../a", root.join("b/folder")).unwrap();
            symlink("nowhere", root.join("b/dangling.yaml")).unwrap();
            nix::unistd::mkfifo(&root.join("b/pipe.yaml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        }
        let files = load(std::slice::from_ref(&root)).unwrap();
        let prefix = format!("{}/", root.display());
        let found: Vec<(String, &str)> = paths(&files)
            .into_iter()
            .map(|(path, how)| (path.replace(&prefix, ""), how))
            .collect();
        let expected: &[(&str, &str)] = &[
            ("a/x.yaml", "read"),
            #[cfg(unix)]
            ("b/dangling.yaml", "failed"),
            #[cfg(unix)]
            ("b/folder", "folder"),
            #[cfg(unix)]
            ("b/in.yaml", "read"),
            ("b/j.json", "read"),
            ("b/k.yml", "read"),
            ("b/large.yaml", "large"),
            #[cfg(unix)]
            ("b/out.yaml", "out"),
            #[cfg(unix)]
            ("b/pipe.yaml", "special"),
        ];
        let found: Vec<(&str, &str)> = found.iter().map(|(p, how)| (p.as_str(), *how)).collect();
        assert_eq!(found, expected);
        assert!(!files.alone);
        // A file of the folder that is named beside it is read once.
        let twice = load(&[root.clone(), root.join("a/x.yaml")]).unwrap();
        assert_eq!(twice.all.len(), files.all.len());
        assert!(twice.alone);
        let missing = load(&[root.join("c")]).unwrap_err();
        assert!(missing.message().ends_with("does not exist"));
    }

    #[test]
    fn what_a_kustomization_lists_is_read_whatever_it_is_called() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("repo");
        std::fs::create_dir_all(root.join(".team/none")).unwrap();
        for (file, text) in [
            (
                "kustomization.yaml",
                "resources: [.team, x.txt, gone.txt, ../out.txt]\n",
            ),
            ("x.txt", "a: 1\n"),
            (".team/kustomization.yaml", "resources: [y.txt, none]\n"),
            (".team/y.txt", "a: 1\n"),
            (".team/z.yaml", "a: 1\n"),
            ("../out.txt", "a: 1\n"),
        ] {
            std::fs::write(root.join(file), text).unwrap();
        }
        let files = load(std::slice::from_ref(&root)).unwrap();
        let prefix = format!("{}/", root.display());
        let found: Vec<(String, bool)> = files
            .all
            .iter()
            .map(|f| (f.path.replace(&prefix, ""), f.bytes.is_ok()))
            .collect();
        let found: Vec<(&str, bool)> = found.iter().map(|(p, ok)| (p.as_str(), *ok)).collect();
        assert_eq!(
            found,
            [
                (".team/kustomization.yaml", true),
                (".team/none", false),
                (".team/y.txt", true),
                ("kustomization.yaml", true),
                ("x.txt", true),
            ]
        );
    }

    #[test]
    fn paths_are_named_as_they_were_given() {
        for (folder, before) in [
            (".", ""),
            ("./", ""),
            ("a/", "a/"),
            ("./a", "a/"),
            ("/", "/"),
            ("../b", "../b/"),
        ] {
            assert_eq!(prefix(&shown(Path::new(folder))), before, "{folder}");
        }
    }
}
