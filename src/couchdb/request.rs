//! The paths that are asked for in a CouchDB pod, each made so that it can mean one thing only.
//!
//! A database's path is made of a checked name and nothing else: CouchDB takes `//x`, `x/` and `/_dbs` for deletions that nobody
//! meant.

use crate::model::names::DatabaseName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Kept as they are in a segment of a path.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Rows of a list that are asked for, at most: what an exec may answer holds them.
pub const ROWS: usize = 2000;

/// The settings that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Whether the member keeps the files of deleted databases.
    Recovery,
    /// Whether the member is in maintenance.
    Maintenance,
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::Recovery => "enable_database_recovery",
            Self::Maintenance => "maintenance_mode",
        }
    }
}

/// How many copies of a shard must answer for a revision. A revision is the same in every copy that has it; that one lacks it says
/// nothing of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// One: less than half the work for CouchDB.
    First,
    /// A majority.
    Quorum,
}

/// A path of CouchDB's API: printable ASCII without blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// `/`: version and UUID of the server.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The cluster's members, and those that are connected.
    pub fn membership() -> Self {
        Self("/_membership".to_owned())
    }

    /// The names of all databases.
    pub fn databases() -> Self {
        Self("/_all_dbs".to_owned())
    }

    /// The database itself: the only path that a DELETE is sent to.
    pub fn database(name: &DatabaseName) -> Self {
        Self(format!("/{name}"))
    }

    /// A database under the name that CouchDB's own list gives it, system databases too: for reads only. `None` for names of dots only, which
    /// clients take out of a path.
    pub fn listed(name: &str) -> Option<Self> {
        Some(Self(format!("/{}", whole(name)?)))
    }

    /// A member's own entry of the shard map; `_local` is the member that is asked.
    pub fn shard_map(member: &str, name: &DatabaseName) -> Self {
        Self(format!("/_node/{}/_dbs/{name}", encode(member)))
    }

    /// The same with `_conflicts`, the entry's other leaf revisions.
    pub fn shard_map_with_conflicts(member: &str, name: &DatabaseName) -> Self {
        Self(format!(
            "/_node/{}/_dbs/{name}?conflicts=true",
            encode(member)
        ))
    }

    /// A member's own copy of one shard. `suffix` is the shard map's.
    pub fn shard(member: &str, range: &str, name: &DatabaseName, suffix: &str) -> Self {
        let shard = format!("shards/{range}/{name}{suffix}");
        Self(format!("/_node/{}/{}", encode(member), encode(&shard)))
    }

    /// Uptime and queues of a member.
    pub fn system(member: &str) -> Self {
        Self(format!("/_node/{}/_system", encode(member)))
    }

    /// All entries of this member's shard map.
    pub fn shard_maps() -> Self {
        Self("/_node/_local/_dbs/_all_docs?include_docs=true".to_owned())
    }

    /// A setting of a member's section `couchdb`.
    pub fn setting(member: &str, key: Setting) -> Self {
        Self(format!(
            "/_node/{}/_config/couchdb/{}",
            encode(member),
            key.name()
        ))
    }

    /// What runs on the cluster now.
    pub fn active_tasks() -> Self {
        Self("/_active_tasks".to_owned())
    }

    /// The documents of `_replicator` that are not through, [`ROWS`] at most.
    pub fn replication_documents() -> Self {
        Self(format!(
            "/_scheduler/docs?limit={ROWS}&states=initializing,error,pending,running,crashing"
        ))
    }

    /// The replications that the cluster runs or will run, [`ROWS`] at most.
    pub fn replication_jobs() -> Self {
        Self(format!("/_scheduler/jobs?limit={ROWS}"))
    }

    /// Shards that are being split.
    pub fn reshard_jobs() -> Self {
        Self("/_reshard/jobs".to_owned())
    }

    /// The names of a namespace's databases.
    pub fn databases_of(namespace: &str) -> Self {
        let namespace = encode(namespace);
        Self(format!(
            "/_all_dbs?start_key=%22{namespace}_%22&end_key=%22{namespace}_%EF%BF%B0%22&limit=200"
        ))
    }

    /// The next `limit` documents that changed after `since`, with all leaf revisions of each.
    pub fn changes(name: &DatabaseName, since: &str, limit: usize) -> Self {
        let since = encode(since);
        Self(format!(
            "/{name}/_changes?style=all_docs&limit={limit}&since={since}"
        ))
    }

    /// The same, with the sequence of every `every`th row only: a sequence costs CouchDB more than its row.
    pub fn changes_sparse(name: &DatabaseName, since: &str, limit: usize, every: usize) -> Self {
        let Self(path) = Self::changes(name, since, limit);
        Self(format!("{path}&seq_interval={every}"))
    }

    /// The same, with the winning revision of each document.
    pub fn changes_with_documents(
        name: &DatabaseName,
        since: &str,
        limit: usize,
        every: usize,
    ) -> Self {
        let Self(path) = Self::changes_sparse(name, since, limit, every);
        Self(format!("{path}&include_docs=true&att_encoding_info=true"))
    }

    /// An attachment of one revision. `None` for names of dots only: clients take them out of a path, with what stands before them.
    pub fn attachment(name: &DatabaseName, id: &str, rev: &str, attachment: &str) -> Option<Self> {
        let (id, attachment) = (document(id)?, whole(attachment)?);
        let rev = encode(rev);
        Some(Self(format!("/{name}/{id}/{attachment}?rev={rev}")))
    }

    /// The security object.
    pub fn security(name: &DatabaseName) -> Self {
        Self(format!("/{name}/_security"))
    }

    /// How many revisions of a document's history are kept.
    pub fn revs_limit(name: &DatabaseName) -> Self {
        Self(format!("/{name}/_revs_limit"))
    }

    /// How many purges are remembered.
    pub fn purged_infos_limit(name: &DatabaseName) -> Self {
        Self(format!("/{name}/_purged_infos_limit"))
    }

    /// Where a database is created.
    pub fn creation(name: &DatabaseName, partitioned: bool, shards: Option<u32>) -> Self {
        let mut path = format!("/{name}?partitioned={partitioned}");
        if let Some(shards) = shards {
            path.push_str(&format!("&q={shards}"));
        }
        Self(path)
    }

    /// Where many documents are written at once.
    pub fn bulk_documents(name: &DatabaseName) -> Self {
        Self(format!("/{name}/_bulk_docs"))
    }

    /// Where one revision is written as it is. `None` as for [`Path::attachment`].
    pub fn revision(name: &DatabaseName, id: &str) -> Option<Self> {
        Some(Self(format!("/{name}/{}?new_edits=false", document(id)?)))
    }

    /// The path as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A POST that only reads: its body is the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    path: Path,
    accept: Option<&'static str>,
}

