//! An onboarding's first revision, which ran the Job that creates the database: one request, for what its status hides.
//!
//! After an upgrade the status calls a failed first revision superseded, as it does with a good one. Helm's storage tells.

use crate::cluster::Cluster;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::Installation;
use crate::model::names::release_secret;

/// Revision 1; `None` when it is no longer stored.
///
/// # Errors
/// Why it could not be read, as a clause.
pub(crate) async fn first_install(
    cluster: &Cluster,
    hr: &HelmRelease,
) -> Result<Option<Installation>, String> {
    let namespace = hr.storage_namespace();
    let secret = release_secret(&hr.release_name(), 1);
    match cluster.release_secret(namespace, &secret).await {
        Ok(stored) => {
            let first = stored.decode();
            first
                .map(Some)
                .map_err(|why| format!("Secret {namespace}/{secret}: {why}"))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.clause()),
    }
}
