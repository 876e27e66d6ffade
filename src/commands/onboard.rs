//! `onboard`: the manifest of a new onboarding, checked before anybody merges it.
//!
//! Owns the flags and the order of the steps: ask for missing values, check the repository and the cluster, and print or write the manifest
//! if no check refuses it.

mod ask;
mod in_cluster;
mod in_repository;
mod style;
mod writing;

use crate::advice::Command;
use crate::app::App;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::cluster_folder;
use crate::flags::couchdb_pods::AskArgs;
use crate::flags::format::{self, FormatArgs};
use crate::flags::service_account;
use crate::help;
use crate::model::convention::name_for;
use crate::model::new_onboarding::Wanted;
use crate::render::output::ReportFormat;
use crate::render::{json, yaml};
use crate::repository::{Layout, layout};
use crate::text::{Shown, document, shown};
use crate::view::object_list;
use in_repository::{Plan, Request};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Write the manifest of a new onboarding
///
/// Prints the HelmRelease, or with --repo writes it into the folder of a cluster's onboardings and lists it in the folder's
/// kustomization.yaml. First it is checked with all other manifests, as by lint, and in the cluster: the database must be unclaimed and not
/// yet in CouchDB, and a missing namespace or service account is a warning. On a terminal, missing values are asked for.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, or the manifest as json or yaml")),
    after_help = "Examples:
  kubectl skvs onboard pds orders --service-account pds-api > pds_orders.yaml
  kubectl skvs onboard pds orders --service-account pds-api,pds-batch --repo .
  kubectl skvs onboard pds logs --service-account pds --no-encryption --local
  kubectl skvs onboard pds logs --service-account pds --repo ~/gitops --dry-run

Exit codes: 0 printed or written; 1 failed, or written although not everything could be checked; 4 refused by a check.\nChecks that --local, --no-exec or a missing --repo leaves out do not count"
)]
pub struct Args {
    /// Namespace of the team's pods
    #[arg(value_name = "NAMESPACE")]
    team: Option<String>,
    /// Database, without the namespace: it becomes <namespace>_<database>
    #[arg(value_name = "DATABASE")]
    database: Option<String>,
    /// Service accounts that may access the database, separated by commas
    #[arg(long = "service-account", value_name = "ACCOUNT", value_delimiter = ',', value_parser = service_account, help_heading = help::CHANGE)]
    accounts: Vec<String>,
    /// Leave encryption out: the team uses CouchDB's endpoint, not Steelcouch's
    #[arg(long, help_heading = help::CHANGE)]
    no_encryption: bool,
    /// Folder of the GitOps repository to write into; without it the manifest is printed
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath, help_heading = help::CHANGE)]
    repo: Option<PathBuf>,
    /// Clusters, by folder name, if the repository has several; separated by commas
    #[arg(long, value_name = "CLUSTER", value_delimiter = ',', requires = "repo", value_parser = cluster_folder::folder, help_heading = help::CHANGE)]
    for_cluster: Vec<String>,
    /// Where a cluster's onboardings are in the repository: a path with <cluster> in it; by default as in the runbook
    #[arg(long, value_name = "LAYOUT", default_value = layout::RUNBOOK, hide_default_value = true, help_heading = help::CHANGE)]
    layout: Layout,
    /// Show the difference and write nothing
    #[arg(long, help_heading = help::CHANGE)]
    dry_run: bool,
    /// Ask no cluster, and skip the checks that need one
    #[arg(long, help_heading = help::CHANGE)]
    local: bool,
    #[command(flatten)]
    couchdb: AskArgs,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
}

/// The results of the checks.
#[derive(Debug, Default)]
struct Checks {
    /// Reasons to refuse the onboarding.
    refused: Vec<Error>,
    warnings: Vec<String>,
    /// Checks that could not be made.
    not_checked: Vec<String>,
    /// Checks left out on purpose.
    left_out: Vec<String>,
}

impl Checks {
    fn add(&mut self, other: Self) {
        self.refused.extend(other.refused);
        self.warnings.extend(other.warnings);
        self.not_checked.extend(other.not_checked);
        self.left_out.extend(other.left_out);
    }
}

