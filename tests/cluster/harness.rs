//! Runs the plugin's binary in the sandbox and keeps what it said.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use testbed::Sandbox;

/// A run of the plugin to be made; nothing of the caller's environment reaches it but what is given here.
#[must_use]
pub(crate) struct Skvs {
    command: Command,
}

/// What a finished run said.
#[derive(Debug)]
pub(crate) struct RunOutput {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// A run against the shared sandbox as its administrator.
pub(crate) fn skvs<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Skvs {
    Skvs::with(Sandbox::shared().kubeconfig(), args)
}

impl Skvs {
    /// A run with another kubeconfig: another user or another cluster.
    pub(crate) fn with<S: AsRef<OsStr>>(
        kubeconfig: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::of(Sandbox::shared(), kubeconfig, args)
    }

    /// The same in another sandbox than the shared one.
    pub(crate) fn of<S: AsRef<OsStr>>(
        sandbox: &Sandbox,
        kubeconfig: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-skvs"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", sandbox.run_dir())
            .env("KUBECONFIG", kubeconfig)
            .args(args)
            .stdin(Stdio::null());
        Self { command }
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The command itself, for a run that is not simply waited for.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> RunOutput {
        let output = self.command.output().expect("the plugin starts");
        RunOutput::from(output)
    }
}

/// A run that follows changes until it is interrupted, without a terminal.
pub(crate) struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    /// Starts one.
    pub(crate) fn start<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        let mut command = skvs(args).into_command();
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut all = stdout.lines().map_while(Result::ok);
            all.try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Reads on until a line with this text. One that never comes is a failure and not a hanging test.
    pub(crate) fn until(&mut self, part: &str) {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(240)) {
                Ok(line) if line.contains(part) => return,
                Ok(_) => {}
                Err(why) => {
                    self.child.kill().expect("it can be killed");
                    panic!("{part} was not printed: {why}");
                }
            }
        }
    }

    /// Interrupts it as Ctrl-C does, and returns its exit code.
    pub(crate) fn interrupt(mut self) -> Option<i32> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it is interrupted");
        self.child.wait().expect("it ends").code()
    }
}

/// A HelmRelease of `flux-system`, with its managed fields.
pub(crate) fn helm_release(name: &str) -> Value {
    let place = ["get", "helmrelease", "-n", "flux-system", name];
    let how = ["-o", "json", "--show-managed-fields"];
    serde_json::from_str(&kubectl(&[&place[..], &how].concat())).expect("JSON")
}

/// Starts all of them before it waits for any.
pub(crate) fn at_once(runs: impl IntoIterator<Item = Skvs>) -> Vec<RunOutput> {
    let started = runs.into_iter().map(|run| {
        let mut command = run.into_command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the plugin starts")
    });
    let started: Vec<Child> = started.collect();
    let ended = started.into_iter().map(Child::wait_with_output);
    ended
        .map(|output| RunOutput::from(output.expect("it ends")))
        .collect()
}

/// Merges into a HelmRelease of `flux-system`, as a user of kubectl does.
pub(crate) fn patch_helm_release(name: &str, patch: &Value) {
    let patch = patch.to_string();
    let place = ["patch", "helmrelease", "-n", "flux-system", name];
    kubectl(&[&place[..], &["--type=merge", "-p", &patch]].concat());
}

impl From<Output> for RunOutput {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(!stderr.contains(steers), "stderr steers: {stderr:?}");
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr,
            code: output.status.code().unwrap_or(-1),
        }
    }
}

impl RunOutput {
    /// stdout of a run that must have ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(
            self.code, 0,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self.stdout
    }

    /// stderr of a run that must have ended with `code`.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self.stderr
    }

    /// The line of stdout that starts with `start`, its runs of blanks made one.
    #[track_caller]
    pub(crate) fn row(&self, start: &str) -> String {
        let line = self.stdout.lines().find(|l| l.starts_with(start));
        let line = line.unwrap_or_else(|| {
            panic!(
                "no line starts with {start:?} in:\n{}\n{}",
                self.stdout, self.stderr
            )
        });
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// stdout of the real kubectl in the sandbox.
#[track_caller]
pub(crate) fn kubectl<S: AsRef<OsStr>>(args: &[S]) -> String {
    Sandbox::shared().kubectl_ok(args).expect("kubectl answers")
}
