//! Reads all that may claim a database, in every namespace: HelmReleases, Helm's revisions, objects of the later generation.
//!
//! Reads only, of the API server; what they mean is judged in [`crate::model::ownership`].

use crate::cluster::helm_releases::{Query, is_not_installed};
use crate::cluster::{Cluster, ClusterError, List, Pages, segment};
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
    let read: std::result::Result<(List<Value>, Pages<Value>), _> =
        cluster.helm_releases(&Query::default()).await;
    let (mut page, mut pages) = match read {
        Ok(read) => read,
        Err(error) if is_not_installed(&error) => {
            ownership.no_helm_releases();
            return Ok(());
        }
        // A server that is silent at the first question is not there: no word on the database can be had.
        Err(error @ ClusterError::TimedOut { .. }) => return Err(error.into()),
        Err(error) => return unread(ownership, what, error),
    };
    loop {
        page.items.iter().for_each(|o| ownership.helm_release(o));
        match pages.next().await {
            Ok(Some(next)) => page = next,
            Ok(None) => return Ok(()),
            Err(error) => return unread(ownership, what, error),
        }
    }
}

/// Every revision in Helm's storage, in all namespaces: a release whose HelmRelease is gone can lie in any of them.
async fn revisions(cluster: &Cluster, ownership: &mut Ownership) -> Result<()> {
    let path = format!(
        "/api/v1/secrets?fieldSelector=type%3D{}",
        segment(SECRET_TYPE)
    );
    match each(cluster, path, |s| ownership.revision(s)).await {
        Ok(()) => Ok(()),
        Err(error) => unread(ownership, "Helm's Secrets of all namespaces", error),
    }
}

/// The objects of the later generation, where they are served: in every version, since a kind can be served in one that is
/// not the preferred one. Each version shows all objects of a kind, so one of them is enough.
async fn database_objects(cluster: &Cluster, ownership: &mut Ownership) -> Result<()> {
    let what = format!("the objects of {LATER}");
    let group: Value = match cluster.get(&format!("/apis/{LATER}")).await {
        Ok(group) => group,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return unread(ownership, &what, error),
    };
    let versions: Vec<&str> = items(&group, "versions")
        .filter_map(|v| v.get("version").and_then(Value::as_str))
        .collect();
    if versions.is_empty() {
        ownership.not_read(what, "the API server names no version of them");
        return Ok(());
    }
    let mut read = BTreeSet::new();
    for version in versions {
        let base = format!("/apis/{LATER}/{}", segment(version));
        let served: Value = match cluster.get(&base).await {
            Ok(served) => served,
            Err(error) => {
                unread(ownership, &what, error)?;
                continue;
            }
        };
        for resource in items(&served, "resources") {
            let text = |key: &str| {
                resource
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let (plural, kind) = (text("name"), text("kind"));
            if plural.contains('/')
                || !kind.eq_ignore_ascii_case("couchdbdatabase")
                || !read.insert(plural.to_owned())
            {
                continue;
            }
            ownership.database_objects_served();
            let path = format!("{base}/{}", segment(plural));
            if let Err(error) = each(cluster, path, |o| ownership.database_object(kind, o)).await {
                unread(ownership, &format!("the {plural} of all namespaces"), error)?;
            }
        }
    }
    Ok(())
}

fn items<'v>(object: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    object
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

async fn each(
    cluster: &Cluster,
    path: String,
    mut take: impl FnMut(&Value),
) -> std::result::Result<(), ClusterError> {
    let mut pages: Pages<Value> = cluster.pages(path);
    while let Some(page) = pages.next().await? {
        page.items.iter().for_each(&mut take);
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
