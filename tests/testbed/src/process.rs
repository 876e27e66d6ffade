//! One process of a run: in its own process group, with its log in the run folder, killed as a group when dropped.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    error::{Context as _, Error, Result},
    poll,
    run_dir::RunDir,
};

// The group's file is there before the program runs, so no moment is left in which a kill of this process would leak it.
const REGISTER_AND_EXEC: &str = r#": >"$1/$$" && shift && exec "$@""#;

/// How much of a log an error shows.
const TAIL_LINES: usize = 15;

/// A running process and everything it starts in its group.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Mutex<Child>,
    log: PathBuf,
    run: RunDir,
}

impl Process {
    /// Starts `command` (its program, arguments, environment and folder; its streams are replaced) as `name`.
    pub fn spawn(run: &RunDir, name: &str, command: &Command) -> Result<Self> {
        let log = run.log(name);
        let file = File::create(&log).context(|| format!("create {}", log.display()))?;
        let errors = file
            .try_clone()
            .context(|| format!("open {} twice", log.display()))?;
        let mut wrapped = Command::new("/bin/sh");
        wrapped
            .args(["-c", REGISTER_AND_EXEC, name])
            .arg(run.groups())
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .process_group(0);
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(key, value),
                None => wrapped.env_remove(key),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            wrapped.current_dir(folder);
        }
        let child = wrapped.spawn().context(|| format!("start {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            child: Mutex::new(child),
            log,
            run: run.clone(),
        })
    }

    /// What it was started as.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The process's id, which is its group's too.
    pub fn id(&self) -> u32 {
        self.lock().id()
    }

    /// Where it logs.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How it ended, if it did.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.lock().try_wait().ok().flatten()
    }

    /// Asks `ready` until it says yes, for at most `limit`; an end of the process ends the wait. The error carries the log's last lines,
    /// and the run folder is kept.
    pub fn wait_ready(&self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let end = Instant::now() + limit;
        loop {
            if ready() {
                return Ok(());
            }
            if let Some(status) = self.ended() {
                return Err(self.not_ready(format!("ended while starting ({status})")));
            }
            if Instant::now() >= end {
                return Err(self.not_ready(format!("was not ready within {} s", limit.as_secs())));
            }
            thread::sleep(poll::PAUSE);
        }
    }

    fn not_ready(&self, reason: String) -> Error {
        self.run.keep();
        Error::NotReady {
            process: self.name.clone(),
            reason,
            log: self.log.clone(),
            tail: tail(&self.log),
        }
    }

    /// Kills the whole group and waits for the process itself. Safe to call twice.
    pub fn stop(&self) {
        let mut child = self.lock();
        if let Ok(id) = i32::try_from(child.id()) {
            let group = Pid::from_raw(id);
            // Until the child is waited for its id cannot belong to anyone else.
            if child.try_wait().ok().flatten().is_none() || self.group_file(group).exists() {
                let _ = killpg(group, Signal::SIGKILL);
            }
            let _ = child.wait();
            let _ = fs::remove_file(self.group_file(group));
        }
    }

    fn group_file(&self, group: Pid) -> PathBuf {
        self.run.groups().join(group.to_string())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The last lines of a log, indented.
fn tail(log: &Path) -> String {
    let text = fs::read(log)
        .map(|raw| String::from_utf8_lossy(&raw).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn alive(pid: i32) -> bool {
        nix::sys::signal::kill(Pid::from_raw(pid), None).is_ok()
    }

    #[test]
    fn a_process_that_ends_early_shows_its_log() {
        let run = RunDir::create().unwrap();
        let process = Process::spawn(&run, "early", &sh("echo no such flag >&2; exit 3")).unwrap();
        let error = process
            .wait_ready(Duration::from_secs(30), || false)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("early ended while starting (exit status: 3)\nlog: "),
            "{error}"
        );
        assert!(error.ends_with("\n  no such flag"), "{error}");
        drop(process);
        let path = run.path().to_owned();
        drop(run);
        assert!(
            path.join("log/early.log").exists(),
            "the log must outlive the run"
        );
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn dropping_kills_what_the_process_started() {
        let run = RunDir::create().unwrap();
        let process = Process::spawn(&run, "parent", &sh("sleep 600 & echo $!; wait")).unwrap();
        let log = process.log().to_owned();
        let grandchild: i32 = poll::wait("a pid in the log", Duration::from_secs(30), || {
            fs::read_to_string(&log).ok()?.trim().parse().ok()
        })
        .unwrap();
        assert!(alive(grandchild));
        drop(process);
        poll::wait("the end of the grandchild", Duration::from_secs(30), || {
            (!alive(grandchild)).then_some(())
        })
        .unwrap();
        assert_eq!(fs::read_dir(run.groups()).unwrap().count(), 0);
    }
}
