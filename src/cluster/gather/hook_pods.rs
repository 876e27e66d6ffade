//! The pods of a hook or a test of the release that failed, where the failure names it: their logs say why.

use super::{REMOTE, serving};
use crate::cluster::{Cluster, ListOf, segment};
use crate::model::failure::{Cause, Failure, failed_pod, hook_job};
use crate::model::helm_release::HelmRelease;
use crate::model::pod::Pod;
use crate::snapshot::{Listing, Read, ServingPod, Why};
use serde_json::Value;

/// Pods of a Job that are listed.
const LISTED: usize = 50;

/// Most requests: the pods, and of one its events and log.
pub(super) const REQUESTS_MAX: u64 = 1 + serving::MORE_MAX;

/// What ran the hook or the test.
#[derive(Debug, PartialEq, Eq)]
enum Runner<'a> {
    Job { namespace: &'a str, name: &'a str },
    Pod(&'a str),
}

/// Reads the newest pod that failed.
pub(super) async fn hook_pods(
    cluster: &Cluster,
    hr: &HelmRelease,
    failure: Option<&Failure<'_>>,
) -> Read<Listing<ServingPod>> {
    if hr.is_remote() {
        return Read::not_asked(REMOTE);
    }
    let pods = match runner(hr, failure) {
        None => return Read::not_needed("no hook or test is named that failed"),
        Some(Runner::Pod(name)) => one(cluster, hr.release_namespace(), name).await,
        Some(Runner::Job { namespace, name }) => of_job(cluster, namespace, name).await,
    };
    let pods = match pods {
        Read::Seen(pods) => pods,
        Read::Absent => return Read::Absent,
        Read::Unknown(why) => return Read::Unknown(why),
    };
    let is_odd = pods.known().iter().any(|pod| !pod.has_whole_status());
    let (mut pods, not_all) = pods.filter(Pod::is_failed).into_parts();
    let malformed = || Why::Broken("the status of a pod is malformed".to_owned());
    let not_all = not_all.or(is_odd.then(malformed));
    pods.sort_by(|a, b| a.meta.created.as_str().cmp(&b.meta.created.as_str()));
    let newest = match pods.pop() {
        Some(newest) => vec![serving::more(cluster, newest).await],
        None => Vec::new(),
    };
    Read::Seen(Listing::new(newest, not_all))
}

fn runner<'a>(hr: &'a HelmRelease, failure: Option<&'a Failure<'_>>) -> Option<Runner<'a>> {
    let failure = failure?;
    // An earlier failure of a test stays in the status.
    if failure.condition.reason == "TestFailed" {
        let test = hr.failed_test()?;
        return failed_pod(&test.message).map(Runner::Pod);
    }
    let text = &failure.text;
    let namespace = hr.release_namespace();
    if text.later_hook().is_none() && text.action != Some("uninstall") {
        return None;
    }
    let waited = match &text.cause {
        Cause::Wait(wait) => wait.job(),
        _ => None,
    };
    let waited = waited.map(|waited| (waited.home(namespace), waited.name.as_str()));
    waited
        .or_else(|| Some((namespace, hook_job(text.raw)?)))
        .map(|(namespace, name)| Runner::Job { namespace, name })
        .or_else(|| failed_pod(text.raw).map(Runner::Pod))
}

async fn one(cluster: &Cluster, namespace: &str, name: &str) -> Read<Listing<Pod>> {
    let selector = format!("metadata.name={name}");
    listed(cluster, namespace, "fieldSelector", &selector).await
}

async fn of_job(cluster: &Cluster, namespace: &str, name: &str) -> Read<Listing<Pod>> {
    let selector = format!("job-name={name}");
    listed(cluster, namespace, "labelSelector", &selector).await
}

