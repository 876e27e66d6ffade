//! `offboard`: the order in which an onboarding is removed, and how far that is. Nothing is changed.
//!
//! Owns the flags and the order of the reads. Which onboarding a name means is in `subject.rs`, its manifests are found in `manifests.rs`;
//! [`crate::diagnosis::offboarding`] judges the steps.

mod manifests;
mod subject;

use crate::app::App;
use crate::cluster::{Cluster, offboarding};
use crate::couchdb::look::Wanted;
use crate::diagnosis::lint::Repository;
use crate::diagnosis::offboarding::{Facts, Manifests, Step, Subject, accounts, next, steps};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::cluster_folder;
use crate::flags::couchdb_pods::AskArgs;
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::render::output::ReportFormat;
use crate::render::{self, json, yaml};
use crate::repository::{Layout, Tree, folder, layout};
use crate::snapshot::Read;
use crate::snapshot::databases::Found;
use crate::text::{near, one_line};
use crate::triage::databases;
use crate::view::offboarding::OffboardingPlan;
use std::path::PathBuf;

/// Show the order in which an onboarding is removed
///
/// Users, manifest, Kustomization, HelmRelease, Helm's release, policy and Job, database: each step is checked and is done, to do, blocked
/// or not known, with the commands that it takes. Can be run before, between and after the steps. Changes nothing: the last step is
/// delete-db, which checks everything again.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind OffboardingPlan)")),
    after_help = "Examples:
  kubectl skvs offboard pds_database --repo ~/gitops
  kubectl skvs offboard pds--database --repo ~/gitops --for-cluster prod-east
  kubectl skvs offboard pds_database -o json

-n is the namespace of the HelmReleases; --onboarding-selector is used in the repository only.
Exit codes: 0 every step is done, 3 steps are left, 1 failed, or nothing is left as far as is known and not every step could be checked"
)]
pub struct Args {
    /// Onboarding: its HelmRelease, manifest or database; a HelmRelease that is gone best by its database
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    name: String,
    /// Folder of the GitOps repository; without it the manifest is not known
    #[arg(long, value_name = "FOLDER", help_heading = help::SELECTION)]
    repo: Option<PathBuf>,
    /// This cluster, by its folder's name in the repository
    #[arg(long, value_name = "CLUSTER", requires = "repo", value_parser = cluster_folder::folder, help_heading = help::SELECTION)]
    for_cluster: Option<String>,
    /// Where a cluster's onboardings are in the repository: a path with <cluster> in it; by default as in the runbook
    #[arg(long, value_name = "LAYOUT", default_value = layout::RUNBOOK, hide_default_value = true, help_heading = help::SELECTION)]
    layout: Layout,
    #[command(flatten)]
    couchdb: AskArgs,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
}

/// Runs `offboard`.
///
/// # Errors
/// The name means no onboarding or several, or what the cluster said: of a part that could not be read alone the plan says so.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let conventions = app.conventions(&args.layout)?;
    let tree = match &args.repo {
        Some(repo) => Some(Tree::parse(
            folder::load(std::slice::from_ref(repo))?,
            &args.layout,
        )),
        None => None,
    };
    if let (Some(repo), Some(tree), Some(cluster)) = (&args.repo, &tree, &args.for_cluster) {
        cluster_folder::check(repo, &args.layout, tree, cluster)?;
    }
    let namespace = app.global.namespace.clone();
    let repository = tree
        .as_ref()
        .map(|tree| Repository::new(tree, &conventions));
    let cluster = app.cluster().await?;
    let survey = offboarding::survey(&cluster, &namespace).await?;
    let subject = subject::resolve(&args, &cluster, &namespace, &survey, repository.as_ref());
    let subject = subject.await?;
    let found = repository
        .as_ref()
        .map(|repository| manifests::find(&args, repository, &subject, &namespace));
    let facts = gather(&cluster, &args, survey, subject, found).await;
    let steps = steps(&facts);
    let plan = OffboardingPlan::new(&facts.subject, &steps, cluster.origin());
    print(app, &args, &plan)?;
    if args.format.output == ReportFormat::Text {
        follow(app, &plan, &facts, &steps);
    }
    match plan.code() {
        Code::Failed => Err(Error::silent(Code::Failed)),
        code => Ok(code),
    }
}

/// Reads the rest.
async fn gather(
    cluster: &Cluster,
    args: &Args,
    survey: offboarding::Survey,
    subject: Subject,
    manifests: Option<Manifests>,
) -> Facts {
    let database = subject.database.clone();
    let policies = survey.ownership.policies_of(database.as_str()).known;
    let id = subject.id.to_string();
    let mut all = survey.helm_releases.known().iter();
    let accounts = accounts(&policies, all.find(|hr| hr.id() == id));
    let wanted = Wanted {
        names: vec![database.clone()],
        aged: Vec::new(),
    };
    let (jobs, pods, couchdb) = futures::join!(
        offboarding::jobs(cluster, &subject, &survey),
        offboarding::pods(cluster, accounts.known()),
        databases::ask(cluster, Some(&args.couchdb), &wanted)
    );
    let couchdb: Read<Found> = match &*couchdb {
        Read::Seen(databases) => databases.of(database.as_str()),
        Read::Unknown(why) => Read::Unknown(why.clone()),
        Read::Absent => Read::not_asked("CouchDB was not asked for it"),
    };
    Facts {
        subject,
        helm_releases: survey.helm_releases,
        ownership: survey.ownership,
        kustomizations: survey.kustomizations,
        jobs,
        pods,
        couchdb,
        couchdb_namespace: args.couchdb.pods.place.couchdb_namespace.clone(),
        couchdb_flags: args.couchdb.pods.words(),
        manifests,
    }
}

fn print(app: &mut App, args: &Args, plan: &OffboardingPlan) -> Result<()> {
    match args.format.output {
        ReportFormat::Text => {
            let (width, palette) = (app.ui.terminal().prose(), app.ui.palette());
            render::offboarding::write(&mut app.ui.screen(), plan, width, palette)?;
        }
        ReportFormat::Json => json::write(&mut app.ui.machine(), plan)?,
        ReportFormat::Yaml => yaml::write(&mut app.ui.machine(), plan)?,
    }
    app.ui.flush()
}

/// The next command, on stderr.
fn follow(app: &mut App, plan: &OffboardingPlan, facts: &Facts, steps: &[Step]) {
    if let Some((part, command)) = next(steps) {
        let command = command.clone();
        return app
            .ui
            .hint(command.after(format!("next, {}:", part.words())));
    }
    if plan.code() != Code::Ok {
        return;
    }
    if facts.subject.certain {
        app.ui.status("Nothing of it is left.");
    } else {
        // A mistyped name has nothing left either.
        app.ui
            .status("Nothing of it is left, and nothing shows that it was ever here.");
        let near = near(&plan.database, facts.ownership.expected());
        if !near.is_empty() {
            let near = one_line(&near.join(", "));
            app.ui
                .hint(format!("if that is not the name: did you mean {near}?"));
        }
    }
}
