//! `options`: the flags that every command takes, as `kubectl options` lists its own.

use crate::app::App;
use crate::cli::Cli;
use crate::error::Result;
use crate::exit::Code;
use crate::help;
use clap::CommandFactory;

/// List the flags that every command takes
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Runs `options`.
///
/// # Errors
/// Only a stdout that cannot be written.
pub fn run(app: &mut App) -> Result<Code> {
    let text = help::options(&Cli::command());
    app.ui.help(&text)?;
    Ok(Code::Ok)
}
