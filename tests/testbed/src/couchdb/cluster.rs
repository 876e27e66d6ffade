//! The cluster around the one pouchdb-server: its members, and which of them knows which database.
//!
//! Pure state. It answers what CouchDB keeps in its shard map (`_dbs`), which pouchdb has not: identities,
//! tombstones per member, members that are down. Documents are none of its business.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::upstream::Counts;

/// One member as a test may set it.
#[derive(Clone, Debug)]
struct Member {
    name: String,
    up: bool,
    /// It does not take part in deletions and keeps what it has.
    lagging: bool,
    /// Seconds since it was started.
    uptime: u64,
    /// Shards that it has yet to send to others.
    jobs: u64,
}

/// One database in the shard map. A deleted one stays as a tombstone, as in CouchDB.
#[derive(Clone, Debug)]
struct Entry {
    /// Seconds since 1970: the shard suffix, and from 3.3 on `instance_start_time`.
    epoch: u64,
    q: u32,
    n: u32,
    gone: bool,
    /// Lagging members that still have it after the deletion.
    kept_by: BTreeSet<String>,
    /// `_revs_limit` and the like, where they were set.
    limits: BTreeMap<String, u64>,
}

/// Members, databases and the version that the server says it has.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    version: String,
    members: Vec<Member>,
    q: u32,
    n: u32,
    entries: BTreeMap<String, Entry>,
    last_epoch: u64,
    wiped: bool,
    leftovers: Vec<(String, String)>,
    /// What a test has set, by member and `section/key`.
    settings: BTreeMap<(String, String), String>,
}

impl Cluster {
    pub(crate) fn new(version: String, members: Vec<String>, q: u32, n: u32) -> Self {
        let members = members
            .into_iter()
            .map(|name| Member {
                name,
                up: true,
                lagging: false,
                uptime: 86_400,
                jobs: 0,
            })
            .collect();
        Self {
            version,
            members,
            q,
            n,
            entries: BTreeMap::new(),
            last_epoch: 0,
            wiped: false,
            leftovers: Vec::new(),
            settings: BTreeMap::new(),
        }
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn set_version(&mut self, version: &str) {
        version.clone_into(&mut self.version);
    }

    /// Whether the version is at least `major.minor`.
    pub(crate) fn since(&self, major: u32, minor: u32) -> bool {
        let mut parts = self
            .version
            .split('.')
            .map(|p| p.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
    }

    /// Says whether a member of that name exists.
    pub(crate) fn set_up(&mut self, member: &str, up: bool) -> bool {
        self.member_mut(member).map(|m| m.up = up).is_some()
    }

    /// Says whether a member of that name exists.
    pub(crate) fn set_lagging(&mut self, member: &str, lagging: bool) -> bool {
        let known = self
            .member_mut(member)
            .map(|m| m.lagging = lagging)
            .is_some();
        if known && !lagging {
            for entry in self.entries.values_mut() {
                entry.kept_by.remove(member);
            }
        }
        known
    }

    /// Says whether a member of that name exists.
    pub(crate) fn set_system(&mut self, member: &str, uptime: u64, jobs: u64) -> bool {
        let set = |m: &mut Member| (m.uptime, m.jobs) = (uptime, jobs);
        self.member_mut(member).map(set).is_some()
    }

    /// Says whether a member of that name exists.
    pub(crate) fn set_setting(&mut self, member: &str, key: &str, value: &str) -> bool {
        let known = self.member_mut(member).is_some();
        if known {
            let place = (member.to_owned(), key.to_owned());
            self.settings.insert(place, value.to_owned());
        }
        known
    }

    /// A member's setting; `None` where it is not set.
    pub(crate) fn setting(&self, member: &str, section: &str, key: &str) -> Option<&str> {
        let place = (member.to_owned(), format!("{section}/{key}"));
        self.settings.get(&place).map(String::as_str)
    }

    fn member_mut(&mut self, name: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|m| m.name == name)
    }

    fn all_up(&self) -> bool {
        self.members.iter().all(|m| m.up)
    }

    pub(crate) fn wiped(&self) -> bool {
        self.wiped
    }

    /// `DELETE /_dbs`: the server answers 500 and its shard map is empty from then on.
    pub(crate) fn wipe(&mut self) -> Answer {
        self.wiped = true;
        Answer::error(500, "unknown_error", "badarg")
    }

    /// (member, database): files that a member kept because it was down when the database was deleted.
    pub(crate) fn leftovers(&self) -> &[(String, String)] {
        &self.leftovers
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        !self.wiped && self.entries.get(name).is_some_and(|e| !e.gone)
    }

    /// Names of all databases, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        if self.wiped {
            return Vec::new();
        }
        self.entries
            .iter()
            .filter(|(_, e)| !e.gone)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Enters a database that is known not to exist; `now` in seconds since 1970. 201, or 202 with a member down.
    /// Each creation gets a later epoch than the one before, also within one second.
    pub(crate) fn create(
        &mut self,
        name: &str,
        q: Option<u32>,
        n: Option<u32>,
        now: u64,
    ) -> Answer {
        self.last_epoch = now.max(self.last_epoch + 1);
        let entry = Entry {
            epoch: self.last_epoch,
            q: q.unwrap_or(self.q).max(1),
            n: n.unwrap_or(self.n).max(1),
            gone: false,
            kept_by: BTreeSet::new(),
            limits: BTreeMap::new(),
        };
        self.entries.insert(name.to_owned(), entry);
        Answer::ok(if self.all_up() { 201 } else { 202 })
    }

