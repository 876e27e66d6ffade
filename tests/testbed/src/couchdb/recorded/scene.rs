//! The recorded answers, and the order in which they came.
//!
//! All of them were given by CouchDB 3.5.0 on loopback, and where said so by 3.2.3 too: one cluster of three members with n=3 and q=2, or a
//! single member. Names, sizes and epochs are those of the scene; statuses, bodies and their order are CouchDB's.

use std::time::Duration;

use serde_json::{Value, json};

/// What happens in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The third member dies after the plan was made. Seen: with one of three members stopped DELETE answered 202 after about 10 ms, with
    /// the body of a 200, and the members that were up said 404 at once; `/_node/<the dead one>/…` answered 412.
    MemberDies,
    /// The same, and the member is back when it is asked again. Seen: about two seconds after its return its own entry was a
    /// tombstone too, while its shard files stayed where they were, with a document's text in them.
    MemberComesBack,
    /// A member that `_membership` still counts as connected and that answers 412 when it is asked itself. Seen: of a member that
    /// hangs `_membership` tells nothing; of one that is down `_node` says so.
    MemberDown,
    /// The third member hangs. Seen: DELETE answered 500 after exactly 60 s (here after [`HUNG`]), and the database was gone on the
    /// others. What the hanging one says of itself was not recorded: here its connection is closed without an answer.
    MemberHangs,
    /// Seen on a single member: five wrong passwords were answered 401, from the sixth on 403, and then the right one got that 403 too.
    Lockout,
    /// Somebody has sent `DELETE /_dbs` to this member. Seen: 500 `badarg`, and its shard map was empty from then on, also 15 s later:
    /// `_all_dbs` was `[]` there. The others kept theirs.
    MapWiped,
    /// A replication with `create_target` makes the database anew. Seen: about 100 s after a DELETE that answered 200 (here at once);
    /// the new one has a later epoch.
    CreatedAnew,
    /// The member that is asked is in maintenance. Seen: with `maintenance_mode` set to `true`, `/_up` answered 404 with this state,
    /// and DELETE worked all the same and answered 200.
    Maintenance,
    /// The third member hangs from the beginning. Seen on 3.5.0 and 3.2.3, a node stopped by SIGSTOP: `_membership` counts it as connected;
    /// `/_node/<it>/…`, `_active_tasks`, `_scheduler/jobs` and `_reshard/jobs` give no answer for 64 to 67 s, all else is as ever.
    MemberSilent,
    /// The shard map names a node that never was a member. Seen on 3.5.0 and 3.2.3, a map with such a node in a member's place: DELETE answered
    /// 200, `/_node/<that node>/…` 412 as for a member that is down, and the member that the map left out kept its two files.
    ForeignNode,
    /// The entry of the shard map has a second leaf. Seen on 3.5.0 and 3.2.3, after a partition in which both sides created the database: it
    /// is in `_conflicts` where that is asked for, and only there; DELETE answered 200 and the files of the other leaf stayed.
    MapConflict,
    /// The third member was started a moment ago and others still send shards to it, until it has been asked so many times. Seen on 3.2.3
    /// after 5,000 documents that it had missed: `internal_replication_jobs` was 4800, 4700 and 0 on the three, and all 0 in the end.
    CatchingUp(usize),
    /// The third member's copies have fewer documents than those of the others. Seen on 3.5.0 after 5,000 documents that it had missed:
    /// its two shards had 500 of them each, later 2000, and `internal_replication_jobs` was 0 on all members throughout.
    CopiesDiffer,
    /// The only copy is on the third member, which is down. Seen on clusters of three, 3.5.0 and 3.2.3, for a database none of whose shards
    /// could be reached: `_all_dbs` lists it, GET is answered as here, and `POST /_dbs_info` says `not_found` for it.
    Unserved(Failure),
}

/// How CouchDB answers for a database that it cannot serve. Status and reason of both were seen on 3.5.0 and on 3.2.3; the word in `error`
/// was not recorded, and nothing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    NoShardOpens,
    NoProgress,
}

/// A node that the shard map names and the cluster does not have.
pub(super) const FOREIGN: &str = "couchdb@z.scene";
/// Longer than any client waits.
const SILENT: Duration = Duration::from_secs(75);

