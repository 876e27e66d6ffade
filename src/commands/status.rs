//! `status`: one screen for the start of a shift.
//!
//! Owns the order of the steps: the HelmReleases, everything that can claim a database and CouchDB are read side by side, then what is not
//! well is looked into as `troubleshoot` does. Nothing is judged here: causes come from the checks, databases from the inventory.

mod clusters;
mod couchdb;
mod watch;

use crate::advice::Command;
use crate::app::App;
use crate::cluster::{Cluster, ownership};
use crate::couchdb::figures::Serving;
use crate::couchdb::look::Wanted;
use crate::couchdb::survey::Survey;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::contexts::ContextsArgs;
use crate::flags::couchdb_pods::AskArgs;
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::lookup;
use crate::lookup::empty;
use crate::model::helm_release::HelmRelease;
use crate::model::inventory::{self, Entry, State};
use crate::model::names::DatabaseName;
use crate::model::not_read::NotRead;
use crate::model::ownership::{Gap, Ownership};
use crate::render::output::StatusFormat;
use crate::render::report::Style;
use crate::render::{self, html, json, yaml};
use crate::triage::{self, Which};
use crate::view::databases::served;
use crate::view::onboarding_counts::Counts;
use crate::view::status::{CouchDb, Databases, Parts, Status};
use couchdb::Asking;
use std::sync::Arc;

/// Show the state of all onboardings, their databases and CouchDB
///
/// One screen for the start of a shift: onboardings by state, orphans and shared databases, CouchDB's members, how fresh the chart's
/// source is, and each cause, worst first. What could not be read is named and never counts as fine.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, html (one file to attach), json or yaml (kind Status)")),
    mut_group("several", |several| several.conflicts_with("watch")),
    after_help = "Examples:
  kubectl skvs status
  kubectl skvs status -A -w
  kubectl skvs status --all-contexts
  kubectl skvs status -o json
  kubectl skvs status -A -o html > status.html

Exit codes: 0 everything was read and no error was found; 1 failed, or not everything could be read; 3 an error was found, by a check of
troubleshoot, or a member of CouchDB is down, CouchDB cannot serve a database, or a chart source fails or does not exist"
)]
pub struct Args {
    /// Count the onboardings of all namespaces; wins over -n
    #[arg(short = 'A', long, help_heading = help::SELECTION)]
    all_namespaces: bool,
    /// Continue with the changes: on a terminal the screen is drawn again in place; everything is read again every 10 seconds, or less
    /// often if that takes long
    #[arg(short = 'w', long, help_heading = help::OUTPUT)]
    watch: bool,
    #[command(flatten)]
    contexts: ContextsArgs,
    #[command(flatten)]
    couchdb: AskArgs,
    #[command(flatten)]
    format: FormatArgs<StatusFormat>,
}

/// Runs `status`.
///
/// # Errors
/// What the cluster said: of a part that could not be read alone the status says so.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    if args.watch && args.format.output == StatusFormat::Html {
        return Err(Error::usage("a watch prints text, json or yaml"));
    }
    if let Some(fleet) = args.contexts.fleet(app)? {
        return clusters::run(app, &args, &fleet).await;
    }
    let cluster = app.cluster().await?;
    let mut asking = Asking::default();
    if args.watch {
        return watch::run(app, &args, &cluster, &mut asking).await;
    }
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    let status = tokio::select! {
        biased;
        status = look(app, &args, &cluster, &mut asking) => status?,
        () = &mut interrupt => {
            return Err(Error::new("interrupted").with_code(Code::Interrupted));
        }
    };
    let code = status.code();
    // A reader that goes away takes the status, not the verdict.
    print(app, &args, &status)
        .and_then(|()| app.ui.flush())
        .map_err(|error| error.of_output(code))?;
    if status.onboardings.total() == 0
        && let Some(why) = empty::why(app, &cluster, status.namespace.as_deref()).await
    {
        app.ui.hint(&why);
    }
    if args.format.output == StatusFormat::Text && !status.causes.is_empty() {
        let mut command = Command::skvs(["troubleshoot"]).args(args.couchdb.words());
        if args.all_namespaces {
            command = command.args(["-A"]);
        }
        app.ui.hint(command.after("evidence and what to do:"));
    }
    match code {
        Code::Failed => Err(Error::silent(Code::Failed)),
        code => Ok(code),
    }
}