    /// Turns an existing database into a tombstone: 200, or 202 with a member down.
    pub(crate) fn delete(&mut self, name: &str) -> Answer {
        let down = self
            .members
            .iter()
            .filter(|m| !m.up)
            .map(|m| (m.name.clone(), name.to_owned()));
        self.leftovers.extend(down.collect::<Vec<_>>());
        let kept_by = self
            .members
            .iter()
            .filter(|m| m.up && m.lagging)
            .map(|m| m.name.clone())
            .collect();
        let status = if self.all_up() { 200 } else { 202 };
        if let Some(entry) = self.entries.get_mut(name) {
            entry.gone = true;
            entry.kept_by = kept_by;
        }
        Answer::ok(status)
    }

    /// `GET` or, with a body, `PUT /<name>/_revs_limit` or `_purged_infos_limit` of a database that is there. pouchdb has none.
    pub(crate) fn limit(&mut self, name: &str, limit: &str, new: Option<&[u8]>) -> Answer {
        let Some(entry) = self.entries.get_mut(name) else {
            return Answer::no_database();
        };
        let Some(new) = new else {
            let known = entry.limits.get(limit);
            return Answer::new(200, json!(known.unwrap_or(&1000)));
        };
        match serde_json::from_slice(new) {
            Ok(number @ 1..) => {
                entry.limits.insert(limit.to_owned(), number);
                Answer::ok(200)
            }
            _ => Answer::error(400, "bad_request", "Rev limit has to be an integer"),
        }
    }

    pub(crate) fn membership(&self) -> Answer {
        let names = |up_only: bool| -> Vec<&str> {
            self.members
                .iter()
                .filter(|m| m.up || !up_only)
                .map(|m| m.name.as_str())
                .collect()
        };
        Answer::new(
            200,
            json!({"all_nodes": names(true), "cluster_nodes": names(false)}),
        )
    }

    /// The member that `_local` or a full name means, or CouchDB's refusal.
    pub(crate) fn node(&self, asked: &str) -> Result<&str, Answer> {
        let found = match asked {
            "_local" => self.members.iter().find(|m| m.up),
            name => self.members.iter().find(|m| m.name == name),
        };
        match found {
            None => Err(Answer::error(
                404,
                "not_found",
                format!("no such node: {asked}"),
            )),
            Some(member) if !member.up => Err(Answer::error(
                412,
                "nodedown",
                format!("{} is down", member.name),
            )),
            Some(member) => Ok(&member.name),
        }
    }