/// The members' node names.
pub(super) const MEMBERS: [&str; 3] = ["couchdb@a.scene", "couchdb@b.scene", "couchdb@c.scene"];

/// The 60 s of a member that hangs.
const HUNG: Duration = Duration::from_secs(2);

const EPOCH: u64 = 1_709_251_200;
const LATER: u64 = 1_732_000_000;

/// A request as the scene sees it.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// Without its query.
    pub(super) path: &'a str,
    /// Its query is `conflicts=true`.
    pub(super) conflicts: bool,
    /// The right password came with it.
    pub(super) authorised: bool,
    /// What is sent with it.
    pub(super) body: &'a Value,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) pause: Duration,
}

/// How far a scene has come.
pub(super) struct Play {
    scene: Scene,
    database: String,
    /// The DELETE was answered.
    deleted: bool,
    /// How often the third member was asked since.
    asked_since: usize,
    /// How often a member was asked for its uptime.
    systems: usize,
    failures: usize,
}

fn said(status: u16, body: Value) -> Option<Answer> {
    Some(Answer {
        status,
        body,
        pause: Duration::ZERO,
    })
}

fn silence() -> Option<Answer> {
    Some(Answer {
        status: 500,
        body: json!({"error": "error", "reason": "timeout"}),
        pause: SILENT,
    })
}

fn error(status: u16, error: &str, reason: &str) -> Option<Answer> {
    said(status, json!({"error": error, "reason": reason}))
}

impl Play {
    pub(super) fn new(scene: Scene, database: &str) -> Self {
        Self {
            scene,
            database: database.to_owned(),
            deleted: false,
            asked_since: 0,
            systems: 0,
            failures: 0,
        }
    }

    /// The next answer; `None` closes the connection without one.
    pub(super) fn answer(&mut self, asked: &Asked<'_>) -> Option<Answer> {
        let locked = self.failures >= 5;
        if self.scene == Scene::Lockout && locked {
            let reason = "Account is temporarily locked due to multiple authentication failures";
            return error(403, "forbidden", reason);
        }
        if !asked.authorised {
            self.failures += 1;
            return error(401, "unauthorized", "Name or password is incorrect.");
        }
        let path = asked.path.trim_start_matches('/').to_owned();
        match asked.method {
            "DELETE" if path == self.database => self.delete(),
            "GET" if path == self.database => self.database(),
            "POST" if path == "_dbs_info" => self.figures(&asked.body["keys"]),
            "GET" => match path.strip_prefix("_node/").and_then(|p| p.split_once('/')) {
                Some((member, rest)) => {
                    self.member(&member.replace("%40", "@"), rest, asked.conflicts)
                }
                None => self.server(&path),
            },
            _ => error(405, "method_not_allowed", "Only GET,HEAD allowed"),
        }
    }

    fn delete(&mut self) -> Option<Answer> {
        if self.deleted || self.scene == Scene::MapWiped {
            return error(404, "not_found", "Database does not exist.");
        }
        self.deleted = true;
        match self.scene {
            Scene::MemberDies | Scene::MemberComesBack => said(202, json!({"ok": true})),
            Scene::MemberHangs => Some(Answer {
                status: 500,
                body: json!({"error": "error", "reason": "timeout"}),
                pause: HUNG,
            }),
            _ => said(200, json!({"ok": true})),
        }
    }

    fn epoch(&self) -> u64 {
        if self.deleted { LATER } else { EPOCH }
    }

    fn database(&self) -> Option<Answer> {
        let anew = self.scene == Scene::CreatedAnew;
        match self.scene {
            Scene::Unserved(Failure::NoShardOpens) => {
                let reason = "No DB shards could be opened.";
                return error(500, "internal_server_error", reason);
            }
            Scene::Unserved(Failure::NoProgress) => {
                return error(500, "nodedown", "progress not possible");
            }
            _ => {}
        }
        if self.scene == Scene::MapWiped || self.deleted && !anew {
            return error(404, "not_found", "Database does not exist.");
        }
        said(
            200,
            json!({
                "instance_start_time": self.epoch().to_string(), "db_name": self.database,
                "purge_seq": "0-g1AAAABXeJzLYWBgYMpgTmEQTM4vTc5ISXIwNDLXMwBCwxyQVB4LkGRoAFL_gSArA8VPIEfdWQAeqxxC",
                "update_seq": "5-g1AAAACbeJzLYWBgYMpgTmEQTM4vTc5ISXIwNDLXMwBCwxyQVB4LkGRoAFL_gSArA9ccJEmRDAB",
                "sizes": {"file": 16702, "external": 35, "active": 1198}, "props": {}, "doc_del_count": 0, "doc_count": 5,
                "disk_format_version": 8, "compact_running": false, "cluster": {"q": 2, "n": 3, "w": 2, "r": 2},
            }),
        )
    }

