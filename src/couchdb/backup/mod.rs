//! Backups of one database: a compressed local file with documents, all their leaf revisions with history, attachments, design
//! documents, the security object and the entry of the shard map.
//!
//! The file is gzip members of JSON lines (docs/backup-format.md). Of a database it reads only; nothing here deletes.

pub mod answers;
mod batch;
pub mod format;
pub mod items;
pub mod link;
mod members;
pub mod part;
pub mod pull;
mod source;
pub mod tally;
pub mod writer;
