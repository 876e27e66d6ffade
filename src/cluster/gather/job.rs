//! The hook Job that creates the database: which one it is, its pods, the end of their logs, their events.

use super::super::{Cluster, ListOf, segment};
use super::{events, log_end};
use crate::model::failure::{Cause, failure};
use crate::model::field::{Meta, Parsed};
use crate::model::helm_release::{GROUP, HelmRelease};
use crate::model::helm_storage::{Hook, Release};
use crate::model::job::Job;
use crate::model::lookup::can_be_an_object;
use crate::model::manifest;
use crate::model::pod::Pod;
use crate::snapshot::{CreationJob, Events, JobPod, Listing, LostJob, Read, Why};
use k8s_openapi::jiff::Timestamp;

/// Pods of the Job that are read, newest first.
const PODS_MAX: usize = 3;
/// Pods of the Job that are listed, to find the newest.
const LISTED_PODS: usize = 50;
/// Jobs of a HelmRelease that are listed, to find the newest.
const LISTED_JOBS: usize = 10;
/// Containers of a pod whose logs are read.
const CONTAINERS_MAX: usize = 4;
/// Of a log.
const LOG: log_end::Most = log_end::Most {
    lines: 20,
    bytes: 16 * 1024,
};

/// Most requests: the search by label, the Job, another one, its pods, its events, those of a Job that is gone; of each pod the events
/// and the logs.
pub(super) const REQUESTS_MAX: u64 =
    6 + PODS_MAX as u64 * (1 + CONTAINERS_MAX as u64 * log_end::REQUESTS_MAX);

/// Which Job it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JobId {
    namespace: String,
    name: String,
}

/// What was found of it.
pub(super) struct Found {
    pub(super) job: Read<CreationJob>,
    pub(super) lost: Option<LostJob>,
}

impl Found {
    pub(super) fn not_asked(why: &str) -> Self {
        Self::without(Read::not_asked(why))
    }

    fn without(job: Read<CreationJob>) -> Self {
        Self { job, lost: None }
    }
}

/// The Job that the failure text names.
pub(super) fn of_failure(hr: &HelmRelease) -> Option<JobId> {
    let job = failure(hr)?.of_any_spec().text.job()?;
    Some(JobId {
        namespace: job.home(hr.release_namespace()).to_owned(),
        name: job.name,
    })
}

/// The Job that Helm waited for and that no longer existed: what its events still say.
pub(super) async fn gone(cluster: &Cluster, hr: &HelmRelease) -> Option<LostJob> {
    let text = failure(hr)?.of_any_spec().text;
    let Cause::Wait(wait) = &text.cause else {
        return None;
    };
    let job = wait.gone_job().filter(|_| !text.is_of_hook())?;
    let namespace = job.home(hr.release_namespace());
    Some(LostJob {
        events: events::about(cluster, namespace, "Job", &job.name, None)
            .await
            .into(),
        namespace: namespace.to_owned(),
        name: job.name.clone(),
    })
}

/// The Job of the release's install hooks: one that did not succeed before one that did.
fn of_hooks(hooks: &[Hook], release_namespace: &str) -> Option<JobId> {
    let mut jobs: Vec<&Hook> = hooks
        .iter()
        .filter(|h| h.kind == "Job" && h.events.iter().any(|e| e == "pre-install"))
        .collect();
    jobs.sort_by_key(|h| h.last_run.as_ref().is_some_and(|r| r.phase == "Succeeded"));
    let hook = jobs.first()?;
    let object = manifest::objects(&hook.manifest)
        .into_iter()
        .find(|o| o.kind == "Job");
    let (name, namespace) = match object {
        Some(object) => (object.metadata.name, object.metadata.namespace),
        None => (hook.name.clone(), None),
    };
    Some(JobId {
        namespace: namespace.unwrap_or_else(|| release_namespace.to_owned()),
        name,
    })
}

