//! An earlier state of named paths, read with the user's own git: no shell, no network of ours, nothing is changed.

use super::folder::{self, BYTES_MAX, FILE_MAX, FILES_MAX, File, Files};
use crate::error::{Error, Result, io_words};
use crate::text::{line, one_line, thousands};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Output, Stdio};

/// Of a hook's environment: the paths decide which repository is meant.
const NOT_PASSED_ON: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

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
    /// As messages name it.
    path: String,
    size: u64,
}

/// Reads the paths as they were where the present state left `revision`: at their last common commit.
///
/// # Errors
/// git is not there, the paths are in no repository, the revision is not one, or nothing is common.
pub fn read(paths: &[PathBuf], revision: &str) -> Result<Base> {
    let mut base = Base {
        commit: String::new(),
        files: Files::default(),
    };
    let (mut bytes, mut files) = (BYTES_MAX, FILES_MAX);
    for path in paths {
        let is_folder = path.is_dir();
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = match is_folder {
            true => path.as_path(),
            false => parent.unwrap_or(Path::new(".")),
        };
        let commit = common(folder, revision)?;
        base.files.alone |= !is_folder;
        let mut blobs = Vec::new();
        for blob in listed(folder, &commit, is_folder)? {
            let prefix = folder::prefix(&folder::shown(folder));
            let blob = Blob {
                path: format!("{prefix}{}", blob.path),
                ..blob
            };
            if !is_folder && blob.path != folder::shown(path) {
                continue;
            }
            files = files.checked_sub(1).ok_or_else(|| {
                let most = thousands(FILES_MAX as u64);
                Error::new(format!("{commit}: more than {most} files are not read"))
            })?;
            if blob.size > FILE_MAX {
                let most = FILE_MAX / 1024 / 1024;
                let why = format!("files of more than {most} MiB are not read");
                base.files.all.push(File {
                    path: blob.path,
                    bytes: Err(why),
                });
                continue;
            }
            bytes = bytes.checked_sub(blob.size).ok_or_else(|| {
                let most = BYTES_MAX / 1024 / 1024;
                Error::new(format!("{commit}: more than {most} MiB are not read"))
            })?;
            blobs.push(blob);
        }
        base.files.all.extend(contents(folder, blobs)?);
        if base.commit.is_empty() {
            base.commit = commit;
        }
    }
    let all = &mut base.files.all;
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.dedup_by(|a, b| a.path == b.path);
    Ok(base)
}

/// The commit that the present state and the revision have in common.
fn common(folder: &Path, revision: &str) -> Result<String> {
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
    let found = git(folder, &["rev-parse", "--verify", "--quiet", &wanted], &[])?;
    if !found.status.success() {
        return Err(not_one(&String::from_utf8_lossy(&found.stderr)));
    }
    let base = git(folder, &["merge-base", &text(&found), "HEAD"], &[])?;
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

/// The files of a folder in a commit that can hold manifests, by their paths from the folder on.
fn listed(folder: &Path, commit: &str, recursive: bool) -> Result<Vec<Blob>> {
    let mut words = vec!["ls-tree", "-l", "-z"];
    words.extend(recursive.then_some("-r"));
    words.push(commit);
    let output = succeeded(git(folder, &words, &[])?)?;
    let mut blobs = Vec::new();
    for entry in output.split(|byte| *byte == 0).filter(|e| !e.is_empty()) {
        let entry = String::from_utf8_lossy(entry);
        let read = || {
            let (facts, path) = entry.split_once('\t')?;
            let mut facts = facts.split_ascii_whitespace();
            let mode = facts.next()?;
            let id = facts.nth(1)?.to_owned();
            let size = facts.next()?.to_owned();
            Some((mode.to_owned(), id, size, line(path).into_owned()))
        };
        let (mode, id, size, path) =
            read().ok_or_else(|| Error::new("git ls-tree gave an answer that cannot be read"))?;
        let hidden = path
            .rsplit_once('/')
            .is_some_and(|(f, _)| f.split('/').any(|p| p.starts_with('.')));
        // Neither links nor modules.
        if !mode.starts_with("100") || hidden || !folder::is_read(&path) {
            continue;
        }
        let size = size
            .parse()
            .map_err(|_| Error::new("git ls-tree gave a size that is not one"))?;
        blobs.push(Blob { id, path, size });
    }
    Ok(blobs)
}

/// The bytes of these files.
fn contents(folder: &Path, blobs: Vec<Blob>) -> Result<Vec<File>> {
    if blobs.is_empty() {
        return Ok(Vec::new());
    }
    let ids: String = blobs.iter().map(|b| format!("{}\n", b.id)).collect();
    let answer = succeeded(git(folder, &["cat-file", "--batch"], ids.as_bytes())?)?;
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

/// One run of git. What it reads is written while its answer is read: either could wait for the other.
fn git(folder: &Path, words: &[&str], input: &[u8]) -> Result<Output> {
    let failed = |error: &std::io::Error| {
        let error = Error::new(format!("cannot run git: {}", one_line(&io_words(error))));
        error.hint("install git, or leave --diff-base out")
    };
    let mut command = process::Command::new("git");
    command.arg("-C").arg(folder).args(words);
    for name in NOT_PASSED_ON {
        command.env_remove(name);
    }
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| failed(&e))?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // One that ends early says so itself.
            stdin.is_some_and(|mut stdin| stdin.write_all(input).is_ok())
        });
        child.wait_with_output()
    });
    output.map_err(|e| failed(&e))
}

fn succeeded(output: Output) -> Result<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!("git failed: {}", one_line(said.trim()))))
}
