//! `lint`: what is wrong with onboardings' manifests in the GitOps repository. A cluster is asked with --installed only.

mod installed;

use crate::app::App;
use crate::app::fleet;
use crate::diagnosis::lint::Repository;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::cluster_folder;
use crate::flags::contexts::ContextsArgs;
use crate::flags::format::{self, FormatArgs};
use crate::flags::gate::GateArgs;
use crate::help;
use crate::render::output::LintFormat;
use crate::repository::{Layout, Tree, folder, git, layout};
use crate::triage::lint::{self, Compared, Subjects, Wishes};
use std::path::PathBuf;

/// Check onboardings' manifests in the GitOps repository
///
/// Reads the HelmReleases in folders and files, and checks those that are onboardings against the runbook: names, label, chart, values,
/// claims of one database, and what kustomization.yaml lists. With --diff-base also what has changed: namespace, database and name must
/// not. Needs no cluster, unless --installed compares with one.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help(
        "Format: text, json or yaml (kind LintReport), github (annotations), sarif (2.1.0)"
    )),
    mut_group("several", |several| several.requires("installed")),
    after_help = "Examples:
  kubectl skvs lint
  kubectl skvs lint infrastructure/k8s --fail-on warning
  kubectl skvs lint --diff-base origin/main -o github
  kubectl skvs lint --installed --for-cluster prod --context prod-east
  kubectl skvs lint --installed --contexts lab,prod
  kubectl skvs lint -o sarif > lint.sarif

Exit codes: 0 no error, 1 failed or not known (a file, or what is installed), 3 an error was found (see --fail-on)"
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
    /// Also compare with what the cluster has installed: namespace, database and encryption in Helm's storage
    #[arg(long, help_heading = help::SELECTION)]
    installed: bool,
    /// With --installed: the cluster's folder, if the repository has several; with --contexts one for each, separated by commas
    #[arg(long, value_name = "CLUSTER", value_delimiter = ',', requires = "installed", value_parser = cluster_folder::folder, help_heading = help::SELECTION)]
    for_cluster: Vec<String>,
    #[command(flatten)]
    contexts: ContextsArgs,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    format: FormatArgs<LintFormat>,
}

/// Runs `lint`.
///
/// # Errors
/// A path that cannot be read, a revision that does not exist, or no onboarding at all.
pub async fn run(app: &mut App, args: &Args) -> Result<Code> {
    if let (false, Some(flag)) = (args.installed, app.global.connection.given()) {
        let error = Error::usage(format!(
            "--{flag} is for a cluster, and lint asks none without --installed"
        ));
        return Err(error.hint("add --installed to compare with it"));
    }
    let conventions = app.conventions(&args.layout)?;
    let tree = Tree::parse(folder::load(&args.paths)?, &args.layout);
    let base = args.diff_base.as_deref();
    let base = base
        .map(|revision| git::load(&args.paths, revision))
        .transpose()?;
    let asked = match args.installed {
        true => installed::read(app, args, &Repository::new(&tree, &conventions)).await?,
        false => installed::Asked::default(),
    };
    let compared = Compared {
        base,
        installed: asked.installed,
        left_out: asked.left_out,
    };
    let wishes = Wishes {
        conventions: &conventions,
        gate: &args.gate,
        format: args.format.output,
        subjects: Subjects::All,
        paths: &args.paths,
    };
    let checked = lint::check(app, &tree, compared, &wishes);
    let Some(mut answers) = asked.answers else {
        return checked;
    };
    let (printed, found) = match checked {
        Ok(code) => (Ok(()), code),
        Err(error) => (Err(error), Code::Ok),
    };
    fleet::ended(answers.end(app, printed, found)?)
}
