//! The facts of a deletion, read from the API server and from CouchDB. Reads only; judges nothing beyond "could it be read".

use super::claims::{Judge, Unclaimed};
use super::plan::{Facts, Member};
use super::refusal::Refusal;
use crate::cluster::helm_releases::{Query, is_not_installed};
use crate::cluster::{Cluster, ClusterError, List, Pages, segment};
use crate::couchdb::Target;
use crate::couchdb::request::Path;
use crate::couchdb::response::{DatabaseInfo, Membership, NoResponse, Server, ShardMap};
use crate::couchdb::script::Job;
use crate::couchdb::transport::{self, Answers, Failure};
use crate::error::{Error, Result};
use crate::model::helm_storage::SECRET_TYPE;
use crate::model::names::DatabaseName;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

/// API group of the later generation's objects.
const LATER: &str = "couchdbcluster.woven-city.global";

/// Reads all that may claim the database, in every namespace, and judges it.
///
/// # Errors
/// The outer one when the cluster cannot be asked at all; the inner one is every reason against the deletion.
pub async fn claims(
    cluster: &Cluster,
    name: &DatabaseName,
) -> Result<std::result::Result<Unclaimed, Vec<Refusal>>> {
    let mut judge = Judge::new(name);
    helm_releases(cluster, &mut judge).await?;
    revisions(cluster, &mut judge).await?;
    database_objects(cluster, &mut judge).await?;
    Ok(judge.finish())
}

/// Every HelmRelease.
async fn helm_releases(cluster: &Cluster, judge: &mut Judge<'_>) -> Result<()> {
    let what = "the HelmReleases of all namespaces";
    let read: std::result::Result<(List<Value>, Pages<Value>), _> =
        cluster.helm_releases(&Query::default()).await;
    let (mut page, mut pages) = match read {
        Ok(read) => read,
        Err(error) if is_not_installed(&error) => {
            judge.no_helm_releases();
            return Ok(());
        }
        // A server that is silent at the first question is not there: no word on the database can be had.
        Err(error @ ClusterError::TimedOut { .. }) => return Err(error.into()),
        Err(error) => return unread(judge, what, error),
    };
    loop {
        page.items.iter().for_each(|o| judge.helm_release(o));
        match pages.next().await {
            Ok(Some(next)) => page = next,
            Ok(None) => return Ok(()),
            Err(error) => return unread(judge, what, error),
        }
    }
}

/// Every revision in Helm's storage, in all namespaces: a release whose HelmRelease is gone can lie in any of them.
async fn revisions(cluster: &Cluster, judge: &mut Judge<'_>) -> Result<()> {
    let path = format!(
        "/api/v1/secrets?fieldSelector=type%3D{}",
        segment(SECRET_TYPE)
    );
    match each(cluster, path, |s| judge.revision(s)).await {
        Ok(()) => Ok(()),
        Err(error) => unread(judge, "Helm's Secrets of all namespaces", error),
    }
}

