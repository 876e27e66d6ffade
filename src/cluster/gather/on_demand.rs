//! What is read only where a check asks for it: a right, Flux's controllers, CouchDB's Service.

use super::super::review;
use super::serving;
use crate::cluster::error::NOT_SAVED;
use crate::cluster::{All, Cluster, ListOf, segment};
use crate::model::access_review::AccessReview;
use crate::model::condition::Stated;
use crate::model::controller_log::Errors;
use crate::model::creation_log::{CouchFailure, couch_failure};
use crate::model::deployment::Deployment;
use crate::model::endpoint::{self, COUCHDB_NAMESPACE, Endpoint, Known};
use crate::model::failure::{Cause, Failure};
use crate::model::helm_release::HelmRelease;
use crate::model::pod::Pod;
use crate::model::service::{EndpointSlice, Service};
use crate::model::status::{self, Ready};
use crate::snapshot::{
    Controllers, CouchPods, CouchService, CreationJob, IfRead, JobPod, Listing, Read, ServingPod,
    Snapshot, Why,
};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// Most requests: a review, the controllers by label, by two names and their pods, the Service, its EndpointSlices and its pods, the
/// pods of the target namespace.
pub(super) const REQUESTS_MAX: u64 = 1 + 3 + serving::REQUESTS_MAX + 2 + serving::REQUESTS_MAX + 1;

/// Where Flux's controllers are expected. A Flux that runs elsewhere is not known, never "not running".
const FLUX: &str = "flux-system";

/// The controllers that an onboarding needs.
const CONTROLLERS: [&str; 2] = ["helm-controller", "source-controller"];

impl Cluster {
    /// The Deployments of Flux's controllers; where they are not labelled, those of these names.
    pub async fn controllers(&self, names: &[&str]) -> Read<Controllers> {
        deployments(self, names).await
    }
}

/// Most pods, or EndpointSlices, that are read.
const MOST: usize = 50;

/// Most pods of the target namespace, which other onboardings share.
const TARGET_PODS: usize = 250;

/// Seconds beyond `spec.timeout` after which an action that still runs is one that nobody works on.
const PATIENCE: i64 = 60;

/// Asks whether the account has by now the right that the failure says it lacks.
pub(super) async fn rights(cluster: &Cluster, failure: Option<&Failure<'_>>) -> Read<AccessReview> {
    let question = failure.and_then(|failure| match &failure.text.cause {
        Cause::Right(refused) => review::question(refused),
        _ => None,
    });
    match question {
        None => Read::not_needed("the failure names no right of a ServiceAccount"),
        Some(question) => {
            let answer = Read::from_result(cluster.review(&question).await);
            answer.map(|answer| AccessReview::from_value(&answer))
        }
    }
}

/// Reads the controllers where the status tells that one of them may not be at work, and their pods if one is not available.
pub(super) async fn controllers(
    cluster: &Cluster,
    hr: &HelmRelease,
    failure: Option<&Failure<'_>>,
    now: Timestamp,
) -> (Read<Controllers>, Read<Listing<ServingPod>>) {
    if !wants_controllers(hr, failure, now) {
        let why = "the status says that Flux is working on it";
        return (Read::not_needed(why), Read::not_needed(why));
    }
    let found = deployments(cluster, &CONTROLLERS).await;
    let all = found.if_read().map(|found| &found.deployments);
    let run = |all: &Vec<Deployment>| !all.is_empty() && all.iter().all(Deployment::is_available);
    let pods = if all.is_some_and(run) {
        Read::not_needed("each Deployment is available")
    } else {
        let selector = format!("app in ({})", CONTROLLERS.join(","));
        serving::pods(cluster, FLUX, &selector).await
    };
    (found, pods)
}

