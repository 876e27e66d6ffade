//! Reads all that may claim a database, in every namespace: HelmReleases, Helm's revisions, objects of the later generation.
//!
//! Reads only, of the API server; what they mean is judged in [`crate::model::ownership`].

use crate::cluster::helm_releases::{Query, is_not_installed};
use crate::cluster::{Cluster, ClusterError, ListOf, segment};
use crate::error::Result;
use crate::model::helm_storage::SECRET_TYPE;
use crate::model::ownership::Ownership;
use serde_json::Value;
use std::collections::BTreeSet;

/// API group of the later generation's objects.
const LATER: &str = "couchdbcluster.woven-city.global";

/// Reads them. What could not be read is a gap in what is known.
///
/// # Errors
/// The cluster cannot be asked at all.
pub async fn read(cluster: &Cluster) -> Result<Ownership> {
    let mut ownership = Ownership::default();
    helm_releases(cluster, &mut ownership).await?;
    revisions(cluster, &mut ownership).await?;
    database_objects(cluster, &mut ownership).await?;
    Ok(ownership)
}

/// Every HelmRelease.
async fn helm_releases(cluster: &Cluster, ownership: &mut Ownership) -> Result<()> {
    let what = "the HelmReleases of all namespaces";
    let read = cluster.all_helm_releases::<Value>(&Query::default()).await;
    match read {
        Ok(all) => {
            all.items().iter().for_each(|o| ownership.helm_release(o));
            Ok(())
        }
        Err(error) if is_not_installed(&error) => {
            ownership.no_helm_releases();
            Ok(())
        }
        // A server that is silent at the first question is not there: no word on the database can be had.
        Err(error @ ClusterError::TimedOut { .. }) => Err(error.into()),
        Err(error) => unread(ownership, what, error),
    }
}

/// Every revision in Helm's storage, in all namespaces: a release whose HelmRelease is gone can lie in any of them.
async fn revisions(cluster: &Cluster, ownership: &mut Ownership) -> Result<()> {
    let path = format!(
        "/api/v1/secrets?fieldSelector=type%3D{}",
        segment(SECRET_TYPE)
    );
    match cluster.all::<Value>(&ListOf::objects(path)).await {
        Ok(all) => {
            all.items().iter().for_each(|s| ownership.revision(s));
            Ok(())
        }
        Err(error) => unread(ownership, "Helm's Secrets of all namespaces", error),
    }
}

/// The objects of the later generation, where they are served: in every version, since a kind can be served in one that is
/// not the preferred one. Each version shows all objects of a kind, so one of them is enough.
async fn database_objects(cluster: &Cluster, ownership: &mut Ownership) -> Result<()> {
    let what = format!("the objects of {LATER}");
    let versions = match cluster.api_versions(LATER).await {
        Ok(Some(versions)) => versions,
        Ok(None) => return Ok(()),
        Err(error) => return unread(ownership, &what, error),
    };
    let mut read = BTreeSet::new();
    for version in versions {
        let base = format!("{LATER}/{version}");
        let served = match cluster.api_resources(&base).await {
            Ok(served) => served,
            Err(error) => {
                unread(ownership, &what, error)?;
                continue;
            }
        };
        for resource in served {
            let (plural, kind) = (resource.name, resource.kind);
            if plural.contains('/')
                || !kind.eq_ignore_ascii_case("couchdbdatabase")
                || !read.insert(plural.clone())
            {
                continue;
            }
            ownership.database_objects_served();
            let path = format!("/apis/{LATER}/{}/{}", segment(&version), segment(&plural));
            let read = cluster.all::<Value>(&ListOf::objects(path)).await;
            if let Err(error) = read.map(|all| {
                all.items()
                    .iter()
                    .for_each(|o| ownership.database_object(&kind, o));
            }) {
                unread(ownership, &format!("the {plural} of all namespaces"), error)?;
            }
        }
    }
    Ok(())
}

/// A part that could not be read is a gap; a cluster that cannot be asked ends the run.
fn unread(ownership: &mut Ownership, what: &str, error: ClusterError) -> Result<()> {
    if error.is_fatal() {
        return Err(error.into());
    }
    ownership.not_read(what, error.clause());
    Ok(())
}
