//! What `databases` reads: the claims and CouchDB side by side, joined and narrowed. Only what is shown is asked for its figures.

use super::{Args, NOT_SAVED};
use crate::cluster::{Cluster, ownership};
use crate::couchdb::Target;
use crate::couchdb::figures;
use crate::error::{Error, Result};
use crate::model::inventory::{self, Entry, State};
use crate::model::names::DatabaseName;
use crate::model::ownership::Ownership;
use crate::render::output::Output;
use crate::snapshot::Read;
use crate::view::databases::Database;
use crate::view::databases::served::{Doubt, Told, shown};
use std::collections::BTreeSet;

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
}