async fn deployments(cluster: &Cluster, names: &[&str]) -> Read<Controllers> {
    let base = format!("/apis/apps/v1/namespaces/{FLUX}/deployments");
    let labelled = format!(
        "{base}?labelSelector={}",
        segment("app.kubernetes.io/part-of=flux")
    );
    let labelled = cluster.all(&ListOf::objects(labelled)).await;
    let deployments = match Read::from_result(labelled) {
        Read::Seen(list) if list.items().is_empty() => named(cluster, &base, names).await,
        other => other.map(All::into_items),
    };
    let deployments = match deployments {
        Read::Seen(all) => all.iter().map(Deployment::from_value).collect(),
        Read::Absent => Vec::new(),
        Read::Unknown(why) => return Read::Unknown(why),
    };
    Read::Seen(Controllers {
        namespace: FLUX.to_owned(),
        deployments,
    })
}

/// By their names, where an installation has not labelled them.
async fn named(cluster: &Cluster, base: &str, names: &[&str]) -> Read<Vec<Value>> {
    let read = names.iter().map(|name| async move {
        Read::from_result(cluster.get::<Value>(&format!("{base}/{name}")).await)
    });
    let mut all = Vec::new();
    for one in futures::future::join_all(read).await {
        match one {
            Read::Seen(deployment) => all.push(deployment),
            Read::Absent => {}
            Read::Unknown(why) => return Read::Unknown(why),
        }
    }
    Read::Seen(all)
}

/// No answer, one that is older than the spec, an action that should be over, a source that nobody has looked at.
fn wants_controllers(hr: &HelmRelease, failure: Option<&Failure<'_>>, now: Timestamp) -> bool {
    if hr.spec.suspend {
        return false;
    }
    let unworked = failure.is_some_and(Failure::is_of_idle_source);
    status::is_unanswered(hr) || hr.is_stale() || unworked || is_overdue(hr, now)
}

/// Ready has been Unknown for longer than an action may take.
fn is_overdue(hr: &HelmRelease, now: Timestamp) -> bool {
    let ready = hr.conditions().get("Ready").map(Stated::of_any_spec);
    let Some(ready) = ready.filter(|c| c.status == "Unknown") else {
        return false;
    };
    let since = ready
        .last_transition_time
        .as_deref()
        .and_then(|t| t.parse::<Timestamp>().ok());
    match (hr.timeout_seconds(), since) {
        (Some(timeout), Some(since)) => now.as_second() - since.as_second() > timeout + PATIENCE,
        _ => false,
    }
}

/// The errors in the saved log of helm-controller. It is not read from a cluster, which would take the right to read Flux's logs.
pub(super) fn controller_log(cluster: &Cluster, hr: &HelmRelease) -> Read<Errors> {
    let Some(saved) = cluster.archive() else {
        return Read::not_needed("a cluster's log of helm-controller is not read");
    };
    let logs: Vec<&str> = saved.logs_of("helm-controller").collect();
    if logs.is_empty() && !saved.has_plain() {
        return Read::not_needed("a bundle holds everything that was read from the cluster");
    }
    if logs.is_empty() {
        return Read::not_asked(NOT_SAVED);
    }
    let meta = &hr.metadata;
    match Errors::parse(&logs.join("\n"), &meta.namespace, &meta.name) {
        Ok(errors) => Read::Seen(errors),
        Err(why) => Read::Unknown(Why::Broken(why)),
    }
}

/// Reads the pods of the target namespace if Helm waits for objects other than the creation Job.
pub(super) async fn pods(
    cluster: &Cluster,
    hr: &HelmRelease,
    failure: Option<&Failure<'_>>,
) -> Read<Listing<Pod>> {
    if hr.is_remote() || !waits(hr, failure) {
        return Read::not_needed("Helm does not wait for objects of the chart");
    }
    let namespace = segment(hr.release_namespace());
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let pods = cluster.page(&ListOf::objects(path), TARGET_PODS).await;
    Read::from_result(pods).map(parsed)
}

fn parsed(objects: Listing<Value>) -> Listing<Pod> {
    objects.map(|pod| Pod::from_value(&pod))
}

