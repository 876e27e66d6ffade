//! The user's own helm: found on PATH, run without a shell, and never with a cluster or a storage that its environment names.

use crate::advice::Line;
use crate::error::io_words;
use crate::programs::Folders;
use crate::text::one_line;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// The most characters of helm's output that are shown.
const WORDS: usize = 500;

/// Longest that helm may take to say its version.
const ANSWER: Duration = Duration::from_secs(5);

/// Variables that would lead helm to another cluster, another user or another storage than its flags.
const NOT_PASSED_ON: [&str; 10] = [
    "HELM_DRIVER",
    "HELM_NAMESPACE",
    "HELM_KUBECONTEXT",
    "HELM_KUBEAPISERVER",
    "HELM_KUBETOKEN",
    "HELM_KUBEASUSER",
    "HELM_KUBEASGROUPS",
    "HELM_KUBECAFILE",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
    "HELM_KUBETLS_SERVER_NAME",
];

/// A helm that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helm(PathBuf);

impl Helm {
    /// The first on PATH. Relative folders are passed over: they depend on the working directory.
    pub fn find() -> Option<Self> {
        Folders::of_path().absolute().first("helm").map(Self)
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its version as it prints it: `v3.18.4+gd80839c`.
    ///
    /// # Errors
    /// It could not be run, failed or did not answer in time.
    pub async fn version(&self) -> Result<String, String> {
        let mut command = self.command(&["version", "--short"]);
        let output = self.run(command.kill_on_drop(true));
        let output = tokio::time::timeout(ANSWER, output).await;
        let output = output.map_err(|_| format!("no answer in {}s", ANSWER.as_secs()))??;
        match said(&output).as_str() {
            "" => Err("it prints no version".to_owned()),
            version => Ok(version.to_owned()),
        }
    }

    /// The command line of this helm: its full path, then the command's arguments.
    pub fn words(&self, command: &Line) -> Vec<String> {
        let own = command.words().iter().skip(1).cloned();
        [self.0.display().to_string()]
            .into_iter()
            .chain(own)
            .collect()
    }

    /// Runs the command to its end, and returns helm's output.
    ///
    /// # Errors
    /// It could not be run, or failed, with its output. It is not known what it did until then.
    pub async fn uninstall(&self, command: &Line) -> Result<String, String> {
        let words: Vec<&str> = command.words().iter().skip(1).map(String::as_str).collect();
        Ok(said(&self.run(&mut self.command(&words)).await?))
    }

    fn command(&self, words: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.0);
        command.args(words).stdin(Stdio::null());
        for name in NOT_PASSED_ON {
            command.env_remove(name);
        }
        command
    }

    /// What it prints.
    async fn run(&self, command: &mut tokio::process::Command) -> Result<Vec<u8>, String> {
        let ended = command.output().await;
        let output = ended.map_err(|e| format!("{}: {}", self.0.display(), io_words(&e)))?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(format!(
                "helm ended with {}: {}",
                output.status,
                said(&output.stderr)
            )),
        }
    }
}

/// One line, not too long.
fn said(bytes: &[u8]) -> String {
    let text = one_line(&String::from_utf8_lossy(bytes));
    text.chars().take(WORDS).collect()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::{Command, Origin};
    use std::os::unix::fs::PermissionsExt;

    /// A helm that is this script.
    fn helm(folder: &Path, script: &str) -> Helm {
        let file = folder.join("helm");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        Helm(file)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a helm of the test's own, which removes nothing"
    )]
    #[tokio::test]
    async fn its_words_are_no_shells_and_what_it_says_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let found = helm(folder.path(), "for word; do echo \"<$word>\"; done");
        let command =
            Command::new(["helm", "uninstall", "$(touch x)", "a b"]).at(&Origin::default());
        let said = found.uninstall(&command).await;
        assert_eq!(said.unwrap(), "<uninstall> <$(touch x)> <a b>");
        assert_eq!(
            found.words(&command)[0],
            folder.path().join("helm").display().to_string()
        );
        helm(folder.path(), "printf 'no\\033[2J\\nway' >&2; exit 3");
        let why = found.uninstall(&command).await.unwrap_err();
        assert_eq!(why, "helm ended with exit status: 3: no^[[2J way");
    }

    #[tokio::test]
    async fn a_helm_that_fails_or_says_nothing_has_no_known_version() {
        let folder = tempfile::tempdir().unwrap();
        let found = helm(folder.path(), "echo v4.0.1+g1");
        assert_eq!(found.version().await, Ok("v4.0.1+g1".to_owned()));
        let found = helm(folder.path(), "exit 0");
        assert_eq!(
            found.version().await,
            Err("it prints no version".to_owned())
        );
        let found = helm(folder.path(), "echo v3; exit 1");
        assert!(found.version().await.is_err());
    }
}
