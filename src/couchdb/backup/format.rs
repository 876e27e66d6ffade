//! What stands in a backup file, line by line; docs/backup-format.md is its description.
//!
//! [`Row`] has the parts of each document that are kept besides its revisions. Knows the words and the limits, but neither writes nor
//! reads: [`super::writer`] and [`super::items`] do.

use crate::couchdb::response::ShardMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The format that is written. In format 1 no attachment has an encoding, and a database has no limits.
pub const FORMAT: u32 = 2;
/// The oldest format that is read.
pub const OLDEST: u32 = 1;

/// Longest line, in bytes without its end: the largest document that is taken, with its small attachments in it.
pub const LINE_MAX: usize = 96 * 1024 * 1024;

/// Attachment bytes of one chunk line: a multiple of three, so that only the last chunk has padding.
pub const CHUNK: usize = 384 * 1024;

/// One line: an object with one key, which says what it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line<'a> {
    Header(Box<Header>),
    Row(Row),
    /// One revision of the row's document, as CouchDB wrote it.
    #[serde(borrow)]
    Doc(&'a RawValue),
    /// Begins the content of one of the last document's attachments.
    Attachment(Attachment),
    /// The next bytes of that attachment, in base64.
    Chunk(std::borrow::Cow<'a, str>),
    /// Ends a member: everything up to here is whole.
    Checkpoint(Checkpoint),
    Trailer(Box<Trailer>),
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`]; older ones are read down to [`OLDEST`].
    pub format: u32,
    /// Version of the plugin that wrote it.
    pub plugin: String,
    /// When it was begun, RFC 3339.
    pub taken: String,
    pub server: Server,
    pub database: String,
    /// Text that is another one for each database that ever had this name.
    pub identity: String,
    pub partitioned: bool,
    /// Shards of the database, where the server told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// Why what was read may be stale: members that had not caught up when it was begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<String>,
    /// The database's `_dbs` document, as it was: a manual undelete needs it.
    pub shard_map: serde_json::Value,
}

/// The CouchDB that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub uuid: String,
    pub version: String,
}

/// One row of the changes: a document and its leaf revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub id: String,
    pub leaves: Vec<String>,
    /// Every leaf is a deletion.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// The content of an attachment that is not in its document, as CouchDB stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub name: String,
    /// Bytes that are stored.
    pub length: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
}

/// In which encoding an attachment is stored: by whoever sent it so, or by CouchDB for types that compress well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    Gzip,
}

impl Encoding {
    /// Its name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
        }
    }
}

/// How many lines of each kind there are so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    pub rows: u64,
    pub revisions: u64,
    /// Attachments, those that stand in their document too.
    pub attachments: u64,
    /// Uncompressed bytes up to this line.
    pub bytes: u64,
}

/// The end of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The update sequence up to which the changes are in the file.
    pub seq: String,
    #[serde(flatten)]
    pub lines: Lines,
}

/// What the database held, each document counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Documents, as CouchDB's `doc_count` counts them.
    pub documents: u64,
    /// Documents of which only deletions are left.
    pub deleted: u64,
    /// Rows that a later one of the same document replaces.
    pub superseded: u64,
}

/// What a database has beside its documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// The security object.
    pub security: serde_json::Value,
    /// Revisions of a document's history that CouchDB keeps. Files of format 1 do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revs_limit: Option<u64>,
    /// Purges that CouchDB remembers. Files of format 1 do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purged_infos_limit: Option<u64>,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// When it was finished, RFC 3339.
    pub finished: String,
    pub seq: String,
    /// The database's own `update_seq` when the counts matched.
    pub update_seq: String,
    #[serde(flatten)]
    pub totals: Totals,
    #[serde(flatten)]
    pub lines: Lines,
    /// The share of documents, in percent, whose leaf revisions were compared with the database's, where it is less than nearly all:
    /// the others were written to in the meantime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<u8>,
    #[serde(flatten)]
    pub properties: Properties,
    /// As in the header, when it was finished: a part may have been begun by an earlier run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<String>,
    /// SHA-256 of all uncompressed bytes before this line, in hex.
    pub sha256: String,
}

/// What tells a database from a later one of the same name.
pub fn identity(map: &ShardMap) -> String {
    String::from_utf8_lossy(&map.shard_suffix).into_owned()
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What the plugin reads of a document; everything else in it is left as it came.
#[derive(Debug, Deserialize)]
pub struct Meta {
    #[serde(rename = "_id")]
    pub id: String,
    #[serde(rename = "_rev")]
    pub rev: String,
    #[serde(rename = "_attachments", default)]
    attachments: std::collections::BTreeMap<String, Stub>,
}

#[derive(Debug, Deserialize)]
struct Stub {
    #[serde(default)]
    stub: bool,
    #[serde(default)]
    length: u64,
    encoding: Option<Encoding>,
    encoded_length: Option<u64>,
}

impl Meta {
    /// Reads a document.
    ///
    /// # Errors
    /// It has no `_id` and `_rev`.
    pub fn parse(document: &RawValue) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document.get())
    }

    /// How many attachments it has.
    pub fn attachments(&self) -> usize {
        self.attachments.len()
    }

    /// Those whose content is not in it, by name.
    pub fn stubs(&self) -> impl Iterator<Item = Attachment> {
        let stubs = self.attachments.iter().filter(|(_, a)| a.stub);
        stubs.map(|(name, a)| Attachment {
            name: name.clone(),
            // CouchDB gives both lengths with an encoding.
            length: a.encoding.and(a.encoded_length).unwrap_or(a.length),
            encoding: a.encoding,
        })
    }
}
