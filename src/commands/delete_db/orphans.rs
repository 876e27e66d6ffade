//! `--orphans`: the databases that nobody claims, as `databases --orphans` finds them. Each is planned and confirmed like one that was named.

use super::Args;
use crate::advice::Command;
use crate::cli::App;
use crate::cluster::{Cluster, ownership};
use crate::couchdb::figures;
use crate::couchdb::session::Session;
use crate::error::{Error, Result};
use crate::model::inventory::{self, State};
use crate::model::names::DatabaseName;
use crate::text::count;
use std::time::Duration;

/// Longest silence of CouchDB within an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Finds them, in the order of their names. One whose owner is not known is none: that is told.
///
/// # Errors
/// What the cluster or CouchDB said.
pub(super) async fn find(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
) -> Result<Vec<DatabaseName>> {
    let couchdb = async {
        let target = args.pods.container(cluster).await?;
        let opened = Session::open(cluster, &target, PATIENCE).await;
        let mut session = opened.map_err(|failure| failure.into_error(&target))?;
        let names = figures::names(&mut session, &target).await?;
        session.close().await;
        Ok::<_, Error>(names)
    };
    let (ownership, names) = futures::join!(ownership::read(cluster), couchdb);
    let found = inventory::join(&names?, &ownership?);
    let of = |state| found.iter().filter(move |entry| entry.state == state);
    let unknown = of(State::Unknown).count();
    if unknown > 0 {
        let what = count(unknown as u64, "database");
        let why = Command::skvs(["databases"]);
        app.ui.warning(why.after(format!(
            "whose {what} may be is not known, so it is not an orphan; why:"
        )));
    }
    let orphans: Vec<DatabaseName> = of(State::Orphan)
        .filter_map(|entry| DatabaseName::parse(&entry.name).ok())
        .collect();
    if orphans.is_empty() {
        app.ui.status("No orphans found.");
    }
    Ok(orphans)
}
