//! The hook Job that creates the database: which one it is, its pods, the end of their logs, their events.

use super::super::{Cluster, List, ListOf, segment};
use super::events;
use crate::model::field::{Meta, Parsed};
use crate::model::helm_release::{GROUP, HelmRelease};
use crate::model::helm_storage::{Hook, Release};
use crate::model::job::Job;
use crate::model::lookup::can_be_an_object;
use crate::model::pod::Pod;
use crate::model::{failure, manifest};
use crate::snapshot::{CreationJob, Events, JobPod, LostJob, Read};
use k8s_openapi::jiff::Timestamp;

/// Pods of the Job that are read, newest first.
const PODS_MAX: usize = 3;
/// Pods of the Job that are listed, to find the newest.
const LISTED_PODS: usize = 50;
/// Jobs of a HelmRelease that are listed, to find the newest.
const LISTED_JOBS: usize = 10;
/// Containers of a pod whose logs are read.
const CONTAINERS_MAX: usize = 4;
/// Lines of a log.
const LOG_LINES: usize = 20;
/// Bytes of a log.
const LOG_BYTES: usize = 16 * 1024;

/// Most requests: the search by label, the Job, another one, its pods, its events; of each pod the events and the logs.
pub(super) const REQUESTS_MAX: u64 = 5 + (PODS_MAX * (1 + CONTAINERS_MAX)) as u64;

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
    let failure = failure::failure(hr)?;
    failure::resources(&failure.error)
        .into_iter()
        .chain(failure::resources(&failure.condition.message))
        .find(|r| r.kind == "Job")
        .map(|r| JobId {
            namespace: if r.namespace.is_empty() {
                hr.release_namespace().to_owned()
            } else {
                r.namespace
            },
            name: r.name,
        })
        .or_else(|| {
            let name = failure::hook_job(&failure.error)?;
            can_be_an_object(name).then(|| JobId {
                namespace: hr.release_namespace().to_owned(),
                name: name.to_owned(),
            })
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
    if let Some(release) = release.seen() {
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
    match Read::from_result(jobs.map(List::into_items)) {
        Read::Seen(jobs) => {
            // The labels are on every object of the chart, and before 1.6 not on its hooks.
            let jobs = jobs.iter().map(Job::from_value);
            let jobs = newest_first(jobs.filter(Job::runs_before_installation));
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
            found if found.job.seen().is_some() => found,
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
        job.of_database = Read::from_result(object).map(|job| Job::from_value(&job));
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
                events: events::about(cluster, &id.namespace, "Job", &id.name, None).await,
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
        match Read::from_result(pods.map(List::into_items)) {
            Read::Seen(pods) => {
                // A former Job of that name may have left its pods.
                let pods = pods.iter().map(Pod::from_value);
                let pods = newest_first(pods.filter(|pod| !pod.is_of_another(&uid)));
                let newest = pods.into_iter().take(PODS_MAX);
                let read = newest.map(|pod| pod_parts(cluster, pod));
                Read::Seen(futures::future::join_all(read).await)
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
        let keep = |(pod, events)| {
            of_pods.push(events);
            pod
        };
        parts.into_iter().map(keep).collect()
    });
    let events = events::joined(events, of_pods);
    Found::without(Read::Seen(CreationJob {
        job,
        pods,
        events,
        of_database: Read::not_needed("no other Job is known to run before the installation"),
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
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&tailLines={LOG_LINES}&limitBytes={LOG_BYTES}",
            segment(namespace),
            segment(name),
            segment(&container)
        );
        async move { (container, Read::from_result(cluster.get_text(&path).await)) }
    });
    let (logs, events) = futures::join!(
        futures::future::join_all(logs),
        events::about(cluster, namespace, "Pod", name, Some(uid))
    );
    (JobPod { pod, logs }, events)
}

/// One whose time of creation cannot be read may be the newest.
fn newest_first<T: Parsed>(objects: impl Iterator<Item = T>) -> Vec<T> {
    let mut objects: Vec<T> = objects.collect();
    objects.sort_by(|a, b| {
        let made = |object: &T| {
            let created = &object.meta().created;
            (created.is_malformed(), created.text().to_owned())
        };
        made(b).cmp(&made(a))
    });
    objects
}

#[cfg(test)]
mod tests {
    use super::super::super::test_server::{self, page};
    use super::*;
    use serde_json::{Value, json};

    const NAME: &str = "pds-database-create";

    /// A pod with the Job's label, made by the Job of this UID.
    fn pod(name: &str, by: &str) -> Value {
        let owner = json!({"kind": "Job", "name": NAME, "uid": by, "controller": true});
        json!({"metadata": {"name": name, "namespace": "core", "ownerReferences": [owner]}})
    }

    /// What is read of the Job with UID `1-a` where the server answers so.
    async fn found(answers: &[Value]) -> CreationJob {
        let (cluster, _) = test_server::cluster(answers);
        let job = json!({"metadata": {"name": NAME, "namespace": "core", "uid": "1-a"}});
        let id = JobId {
            namespace: "core".to_owned(),
            name: NAME.to_owned(),
        };
        let found = with_pods(&cluster, &id, Job::from_value(&job)).await;
        found.job.seen().unwrap().clone()
    }

    #[tokio::test]
    async fn the_pods_of_a_former_job_of_that_name_are_not_this_ones() {
        let none = page("v1", "Event", &[], "");
        let pods = [pod("own", "1-a"), pod("former", "2-b")];
        let found = found(&[page("v1", "Pod", &pods, ""), none.clone(), none]).await;
        let pods = found.pods.seen().unwrap();
        let names: Vec<&str> = pods.iter().map(|p| p.pod.meta.name.as_str()).collect();
        assert_eq!(names, ["own"]);
    }

    #[test]
    fn a_job_found_by_its_name_alone_is_a_hook_and_not_older_than_the_onboarding() {
        let hr = |made: Value| {
            HelmRelease::from_value(&json!({
                "metadata": {"name": "a", "namespace": "flux-system", "creationTimestamp": made}
            }))
            .unwrap()
        };
        let job = |hook: &str, made: &str| {
            let metadata = json!({"annotations": {hook: "pre-install"}, "creationTimestamp": made});
            Job::from_value(&json!({"metadata": metadata}))
        };
        let (early, late) = ("2026-11-23T20:14:00Z", "2026-11-23T20:15:00Z");
        let onboarding = hr(json!(early));
        assert!(may_be_of(&job("helm.sh/hook", late), &onboarding));
        assert!(may_be_of(&job("helm.sh/hook", early), &onboarding));
        assert!(
            !may_be_of(&job("helm.sh/hook", early), &hr(json!(late))),
            "older"
        );
        assert!(!may_be_of(&job("other", late), &onboarding), "not a hook");
        assert!(
            !may_be_of(&job("helm.sh/hook", "soon"), &onboarding),
            "malformed"
        );
        assert!(
            !may_be_of(&job("helm.sh/hook", late), &hr(json!(null))),
            "missing"
        );
        assert!(!may_be_of(&Job::from_value(&json!(7)), &onboarding));
    }

    #[test]
    fn the_failure_names_the_job() {
        let message = "Helm install failed for release core/core-a with chart c@0.1.2: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']";
        let hr = HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "flux-system"},
            "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "InstallFailed", "message": message},
                {"type": "Released", "status": "False", "reason": "InstallFailed", "message": message}]}
        }))
        .unwrap();
        let id = of_failure(&hr).unwrap();
        assert_eq!(
            (id.namespace.as_str(), id.name.as_str()),
            ("core", "pds-database-create")
        );
    }

    #[test]
    fn the_hook_that_failed_is_the_one() {
        let hook = |name: &str, phase: &str, manifest: &str| {
            serde_json::from_value::<Hook>(
                json!({"name": name, "kind": "Job", "events": ["pre-install"],
                "manifest": manifest, "last_run": {"phase": phase}}),
            )
            .unwrap()
        };
        let hooks = [
            hook("first", "Succeeded", ""),
            hook(
                "x",
                "Failed",
                "kind: Job\nmetadata:\n  name: second\n  namespace: other\n",
            ),
        ];
        let id = of_hooks(&hooks, "core").unwrap();
        assert_eq!(
            (id.namespace.as_str(), id.name.as_str()),
            ("other", "second")
        );
        let id = of_hooks(&hooks[..1], "core").unwrap();
        assert_eq!((id.namespace.as_str(), id.name.as_str()), ("core", "first"));
        assert!(of_hooks(&[], "core").is_none());
    }
}
