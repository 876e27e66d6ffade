//! The facts of a deletion, read from the API server and from CouchDB. Reads only; judges nothing beyond "could it be read".

mod answers;
mod kubernetes;
mod members;

pub use kubernetes::claims;
pub(super) use kubernetes::pods;
pub use members::{erased, members};

use super::catch_up::CatchUp;
use super::facts::{Facts, Member, Settings, Unjudged};
use super::past::LastClaim;
use super::refusal::Refusal;
use super::work::{List, Work};
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::existence::Existence;
use crate::couchdb::request::{Path, Setting};
use crate::couchdb::response::{DatabaseInfo, Membership, Server, ShardMap};
use crate::couchdb::script::Job;
use crate::couchdb::transport::{self, Answers};
use crate::error::{Error, Result};
use crate::model::names::DatabaseName;
use crate::text::one_line;
use answers::{copy, document, listed, mode, part, run, setting};
use members::shards;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How long members may take to catch up before it is a risk.
pub const CATCH_UP: Duration = Duration::from_secs(30);
/// The pause before they are asked again.
const PAUSE: Duration = Duration::from_secs(3);

/// How long is waited, and who hears of it.
pub struct Patience<'a> {
    pub limit: Duration,
    pub tell: &'a mut (dyn FnMut(&str) + 'a),
}

