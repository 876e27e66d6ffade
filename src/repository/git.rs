//! An earlier state of named paths, read with the user's own git: no shell, no network, nothing is changed.
//!
//! The checked files are not trusted. Git takes a folder with `HEAD`, `objects` and `refs` for a repository, whose configuration can name
//! programs. So only the repository of the work tree's own `.git` is read.

use super::folder::{self, BYTES_MAX, FILE_MAX, FILES_MAX, File, Files, Root};
use super::{kustomization, listed};
use crate::error::{Error, Result, io_words};
use crate::text::{line, one_line, thousands};
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Output, Stdio};

/// The environment's `GIT_…` variables that git gets: its place of installation, and the user's own settings. The paths choose the
/// repository, not a hook's environment.
const PASSED_ON: [&str; 4] = [
    "GIT_EXEC_PATH",
    "GIT_CONFIG",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
];

/// Settings that no repository can override: no repository without a `.git`, no program but git.
const SETTINGS: [&str; 4] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
];

/// An earlier state.
#[derive(Clone, Debug)]
pub struct Base {
    /// The commit's whole name.
    pub commit: String,
    pub files: Files,
}

/// A file in a commit.
struct Blob {
    id: String,
    /// Its name in messages.
    path: String,
    is_link: bool,
}

/// How much may still be read of all paths.
struct Room {
    bytes: u64,
    files: usize,
}

/// Reads the paths as they were where the present state left `revision`: at their last common commit.
///
/// # Errors
/// git is not there, the paths are in no repository, the revision is not one, or nothing is common.
pub fn load(paths: &[PathBuf], revision: &str) -> Result<Base> {
    let mut base = Base {
        commit: String::new(),
        files: Files::default(),
    };
    let mut room = Room {
        bytes: BYTES_MAX,
        files: FILES_MAX,
    };
    for path in paths {
        let is_folder = path.is_dir();
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = match is_folder {
            true => path.as_path(),
            false => parent.unwrap_or(Path::new(".")),
        };
        let git = Git::find(folder)?;
        let commit = git.common(revision)?;
        let prefix = folder::prefix(&folder::shown(folder));
        let mut left = git.listed(&commit, is_folder, &prefix)?;
        let mut found = Files::default();
        let named = folder::shown(path);
        let (mut wanted, others): (Vec<Entry>, Vec<Entry>) =
            left.into_iter().partition(|entry| match is_folder {
                true => entry.is_walked(&prefix),
                false => entry.path == named,
            });
        left = others;
        while !wanted.is_empty() {
            let from = found.all.len();
            let files = git.files(&commit, wanted, &left, &mut room)?;
            found.all.extend(files);
            if !is_folder {
                break;
            }
            // A file that a kustomization lists counts whatever its name.
            let listed = listed::beyond(&found.all, from);
            (wanted, left) = left.into_iter().partition(|entry| {
                let is_meant = |path: &String| {
                    entry.path == *path
                        || (kustomization::is_one(&entry.path)
                            && kustomization::folder(&entry.path) == path)
                };
                listed.iter().any(is_meant)
            });
        }
        match is_folder {
            true => base.files.roots.push(Root { prefix, deep: true }),
            false => base.files.alone = true,
        }
        base.files.all.append(&mut found.all);
        if base.commit.is_empty() {
            base.commit = commit;
        }
    }
    let all = &mut base.files.all;
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.dedup_by(|a, b| a.path == b.path);
    Ok(base)
}

/// The version of git: `2.47.3`.
///
/// # Errors
/// It is not on PATH, or cannot be run: why.
pub fn version() -> std::result::Result<String, String> {
    let mut command = process::Command::new("git");
    let output = command.arg("--version").stdin(Stdio::null()).output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err("not on PATH".to_owned());
        }
        Err(error) => return Err(format!("cannot run it: {}", io_words(&error))),
        Ok(output) => succeeded(output).map_err(|error| error.message().to_owned())?,
    };
    let said = one_line(&String::from_utf8_lossy(&output));
    let version = said.strip_prefix("git version ");
    version
        .map(|version| version.trim().to_owned())
        .ok_or_else(|| "it does not say its version".to_owned())
}

/// The entry of a commit at a path.
struct Entry {
    /// Its name in messages.
    path: String,
    id: String,
    kind: EntryKind,
}

enum EntryKind {
    File { size: u64 },
    Link { size: u64 },
    Module,
}

impl Entry {
    /// Whether the walk of a folder reads it, as `folder::read` does.
    fn is_walked(&self, prefix: &str) -> bool {
        let below = self.path.strip_prefix(prefix).unwrap_or(&self.path);
        let (folders, name) = below.rsplit_once('/').unwrap_or(("", below));
        if folders.split('/').any(|part| part.starts_with('.')) {
            return false;
        }
        match self.kind {
            EntryKind::File { .. } => folder::is_read(name),
            // Their endings do not show their targets.
            EntryKind::Link { .. } | EntryKind::Module => {
                folder::is_read(name) || !name.starts_with('.')
            }
        }
    }
}

