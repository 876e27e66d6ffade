//! What speaks against a deletion now and can be taken on, each by its own name: `--accept=NAME`.
//!
//! A risk is a fact that was read. An unknown fact is a refusal, not a risk, and so is every claim.

use super::facts::{Doubt, Facts};
use super::work::{Replication, Role};
use crate::model::ownership::Mention;
use crate::text::{count, one_line, shell_quote};
use clap::ValueEnum;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

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
    /// Something that claimed it a while ago may come back: a history that Helm keeps, an onboarding that vanished
    RecentClaim,
    /// Of --orphans: more databases are orphans than are in use, as after a restore that was not complete
    ManyOrphans,
    /// Its shard map names a node that is not a member of the cluster: no deletion reaches the copies there
    ForeignMember,
    /// A member is still catching up with the others: its copy may be stale, and so may a backup
    CatchingUp,
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
            Self::ManyOrphans => "many-orphans",
            Self::ForeignMember => "foreign-member",
            Self::CatchingUp => "catching-up",
        }
    }

    /// What would be better than to accept it.
    fn better(self) -> &'static str {
        match self {
            Self::MemberDown => "bring the member back, then run this again",
            Self::Maintenance => "end the maintenance, then run this again",
            Self::Replication => "end the replication and delete its document, then run this again",
            Self::Tasks => "wait until it is through, then run this again",
            Self::Writes => "stop the writer, then run this again",
            Self::RecentClaim => "make sure that its onboarding does not come back",
            Self::ManyOrphans => "make sure that all HelmReleases are there again",
            Self::ForeignMember => {
                "bring the node back into the cluster or correct the shard map, then run this again"
            }
            Self::CatchingUp => "wait until the member has caught up, then run this again",
        }
    }
}

/// What `--accept` takes: a kind of risk, or one object that may claim the database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acceptance {
    Kind(RiskKind),
    /// `kind/namespace/name`, such as `helm-release/apps/shop`.
    Object(String),
}

impl Acceptance {
    /// As it is written behind `--accept=`.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Kind(kind) => kind.name().into(),
            Self::Object(id) => id.into(),
        }
    }
}

impl FromStr for Acceptance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((kind, id)) = text.split_once('/') {
            let parts = id.split('/').filter(|part| !part.is_empty()).count();
            if kind.is_empty() || parts != 2 || id.matches('/').count() != 1 {
                return Err("an object is KIND/NAMESPACE/NAME, as the refusal names it".to_owned());
            }
            return Ok(Self::Object(format!("{}/{id}", kind.to_lowercase())));
        }
        let kinds = RiskKind::value_variants();
        if let Some(kind) = kinds.iter().find(|kind| kind.name() == text) {
            return Ok(Self::Kind(*kind));
        }
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        Err(format!(
            "it is one of {}, or KIND/NAMESPACE/NAME",
            names.join(", ")
        ))
    }
}

impl From<RiskKind> for Acceptance {
    fn from(kind: RiskKind) -> Self {
        Self::Kind(kind)
    }
}

/// One risk, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    pub accept: Acceptance,
    pub what: String,
    /// The state of the object that is to be accepted: another one must be accepted again.
    pub resource_version: Option<String>,
    /// What of it must stay as it was shown ([`crate::model::ownership::Object::state`]).
    pub state: Option<String>,
}

impl Risk {
    pub fn new(kind: RiskKind, what: String) -> Self {
        Self {
            accept: kind.into(),
            what,
            resource_version: None,
            state: None,
        }
    }

    pub(super) fn mention(mention: &Mention) -> Self {
        Self {
            accept: Acceptance::Object(mention.object.accept()),
            what: mention.what.clone(),
            resource_version: Some(mention.object.resource_version.clone()),
            state: Some(mention.object.state()),
        }
    }

    pub fn is(&self, kind: RiskKind) -> bool {
        self.accept == Acceptance::Kind(kind)
    }

    /// What to do, and the flag that takes it on.
    pub fn hint(&self) -> String {
        let better = match &self.accept {
            Acceptance::Kind(kind) => kind.better(),
            Acceptance::Object(_) => "find out whether it uses the database",
        };
        let flag = format!("--accept={}", self.accept.name());
        format!("{better}; or take it on: {}", shell_quote(&flag))
    }
}

/// Every risk in the facts. Writes are none of them: they are seen between two looks only.
pub fn assess(facts: &Facts) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut risk = |kind, what| risks.push(Risk::new(kind, what));
    for member in &facts.membership.cluster_nodes {
        let name = one_line(member);
        if let Some(Doubt::Away(why)) = facts.doubt(member) {
            // A member without a copy has nothing to leave behind.
            if facts.holds(member) {
                let what =
                    format!("member {name} {why}; a deletion now would leave the data on its disk");
                risk(RiskKind::MemberDown, what);
            }
        } else if let Some(Ok(Some(mode))) = facts.settings_of(member).map(|s| &s.maintenance) {
            let what = format!("member {name} is in maintenance (maintenance_mode = {mode})");
            risk(RiskKind::Maintenance, what);
        }
    }
    for node in facts.foreign() {
        let what = format!(
            "its shard map names {}, which is not a member of the cluster: a deletion reaches neither its copies nor older files of them on other members",
            one_line(node)
        );
        risk(RiskKind::ForeignMember, what);
    }
    for behind in &facts.catch_up.behind {
        risk(RiskKind::CatchingUp, behind.sentence());
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
    for past in facts.unclaimed.past() {
        let when = past.at.as_ref().map(|at| format!(" at {}", one_line(at)));
        let what = format!(
            "{} was installed with it; uninstalled{}, and its history is kept",
            past.by,
            when.unwrap_or_default()
        );
        risk(RiskKind::RecentClaim, what);
    }
    for what in facts.last_claim.doubts(|id| facts.unclaimed.lives(id)) {
        risk(RiskKind::RecentClaim, what);
    }
    risks.extend(facts.unclaimed.mentions().iter().map(Risk::mention));
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
        Role::NotTold => format!("replication {name} ({state}) has neither source nor target"),
    }
}

/// The risks that the user takes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted(BTreeSet<Acceptance>);

impl Accepted {
    pub fn new(all: impl IntoIterator<Item = impl Into<Acceptance>>) -> Self {
        Self(all.into_iter().map(Into::into).collect())
    }

    pub fn takes(&self, accept: &Acceptance) -> bool {
        self.0.contains(accept)
    }

    pub fn takes_kind(&self, kind: RiskKind) -> bool {
        self.takes(&kind.into())
    }

    /// Those that nothing asked for. Whether writes come is not known before the end, and how many orphans there are not of one plan.
    pub fn not_needed(&self, risks: &[Risk]) -> Vec<&Acceptance> {
        let needed = |accept: &Acceptance| risks.iter().any(|r| r.accept == *accept);
        let elsewhere = [RiskKind::Writes, RiskKind::ManyOrphans].map(Acceptance::Kind);
        let all = self.0.iter();
        all.filter(|accept| !elsewhere.contains(accept) && !needed(accept))
            .collect()
    }
}

#[cfg(test)]
mod tests;
