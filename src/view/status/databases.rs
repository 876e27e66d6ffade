//! The databases by state, and by name those that need attention.

use crate::model::inventory::{Entry, State};
use crate::text::thousands;
use serde::Serialize;

/// States that are named one by one.
const ATTENTION: [State; 5] = [
    State::Orphan,
    State::Shared,
    State::Missing,
    State::Unserved,
    State::Mentioned,
];

/// All databases.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Databases {
    /// Null if CouchDB did not name its databases.
    pub counts: Option<ByState>,
    /// Those that are orphan, shared, missing, unserved or mentioned.
    pub attention: Vec<Attention>,
}

/// How many are in each state of the command databases, CouchDB's own left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ByState {
    pub orphan: u64,
    pub shared: u64,
    pub missing: u64,
    pub unserved: u64,
    pub unknown: u64,
    pub mentioned: u64,
    pub foreign: u64,
    pub in_use: u64,
}

impl ByState {
    fn count(entries: &[&Entry]) -> Self {
        let count = |state| entries.iter().filter(|e| e.state == state).count() as u64;
        Self {
            orphan: count(State::Orphan),
            shared: count(State::Shared),
            missing: count(State::Missing),
            unserved: count(State::Unserved),
            unknown: count(State::Unknown),
            mentioned: count(State::Mentioned),
            foreign: count(State::Foreign),
            in_use: count(State::InUse),
        }
    }

    /// In the order in which `databases` lists them.
    fn each(self) -> [(State, u64); 8] {
        [
            (State::Orphan, self.orphan),
            (State::Shared, self.shared),
            (State::Missing, self.missing),
            (State::Unserved, self.unserved),
            (State::Unknown, self.unknown),
            (State::Mentioned, self.mentioned),
            (State::Foreign, self.foreign),
            (State::InUse, self.in_use),
        ]
    }
}

/// A database that needs attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    pub name: String,
    pub state: &'static str,
    /// What claims it: `HelmRelease flux-system/a`.
    pub claimed_by: Vec<String>,
    /// What the state does not say by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Databases {
    /// `listed`: CouchDB named its databases; else these are the claimed ones alone.
    pub fn new(entries: &[Entry], listed: bool) -> Self {
        let entries = entries.iter().filter(|e| e.state != State::System);
        let entries: Vec<&Entry> = entries.collect();
        let counts = listed.then(|| ByState::count(&entries));
        let mut attention: Vec<&Entry> = entries
            .into_iter()
            .filter(|e| ATTENTION.contains(&e.state))
            .collect();
        attention.sort_by_key(|e| (e.state, &e.name));
        let attention = attention.into_iter().map(|e| Attention {
            name: e.name.clone(),
            state: e.state.word(),
            claimed_by: e.claimants.iter().map(|c| c.words()).collect(),
            reason: e.why.clone(),
        });
        Self {
            counts,
            attention: attention.collect(),
        }
    }

    /// CouchDB cannot serve one of them.
    pub fn has_error(&self) -> bool {
        self.in_state(State::Unserved).next().is_some()
    }

    /// Those in a state that needs attention.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &Attention> {
        let word = state.word();
        self.attention.iter().filter(move |d| d.state == word)
    }

    /// `14: 2 orphan, 1 shared, 11 in-use`.
    pub fn words(&self) -> String {
        let Some(counts) = &self.counts else {
            return "not known".to_owned();
        };
        let states = counts.each().into_iter().filter(|(_, n)| *n > 0);
        let all = states.clone().map(|(_, n)| n).sum();
        let states: Vec<String> = states
            .map(|(state, n)| format!("{} {}", thousands(n), state.word()))
            .collect();
        match states.as_slice() {
            [] => "none".to_owned(),
            states => format!("{}: {}", thousands(all), states.join(", ")),
        }
    }
}
