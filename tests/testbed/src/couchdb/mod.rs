//! CouchDB for the testbed: pouchdb-server, and before it a front that makes it look like a cluster of CouchDB 3.x.
//!
//! pouchdb-server keeps databases and documents and answers for them: documents, attachments, `_bulk_docs`,
//! `_all_docs`, `_changes`. It knows no admin, no members and no shard map. What the **front answers by itself**:
//!
//! - credentials: Basic, one admin; 401 and 400 in CouchDB's words; no cookie, no other user, no lockout of its own;
//! - `/`, `/_up`, `/_session`, `/_uuids`, `/_membership`, `/_all_dbs`, `/_dbs_info` (GET from 3.3 on), `/_active_tasks`,
//!   `/_scheduler/docs`, `/_scheduler/jobs`, `/_reshard/jobs` (all empty unless a test fills the tasks);
//! - `/_node/<node>`, `/_node/<node>/_dbs/<db>` and `…/_dbs/_all_docs` (read only), `/_node/<node>/_config/…` (every value unknown);
//! - PUT, DELETE, GET and HEAD of a database: names, 201/202, 412, the shard map's tombstones, 200/202, and the
//!   figures of GET: sizes are made from the number of documents;
//! - what must never be asked: `DELETE /_dbs` wipes the shard map, `DELETE //db` and `/db/` delete `db`;
//! - the headers `Server` and `X-Couch-Request-ID`.
//!
//! What only members of a real cluster do, the front does by a test's word alone: `set_up` and `set_lagging` of a member, and faults for a
//! 500 after a time-out or a lockout. The order in which a real cluster answered then (a member that dies after the plan and comes
//! back, one that hangs, five failures and their lockout, a shard map that was wiped, a database that is created again, maintenance)
//! is **played back** by [`Recorded`], which can do nothing else.
//!
//! All members answer on one port; the first that is up is `_local`. Faults (a lockout and a time-out too), members
//! that are down or lag behind, and what was asked are a test's to set and read, on [`Front`].

mod answer;
mod auth;
mod cluster;
mod endpoints;
mod fault;
mod front;
mod name;
pub mod pouchdb;
mod record;
mod recorded;
mod reply;
mod seed;
mod server;
pub(crate) mod target;
#[cfg(test)]
mod tests;
mod tls_port;
mod upstream;

pub use fault::Fault;
pub use front::{Config, Front};
pub use record::Seen;
pub use recorded::{Failure, Recorded, Scene};
pub use seed::{ORPHAN, ORPHAN_DOCUMENTS, populate};
pub use tls_port::TlsPort;
