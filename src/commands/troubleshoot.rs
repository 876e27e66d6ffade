//! `troubleshoot`: what is wrong with onboardings, why, and what to do.

mod arrival;
pub(super) mod databases;
mod folder_sources;
pub(super) mod follow;
mod manifests;
mod pick;
mod print;

pub(super) use pick::{Picked, unwell};

use crate::app::App;
use crate::bundle::Archive;
use crate::cluster::Cluster;
use crate::cluster::onboardings::Onboardings;
use crate::couchdb::look::Wanted;
use crate::diagnosis::case::ELSEWHERE;
use crate::diagnosis::catalogue;
use crate::diagnosis::ignore::Ignores;
use crate::diagnosis::{Case, NotRun, diagnose, registry};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::flags::gate;
use crate::flags::saved::{self, SavedArgs};
use crate::help;
use crate::lookup;
use crate::lookup::empty;
use crate::model::helm_release::HelmRelease;
use crate::model::kustomization::{Kustomization, LABELS};
use crate::render::output::FindingsFormat;
use crate::snapshot::databases::Databases;
use crate::snapshot::{Read, Snapshot};
use crate::view::report::{Considered, Onboarding, Report};
use futures::StreamExt;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;

/// Onboardings that are read at the same time.
pub(super) const SIDE_BY_SIDE: usize = 6;

/// Which onboardings are meant.
#[derive(Clone, Copy)]
pub(super) struct Which<'a> {
    /// Without any, all that are not well.
    pub(super) names: &'a [String],
    pub(super) all_namespaces: bool,
    pub(super) selector: Option<&'a str>,
    /// How CouchDB is asked; `None` where it is not.
    pub(super) couchdb: Option<&'a databases::AskArgs>,
}

/// Find out what is wrong with onboardings, and what to do
///
/// Without names, looks into every onboarding that is not Ready, suspended, stale, unlabelled, shares its database or differs from
/// its installation. NAME is the HelmRelease, the Helm release, the manifest or the database (then all that claim it).
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help(
        "Format: text, markdown (for a ticket), json or yaml (kind TroubleshootReport), github (annotations), sarif (2.1.0)"
    )),
    after_help = "Examples:
  kubectl skvs troubleshoot
  kubectl skvs troubleshoot skvs-onboarding-pds--database
  kubectl skvs troubleshoot pds_database --wait --timeout 10m
  kubectl get hr,jobs,pods,events -A -o yaml | kubectl skvs troubleshoot -f -
  kubectl skvs troubleshoot -o sarif --fail-on warning --ignore SKVS107

Exit codes: 0 no error, 1 failed, 3 an error was found (see --fail-on)"
)]
pub struct Args {
    /// Onboardings; by default all that are not well
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    names: Vec<String>,
    /// Look in all namespaces; wins over -n
    #[arg(short = 'A', long, help_heading = help::SELECTION)]
    all_namespaces: bool,
    /// Label selector, in addition to the one that marks onboardings
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "names", help_heading = help::SELECTION)]
    selector: Option<String>,
    #[command(flatten)]
    couchdb: databases::AskArgs,
    #[command(flatten)]
    gate: gate::GateArgs,
    #[command(flatten)]
    follow: follow::FollowArgs,
    #[command(flatten)]
    format: FormatArgs<FindingsFormat>,
    /// Print every cause in full; without names only the three worst are
    #[arg(long, conflicts_with = "names", help_heading = help::OUTPUT)]
    details: bool,
    #[command(flatten)]
    saved: SavedArgs,
}

/// Runs `troubleshoot`.
///
/// # Errors
/// A name that means nothing, or what the cluster said.
pub async fn run(app: &mut App, mut args: Args) -> Result<Code> {
    if args.all_namespaces && !args.names.is_empty() {
        return Err(Error::usage(
            "a resource cannot be retrieved by name across all namespaces",
        ));
    }
    args.follow.check(&args)?;
    let mut ignores = args.gate.ignores(app);
    let started = Instant::now();
    let cluster = args.saved.open(app).await?;
    if args.names.is_empty() && args.selector.is_none() && !args.all_namespaces {
        args.names = saved::captured_names(&cluster);
    }
    args.all_namespaces |= app.everywhere;
    if args.follow.is_asked_for() {
        return follow::run(app, &args, &cluster, ignores).await;
    }
    let Picked {
        mut objects,
        others,
        chosen: _,
        databases,
        considered,
        not_run,
        mut errors,
    } = {
        let which = Which {
            names: &args.names,
            all_namespaces: args.all_namespaces,
            selector: args.selector.as_deref(),
            couchdb: Some(&args.couchdb),
        };
        chosen(app, &cluster, which).await?
    };
    if cluster.archive().is_some() {
        let manifests = manifests::taken_out(&mut objects);
        if objects.is_empty() && errors.is_empty() && !manifests.is_empty() {
            return manifests::lint(app, &args, &manifests);
        }
        errors.extend(manifests::left_out(&manifests));
    }
    let asked = databases::answers(&cluster, Some(&args.couchdb), databases, &objects);
    let named = match args.names.is_empty() {
        true => &[],
        false => objects.as_slice(),
    };
    let applied = applied(&cluster, named);
    let (looked, failed) = look_into(&cluster, &objects, &others, asked, applied, app.now).await;
    errors.extend(failed);
    let mut onboardings = Vec::new();
    for mut looked in looked {
        looked.ignore(&mut ignores);
        onboardings.push(looked.onboarding);
    }
    let nothing_asked = onboardings.is_empty() && !errors.is_empty();
    let mut unseen = elsewhere(&others);
    unseen.extend(not_run);
    unseen.extend(unsaved(&cluster));
    let report = Report::new(onboardings, considered, unseen);
    let mut report = report.seen_at(cluster.origin(), time(&cluster, app.now));
    report.show(args.gate.severity);
    let fails = args.gate.fails(report.totals.worst());
    if !nothing_asked {
        let seconds = started.elapsed().as_secs_f64();
        let code = code(fails, &errors);
        let printed = print::report(app, &args, &report, &errors, code, seconds);
        // A reader that goes away takes the report, not the verdict.
        printed
            .and_then(|()| app.ui.flush())
            .map_err(|error| match error.is_silent() {
                true => error.with_code(code),
                false => error,
            })?;
    }
    // In every format: nothing considered must not pass for nothing wrong.
    if let (Some(none), None) = (none_considered(&report), &args.selector)
        && let Some(why) = empty::why(app, &cluster, none.namespace.as_deref()).await
    {
        app.ui.hint(&why);
    }
    app.ui.flush()?;
    args.gate.tell_unused(app, &ignores);
    for error in &errors {
        app.ui.error(error);
    }
    match code(fails, &errors) {
        Code::Failed => Err(Error::silent(Code::Failed)),
        code => Ok(code),
    }
}

