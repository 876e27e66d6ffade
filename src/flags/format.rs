//! `-o` of the commands that take a fixed set of formats.

use crate::help;
use clap::{Arg, ValueEnum};

/// The flag. Its help differs by command: see [`help()`].
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct FormatArgs<F>
where
    F: ValueEnum + Default + Send + Sync + 'static,
{
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = help::OUTPUT
    )]
    pub(crate) output: F,
}

/// For `mut_args`: `text` becomes the help of the flag. Not `mut_arg`, which moves the flag behind all others.
pub(crate) fn help(text: &'static str) -> impl FnMut(Arg) -> Arg {
    move |arg| match arg.get_id().as_str() {
        "output" => arg.help(text),
        _ => arg,
    }
}