fn print(app: &mut App, args: &Args, status: &Status) -> Result<()> {
    match args.format.output {
        StatusFormat::Text => {
            let (style, now) = (style(app, args), app.now);
            render::status::write(&mut app.ui.screen(), status, style, now)?;
        }
        StatusFormat::Html => {
            let now = app.now;
            html::status(&mut app.ui.screen(), status, args.all_namespaces, now)?;
        }
        StatusFormat::Json => json::write(&mut app.ui.machine(), status)?,
        StatusFormat::Yaml => yaml::write(&mut app.ui.machine(), status)?,
    }
    Ok(())
}

fn style(app: &App, args: &Args) -> Style {
    Style {
        width: app.ui.terminal().prose(),
        namespaced: args.all_namespaces,
        details: None,
        seconds: None,
        palette: app.ui.palette(),
    }
}

/// Reads everything.
async fn look(app: &App, args: &Args, cluster: &Cluster, asking: &mut Asking) -> Result<Status> {
    let which = Which {
        names: &[],
        all_namespaces: args.all_namespaces,
        selector: None,
        couchdb: None,
    };
    let ask = async |onboardings: &[HelmRelease], wanted: &Wanted| {
        let all = couchdb::with_claims(onboardings, wanted);
        asking.ask(cluster, &args.couchdb, &all).await;
        Arc::new(asking.databases(wanted))
    };
    let (picked, ownership) = futures::join!(
        triage::unwell(app, cluster, which, ask),
        ownership::gather(cluster)
    );
    let (mut picked, ownership) = (picked?, ownership?);
    let namespace = (!args.all_namespaces).then(|| app.global.namespace.clone());
    let chosen = std::mem::take(&mut picked.chosen);
    let mut onboardings = Counts {
        unreadable: chosen.unreadable,
        ..Counts::default()
    };
    chosen.readable.iter().for_each(|hr| onboardings.add(hr));
    let ((report, errors), (sources, more)) = futures::join!(
        triage::causes(cluster, picked, app.now),
        lookup::sources::load(cluster, &chosen.readable)
    );
    let report = report.seen_at(cluster.origin(), Some(app.now));
    let mut not_read: Vec<NotRead> = Vec::new();
    not_read.extend(asking.not_read());
    not_read.extend(more);
    let unread = errors.iter().map(|error| error.message().to_owned());
    not_read.extend(unread.map(|why| NotRead::new("an onboarding", why)));
    let survey = asking.survey();
    let (databases, unknown) = databases(survey, &asking.why(), &ownership);
    not_read.extend(unknown);
    let (couchdb, members) = CouchDb::new(
        &args.couchdb.pods.place.couchdb_namespace,
        asking.pods(),
        survey,
    );
    not_read.extend(members.map(|why| NotRead::new("CouchDB's members", why)));
    Ok(Status::from(Parts {
        namespace,
        onboardings,
        report,
        databases,
        couchdb,
        sources,
        not_read,
    }))
}

/// The databases joined with what claims them, and what leaves their states open.
fn databases(
    survey: Option<&Survey>,
    why: &str,
    ownership: &Ownership,
) -> (Databases, Vec<NotRead>) {
    let mut not_read: Vec<NotRead> = Vec::new();
    let gaps = ownership.gaps().into_iter();
    not_read.extend(gaps.filter_map(|gap| match gap {
        Gap::Read(unread) => Some(unread),
        // That nothing is there to claim a database was read.
        Gap::NoHelmReleases | Gap::NoOnboardings { .. } => None,
    }));
    let entries = match survey {
        None => {
            let mut claimed = inventory::claimed(ownership, why);
            // It is said once, of all of them.
            claimed.iter_mut().for_each(|entry| entry.why = None);
            claimed
        }
        Some(survey) => {
            let listed = inventory::join(&survey.names, ownership);
            let mut serving = survey.serving.clone();
            // CouchDB cannot hold a database with an invalid name. Any other is missing only if its own GET says so.
            let can_be = |e: &&Entry| DatabaseName::parse(&e.name).is_ok();
            for entry in listed.iter().filter(|e| !e.is_there()).filter(can_be) {
                let unasked = || Serving::NotRead("CouchDB does not list it".to_owned());
                serving.entry(entry.name.clone()).or_insert_with(unasked);
            }
            let (shown, _) = served::shown(listed, serving, ownership, true);
            shown.into_iter().map(|database| database.entry).collect()
        }
    };
    if survey.is_some() {
        let unknown = entries.iter().filter(|e| e.state == State::Unknown);
        let unknown = unknown.filter_map(|e| Some((&e.name, e.why.as_ref()?)));
        not_read.extend(unknown.map(|(name, why)| {
            NotRead::new(format!("the state of the database {name}"), why.clone())
        }));
    }
    (Databases::new(&entries, survey.is_some()), not_read)
}