/// Flux's Kustomizations.
type Applied = Arc<Read<Vec<Kustomization>>>;

/// Reads the Kustomizations if one applies an onboarding that is asked for by name: a healthy onboarding may still not get its latest
/// manifest.
async fn applied(cluster: &Cluster, named: &[Value]) -> Applied {
    let label = |object: &Value| object["metadata"]["labels"][LABELS[0]].is_string();
    Arc::new(match named.iter().any(label) {
        true => cluster.read_kustomizations().await,
        false => {
            Read::not_needed("no Kustomization applies an onboarding that is asked for by name")
        }
    })
}

/// Reads these onboardings while CouchDB is asked, and runs the checks. What cannot be read ends nothing.
async fn look_into(
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
                snapshot.on_demand.databases = asked.clone();
                snapshot.on_demand.kustomizations = applied.clone();
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
pub(super) async fn snapshot(
    cluster: &Cluster,
    object: Value,
    others: &Onboardings,
    couchdb: &databases::AskArgs,
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
pub(super) async fn causes(
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
        all[at].on_demand.ownership = ownership.clone();
    }
    all
}

/// The exit code.
fn code(fails: bool, errors: &[Error]) -> Code {
    Code::of_findings(fails, errors.is_empty())
}

/// The onboardings that are meant, with all others that the checks need to know.
///
/// # Errors
/// What makes asking for anything else useless.
pub(super) async fn chosen(app: &App, cluster: &Cluster, which: Which<'_>) -> Result<Picked> {
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
    let (mut objects, mut errors) = (Vec::new(), Vec::new());
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            Ok(meant) => {
                for object in meant {
                    if !objects.contains(&object) {
                        objects.push(object);
                    }
                }
            }
            Err(error) if error.is_not_found() && catalogue::find(name).is_none() => {
                errors.push(arrival::explained(cluster, name, error).await);
            }
            Err(error) => errors.push(error),
        }
    }
    Ok(Picked {
        objects,
        others,
        chosen: pick::Chosen::default(),
        databases: None,
        considered: None,
        not_run: Vec::new(),
        errors,
    })
}

/// An onboarding that was looked into, with its HelmRelease.
pub(super) struct Looked {
    onboarding: Onboarding,
    object: Value,
    pub(super) hr: HelmRelease,
}

impl Looked {
    /// Runs the checks on what was read.
    fn at(snapshot: Snapshot, now: Timestamp) -> Self {
        let case = Case::new(&snapshot, now);
        let diagnosis = diagnose(&case);
        let onboarding = Onboarding::new(&case, diagnosis);
        Self {
            onboarding,
            object: snapshot.object,
            hr: snapshot.helm_release,
        }
    }

    fn ignore(&mut self, ignores: &mut Ignores) {
        let hr = &self.hr;
        self.onboarding.ignore(|code| ignores.takes(code, hr));
    }
}

/// Reads one onboarding and runs the checks, without a question to CouchDB.
///
/// # Errors
/// The object is no HelmRelease.
pub(super) async fn look(
    cluster: &Cluster,
    object: Value,
    others: &Onboardings,
    now: Timestamp,
) -> Result<Looked> {
    let snapshot = cluster.snapshot_with_on_demand(object, others, now).await?;
    Ok(Looked::at(snapshot, now))
}

/// Databases are unique in a cluster: claims that could not be read are told.
fn elsewhere(others: &Onboardings) -> Vec<NotRun> {
    let why = others.not_elsewhere.as_ref();
    why.map(|why| NotRun::new(registry::BY_CLAIMS, ELSEWHERE, &why.clause()))
        .into_iter()
        .collect()
}

/// What objects that kubectl saved leave open: a list of them is what the files happen to hold.
fn unsaved(cluster: &Cluster) -> Option<NotRun> {
    let plain = cluster.archive().is_some_and(Archive::has_plain);
    plain.then(|| {
        let what = "pods and events other than the saved ones";
        NotRun::new(registry::BY_PODS, what, "only the saved files were read")
    })
}

/// When it was that things were as they are shown; what kubectl saved does not say.
fn time(cluster: &Cluster, now: Timestamp) -> Option<Timestamp> {
    let known = |archive: &Archive| archive.one_bundle().is_some();
    cluster.archive().is_none_or(known).then_some(now)
}

/// Where there is no onboarding at all, of those that were not named.
fn none_considered(report: &Report) -> Option<&Considered> {
    report.considered.as_ref().filter(|c| c.onboardings == 0)
}
