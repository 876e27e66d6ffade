//! `databases`: every database of the shared CouchDB, and whose it is.
//!
//! Owns the flags and the order of the steps: the claims and CouchDB are read side by side, joined, narrowed, and only what is shown is
//! asked for its figures. The words beside the table are in [`messages`].

mod messages;
mod print;

use super::couchdb_pods::PodArgs;
use crate::cli::App;
use crate::cluster::{Cluster, ownership};
use crate::couchdb::Target;
use crate::couchdb::figures::{self, Reader, Serving};
use crate::couchdb::session::Session;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::inventory::{self, Entry, State};
use crate::model::names::DatabaseName;
use crate::model::ownership::Ownership;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::snapshot::Read;
use crate::view::databases::Database;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longest silence of CouchDB within an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// List the databases of the shared CouchDB and whose they are
///
/// STATE is one of: in use; shared (several claim it); orphan (nobody claims it: its onboarding is gone); missing (an onboarding
/// claims it, and it is not there); mentioned (nobody claims it, but an object may: -o wide names it); foreign (nobody claims it, and its name is not <namespace>_<database>, so no command here
/// deletes it); system (CouchDB's own); unserved (CouchDB has it and fails to answer for it: -o wide shows its words); unknown (nobody is
/// seen to claim it, and not everything that can claim could be read; or whether it is there could not be read).
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
Exit codes: 0 listed; 1 failed, not there, unserved, or not everything could be read")]
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

/// What CouchDB says, by database.
type Told = BTreeMap<String, Serving>;

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
    messages::tell(app, &args, &output, &seen)
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
    /// Databases that CouchDB cannot serve, and those whose existence could not be read.
    doubts: Vec<Doubt>,
    /// Names that were asked for and are neither there nor claimed, each with those that are near.
    not_found: Vec<(String, Vec<String>)>,
}

/// A database that CouchDB gives no figures for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Doubt {
    name: String,
    state: State,
    why: String,
}

