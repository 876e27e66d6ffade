//! What `databases` reads: the claims and CouchDB side by side, joined and narrowed. Only what is shown is asked for its figures.

use super::{Args, NOT_SAVED};
use crate::cluster::{Cluster, ownership};
use crate::couchdb::Target;
use crate::couchdb::figures::{self, Serving};
use crate::error::{Error, Result};
use crate::model::inventory::{self, Entry, State};
use crate::model::names::DatabaseName;
use crate::model::ownership::Ownership;
use crate::render::output::Output;
use crate::snapshot::Read;
use crate::view::databases::Database;
use std::collections::{BTreeMap, BTreeSet};

/// What CouchDB says, by database.
type Told = BTreeMap<String, Serving>;

/// What a run has seen.
pub(super) struct Seen {
    /// Which container was asked; none with saved files.
    pub(super) target: Option<Target>,
    pub(super) ownership: Ownership,
    /// Databases in CouchDB, each with its state before it was asked for its figures.
    pub(super) there: Vec<(String, State)>,
    /// What the flags let through, with its figures.
    pub(super) shown: Vec<Database>,
    /// Those of all databases that were named, or of all: how many of no known owner.
    pub(super) unknown: usize,
    /// Databases that CouchDB cannot serve, and those whose existence could not be read.
    pub(super) doubts: Vec<Doubt>,
    /// Names that were asked for and are neither there nor claimed, each with those that are near.
    pub(super) not_found: Vec<(String, Vec<String>)>,
}

/// A database that CouchDB gives no figures for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Doubt {
    pub(super) name: String,
    pub(super) state: State,
    pub(super) why: String,
}

/// Reads everything.
pub(super) async fn look(cluster: &Cluster, args: &Args, output: &Output) -> Result<Seen> {
    let mut seen = match cluster.archive() {
        Some(_) => look_at_claims(cluster, args).await?,
        None => look_at_couchdb(cluster, args, output).await?,
    };
    seen.shown.sort_by(|a, b| {
        let key = |d: &Database| (d.entry.state, d.entry.name.clone());
        key(a).cmp(&key(b))
    });
    Ok(seen)
}

/// Reads what saved files say.
async fn look_at_claims(cluster: &Cluster, args: &Args) -> Result<Seen> {
    let ownership = ownership::gather(cluster).await?;
    let mut listed = inventory::claimed(&ownership, NOT_SAVED);
    let not_found = named(&mut listed, &args.databases);
    if let Some(states) = args.states() {
        listed.retain(|entry| states.contains(&entry.state));
    }
    let shown = listed.into_iter().map(|entry| Database {
        entry,
        figures: Read::not_asked(NOT_SAVED),
    });
    Ok(Seen {
        target: None,
        there: Vec::new(),
        shown: shown.collect(),
        unknown: 0,
        doubts: Vec::new(),
        ownership,
        not_found,
    })
}

/// Reads the claims and CouchDB. A state is known only when all claims are; where that does not matter, figures are asked for while
/// those are read.
async fn look_at_couchdb(cluster: &Cluster, args: &Args, output: &Output) -> Result<Seen> {
    let states = args.states();
    let is_in = |state: State| states.as_ref().is_none_or(|all| all.contains(&state));
    // What a state is taken for before its figures are read is what it stays, or one of these.
    let by_figures = [State::Missing, State::Unserved, State::Unknown];
    let narrows = states.is_some() && !by_figures.into_iter().any(is_in);
    // An orphan is one that CouchDB serves: without its figures it is not known to be there.
    let strictly = states.is_some() && is_in(State::Orphan);
    let with_figures = strictly || !matches!(output, Output::Name) || states.is_some() && !narrows;
    let couchdb = async {
        let target = args.pods.container(cluster).await?;
        let (mut reader, names) = figures::open(cluster, &target).await?;
        let wanted: Vec<&str> = names
            .iter()
            .filter(|n| args.databases.is_empty() || args.databases.contains(*n))
            .map(String::as_str)
            .collect();
        let told = match with_figures && !narrows {
            true => figures::listed(&mut reader, &wanted).await,
            false => Told::new(),
        };
        Ok::<_, Error>((target, reader, names, told))
    };
    let (ownership, couchdb) = futures::join!(ownership::gather(cluster), couchdb);
    let ownership = ownership?;
    let (target, mut reader, names, mut told) = couchdb?;
    let mut listed = inventory::join(&names, &ownership);
    let there = listed.iter().filter(|e| e.is_there());
    let there = there.map(|e| (e.name.clone(), e.state)).collect();
    let not_found = named(&mut listed, &args.databases);
    let unknown = count(&listed, State::Unknown);
    if narrows {
        listed.retain(|entry| is_in(entry.state));
        if with_figures {
            let listed: Vec<&str> = listed.iter().map(|e| e.name.as_str()).collect();
            told = figures::listed(&mut reader, &listed).await;
        }
    } else if with_figures {
        let missing = listed.iter().filter(|e| e.state == State::Missing);
        // CouchDB cannot hold a database with an invalid name.
        let missing: Vec<&str> = missing
            .filter(|e| DatabaseName::parse(&e.name).is_ok())
            .map(|e| e.name.as_str())
            .collect();
        told.extend(figures::unlisted(&mut reader, &missing).await);
    }
    reader.close().await;
    let (mut shown, doubts) = shown(listed, told, &ownership, strictly);
    shown.retain(|database| is_in(database.entry.state));
    Ok(Seen {
        target: Some(target),
        there,
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

pub(super) fn count(listed: &[Entry], state: State) -> usize {
    listed.iter().filter(|e| e.state == state).count()
}

/// Each with what CouchDB says of it, and those that it gives no figures of. Only the answer to a database's own GET makes it missing.
/// `strictly`: without its figures one is not known to be there.
pub(in crate::commands) fn shown(
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
            false => inventory::listed(&entry.name, ownership),
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
}
