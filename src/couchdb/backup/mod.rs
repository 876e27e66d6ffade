//! Backups of one database: a compressed local file with documents, all their leaf revisions with history, attachments, design
//! documents, the security object and the entry of the shard map.
//!
//! The file is gzip members of JSON lines (docs/backup-format.md). Taking one only reads ([`pull`]); putting one back writes
//! ([`push`]). Nothing here deletes.

pub(crate) mod answers;
mod attachments;
mod batch;
pub mod format;
mod group;
mod gzip;
pub mod items;
mod lane;
mod lanes;
pub mod link;
mod member;
mod members;
mod multipart;
pub mod part;
pub mod pull;
pub mod push;
mod source;
pub mod tally;
pub mod whole;
pub mod writer;

use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::model::names::DatabaseName;
use link::Link;
use part::Place;
use pull::{NotTaken, PAUSES, Taken, Watch};

/// Takes a backup of a database through the target's container.
///
/// # Errors
/// There is no whole file; nothing stands under its name.
pub async fn take(
    cluster: &Cluster,
    target: &Target,
    name: &DatabaseName,
    place: &Place,
    stale: Vec<String>,
    watch: &mut Watch<'_>,
) -> Result<Taken, NotTaken> {
    let mut link = Link::new(cluster, target, name).stale(stale);
    let taken = pull::pull(&mut link, place, &PAUSES, watch).await;
    link.close().await;
    taken
}
