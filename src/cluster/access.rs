//! Reads what decides whether a service account may use a database. What it means is judged in [`crate::diagnosis::access`].
//!
//! The endpoint comes from Helm's storage, so that a change of the HelmRelease that is not installed yet has no say.

use super::onboardings::Unreadable;
use super::{Cluster, ClusterError, ListOf, segment};
use crate::diagnosis::access::{Claimant, Client, Facts, Installed, Server, endpoint};
use crate::error::Result;
use crate::model::endpoint::COUCHDB_NAMESPACE;
use crate::model::field::{Fields, Meta};
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::ReleaseNotes;
use crate::model::istio::ISTIO_NAMESPACE;
use crate::model::istio::detour::{Detour, KINDS, Kind};
use crate::model::istio::mesh::{CONFIG_MAP, Mesh};
use crate::model::istio::mutual_tls::PeerAuthentication;
use crate::model::istio::policy::AuthorizationPolicy;
use crate::model::istio::port::Service;
use crate::model::istio::request::Account;
use crate::model::istio::workload::Workload;
use crate::model::names::DatabaseName;
use crate::model::notes::Notes;
use crate::model::onboarding::Claim;
use crate::snapshot::{Listing, Read, Why};
use serde_json::Value;

/// API group of policies.
const SECURITY: &str = "security.istio.io";

/// Reads everything. A part that could not be read is one of the result.
///
/// # Errors
/// The cluster cannot be asked at all.
pub async fn gather(
    cluster: &Cluster,
    namespace: &str,
    selector: &str,
    database: DatabaseName,
    account: Account,
) -> Result<Facts> {
    let claimants = claimants(cluster, namespace, selector, &database).await?;
    let server = endpoint(&claimants, &database);
    let server = server.map_or_else(|_| COUCHDB_NAMESPACE.to_owned(), |e| e.namespace);
    let (mesh, policies, peer_authentications, detours, server, client) = futures::join!(
        mesh(cluster),
        of_kind(
            cluster,
            SECURITY,
            "authorizationpolicies",
            AuthorizationPolicy::from_value
        ),
        async {
            let all = of_kind(
                cluster,
                SECURITY,
                "peerauthentications",
                PeerAuthentication::from_value,
            );
            // None exist where the kind is not served.
            or_none(all.await)
        },
        futures::future::join_all(KINDS.map(|kind| detours(cluster, kind))),
        async {
            let (namespace, services, pods) = futures::join!(
                self::namespace(cluster, &server),
                listed(cluster, &server, "services", Service::from_value),
                listed(cluster, &server, "pods", Workload::from_value),
            );
            Server {
                namespace,
                services,
                pods,
            }
        },
        async {
            let own = &account.namespace;
            let path = format!(
                "/api/v1/namespaces/{}/serviceaccounts/{}",
                segment(own),
                segment(&account.name)
            );
            let (namespace, service_account, pods) = futures::join!(
                self::namespace(cluster, own),
                meta(cluster, &path, "ServiceAccount"),
                listed(cluster, own, "pods", Workload::from_value),
            );
            Client {
                namespace,
                service_account,
                pods,
            }
        },
    );
    Ok(Facts {
        database,
        claimants,
        mesh,
        policies,
        peer_authentications,
        detours,
        server,
        client,
        account,
    })
}

/// The onboardings that claim the database by their specs.
async fn claimants(
    cluster: &Cluster,
    namespace: &str,
    selector: &str,
    database: &DatabaseName,
) -> Result<Listing<Claimant>> {
    let around = cluster.onboardings_around(Some(namespace), selector, |_| false);
    let (listed, mut not_all) = around.await;
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(error) => return Ok(Listing::new(Vec::new(), Some(Why::from(&error)))),
    };
    if let Some(why) = Unreadable::all(&listed.unreadable) {
        not_all.get_or_insert(Why::Failed(why));
    }
    let mut claiming = Vec::new();
    for hr in &listed.typed {
        match hr.claim() {
            Claim::Unresolved(_) => {
                let why = format!("the database of HelmRelease {} is not known", hr.id());
                not_all.get_or_insert(Why::NotAsked(why));
            }
            claim if claim.joined() == Some(database.as_str()) => {
                claiming.push(claimant(cluster, hr))
            }
            _ => {}
        }
    }
    let claiming = futures::future::join_all(claiming).await;
    Ok(Listing::new(claiming, not_all))
}

