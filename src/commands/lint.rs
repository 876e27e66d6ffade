//! `lint`: what is wrong with onboardings' manifests in the GitOps repository. No cluster is asked.

use crate::app::App;
use crate::error::Result;
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::flags::gate::GateArgs;
use crate::help;
use crate::render::output::LintFormat;
use crate::repository::{Layout, Tree, folder, git, layout};
use crate::triage::lint::{self, Subjects, Wishes};
use std::path::PathBuf;

/// Check onboardings' manifests in the GitOps repository
///
/// Reads the HelmReleases in folders and files, and checks those that are onboardings against the runbook: names, label, chart, values,
/// claims of one database, and what kustomization.yaml lists. With --diff-base also what has changed: namespace, database and name must
/// not. Needs no cluster.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help(
        "Format: text, json or yaml (kind LintReport), github (annotations), sarif (2.1.0)"
    )),
    after_help = "Examples:
  kubectl skvs lint
  kubectl skvs lint infrastructure/k8s --fail-on warning
  kubectl skvs lint --diff-base origin/main -o github
  kubectl skvs lint -o sarif > lint.sarif

Exit codes: 0 no error, 1 failed or a file is not known, 3 an error was found (see --fail-on)"
)]
pub struct Args {
    /// Folders and files to check; of a single file, what is beside it is not read
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Check the changes since this revision of git too: since the last commit in common with it
    #[arg(long, value_name = "REVISION", help_heading = help::SELECTION)]
    diff_base: Option<String>,
    /// Where a cluster's onboardings are in the repository: a path with <cluster> in it; by default as in the runbook
    #[arg(long, value_name = "LAYOUT", default_value = layout::RUNBOOK, hide_default_value = true, help_heading = help::SELECTION)]
    layout: Layout,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    format: FormatArgs<LintFormat>,
}

/// Runs `lint`.
///
/// # Errors
/// A path that cannot be read, a revision that does not exist, or no onboarding at all.
pub fn run(app: &mut App, args: &Args) -> Result<Code> {
    let tree = Tree::parse(folder::load(&args.paths)?);
    let base = args.diff_base.as_deref();
    let base = base
        .map(|revision| git::load(&args.paths, revision))
        .transpose()?;
    let wishes = Wishes {
        layout: &args.layout,
        gate: &args.gate,
        format: args.format.output,
        subjects: Subjects::All,
        paths: &args.paths,
    };
    lint::check(app, &tree, base, &wishes)
}