/// An action is under way, or its wait failed.
fn waits(hr: &HelmRelease, failure: Option<&Failure<'_>>) -> bool {
    let mut conditions = hr.conditions().iter().map(Stated::of_any_spec);
    let runs = conditions.any(|c| c.kind == "Ready" && c.message.starts_with("Running '"));
    runs || failure.is_some_and(|failure| matches!(failure.text.cause, Cause::Wait(_)))
}

/// Reads CouchDB's Service and its pods if the creation Job got no answer from it, or still waits.
pub(super) async fn couchdb(
    cluster: &Cluster,
    snapshot: &Snapshot,
) -> (Read<CouchService>, Read<CouchPods>) {
    let endpoint = match endpoint(snapshot) {
        Read::Seen(endpoint) => endpoint,
        Read::Absent => return (Read::Absent, Read::Absent),
        Read::Unknown(why) => return (Read::Unknown(why.clone()), Read::Unknown(why)),
    };
    let service = match endpoint {
        Some(endpoint) => Read::Seen(service(cluster, endpoint).await),
        None => Read::not_asked("neither the Job nor the values name CouchDB's Service"),
    };
    // The chart puts the policy beside CouchDB.
    let policy = snapshot
        .policy()
        .if_read()
        .map(|policy| &policy.meta.namespace);
    let home = policy.map_or(COUCHDB_NAMESPACE, String::as_str);
    let pods = serving::couchdb(cluster, service.if_read(), home).await;
    (service, pods)
}

/// Why a log of the Job was not read that may say that CouchDB gave no answer.
fn unread_log(found: &CreationJob) -> Option<Why> {
    let pods = found.pods().if_read().into_iter();
    let logs = pods.flat_map(Listing::known).flat_map(JobPod::logs);
    let mut unread = logs.filter_map(|(_, log)| log.err());
    unread
        .find(|unread| !unread.is_not_needed())
        .map(|unread| unread.why)
}

/// The Service by which the creation Job asks CouchDB, where it got no answer or still waits; `None` inside if nothing names it.
fn endpoint(snapshot: &Snapshot) -> Read<Option<Endpoint>> {
    let hr = snapshot.helm_release();
    let not_needed = || Read::not_needed("the creation Job does not report CouchDB as unreachable");
    if hr.is_remote() || status::shown(hr) == Ready::True {
        return not_needed();
    }
    let found = match Read::from(snapshot.creation_job()) {
        Read::Seen(found) => found,
        Read::Absent => return not_needed(),
        // Whether the Job names it is not known.
        Read::Unknown(why) => return Read::Unknown(why),
    };
    let pods = match found.pods() {
        Ok(pods) => pods,
        Err(unread) => return Read::Unknown(unread.why),
    };
    if let Some(Err(why)) = pods.map(Listing::is_empty) {
        return Read::Unknown(why);
    }
    let over = found.job.succeeded.set() > Some(&0);
    let pods = pods.into_iter().flat_map(Listing::known);
    // `unread_log` has those that were not read.
    let logs = pods
        .flat_map(JobPod::logs)
        .filter_map(|(_, log)| log.if_read());
    let logs: Vec<&str> = logs.map(String::as_str).collect();
    let unreachable = logs
        .iter()
        .find(|l| couch_failure(l) == Some(CouchFailure::Unreachable))
        .copied();
    let hangs = found.job.active.set() > Some(&0) && !logs.is_empty();
    if !over && unreachable.is_none() {
        if let Some(why) = unread_log(found) {
            return Read::Unknown(why);
        }
        if found.job.active.is_malformed() {
            let why = "status.active of the creation Job is malformed";
            return Read::Unknown(Why::Broken(why.to_owned()));
        }
    }
    if over || (unreachable.is_none() && !hangs) {
        return not_needed();
    }
    Read::Seen(endpoint::find(
        hr,
        Known {
            release: snapshot.release().if_read(),
            job: Some(&found.job),
            log: unreachable.unwrap_or_default(),
        },
    ))
}