impl Query {
    /// Figures of up to 100 databases by `{"keys": […]}`.
    pub fn databases_info() -> Self {
        Self::json("/_dbs_info".to_owned())
    }

    /// Revisions with their history by `{"docs": [{"id", "rev"}, …]}`; attachments inline, or as stubs. The first copy of a shard that
    /// answers is believed, or as many as agree by default.
    pub fn documents(name: &DatabaseName, attachments: bool, copies: Copies) -> Self {
        let copies = match copies {
            Copies::First => "&r=1",
            Copies::Quorum => "",
        };
        let path = format!(
            "/{name}/_bulk_get?revs=true&att_encoding_info=true&attachments={attachments}{copies}"
        );
        Self::json(path)
    }

    /// Attachments of revisions as they are stored, several parts in one answer, from the first copy that answers.
    pub fn attachments(name: &DatabaseName) -> Self {
        let path = format!("/{name}/_bulk_get?att_encoding_info=true&attachments=true&r=1");
        Self {
            accept: Some("multipart/mixed"),
            ..Self::json(path)
        }
    }

    /// Which of `{"id": ["rev", …], …}` the database lacks.
    pub fn revisions_missing(name: &DatabaseName) -> Self {
        Self::json(format!("/{name}/_revs_diff"))
    }

    fn json(path: String) -> Self {
        Self {
            path: Path(path),
            accept: None,
        }
    }

    /// The path that it is sent to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The type of the answer, where JSON is not what is asked for.
    pub fn accept(&self) -> Option<&'static str> {
        self.accept
    }
}

/// One segment. A member is never only dots: its name holds an `@`.
fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, KEPT).to_string()
}

/// A document's id in a path: one segment, but for the slash of a design document, which CouchDB would redirect to.
fn document(id: &str) -> Option<String> {
    match id.strip_prefix("_design/") {
        Some(design) => Some(format!("_design/{}", whole(design)?)),
        None => whole(id),
    }
}

