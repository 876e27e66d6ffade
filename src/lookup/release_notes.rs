//! The release whose notes are shown, and whether its installation created the database.

use super::first_install::first_install;
use crate::advice::Command;
use crate::cluster::{Cluster, ClusterError};
use crate::error::{Error, Result};
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{Creation, ReleaseNotes, creation};
use crate::model::names::release_secret;
use crate::model::onboarding::Values;
use crate::model::status;

/// Reads all that `notes` and `notes --share` read of this onboarding, for a recording: what it is does not matter here.
pub(crate) async fn read_release(cluster: &Cluster, hr: &HelmRelease) {
    if let Ok(newest) = newest_or(cluster, hr, None).await {
        // What was not had is in the recording.
        let _ = never_created(cluster, hr, &newest).await;
    }
}

/// What Helm's storage has against it: only an installation runs the Job that creates the database, and a failed one can be
/// followed by an upgrade that ends well. Asks for the first revision only where the newest did not run the Job.
///
/// # Errors
/// A warning where that revision could not be read.
pub(crate) async fn never_created(
    cluster: &Cluster,
    hr: &HelmRelease,
    newest: &ReleaseNotes,
) -> std::result::Result<Option<String>, String> {
    if creation(&newest.hooks) != Creation::NotRun {
        return Ok(None);
    }
    let never = |what: &str| {
        Ok(Some(format!(
            "the database was probably never created: the creation Job {what}"
        )))
    };
    if newest.version == 1 {
        return never("was not run");
    }
    let first = first_install(cluster, hr).await.map_err(|why| {
        format!("whether the installation created the database is not known: {why}")
    })?;
    let Some(first) = first else {
        return Ok(None);
    };
    match creation(&first.hooks) {
        Creation::Failed => {
            return never("failed in revision 1, and an upgrade does not run it");
        }
        Creation::NotRun => {
            return never("was not run in revision 1, and an upgrade does not run it");
        }
        Creation::Unknown => {
            return Err("whether the installation created the database is not known: Helm's storage does not say how the creation Job ended".to_owned());
        }
        Creation::None | Creation::Succeeded => {}
    }
    let (was, is) = (Values::parse(&first.config).claim(), hr.claim());
    Ok(match (was.joined(), is.joined()) {
        (Some(was), Some(is)) if was != is => Some(format!(
            "its database was changed from {was} to {is} after the installation, which created {was}"
        )),
        _ => None,
    })
}

/// The release of this revision or, without one, of the newest, as helm takes it: whatever its status is.
pub(crate) async fn newest_or(
    cluster: &Cluster,
    hr: &HelmRelease,
    revision: Option<i64>,
) -> Result<ReleaseNotes> {
    if hr.is_remote() {
        return Err(Error::new(format!(
            "the release of {} is on another cluster (spec.kubeConfig)",
            hr.metadata.name
        ))
        .hint("choose that cluster and ask Helm there"));
    }
    let (namespace, name) = (hr.storage_namespace(), hr.release_name());
    let Some(number) = revision.or(hr.revision()) else {
        // Nothing names a revision: an attempt is under way, or there was none.
        return newest(cluster, hr, &name).await;
    };
    let secret = release_secret(&name, number);
    match cluster.release_secret(namespace, &secret).await {
        Ok(stored) => stored
            .decode()
            .map_err(|why| corrupt(namespace, &secret, &why)),
        Err(error) if !error.is_not_found() => Err(unread(error)),
        // The status can be behind: Helm keeps a few revisions only.
        Err(_) if revision.is_none() => newest(cluster, hr, &name).await,
        Err(_) => {
            let there = cluster
                .revisions(namespace, &name)
                .await
                .unwrap_or_default();
            let there: Vec<String> = there.iter().map(|r| r.revision.to_string()).collect();
            let error = Error::new(format!(
                "revision {number} of release {name} is not stored: Secret {namespace}/{secret} does not exist"
            ));
            Err(if there.is_empty() {
                error
            } else {
                error.hint(format!("stored revisions: {}", there.join(", ")))
            })
        }
    }
}

/// The newest of the Secrets that are there.
async fn newest(cluster: &Cluster, hr: &HelmRelease, release: &str) -> Result<ReleaseNotes> {
    let namespace = hr.storage_namespace();
    let revisions = cluster
        .revisions(namespace, release)
        .await
        .map_err(unread)?;
    let Some(newest) = revisions.first() else {
        let name = &hr.metadata.name;
        return Err(Error::new(format!(
            "onboarding {name} has no release: Secret {namespace}/{} does not exist ({})",
            release_secret(release, hr.revision().unwrap_or(1)),
            status::headline(hr).line()
        ))
        .hint(Command::skvs(["describe", name]).after("find out why:")));
    };
    let stored = cluster
        .release_secret(namespace, &newest.secret)
        .await
        .map_err(unread)?;
    stored
        .decode()
        .map_err(|why| corrupt(namespace, &newest.secret, &why))
}

fn corrupt(namespace: &str, secret: &str, why: &crate::model::helm_storage::StorageError) -> Error {
    Error::new(format!(
        "Secret {namespace}/{secret} does not hold a release: {why}"
    ))
    .hint("another revision may still be readable: give --revision N")
}

/// What the API server said of a Secret, with what it is needed for.
fn unread(error: ClusterError) -> Error {
    if !error.is_forbidden() {
        return error.into();
    }
    let asked = crate::model::forbidden::Forbidden::parse(&error.message());
    let needed = asked.map_or(String::new(), |f| format!("; ask for: {f}"));
    Error::server("Forbidden", error.message())
        .hint(format!("the notes are kept in that Secret{needed}"))
}
