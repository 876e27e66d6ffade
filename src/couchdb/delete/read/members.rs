//! What each member of CouchDB's cluster says of a database, asked alone: its entry of the shard map, and what is left of its files.

use super::super::facts::Member;
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::request::Path;
use crate::couchdb::response::{NoResponse, ShardMap};
use crate::couchdb::script::Job;
use crate::couchdb::transport::{self, Answers, Failure};
use crate::model::names::DatabaseName;

/// Asks each member for its own entry of the shard map.
///
/// # Errors
/// No answers at all.
pub async fn members(
    cluster: &Cluster,
    target: &Target,
    nodes: &[String],
    name: &DatabaseName,
    job: &dyn Fn(Vec<Path>) -> Job,
) -> Result<Vec<(String, Member)>, Failure> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let entry = |node: &String| Path::shard_map_with_conflicts(node, name);
    let paths: Vec<Path> = nodes.iter().map(entry).collect();
    let answers = transport::run(cluster, target, &job(paths.clone())).await?;
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
        Some(Err(NoResponse::TimedOut)) => Member::Silent,
        Some(Err(none)) => Member::NotRead(none.clause()),
        None => Member::NotRead(answers.unasked()),
    }
}

/// The path of each copy of each shard that these members hold, with range and member.
pub(super) fn shards(
    map: &ShardMap,
    holders: &[&String],
    name: &DatabaseName,
) -> Vec<(String, String, Path)> {
    let suffix = String::from_utf8_lossy(&map.shard_suffix);
    let held = map
        .by_node
        .iter()
        .filter(|(node, _)| holders.contains(node));
    held.flat_map(|(node, ranges)| {
        let shard = |range: &String| {
            let path = Path::shard(node, range, name, &suffix);
            (range.clone(), node.clone(), path)
        };
        ranges.iter().map(shard).collect::<Vec<_>>()
    })
    .collect()
}

/// What is left of a database that these members say is deleted: a member that was away forgets the name and keeps the files.
///
/// # Errors
/// No answers at all.
pub async fn erased(
    cluster: &Cluster,
    target: &Target,
    map: &ShardMap,
    name: &DatabaseName,
    members: &mut [(String, Member)],
) -> Result<(), Failure> {
    let said = |(_, view): &&(String, Member)| *view == Member::Deleted;
    let nodes: Vec<&String> = members.iter().filter(said).map(|(node, _)| node).collect();
    let shards = shards(map, &nodes, name);
    if shards.is_empty() {
        return Ok(());
    }
    let paths = shards.iter().map(|(_, _, path)| path.clone()).collect();
    let answers = transport::run(cluster, target, &Job::Read(paths)).await?;
    for (member, view) in members.iter_mut().filter(|(_, v)| *v == Member::Deleted) {
        let mut own = shards.iter().filter(|(_, node, _)| node == member);
        let answer = |path| answers.get(path).and_then(|a| a.as_ref().ok());
        let there = |path| answer(path).is_some_and(|r| r.status == 200);
        let gone = |path| answer(path).is_some_and(|r| r.is_absent("no_db_file"));
        if own.clone().any(|(_, _, path)| there(path)) {
            *view = Member::Kept;
        } else if own.clone().next().is_some() && own.all(|(_, _, path)| gone(path)) {
            *view = Member::Erased;
        }
    }
    Ok(())
}
