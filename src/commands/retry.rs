//! `retry`: takes the steps that troubleshoot prints under "Then", after a question.
//!
//! Owns the flags and the order: read, decide, show, ask, read again, act, follow. [`crate::diagnosis::retry`] decides what is done and
//! whether it is safe; the words are in `messages.rs`, the card in `plan.rs`, the acts in `act.rs`.

mod act;
mod messages;
mod plan;

use crate::app::App;
use crate::change;
use crate::cluster::Cluster;
use crate::couchdb::delete::confirm;
use crate::diagnosis::catalogue;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::couchdb_pods::AskArgs;
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::lookup;
use crate::model::duration::parse_duration;
use crate::question::card;
use crate::question::confirmation::{self, refused_unread};
use crate::render::output::ReportFormat;
use crate::render::{json, yaml};
use crate::snapshot::Snapshot;
use crate::triage::{self, follow};
use crate::view::retry::Outcome;
use act::Runner;
use k8s_openapi::jiff::Timestamp;
use plan::Plan;
use serde_json::Value;
use std::time::Duration;

/// The subject of the questions and of the errors before the first change.
const ACT: confirmation::Act = confirmation::Act::Retry;

/// Try a failed onboarding again, as troubleshoot says
///
/// Shows the cause and the steps that make Flux try again (those under "Then" in troubleshoot's report), asks for the HelmRelease's name,
/// reads everything again, and takes the steps. A stored failed revision is first removed by your own helm: Flux would upgrade it, which
/// does not create the database. Refused if any revision was ever deployed, or if this is not known, and while a reported cause is not
/// fixed.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind Retry); with --wait, text")),
    after_help = "Examples:
  kubectl skvs retry pds_database --dry-run
  kubectl skvs retry pds_database --wait
  kubectl skvs retry pds_database --even-if SKVS304
  kubectl skvs retry pds_database --context prod-east \\
    --confirm skvs-onboarding-pds--database --wait --timeout 10m

Exit codes: 0 done (with --wait: Ready), 1 failed, 3 with --wait: it failed again, 4 refused or not confirmed, 130 interrupted before anything was changed, or while waiting"
)]
pub struct Args {
    /// Onboarding, in any of its forms
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    name: String,
    /// Try again despite this reported cause: its fix cannot be seen, or is not needed; repeatable
    #[arg(long, value_name = "CODE", value_parser = code, help_heading = help::CONFIRMATION)]
    even_if: Vec<&'static str>,
    /// Confirm without a question: the HelmRelease's name; needs --context
    #[arg(long, value_name = "NAME", help_heading = help::CONFIRMATION)]
    confirm: Option<String>,
    /// Decide, have the API server check the change, and change nothing
    #[arg(long, help_heading = help::CHANGE)]
    dry_run: bool,
    /// Wait until it is Ready (exit code 0) or has failed again (3)
    #[arg(long, conflicts_with = "dry_run", help_heading = "Follow")]
    wait: bool,
    /// Longest wait, such as 90s or 10m, then exit code 1 [default: 5m]
    #[arg(long, value_name = "DURATION", requires = "wait", value_parser = parse_duration, help_heading = "Follow")]
    timeout: Option<Duration>,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
    #[command(flatten)]
    couchdb: AskArgs,
}

/// Reads a code in any of its forms.
fn code(text: &str) -> std::result::Result<&'static str, String> {
    let near = || match catalogue::near(text).as_slice() {
        [] => "this code does not exist".to_owned(),
        near => format!("it does not exist; did you mean {}?", near.join(", ")),
    };
    catalogue::find(text)
        .map(|entry| entry.code)
        .ok_or_else(near)
}

/// Runs `retry`.
///
/// # Errors
/// A refusal, or a read or step that failed.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let asks = app.ui.terminal().stdin && args.confirm.is_none() && !args.dry_run;
    refused_unread(asks, retried(app, &args).await)
}

