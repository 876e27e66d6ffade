//! `kubectl skvs`: the Secure KVS onboarding runbook as a kubectl plugin.
//!
//! Data goes one way: argv → [`cli`] → [`cluster`] → [`snapshot`] → [`model`] → [`diagnosis`] → [`view`] → [`render`] → [`ui`].
//! The core (model, diagnosis, view, render) is synchronous and takes the time as an argument; only `cluster` talks to the
//! API server, only `ui` writes to the terminal, only `couchdb::delete`, its trace, a
//! restore, and `suspend` and `resume` change anything (clippy.toml forbids every other call that does).

pub mod advice;
pub mod app;
mod backup;
pub mod bundle;
mod change;
pub mod cli;
pub mod cluster;
pub mod commands;
mod completion;
pub mod couchdb;
pub mod diagnosis;
pub mod error;
pub mod exit;
pub mod flags;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
#[cfg(test)]
mod generated;
pub mod helm;
mod help;
mod interrupt;
mod lookup;
pub mod model;
mod palette;
mod private_file;
mod programs;
mod question;
pub mod render;
pub mod repository;
pub mod settings;
pub mod snapshot;
pub mod text;
mod triage;
pub mod ui;
pub mod view;

use app::{App, Grammar};
use clap::CommandFactory;
use cli::Cli;
use exit::Code;
use std::ffi::OsString;
use ui::Ui;

/// Runs one command line to its exit code. Prints everything itself.
pub fn run(args: impl Iterator<Item = OsString>) -> Code {
    let mut ui = Ui::stdio();
    let argv: Vec<OsString> = args.collect();
    let found = settings::Found::load();
    // Where it matters that they cannot be read, the run ends below.
    let readable = found.settings.clone().unwrap_or_default();
    let grammar = Grammar::new(Cli::command, readable);
    if let Some(words) = completion::asked(&argv) {
        return completion::run(&mut ui, grammar, words);
    }
    let cli = match Cli::from_args(argv.into_iter(), &grammar) {
        Ok(cli) => cli,
        Err(told) => return told.tell(&mut ui),
    };
    ui.set_color(cli.global.color);
    let usable = found.settings.as_ref().map_err(Clone::clone);
    let usable = usable.and_then(|_| cli.global.check_namespace());
    if let (true, Err(error)) = (cli.command.uses_settings(), &usable) {
        ui.error(error);
        return error.code();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            ui.error(&error::Error::new(format!(
                "the async runtime cannot start: {error}"
            )));
            return Code::Failed;
        }
    };
    let mut app = App::new(ui, cli.global, grammar, found);
    let outcome = runtime.block_on(async {
        let code = commands::run(&mut app, cli.command).await?;
        app.ui.flush()?;
        Ok::<Code, error::Error>(code)
    });
    // A request that is still under way must not keep the shell waiting.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            app.ui.error(&error);
            error.code()
        }
    }
}
