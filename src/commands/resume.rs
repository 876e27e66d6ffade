//! `resume`: makes Flux look at a suspended onboarding again.

use crate::app::App;
use crate::change::suspension::{self, Wish};
use crate::error::Result;
use crate::exit::Code;
use crate::help;

/// Resume a suspended onboarding: Flux looks at it again
///
/// Removes spec.suspend from the HelmRelease, with the record of who suspended it. Refused if the next attempt would be an upgrade of
/// a failed first revision, which does not create the database. A manifest in Git that sets suspend wins the next time that it is applied.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs resume pds_database
  kubectl skvs resume pds_database --dry-run

Exit codes: 0 resumed; 1 failed, or not suspended; 4 refused")]
pub struct Args {
    /// Onboarding, in any of its forms
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    name: String,
    /// Have the API server check the change, and change nothing
    #[arg(long, help_heading = help::CHANGE)]
    dry_run: bool,
}

/// Runs `resume`.
///
/// # Errors
/// As [`suspension::run`].
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    suspension::run(app, &args.name, Wish::Resume, args.dry_run).await
}
