//! `options`: the flags that every command takes, as `kubectl options` lists its own.

use crate::app::App;
use crate::error::Result;
use crate::exit::Code;
use crate::help;

/// List the flags that every command takes
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Runs `options`.
///
/// # Errors
/// Only a stdout that cannot be written.
pub fn run(app: &mut App) -> Result<Code> {
    let text = help::options(&app.grammar.command());
    app.ui.help(&text)?;
    Ok(Code::Ok)
}
