//! From facts to a plan, or to refusals; and from a plan that was shown to one that may be confirmed. Asks nothing and shows nothing.

use super::facts::Doubt;
pub use super::facts::{Facts, Member};
use super::refusal::Refusal;
use super::risk::{self, Accepted, Risk, RiskKind};
use super::token::{Part, Token};
use super::work::List;
use crate::couchdb::Target;
use crate::couchdb::request::Path;
use crate::couchdb::response::ShardMap;
use crate::couchdb::script::{Deletion, Guard};
use crate::model::names::DatabaseName;
use crate::text::{count, one_line, thousands};
use serde_json::Value;

/// What the user gave beside the database: the risks that are taken on, and the plan that was reviewed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    pub accepted: Accepted,
    pub token: Option<Token>,
}

/// What would be deleted, where. Only [`plan`] makes one.
#[derive(Clone, Debug)]
pub struct Plan {
    facts: Facts,
    risks: Vec<Risk>,
    token: Token,
    overrides: Overrides,
}

/// A plan whose risks are all taken on, and which is the one that was reviewed, where one was. Only [`Plan::cleared`] makes one.
#[derive(Clone, Debug)]
pub struct Cleared(Plan);

impl Cleared {
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    pub(super) fn into_plan(self) -> Plan {
        self.0
    }
}

impl Plan {
    /// The same plan with what the user gave.
    #[must_use]
    pub fn under(self, overrides: Overrides) -> Self {
        Self { overrides, ..self }
    }

    /// What speaks against it, accepted or not.
    pub fn risks(&self) -> &[Risk] {
        &self.risks
    }

    pub fn accepted(&self) -> &Accepted {
        &self.overrides.accepted
    }

    /// Over all that it is made of.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The whole entry of the shard map: what an undelete by hand needs.
    pub fn shard_map_document(&self) -> &Value {
        &self.facts.shard_map_document
    }

    /// The plan as one that may be confirmed.
    ///
    /// # Errors
    /// Every risk that is not taken on, and what is not as it was in the plan that was reviewed.
    pub fn cleared(self) -> Result<Cleared, Vec<Refusal>> {
        let taken = |risk: &&Risk| self.overrides.accepted.takes(&risk.accept);
        let open = self.risks.iter().filter(|r| !taken(r)).cloned();
        let mut refusals: Vec<Refusal> = open.map(Refusal::Risk).collect();
        if let Some(differs) = self
            .overrides
            .token
            .as_ref()
            .and_then(|t| t.differs(&self.token))
        {
            let changed = |what| Refusal::Changed { what };
            if differs.is_empty() {
                let what = "something changed that the token does not identify";
                refusals.push(changed(what.to_owned()));
            }
            refusals.extend(differs.into_iter().map(|part| changed(self.now(part))));
        }
        if refusals.is_empty() {
            Ok(Cleared(self))
        } else {
            Err(refusals)
        }
    }