/// Runs `onboard`.
///
/// # Errors
/// Something is missing or wrong, a check refuses the onboarding, or it cannot be written.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let asks = app.ui.terminal().stdin && app.ui.terminal().stderr;
    // Whoever names a cluster does not need the others.
    let clusters = match &args.repo {
        Some(repo) if args.for_cluster.is_empty() => in_repository::clusters(repo, &args.layout)?,
        _ => BTreeSet::new(),
    };
    let wanted = ask::wanted(app, &args, asks).await?;
    let (cluster, mut checks) = connected(app, &args).await?;
    let conventions = app.conventions(&args.layout)?;
    let namespace = app.global.namespace.clone();
    let mut request = Request {
        wanted: &wanted,
        conventions: &conventions,
        version: None,
    };
    if let Some(cluster) = &cluster {
        match cluster.served_version().await {
            Ok(version) => request.version = Some(version),
            Err(error) => checks.not_checked.push(format!(
                "which version of HelmReleases the cluster serves: {}",
                error.clause()
            )),
        }
    }
    let mut plan = match &args.repo {
        Some(repo) => {
            let meant = ask::clusters(app, &args, &clusters, asks).await?;
            in_repository::plan(repo, &request, &meant)?
        }
        None => in_repository::alone(&request),
    };
    if let Some(cluster) = &cluster {
        let interrupt = crate::interrupt::any();
        tokio::pin!(interrupt);
        let looked = tokio::select! {
            biased;
            looked = in_cluster::look(cluster, &wanted, &namespace, &args.couchdb) => looked,
            () = &mut interrupt => {
                return Err(Error::new("interrupted: nothing was written").with_code(Code::Interrupted));
            }
        };
        checks.add(looked);
    }
    checks.add(std::mem::take(&mut plan.checks));
    tell(app, &checks);
    refuse(app, checks.refused)?;
    let mut written = plan.writable(args.repo.as_deref())?;
    if !args.dry_run {
        written.write()?;
    }
    print(app, &args, &plan)?;
    app.ui.flush()?;
    explain(app, &args, &wanted, &plan);
    match checks.not_checked.is_empty() {
        true => Ok(Code::Ok),
        false => Err(Error::silent(Code::Failed)),
    }
}

/// The cluster, unless it is not to be asked. One that a flag names must exist.
async fn connected(app: &mut App, args: &Args) -> Result<(Option<Cluster>, Checks)> {
    let mut checks = Checks::default();
    if args.local {
        checks.left_out.push("the cluster (--local)".to_owned());
        return Ok((None, checks));
    }
    match app.cluster().await {
        Ok(cluster) => Ok((Some(cluster), checks)),
        Err(error) if app.global.connection.given().is_some() => Err(error),
        Err(error) => {
            let why = error.message();
            checks.not_checked.push(format!("the cluster: {why}"));
            Ok((None, checks))
        }
    }
}

/// Prints the results of the checks, except the reasons to refuse.
fn tell(app: &mut App, checks: &Checks) {
    for warning in &checks.warnings {
        app.ui.warning(warning.as_str());
    }
    for what in checks.not_checked.iter().chain(&checks.left_out) {
        app.ui.warning(format!("not checked: {what}"));
    }
}

/// Ends the run if the onboarding is refused, and prints every reason.
fn refuse(app: &mut App, refused: Vec<Error>) -> Result<()> {
    let mut refused = refused.into_iter().rev();
    let Some(last) = refused.next() else {
        return Ok(());
    };
    for error in refused.rev() {
        app.ui.error(&error);
    }
    Err(last.hint("nothing was written").with_code(Code::Refused))
}

fn print(app: &mut App, args: &Args, plan: &Plan) -> Result<()> {
    match args.format.output {
        ReportFormat::Text if args.repo.is_some() => {
            let diff = plan.diff();
            app.ui.result(Shown::lines(diff.trim_end_matches('\n')))
        }
        ReportFormat::Text => {
            for text in plan.texts() {
                app.ui.result(Shown::lines(text.trim_end_matches('\n')))?;
            }
            Ok(())
        }
        ReportFormat::Json => Ok(json::write_value(&mut app.ui.machine(), &objects(plan))?),
        ReportFormat::Yaml => Ok(yaml::write_value(&mut app.ui.machine(), &objects(plan))?),
    }
}

/// The manifest, or a list of them.
fn objects(plan: &Plan) -> Value {
    let parsed = plan.texts().filter_map(document::embedded);
    let mut objects: Vec<Value> = parsed.collect();
    match objects.len() {
        1 => objects.swap_remove(0),
        _ => object_list::list(objects),
    }
}

/// Says what was done, and what the choice of encryption means.
fn explain(app: &mut App, args: &Args, wanted: &Wanted, plan: &Plan) {
    for line in plan.done(args) {
        app.ui.status(Shown::line(line));
    }
    let (choice, service) = match wanted.encryption {
        true => (
            "Encryption is on: the team uses Steelcouch, which encrypts what CouchDB stores.",
            "steelcouch-agora-kvs-secure-kvs-agora-couchdb",
        ),
        false => (
            "Encryption is off: the team uses CouchDB itself, which stores documents as they are. Only for data that is not sensitive.",
            "db-agora-kvs-secure-kvs-agora-couchdb",
        ),
    };
    app.ui.status(choice);
    app.ui.status("Do not change this after the installation.");
    app.ui.status(shown!(
        "In the runbook's installation its endpoint is http://{service}.secure-kvs.svc:5984"
    ));
    let namespace = &app.global.namespace;
    let notes = Command::skvs([
        "notes",
        &name_for(&wanted.database),
        "-n",
        namespace,
        "--share",
    ]);
    app.ui
        .hint(notes.after("once it is installed, print the message for the team:"));
}