/// A segment that is more than dots.
fn whole(segment: &str) -> Option<String> {
    let dots = segment.bytes().all(|b| b == b'.');
    (!dots).then(|| encode(segment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_couchdbs() {
        let name = DatabaseName::parse("pds_data-base_1").unwrap();
        assert_eq!(Path::database(&name).as_str(), "/pds_data-base_1");
        assert_eq!(
            Path::shard_map("couchdb@db-0.headless.svc", &name).as_str(),
            "/_node/couchdb%40db-0.headless.svc/_dbs/pds_data-base_1"
        );
        assert_eq!(
            Path::setting("couchdb@db-0", Setting::Maintenance).as_str(),
            "/_node/couchdb%40db-0/_config/couchdb/maintenance_mode"
        );
        assert_eq!(
            Path::shard("couchdb@db-0", "00000000-7fffffff", &name, ".1709251200").as_str(),
            "/_node/couchdb%40db-0/shards%2F00000000-7fffffff%2Fpds_data-base_1.1709251200"
        );
        assert_eq!(
            Path::databases_of("pds").as_str(),
            "/_all_dbs?start_key=%22pds_%22&end_key=%22pds_%EF%BF%B0%22&limit=200"
        );
    }

    #[test]
    fn paths_of_documents_are_couchdbs() {
        let name = DatabaseName::parse("pds_database").unwrap();
        let attachment =
            |id, file| Path::attachment(&name, id, "1-a", file).map(|p| p.as_str().to_owned());
        let told = |path: &str| Some(path.to_owned());
        assert_eq!(
            attachment("a/b é", "x y/?z"),
            told("/pds_database/a%2Fb%20%C3%A9/x%20y%2F%3Fz?rev=1-a")
        );
        assert_eq!(
            attachment("_design/a/b", "x"),
            told("/pds_database/_design/a%2Fb/x?rev=1-a")
        );
        assert_eq!(attachment("..", "x"), None);
        assert_eq!(attachment("_design/.", "x"), None);
        assert_eq!(attachment("a", ".."), None);
        assert_eq!(
            attachment("..a", ".x"),
            told("/pds_database/..a/.x?rev=1-a")
        );
        assert_eq!(Path::revision(&name, ""), None);
        assert_eq!(
            Path::changes(&name, "3-g1AA_a&limit=9", 100).as_str(),
            "/pds_database/_changes?style=all_docs&limit=100&since=3-g1AA_a%26limit%3D9"
        );
        assert_eq!(
            Path::creation(&name, true, Some(8)).as_str(),
            "/pds_database?partitioned=true&q=8"
        );
    }

    proptest! {
        #[test]
        fn an_attachment_cannot_leave_its_document(id in "\\PC{0,20}|[./%_a-z]{0,9}", file in "\\PC{0,20}|[./]{0,4}", rev in "\\PC{0,9}") {
            let name = DatabaseName::parse("a_b").unwrap();
            if let Some(path) = Path::attachment(&name, &id, &rev, &file) {
                let slashes = if id.starts_with("_design/") { 4 } else { 3 };
                prop_assert_eq!(path.as_str().matches('/').count(), slashes);
                prop_assert_eq!(path.as_str().matches('?').count(), 1);
                prop_assert!(path.as_str().bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
                prop_assert!(!path.as_str().split('/').any(|s| matches!(s, "" | "." | "..") && !s.is_empty()));
            }
        }

        #[test]
        fn a_database_is_one_segment_and_no_system_name(text in "\\PC{0,30}|[a-z0-9_/.#?-]{0,30}") {
            if let Ok(name) = DatabaseName::parse(&text) {
                let path = Path::database(&name);
                prop_assert_eq!(path.as_str().matches('/').count(), 1);
                prop_assert!(path.as_str()[1..].starts_with(|c: char| c.is_ascii_lowercase()));
                prop_assert!(!path.as_str().contains(['?', '#', '%', '.', ' ']));
            }
        }

        #[test]
        fn a_listed_database_is_one_segment(name in "\\PC{0,30}|[a-z0-9_/.#?%-]{0,30}") {
            if let Some(path) = Path::listed(&name) {
                prop_assert_eq!(path.as_str().matches('/').count(), 1);
                prop_assert!(path.as_str().bytes().all(|b| b.is_ascii_graphic() && !b"#?".contains(&b)));
                prop_assert!(!path.as_str()[1..].bytes().all(|b| b == b'.'));
            }
        }

        #[test]
        fn a_member_cannot_leave_its_segment(member in "\\PC{1,30}") {
            let name = DatabaseName::parse("a_b").unwrap();
            let path = Path::shard_map(&member, &name);
            prop_assert_eq!(path.as_str().matches('/').count(), 4);
            prop_assert!(path.as_str().bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}