    /// `/_dbs_info`: the same word for a database that does not exist and for one that cannot be served.
    fn figures(&self, keys: &Value) -> Option<Answer> {
        let row = |key: &Value| {
            let served = *key == json!(self.database);
            match self
                .database()
                .filter(|answer| served && answer.status == 200)
            {
                Some(answer) => json!({"key": key, "info": answer.body}),
                None => json!({"key": key, "error": "not_found"}),
            }
        };
        let rows: Vec<Value> = keys.as_array().into_iter().flatten().map(row).collect();
        said(200, json!(rows))
    }

    /// `/_node/<member>/…`.
    fn member(&mut self, member: &str, rest: &str, conflicts: bool) -> Option<Answer> {
        let member = if member == "_local" {
            MEMBERS[0]
        } else {
            member
        };
        if member == FOREIGN && self.scene == Scene::ForeignNode {
            return error(412, "nodedown", &format!("{member} is down"));
        }
        if !MEMBERS.contains(&member) {
            return error(404, "not_found", &format!("no such node: {member}"));
        }
        if rest == "_system" {
            return self.system(member);
        }
        let third = member == MEMBERS[2];
        let down = || error(412, "nodedown", &format!("{member} is down"));
        match self.scene {
            Scene::MemberDown | Scene::Unserved(_) if third => return down(),
            Scene::MemberDies if third && self.deleted => return down(),
            Scene::MemberComesBack if third && self.deleted => {
                self.asked_since += 1;
                if self.asked_since == 1 {
                    return down();
                }
            }
            Scene::MemberHangs if third && self.deleted => return None,
            Scene::MemberSilent if third => return silence(),
            _ => {}
        }
        match rest.strip_prefix("_dbs/") {
            Some(name) if name == self.database => self.entry(member, conflicts),
            Some(_) => error(404, "not_found", "missing"),
            None if rest.starts_with("shards%2F") => self.copy(member, rest),
            None if rest == "_config/couchdb/maintenance_mode"
                && self.scene == Scene::Maintenance
                && member == MEMBERS[0] =>
            {
                said(200, json!("true"))
            }
            None if rest.starts_with("_config/") => error(404, "not_found", "unknown_config_value"),
            None => error(404, "not_found", "missing"),
        }
    }

    /// A member's uptime and queue, in part. The third one is asked last.
    fn system(&mut self, member: &str) -> Option<Answer> {
        let third = member == MEMBERS[2];
        let pass = self.systems + 1;
        self.systems += usize::from(third);
        let (uptime, jobs) = match self.scene {
            Scene::CatchingUp(until) if pass <= until => {
                (if third { 1 } else { 90_000 }, u64::from(!third) * 4800)
            }
            _ => (90_000, 0),
        };
        said(
            200,
            json!({"uptime": uptime, "run_queue": 0, "ets_table_count": 166, "os_proc_count": 0, "stale_proc_count": 0,
                "process_count": 465, "process_limit": 262144, "internal_replication_jobs": jobs}),
        )
    }

    /// A member's own copy of a shard.
    fn copy(&self, member: &str, path: &str) -> Option<Answer> {
        let shard = path.replace("%2F", "/");
        let kept = self.scene == Scene::MemberComesBack && member == MEMBERS[2];
        if self.deleted && !kept {
            return error(404, "not_found", "no_db_file");
        }
        let behind = self.scene == Scene::CopiesDiffer && member == MEMBERS[2];
        let documents = if behind { 1 } else { 2 };
        said(
            200,
            json!({"db_name": shard, "engine": "couch_bt_engine", "doc_count": documents, "doc_del_count": 0, "update_seq": documents,
                "purge_seq": 0, "compact_running": false, "sizes": {"active": 418, "external": 17, "file": 8351},
                "instance_start_time": "1709251200373800", "disk_format_version": 8, "committed_update_seq": documents,
                "compacted_seq": 0, "props": {}, "uuid": "5d33aa75c8377c6689cc41dea497bb2c"}),
        )
    }

