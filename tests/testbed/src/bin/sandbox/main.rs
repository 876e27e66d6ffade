//! `cargo sandbox`: brings the sandbox up and runs a shell, one command or the guided tour in it.
//!
//! What runs where is said here; how, in the modules. The sandbox lives exactly as long as this process.

mod arguments;
mod shell;
mod tools;
mod tour;

use std::{env, io::IsTerminal as _, process::ExitCode, thread};

use arguments::Action;
use testbed::{Error, Options, Result, Sandbox};

const HELP: &str = "\
A real control plane on this machine, with kubectl skvs ready to try.

Usage:
  cargo sandbox                    open a shell in it (the tour, where stdin is no terminal)
  cargo sandbox --tour             show every command with its real output, then end
  cargo sandbox -- COMMAND [ARG…]  run one command in it and end with its exit code

The first run builds Kubernetes, Flux and Helm from source (about 6 minutes on 2 cores);
after that the sandbox is up within a minute. Needs Rust, Go, Node with npm, git and curl.

Environment:
  KUBEBUILDER_ASSETS  a folder of envtest: of etcd, kube-apiserver and kubectl, those that it holds come first
  SKVS_TESTBED_BIN    a folder of prebuilt binaries, in the place of building them
  SKVS_TESTBED_KEEP   set to anything: the run's folder and its logs are kept
";

fn main() -> ExitCode {
    let action = match arguments::parse(
        env::args().skip(1).collect(),
        std::io::stdin().is_terminal(),
    ) {
        Ok(action) => action,
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if action == Action::Help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&action) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(action: &Action) -> Result<u8> {
    let (plugin, sandbox) = thread::scope(|scope| {
        let plugin = scope.spawn(tools::build_plugin);
        let sandbox = Sandbox::start(&Options::full());
        let plugin = plugin
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (plugin, sandbox)
    });
    let (plugin, sandbox) = (plugin?, sandbox?);
    let path = tools::link(&sandbox, &plugin)?;
    match action {
        Action::Help => Ok(0),
        Action::Shell => shell::open(&sandbox, &path),
        Action::Tour => tour::run(&sandbox, &path),
        Action::Command(argv) => {
            shell::survive_interrupts()?;
            let (program, args) = argv
                .split_first()
                .ok_or_else(|| Error::Other("no command given".to_owned()))?;
            shell::finish(tools::command(&sandbox, &path, program).args(args), program)
        }
    }
}
