//! Pods that are to serve, and why some are not serving: their events, and the end of the log of the container that ended.

use super::{events, log_end};
use crate::cluster::{Cluster, ListOf, segment};
use crate::model::field::Meta;
use crate::model::pod::Pod;
use crate::snapshot::{CouchPods, CouchService, Listing, LogEnd, Read, ServingPod, Why};
use serde_json::Value;

/// Most pods that are listed.
const LISTED: usize = 250;
/// Pods that do not serve of which more is read.
const READ: usize = 3;
/// Of a log: a panic of Go has its cause above its goroutines.
const LOG: log_end::Most = log_end::Most {
    lines: 100,
    bytes: 64 * 1024,
};

/// Most requests: the list, and of each pod its events and a log.
pub(super) const REQUESTS_MAX: u64 = 1 + READ as u64 * MORE_MAX;
/// Those of one pod.
pub(super) const MORE_MAX: u64 = 1 + log_end::REQUESTS_MAX;

/// The pods of a namespace by their labels.
pub(super) async fn pods(
    cluster: &Cluster,
    namespace: &str,
    selector: &str,
) -> Read<Listing<ServingPod>> {
    read(cluster, namespace, selector, |_| true).await
}

/// Those pods of a namespace that `is_wanted` takes.
pub(super) async fn pods_that(
    cluster: &Cluster,
    namespace: &str,
    is_wanted: impl Fn(&Pod) -> bool,
) -> Read<Listing<ServingPod>> {
    read(cluster, namespace, "", is_wanted).await
}

/// CouchDB's pods: those behind its Service or, where that is not known, those of CouchDB's namespace, which is `home` without a Service.
pub(super) async fn couchdb(
    cluster: &Cluster,
    known: Option<&CouchService>,
    home: &str,
) -> Read<CouchPods> {
    let selector = known.and_then(|known| known.service.if_read()?.label_selector());
    let namespace = known.map_or(home, |known| &known.namespace);
    let pods = match &selector {
        Some(selector) => read(cluster, namespace, selector, |_| true).await,
        None => read(cluster, namespace, "", is_couchdb).await,
    };
    pods.map(|pods| CouchPods {
        of_service: selector.is_some(),
        namespace: namespace.to_owned(),
        pods,
    })
}

/// By its container's name or image: labels differ between the generations of Secure KVS.
pub(super) fn is_couchdb(pod: &Pod) -> bool {
    pod.container_names().any(|(container, image)| {
        let name = image.rsplit('/').next().unwrap_or_default();
        let name = name.split([':', '@']).next().unwrap_or_default();
        container == "couchdb" || name == "couchdb"
    })
}

async fn read(
    cluster: &Cluster,
    namespace: &str,
    selector: &str,
    is_wanted: impl Fn(&Pod) -> bool,
) -> Read<Listing<ServingPod>> {
    let mut path = format!("/api/v1/namespaces/{}/pods", segment(namespace));
    if !selector.is_empty() {
        path.push_str(&format!("?labelSelector={}", segment(selector)));
    }
    let pods = cluster.page(&ListOf::objects(path), LISTED).await;
    let pods = match Read::from_result(pods) {
        Read::Seen(pods) => pods.map(|pod: Value| Pod::from_value(&pod)),
        Read::Absent => return Read::Absent,
        Read::Unknown(why) => return Read::Unknown(why),
    };
    let (pods, not_all) = pods.filter(is_wanted).into_parts();
    let pods = without_leftovers(pods);
    let mut left = READ;
    let read = pods.into_iter().map(|pod| {
        let is_ready = pod.is_ready() || !pod.meta.deleted.is_absent();
        let is_read = !is_ready && left > 0;
        left -= usize::from(is_read);
        async move {
            match (is_ready, is_read) {
                (false, true) => more(cluster, pod).await,
                (true, _) => without(pod, Why::NotNeeded("the pod is ready".to_owned())),
                (false, false) => {
                    let why = format!("only those of the first {READ} pods were read");
                    without(pod, Why::NotAsked(why))
                }
            }
        }
    });
    let read = futures::future::join_all(read).await;
    Read::Seen(Listing::new(read, not_all))
}

/// Without the pods that ended and are none of those that are to serve: a Job's, and those that their controller has replaced. Others that
/// ended come last.
pub(super) fn without_leftovers(pods: Vec<Pod>) -> Vec<Pod> {
    let is_left = |pod: &&Pod| !pod.is_a_finished_job() && !pod.is_replaced_among(&pods);
    let mut left: Vec<Pod> = pods.iter().filter(is_left).cloned().collect();
    left.sort_by_key(Pod::is_over);
    left
}

fn without(pod: Pod, why: Why) -> ServingPod {
    ServingPod {
        pod,
        events: Read::Unknown(why.clone()).into(),
        log: Read::Unknown(why).into(),
    }
}