/// Reads the Job that the release's hooks name or, without a release, the one that carries the HelmRelease's labels.
pub(super) async fn of_release(
    cluster: &Cluster,
    hr: &HelmRelease,
    release: &Read<Release>,
) -> Found {
    if let Some(release) = release.if_read() {
        return match of_hooks(&release.hooks, hr.release_namespace()) {
            Some(id) => gather(cluster, &id).await,
            None => Found::not_asked("the release has no Job that runs before its installation"),
        };
    }
    let labels = format!(
        "{GROUP}/name={},{GROUP}/namespace={}",
        hr.metadata.name, hr.metadata.namespace
    );
    let path = format!(
        "/apis/batch/v1/namespaces/{}/jobs?labelSelector={}",
        segment(hr.release_namespace()),
        segment(&labels)
    );
    let jobs = cluster.page(&ListOf::objects(path), LISTED_JOBS).await;
    // The newest is only known among all.
    match Read::from_result(jobs).and_then(Listing::into_all) {
        Read::Seen(jobs) => {
            // The labels are on every object of the chart, and before 1.6 not on its hooks.
            let mut jobs: Vec<Job> = jobs.iter().map(Job::from_value).collect();
            jobs.retain(Job::runs_before_installation);
            newest_first(&mut jobs);
            match jobs.into_iter().next() {
                Some(job) => {
                    let id = JobId {
                        namespace: hr.release_namespace().to_owned(),
                        name: job.meta.name.clone(),
                    };
                    with_pods(cluster, &id, job).await
                }
                None => by_convention(cluster, hr).await,
            }
        }
        Read::Absent => Found::not_asked("no release, failure or label names a Job"),
        // Saved files do not say which Jobs a label had; the one with the chart's name may be among them.
        Read::Unknown(why) => match by_convention(cluster, hr).await {
            found if found.job.if_read().is_some() => found,
            _ => Found::without(Read::Unknown(why)),
        },
    }
}

/// The Job that the chart names after the database: `pds-database-create`.
fn conventional(hr: &HelmRelease) -> Option<JobId> {
    let claim = hr.claim();
    let name = format!("{}-create", claim.joined()?.replace('_', "-"));
    can_be_an_object(&name).then(|| JobId {
        namespace: hr.release_namespace().to_owned(),
        name,
    })
}

/// Reads the Job that the failure names. If it is not named after the database, two Jobs run before the installation, and the other one
/// shows whether the database was created.
pub(super) async fn named(cluster: &Cluster, hr: &HelmRelease, id: &JobId) -> Found {
    let mut found = gather(cluster, id).await;
    if let Read::Seen(job) = &mut found.job
        && let Some(other) = conventional(hr).filter(|other| other != id)
    {
        let object = cluster
            .object("batch/v1", &other.namespace, "jobs", &other.name)
            .await;
        job.of_database = Read::from_result(object)
            .map(|job| Job::from_value(&job))
            .into();
    }
    found
}

/// The Job that the chart names after the database, if it is a hook and nothing says that it is another onboarding's: controllers before
/// 1.6 put no label on it.
async fn by_convention(cluster: &Cluster, hr: &HelmRelease) -> Found {
    let none = || Found::not_asked("no release, failure, label or name leads to a Job");
    let Some(id) = conventional(hr) else {
        return none();
    };
    let found = gather(cluster, &id).await;
    match &found.job {
        Read::Seen(job) if may_be_of(&job.job, hr) => found,
        Read::Unknown(_) => found,
        Read::Seen(_) | Read::Absent => none(),
    }
}

/// Whether a Job can be this onboarding's: a hook that is not older than the HelmRelease. An older one is a former onboarding's.
fn may_be_of(job: &Job, hr: &HelmRelease) -> bool {
    let is_hook = job.runs_before_installation();
    let time = |text: Option<&str>| text?.parse::<Timestamp>().ok();
    let made = time(job.meta.created.as_str());
    let since = time(hr.metadata.creation_timestamp.as_deref());
    is_hook && made.zip(since).is_some_and(|(made, since)| made >= since)
}