/// The objects of the later generation, where they are served: in every version, since a kind can be served in one that is
/// not the preferred one. Each version shows all objects of a kind, so one of them is enough.
async fn database_objects(cluster: &Cluster, judge: &mut Judge<'_>) -> Result<()> {
    let what = format!("the objects of {LATER}");
    let group: Value = match cluster.get(&format!("/apis/{LATER}")).await {
        Ok(group) => group,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return unread(judge, &what, error),
    };
    let versions: Vec<&str> = items(&group, "versions")
        .filter_map(|v| v.get("version").and_then(Value::as_str))
        .collect();
    if versions.is_empty() {
        judge.not_read(what, "the API server names no version of them");
        return Ok(());
    }
    let mut read = BTreeSet::new();
    for version in versions {
        let base = format!("/apis/{LATER}/{}", segment(version));
        let served: Value = match cluster.get(&base).await {
            Ok(served) => served,
            Err(error) => {
                unread(judge, &what, error)?;
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
            judge.database_objects_served();
            let path = format!("{base}/{}", segment(plural));
            if let Err(error) = each(cluster, path, |o| judge.database_object(kind, o)).await {
                unread(judge, &format!("the {plural} of all namespaces"), error)?;
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

/// A part that could not be read is a refusal; a cluster that cannot be asked ends the run.
fn unread(judge: &mut Judge<'_>, what: &str, error: ClusterError) -> Result<()> {
    if error.is_fatal() {
        return Err(error.into());
    }
    judge.not_read(what, error.clause());
    Ok(())
}

/// What CouchDB says of a database.
pub enum Look {
    Facts(Box<Facts>),
    /// It is not there: what each member says, and the databases of the same namespace.
    NotFound {
        members: Vec<(String, Member)>,
        others: Vec<String>,
    },
}

/// Reads CouchDB in two runs: the server, the cluster and the database; then each member. The first read goes alone, and a 401 or 403 ends
/// it: a few more would lock the account, for the pod's own probes too.
///
/// # Errors
/// What could not be read, by the pod it was asked in.
pub async fn couchdb(
    cluster: &Cluster,
    target: &Target,
    name: &DatabaseName,
    unclaimed: Unclaimed,
) -> Result<Look> {
    let database = Path::database(name);
    let local = Path::shard_map("_local", name);
    let paths = vec![
        Path::root(),
        Path::membership(),
        database.clone(),
        local.clone(),
        Path::recovery(),
    ];
    let answers = read(cluster, target, paths).await?;
    let server: Server = document(target, &answers, &Path::root())?;
    let membership: Membership = document(target, &answers, &Path::membership())?;
    let nodes = &membership.cluster_nodes;
    if let Some(Ok(response)) = answers.get(&database)
        && response.is_absent("Database does not exist.")
    {
        let members = members(cluster, target, nodes, name)
            .await
            .map_err(|f| f.into_error(target))?;
        return Ok(Look::NotFound {
            members,
            others: others(cluster, target, name).await,
        });
    }
    let info: DatabaseInfo = document(target, &answers, &database)?;
    let shard_map: ShardMap = document(target, &answers, &local)?;
    let recovery = match answers.get(&Path::recovery()) {
        Some(Ok(r)) if r.status == 200 => r.body.as_str().map(|v| v != "false"),
        Some(Ok(r)) if r.is_absent("unknown_config_value") => Some(false),
        _ => None,
    };
    let members = members(cluster, target, nodes, name)
        .await
        .map_err(|f| f.into_error(target))?;
    Ok(Look::Facts(Box::new(Facts {
        name: name.clone(),
        target: target.clone(),
        server,
        membership,
        database: info,
        shard_map,
        members,
        recovery,
        unclaimed,
    })))
}

/// Asks each member for its own entry of the shard map.
///
/// # Errors
/// No answers at all.
pub async fn members(
    cluster: &Cluster,
    target: &Target,
    nodes: &[String],
    name: &DatabaseName,
) -> std::result::Result<Vec<(String, Member)>, Failure> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let paths: Vec<Path> = nodes.iter().map(|n| Path::shard_map(n, name)).collect();
    let answers = transport::run(cluster, target, &Job::Read(paths.clone())).await?;
    Ok(nodes
        .iter()
        .zip(&paths)
        .map(|(node, path)| (node.clone(), member(&answers, path)))
        .collect())
}

fn member(answers: &Answers, path: &Path) -> Member {
    match answers.get(path) {
        Some(Ok(r)) if r.status == 200 => match serde_json::from_value(r.body.clone()) {
            Ok(map) => Member::Has(map),
            Err(error) => Member::NotRead(format!("its answer cannot be read: {error}")),
        },
        Some(Ok(r)) if r.is_absent("deleted") => Member::Deleted,
        Some(Ok(r)) if r.is_absent("missing") => Member::Never,
        Some(Ok(r)) if r.status == 412 && r.body["error"] == "nodedown" => Member::Down,
        Some(Ok(r)) => Member::NotRead(format!("it answered {}", r.clause())),
        Some(Err(none)) => Member::NotRead(none.clause()),
        None => Member::NotRead(
            answers
                .lost
                .clone()
                .unwrap_or_else(|| "it was not asked".to_owned()),
        ),
    }
}

/// The databases of the same namespace, for a hint only.
async fn others(cluster: &Cluster, target: &Target, name: &DatabaseName) -> Vec<String> {
    let path = Path::databases_of(name.namespace());
    let Ok(answers) = transport::run(cluster, target, &Job::Read(vec![path.clone()])).await else {
        return Vec::new();
    };
    match answers.get(&path) {
        Some(Ok(r)) if r.status == 200 => {
            serde_json::from_value(r.body.clone()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

async fn read(cluster: &Cluster, target: &Target, paths: Vec<Path>) -> Result<Answers> {
    let answers = transport::run(cluster, target, &Job::Read(paths))
        .await
        .map_err(|f| f.into_error(target))?;
    if let Some(refusal) = answers.locked_out() {
        return Err(Error::new(format!(
            "CouchDB in {target} refused the container's own credentials: {}",
            refusal.clause()
        ))
        .hint("it was asked once and is not asked again: from 3.4 on a few failures lock the account for five minutes, for the pod's probes too"));
    }
    Ok(answers)
}

/// A document that must be there.
fn document<T: DeserializeOwned>(target: &Target, answers: &Answers, path: &Path) -> Result<T> {
    let failed = |why: String| {
        Error::new(format!(
            "CouchDB in {target} did not answer GET {}: {why}",
            path.as_str()
        ))
    };
    match answers.get(path) {
        Some(Ok(response)) if response.status == 200 => {
            serde_json::from_value(response.body.clone())
                .map_err(|e| failed(format!("its answer cannot be read: {e}")))
        }
        Some(Ok(response)) => Err(failed(response.clause())),
        Some(Err(NoResponse::NotConnected)) => {
            Err(failed(NoResponse::NotConnected.clause()).hint(format!(
                "it was asked on port {} of the pod; name another one with --port",
                target.port
            )))
        }
        Some(Err(none)) => Err(failed(none.clause())),
        None => Err(failed(
            answers
                .lost
                .clone()
                .unwrap_or_else(|| "it was not asked".to_owned()),
        )),
    }
}
