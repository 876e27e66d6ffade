//! `completion`: prints the script that makes a shell complete `kubectl-skvs`.
//!
//! The scripts are the files of `completions/`; they all ask the hidden `__complete` (see [`crate::completion`]).

use crate::app::App;
use crate::completion::FOR_KUBECTL;
use crate::error::Result;
use crate::exit::Code;

/// Print a completion script for a shell
///
/// kubectl skvs is completed by kubectl's own completion (kubectl completion --help) and an executable named kubectl_complete-skvs on
/// PATH. The scripts for shells complete kubectl-skvs. delete-db and backup complete the databases that kubectl skvs databases listed in
/// the last ten minutes, cached in $XDG_CACHE_HOME/kubectl-skvs (default ~/.cache/kubectl-skvs).
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  # complete kubectl skvs, in every shell that completes kubectl
  kubectl skvs completion kubectl > ~/.local/bin/kubectl_complete-skvs
  chmod +x ~/.local/bin/kubectl_complete-skvs
  # after kubectl krew install: a second name for the program
  ln -s kubectl-skvs \"${KREW_ROOT:-$HOME/.krew}/bin/kubectl_complete-skvs\"
  # complete kubectl-skvs in this bash, zsh or fish
  source <(kubectl skvs completion bash)
  source <(kubectl skvs completion zsh)
  kubectl skvs completion fish | source")]
pub struct Args {
    /// bash, zsh or fish; kubectl for the file kubectl_complete-skvs
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    shell: Shell,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    /// The file kubectl_complete-skvs
    Kubectl,
}

/// Runs `completion`.
///
/// # Errors
/// Only a stdout that cannot be written.
pub fn run(app: &mut App, args: &Args) -> Result<Code> {
    let script = match args.shell {
        Shell::Bash => include_str!("../../completions/kubectl-skvs.bash"),
        Shell::Zsh => include_str!("../../completions/_kubectl-skvs"),
        Shell::Fish => include_str!("../../completions/kubectl-skvs.fish"),
        Shell::Kubectl => FOR_KUBECTL,
    };
    app.ui.machine().write_all(script.as_bytes())?;
    Ok(Code::Ok)
}
