//! Which onboardings are not well, and why: chosen, read and diagnosed, for `troubleshoot` and the commands that work on what it finds.

mod arrival;
pub(crate) mod databases;
mod folder_behind;
mod folder_controllers;
mod folder_sources;
pub(crate) mod follow;
mod impersonated;
pub(crate) mod installed;
pub(crate) mod lint;
mod pick;
pub(crate) mod print;

pub(crate) use pick::{Picked, unwell};

use crate::app::App;
use crate::cluster::Cluster;
use crate::cluster::onboardings::Onboardings;
use crate::couchdb::look::Wanted;
use crate::diagnosis::catalogue;
use crate::diagnosis::ignore::Ignores;
use crate::diagnosis::{Case, NotRun, diagnose, registry};
use crate::error::{Error, Result};
use crate::flags::couchdb_pods::AskArgs;
use crate::lookup;
use crate::model::helm_release::HelmRelease;
use crate::model::kustomization::{Kustomization, LABELS};
use crate::snapshot::databases::Databases;
use crate::snapshot::{Read, Snapshot, part};
use crate::view::report::{Onboarding, Report};
use futures::StreamExt;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// Onboardings that are read at the same time.
pub(crate) const SIDE_BY_SIDE: usize = 6;

/// Which onboardings are meant.
#[derive(Clone, Copy)]
pub(crate) struct Which<'a> {
    /// Without any, all that are not well.
    pub(crate) names: &'a [String],
    pub(crate) all_namespaces: bool,
    pub(crate) selector: Option<&'a str>,
    /// How CouchDB is asked; `None` where it is not.
    pub(crate) couchdb: Option<&'a AskArgs>,
}

/// Flux's Kustomizations.
pub(crate) type Applied = Arc<Read<Vec<Kustomization>>>;

/// Reads the Kustomizations if one applies an onboarding that is asked for by name: a healthy onboarding may still not get its latest
/// manifest.
pub(crate) async fn applied(cluster: &Cluster, named: &[Value]) -> Applied {
    let label = |object: &Value| object["metadata"]["labels"][LABELS[0]].is_string();
    Arc::new(match named.iter().any(label) {
        true => cluster.read_kustomizations().await,
        false => {
            Read::not_needed("no Kustomization applies an onboarding that is asked for by name")
        }
    })
}

/// Reads these onboardings while CouchDB is asked, and runs the checks. What cannot be read ends nothing.
pub(crate) async fn look_into(
    cluster: &Cluster,
    objects: &[Value],
    others: &Onboardings,
    asked: impl Future<Output = Arc<Read<Databases>>>,
    applied: impl Future<Output = Applied>,
    now: Timestamp,
) -> (Vec<Looked>, Vec<Error>) {
    let (snapshots, errors) = snapshots(cluster, objects, others, asked, applied, now).await;
    let snapshots = owned(cluster, snapshots, now).await;
    let looked = snapshots.into_iter().map(|s| Looked::at(s, now));
    (looked.collect(), errors)
}

/// Reads these onboardings while CouchDB is asked.
async fn snapshots(
    cluster: &Cluster,
    objects: &[Value],
    others: &Onboardings,
    asked: impl Future<Output = Arc<Read<Databases>>>,
    applied: impl Future<Output = Applied>,
    now: Timestamp,
) -> (Vec<Snapshot>, Vec<Error>) {
    let read = futures::stream::iter(objects.iter().cloned())
        .map(|object| cluster.snapshot_with_on_demand(object, others, now))
        .buffered(SIDE_BY_SIDE)
        .collect::<Vec<_>>();
    let (read, asked, applied) = futures::join!(read, asked, applied);
    let (mut snapshots, mut errors) = (Vec::new(), Vec::new());
    for snapshot in read {
        match snapshot {
            Ok(mut snapshot) => {
                snapshot.share(asked.clone(), applied.clone());
                snapshots.push(snapshot);
            }
            Err(error) => errors.push(error.into()),
        }
    }
    (snapshots, errors)
}

/// Reads one onboarding as `troubleshoot NAME` does.
///
/// # Errors
/// The cluster's error.
pub(crate) async fn snapshot(
    cluster: &Cluster,
    object: Value,
    others: &Onboardings,
    couchdb: &AskArgs,
    now: Timestamp,
) -> Result<Snapshot> {
    let objects = [object];
    let asked = databases::answers(cluster, Some(couchdb), None, &objects);
    let applied = applied(cluster, &objects);
    let (mut read, mut errors) = snapshots(cluster, &objects, others, asked, applied, now).await;
    match read.pop() {
        Some(snapshot) => Ok(snapshot),
        None => Err(errors
            .pop()
            .expect("an onboarding that is not read has an error")),
    }
}

