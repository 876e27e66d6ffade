//! The facts of a deletion, read from the API server and from CouchDB. Reads only; judges nothing beyond "could it be read".

use super::claims::{Unclaimed, judge};
use super::plan::{Facts, Member};
use super::refusal::Refusal;
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::ownership;
use crate::couchdb::request::Path;
use crate::couchdb::response::{DatabaseInfo, Membership, NoResponse, Server, ShardMap};
use crate::couchdb::script::Job;
use crate::couchdb::transport::{self, Answers, Failure};
use crate::error::{Error, Result};
use crate::model::names::DatabaseName;
use serde::de::DeserializeOwned;

/// Reads all that may claim the database, in every namespace, and judges it.
///
/// # Errors
/// The outer one when the cluster cannot be asked at all; the inner one is every reason against the deletion.
pub async fn claims(
    cluster: &Cluster,
    name: &DatabaseName,
) -> Result<std::result::Result<Unclaimed, Vec<Refusal>>> {
    Ok(judge(&ownership::read(cluster).await?, name))
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
        Some(Err(none @ (NoResponse::NotConnected | NoResponse::NotHttp))) => {
            Err(failed(none.clause()).hint(format!(
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