    /// Compares what was confirmed with the plan made anew, right before the DELETE.
    ///
    /// # Errors
    /// What is not as it was shown, and every risk that has come up since and is not accepted.
    pub(super) fn still_holds(&self, now: Self) -> Result<(), Vec<Refusal>> {
        let differs = self.token.differs(&now.token).unwrap_or_default();
        // With a token any change is a refusal.
        let strict = self.overrides.token.is_some();
        let anew = differs.contains(&Part::Database);
        let written = |part| matches!(part, Part::Documents | Part::Sequence);
        let changed = |part| Refusal::Changed {
            what: now.now(part),
        };
        let mut refusals: Vec<Refusal> = differs
            .iter()
            .filter(|part| match part {
                // Another database has other documents; writes that were accepted are no change.
                part if written(**part) => strict && !anew,
                // Else judged one by one below.
                Part::Risks => strict,
                _ => true,
            })
            .map(|part| changed(*part))
            .collect();
        let accepted = self.overrides.accepted.takes_kind(RiskKind::Writes);
        if !strict && !anew && !accepted && differs.iter().any(|part| written(*part)) {
            let count = thousands(now.facts.database.doc_count);
            let what = format!("documents were written since the plan was made (now {count})");
            refusals.push(Refusal::Risk(Risk::new(RiskKind::Writes, what)));
        }
        let taken = |risk: &&Risk| self.overrides.accepted.takes(&risk.accept);
        let open = now.risks.iter().filter(|r| !taken(r)).cloned();
        refusals.extend(open.map(Refusal::Risk));
        // An object was accepted in the state in which it was shown.
        let other_state = |risk: &&Risk| {
            let before = self.risks.iter().find(|r| r.accept == risk.accept);
            before.is_some_and(|before| before.state != risk.state)
        };
        let moved = now.risks.iter().filter(taken).filter(other_state);
        refusals.extend(moved.map(|risk| Refusal::Changed {
            what: format!("{} has changed", risk.accept.name()),
        }));
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(refusals)
        }
    }

    /// A part that is not as it was, as it is now; what it was a digest cannot tell.
    fn now(&self, part: Part) -> String {
        let facts = &self.facts;
        let database = &facts.database;
        match part {
            Part::Server => format!(
                "CouchDB is another one or has another version: now {}, UUID {}",
                one_line(&facts.server.version),
                one_line(&facts.server.uuid)
            ),
            Part::Pods => {
                let names: Vec<&str> = facts.pods.iter().map(|p| p.name.as_str()).collect();
                format!(
                    "pods of CouchDB were replaced, added or removed: now {}",
                    names.join(", ")
                )
            }
            Part::Members => format!(
                "the members of its cluster are others, or keep other files: now {} of {} connected",
                facts.membership.all_nodes.len(),
                facts.membership.cluster_nodes.len()
            ),
            Part::Database => format!(
                "the database is another one, or was created again: now {}, created {}",
                facts.name,
                facts.created()
            ),
            Part::Documents => format!(
                "the number of documents changed: now {}, and {} deleted",
                count(database.doc_count, "document"),
                thousands(database.doc_del_count.unwrap_or_default())
            ),
            Part::Sequence => format!(
                "documents were written or purged: the update sequence is now {}",
                thousands(database.update_seq.as_ref().map_or(0, |s| s.number))
            ),
            Part::Risks => "the risks changed: see the new plan".to_owned(),
        }
    }

    pub fn name(&self) -> &DatabaseName {
        &self.facts.name
    }

    pub fn target(&self) -> &Target {
        &self.facts.target
    }

    /// The members that must all let go of the database: those that hold a copy, by its shard map.
    pub fn members(&self) -> Vec<String> {
        self.facts.holders().cloned().collect()
    }

    /// Why what is read of it now may be stale: a backup says so.
    pub fn stale(&self) -> Vec<String> {
        let behind = self.facts.catch_up.behind.iter();
        behind.map(super::catch_up::Behind::sentence).collect()
    }

    /// The members whose copies a deletion may not have reached, by what was known before it: away, or not in the cluster.
    pub(super) fn out_of_reach(&self) -> Vec<&String> {
        let holders = self.facts.holders();
        let foreign: Vec<&String> = self.facts.foreign().collect();
        holders
            .filter(|node| {
                foreign.contains(node) || matches!(self.facts.doubt(node), Some(Doubt::Away(_)))
            })
            .collect()
    }

    /// Whether an entry of the shard map is of the very database that was planned for, not of a later one of its name.
    pub fn is_same(&self, map: &ShardMap) -> bool {
        map.shard_suffix == self.facts.shard_map.shard_suffix
    }

    /// The database's files and index folders in CouchDB's data folder, as the shell's patterns. A later database of the same name
    /// has another suffix, so none of them is its own.
    pub fn files(&self) -> String {
        let suffix = String::from_utf8_lossy(&self.facts.shard_map.shard_suffix);
        let stem = format!("{}{suffix}", self.facts.name);
        format!("shards/*/{stem}.couch .shards/*/{stem}_design")
    }

    /// What it was made of.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The run that compares what the plan was made of with what is there, and then sends the DELETE.
    pub fn deletion(&self) -> Deletion {
        let facts = &self.facts;
        let database = Path::database(&facts.name);
        let guard = |path: &Path, key: &str, value: serde_json::Value| Guard {
            path: path.clone(),
            holds: format!("\"{key}\":{value}"),
        };
        let (root, membership) = (Path::root(), Path::membership());
        let shard_map = Path::shard_map("_local", &facts.name);
        let mut guards = self.quiet();
        guards.extend([
            guard(&root, "uuid", facts.server.uuid.as_str().into()),
            guard(&root, "version", facts.server.version.as_str().into()),
            guard(
                &membership,
                "all_nodes",
                facts.membership.all_nodes.clone().into(),
            ),
            guard(
                &membership,
                "cluster_nodes",
                facts.membership.cluster_nodes.clone().into(),
            ),
            guard(&shard_map, "_rev", facts.shard_map.rev.as_str().into()),
            guard(
                &shard_map,
                "shard_suffix",
                facts.shard_map.shard_suffix.clone().into(),
            ),
            guard(&database, "db_name", facts.name.as_str().into()),
            guard(
                &database,
                "instance_start_time",
                facts.database.instance_start_time.as_str().into(),
            ),
        ]);
        if !self.overrides.accepted.takes_kind(RiskKind::Writes) {
            guards.extend(self.unwritten(&database));
        }
        #[expect(clippy::disallowed_methods, reason = "the deletion that was planned")]
        Deletion::new(guards, &facts.name)
    }

    /// That CouchDB still replicates nothing at all, where that was so: a replication that was started since may create the database
    /// again. Lists that held others change too often to be compared.
    fn quiet(&self) -> Vec<Guard> {
        [
            (
                List::ReplicationJobs,
                Path::replication_jobs(),
                "\"jobs\":[]",
            ),
            (
                List::ReplicationDocuments,
                Path::replication_documents(),
                "\"docs\":[]",
            ),
        ]
        .into_iter()
        .filter(|(list, ..)| self.facts.work.empty.contains(list))
        .map(|(_, path, holds)| Guard {
            path,
            holds: holds.to_owned(),
        })
        .collect()
    }

    /// That nothing was written: counts, and the numbers of the sequences.
    fn unwritten(&self, path: &Path) -> Vec<Guard> {
        let info = &self.facts.database;
        let number = |n: u64| n.to_string();
        let stays = |s: &crate::couchdb::response::Sequence| s.stays.clone();
        [
            ("doc_count", Some(number(info.doc_count))),
            ("doc_del_count", info.doc_del_count.map(number)),
            ("update_seq", info.update_seq.as_ref().map(stays)),
            ("purge_seq", info.purge_seq.as_ref().map(stays)),
        ]
        .into_iter()
        .filter_map(|(key, value)| {
            let holds = format!("\"{key}\":{}", value?);
            let path = path.clone();
            Some(Guard { path, holds })
        })
        .collect()
    }
}

