//! `resume`: makes Flux look at a suspended onboarding again.

use crate::app::App;
use crate::change::suspension::{self, Wish, Words};
use crate::error::Result;
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::render::output::ObjectFormat;

/// Resume a suspended onboarding: Flux looks at it again
///
/// Removes spec.suspend from the HelmRelease, with the record of who suspended it. Refused if the next attempt would be an upgrade of
/// a failed first revision, which does not create the database. A manifest in Git that sets suspend wins the next time that it is applied.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, or the changed object as json, yaml or name")),
    after_help = "Examples:
  kubectl skvs resume pds_database
  kubectl skvs resume pds_database --dry-run

Exit codes: 0 resumed; 1 failed, or not suspended; 4 refused"
)]
pub struct Args {
    /// Onboarding, in any of its forms
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    name: String,
    /// Have the API server check the change, and change nothing
    #[arg(long, help_heading = help::CHANGE)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs<ObjectFormat>,
}

/// Runs `resume`.
///
/// # Errors
/// As [`suspension::run`].
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let words = Words {
        name: &args.name,
        wish: Wish::Resume,
        rehearsal: args.dry_run,
        output: args.format.output,
    };
    suspension::run(app, words).await
}
