//! What speaks against a deletion now and can be taken on, each by its own name: `--accept=NAME`.
//!
//! A risk is a fact that was read. What is not known is no risk but a refusal, and so is every claim.

use super::facts::{Doubt, Facts};
use super::work::{Replication, Role};
use crate::text::{count, one_line};
use std::collections::{BTreeMap, BTreeSet};

/// The kinds. Their names are part of scripts and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum RiskKind {
    /// A member of CouchDB's cluster is away: its disk keeps the data, and the database can come back with it
    MemberDown,
    /// A member is in maintenance
    Maintenance,
    /// A replication reads from the database or writes into it, and may create it again
    Replication,
    /// An indexer, a compaction or the splitting of shards works on it
    Tasks,
    /// Documents are written while it is looked at
    Writes,
    /// A Helm release was installed with it and uninstalled, and its history is kept
    RecentClaim,
}

impl RiskKind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::MemberDown => "member-down",
            Self::Maintenance => "maintenance",
            Self::Replication => "replication",
            Self::Tasks => "tasks",
            Self::Writes => "writes",
            Self::RecentClaim => "recent-claim",
        }
    }

    /// What would be better than to accept it.
    fn better(self) -> &'static str {
        match self {
            Self::MemberDown => "bring the member back, then run this again",
            Self::Maintenance => "end the maintenance, then run this again",
            Self::Replication => "end the replication and delete its document, then run this again",
            Self::Tasks => "wait until it is through, then run this again",
            Self::Writes => "stop what writes, then run this again",
            Self::RecentClaim => "make sure that its onboarding does not come back",
        }
    }
}

/// One risk, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    pub kind: RiskKind,
    pub what: String,
}

impl Risk {
    /// What to do, and the flag that takes it on.
    pub fn hint(&self) -> String {
        format!(
            "{}; or take it on: --accept={}",
            self.kind.better(),
            self.kind.name()
        )
    }
}

/// Every risk in the facts. Writes are none of them: they are seen between two looks only.
pub fn of(facts: &Facts) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut risk = |kind, what| risks.push(Risk { kind, what });
    for member in &facts.membership.cluster_nodes {
        let name = one_line(member);
        if let Some(Doubt::Away(why)) = facts.doubt(member) {
            let what =
                format!("member {name} {why}; a deletion now would leave the data on its disk");
            risk(RiskKind::MemberDown, what);
        } else if let Some(Ok(Some(mode))) = facts.settings_of(member).map(|s| &s.maintenance) {
            let what = format!("member {name} is in maintenance (maintenance_mode = {mode})");
            risk(RiskKind::Maintenance, what);
        }
    }
    for replication in &facts.work.replications {
        risk(RiskKind::Replication, sentence(replication));
    }
    let mut tasks: BTreeMap<&str, u64> = BTreeMap::new();
    for task in &facts.work.tasks {
        *tasks.entry(&task.kind).or_default() += 1;
    }
    for (kind, number) in tasks {
        let what = format!("{kind} works on it ({})", count(number, "task"));
        risk(RiskKind::Tasks, what);
    }
    for past in &facts.unclaimed.past {
        let when = past.at.as_ref().map(|at| format!(" at {}", one_line(at)));
        let what = format!(
            "{} was installed with it; uninstalled{}, and its history is kept",
            past.by,
            when.unwrap_or_default()
        );
        risk(RiskKind::RecentClaim, what);
    }
    risks
}

fn sentence(replication: &Replication) -> String {
    let name = replication
        .document
        .as_ref()
        .map(|d| format!("of document {d}"))
        .or_else(|| replication.id.clone())
        .unwrap_or_else(|| "without a name".to_owned());
    let state = &replication.state;
    let end = |end: &Option<String>| end.clone().unwrap_or_else(|| "?".to_owned());
    match replication.role {
        Role::Target => format!(
            "replication {name} ({state}) writes into it from {} and may create it again",
            end(&replication.source)
        ),
        Role::Source => format!(
            "replication {name} ({state}) reads from it for {}",
            end(&replication.target)
        ),
        Role::NotTold => format!("replication {name} ({state}) tells neither source nor target"),
    }
}

/// The risks that the user takes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted(BTreeSet<RiskKind>);

impl Accepted {
    pub fn new(kinds: impl IntoIterator<Item = RiskKind>) -> Self {
        Self(kinds.into_iter().collect())
    }

    pub fn takes(&self, kind: RiskKind) -> bool {
        self.0.contains(&kind)
    }

    /// Those that nothing asked for. Whether writes come is not known before the end.
    pub fn not_needed(&self, risks: &[Risk]) -> Vec<RiskKind> {
        let needed = |kind: &RiskKind| risks.iter().any(|r| r.kind == *kind);
        let kinds = self.0.iter().copied();
        kinds
            .filter(|kind| *kind != RiskKind::Writes && !needed(kind))
            .collect()
    }
}

#[cfg(test)]
mod tests;