/// The causes alone, of what `picked` says is not well: whose a database is decides about a fix only, so it is not read here.
pub(crate) async fn causes(
    cluster: &Cluster,
    picked: Picked,
    now: Timestamp,
) -> (Report, Vec<Error>) {
    let asked = picked.databases.unwrap_or_else(databases::not_asked);
    let asked = std::future::ready(asked);
    let applied = applied(cluster, &[]);
    let read = snapshots(
        cluster,
        &picked.objects,
        &picked.others,
        asked,
        applied,
        now,
    )
    .await;
    let (snapshots, failed) = read;
    let onboardings = snapshots.into_iter().map(|s| Looked::at(s, now).onboarding);
    let mut unseen = elsewhere(&picked.others);
    unseen.extend(picked.not_run);
    let mut errors = picked.errors;
    errors.extend(failed);
    let report = Report::new(onboardings.collect(), picked.considered, unseen);
    (report, errors)
}

/// The snapshots with everything that can say whose a database is, where a deletion would be offered. One read serves all; without it
/// the report points to a rehearsal.
async fn owned(cluster: &Cluster, mut all: Vec<Snapshot>, now: Timestamp) -> Vec<Snapshot> {
    let wants = |snapshot: &Snapshot| {
        let case = Case::new(snapshot, now);
        diagnose(&case);
        case.wants_ownership.get()
    };
    let wanting: Vec<usize> = (0..all.len()).filter(|at| wants(&all[*at])).collect();
    if wanting.is_empty() {
        return all;
    }
    let ownership = match crate::cluster::ownership::gather(cluster).await {
        Ok(ownership) => Read::Seen(ownership),
        Err(error) => Read::failed(error.message()),
    };
    let ownership = Arc::new(ownership);
    for at in wanting {
        all[at].share_ownership(ownership.clone());
    }
    all
}

/// The onboardings that are meant, with all others that the checks need to know.
///
/// # Errors
/// What makes asking for anything else useless.
pub(crate) async fn chosen(app: &App, cluster: &Cluster, which: Which<'_>) -> Result<Picked> {
    if which.names.is_empty() {
        let ask = async |_: &[HelmRelease], wanted: &Wanted| {
            databases::ask(cluster, which.couchdb, wanted).await
        };
        pick::unwell(app, cluster, which, ask).await
    } else {
        named(app, cluster, which.names).await
    }
}

/// The named onboardings, all that answer to a name: a shared database is a case for this command.
async fn named(app: &App, cluster: &Cluster, names: &[String]) -> Result<Picked> {
    let (answers, others) = lookup::among_all(app, cluster, names).await?;
    let (mut objects, mut found) = (Vec::new(), Vec::new());
    for (name, answer) in names.iter().zip(answers) {
        found.push(match answer {
            Ok(meant) => {
                for object in meant {
                    if !objects.contains(&object) {
                        objects.push(object);
                    }
                }
                Ok(())
            }
            Err(error) if error.is_not_found() && catalogue::find(name).is_none() => {
                Err(arrival::explained(cluster, name, app.now, error).await)
            }
            Err(error) => Err(error),
        });
    }
    Ok(Picked {
        objects,
        others,
        chosen: pick::Chosen::default(),
        databases: None,
        considered: None,
        not_run: Vec::new(),
        answers: found,
        errors: Vec::new(),
    })
}

/// An onboarding that was looked into, with its HelmRelease.
pub(crate) struct Looked {
    pub(crate) onboarding: Onboarding,
    object: Value,
    pub(crate) hr: HelmRelease,
}

impl Looked {
    /// Runs the checks on what was read.
    fn at(snapshot: Snapshot, now: Timestamp) -> Self {
        let case = Case::new(&snapshot, now);
        let diagnosis = diagnose(&case);
        let onboarding = Onboarding::new(&case, diagnosis);
        let (object, hr) = snapshot.into_object();
        Self {
            onboarding,
            object,
            hr,
        }
    }

    pub(crate) fn ignore(&mut self, ignores: &mut Ignores) {
        let hr = &self.hr;
        self.onboarding.ignore(|code| ignores.takes(code, hr));
    }
}

/// Reads one onboarding and runs the checks, without a question to CouchDB.
///
/// # Errors
/// The object is not a HelmRelease.
pub(crate) async fn look(
    cluster: &Cluster,
    object: Value,
    others: &Onboardings,
    now: Timestamp,
) -> Result<Looked> {
    let snapshot = cluster.snapshot_with_on_demand(object, others, now).await?;
    Ok(Looked::at(snapshot, now))
}

/// Databases are unique in a cluster, so claims that could not be read are listed.
pub(crate) fn elsewhere(others: &Onboardings) -> Vec<NotRun> {
    let why = others.not_elsewhere.as_ref();
    why.map(|why| NotRun::new(registry::BY_CLAIMS, part::ELSEWHERE, &why.clause()))
        .into_iter()
        .collect()
}