    /// A member's own entry of the shard map.
    fn entry(&self, member: &str, conflicts: bool) -> Option<Answer> {
        if self.scene == Scene::MapWiped && member == MEMBERS[0] {
            return error(404, "not_found", "missing");
        }
        if self.deleted && self.scene != Scene::CreatedAnew {
            return error(404, "not_found", "deleted");
        }
        let suffix: Vec<u8> = format!(".{}", self.epoch()).into_bytes();
        let ranges = ["00000000-7fffffff", "80000000-ffffffff"];
        let mut holders = MEMBERS.to_vec();
        match self.scene {
            Scene::ForeignNode => holders[2] = FOREIGN,
            Scene::Unserved(_) => holders = vec![MEMBERS[2]],
            _ => {}
        }
        let mut entry = json!({
                "_id": self.database,
                "_rev": if self.deleted { "3-2e9d0f5f1c1b4f6a8a7d8b1f6c0e4d21" } else { "1-4e64a4a7d6a24ee4b1a1a6f2c8a6a8b5" },
                "shard_suffix": suffix, "changelog": [], "props": {},
                "by_node": holders.iter().map(|m| ((*m).to_owned(), json!(ranges))).collect::<serde_json::Map<_, _>>(),
                "by_range": ranges.map(|r| (r.to_owned(), json!(holders))).into_iter().collect::<serde_json::Map<_, _>>(),
        });
        if self.scene == Scene::MapConflict && conflicts {
            entry["_conflicts"] = json!(["1-0b2f6f8e4c9d4a3f9c0e6d1a5b7c8d9e"]);
        }
        said(200, entry)
    }

    fn server(&self, path: &str) -> Option<Answer> {
        // What asks every member waits for the one that hangs.
        let of_all = matches!(path, "_active_tasks" | "_scheduler/jobs" | "_reshard/jobs");
        if self.scene == Scene::MemberSilent && of_all {
            return silence();
        }
        match path {
            "" => said(
                200,
                json!({"couchdb": "Welcome", "version": "3.5.0", "git_sha": "11f0d3643",
                    "uuid": "8a3f6f0a4f6c4d0ea3fd3fd1bf0c5f9e", "features": ["quickjs", "access-ready", "partitioned",
                    "pluggable-storage-engines", "reshard", "scheduler"], "vendor": {"name": "The Apache Software Foundation"}}),
            ),
            "_up" => match self.scene {
                Scene::Maintenance => said(404, json!({"status": "maintenance_mode"})),
                _ => said(200, json!({"status": "ok", "seeds": {}})),
            },
            "_membership" => {
                let gone = matches!(self.scene, Scene::MemberDies | Scene::MemberComesBack);
                let away = self.deleted && gone && self.asked_since < 2
                    || matches!(self.scene, Scene::Unserved(_));
                let connected = if away { &MEMBERS[..2] } else { &MEMBERS[..] };
                said(
                    200,
                    json!({"all_nodes": connected, "cluster_nodes": MEMBERS}),
                )
            }
            "_all_dbs" if self.scene == Scene::MapWiped => said(200, json!([])),
            "_all_dbs" if self.deleted => said(200, json!(["_replicator", "_users"])),
            "_all_dbs" if matches!(self.scene, Scene::Unserved(_)) => {
                said(200, json!([self.database]))
            }
            "_all_dbs" => said(200, json!(["_replicator", "_users", self.database])),
            "_active_tasks" => said(200, json!([])),
            "_scheduler/docs" => said(200, json!({"total_rows": 0, "offset": 0, "docs": []})),
            "_scheduler/jobs" | "_reshard/jobs" => {
                said(200, json!({"total_rows": 0, "offset": 0, "jobs": []}))
            }
            _ => error(404, "not_found", "Database does not exist."),
        }
    }
}