/// What CouchDB says of a database.
pub enum Look {
    Facts(Box<Unjudged>),
    /// Members do not answer at all: nothing that asks the whole cluster would.
    Hung(Vec<Refusal>),
    /// Its shard map has it, and CouchDB fails to answer for it.
    Unserved(Vec<Refusal>),
    /// It is not there: what each member says, and the databases of the same namespace.
    NotFound {
        target: Box<Target>,
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

/// Reads CouchDB through the first of these pods whose own member is not in maintenance, else through the last. While a member is
/// still catching up, everything is read again, for as long as `patience` says.
///
/// # Errors
/// What could not be read, by the pod it was asked in.
pub async fn couchdb(
    cluster: &Cluster,
    targets: &[Target],
    name: &DatabaseName,
    patience: &mut Patience<'_>,
) -> Result<Look> {
    let last_claim = kubernetes::last_claim(cluster, name).await?;
    let mut server = server(cluster, targets, name).await?;
    let started = Instant::now();
    loop {
        let target = server.target.clone();
        let look = look(cluster, server, name, &last_claim).await?;
        let Look::Facts(facts) = &look else {
            return Ok(look);
        };
        let waited = started.elapsed();
        let left = patience.limit.saturating_sub(waited);
        let Some(waits_for) = facts.catch_up().waits_for().filter(|_| !left.is_zero()) else {
            return Ok(look);
        };
        (patience.tell)(&format!(
            "Waiting for the members to catch up, {}s of {}s: {waits_for}",
            waited.as_secs(),
            patience.limit.as_secs()
        ));
        tokio::time::sleep(PAUSE.min(left)).await;
        server = self::server(cluster, std::slice::from_ref(&target), name).await?;
    }
}

/// A pod's own member: what it says without asking any other one.
struct Local {
    target: Target,
    server: Server,
    membership: Membership,
    /// The path of the database's entry in its shard map, with the answer.
    entry: Path,
    answers: Answers,
}

/// The first run: what the pod's own member knows. A first 401 or 403 ends it: a few more would lock the account, for the pod's own
/// probes too.
async fn server(cluster: &Cluster, targets: &[Target], name: &DatabaseName) -> Result<Local> {
    let entry = Path::shard_map_with_conflicts("_local", name);
    let maintenance = Path::setting("_local", Setting::Maintenance);
    let paths = vec![
        Path::root(),
        Path::membership(),
        entry.clone(),
        maintenance.clone(),
    ];
    for (at, target) in targets.iter().enumerate() {
        let answers = run(cluster, target, &Job::Look(paths.clone())).await?;
        let server = document(target, &answers, &Path::root())?;
        // In maintenance it answers for itself, and may not for the cluster.
        let in_maintenance = matches!(mode(&answers, &maintenance), Ok(Some(_)));
        if in_maintenance && at + 1 < targets.len() {
            continue;
        }
        let membership = document(target, &answers, &Path::membership())?;
        return Ok(Local {
            target: target.clone(),
            server,
            membership,
            entry,
            answers,
        });
    }
    Err(Error::new("CouchDB has no pod that can be asked"))
}

/// Reads the rest in two runs: each member alone, so that one that hangs is found before anything waits for the whole cluster; then the
/// database, what is at work, and the members' settings and copies.
async fn look(
    cluster: &Cluster,
    local: Local,
    name: &DatabaseName,
    last_claim: &LastClaim,
) -> Result<Look> {
    let Local {
        target,
        server,
        membership,
        entry,
        answers,
    } = local;
    let target = &target;
    let pods = pods(cluster, target).await?;
    let map: Option<Value> = answers
        .get(&entry)
        .and_then(|a| a.as_ref().ok())
        .filter(|r| r.status == 200)
        .map(|r| r.body.clone());
    let known: Option<ShardMap> = map.and_then(|map| serde_json::from_value(map).ok());
    let mut nodes = membership.cluster_nodes.clone();
    for node in known.iter().flat_map(|map| map.by_node.keys()) {
        if !nodes.contains(node) {
            nodes.push(node.clone());
        }
    }
    let views = members(cluster, target, &nodes, name, &Job::Look).await;
    let mut views = views.map_err(|f| f.into_error(target))?;
    // One that hangs is away once the others have noticed; until then they wait for it.
    for (node, view) in &mut views {
        if *view == Member::Silent && !membership.all_nodes.contains(node) {
            *view = Member::Down;
        }
    }
    let hung: Vec<Refusal> = views
        .iter()
        .filter(|(_, view)| *view == Member::Silent)
        .map(|(node, _)| Refusal::Member {
            member: one_line(node),
            why: "does not answer: it hangs".to_owned(),
        })
        .collect();
    if !hung.is_empty() {
        return Ok(Look::Hung(hung));
    }

    let database = Path::database(name);
    let mut paths = vec![database.clone()];
    paths.extend(lists().map(|(_, path)| path));
    let cluster_nodes = &membership.cluster_nodes;
    let settings_of = |node: &String| {
        [Setting::Maintenance, Setting::Recovery].map(|setting| Path::setting(node, setting))
    };
    paths.extend(cluster_nodes.iter().flat_map(settings_of));
    // Of a member that is away nothing more is asked: it is a risk of its own.
    let holders: Vec<&String> = views
        .iter()
        .filter(|(node, view)| {
            let holds = known.as_ref().is_some_and(|m| m.by_node.contains_key(node));
            holds && cluster_nodes.contains(node) && matches!(view, Member::Has(_))
        })
        .map(|(node, _)| node)
        .collect();
    paths.extend(holders.iter().map(|node| Path::system(node)));
    let copies = known
        .as_ref()
        .map_or_else(Vec::new, |map| shards(map, &holders, name));
    paths.extend(copies.iter().map(|(_, _, path)| path.clone()));
    let rest = run(cluster, target, &Job::Read(paths)).await?;
    if let Some(Ok(response)) = rest.get(&database) {
        match Existence::judge(response) {
            Existence::Absent(_) => {
                let others = others(cluster, target, name).await;
                return Ok(Look::NotFound {
                    target: Box::new(target.clone()),
                    members: views,
                    others,
                });
            }
            Existence::Unserved(why) => return Ok(Look::Unserved(unserved(why, &views))),
            Existence::Served(_) | Existence::Unknown(_) => {}
        }
    }
    let info: DatabaseInfo = document(target, &rest, &database)?;
    let shard_map: ShardMap = document(target, &answers, &entry)?;
    let shard_map_document: Value = document(target, &answers, &entry)?;
    let mut work = Work::default();
    for (list, path) in lists() {
        work.take(list, listed(list, &rest, &path), name);
    }
    let settings = |node: &String| {
        let [maintenance, recovery] = settings_of(node);
        let settings = Settings {
            maintenance: mode(&rest, &maintenance),
            recovery: setting(&rest, &recovery)
                .map(|keeps| keeps.is_some_and(|value| value != "false")),
        };
        (node.clone(), settings)
    };
    let settings = cluster_nodes.iter().map(settings).collect();
    let systems: Vec<_> = holders
        .iter()
        .map(|node| ((*node).clone(), part(&rest, &Path::system(node))))
        .collect();
    let copies = copies.into_iter().map(|(range, node, path)| {
        let copy = copy(&rest, &path);
        (range, node, copy)
    });
    let catch_up = CatchUp::compare(&systems, copies.collect());
    let (name, target, last_claim) = (name.clone(), target.clone(), last_claim.clone());
    let join = {
        let catch_up = catch_up.clone();
        move |unclaimed| Facts {
            name,
            target,
            pods,
            server,
            membership,
            database: info,
            shard_map,
            shard_map_document,
            members: views,
            settings,
            catch_up,
            work,
            unclaimed,
            last_claim,
        }
    };
    Ok(Look::Facts(Box::new(Unjudged::new(catch_up, join))))
}

/// Why a database that CouchDB cannot serve is not deleted, and the members that may be the reason.
fn unserved(why: String, members: &[(String, Member)]) -> Vec<Refusal> {
    let down = members.iter().filter(|(_, view)| *view == Member::Down);
    let down = down.map(|(member, _)| Refusal::Member {
        member: one_line(member),
        why: "is down".to_owned(),
    });
    [Refusal::Unserved { why }]
        .into_iter()
        .chain(down)
        .collect()
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