    /// `GET /_node/<node>/_dbs/<name>`: the shard map's document as that member has it.
    pub(crate) fn shard_document(&self, node: &str, name: &str) -> Answer {
        let node = match self.node(node) {
            Ok(node) => node,
            Err(refusal) => return refusal,
        };
        match self.entries.get(name) {
            Some(entry) if !self.wiped && (!entry.gone || entry.kept_by.contains(node)) => {
                Answer::new(200, self.document(name, entry))
            }
            Some(_) if !self.wiped => Answer::error(404, "not_found", "deleted"),
            _ => Answer::missing(),
        }
    }

    /// `GET /_node/<node>/_system`, in part.
    pub(crate) fn system(&self, node: &str) -> Answer {
        let name = match self.node(node) {
            Ok(name) => name,
            Err(refusal) => return refusal,
        };
        let member = self.members.iter().find(|m| m.name == name);
        let (uptime, jobs) = member.map_or((0, 0), |m| (m.uptime, m.jobs));
        Answer::new(
            200,
            json!({"uptime": uptime, "run_queue": 1, "process_count": 412, "internal_replication_jobs": jobs}),
        )
    }

    /// `GET /_node/<node>/shards%2F<range>%2F<name>.<epoch>`: a member's own copy of a shard, in part. pouchdb has no shards, so each copy
    /// has as many documents as the others.
    pub(crate) fn shard(&self, node: &str, shard: &str) -> Answer {
        let node = match self.node(node) {
            Ok(node) => node,
            Err(refusal) => return refusal,
        };
        let file = shard.split('/').nth(2).and_then(|f| f.rsplit_once('.'));
        let there = file.is_some_and(|(name, epoch)| {
            let left = (node.to_owned(), name.to_owned());
            self.entries.get(name).is_some_and(|e| {
                let holds = self
                    .members
                    .iter()
                    .take(e.n as usize)
                    .any(|m| m.name == node);
                let has = !e.gone || e.kept_by.contains(node) || self.leftovers.contains(&left);
                e.epoch.to_string() == epoch && holds && has
            })
        });
        if there {
            Answer::new(
                200,
                json!({"db_name": shard, "engine": "couch_bt_engine", "doc_count": 0, "doc_del_count": 0, "update_seq": 0}),
            )
        } else {
            Answer::error(404, "not_found", "no_db_file")
        }
    }

    /// `GET /_node/<node>/_dbs/_all_docs?include_docs=true`: all documents of the shard map as that member has it.
    pub(crate) fn shard_documents(&self, node: &str) -> Answer {
        let node = match self.node(node) {
            Ok(node) => node,
            Err(refusal) => return refusal,
        };
        let rows: Vec<Value> = self
            .entries
            .iter()
            .filter(|(_, e)| !self.wiped && (!e.gone || e.kept_by.contains(node)))
            .map(|(name, entry)| {
                let doc = self.document(name, entry);
                json!({"id": name, "key": name, "value": {"rev": doc["_rev"]}, "doc": doc})
            })
            .collect();
        Answer::new(
            200,
            json!({"total_rows": rows.len(), "offset": 0, "rows": rows}),
        )
    }