/// Reads everything. Orphans are known only when all claims are; everything else is asked for while those are read.
async fn look(cluster: &Cluster, args: &Args, output: &Output) -> Result<Seen> {
    let with_figures = !matches!(output, Output::Name);
    let couchdb = async {
        let target = args.pods.container(cluster).await?;
        let opened = Session::open(cluster, &target, PATIENCE).await;
        let session = opened.map_err(|failure| failure.into_error(&target))?;
        let mut reader = Reader::new(session);
        let names = figures::names(&mut reader, &target).await?;
        let wanted: Vec<&str> = names
            .iter()
            .filter(|n| args.databases.is_empty() || args.databases.contains(*n))
            .map(String::as_str)
            .collect();
        let told = match with_figures && !args.orphans {
            true => figures::of(&mut reader, &wanted).await,
            false => Told::new(),
        };
        Ok::<_, Error>((target, reader, names, told))
    };
    let (ownership, couchdb) = futures::join!(ownership::read(cluster), couchdb);
    let ownership = ownership?;
    let (target, mut reader, names, mut told) = couchdb?;
    let mut listed = inventory::join(&names, &ownership);
    let not_found = named(&mut listed, &args.databases);
    let unknown = count(&listed, State::Unknown);
    if args.orphans {
        // Their names alone, too: one that CouchDB cannot serve is not an orphan.
        listed.retain(|entry| entry.state == State::Orphan);
        let orphans: Vec<&str> = listed.iter().map(|e| e.name.as_str()).collect();
        told = figures::of(&mut reader, &orphans).await;
    } else if with_figures {
        let missing = listed.iter().filter(|e| e.state == State::Missing);
        // What is no name of a database cannot be there.
        let missing: Vec<&str> = missing
            .filter(|e| DatabaseName::parse(&e.name).is_ok())
            .map(|e| e.name.as_str())
            .collect();
        told.extend(figures::unlisted(&mut reader, &missing).await);
    }
    reader.close().await;
    let (mut shown, doubts) = shown(listed, told, &ownership, args.orphans);
    if args.orphans {
        shown.retain(|database| database.entry.state == State::Orphan);
    }
    Ok(Seen {
        target,
        there: names.len(),
        shown,
        ownership,
        unknown,
        doubts,
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

/// Each with what CouchDB says of it, and those that it gives no figures of. Only the answer to a database's own GET makes it missing.
/// `strictly`: without its figures one is not known to be there.
fn shown(
    listed: Vec<Entry>,
    mut told: Told,
    ownership: &Ownership,
    strictly: bool,
) -> (Vec<Database>, Vec<Doubt>) {
    let mut shown = Vec::new();
    let mut doubts = Vec::new();
    for entry in listed {
        let is_there = entry.is_there();
        let present = |entry: Entry| match is_there {
            true => entry,
            false => inventory::there(&entry.name, ownership),
        };
        let mut doubt = |entry: Entry, why: String| {
            doubts.push(Doubt {
                name: entry.name.clone(),
                state: entry.state,
                why: why.clone(),
            });
            (Some(entry), Read::failed(why))
        };
        let (entry, figures) = match told.remove(&entry.name) {
            Some(Serving::Served(figures)) => (Some(present(entry)), Read::Seen(figures)),
            Some(Serving::Absent(_)) if is_there => (entry.gone(ownership), Read::Absent),
            Some(Serving::Absent(_)) => (Some(entry), Read::Absent),
            Some(Serving::Unserved(why)) => doubt(present(entry).unserved(&why), why),
            Some(Serving::Unknown(why)) => doubt(entry.doubtful(&why), why),
            Some(Serving::NotRead(why)) if strictly || !is_there => {
                doubt(entry.doubtful(&why), why)
            }
            Some(Serving::NotRead(why)) => (Some(entry), Read::failed(why)),
            None if is_there => {
                let why = "the format shows names only";
                (Some(entry), Read::not_asked(why))
            }
            None => (Some(entry), Read::Absent),
        };
        shown.extend(entry.map(|entry| Database { entry, figures }));
    }
    (shown, doubts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            state: State::Orphan,
            claimants: Vec::new(),
            settled: true,
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
    fn what_couchdb_cannot_serve_is_neither_missing_nor_an_orphan() {
        use crate::model::ownership::tests::Objects;
        use serde_json::json;
        let claim = json!({
            "metadata": {"name": "x", "namespace": "flux-system", "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
            "spec": {"values": {"namespace": "pds", "database": "database"}},
        });
        let ownership = Objects::of(&[claim]).ownership();
        let why = || "CouchDB answered 500 nodedown progress not possible".to_owned();
        let state = |listed: &[&str], name: &str, serving: Serving, strictly: bool| {
            let listed = listed.iter().map(|n| (*n).to_owned()).collect();
            let mut entries = inventory::join(&listed, &ownership);
            entries.retain(|e| e.name == name);
            let told = [(name.to_owned(), serving)].into();
            let (shown, doubts) = shown(entries, told, &ownership, strictly);
            let shown: Vec<State> = shown.iter().map(|d| d.entry.state).collect();
            (shown, doubts.len())
        };
        let (unserved, unknown) = (|| Serving::Unserved(why()), || Serving::Unknown(why()));
        for strictly in [false, true] {
            for listed in [&["pds_database", "orphan_db"][..], &["orphan_db"]] {
                for name in ["pds_database", "orphan_db"] {
                    let state = |serving| state(listed, name, serving, strictly);
                    assert_eq!(state(unserved()), (vec![State::Unserved], 1), "{name}");
                    assert_eq!(state(unknown()), (vec![State::Unknown], 1), "{name}");
                }
            }
        }
        // A list of orphans holds those that were seen to be there, and what is claimed and was not seen is not missing.
        let not_read = || Serving::NotRead(why());
        let both = &["pds_database", "orphan_db"][..];
        assert_eq!(
            state(both, "orphan_db", not_read(), false),
            (vec![State::Orphan], 0)
        );
        assert_eq!(
            state(both, "orphan_db", not_read(), true),
            (vec![State::Unknown], 1)
        );
        assert_eq!(
            state(&[], "pds_database", not_read(), false),
            (vec![State::Unknown], 1)
        );
        // One that was created since the list was read.
        let served = Serving::Served(crate::snapshot::databases::Figures::default());
        assert_eq!(
            state(&[], "pds_database", served, false),
            (vec![State::InUse], 0)
        );
    }

    #[test]
    fn an_empty_name_is_none() {
        assert!(database(" ").is_err() && database("a_b").is_ok());
    }
}
