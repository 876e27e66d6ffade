//! `databases`: every database of the shared CouchDB, and whose it is.
//!
//! Owns the flags and the order of the steps: the claims and CouchDB are read side by side, joined, narrowed, and only what is shown is
//! asked for its figures. The words beside the table are in [`told`].

mod print;
mod told;

use super::couchdb_pods::PodArgs;
use crate::cli::App;
use crate::cluster::{Cluster, ownership};
use crate::couchdb::session::Session;
use crate::couchdb::{Target, figures};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::inventory::{self, Entry, State};
use crate::model::ownership::Ownership;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::snapshot::Read;
use crate::snapshot::databases::Figures;
use crate::view::databases::Database;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longest silence of CouchDB within an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// List the databases of the shared CouchDB and whose they are
///
/// STATE is one of: in use; shared (several claim it); orphan (nobody claims it: its onboarding is gone); missing (an onboarding
/// claims it, and it is not there); mentioned (nobody claims it, but an object may: -o wide names it); foreign (nobody claims it, and its name is not <namespace>_<database>, so no command here
/// deletes it); system (CouchDB's own); unknown (nobody is seen to claim it, and not everything that can claim could be read).
/// UPDATED is when Helm last deployed its onboarding, or tried to: CouchDB keeps no time of the last write.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs databases
  kubectl skvs databases --orphans
  kubectl skvs databases pds_database -o wide
  kubectl skvs databases --orphans -o name | xargs -r kubectl skvs delete-db --dry-run
  kubectl skvs databases -o jsonpath='{.items[?(@.state==\"missing\")].metadata.name}'
  kubectl skvs databases -o jsonpath='{range .items[?(@.state==\"mentioned\")]}{.metadata.name}: {.reason}{\"\\n\"}{end}'

-n and --onboarding-selector are not used: as for delete-db, everything that can claim a database is read in all namespaces.
Exit codes: 0 listed, 1 failed, not there, or not everything that can claim could be read")]
pub struct Args {
    /// Names of databases, such as pds_database; without names, all
    #[arg(value_name = "DATABASE", value_parser = database)]
    databases: Vec<String>,
    /// Only orphans: databases that nobody claims
    #[arg(long)]
    orphans: bool,
    /// Sort by this JSONPath, such as .bytes or .metadata.creationTimestamp
    #[arg(long, value_name = "JSONPATH")]
    sort_by: Option<String>,
    /// Leave the header line out
    #[arg(long, alias = "no-header")]
    no_headers: bool,
    /// Format: table, wide, json, yaml, name (the bare names), jsonpath=TEMPLATE or custom-columns=SPEC
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "table",
        hide_default_value = true
    )]
    output: String,
    /// As without it: all namespaces are read anyway.
    #[arg(short = 'A', long, hide = true)]
    all_namespaces: bool,
    #[command(flatten)]
    pods: PodArgs,
}

/// What CouchDB told, by database.
type Told = BTreeMap<String, Read<Figures>>;

/// Reads a name. An empty one, as of a variable that is set to nothing, names none.
fn database(text: &str) -> std::result::Result<String, &'static str> {
    match text.trim() {
        "" => Err("a name must not be empty"),
        name => Ok(name.to_owned()),
    }
}

/// Runs `databases`.
///
/// # Errors
/// A wrong flag, what the cluster or CouchDB said, or that not everything that can claim could be read.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let output = Output::parse(&args.output).map_err(|e| Error::usage(e.to_string()))?;
    let sort = match &args.sort_by {
        Some(path) => Some(SortBy::parse(path).map_err(|e| Error::usage(e.to_string()))?),
        None => None,
    };
    let cluster = app.cluster().await?;
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    let seen = tokio::select! {
        biased;
        seen = look(&cluster, &args, &output) => seen?,
        () = &mut interrupt => {
            return Err(Error::new("interrupted").with_code(Code::Interrupted));
        }
    };
    print::print(app, &args, &output, sort.as_ref(), &seen)?;
    app.ui.flush()?;
    told::tell(app, &args, &output, &seen)
}

