//! The user's own shell in the sandbox.

use std::{env, ffi::OsStr, os::unix::process::ExitStatusExt as _, path::Path, process::Command};

use testbed::{Error, Result, Sandbox};
use tokio::signal::unix::{SignalKind, signal};

use crate::tools::{self, failed};

/// kubectl's script asks the package bash-completion for the words of the line.
const BASH_COMPLETION: &str = "\
declare -F _get_comp_words_by_ref >/dev/null || for file in /usr/share /usr/local/share /opt/homebrew/share; do
    [ -f $file/bash-completion/bash_completion ] && . $file/bash-completion/bash_completion && break
done
declare -F _get_comp_words_by_ref >/dev/null && eval \"$(kubectl completion bash)\"
";

const ZSH_COMPLETION: &str = "\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i -D }
eval \"$(kubectl completion zsh)\"
";

/// Opens `$SHELL` and gives its exit code when the user leaves it.
pub(crate) fn open(sandbox: &Sandbox, path: &OsStr) -> Result<u8> {
    let shell = env::var_os("SHELL")
        .filter(|shell| !shell.is_empty())
        .unwrap_or_else(|| "/bin/sh".into());
    let name = Path::new(&shell)
        .file_name()
        .unwrap_or(&shell)
        .to_string_lossy()
        .into_owned();
    let mut command = tools::command(sandbox, path, &shell);
    let run = sandbox.run_dir();
    add_start_files(run, path, sandbox.kubeconfig(), &name, &mut command)?;
    greet(sandbox);
    survive_interrupts()?;
    let code = finish(&mut command, &name)?;
    eprintln!("sandbox: ending it");
    Ok(code)
}

fn greet(sandbox: &Sandbox) {
    eprintln!(
        "
A Kubernetes API server, Flux, Helm and CouchDB run at {}, with onboardings in every state.
Try:
  kubectl skvs list
  kubectl skvs describe skvs-onboarding-pds--database
  kubectl skvs troubleshoot
  kubectl skvs delete-db orphan_db --dry-run
kubectl and helm are here too. Logs: {}/log
Leave the shell to end the sandbox.
",
        sandbox.server(),
        sandbox.run_dir().display(),
    );
}

/// Start files read after the user's own, since those may set PATH, KUBECONFIG and the prompt.
fn add_start_files(
    run: &Path,
    path: &OsStr,
    kubeconfig: &Path,
    shell: &str,
    command: &mut Command,
) -> Result<()> {
    let folder = run.join("shell");
    std::fs::create_dir_all(&folder)
        .map_err(|error| failed("create the shell's folder", &error))?;
    let write = |name: &str, text: String| {
        let file = folder.join(name);
        std::fs::write(&file, text)
            .map_err(|error| failed(&format!("write {}", file.display()), &error))?;
        Ok::<_, Error>(file)
    };
    let path = quoted(&path.to_string_lossy());
    let config = quoted(&kubeconfig.to_string_lossy());
    match shell {
        "bash" => {
            let text = format!(
                "[ -f ~/.bashrc ] && . ~/.bashrc\nexport PATH={path} KUBECONFIG={config}\nPS1=\"(sandbox) ${{PS1-\\\\$ }}\"\n{BASH_COMPLETION}"
            );
            command
                .arg("--rcfile")
                .arg(write("bashrc", text)?)
                .arg("-i");
        }
        "zsh" => {
            let text = format!(
                "ZDOTDIR=$HOME\n[ -f ~/.zshrc ] && . ~/.zshrc\nexport PATH={path} KUBECONFIG={config}\nPROMPT=\"(sandbox) $PROMPT\"\n{ZSH_COMPLETION}"
            );
            write(".zshrc", text)?;
            command.env("ZDOTDIR", &folder);
        }
        "fish" => {
            let text = format!(
                "set -gx KUBECONFIG {config}; set -gx PATH (string split : {path}); \
                 functions -q fish_prompt; and functions -c fish_prompt skvs_inner_prompt; \
                 function fish_prompt; echo -n '(sandbox) '; functions -q skvs_inner_prompt; and skvs_inner_prompt; end; \
                 kubectl completion fish | source"
            );
            command.args(["-C", &text]);
        }
        _ => {
            command.env("PS1", "(sandbox) $ ");
        }
    }
    Ok(())
}

/// A word for POSIX shells, and for fish as long as it has neither quote nor backslash.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// From now on Ctrl-C and Ctrl-\ end what runs in the sandbox, not the sandbox.
pub(crate) fn survive_interrupts() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed("handle signals", &error))?;
    runtime.block_on(async {
        for kind in [SignalKind::interrupt(), SignalKind::quit()] {
            // The handler stays when its stream is dropped.
            drop(signal(kind).map_err(|error| failed("handle signals", &error))?);
        }
        Ok(())
    })
}

/// Runs a command to its end and gives its exit code as a shell tells it: 128 and the signal's number where one ended it.
pub(crate) fn finish(command: &mut Command, name: &str) -> Result<u8> {
    let status = match command.status() {
        Ok(status) => status,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("error: {name}: command not found");
            return Ok(127);
        }
        Err(error) => return Err(failed(&format!("run {name}"), &error)),
    };
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    Ok(u8::try_from(code).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testbed::{Binaries, RunDir};

    #[test]
    fn each_shell_completes_kubectl() {
        let run = RunDir::create().unwrap();
        let kubectl = Binaries::from_env().path("kubectl").unwrap();
        let folders = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&folders);
        let path = env::join_paths(
            [kubectl.parent().unwrap().to_owned()]
                .into_iter()
                .chain(folders),
        );
        let path = path.unwrap();
        for (shell, needs, question, answer) in [
            (
                "bash",
                "/usr/share/bash-completion/bash_completion",
                "complete -p kubectl",
                "__start_kubectl",
            ),
            ("zsh", "/bin/sh", "print $_comps[kubectl]", "_kubectl"),
            (
                "fish",
                "/bin/sh",
                "complete -C 'kubectl get --outp'",
                "--output",
            ),
        ] {
            let mut command = Command::new(shell);
            add_start_files(run.path(), &path, Path::new("none"), shell, &mut command).unwrap();
            command.args(["-i", "-c", question]).env("HOME", run.path());
            let said = match command.output() {
                Ok(said) if Path::new(needs).exists() => said,
                _ => {
                    eprintln!("not run: {shell} or {needs} is missing");
                    assert!(env::var_os("CI").is_none() || shell == "bash");
                    continue;
                }
            };
            let text = String::from_utf8_lossy(&said.stdout);
            assert!(text.contains(answer), "{shell}: {text}{said:?}");
        }
    }

    #[test]
    fn exit_codes_are_told_as_shells_do() {
        let run =
            |script: &str| finish(Command::new("/bin/sh").args(["-c", script]), "sh").unwrap();
        assert_eq!(run("exit 0"), 0);
        assert_eq!(run("exit 42"), 42);
        assert_eq!(run("kill -s TERM $$"), 143);
        assert_eq!(
            finish(&mut Command::new("/nonexistent/program"), "program").unwrap(),
            127
        );
    }

    #[test]
    fn quoting_survives_quotes() {
        assert_eq!(quoted("a'b c"), r"'a'\''b c'");
    }
}