async fn listed(
    cluster: &Cluster,
    namespace: &str,
    kind: &str,
    selector: &str,
) -> Read<Listing<Pod>> {
    let (namespace, selector) = (segment(namespace), segment(selector));
    let path = format!("/api/v1/namespaces/{namespace}/pods?{kind}={selector}");
    let listed = cluster.page(&ListOf::objects(path), LISTED).await;
    Read::from_result(listed).map(|all: Listing<Value>| all.map(|pod| Pod::from_value(&pod)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::{answering, forbidden, page};
    use crate::diagnosis::fixture;
    use crate::model::condition::Stated;
    use crate::model::failure::failure;
    use serde_json::json;

    fn pod(name: &str, created: &str, phase: &str) -> Value {
        let ended = match phase {
            "Running" => json!({"running": {"startedAt": created}}),
            _ => {
                json!({"terminated": {"exitCode": 7, "startedAt": created, "finishedAt": created}})
            }
        };
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "core", "name": name, "creationTimestamp": created},
            "status": {"phase": phase, "containerStatuses": [{"name": "c", "ready": false, "state": ended}]}})
    }

    async fn read(
        case: &str,
        answers: &[(u16, Value)],
    ) -> (Read<Listing<ServingPod>>, Vec<String>) {
        let hr = &fixture::snapshot(case).helm_release;
        let failure = failure(hr).map(Stated::of_any_spec);
        let (cluster, asked) = answering(answers);
        let found = hook_pods(&cluster, hr, failure.as_ref()).await;
        (found, asked.paths())
    }

    #[tokio::test]
    async fn the_log_of_the_newest_failed_pod_is_read() {
        let pods = [
            pod("old", "2026-11-27T04:00:00Z", "Failed"),
            pod("new", "2026-11-27T04:30:00Z", "Failed"),
            pod("runs", "2026-11-27T04:40:00Z", "Running"),
        ];
        let list = page("v1", "Pod", &pods, "");
        let none = page("v1", "Event", &[], "");
        let answers = [(200, list), (200, none), (200, json!("the end"))];
        let (found, asked) = read("upgrade-hook-failed", &answers).await;
        assert_eq!(asked[0], "/api/v1/namespaces/core/pods");
        assert!(
            asked[1..]
                .iter()
                .any(|path| path == "/api/v1/namespaces/core/pods/new/log"),
            "{asked:?}"
        );
        let found = found.if_read().unwrap();
        let names = found
            .known()
            .iter()
            .map(|found| found.pod.meta.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["new"]);
        assert_eq!(asked.len() as u64 + 1, REQUESTS_MAX);
    }

    #[tokio::test]
    async fn a_pod_whose_status_is_malformed_may_be_one_that_failed() {
        let mut odd = pod("odd", "2026-11-27T04:00:00Z", "Running");
        odd["status"]["containerStatuses"] = json!(7);
        let list = page("v1", "Pod", &[odd], "");
        let (found, _) = read("upgrade-hook-failed", &[(200, list)]).await;
        let not_all = found.if_read().unwrap().not_all().map(Why::clause);
        assert_eq!(not_all.as_deref(), Some("the status of a pod is malformed"));
    }

    #[tokio::test]
    async fn a_test_is_a_pod_by_its_name() {
        let test = pod("pds-database-test", "2026-11-27T04:00:00Z", "Failed");
        let answers = [(200, page("v1", "Pod", &[test], ""))];
        let hr = &fixture::snapshot("tests-failed-middle").helm_release;
        let own = failure(hr).map(Stated::of_any_spec);
        let (cluster, asked) = answering(&answers);
        hook_pods(&cluster, hr, own.as_ref()).await;
        assert_eq!(
            asked.queries()[0],
            "fieldSelector=metadata.name%3Dpds-database-test&limit=50"
        );
        let (refused, _) = read("tests-failed-middle", &[(403, forbidden())]).await;
        assert!(
            matches!(refused.unknown(), Some(Why::Forbidden(_))),
            "{refused:?}"
        );
        for other in ["tests-failed", "couchdb-unreachable"] {
            let (none, asked) = read(other, &[]).await;
            assert!(
                matches!(none.unknown(), Some(Why::NotNeeded(_))),
                "{none:?}"
            );
            assert!(asked.is_empty());
        }
    }
}
