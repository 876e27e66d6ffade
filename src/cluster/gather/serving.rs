//! Pods that are to serve, and of those that do not why: their events, and the end of the log of the container that ended.

use super::events;
use crate::cluster::{Cluster, ListOf, segment};
use crate::model::endpoint::COUCHDB_NAMESPACE;
use crate::model::field::{Field, Meta};
use crate::model::pod::Pod;
use crate::snapshot::{CouchPods, CouchService, Listing, Read, ServingPod, Why};
use serde_json::Value;

/// Most pods that are listed.
const LISTED: usize = 250;
/// Pods that do not serve of which more is read.
const READ: usize = 3;
/// Lines of a log: a panic of Go has its cause above its goroutines.
const LOG_LINES: usize = 100;
/// Bytes of a log.
const LOG_BYTES: usize = 64 * 1024;

/// Most requests: the list, and of each pod its events and a log.
pub(super) const REQUESTS_MAX: u64 = 1 + READ as u64 * 2;

/// The pods of a namespace by their labels.
pub(super) async fn pods(
    cluster: &Cluster,
    namespace: &str,
    selector: &str,
) -> Read<Listing<ServingPod>> {
    read(cluster, namespace, selector, |_| true).await
}

/// CouchDB's pods: those behind its Service or, where that is not known, those of CouchDB's namespace.
pub(super) async fn couchdb(cluster: &Cluster, known: Option<&CouchService>) -> Read<CouchPods> {
    let selector = known.and_then(|known| match &known.service.seen()?.selector {
        Field::Set(labels) if !labels.is_empty() => {
            let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
            Some(labels.collect::<Vec<_>>().join(","))
        }
        _ => None,
    });
    let namespace = known.map_or(COUCHDB_NAMESPACE, |known| &known.namespace);
    let pods = match &selector {
        Some(selector) => read(cluster, namespace, selector, |_| true).await,
        None => read(cluster, namespace, "", is_couchdb).await,
    };
    pods.map(|pods| CouchPods {
        of_service: selector.is_some(),
        pods,
    })
}

/// By its container's name or image: labels differ between the generations of Secure KVS.
fn is_couchdb(pod: &Pod) -> bool {
    pod.containers.known.iter().any(|container| {
        let image = container.image.text();
        let name = image.rsplit('/').next().unwrap_or_default();
        let name = name.split([':', '@']).next().unwrap_or_default();
        container.name == "couchdb" || name == "couchdb"
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

fn without(pod: Pod, why: Why) -> ServingPod {
    ServingPod {
        pod,
        events: Read::Unknown(why.clone()),
        log: Read::Unknown(why),
    }
}

async fn more(cluster: &Cluster, pod: Pod) -> ServingPod {
    let Meta {
        namespace,
        name,
        uid,
        ..
    } = &pod.meta;
    let log = async {
        let crashed = pod.crashed().filter(|c| !c.is_out_of_memory());
        let Some(container) = crashed else {
            return Read::not_needed("no container ended by itself");
        };
        // Of one that waits, the kubelet has the log of its last run.
        let previous = if container.is_running() {
            "&previous=true"
        } else {
            ""
        };
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&tailLines={LOG_LINES}&limitBytes={LOG_BYTES}{previous}",
            segment(namespace),
            segment(name),
            segment(&container.name)
        );
        Read::from_result(cluster.get_text(&path).await)
    };
    let (events, log) = futures::join!(
        events::about(cluster, namespace, "Pod", name, Some(uid)),
        log
    );
    ServingPod { pod, events, log }
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
        assert_eq!(found.seen().unwrap().known().len(), listed.len());
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
        assert_eq!(asked_of_many.len() as u64, REQUESTS_MAX - 1);
        let logs = asked_of_many.iter().filter(|q| q.contains("container=c"));
        assert_eq!(logs.clone().count(), READ);
        assert!(!logs.clone().any(|q| q.contains("previous")));
        // The log of its present run does not say why the last one ended.
        let running = asked(&[pod("a", false, &json!({"running": {}}))]).await;
        assert!(running.iter().any(|q| q.ends_with("&previous=true")));
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
                    )),
                    slices: Read::Absent,
                });
                let found = couchdb(&cluster, known.as_ref()).await;
                let found = found.seen().unwrap();
                let number = found.pods.known().len();
                (found.of_service, number, asked.queries().concat())
            }
        };
        let labels = json!({"app": "db", "type": "x"});
        let by_labels = "labelSelector=app%3Ddb%2Ctype%3Dx&limit=250".to_owned();
        assert_eq!(look(Some(labels)).await, (true, 2, by_labels));
        let all = "limit=250".to_owned();
        assert_eq!(look(Some(json!({}))).await, (false, 1, all.clone()));
        assert_eq!(look(None).await, (false, 1, all));
    }
}