async fn service(cluster: &Cluster, endpoint: Endpoint) -> CouchService {
    let (namespace, name) = (segment(&endpoint.namespace), segment(&endpoint.name));
    let selector = format!("kubernetes.io/service-name={}", endpoint.name);
    let of_object = format!("/api/v1/namespaces/{namespace}/services/{name}");
    let of_slices = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector={}",
        segment(&selector)
    );
    let of_slices = ListOf::objects(of_slices);
    let (service, slices) = futures::join!(
        cluster.get::<Value>(&of_object),
        cluster.page(&of_slices, MOST)
    );
    CouchService {
        namespace: endpoint.namespace,
        name: endpoint.name,
        port: endpoint.port,
        named_by: endpoint.named_by.to_owned(),
        service: Read::from_result(service)
            .map(|object| Service::from_value(&object))
            .into(),
        slices: Read::from_result(slices)
            .map(|slices: Listing<Value>| slices.map(|slice| EndpointSlice::from_value(&slice)))
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::scene::Scene;
    use crate::cluster::test_server::{self, page};
    use crate::model::failure::failure;
    use crate::snapshot::Why;
    use serde_json::json;

    #[tokio::test]
    async fn without_a_pod_among_those_that_were_read_the_service_is_not_unneeded() {
        let mut snapshot = crate::diagnosis::fixture::snapshot("couchdb-unreachable");
        let cut = Why::NotAsked("only the first 0 pods were read".to_owned());
        let job = snapshot.creation_job.seen_mut().unwrap();
        job.pods = Read::Seen(Listing::new(Vec::new(), Some(cut.clone()))).into();
        let (cluster, asked) = test_server::cluster(&[]);
        let (found, pods) = couchdb(&cluster, &snapshot).await;
        assert_eq!((found.unknown(), pods.unknown()), (Some(&cut), Some(&cut)));
        assert!(asked.queries().is_empty());
    }

    #[tokio::test]
    async fn with_a_log_that_was_not_read_the_service_is_not_unneeded() {
        let mut snapshot = crate::diagnosis::fixture::snapshot("couchdb-unreachable");
        let refused = Why::Forbidden("get pods/log in core".to_owned());
        let job = snapshot.creation_job.seen_mut().unwrap();
        let pods = job.pods.seen_mut().unwrap().known_mut();
        for (_, log) in pods.iter_mut().flat_map(|pod| &mut pod.logs) {
            *log = Read::Unknown(refused.clone()).into();
        }
        let (cluster, _) = test_server::cluster(&[]);
        let (found, _) = couchdb(&cluster, &snapshot).await;
        assert_eq!(found.unknown(), Some(&refused));
    }

    #[tokio::test]
    async fn pods_of_a_list_that_was_cut_are_not_all() {
        let ready = json!({"type": "Ready", "status": "Unknown", "reason": "Progressing",
            "message": "Running 'install' action with timeout of 5m0s"});
        let hr = HelmRelease::from_value(
            &json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {}, "status": {"conditions": [ready]}}),
        );
        let hr = hr.unwrap();
        let one = [json!({"metadata": {"name": "p", "namespace": "n"}})];
        for (token, not_all) in [
            ("", None),
            ("more", Some("only the first 1 pods were read")),
        ] {
            let (cluster, asked) = test_server::cluster(&[page("v1", "Pod", &one, token)]);
            let pods = pods(
                &cluster,
                &hr,
                failure(&hr).map(Stated::of_any_spec).as_ref(),
            )
            .await;
            let pods = pods.if_read().unwrap();
            assert_eq!(pods.not_all().map(Why::clause).as_deref(), not_all);
            assert_eq!(
                (pods.known().len(), asked.queries()),
                (1, vec!["limit=250".to_owned()])
            );
        }
    }

    /// The errors about HelmRelease n/a in the saved log of helm-controller.
    fn errors(cluster: &Cluster) -> Read<Errors> {
        let hr = json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {}, "status": {}});
        controller_log(cluster, &HelmRelease::from_value(&hr).unwrap())
    }

    #[tokio::test]
    async fn the_controllers_log_of_a_cluster_is_not_needed() {
        let (cluster, asked) = test_server::cluster(&[]);
        let why = Why::NotNeeded("a cluster's log of helm-controller is not read".to_owned());
        assert_eq!(errors(&cluster), Read::Unknown(why));
        assert!(asked.queries().is_empty());
    }

    #[test]
    fn the_controllers_log_of_a_bundle_is_not_needed() {
        let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}});
        let bundle = Scene::new(&[&object], "").bundle();
        let why = "a bundle holds everything that was read from the cluster";
        assert_eq!(
            errors(&Cluster::saved(bundle, 0)),
            Read::Unknown(Why::NotNeeded(why.to_owned()))
        );
    }

    #[test]
    fn the_controllers_log_that_plain_files_lack_is_not_known() {
        let of = |log: &str| {
            let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}});
            let files = Scene::new(&[&object], log).plain();
            errors(&Cluster::saved(files, 0))
        };
        let not_saved = Read::Unknown(Why::NotAsked(NOT_SAVED.to_owned()));
        assert_eq!(of(""), not_saved);
        let entry = json!({"level": "error", "error": "no", "HelmRelease": {"name": "a", "namespace": "n"}});
        let other = format!("[pod/source-controller-5d8f-x2x7q/manager] {entry}\n");
        assert_eq!(of(&other), not_saved);
        let own = other.replace("source", "helm");
        let texts = of(&own).map(|errors| errors.own.into_iter().map(|e| e.text).collect());
        assert_eq!(texts, Read::Seen(vec!["no".to_owned()]));
        let odd = of("[pod/helm-controller-5d8f-x2x7q/manager] odd\n");
        assert!(matches!(odd.unknown(), Some(Why::Broken(_))), "{odd:?}");
    }

    fn wants(status: Value) -> bool {
        let hr = HelmRelease::from_value(
            &json!({"metadata": {"name": "a", "namespace": "n", "generation": 1}, "spec": {}, "status": status}),
        )
        .unwrap();
        wants_controllers(
            &hr,
            failure(&hr).map(Stated::of_any_spec).as_ref(),
            "2026-11-24T00:10:00Z".parse().unwrap(),
        )
    }

    #[tokio::test]
    async fn without_a_deployment_the_pods_are_not_unneeded() {
        let hr = json!({"metadata": {"name": "a", "namespace": "n", "generation": 1}, "spec": {}, "status": {}});
        let hr = HelmRelease::from_value(&hr).unwrap();
        let none = json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
            "message": "deployments.apps \"x\" not found", "details": {"name": "x", "kind": "deployments"}});
        let (cluster, asked) = test_server::answering(&[
            (200, page("apps/v1", "Deployment", &[], "")),
            (404, none.clone()),
            (404, none),
            (200, page("v1", "Pod", &[], "")),
        ]);
        let now = "2026-11-24T00:10:00Z".parse().unwrap();
        let (found, pods) = controllers(&cluster, &hr, None, now).await;
        assert!(
            found.if_read().is_some_and(|f| f.deployments.is_empty()),
            "{:?}",
            found.unknown()
        );
        assert!(pods.if_read().unwrap().known().is_empty());
        assert_eq!(asked.queries().len(), 4);
    }

    #[test]
    fn a_flux_that_works_is_not_looked_at() {
        let condition = |status: &str, since: &str, message: &str| {
            json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": status,
                "reason": "x", "message": message, "lastTransitionTime": since}]})
        };
        assert!(wants(json!({})));
        assert!(!wants(condition("True", "2026-11-24T00:00:00Z", "")));
        assert!(!wants(condition("Unknown", "2026-11-24T00:05:00Z", "")));
        assert!(wants(condition("Unknown", "2026-11-24T00:03:00Z", "")));
        assert!(!wants(condition("False", "2026-11-24T00:03:00Z", "no")));
        let waiting =
            "HelmChart 'n/a' is not ready: latest generation of object has not been reconciled";
        assert!(wants(condition("False", "2026-11-24T00:03:00Z", waiting)));
    }
}
