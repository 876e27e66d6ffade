//! `restore`: a backup back into a database. It changes the cluster, so it shows what it will do and asks as `delete-db` asks.
//!
//! Owns flags, order of the steps and words; what is written and checked is in [`crate::couchdb::backup::push`].

use crate::app::App;
use crate::backup::checked;
use crate::backup::meter::Meter;
use crate::cluster::ownership;
use crate::couchdb::Target;
use crate::couchdb::backup::link::Link;
use crate::couchdb::backup::push::{Present, Restore};
use crate::couchdb::backup::whole::Whole;
use crate::couchdb::delete::confirm;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::couchdb_pods::PodArgs;
use crate::help;
use crate::lookup::database_name;
use crate::model::names::DatabaseName;
use crate::model::ownership::Verdict;
use crate::question::card;
use crate::question::confirmation::{Act, confirmed, refused_unread};
use crate::render::card::Row;
use crate::text::{count, one_line, shown};
use std::path::PathBuf;

/// Restore a backup into a database
///
/// Checks the whole file, creates the database, writes every revision with attachments and the security object, and asks CouchDB for
/// each of them afterwards. Refuses a database that exists, unless --into-existing is given. Asks for the database's name before it
/// writes; a script gives it with --confirm, and the cluster with --context.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs restore pds_database.skvs.gz --to pds_database
  kubectl skvs restore a.skvs.gz --to a_b --context prod-east --confirm a_b

The onboarding itself is not restored, and its chart cannot install while the database exists.
Exit codes: 0 restored and checked, 1 failed, 4 refused or not confirmed, 130 interrupted before anything was written")]
pub struct Args {
    /// Backup to restore
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Database to write, <namespace>_<database>
    #[arg(long, value_name = "DATABASE", help_heading = help::SELECTION)]
    to: String,
    /// Merge into an existing database: its documents and security object stay
    #[arg(long, help_heading = help::SELECTION)]
    into_existing: bool,
    /// Confirm without a question: the database's name; needs --context
    #[arg(long, value_name = "NAME", help_heading = help::CONFIRMATION)]
    confirm: Option<String>,
    #[command(flatten)]
    pods: PodArgs,
}

/// Runs `restore`.
///
/// # Errors
/// A refusal, a file that is not whole, or a database that is not what the file is.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let asks = app.ui.terminal().stdin && args.confirm.is_none();
    refused_unread(asks, put_back(app, args).await)
}

async fn put_back(app: &mut App, args: Args) -> Result<Code> {
    let name = database_name::resolve(app, &args.to).await?;
    let terminal = app.ui.terminal();
    if args.confirm.is_some() {
        args.pods.environment.refuse()?;
    }
    let confirm: Vec<String> = args.confirm.iter().cloned().collect();
    let context = app.global.connection.context.as_deref();
    let one = std::slice::from_ref(&name);
    let ways = confirm::ways(
        "database",
        one,
        terminal.stdin && terminal.stderr,
        &confirm,
        context,
    )?;
    let way = ways
        .into_iter()
        .next()
        .expect("there is a way for each name");
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);

    let act = Act::Write;
    let checked = checked(app, &args.file);
    let whole = act.before(interrupt.as_mut(), checked).await?;
    let cluster = act.before(interrupt.as_mut(), app.cluster()).await?;
    let target = args.pods.container(&cluster);
    let target = act.before(interrupt.as_mut(), target).await?;
    let mut link = Link::new(&cluster, &target, &name);
    let mut restore = Restore::new(&mut link, &whole);
    let there = {
        let mut meter = Meter::new(&mut app.ui, &name);
        let mut watch = |progress| meter.show(progress);
        let look = async {
            let there = restore.look(&mut watch).await;
            there.map_err(|why| failed(&target, &why))
        };
        act.before(interrupt.as_mut(), look).await?
    };
    allowed(&args, &name, &whole, there)?;
    let ownership = ownership::gather(&cluster);
    let ownership = act.before(interrupt.as_mut(), ownership).await?;
    let claims = ownership.verdict(name.as_str());
    let rows = rows(&target, &name, &whole, &claims);
    card::show(app, &cluster, &heading(there), rows);
    if !claims.claims.is_empty() && there == Present::Nothing {
        app.ui.warning(format!(
            "an onboarding claims {name}: where it is not installed yet, its creation Job will fail on a database that is there"
        ));
    }
    confirmed(&name, way, act, interrupt.as_mut()).await?;

    let done = {
        let mut meter = Meter::new(&mut app.ui, &name);
        let mut watch = |progress| meter.show(progress);
        #[expect(clippy::disallowed_methods, reason = "the restore that was confirmed")]
        let work = restore.run(there, &mut watch);
        tokio::select! {
            biased;
            () = interrupt.as_mut() => None,
            done = work => Some(done),
        }
    };
    app.ui.end_live();
    let again = "to continue, restore again with --into-existing: documents already written stay as they are";
    match done {
        None => Err(Error::new(format!(
            "interrupted: database \"{name}\" may hold a part of the file only"
        ))
        .hint(again)),
        Some(Err(not)) => {
            let error = failed(&target, &not.why);
            if !not.begun {
                return Err(error);
            }
            app.ui.error(&error);
            Err(Error::new(format!(
                "database \"{name}\" is not restored: it may hold a part of the file only"
            ))
            .hint(again))
        }
        Some(Ok(restored)) => {
            link.close().await;
            let line = shown!(
                "database \"{name}\" restored to {} namespace",
                args.pods.place.couchdb_namespace
            );
            app.ui.result(line)?;
            app.ui.flush()?;
            app.ui.status(shown!(
                "Checked: {}, and each of the file's {}.",
                count(restored.documents, "document"),
                count(restored.revisions, "revision")
            ));
            for what in &restored.other {
                let so = match *what {
                    "the security object" => "who may read it is not as it was",
                    "_revs_limit" => "histories longer than this limit are cut",
                    _ => "purges are remembered as before",
                };
                app.ui.warning(format!(
                    "{what} of {name} is not the backup's and was left as it is: {so}"
                ));
            }
            Ok(Code::Ok)
        }
    }
}

