//! `delete-db`: the runbook's manual deletion of databases whose onboardings are gone.
//!
//! Owns the order in which the targets have their turn (`targets.rs`); one target's steps are in `target.rs`, its confirmation in
//! `question.rs`, the words in `messages.rs`. What is safe is decided in [`crate::couchdb::delete`].

mod args;
mod follow_up;
mod messages;
mod orphans;
mod plan_args;
mod question;
mod target;
mod targets;
mod trace;

pub use args::Args;

use crate::app::App;
use crate::couchdb::delete::risk::RiskKind;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::lookup::database_name;
use crate::model::names::DatabaseName;
use crate::question::confirmation::{Act, refused_unread};
use crate::text::Shown;
use target::Run;
use targets::Tally;
use trace::Trace;

/// Runs `delete-db`.
///
/// # Errors
/// A refusal, what could not be read, or the outcome that is not "deleted".
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let asks = app.ui.terminal().stdin && args.confirm.is_empty() && !args.is_rehearsal();
    refused_unread(asks, targets(app, args).await)
}

/// The databases, each once, in the order in which they were given.
///
/// # Errors
/// One of them cannot be an onboarding's: then none is looked at.
async fn names(app: &mut App, given: &[String]) -> Result<Vec<DatabaseName>> {
    let mut names: Vec<DatabaseName> = Vec::new();
    for text in given {
        let name = database_name::resolve(app, text).await?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

async fn targets(app: &mut App, args: Args) -> Result<Code> {
    if !args.confirm.is_empty() {
        args.pods.environment.refuse()?;
    }
    args.plan.check(args.is_rehearsal())?;
    let mut names = names(app, &args.databases).await?;
    // What is named is settled before anything is asked of the cluster; orphans are known only then.
    let place = args.place(&names)?;
    let mut ways = question::ways(app, &args, &names)?;
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    let cluster = app.cluster().await?;
    if args.orphans {
        let found = orphans::find(app, &args, &cluster);
        let found = Act::Delete.before(interrupt.as_mut(), found).await?;
        if found.orphans.is_empty() {
            return Ok(Code::Ok);
        }
        ways = question::ways(app, &args, &found.orphans)?;
        orphans::guard(app, &args, &found, interrupt.as_mut()).await?;
        names = found.orphans;
    } else if args.plan.accept.contains(&RiskKind::ManyOrphans.into()) {
        orphans::not_needed(app);
    }
    args.plan.count(names.len())?;
    let trace = Trace::open(&args.trace, args.is_rehearsal())?;
    let mut run = Run {
        app,
        args: &args,
        documents: Vec::new(),
        place: place.as_ref(),
        cluster: &cluster,
        trace,
        interrupt: interrupt.as_mut(),
    };
    let mut tally = Tally::default();
    run.announce(&names);
    let mut targets = names.iter().zip(ways);
    while let Some((name, way)) = targets.next() {
        run.turn(name, &names);
        let Err(ended) = run.target(name, way).await else {
            tally.done();
            continue;
        };
        if names.len() == 1 {
            target::print(run.app, &args, &run.documents, 1)?;
            return Err(ended.error);
        }
        run.app.ui.error(&ended.error);
        tally.ended(name, &ended);
        if !ended.goes_on {
            targets.by_ref().for_each(|(name, _)| tally.not_tried(name));
        }
    }
    target::print(run.app, &args, &run.documents, names.len())?;
    if names.len() == 1 {
        return Ok(Code::Ok);
    }
    run.app
        .ui
        .status(Shown::line(tally.line(args.is_rehearsal())));
    match tally.code() {
        Code::Ok => Ok(Code::Ok),
        code => Err(Error::silent(code)),
    }
}
