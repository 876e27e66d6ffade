//! What the API server knows of a database: what claims it, what claimed it last, and CouchDB's pods.

use crate::cluster::{All, Cluster, ListOf, ownership, segment};
use crate::couchdb::Target;
use crate::couchdb::delete::past::LastClaim;
use crate::couchdb::delete::refusal::Refusal;
use crate::couchdb::pods::{self, PodState};
use crate::error::Result;
use crate::model::names::DatabaseName;
use crate::model::ownership::Unclaimed;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

/// Reads all that may claim the database, in every namespace, and judges it.
///
/// # Errors
/// The outer one when the cluster cannot be asked at all; the inner one is every reason against the deletion.
pub async fn claims(
    cluster: &Cluster,
    name: &DatabaseName,
) -> Result<std::result::Result<Unclaimed, Vec<Refusal>>> {
    let ownership = ownership::gather(cluster).await?;
    Ok(ownership
        .unclaimed(name.as_str())
        .map_err(|verdict| Refusal::of_verdict(*verdict)))
}

/// Who claimed it last, by the events that are left, and by the Kustomizations where they may be read. Neither refuses anything by
/// itself, so whoever may not read them goes on without.
///
/// # Errors
/// The cluster cannot be asked at all.
pub(super) async fn last_claim(cluster: &Cluster, name: &DatabaseName) -> Result<LastClaim> {
    let path = format!(
        "/api/v1/events?fieldSelector={}",
        segment("involvedObject.kind=HelmRelease")
    );
    let list = ListOf::objects(path);
    let (events, kustomizations) =
        futures::join!(cluster.all::<Value>(&list), cluster.kustomizations());
    let events = match events {
        Err(error) if error.is_fatal() => return Err(error.into()),
        read => read.map(All::into_items).map_err(|error| error.clause()),
    };
    Ok(LastClaim::find(events, kustomizations, name))
}

/// Every pod of the target's cluster, whatever the flags chose.
///
/// # Errors
/// They cannot be read.
pub(in crate::couchdb::delete) async fn pods(
    cluster: &Cluster,
    target: &Target,
) -> Result<Vec<PodState>> {
    let path = format!("/api/v1/namespaces/{}/pods", segment(&target.namespace));
    let all: Vec<Pod> = cluster.all(&ListOf::objects(path)).await?.into_items();
    Ok(pods::cluster_of(&all, target))
}
