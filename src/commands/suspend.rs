//! `suspend`: makes Flux leave an onboarding alone, and records who asked for it and why.

use crate::app::App;
use crate::change::suspension::{self, Wish, Words};
use crate::error::Result;
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::render::output::ObjectFormat;

/// Longest reason, in characters: it is shown in one line.
const LONGEST: usize = 300;

/// Suspend an onboarding: Flux leaves it alone until it is resumed
///
/// Sets spec.suspend of the HelmRelease, and records who suspended it and why in annotations, which list, describe and troubleshoot show.
/// Nothing that is installed changes; an action that is running is not stopped. A manifest in Git that sets suspend wins the next time
/// that it is applied.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, or the changed object as json, yaml or name")),
    after_help = "Examples:
  kubectl skvs suspend pds_database --reason 'CouchDB is upgraded until 14:00'
  kubectl skvs suspend pds_database --reason test --dry-run

Exit codes: 0 suspended; 1 failed, or suspended already"
)]
pub struct Args {
    /// Onboarding, in any of its forms
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    name: String,
    /// Why, for whoever finds it suspended
    #[arg(long, value_name = "TEXT", value_parser = reason, help_heading = help::CHANGE)]
    reason: String,
    /// Have the API server check the change, and change nothing
    #[arg(long, help_heading = help::CHANGE)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs<ObjectFormat>,
}

/// Reads a reason: one line that says something.
fn reason(text: &str) -> std::result::Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a reason must not be empty".to_owned());
    }
    if text.contains(char::is_control) {
        return Err("a reason is one line".to_owned());
    }
    match text.chars().count() {
        ..=LONGEST => Ok(text.to_owned()),
        _ => Err(format!("a reason has {LONGEST} characters at most")),
    }
}

/// Runs `suspend`.
///
/// # Errors
/// As [`suspension::run`].
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let wish = Wish::Suspend {
        reason: &args.reason,
    };
    let words = Words {
        name: &args.name,
        wish,
        rehearsal: args.dry_run,
        output: args.format.output,
    };
    suspension::run(app, words).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_says_something() {
        assert_eq!(reason(" upgrade ").unwrap(), "upgrade");
        for wrong in ["", "  ", "a\nb", "a\u{1b}b", &"x".repeat(LONGEST + 1)] {
            assert!(reason(wrong).is_err(), "{wrong:?}");
        }
        assert!(reason(&"日".repeat(LONGEST)).is_ok());
    }
}
