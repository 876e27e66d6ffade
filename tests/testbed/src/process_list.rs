//! The command lines of the processes under one, as `ps` shows them to whoever may run it there. Linux only: it reads `/proc`.
//!
//! Looks and never touches; environments are left out, since only the processes' own user can read those.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Between two looks while watching.
const PAUSE: Duration = Duration::from_millis(2);

/// The command lines of all descendants of a process now, words apart by blanks.
pub(crate) fn now(root: u32) -> Vec<String> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        if let Some(parent) = parent(id) {
            children.entry(parent).or_default().push(id);
        }
    }
    let (mut open, mut lines) = (vec![root], Vec::new());
    while let Some(id) = open.pop() {
        for child in children.get(&id).into_iter().flatten() {
            open.push(*child);
            lines.extend(command_line(*child));
        }
    }
    lines
}

/// The second field after the name, which stands in brackets and can hold anything.
fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// `None` for a process that has gone, or is about to.
fn command_line(id: u32) -> Option<String> {
    let words = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&words).replace('\0', " ");
    (!line.is_empty()).then_some(line)
}

/// Looks again and again from its start to its end, on a thread of its own.
pub struct ProcessWatch {
    seen: Arc<Mutex<BTreeSet<String>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ProcessWatch {
    pub(crate) fn start(root: u32) -> Self {
        let seen = Arc::<Mutex<BTreeSet<String>>>::default();
        let over = Arc::<AtomicBool>::default();
        let (noted, ended) = (Arc::clone(&seen), Arc::clone(&over));
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let lines = now(root);
                noted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(lines);
                thread::sleep(PAUSE);
            }
        });
        Self {
            seen,
            over,
            thread: Some(thread),
        }
    }

    /// Every command line that was seen so far, each once.
    pub fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().cloned().collect()
    }
}

impl Drop for ProcessWatch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::{Process, RunDir, poll};
    use std::process::Command;

    #[test]
    fn words_of_grandchildren_are_seen() {
        let run = RunDir::create().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "(sleep 600.25 & wait) & wait"]);
        let process = Process::spawn(&run, "parent", &command).unwrap();
        let watch = ProcessWatch::start(process.id());
        let seen = |line: &str| watch.seen().iter().any(|l| l == line);
        poll::wait("the grandchild", Duration::from_secs(30), || {
            seen("sleep 600.25 ").then_some(())
        })
        .unwrap();
        assert!(now(process.id()).contains(&"sleep 600.25 ".to_owned()));
        assert!(now(std::process::id()).len() > now(process.id()).len());
        process.stop();
        assert_eq!(now(process.id()), [""; 0]);
        assert!(seen("sleep 600.25 "), "what has ended stays seen");
    }
}