/// The git of one work tree.
struct Git<'f> {
    folder: &'f Path,
}

impl<'f> Git<'f> {
    /// That of a folder, which must be in the work tree of a repository with a `.git`.
    fn find(folder: &'f Path) -> Result<Self> {
        let git = Self { folder };
        let refused = |why: &str| {
            let error = Error::new(format!(
                "cannot compare with a revision: {}: {}",
                folder::shown(folder),
                one_line(why)
            ));
            error.hint("name folders in the work tree of a repository, or leave --diff-base out")
        };
        // No object is looked at.
        let words = [
            "rev-parse",
            "--is-bare-repository",
            "--absolute-git-dir",
            "--show-toplevel",
        ];
        let output = git.run(&words, &[])?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(refused(said.trim().trim_start_matches("fatal: ")));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let [bare, home, top] = said.lines().collect::<Vec<_>>()[..] else {
            return Err(refused("git gave an answer that cannot be read"));
        };
        let real = |path: &Path| {
            let real = path.canonicalize();
            real.map_err(|error| refused(&io_words(&error)))
        };
        let (here, home, top) = (real(folder)?, real(Path::new(home))?, real(Path::new(top))?);
        if bare != "false" || here.starts_with(&home) || !here.starts_with(&top) {
            return Err(refused(
                "it is taken for a repository itself, whose configuration could run programs",
            ));
        }
        Ok(git)
    }

    /// The commit that the present state and the revision have in common.
    fn common(&self, revision: &str) -> Result<String> {
        let not_one = |why: &str| {
            let why = one_line(why.trim().trim_start_matches("fatal: "));
            let why = if why.is_empty() {
                "git does not know it".to_owned()
            } else {
                why
            };
            Error::new(format!("cannot compare with revision {revision:?}: {why}"))
        };
        // It would be taken for a flag.
        if revision.is_empty() || revision.starts_with('-') {
            return Err(not_one("it is not the name of a revision"));
        }
        let text = |output: &Output| String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let wanted = format!("{revision}^{{commit}}");
        let found = self.run(&["rev-parse", "--verify", "--quiet", &wanted], &[])?;
        if !found.status.success() {
            return Err(not_one(&String::from_utf8_lossy(&found.stderr)));
        }
        let base = self.run(&["merge-base", &text(&found), "HEAD"], &[])?;
        match text(&base) {
            base_commit if base.status.success() && !base_commit.is_empty() => Ok(base_commit),
            _ => {
                let why = String::from_utf8_lossy(&base.stderr).into_owned();
                let why = if why.trim().is_empty() {
                    "it has no commit in common with HEAD".to_owned()
                } else {
                    why
                };
                Err(not_one(&why).hint("fetch the whole history: git fetch --unshallow"))
            }
        }
    }

    /// The entries of a folder in a commit.
    fn listed(&self, commit: &str, recursive: bool, prefix: &str) -> Result<Vec<Entry>> {
        let mut words = vec!["ls-tree", "-l", "-z"];
        words.extend(recursive.then_some("-r"));
        words.push(commit);
        let output = succeeded(self.run(&words, &[])?)?;
        let mut entries = Vec::new();
        for entry in output.split(|byte| *byte == 0).filter(|e| !e.is_empty()) {
            let entry = String::from_utf8_lossy(entry);
            let read = || {
                let (facts, path) = entry.split_once('\t')?;
                let mut facts = facts.split_ascii_whitespace();
                let mode = facts.next()?.to_owned();
                let id = facts.nth(1)?.to_owned();
                let size = facts.next()?.parse::<u64>();
                let kind = match (mode.as_str(), size) {
                    ("160000", _) => Some(EntryKind::Module),
                    ("120000", Ok(size)) => Some(EntryKind::Link { size }),
                    (mode, Ok(size)) if mode.starts_with("100") => Some(EntryKind::File { size }),
                    ("040000", _) => None,
                    _ => return None,
                };
                let path = format!("{prefix}{}", line(path));
                Some(kind.map(|kind| Entry { path, id, kind }))
            };
            let read = read()
                .ok_or_else(|| Error::new("git ls-tree gave an answer that cannot be read"))?;
            entries.extend(read);
        }
        Ok(entries)
    }

