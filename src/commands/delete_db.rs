//! `delete-db`: the runbook's manual deletion of a database whose onboarding is gone.
//!
//! Owns the flags and the order of the steps; the words are in [`told`], what is safe is decided in [`crate::couchdb::delete`].

mod again;
mod told;

use super::couchdb_pods::PodArgs;
use crate::cli::App;
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::delete::card;
use crate::couchdb::delete::confirm::{self, Confirmed, Way};
use crate::couchdb::delete::execute::{self, Interrupt};
use crate::couchdb::delete::plan::{Plan, plan};
use crate::couchdb::delete::read::{self, Look};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::names::DatabaseName;
use told::{done, interrupted, no_target, not_found, refused, tell};

/// Delete the database of an onboarding that is gone
///
/// Refuses while anything claims it, while a member of the CouchDB cluster is missing, and whatever it cannot read. Asks for the
/// database's name before it deletes; a script gives it with --confirm, and the cluster with --context.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs delete-db pds_database --dry-run
  kubectl skvs delete-db pds_database
  kubectl skvs delete-db pds_database --context prod-east --confirm pds_database

-n and --onboarding-selector are not used: the HelmReleases of all namespaces are read.
Exit codes: 0 deleted, 1 failed or not there, 4 refused or not confirmed, 5 the outcome is not known, 6 a member still holds the data, 130 interrupted before anything was sent")]
pub struct Args {
    /// The database, <namespace>_<database>, such as pds_database
    #[arg(value_name = "DATABASE")]
    database: String,
    /// Confirm without a question; must be the database's name, and needs --context
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Read everything and delete nothing
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "server", default_value = "none", hide_default_value = true, value_parser = ["none", "server"])]
    dry_run: String,
    #[command(flatten)]
    pods: PodArgs,
}

/// Runs `delete-db`.
///
/// # Errors
/// A refusal, what could not be read, or the outcome that is not "deleted".
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let name = DatabaseName::parse(&args.database).map_err(|why| {
        let wrong = format!(
            "refused: {:?} is not an onboarding's database: {why}",
            args.database
        );
        Error::new(wrong)
            .with_code(Code::Refused)
            .hint("the name is <namespace>_<database>, as in: kubectl skvs list")
    })?;
    let dry_run = args.dry_run != "none";
    // A rehearsal with --confirm fails as the deletion itself would.
    let asked = (!dry_run || args.confirm.is_some())
        .then(|| way(app, &args, &name))
        .transpose()?;
    let way = asked.filter(|_| !dry_run);
    // One wait for the whole run: a Ctrl-C between two steps is seen by the next.
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(interrupt);
    let cluster = app.cluster().await?;
    let plan = tokio::select! {
        biased;
        plan = prepare(app, &args, &cluster, &name) => plan?,
        () = &mut interrupt => return Err(interrupted()),
    };
    let width = app.ui.terminal().width;
    for line in card::lines(&plan, cluster.context(), cluster.server()) {
        for part in card::folded(&line, width) {
            app.ui.status(&part);
        }
    }
    let Some(way) = way else {
        app.ui
            .result(&done(&name, &args.pods.couchdb_namespace, " (dry run)"))?;
        return Ok(Code::Ok);
    };
    let confirmed = confirmed(&name, plan, way, interrupt.as_mut()).await?;
    let outcome = execute::execute(&cluster, confirmed, interrupt.as_mut()).await;
    tell(app, &args, &name, outcome)
}

fn way(app: &App, args: &Args, name: &DatabaseName) -> Result<Way> {
    let terminal = app.ui.terminal();
    confirm::way(
        name,
        terminal.stdin && terminal.stderr,
        args.confirm.as_deref(),
        app.global.connection.context.as_deref(),
    )
}

/// Everything up to the plan: claims first, since they need no exec.
async fn prepare(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    name: &DatabaseName,
) -> Result<Plan> {
    let unclaimed = match read::claims(cluster, name).await? {
        Ok(unclaimed) => unclaimed,
        Err(refusals) => return Err(refused(app, refusals)),
    };
    let target = target(args, cluster).await?;
    match read::couchdb(cluster, &target, name, unclaimed).await? {
        Look::Facts(facts) => plan(*facts).map_err(|refusals| refused(app, refusals)),
        Look::NotFound { members, others } => Err(not_found(name, &target, &members, &others)),
    }
}

async fn target(args: &Args, cluster: &Cluster) -> Result<Target> {
    match args.pods.target(cluster).await? {
        Ok(target) => Ok(target),
        Err(why) => Err(no_target(cluster, &args.pods.couchdb_namespace, why).await),
    }
}

/// The question, or the flag that stands for its answer.
async fn confirmed(
    name: &DatabaseName,
    plan: Plan,
    way: Way,
    mut interrupt: Interrupt<'_>,
) -> Result<Confirmed> {
    let answer = match way {
        Way::Given(given) => given,
        Way::Typed => {
            let question = format!("Type {name} to delete it");
            // The prompt waits for a person; connections live on meanwhile.
            let asked = tokio::task::spawn_blocking(move || crate::ui::ask(&question));
            let typed = tokio::select! {
                biased;
                typed = asked => typed.map_err(|e| Error::new(format!("the question failed: {e}")))?,
                () = &mut interrupt => return Err(interrupted()),
            };
            match typed {
                Ok(typed) => typed,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    return Err(interrupted());
                }
                Err(error) => {
                    let why = format!("not confirmed: the answer cannot be read: {error}");
                    return Err(Error::new(why).with_code(Code::Refused));
                }
            }
        }
    };
    confirm::accept(plan, &answer)
}
