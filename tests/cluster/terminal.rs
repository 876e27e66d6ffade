//! A terminal of a test's own, made by script(1), with the plugin on it.

use crate::harness::{RunOutput, skvs};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longest that a test waits for what must appear.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Terminal {
    child: Child,
    keys: Option<ChildStdin>,
    screen: Arc<Mutex<Vec<u8>>>,
    /// How much of the screen has been looked at.
    looked: usize,
}

impl Terminal {
    /// The plugin with these arguments.
    pub(crate) fn skvs(args: &[&str]) -> Self {
        Self::shell("PLUGIN", args)
    }

    /// A shell's line, in which `PLUGIN` stands for the plugin with these arguments.
    pub(crate) fn shell(line: &str, args: &[&str]) -> Self {
        let plugin = format!("{} {}", env!("CARGO_BIN_EXE_kubectl-skvs"), args.join(" "));
        let line = line.replace("PLUGIN", &plugin);
        let command = skvs::<&str>([]).into_command();
        let mut script = std::process::Command::new("script");
        script.args(["-qfec", &line, "/dev/null"]).env_clear();
        for (key, value) in command.get_envs() {
            script.env(key, value.unwrap_or_default());
        }
        script
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = script.spawn().expect("script(1) of util-linux starts");
        let keys = child.stdin.take();
        let mut out = child.stdout.take().expect("it is piped");
        let screen = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = out.read(&mut buffer) {
                seen.lock()
                    .expect("no test panics with it")
                    .extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            child,
            keys,
            screen,
            looked: 0,
        }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("no test panics with it")).into_owned()
    }

    /// Waits until this text appears behind the one that was waited for before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let found = testbed::wait(text, LIMIT, || {
            let seen = self.seen();
            let at = seen.get(self.looked..)?.find(text)?;
            Some(self.looked + at + text.len())
        });
        let end = found.unwrap_or_else(|_| panic!("no {text:?}: {}", self.seen()));
        self.looked = end;
    }

    /// Presses keys, all at once as a paste does.
    pub(crate) fn press(&mut self, keys: &str) {
        let pipe = self.keys.as_mut().expect("it is not hung up");
        pipe.write_all(keys.as_bytes()).expect("it reads");
        pipe.flush().expect("it reads");
    }

    /// Ends the input.
    pub(crate) fn close(&mut self) {
        self.keys = None;
    }

    /// Waits for the end. What was on the screen is in `stdout`.
    #[track_caller]
    pub(crate) fn end(mut self) -> RunOutput {
        let ended = testbed::wait("the end", LIMIT, || self.child.try_wait().ok().flatten());
        let Ok(status) = ended else {
            let _ = self.child.kill();
            panic!("it does not end: {}", self.seen());
        };
        // The thread that reads sees the end right after.
        let all = || (Arc::strong_count(&self.screen) == 1).then_some(());
        let _ = testbed::wait("all that it wrote", LIMIT, all);
        RunOutput {
            stdout: self.seen(),
            stderr: String::new(),
            code: status.code().unwrap_or(-1),
        }
    }
}