    fn document(&self, name: &str, entry: &Entry) -> Value {
        let width = (1_u64 << 32) / u64::from(entry.q);
        let ranges: Vec<String> = (0..u64::from(entry.q))
            .map(|i| {
                let last = if i + 1 == u64::from(entry.q) {
                    u64::from(u32::MAX)
                } else {
                    (i + 1) * width - 1
                };
                format!("{:08x}-{last:08x}", i * width)
            })
            .collect();
        let holders: Vec<&str> = self
            .members
            .iter()
            .take(entry.n as usize)
            .map(|m| m.name.as_str())
            .collect();
        let by_node: Map<String, Value> = holders
            .iter()
            .map(|h| ((*h).to_owned(), json!(ranges)))
            .collect();
        let by_range: Map<String, Value> =
            ranges.iter().map(|r| (r.clone(), json!(holders))).collect();
        let changelog: Vec<Value> = ranges
            .iter()
            .flat_map(|r| holders.iter().map(move |h| json!(["add", r, h])))
            .collect();
        json!({
            "_id": name,
            "_rev": format!("1-{}", digest(name, entry.epoch)),
            "shard_suffix": format!(".{}", entry.epoch).bytes().collect::<Vec<u8>>(),
            "changelog": changelog,
            "by_node": by_node,
            "by_range": by_range,
            "props": {},
        })
    }

    /// `GET /<name>` of an existing database. The sizes are made from the number of documents: pouchdb has none.
    pub(crate) fn info(&self, name: &str, counts: Counts) -> Value {
        let Counts {
            documents,
            deleted,
            sequence,
        } = counts;
        let (epoch, q, n) = self
            .entries
            .get(name)
            .map_or((0, self.q, self.n), |e| (e.epoch, e.q, e.n));
        let started = if self.since(3, 3) { epoch } else { 0 };
        let active = documents * 640;
        let quorum = n / 2 + 1;
        json!({
            "db_name": name,
            "doc_count": documents,
            "doc_del_count": deleted,
            "update_seq": format!("{sequence}-{}", digest(name, sequence)),
            "purge_seq": format!("0-{}", digest(name, 0)),
            "sizes": {"file": 8351 * u64::from(q) + 2 * active, "external": active / 2, "active": active},
            "props": {},
            "cluster": {"q": q, "n": n, "w": quorum, "r": quorum},
            "compact_running": false,
            "disk_format_version": 8,
            "instance_start_time": started.to_string(),
        })
    }
}

