//! The facts of a deletion, read from the API server and from CouchDB. Reads only; judges nothing beyond "could it be read".

mod kubernetes;

pub use kubernetes::claims;
pub(super) use kubernetes::pods;

use super::facts::{Facts, Member, Settings};
use super::work::{List, Work};
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::request::{Path, Setting};
use crate::couchdb::response::{DatabaseInfo, Membership, NoResponse, Server, ShardMap};
use crate::couchdb::script::Job;
use crate::couchdb::transport::{self, Answers, Failure};
use crate::error::{Error, Result};
use crate::model::names::DatabaseName;
use crate::model::ownership::Unclaimed;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What CouchDB says of a database.
pub enum Look {
    Facts(Box<Facts>),
    /// It is not there: what each member says, and the databases of the same namespace.
    NotFound {
        members: Vec<(String, Member)>,
        others: Vec<String>,
    },
}

/// What is at work, by the list that tells it.
fn lists() -> [(List, Path); 4] {
    [
        (List::ActiveTasks, Path::active_tasks()),
        (List::ReplicationDocuments, Path::replication_documents()),
        (List::ReplicationJobs, Path::replication_jobs()),
        (List::ReshardJobs, Path::reshard_jobs()),
    ]
}

/// Reads CouchDB in two runs: the server, the cluster, the database and what is at work; then each member. The first read goes alone, and a
/// 401 or 403 ends it: a few more would lock the account, for the pod's own probes too.
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
    let pods = pods(cluster, target).await?;
    let last_claim = kubernetes::last_claim(cluster, name).await?;
    let mut paths = vec![
        Path::root(),
        Path::membership(),
        database.clone(),
        local.clone(),
    ];
    paths.extend(lists().map(|(_, path)| path));
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
    let shard_map_document: Value = document(target, &answers, &local)?;
    let mut work = Work::default();
    for (list, path) in lists() {
        work.take(list, listed(list, &answers, &path), name);
    }
    let (members, settings) = members_and_settings(cluster, target, nodes, name).await?;
    Ok(Look::Facts(Box::new(Facts {
        name: name.clone(),
        target: target.clone(),
        pods,
        server,
        membership,
        database: info,
        shard_map,
        shard_map_document,
        members,
        settings,
        work,
        unclaimed,
        last_claim,
    })))
}

/// One of CouchDB's lists. A server without `_replicator` has no replication documents.
fn listed<'a>(
    list: List,
    answers: &'a Answers,
    path: &Path,
) -> std::result::Result<Option<&'a Value>, String> {
    match answers.get(path) {
        Some(Ok(r)) if r.status == 200 => Ok(Some(&r.body)),
        Some(Ok(r))
            if list == List::ReplicationDocuments && r.is_absent("Database does not exist.") =>
        {
            Ok(None)
        }
        _ => Err(complaint(answers, path)),
    }
}

/// Why there is no 200.
fn complaint(answers: &Answers, path: &Path) -> String {
    match answers.get(path) {
        Some(Ok(response)) => format!("CouchDB answered {}", response.clause()),
        Some(Err(none)) => none.clause(),
        None => answers
            .lost
            .clone()
            .unwrap_or_else(|| "it was not asked".to_owned()),
    }
}

/// What each member says of the database and of itself.
type Members = (Vec<(String, Member)>, Vec<(String, Settings)>);

/// Asks each member for its own entry of the shard map and its settings, in one run.
async fn members_and_settings(
    cluster: &Cluster,
    target: &Target,
    nodes: &[String],
    name: &DatabaseName,
) -> Result<Members> {
    let of = |node: &String| {
        [
            Path::shard_map(node, name),
            Path::setting(node, Setting::Maintenance),
            Path::setting(node, Setting::Recovery),
        ]
    };
    if nodes.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let paths = nodes.iter().flat_map(of).collect();
    let answers = read(cluster, target, paths).await?;
    let both = nodes.iter().map(|node| {
        let [map, maintenance, recovery] = of(node);
        let settings = Settings {
            maintenance: setting(&answers, &maintenance)
                .map(|mode| mode.filter(|mode| !matches!(mode.as_str(), "" | "false"))),
            recovery: setting(&answers, &recovery)
                .map(|keeps| keeps.is_some_and(|value| value != "false")),
        };
        let member = (node.clone(), member(&answers, &map));
        (member, (node.clone(), settings))
    });
    Ok(both.unzip())
}

/// A setting's value; `None` where it is not set.
fn setting(answers: &Answers, path: &Path) -> std::result::Result<Option<String>, String> {
    match answers.get(path) {
        Some(Ok(r)) if r.is_absent("unknown_config_value") => Ok(None),
        Some(Ok(r)) if r.status == 200 => match r.body.as_str() {
            Some(value) => Ok(Some(crate::text::one_line(value))),
            None => Err("its answer is no text".to_owned()),
        },
        _ => Err(complaint(answers, path)),
    }
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
            "CouchDB in {target} refused {}: {}",
            target.credentials.whose(),
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