    /// These entries as files. A link is not known, unless it leads to a known file and does not have the name of a manifest.
    fn files(
        &self,
        commit: &str,
        entries: Vec<Entry>,
        left: &[Entry],
        room: &mut Room,
    ) -> Result<Vec<File>> {
        let mut files = Vec::new();
        let mut blobs = Vec::new();
        let known: HashSet<String> = entries
            .iter()
            .chain(left)
            .filter(|e| matches!(e.kind, EntryKind::File { .. }))
            .map(|e| e.path.clone())
            .collect();
        for entry in entries {
            room.files = room.files.checked_sub(1).ok_or_else(|| {
                let most = thousands(FILES_MAX as u64);
                Error::new(format!("{commit}: more than {most} files are not read"))
            })?;
            let (size, is_link) = match entry.kind {
                EntryKind::File { size } => (size, false),
                EntryKind::Link { size } => (size, true),
                EntryKind::Module => {
                    files.push(File {
                        path: entry.path,
                        bytes: Err("it is a submodule, which is not read".to_owned()),
                    });
                    continue;
                }
            };
            if size > FILE_MAX {
                let most = FILE_MAX / 1024 / 1024;
                files.push(File {
                    path: entry.path,
                    bytes: Err(format!("files of more than {most} MiB are not read")),
                });
                continue;
            }
            room.bytes = room.bytes.checked_sub(size).ok_or_else(|| {
                let most = BYTES_MAX / 1024 / 1024;
                Error::new(format!("{commit}: more than {most} MiB are not read"))
            })?;
            let (id, path) = (entry.id, entry.path);
            blobs.push(Blob { id, path, is_link });
        }
        let links: HashSet<String> = blobs
            .iter()
            .filter(|b| b.is_link)
            .map(|b| b.path.clone())
            .collect();
        for file in self.contents(blobs)? {
            if !links.contains(&file.path) {
                files.push(file);
                continue;
            }
            let target = file.bytes.as_ref().ok();
            let target = target.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let target =
                target.and_then(|t| kustomization::resolved(kustomization::folder(&file.path), &t));
            let leads_to_file = target.is_some_and(|target| known.contains(&target));
            if leads_to_file && !folder::is_read(kustomization::file_name(&file.path)) {
                continue;
            }
            files.push(File {
                path: file.path,
                bytes: Err("it is a link, which is not followed in a commit".to_owned()),
            });
        }
        Ok(files)
    }

    /// The bytes of these files.
    fn contents(&self, blobs: Vec<Blob>) -> Result<Vec<File>> {
        if blobs.is_empty() {
            return Ok(Vec::new());
        }
        let ids: String = blobs.iter().map(|b| format!("{}\n", b.id)).collect();
        let answer = succeeded(self.run(&["cat-file", "--batch"], ids.as_bytes())?)?;
        let mut rest = answer.as_slice();
        let mut files = Vec::new();
        for blob in blobs {
            let broken = || {
                Error::new(format!(
                    "git cat-file gave an answer for {} that cannot be read",
                    blob.path
                ))
            };
            let end = rest.iter().position(|b| *b == b'\n').ok_or_else(broken)?;
            let (head, after) = rest.split_at(end);
            let head = String::from_utf8_lossy(head).into_owned();
            rest = &after[1..];
            let bytes = match head.split(' ').collect::<Vec<_>>()[..] {
                [id, "blob", size] if id == blob.id => {
                    let size: usize = size.parse().map_err(|_| broken())?;
                    let bytes = rest.get(..size).ok_or_else(broken)?.to_vec();
                    // A line feed follows.
                    rest = rest.get(size + 1..).ok_or_else(broken)?;
                    Ok(bytes)
                }
                [_, "missing"] => Err("git does not have it".to_owned()),
                _ => return Err(broken()),
            };
            files.push(File {
                path: blob.path,
                bytes,
            });
        }
        Ok(files)
    }

    /// One run of git. Its input is written while its output is read, since either could wait for the other.
    fn run(&self, words: &[&str], input: &[u8]) -> Result<Output> {
        let failed = |error: &std::io::Error| {
            let error = Error::new(format!("cannot run git: {}", one_line(&io_words(error))));
            error.hint("install git, or leave --diff-base out")
        };
        let mut command = process::Command::new("git");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.arg("-C").arg(self.folder).args(words);
        for (name, _) in std::env::vars_os() {
            let shown = name.to_string_lossy().into_owned();
            if shown.starts_with("GIT_") && !PASSED_ON.iter().any(|p| shown.starts_with(p)) {
                command.env_remove(&name);
            }
        }
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            // An object that is missing in a partial clone is not fetched, not even by an older git.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("LC_ALL", "C");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| failed(&e))?;
        let stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A git that ends early says so itself.
                stdin.is_some_and(|mut stdin| stdin.write_all(input).is_ok())
            });
            child.wait_with_output()
        });
        output.map_err(|e| failed(&e))
    }
}

fn succeeded(output: Output) -> Result<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!("git failed: {}", one_line(said.trim()))))
}