/// Makes the plan.
///
/// # Errors
/// Every reason against it.
pub fn plan(facts: Facts) -> Result<Plan, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let not_read = |what: &str, why: String| Refusal::NotRead {
        what: what.to_owned(),
        why,
    };
    if facts.server.couchdb != "Welcome" {
        refusals.push(not_read(
            "the server",
            "it does not say that it is CouchDB".into(),
        ));
    }
    if facts.server.uuid.is_empty() || facts.server.version.is_empty() {
        refusals.push(not_read(
            "the server",
            "its UUID or version is missing".into(),
        ));
    }
    if facts.database.db_name != facts.name.as_str() {
        let why = format!("CouchDB calls it {:?}", facts.database.db_name);
        refusals.push(not_read("the database", why));
    }
    if facts.shard_map.rev.is_empty() || facts.shard_map.epoch().is_none() {
        let why = "its entry in the shard map has no revision or no suffix".into();
        refusals.push(not_read("the identity of the database", why));
    }
    let expected = &facts.membership.cluster_nodes;
    if expected.is_empty() {
        refusals.push(not_read(
            "the members of the cluster",
            "CouchDB names none".into(),
        ));
    }
    if facts.shard_map.by_node.is_empty() {
        let why = "its entry in the shard map names none".into();
        refusals.push(not_read("which members hold the database", why));
    }
    refusals.extend(conflicts(&facts));
    for (what, why) in &facts.catch_up.unread {
        refusals.push(not_read(what, why.clone()));
    }
    for member in expected {
        if let Some(Doubt::Other(why)) = facts.doubt(member) {
            let member = one_line(member);
            refusals.push(Refusal::Member { member, why });
        }
        let settings = facts.settings_of(member);
        if let (None, Some(Err(why))) = (
            facts.doubt(member),
            settings.map(|s| s.maintenance.as_ref().map(|_| ())),
        ) {
            let what = format!("whether member {} is in maintenance", one_line(member));
            refusals.push(not_read(&what, why.clone()));
        }
    }
    if !facts.pods.iter().any(|p| p.uid == facts.target.uid) {
        let why = format!("{} is no longer one of them", facts.target.pod);
        refusals.push(not_read("CouchDB's pods", why));
    }
    let database = &facts.database;
    for (what, there) in [
        (
            "the number of deleted documents",
            database.doc_del_count.is_some(),
        ),
        ("the update sequence", database.update_seq.is_some()),
    ] {
        if !there {
            refusals.push(not_read(what, "CouchDB does not report it".into()));
        }
    }
    // A replication that nobody saw creates the database again: its list counts as much as a claim.
    for (what, why) in &facts.work.unread {
        refusals.push(not_read(what, why.clone()));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let risks = risk::assess(&facts);
    let token = Token::issue(&facts, &risks);
    Ok(Plan {
        facts,
        risks,
        token,
        overrides: Overrides::default(),
    })
}

/// Entries of the shard map with other leaf revisions beside them: CouchDB picks one, and the others may name other members.
fn conflicts(facts: &Facts) -> Option<Refusal> {
    let own = ("the member that was asked", &facts.shard_map);
    let members = facts.members.iter().filter_map(|(name, view)| match view {
        Member::Has(map) => Some((name.as_str(), map)),
        _ => None,
    });
    let (member, map) = members
        .chain([own])
        .find(|(_, map)| !map.conflicts.is_empty())?;
    let revisions: Vec<String> = map.conflicts.iter().map(|rev| one_line(rev)).collect();
    Some(Refusal::NotRead {
        what: "which members hold the database".to_owned(),
        why: format!(
            "its entry in the shard map has conflicts on {} ({} beside {})",
            one_line(member),
            revisions.join(", "),
            one_line(&map.rev)
        ),
    })
}

#[cfg(test)]
pub(crate) mod tests;
