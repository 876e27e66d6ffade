//! From facts to a plan, or to refusals. Asks nothing and shows nothing.

use super::claims::Unclaimed;
use super::refusal::Refusal;
use crate::couchdb::Target;
use crate::couchdb::request::Path;
use crate::couchdb::response::{DatabaseInfo, Membership, Server, ShardMap};
use crate::couchdb::script::{Guard, Job};
use crate::model::names::DatabaseName;

/// What a member says about the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// It has it, with this entry of the shard map.
    Has(ShardMap),
    /// It had it, and it was deleted.
    Deleted,
    /// It never had it.
    Never,
    /// It is not connected.
    Down,
    /// It did not tell.
    NotRead(String),
}

/// All that a plan is made of.
#[derive(Clone, Debug)]
pub struct Facts {
    pub name: DatabaseName,
    pub target: Target,
    pub server: Server,
    pub membership: Membership,
    pub database: DatabaseInfo,
    pub shard_map: ShardMap,
    /// Each member of `membership.cluster_nodes`.
    pub members: Vec<(String, Member)>,
    /// `enable_database_recovery`; `None` when it could not be read.
    pub recovery: Option<bool>,
    pub unclaimed: Unclaimed,
}

/// What would be deleted, where. Only [`plan`] makes one.
#[derive(Clone, Debug)]
pub struct Plan {
    facts: Facts,
}

impl Plan {
    pub fn name(&self) -> &DatabaseName {
        &self.facts.name
    }

    pub fn target(&self) -> &Target {
        &self.facts.target
    }

    /// The members that must all let go of the database.
    pub fn members(&self) -> &[String] {
        &self.facts.membership.cluster_nodes
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

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The run that compares what the plan was made of with what is there, and then sends the DELETE.
    pub fn deletion(&self) -> Job {
        let facts = &self.facts;
        let database = Path::database(&facts.name);
        let guard = |path: &Path, key: &str, value: serde_json::Value| Guard {
            path: path.clone(),
            holds: format!("\"{key}\":{value}"),
        };
        let (root, membership) = (Path::root(), Path::membership());
        let shard_map = Path::shard_map("_local", &facts.name);
        let guards = vec![
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
        ];
        Job::Delete { guards, database }
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
            "it tells no UUID or no version".into(),
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
    for member in expected {
        let view = facts
            .members
            .iter()
            .find(|(m, _)| m == member)
            .map(|(_, v)| v);
        let connected = facts.membership.all_nodes.contains(member);
        let why = match view {
            _ if !connected => "is not connected to its cluster".to_owned(),
            Some(Member::Has(map)) if map.shard_suffix == facts.shard_map.shard_suffix => continue,
            Some(Member::Has(_)) => "has another database of this name".to_owned(),
            Some(Member::Deleted | Member::Never) => {
                "does not have the database that the others have".to_owned()
            }
            Some(Member::Down) => "is down".to_owned(),
            Some(Member::NotRead(why)) => format!("did not tell about the database ({why})"),
            None => "was not asked".to_owned(),
        };
        let member = crate::text::one_line(member);
        refusals.push(Refusal::Member { member, why });
    }
    if refusals.is_empty() {
        Ok(Plan { facts })
    } else {
        Err(refusals)
    }
}

#[cfg(test)]
pub(super) mod tests;