/// Reads the Job and what it made.
pub(super) async fn gather(cluster: &Cluster, id: &JobId) -> Found {
    let job = cluster
        .object("batch/v1", &id.namespace, "jobs", &id.name)
        .await;
    match Read::from_result(job) {
        Read::Seen(job) => with_pods(cluster, id, Job::from_value(&job)).await,
        Read::Unknown(why) => Found::without(Read::Unknown(why)),
        Read::Absent => Found {
            job: Read::Absent,
            lost: Some(LostJob {
                events: events::about(cluster, &id.namespace, "Job", &id.name, None)
                    .await
                    .into(),
                namespace: id.namespace.clone(),
                name: id.name.clone(),
            }),
        },
    }
}

async fn with_pods(cluster: &Cluster, id: &JobId, job: Job) -> Found {
    // The label without a prefix is on the pods of every Kubernetes version.
    let path = format!(
        "/api/v1/namespaces/{}/pods?labelSelector={}",
        segment(&id.namespace),
        segment(&format!("job-name={}", id.name))
    );
    let uid = job.meta.uid.clone();
    let pods = async {
        let pods = cluster.page(&ListOf::objects(path), LISTED_PODS).await;
        match Read::from_result(pods) {
            Read::Seen(pods) => {
                // A former Job of that name may have left its pods.
                let mut pods = pods
                    .map(|pod| Pod::from_value(&pod))
                    .filter(|pod| !pod.is_of_another(&uid));
                newest_first(pods.known_mut());
                pods.truncate(PODS_MAX, older_left_out);
                let (newest, not_all) = pods.into_parts();
                let read = newest.into_iter().map(|pod| pod_parts(cluster, pod));
                let read = futures::future::join_all(read).await;
                Read::Seen(Listing::new(read, not_all))
            }
            Read::Absent => Read::Absent,
            Read::Unknown(why) => Read::Unknown(why),
        }
    };
    // Events of former Jobs of that name tell of former attempts.
    let (pods, events) = futures::join!(
        pods,
        events::about(cluster, &id.namespace, "Job", &id.name, None)
    );
    let mut of_pods = Vec::new();
    let pods = pods.map(|parts| {
        parts.map(|(pod, events)| {
            of_pods.push(events);
            pod
        })
    });
    let events = events::joined(events, of_pods);
    Found::without(Read::Seen(CreationJob {
        job,
        pods: pods.into(),
        events: events.into(),
        of_database: Read::not_needed("no other Job is known to run before the installation")
            .into(),
    }))
}

async fn pod_parts(cluster: &Cluster, pod: Pod) -> (JobPod, Read<Events>) {
    let Meta {
        namespace,
        name,
        uid,
        ..
    } = &pod.meta;
    // The others have no log.
    let containers = pod.containers.known.iter().filter(|c| c.has_run());
    let logs = containers.take(CONTAINERS_MAX).map(|container| {
        let container = container.name.clone();
        let meta = &pod.meta;
        async move {
            let log = log_end::fetch(cluster, meta, &container, LOG).await;
            (container, log.into())
        }
    });
    let (logs, events) = futures::join!(
        futures::future::join_all(logs),
        events::about(cluster, namespace, "Pod", name, Some(uid))
    );
    (JobPod { pod, logs }, events)
}

/// Why the older pods of a Job are not among those that were read.
fn older_left_out(number: usize) -> Why {
    Why::NotAsked(format!(
        "only the newest {PODS_MAX} of its {number} pods were read"
    ))
}

/// One whose time of creation cannot be read may be the newest.
fn newest_first<T: Parsed>(objects: &mut [T]) {
    objects.sort_by(|a, b| {
        let made = |object: &T| {
            let created = &object.meta().created;
            (created.is_malformed(), created.text().to_owned())
        };
        made(b).cmp(&made(a))
    });
}

#[cfg(test)]
mod tests;
