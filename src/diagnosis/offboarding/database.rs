//! The database: last of all, since nothing brings it back. `delete-db` reads and judges everything again.

use super::evidence::Gone;
use super::{Act, Facts, Part, State, Step, after};
use crate::advice::Command;
use crate::diagnosis::deletion::{self, Deletion};
use crate::model::ownership::Gap;
use crate::snapshot::Read;
use crate::snapshot::databases::{Database, Found};
use crate::text::{bytes, count, one_line};

/// What has to be done before.
const BEFORE: [Part; 6] = [
    Part::Users,
    Part::Manifest,
    Part::Kustomization,
    Part::HelmRelease,
    Part::Release,
    Part::Access,
];

pub(super) fn step(facts: &Facts, before: &[Step]) -> Step {
    let name = facts.subject.database.as_str();
    let step = |state, says: String| Step::new(Part::Database, state, says);
    if let Some(hr) = facts.live().filter(|hr| hr.is_remote()) {
        let id = one_line(&hr.id());
        let says = format!("HelmRelease {id} makes it on another cluster, which was not read");
        return step(State::NotKnown, says);
    }
    if let Some(gone) = Gone::of(&facts.couchdb) {
        return step(State::Done(gone), format!("CouchDB does not have {name}"));
    }
    let there = match &facts.couchdb {
        Read::Seen(Found::Served(database)) => there(name, database),
        Read::Seen(Found::Unserved(why)) => {
            let says = format!("CouchDB has {name} and cannot serve it: {}", one_line(why));
            let act = "bring the members that hold it back; delete-db refuses it until then";
            return step(State::Blocked, says).acts([Act::Say(act.to_owned())]);
        }
        Read::Absent | Read::Unknown(_) => {
            let why = facts.couchdb.unknown().map(|why| why.clause());
            let why = why.unwrap_or_default();
            let says = format!("whether CouchDB has {name} is not known: {why}");
            let look = deletion::rehearsal(name).args(&facts.couchdb_flags);
            return step(State::NotKnown, says).acts([Act::Run(look)]);
        }
    };
    if let Some(other) = facts.others().first() {
        let says = format!("{other} uses {name} too, so it stays");
        let look = Command::skvs(["databases", name, "-o", "wide"]).args(&facts.couchdb_flags);
        return step(State::Blocked, says)
            .says([there])
            .acts([Act::Run(look)]);
    }
    let (state, says, judgement) = match after(before, &BEFORE) {
        // What claims it now is what the earlier steps remove. What may claim it besides is not.
        Err(first) => {
            let says = match open(facts) {
                None => first.clone(),
                Some(why) => format!("{first}; {why}"),
            };
            (State::Blocked, says, Deletion::Open(first))
        }
        Ok(()) => judged(facts),
    };
    let command = deletion::command(&judgement, name).args(&facts.couchdb_flags);
    step(state, says).says([there]).acts([Act::Run(command)])
}

/// What may claim it, or keeps that from being known.
fn open(facts: &Facts) -> Option<String> {
    let verdict = facts.ownership.verdict(facts.subject.database.as_str());
    let gaps = verdict.gaps.iter().map(Gap::to_string);
    let mentions = verdict.mentions.into_iter().map(|mention| mention.what);
    let open: Vec<String> = gaps.chain(mentions).collect();
    open.into_iter().next()
}

/// The state once everything else is gone.
fn judged(facts: &Facts) -> (State, String, Deletion) {
    let name = facts.subject.database.as_str();
    let unclaimed = match facts.ownership.unclaimed(name) {
        Ok(unclaimed) => unclaimed,
        Err(verdict) => {
            if let Some(claim) = verdict.claims.first() {
                let claim = claim.to_string();
                return (State::Blocked, claim.clone(), Deletion::Claimed(claim));
            }
            let why = verdict.gaps.iter().map(Gap::to_string).next();
            let why = why.unwrap_or_default();
            let says = format!("whether anything claims it is not known: {why}");
            return (State::NotKnown, says, Deletion::Open(why));
        }
    };
    if let Some(mention) = unclaimed.mentions().first() {
        let why = mention.what.clone();
        let says = format!("it may be claimed: {why}");
        return (State::Blocked, says, Deletion::Open(why));
    }
    match unclaimed.past().first() {
        None => (
            State::ToDo,
            "nothing claims it".to_owned(),
            Deletion::Agreed,
        ),
        Some(past) => {
            let why = format!("{} was installed with it, and its history is kept", past.by);
            (State::ToDo, why.clone(), Deletion::Open(why))
        }
    }
}

/// The database with its size.
fn there(name: &str, database: &Database) -> String {
    let documents = database.documents.map(|n| count(n, "document"));
    let size = database.bytes.map(bytes);
    let known: Vec<String> = documents.into_iter().chain(size).collect();
    match known.as_slice() {
        [] => format!("CouchDB has {name}; its size is not known"),
        known => format!("CouchDB has {name}: {}", known.join(", ")),
    }
}