async fn retried(app: &mut App, args: &Args) -> Result<Code> {
    if args.confirm.is_some() {
        args.couchdb.pods.environment.refuse()?;
    }
    if args.wait && args.format.output != ReportFormat::Text {
        return Err(Error::usage("--wait ends with a report as text")
            .hint("leave it out, and follow with troubleshoot --wait -o json"));
    }
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    let cluster = ACT.before(interrupt.as_mut(), app.cluster()).await?;
    let object = lookup::one(app, &cluster, &args.name);
    let object = ACT.before(interrupt.as_mut(), object).await?;
    let name = change::typed(&object)?.metadata.name;
    let way = if args.dry_run {
        None
    } else {
        Some(way(app, args, &name)?)
    };
    let read = look(app, &cluster, args, object, app.now);
    let plan = ACT.before(interrupt.as_mut(), read).await?;
    for code in &plan.retry.not_needed {
        app.ui.warning(format!(
            "--even-if {code} was not needed: it is not among the causes left to fix"
        ));
    }
    let runner = Runner::find(&plan, cluster.origin());
    card::show(app, &cluster, plan.heading(), plan.rows(&runner));
    if let Runner::Missing { why, .. } = &runner {
        tell(app, args, &plan, &runner, Outcome::ByHand)?;
        let error = Error::new(format!("{why}: nothing was changed"));
        return Err(error.hint("run the printed commands yourself, one after the other"));
    }
    let Some(way) = way else {
        act::check(app, &cluster, args, &plan).await?;
        tell(app, args, &plan, &runner, Outcome::Rehearsed)?;
        return Ok(Code::Ok);
    };
    confirmation::confirmed(&name, way, ACT, interrupt.as_mut()).await?;
    // The question may have been open for a long time.
    app.now = Timestamp::now();
    let again = async {
        let (namespace, name) = plan.id();
        let object: Value = cluster.helm_release(namespace, name).await?;
        look(app, &cluster, args, object, app.now).await
    };
    let again = ACT.before(interrupt.as_mut(), again).await;
    let again = again.map_err(messages::since_shown)?;
    plan.holds(&again)?;
    if let Err(not) = act::carry_out(app, &cluster, args, again, &runner).await {
        if !not.is_unchanged {
            // The failure matters more than a reader that is gone.
            let _ = tell(app, args, &plan, &runner, Outcome::Incomplete);
        }
        return Err(not.error);
    }
    tell(app, args, &plan, &runner, Outcome::Requested)?;
    if !args.wait {
        app.ui
            .hint(messages::follow(&plan, args).after("follow it:"));
        return Ok(Code::Ok);
    }
    let ended = follow::wait(app, &cluster, &name, &args.couchdb, args.timeout).await?;
    if ended == Code::Interrupted {
        let follow = messages::follow(&plan, args);
        app.ui
            .hint(follow.after("the retry has been requested; follow it:"));
    }
    Ok(ended)
}

/// The result, on stdout.
///
/// # Errors
/// stdout is gone.
fn tell(app: &mut App, args: &Args, plan: &Plan, runner: &Runner, outcome: Outcome) -> Result<()> {
    let document = plan.document(outcome, runner, app.ui.origin());
    match (args.format.output, outcome) {
        (ReportFormat::Text, Outcome::ByHand) => act::print_commands(app, plan, runner)?,
        // The error says it.
        (ReportFormat::Text, Outcome::Incomplete) => {}
        (ReportFormat::Text, _) => {
            change::tell(app, &plan.hr, "retried", outcome == Outcome::Rehearsed)?;
        }
        (ReportFormat::Json, _) => json::write(&mut app.ui.machine(), &document)?,
        (ReportFormat::Yaml, _) => yaml::write(&mut app.ui.machine(), &document)?,
    }
    Ok(())
}

/// How it is confirmed.
fn way(app: &App, args: &Args, name: &str) -> Result<confirm::ConfirmBy> {
    let terminal = app.ui.terminal();
    let confirm: Vec<String> = args.confirm.iter().cloned().collect();
    let context = app.global.connection.context.as_deref();
    let asks = terminal.stdin && terminal.stderr;
    let ways = confirm::ways("HelmRelease", &[name], asks, &confirm, context)?;
    Ok(ways
        .into_iter()
        .next()
        .expect("there is a way for each name"))
}

/// Reads everything about one onboarding, and decides.
async fn look(
    app: &App,
    cluster: &Cluster,
    args: &Args,
    object: Value,
    now: Timestamp,
) -> Result<Plan> {
    let read = snapshot(app, cluster, args, object, now).await?;
    Plan::new(&read, now, &args.even_if).map_err(|refusal| messages::refused(&read, args, refusal))
}

/// Reads an onboarding again after this run has removed its release.
async fn look_after_removal(
    app: &App,
    cluster: &Cluster,
    args: &Args,
    object: Value,
    before: &Plan,
) -> Result<Plan> {
    let now = Timestamp::now();
    let read = snapshot(app, cluster, args, object, now).await?;
    let plan = before.after_removal(&read, now);
    plan.map_err(|refusal| messages::interrupted(&read, args, refusal))
}

async fn snapshot(
    app: &App,
    cluster: &Cluster,
    args: &Args,
    object: Value,
    now: Timestamp,
) -> Result<Snapshot> {
    let (namespace, selector) = (&app.global.namespace, &app.global.onboarding_selector);
    let others = cluster.other_onboardings(namespace, selector).await;
    triage::snapshot(cluster, object, &others, &args.couchdb, now).await
}

/// The error of a read after something was changed.
fn after(error: Error, done: &str) -> Error {
    let text = format!("{done}: {}", error.message());
    let error = error
        .hints()
        .iter()
        .cloned()
        .fold(Error::new(text), Error::hint);
    error.with_code(Code::Failed)
}
