//! The user's own helm: found on PATH, run without a shell, and never with a cluster or a storage that its environment names.

use crate::advice::Line;
use crate::error::io_words;
use crate::text::one_line;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The most characters of helm's output that are shown.
const WORDS: usize = 500;

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
        Self::among(&std::env::var_os("PATH")?)
    }

    fn among(path: &OsStr) -> Option<Self> {
        let name = if cfg!(windows) { "helm.exe" } else { "helm" };
        std::env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|file| can_be_run(file))
            .map(Self)
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
        let mut run = tokio::process::Command::new(&self.0);
        run.args(command.words().iter().skip(1))
            .stdin(Stdio::null());
        for name in NOT_PASSED_ON {
            run.env_remove(name);
        }
        let ended = run.output().await;
        let output = ended.map_err(|e| format!("{}: {}", self.0.display(), io_words(&e)))?;
        match output.status.success() {
            true => Ok(said(&output.stdout)),
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
fn can_be_run(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let about = std::fs::metadata(file);
    about.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn can_be_run(file: &Path) -> bool {
    file.is_file()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::{Command, Origin};
    use std::os::unix::fs::PermissionsExt;

    /// A helm that is this script, in a folder of its own.
    fn helm(folder: &Path, script: &str, mode: u32) {
        let file = folder.join("helm");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_that_can_be_run_is_taken_and_none_of_a_relative_folder() {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        helm(first.path(), "", 0o644);
        helm(second.path(), "", 0o755);
        let path = std::env::join_paths([Path::new("."), first.path(), second.path()]).unwrap();
        let found = Helm::among(&path).unwrap();
        assert_eq!(found.0, second.path().join("helm"));
        assert_eq!(Helm::among(OsStr::new("relative:.")), None);
        assert_eq!(Helm::among(first.path().as_os_str()), None);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a helm of the test's own, which removes nothing"
    )]
    #[tokio::test]
    async fn its_words_are_no_shells_and_what_it_says_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        helm(folder.path(), "for word; do echo \"<$word>\"; done", 0o755);
        let found = Helm::among(folder.path().as_os_str()).unwrap();
        let command =
            Command::new(["helm", "uninstall", "$(touch x)", "a b"]).at(&Origin::default());
        let said = found.uninstall(&command).await;
        assert_eq!(said.unwrap(), "<uninstall> <$(touch x)> <a b>");
        assert_eq!(
            found.words(&command)[0],
            folder.path().join("helm").display().to_string()
        );
        helm(
            folder.path(),
            "printf 'no\\033[2J\\nway' >&2; exit 3",
            0o755,
        );
        let why = found.uninstall(&command).await.unwrap_err();
        assert_eq!(why, "helm ended with exit status: 3: no^[[2J way");
    }
}
