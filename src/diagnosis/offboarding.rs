//! The order in which an onboarding is removed, each step judged by what was read.
//!
//! A step is done only by a proof that the thing was looked for and is not there ([`Gone`]), which nothing but a whole list makes. What was
//! not read is not known, and what is there is to do or blocked. Whose the database is, [`crate::model::ownership`] judges.

mod access;
mod database;
mod evidence;
mod facts;
mod helm_release;
mod manifest;
mod pruning;
mod release;
mod users;

pub use evidence::Gone;
pub use facts::{Declared, Facts, Id, LeftJob, Manifests, Pods, Subject};
pub use users::accounts;

use crate::advice::Command;
use serde::Serialize;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub part: Part,
    pub state: State,
    /// What was seen, or why it is not known; the first says why the state is what it is.
    pub says: Vec<String>,
    pub acts: Vec<Act>,
}

/// What a step removes, in the order of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Part {
    Users,
    Manifest,
    Kustomization,
    HelmRelease,
    Release,
    Access,
    Database,
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Done(Gone),
    ToDo,
    /// It is there, and something else has to be done first.
    Blocked,
    NotKnown,
}

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Say(String),
    Run(Command),
    /// An edit of a file, as a difference.
    Edit(String),
}

impl Part {
    /// Its name in a table.
    pub fn word(self) -> &'static str {
        match self {
            Part::Users => "users",
            Part::Manifest => "manifest",
            Part::Kustomization => "Kustomization",
            Part::HelmRelease => "HelmRelease",
            Part::Release => "Helm release",
            Part::Access => "access",
            Part::Database => "database",
        }
    }

    /// Its name in a sentence, as in "waits for the manifest".
    pub fn words(self) -> String {
        format!("the {}", self.word())
    }
}

impl Step {
    fn new(part: Part, state: State, says: impl Into<String>) -> Self {
        Self {
            part,
            state,
            says: vec![says.into()],
            acts: Vec::new(),
        }
    }

    fn says(mut self, more: impl IntoIterator<Item = String>) -> Self {
        self.says.extend(more);
        self
    }

    fn acts(mut self, more: impl IntoIterator<Item = Act>) -> Self {
        self.acts.extend(more);
        self
    }

    fn is_done(&self) -> bool {
        matches!(self.state, State::Done(_))
    }
}

/// The state of something that is there, while these earlier steps are not done: blocked, with the first of them as the reason.
fn after(before: &[Step], parts: &[Part]) -> Result<(), String> {
    let mut open = before
        .iter()
        .filter(|s| parts.contains(&s.part) && !s.is_done());
    match open.next() {
        Some(step) => Err(format!("waits for {}", step.part.words())),
        None => Ok(()),
    }
}

/// Every step, in order.
pub fn steps(facts: &Facts) -> Vec<Step> {
    let mut steps = vec![users::step(facts), manifest::step(facts)];
    for step in [
        pruning::step,
        helm_release::step,
        release::step,
        access::step,
        database::step,
    ] {
        steps.push(step(facts, &steps));
    }
    steps
}

/// The next command: that of the first step that can be done now, else of the first open step that has one. Returns `None` while pods use
/// the database or that is not known, and the database's own command only if no other step is open.
pub fn next(steps: &[Step]) -> Option<(Part, &Command)> {
    let users = steps.iter().find(|s| s.part == Part::Users);
    if users.is_none_or(|s| !s.is_done()) {
        return None;
    }
    let command = |step: &'_ Step| {
        let mut acts = step.acts.iter();
        acts.position(|act| matches!(act, Act::Run(_)))
    };
    let open = steps.iter().filter(|s| !s.is_done());
    let open: Vec<(&Step, usize)> = open.filter_map(|s| Some((s, command(s)?))).collect();
    let now = open.iter().find(|(s, _)| s.state == State::ToDo);
    let mut others = open.iter().filter(|(s, _)| s.part != Part::Database);
    let (step, at) = now.or(others.next())?;
    match &step.acts[*at] {
        Act::Run(command) => Some((step.part, command)),
        Act::Say(_) | Act::Edit(_) => None,
    }
}

#[cfg(test)]
mod tests;
