//! One run of the binary in an empty environment, and its result as one text to compare.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_kubectl-skvs");

/// A command line with its own HOME and nothing else in its environment.
pub(crate) struct Run {
    home: TempDir,
    command: Command,
    names: Vec<(String, &'static str)>,
}

/// The first character that a terminal obeys or that makes a text read otherwise than it is stored.
pub(crate) fn steering(text: &str) -> Option<char> {
    let misleads = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    text.chars()
        .find(|c| (c.is_control() && *c != '\n') || misleads(*c))
}

/// What a run printed and how it ended; its text form is what tests compare.
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A run of `kubectl-skvs` with these words.
pub(crate) fn skvs(words: &[&str]) -> Run {
    Run::of(BINARY, words)
}

impl Run {
    /// A run of another program in the same empty environment.
    pub(crate) fn of(program: &str, words: &[&str]) -> Self {
        let home = TempDir::new().unwrap();
        let mut command = Command::new(program);
        let folder = Path::new(BINARY).parent().unwrap();
        command
            .args(words)
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .env("COLUMNS", "80")
            .current_dir(home.path())
            .stdin(Stdio::null());
        let mut run = Self {
            home,
            command,
            names: Vec::new(),
        };
        let home = run.home.path().display().to_string();
        run.names.push((home, "HOME"));
        run
    }

    /// Shows `text` as `stands_for` in what is compared.
    pub(crate) fn named(mut self, text: &str, stands_for: &'static str) -> Self {
        self.names.push((text.to_owned(), stands_for));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file into HOME and gives its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// HOME's own kubeconfig: one context `here` on this server.
    pub(crate) fn server(mut self, url: &str) -> Self {
        self.file(".kube/config", &kubeconfig(url, "", "{token: sesame}"));
        let host = url.split_once("://").map_or(url, |(_, host)| host);
        self.names.push((host.to_owned(), "SERVER"));
        self
    }

    /// HOME's own kubeconfig with a user of a test's own, as YAML.
    pub(crate) fn user(self, url: &str, user: &str) -> Self {
        let run = self.server(url);
        run.file(".kube/config", &kubeconfig(url, "", user));
        run
    }

    /// HOME's own kubeconfig with further fields of the cluster, as YAML.
    pub(crate) fn cluster(self, url: &str, fields: &str) -> Self {
        let run = self.server(url);
        run.file(".kube/config", &kubeconfig(url, fields, "{token: sesame}"));
        run
    }

    /// HOME's own kubeconfig with a user, for a server whose certificate is not checked.
    pub(crate) fn unchecked(self, url: &str, user: &str) -> Self {
        let run = self.server(url);
        let unchecked = "insecure-skip-tls-verify: true";
        run.file(".kube/config", &kubeconfig(url, unchecked, user));
        run
    }

    /// The folder of the run, its HOME.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    pub(crate) fn run(mut self) -> Told {
        let output = self.command.output().unwrap();
        self.told(&output)
    }

    /// A run whose stdout is closed before anything is read from it, as `| head -0` does.
    pub(crate) fn run_without_reader(mut self) -> Told {
        let command = self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        self.told(&child.wait_with_output().unwrap())
    }

    pub(crate) fn told(&self, output: &Output) -> Told {
        let text = |bytes: &[u8]| {
            let mut text = String::from_utf8(bytes.to_vec()).unwrap();
            for (name, stands_for) in &self.names {
                text = text.replace(name, stands_for);
            }
            text
        };
        let stderr = text(&output.stderr);
        // Of every run: nobody reads stderr by a program, so nothing in it may steer a terminal.
        assert_eq!(steering(&stderr), None, "{stderr:?}");
        Told {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr,
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "exit {code}")?,
            None => writeln!(f, "killed")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "{name}:")?;
                f.write_str(text)?;
            }
        }
        Ok(())
    }
}

fn kubeconfig(url: &str, cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: here
contexts:
- {{name: here, context: {{cluster: here, user: me}}}}
- {{name: prod-east, context: {{cluster: here, user: me}}}}
- {{name: 'arn:aws:eks:eu:1:cluster/kvs', context: {{cluster: here, user: me}}}}
clusters:
- {{name: here, cluster: {{server: '{url}', {cluster}}}}}
users:
- {{name: me, user: {user}}}
"
    )
}