async fn claimant(cluster: &Cluster, hr: &HelmRelease) -> Claimant {
    let installed = match hr.is_remote() {
        true => Read::not_asked("it is on another cluster"),
        false => installed(cluster, hr)
            .await
            .unwrap_or_else(|error| Read::from_result(Err(error))),
    };
    Claimant {
        id: hr.id(),
        is_remote: hr.is_remote(),
        is_stale: hr.is_stale(),
        installed,
    }
}

/// The newest of the revisions that are stored, whatever the HelmRelease's status says.
async fn installed(
    cluster: &Cluster,
    hr: &HelmRelease,
) -> std::result::Result<Read<Installed>, ClusterError> {
    let (namespace, name) = (hr.storage_namespace(), hr.release_name());
    let revisions = cluster.revisions(namespace, &name).await?;
    let Some(newest) = revisions.first() else {
        return Ok(Read::Absent);
    };
    let secret = cluster.release_secret(namespace, &newest.secret).await?;
    Ok(match secret.decode::<ReleaseNotes>() {
        Err(why) => Read::Unknown(Why::Broken(format!(
            "Secret {namespace}/{}: {why}",
            newest.secret
        ))),
        Ok(release) => {
            let notes = Notes::parse(&release.info.notes);
            Read::Seen(Installed {
                status: release.info.status,
                database: notes.database,
                endpoint: notes.endpoint,
            })
        }
    })
}

async fn mesh(cluster: &Cluster) -> Read<Mesh> {
    let path = format!("/api/v1/namespaces/{ISTIO_NAMESPACE}/configmaps/{CONFIG_MAP}");
    let object = Read::from_result(cluster.get::<Value>(&path).await);
    object.and_then(|object| match Mesh::from_value(&object) {
        Ok(mesh) => Read::Seen(mesh),
        Err(why) => Read::Unknown(Why::Broken(format!(
            "ConfigMap {ISTIO_NAMESPACE}/{CONFIG_MAP}: {why}"
        ))),
    })
}

/// None exist where the kind is not served.
async fn detours(cluster: &Cluster, kind: Kind) -> (&'static str, Read<Vec<Detour>>) {
    let (group, plural) = kind.resource();
    let all = of_kind(cluster, group, plural, |object| {
        Detour::from_value(kind, object)
    });
    (plural, or_none(all.await))
}

fn or_none<T>(read: Read<Vec<T>>) -> Read<Vec<T>> {
    match read {
        Read::Absent => Read::Seen(Vec::new()),
        read => read,
    }
}

/// All objects of a kind; absent where the kind is not served.
async fn of_kind<T>(
    cluster: &Cluster,
    group: &str,
    plural: &str,
    parse: impl Fn(&Value) -> T,
) -> Read<Vec<T>> {
    let take = |all: &mut Vec<T>, object: Value| all.push(parse(&object));
    match cluster.whole_if_served(group, plural, Vec::new, take).await {
        Ok(Some(all)) => Read::Seen(all),
        Ok(None) => Read::Absent,
        Err(error) => Read::Unknown(Why::from(&error)),
    }
}

/// All objects of a kind of Kubernetes' own, in one namespace.
async fn listed<T>(
    cluster: &Cluster,
    namespace: &str,
    plural: &str,
    parse: impl Fn(&Value) -> T,
) -> Read<Vec<T>> {
    let path = format!("/api/v1/namespaces/{}/{plural}", segment(namespace));
    match cluster.all::<Value>(&ListOf::objects(path)).await {
        Ok(all) => Read::Seen(all.items().iter().map(parse).collect()),
        Err(error) => Read::Unknown(Why::from(&error)),
    }
}

async fn namespace(cluster: &Cluster, name: &str) -> Read<Meta> {
    meta(
        cluster,
        &format!("/api/v1/namespaces/{}", segment(name)),
        "Namespace",
    )
    .await
}

async fn meta(cluster: &Cluster, path: &str, kind: &str) -> Read<Meta> {
    let object = Read::from_result(cluster.get::<Value>(path).await);
    object.map(|object| Fields::new(&object).meta(kind))
}
