//! All that a plan is made of, as it was read. Judges nothing but what one member's answer means.

use super::catch_up::CatchUp;
use super::past::LastClaim;
use super::work::Work;
use crate::couchdb::Target;
use crate::couchdb::pods::PodState;
use crate::couchdb::response::{DatabaseInfo, Membership, Server, ShardMap};
use crate::model::names::DatabaseName;
use crate::model::ownership::Unclaimed;
use crate::text::age::date;
use serde_json::Value;

/// What a member says about the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// It has it, with this entry of the shard map.
    Has(ShardMap),
    /// It had it, and it was deleted.
    Deleted,
    /// The same, and its shard files are seen to be gone.
    Erased,
    /// It says that it was deleted, and its shard files are still there.
    Kept,
    /// It never had it.
    Never,
    /// It is not connected.
    Down,
    /// It is connected as far as the others know, and did not answer in time: it hangs.
    Silent,
    /// It did not tell.
    NotRead(String),
}

/// What a member says of its own configuration; each part with why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// It keeps the files of deleted databases (`enable_database_recovery`).
    pub recovery: Result<bool, String>,
    /// `maintenance_mode` where it is anything but off.
    pub maintenance: Result<Option<String>, String>,
}

/// The facts.
#[derive(Clone, Debug)]
pub struct Facts {
    pub name: DatabaseName,
    pub target: Target,
    /// Every pod of CouchDB's cluster.
    pub pods: Vec<PodState>,
    pub server: Server,
    pub membership: Membership,
    pub database: DatabaseInfo,
    pub shard_map: ShardMap,
    /// The whole entry of the shard map, as the member that was asked has it.
    pub shard_map_document: Value,
    /// Each member of `membership.cluster_nodes`, and each node that the shard map names beside them.
    pub members: Vec<(String, Member)>,
    /// The members of the cluster.
    pub settings: Vec<(String, Settings)>,
    pub catch_up: CatchUp,
    pub work: Work,
    pub unclaimed: Unclaimed,
    pub last_claim: LastClaim,
}

/// All that was read except who claims the database. Claims are judged last, and there are no facts without them.
pub struct Unjudged {
    catch_up: CatchUp,
    join: Box<dyn FnOnce(Unclaimed) -> Facts + Send>,
}

impl Unjudged {
    /// `join` makes the facts once nothing is known to claim the database.
    pub(super) fn new(
        catch_up: CatchUp,
        join: impl FnOnce(Unclaimed) -> Facts + Send + 'static,
    ) -> Self {
        Self {
            catch_up,
            join: Box::new(join),
        }
    }

    /// The facts with the claims' judgement.
    #[must_use]
    pub fn with(self, unclaimed: Unclaimed) -> Facts {
        (self.join)(unclaimed)
    }

    /// The members that are behind.
    pub(super) fn catch_up(&self) -> &CatchUp {
        &self.catch_up
    }
}

/// Why a member may not let go of its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is away: it keeps its files, and a deletion answers 202.
    Away(String),
    /// What it has is not known, or is another database.
    Other(String),
}

impl Facts {
    /// When the database was created: `2024-03-01`.
    pub fn created(&self) -> String {
        let epoch = self.shard_map.epoch();
        epoch.map_or_else(|| "at an unknown time".to_owned(), date)
    }

    /// The nodes that hold a copy, by the shard map: these are the members that a deletion is about.
    pub fn holders(&self) -> impl Iterator<Item = &String> {
        self.shard_map.by_node.keys()
    }

    /// Whether a member holds a copy.
    pub fn holds(&self, member: &str) -> bool {
        self.shard_map.by_node.contains_key(member)
    }

    /// The holders that are not members of the cluster: nothing that is asked of CouchDB reaches them.
    pub fn foreign(&self) -> impl Iterator<Item = &String> {
        self.holders()
            .filter(|node| !self.membership.cluster_nodes.contains(node))
    }

    /// What stands against a member, if anything.
    pub fn doubt(&self, member: &str) -> Option<Doubt> {
        let view = self.members.iter().find(|(m, _)| m == member);
        let away = |why: &str| Some(Doubt::Away(why.to_owned()));
        let other = |why: String| Some(Doubt::Other(why));
        if !self.membership.all_nodes.iter().any(|m| m == member) {
            return away("is not connected to its cluster");
        }
        match view.map(|(_, view)| view) {
            Some(Member::Has(map)) if map.shard_suffix != self.shard_map.shard_suffix => {
                other("has another database of this name".to_owned())
            }
            Some(Member::Has(map)) if map.by_node != self.shard_map.by_node => {
                other("has another shard map of it".to_owned())
            }
            Some(Member::Has(_)) => None,
            Some(Member::Deleted | Member::Erased | Member::Kept | Member::Never) => {
                other("does not have the database that the others have".to_owned())
            }
            Some(Member::Down) => away("is down"),
            Some(Member::Silent) => other("does not answer: it hangs".to_owned()),
            Some(Member::NotRead(why)) => other(format!("did not report on the database ({why})")),
            None => other("was not asked".to_owned()),
        }
    }

    /// A member's settings.
    pub fn settings_of(&self, member: &str) -> Option<&Settings> {
        let found = self.settings.iter().find(|(m, _)| m == member);
        found.map(|(_, settings)| settings)
    }
}