/// What a run has seen.
struct Seen {
    target: Target,
    ownership: Ownership,
    /// Databases in CouchDB.
    there: usize,
    /// What the flags let through, with its figures.
    shown: Vec<Database>,
    /// Those of all databases that were named, or of all: how many of no known owner.
    unknown: usize,
    /// Names that were asked for and are neither there nor claimed, each with those that are near.
    not_found: Vec<(String, Vec<String>)>,
}

/// Reads everything. Orphans are known only when all claims are; everything else is asked for while those are read.
async fn look(cluster: &Cluster, args: &Args, output: &Output) -> Result<Seen> {
    let with_figures = !matches!(output, Output::Name);
    let couchdb = async {
        let target = args.pods.container(cluster).await?;
        let opened = Session::open(cluster, &target, PATIENCE).await;
        let mut session = opened.map_err(|failure| failure.into_error(&target))?;
        let names = figures::names(&mut session, &target).await?;
        let wanted: Vec<&str> = names
            .iter()
            .filter(|n| args.databases.is_empty() || args.databases.contains(*n))
            .map(String::as_str)
            .collect();
        let told = match with_figures && !args.orphans {
            true => figures::of(&mut session, &wanted).await,
            false => Told::new(),
        };
        Ok::<_, Error>((target, session, names, told))
    };
    let (ownership, couchdb) = futures::join!(ownership::read(cluster), couchdb);
    let ownership = ownership?;
    let (target, mut session, names, mut told) = couchdb?;
    let mut listed = inventory::join(&names, &ownership);
    let not_found = named(&mut listed, &args.databases);
    let unknown = count(&listed, State::Unknown);
    if args.orphans {
        listed.retain(|entry| entry.state == State::Orphan);
        if with_figures {
            let orphans: Vec<&str> = listed.iter().map(|e| e.name.as_str()).collect();
            told = figures::of(&mut session, &orphans).await;
        }
    }
    session.close().await;
    Ok(Seen {
        target,
        there: names.len(),
        shown: shown(listed, told, &ownership),
        ownership,
        unknown,
        not_found,
    })
}

/// Keeps those that are named; gives the names that none has.
fn named(listed: &mut Vec<Entry>, names: &[String]) -> Vec<(String, Vec<String>)> {
    if names.is_empty() {
        return Vec::new();
    }
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = listed.iter().map(|e| e.name.as_str()).collect();
    let near = |name: &str| {
        let near = crate::text::near(name, known.iter().copied());
        near.into_iter().map(str::to_owned).collect()
    };
    let absent = wanted.difference(&known);
    let not_found = absent.map(|n| ((*n).to_owned(), near(n))).collect();
    listed.retain(|entry| wanted.contains(entry.name.as_str()));
    not_found
}

fn count(listed: &[Entry], state: State) -> usize {
    listed.iter().filter(|e| e.state == state).count()
}

/// Each with what CouchDB told of it. A database that went meanwhile is not listed as there.
fn shown(listed: Vec<Entry>, mut told: Told, ownership: &Ownership) -> Vec<Database> {
    let mut shown = Vec::new();
    for entry in listed {
        let figures = match told.remove(&entry.name) {
            Some(figures) => figures,
            None if entry.is_there() => Read::not_asked("the format shows names only"),
            None => Read::Absent,
        };
        let entry = match figures {
            Read::Absent if entry.is_there() => entry.gone(ownership),
            _ => Some(entry),
        };
        shown.extend(entry.map(|entry| Database { entry, figures }));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            state: State::Orphan,
            claimants: Vec::new(),
            why: None,
        }
    }

    #[test]
    fn names_narrow_and_those_that_none_has_are_told_with_what_is_near() {
        let all = || vec![entry("pds_database"), entry("orphan_db"), entry("_users")];
        let asked = ["orphan_db", "pds_databse", "zzz"].map(str::to_owned);
        let mut listed = all();
        let not_found = named(&mut listed, &asked);
        assert_eq!(listed, [entry("orphan_db")]);
        assert_eq!(
            not_found,
            [
                ("pds_databse".to_owned(), vec!["pds_database".to_owned()]),
                ("zzz".to_owned(), Vec::new())
            ]
        );
        let mut listed = all();
        assert!(named(&mut listed, &[]).is_empty() && listed == all());
    }

    #[test]
    fn an_empty_name_is_none() {
        assert!(database(" ").is_err() && database("a_b").is_ok());
    }
}