/// What is there must not be in the way.
fn allowed(args: &Args, name: &DatabaseName, whole: &Whole, there: Present) -> Result<()> {
    let Present::Database {
        documents,
        partitioned,
    } = there
    else {
        return Ok(());
    };
    let refused = |why: String| Error::new(format!("refused: {why}")).with_code(Code::Refused);
    if !args.into_existing {
        return Err(refused(format!(
            "database {name} exists and has {}",
            count(documents, "document")
        ))
        .hint("restore it under another name, or merge into it with --into-existing"));
    }
    if partitioned != whole.header.partitioned {
        let is = |p: bool| if p { "partitioned" } else { "not partitioned" };
        return Err(refused(format!(
            "database {name} is {}, the backup is of one that is {}",
            is(partitioned),
            is(whole.header.partitioned)
        )));
    }
    Ok(())
}

/// What will be done.
fn heading(there: Present) -> String {
    match there {
        Present::Nothing => "This creates a database and writes a backup into it.".to_owned(),
        Present::Database { documents, .. } => format!(
            "This merges a backup into a database that has {}.",
            count(documents, "document")
        ),
    }
}

/// From where and into what.
fn rows(target: &Target, name: &DatabaseName, whole: &Whole, claims: &Verdict) -> Vec<Row> {
    let header = &whole.header;
    let mut backup = format!(
        "of {}, begun {}, {} and {}",
        one_line(&header.database),
        one_line(&header.taken),
        count(whole.trailer.totals.documents, "document"),
        count(whole.trailer.lines.attachments, "attachment"),
    );
    let mut stale: Vec<&String> = header.stale.iter().chain(&whole.trailer.stale).collect();
    stale.dedup();
    for why in stale {
        backup.push_str(&format!("; it may be stale: {}", one_line(why)));
    }
    vec![
        ("CouchDB", target.address()),
        ("Database", name.to_string()),
        ("Backup", backup),
        ("Onboarding", whose(claims)),
    ]
}

/// Who claims the database that is written.
fn whose(verdict: &Verdict) -> String {
    let by: Vec<String> = verdict
        .claims
        .iter()
        .map(|c| one_line(&c.by.words()))
        .collect();
    if !by.is_empty() {
        return format!("claimed by {}", by.join(", "));
    }
    if let Some(gap) = verdict.gaps.first() {
        return format!("not known: {}", one_line(&gap.to_string()));
    }
    match &verdict.mentions[..] {
        [] => "none claims it".to_owned(),
        [first, ..] => format!("none is seen to claim it, but {}", one_line(&first.what)),
    }
}

fn failed(target: &Target, why: &str) -> Error {
    Error::new(format!("{target}: {}", one_line(why)))
}
