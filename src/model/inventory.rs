//! Every database joined with what claims it: which there are, and how each stands.
//!
//! Pure. What claims a name is judged in [`super::ownership`], as for a deletion: only what that judgement leaves to nobody is an orphan
//! here, and `delete-db` refuses nothing of it for a claim.

use super::names::{DatabaseName, NameError};
use super::ownership::{Claimant, Gap, Mention, Ownership, loose};
use std::collections::{BTreeMap, BTreeSet};

/// How a database stands to the onboardings, in the order in which they are listed: those that need attention first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// There, and nobody claims it.
    Orphan,
    /// Several claim it.
    Shared,
    /// An onboarding claims it, and it is not there.
    Missing,
    /// There, claimed or not, and CouchDB fails to answer for it.
    Unserved,
    /// There, nobody is seen to claim it, and not everything that can claim was read. Or it is not known whether it is there.
    Unknown,
    /// There, nobody claims it, and something speaks of it that may be a claim.
    Mentioned,
    /// There, nobody claims it, and no onboarding can: its name is not of their form. No command here deletes it.
    Foreign,
    /// There, and one claims it.
    InUse,
    /// CouchDB's own.
    System,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Orphan,
        Self::Shared,
        Self::Missing,
        Self::Unserved,
        Self::Unknown,
        Self::Mentioned,
        Self::Foreign,
        Self::InUse,
        Self::System,
    ];

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The word in every format.
    pub fn word(self) -> &'static str {
        match self {
            Self::InUse => "in-use",
            Self::Shared => "shared",
            Self::Orphan => "orphan",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
            Self::System => "system",
            Self::Mentioned => "mentioned",
            Self::Unknown => "unknown",
            Self::Unserved => "unserved",
        }
    }
}

/// One database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub state: State,
    /// Who claims it, in the order in which they were read.
    pub claimants: Vec<Claimant>,
    /// Where nobody is seen to claim it: everything that can was read.
    pub settled: bool,
    /// What the state does not say by itself.
    pub why: Option<String>,
}

impl Entry {
    /// Whether CouchDB has it.
    pub fn is_there(&self) -> bool {
        self.state != State::Missing
    }

    /// CouchDB has the database and fails to answer for it. That nobody claims it makes it no orphan then: nothing is decided about what
    /// cannot be seen.
    #[must_use]
    pub fn unserved(self, why: &str) -> Self {
        self.doubted(State::Unserved, why)
    }

    /// Whether the database exists is not known.
    #[must_use]
    pub fn doubtful(self, why: &str) -> Self {
        self.doubted(State::Unknown, why)
    }

    fn doubted(self, state: State, why: &str) -> Self {
        let also = self.why.map(|also| format!("; {also}")).unwrap_or_default();
        Self {
            state,
            why: Some(format!("{why}{also}")),
            ..self
        }
    }

    /// The database is gone since its name was read; `None` where nothing expects it then.
    pub fn gone(mut self, ownership: &Ownership) -> Option<Self> {
        if !ownership.expects(&self.name) {
            return None;
        }
        self.state = State::Missing;
        self.why = None;
        Some(self)
    }
}

/// Joins the names of all databases with the claims, in the order of names, CouchDB's own last.
pub fn join(names: &BTreeSet<String>, ownership: &Ownership) -> Vec<Entry> {
    let mut all: BTreeMap<(bool, String), Entry> = names
        .iter()
        .map(|name| {
            let entry = listed(name, ownership);
            ((entry.state == State::System, name.clone()), entry)
        })
        .collect();
    // A sloppy value's database is there under the name that was made of it.
    let known: BTreeSet<String> = names.iter().map(|n| loose(n)).collect();
    for name in ownership.expected().filter(|n| !known.contains(&loose(n))) {
        all.insert((false, name.to_owned()), missing(name, ownership));
    }
    all.into_values().collect()
}

/// The databases that are claimed, where it is not known which there are: `why`.
pub fn claimed(ownership: &Ownership, why: &str) -> Vec<Entry> {
    let names: BTreeSet<&str> = ownership.expected().collect();
    let entry = |name| {
        let entry = missing(name, ownership);
        match entry.claimants.len() {
            0 | 1 => entry.doubtful(why),
            _ => Entry {
                state: State::Shared,
                ..entry.doubtful(why)
            },
        }
    };
    names.into_iter().map(entry).collect()
}

/// One that CouchDB has.
pub fn listed(name: &str, ownership: &Ownership) -> Entry {
    let entry = |state, claimants, why| Entry {
        name: name.to_owned(),
        state,
        claimants,
        settled: !matches!(state, State::Unknown | State::Mentioned),
        why,
    };
    let parsed = DatabaseName::parse(name);
    if parsed == Err(NameError::System) {
        return entry(State::System, Vec::new(), None);
    }
    let verdict = ownership.verdict(name);
    let claimants: Vec<Claimant> = verdict.claims.into_iter().map(|claim| claim.by).collect();
    match (
        claimants.len(),
        &verdict.gaps[..],
        &verdict.mentions[..],
        parsed,
    ) {
        (0, [], [], Ok(_)) => entry(State::Orphan, claimants, None),
        (0, [], [], Err(why)) => entry(State::Foreign, claimants, Some(why.to_string())),
        (0, [], mentions, _) => entry(State::Mentioned, claimants, Some(mentioned(mentions))),
        (0, gaps, ..) => entry(State::Unknown, claimants, Some(unknown(gaps))),
        (1, ..) => entry(State::InUse, claimants, None),
        _ => entry(State::Shared, claimants, None),
    }
}

fn unknown(gaps: &[Gap]) -> String {
    first(gaps.iter().map(Gap::to_string))
}

fn mentioned(mentions: &[Mention]) -> String {
    first(mentions.iter().map(|mention| mention.what.clone()))
}

/// The first reason, and how many more.
fn first(mut reasons: impl ExactSizeIterator<Item = String>) -> String {
    let first = reasons.next().unwrap_or_default();
    match reasons.len() {
        0 => first,
        n => format!("{first} (and {n} more)"),
    }
}

fn missing(name: &str, ownership: &Ownership) -> Entry {
    let claims = ownership.verdict(name).claims;
    let why = DatabaseName::parse(name).err().map(|why| why.to_string());
    Entry {
        name: name.to_owned(),
        state: State::Missing,
        claimants: claims.into_iter().map(|claim| claim.by).collect(),
        settled: true,
        why,
    }
}

#[cfg(test)]
mod tests;