/// 32 hex digits, as CouchDB's revisions have.
fn digest(name: &str, seed: u64) -> String {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, name, seed).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(0), half(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> Cluster {
        Cluster::new(
            "3.2.2".to_owned(),
            vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            2,
            3,
        )
    }

    fn said(answer: &Answer) -> String {
        let word = if answer.status < 300 {
            "ok"
        } else {
            answer.body["reason"].as_str().unwrap_or_default()
        };
        format!("{} {word}", answer.status)
    }

    #[test]
    fn a_deleted_database_is_a_tombstone_on_every_member() {
        let mut c = cluster();
        assert_eq!(said(&c.shard_document("a", "x_y")), "404 missing");
        assert_eq!(c.create("x_y", None, None, 1_700_000_000).status, 201);
        assert_eq!(said(&c.shard_document("b", "x_y")), "200 ok");
        assert_eq!(c.delete("x_y").status, 200);
        assert!(!c.exists("x_y"));
        for node in ["a", "b", "c", "_local"] {
            assert_eq!(said(&c.shard_document(node, "x_y")), "404 deleted");
        }
        assert_eq!(said(&c.shard_document("d", "x_y")), "404 no such node: d");
    }

    #[test]
    fn a_member_that_is_down_makes_202_and_keeps_its_files() {
        let mut c = cluster();
        c.create("x_y", None, None, 1);
        assert!(c.set_up("c", false));
        assert_eq!(
            c.membership().body,
            json!({"all_nodes": ["a", "b"], "cluster_nodes": ["a", "b", "c"]})
        );
        let answer = c.delete("x_y");
        assert_eq!(answer, Answer::new(202, json!({"ok": true})));
        assert_eq!(said(&c.shard_document("c", "x_y")), "412 c is down");
        assert!(c.set_up("c", true));
        assert_eq!(said(&c.shard_document("c", "x_y")), "404 deleted");
        assert_eq!(c.leftovers(), [("c".to_owned(), "x_y".to_owned())]);
    }

    #[test]
    fn a_member_keeps_its_shard_files_where_it_did_not_take_part() {
        let mut c = cluster();
        c.create("x_y", None, Some(2), 1);
        let file = "shards/00000000-7fffffff/x_y.1";
        assert_eq!(said(&c.shard("a", file)), "200 ok");
        assert_eq!(said(&c.shard("c", file)), "404 no_db_file");
        assert!(c.set_up("b", false));
        c.delete("x_y");
        assert!(c.set_up("b", true));
        assert_eq!(said(&c.shard("a", file)), "404 no_db_file");
        assert_eq!(said(&c.shard("b", file)), "200 ok");
        assert_eq!(said(&c.shard("d", file)), "404 no such node: d");
    }

    #[test]
    fn a_member_says_how_long_it_runs_and_what_waits() {
        let mut c = cluster();
        assert!(c.set_system("b", 30, 4));
        let system = |node: &str| {
            let body = c.system(node).body;
            (
                body["uptime"].clone(),
                body["internal_replication_jobs"].clone(),
            )
        };
        assert_eq!(system("_local"), (json!(86_400), json!(0)));
        assert_eq!(system("b"), (json!(30), json!(4)));
    }

    #[test]
    fn a_lagging_member_still_has_what_the_others_deleted() {
        let mut c = cluster();
        c.create("x_y", None, None, 1);
        assert!(c.set_lagging("b", true));
        assert_eq!(c.delete("x_y").status, 200);
        assert_eq!(said(&c.shard_document("b", "x_y")), "200 ok");
        assert_eq!(said(&c.shard_document("a", "x_y")), "404 deleted");
        assert!(c.set_lagging("b", false));
        assert_eq!(said(&c.shard_document("b", "x_y")), "404 deleted");
    }

    #[test]
    fn a_database_made_again_has_another_identity() {
        let mut c = cluster();
        let identity = |c: &Cluster| {
            let doc = c.shard_document("a", "x_y").body;
            (doc["_rev"].clone(), doc["shard_suffix"].clone())
        };
        c.create("x_y", None, None, 1_700_000_000);
        let first = identity(&c);
        c.delete("x_y");
        c.create("x_y", None, None, 1_700_000_000);
        let second = identity(&c);
        assert!(first.0 != second.0 && first.1 != second.1);
        assert_eq!(c.info("x_y", Counts::default())["instance_start_time"], "0");
        c.set_version("3.3.3");
        assert_eq!(
            c.info("x_y", Counts::default())["instance_start_time"],
            "1700000001"
        );
    }

    #[test]
    fn a_wiped_shard_map_shows_no_database() {
        let mut c = cluster();
        c.create("x_y", None, None, 1);
        assert_eq!(said(&c.wipe()), "500 badarg");
        assert!(c.wiped() && c.names().is_empty() && !c.exists("x_y"));
    }

    #[test]
    fn the_shard_document_covers_the_whole_ring() {
        let mut c = cluster();
        c.create("x_y", None, Some(2), 1_700_000_000);
        let doc = c.shard_document("_local", "x_y").body;
        assert_eq!(
            doc["by_node"],
            json!({"a": ["00000000-7fffffff", "80000000-ffffffff"], "b": ["00000000-7fffffff", "80000000-ffffffff"]})
        );
        assert_eq!(doc["shard_suffix"], json!(b".1700000000"));
        assert_eq!(
            c.info(
                "x_y",
                Counts {
                    documents: 3,
                    deleted: 0,
                    sequence: 4
                }
            )["cluster"],
            json!({"q": 2, "n": 2, "w": 2, "r": 2})
        );
    }

    #[test]
    fn versions_are_compared_by_number() {
        let mut c = cluster();
        assert!(!c.since(3, 3));
        c.set_version("3.10.0");
        assert!(c.since(3, 3));
        c.set_version("4.0.0");
        assert!(c.since(3, 3));
    }
}