/// A pod with its events, and the log of the container that ended badly or is not ready.
pub(super) async fn more(cluster: &Cluster, pod: Pod) -> ServingPod {
    let Meta {
        namespace,
        name,
        uid,
        ..
    } = &pod.meta;
    let log = async {
        let crashed = pod.culprit().filter(|c| c.has_crashed());
        let Some(faulty) = crashed.or_else(|| pod.unready_container()) else {
            return Read::not_needed("no container ended by itself, or runs without being ready");
        };
        // Of one that waits, the kubelet has the log of its last run.
        let container = faulty.name.clone();
        let text = log_end::fetch(cluster, &pod.meta, &container, LOG).await;
        text.map(|text| LogEnd { container, text })
    };
    let (events, log) = futures::join!(
        events::about(cluster, namespace, "Pod", name, Some(uid)),
        log
    );
    ServingPod {
        pod,
        events: events.into(),
        log: log.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::{self, page};
    use crate::model::service::Service;
    use serde_json::json;

    fn pod(name: &str, is_ready: bool, state: &Value) -> Value {
        let status = if is_ready { "True" } else { "False" };
        json!({"metadata": {"name": name, "namespace": "n"}, "status": {
            "conditions": [{"type": "Ready", "status": status}],
            "containerStatuses": [{"name": "c", "image": "registry/couchdb:3", "ready": is_ready, "state": state,
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}})
    }

    /// What is asked beyond the list of these pods.
    async fn asked(listed: &[Value]) -> Vec<String> {
        let mut answers = vec![page("v1", "Pod", listed, "")];
        let none = page("v1", "Event", &[], "");
        answers.resize(20, none);
        let (cluster, asked) = test_server::cluster(&answers);
        let found = pods(&cluster, "n", "app=x").await;
        assert_eq!(found.if_read().unwrap().known().len(), listed.len());
        asked.queries().split_off(1)
    }

    #[tokio::test]
    async fn more_is_read_of_few_pods_and_of_none_that_is_ready() {
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        assert_eq!(
            asked(&[pod("a", true, &waiting)]).await,
            Vec::<String>::new()
        );
        let many: Vec<Value> = ["a", "b", "c", "d"]
            .map(|name| pod(name, false, &waiting))
            .to_vec();
        let asked_of_many = asked(&many).await;
        assert_eq!(asked_of_many.len(), READ * 2);
        let logs = asked_of_many.iter().filter(|q| q.contains("container=c"));
        assert_eq!(logs.clone().count(), READ);
        assert!(!logs.clone().any(|q| q.contains("previous")));
        // Why a probe fails may be in the log of the present run.
        let running = asked(&[pod("a", false, &json!({"running": {}}))]).await;
        assert!(running.iter().any(|q| q.contains("container=c")));
        let pulls = json!({"waiting": {"reason": "ContainerCreating"}});
        let mut starting = pod("a", false, &pulls);
        starting["status"]["containerStatuses"][0]["lastState"] = json!({});
        assert!(
            !asked(&[starting])
                .await
                .iter()
                .any(|q| q.contains("container="))
        );
    }

    #[test]
    fn leftovers_are_left_out_or_come_last() {
        let of = |name: &str, phase: &str, kind: &str, owner: &str| {
            Pod::from_value(&json!({"metadata": {"name": name, "namespace": "n",
                "ownerReferences": [{"kind": kind, "name": owner, "controller": true}]}, "status": {"phase": phase}}))
        };
        let pods = vec![
            of("backup", "Failed", "Job", "backup"),
            of("evicted", "Failed", "ReplicaSet", "a-1"),
            of("older", "Failed", "ReplicaSet", "a-0"),
            of("crashes", "Running", "ReplicaSet", "a-1"),
            of("runs", "Running", "Job", "other"),
        ];
        let left = without_leftovers(pods);
        let left: Vec<&str> = left.iter().map(|pod| pod.meta.name.as_str()).collect();
        assert_eq!(left, ["crashes", "runs", "older"]);
    }

    #[test]
    fn a_pod_is_couchdbs_by_its_spec_too() {
        let is = |spec: Value, statuses: Value| {
            is_couchdb(&Pod::from_value(
                &json!({"spec": {"containers": spec}, "status": {"containerStatuses": statuses}}),
            ))
        };
        assert!(is(json!([{"name": "couchdb"}]), json!(null)));
        let digest = json!([{"name": "db", "image": "sha256:0a1b"}]);
        assert!(is(
            json!([{"name": "db", "image": "registry/couchdb:3"}]),
            digest.clone()
        ));
        assert!(!is(
            json!([{"name": "db", "image": "registry/couchdb-exporter:3"}]),
            digest
        ));
    }

    #[tokio::test]
    async fn couchdbs_pods_are_those_of_its_service_or_look_like_it() {
        let ready = json!({"running": {}});
        let mut other = pod("other", true, &ready);
        other["status"]["containerStatuses"][0]["image"] = json!("registry/couchdb-exporter:1");
        let listed = [pod("db-0", true, &ready), other];
        let look = |selector: Option<Value>| {
            let listed = page("v1", "Pod", &listed, "");
            async move {
                let (cluster, asked) = test_server::cluster(&[listed]);
                let known = selector.map(|selector| CouchService {
                    namespace: "n".to_owned(),
                    name: "s".to_owned(),
                    port: None,
                    named_by: "x".to_owned(),
                    service: Read::Seen(Service::from_value(
                        &json!({"spec": {"selector": selector}}),
                    ))
                    .into(),
                    slices: Read::Absent.into(),
                });
                let found = couchdb(&cluster, known.as_ref(), "home").await;
                let found = found.if_read().unwrap();
                let number = found.pods.known().len();
                let namespace = asked.paths()[0].split('/').nth(4).unwrap().to_owned();
                assert_eq!(found.namespace, namespace);
                (
                    found.of_service,
                    number,
                    namespace,
                    asked.queries().concat(),
                )
            }
        };
        let labels = json!({"app": "db", "type": "x"});
        let by_labels = "labelSelector=app%3Ddb%2Ctype%3Dx&limit=250".to_owned();
        assert_eq!(
            look(Some(labels)).await,
            (true, 2, "n".to_owned(), by_labels)
        );
        let all = "limit=250".to_owned();
        assert_eq!(
            look(Some(json!({}))).await,
            (false, 1, "n".to_owned(), all.clone())
        );
        let home = "home".to_owned();
        assert_eq!(look(None).await, (false, 1, home, all));
    }

    #[tokio::test]
    async fn what_is_read_of_a_pod_fits_its_state() {
        let mut one = pod(
            "a",
            false,
            &json!({"waiting": {"reason": "CrashLoopBackOff"}}),
        );
        one["metadata"]["uid"] = json!("u-1");
        let queries = asked(&[one.clone()]).await;
        let of_events = queries
            .iter()
            .find(|q| q.contains("fieldSelector"))
            .unwrap();
        assert!(of_events.contains("u-1"), "{of_events}");
        let of_log = queries.iter().find(|q| q.contains("container=c")).unwrap();
        assert_eq!(
            of_log,
            &format!(
                "container=c&tailLines={}&limitBytes={}",
                LOG.lines, LOG.bytes
            )
        );
        // A log explains neither memory that ran out nor a container that never ran.
        let mut memory = one.clone();
        memory["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] =
            json!("OOMKilled");
        assert_eq!(asked(&[memory]).await.len(), 1);
        let mut going = one;
        going["metadata"]["deletionTimestamp"] = json!("2026-11-23T20:20:00Z");
        assert_eq!(asked(&[going]).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_pod_of_which_no_more_was_read_says_so() {
        let state = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let mut listed: Vec<Value> = ["a", "b", "c", "d"]
            .map(|name| pod(name, false, &state))
            .to_vec();
        listed.push(pod("e", true, &state));
        let mut answers = vec![page("v1", "Pod", &listed, "more")];
        answers.resize(20, page("v1", "Event", &[], ""));
        let (cluster, _) = test_server::cluster(&answers);
        let found = pods(&cluster, "n", "app=x").await;
        let found = found.if_read().unwrap();
        let not_all = found.not_all().map(Why::clause);
        assert_eq!(not_all.as_deref(), Some("only the first 5 pods were read"));
        let [.., fourth, ready] = found.known() else {
            panic!("{found:?}");
        };
        for part in [fourth.events.unknown(), fourth.log.unknown()] {
            let why = Why::NotAsked("only those of the first 3 pods were read".to_owned());
            assert_eq!(part, Some(&why));
        }
        assert!(matches!(ready.log.unknown(), Some(Why::NotNeeded(_))));
    }

    #[tokio::test]
    async fn pods_that_were_not_read_are_not_none() {
        let (cluster, _) = test_server::cluster(&[]);
        let found = pods(&cluster, "n", "app=x").await;
        assert!(found.unknown().is_some());
        for (code, reason) in [(404, "NotFound"), (403, "Forbidden")] {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "reason": reason, "message": "m", "metadata": {}});
            let (cluster, _) = test_server::answering(&[(code, status)]);
            let found = pods(&cluster, "n", "app=x").await;
            assert!(found.unknown().is_some(), "{code}");
        }
    }

    #[test]
    fn couchdb_is_known_by_its_containers_name_or_image() {
        let of = |name: &str, image: &str| {
            let pod = json!({"status": {"containerStatuses": [{"name": name, "image": image}]}});
            is_couchdb(&Pod::from_value(&pod))
        };
        for image in ["couchdb", "couchdb:3", "registry:5000/a/couchdb@sha256:0a"] {
            assert!(of("db", image), "{image}");
        }
        assert!(of("couchdb", "registry/own:1"));
        assert!(!of("db", "registry/couchdb/backup:1"));
    }
}
