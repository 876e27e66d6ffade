//! The nodes of pods that may not be ready because of their node, and where their volumes are attached.

use super::events;
use crate::cluster::{Cluster, ListOf, segment};
use crate::model::event::Event;
use crate::model::kubelet;
use crate::model::node::Node;
use crate::model::pod::Pod;
use crate::model::volume_attachment::VolumeAttachment;
use crate::snapshot::{Events, IfRead, Listing, Nodes, Read, ServingPod, Snapshot, Why};
use serde_json::Value;

/// Nodes that are read.
const NODES_MAX: usize = 3;
/// VolumeAttachments that are listed.
const ATTACHMENTS_MAX: usize = 500;

/// Where the events of nodes are, which are in no namespace.
const OF_NODES: &str = "default";

/// Most requests: the attachments, the nodes and their events.
pub(super) const REQUESTS_MAX: u64 = 1 + 2 * NODES_MAX as u64;

/// Pods that were read, which may not be ready.
pub(super) struct Pods<'a> {
    pub(super) serving: Vec<&'a ServingPod>,
    pub(super) others: Vec<&'a Pod>,
}

impl<'a> Pods<'a> {
    /// All of them, after those of a creation Job that is not complete.
    pub(super) fn with_job(&self, snapshot: &'a Snapshot) -> Vec<&'a Pod> {
        let job = snapshot.creation_job().if_read();
        let job = job.filter(|found| found.job.is_complete() != Some(true));
        let of_job = job.and_then(|found| found.pods.if_read()).into_iter();
        let of_job = of_job.flat_map(Listing::known).map(|found| &found.pod);
        let serving = self.serving.iter().map(|found| &found.pod);
        let all = of_job.chain(serving).chain(self.others.iter().copied());
        all.collect()
    }
}

/// Reads the nodes of the creation Job's pods and of these, as far as a node may be at fault.
pub(super) async fn nodes(cluster: &Cluster, snapshot: &Snapshot, pods: &Pods<'_>) -> Read<Nodes> {
    let job = snapshot.creation_job().if_read();
    let job = job.filter(|found| found.job.is_complete() != Some(true));
    let mut names: Vec<String> = pods
        .with_job(snapshot)
        .into_iter()
        .filter(|pod| pod.may_be_of_its_node())
        .filter_map(|pod| pod.node.as_str().map(str::to_owned))
        .collect();
    let events: Vec<&Events> = pods
        .serving
        .iter()
        .filter_map(|found| found.events.if_read())
        .chain(job.and_then(|found| found.events.if_read()))
        .collect();
    let events = events.into_iter().flat_map(Listing::known);
    let attachments = attachments(cluster, events).await;
    let attached = attachments.if_read().into_iter().flat_map(Listing::known);
    let attached = attached.filter_map(|a| a.node.as_str().map(str::to_owned));
    let of_job = job.and_then(|found| found.pods.if_read()).into_iter();
    let killed = of_job
        .flat_map(Listing::known)
        .filter(|found| found.pod.is_killed());
    let killed = killed.filter_map(|found| found.pod.node.as_str().map(str::to_owned));
    let killed = unique(killed);
    // Those that hold a volume say most.
    names = attached.chain(names).collect();
    let wanted = unique(names);
    if wanted.is_empty()
        && killed.is_empty()
        && matches!(attachments.unknown(), Some(Why::NotNeeded(_)))
    {
        return Read::not_needed("no pod that is not ready points to its node");
    }
    let read = wanted
        .into_iter()
        .enumerate()
        .map(|(number, name)| async move {
            let node = match number < NODES_MAX {
                true => {
                    let path = format!("/api/v1/nodes/{}", segment(&name));
                    Read::from_result(cluster.get::<Value>(&path).await)
                        .map(|node| Node::from_value(&node))
                }
                false => Read::not_asked(format!("only {NODES_MAX} nodes were read")),
            };
            (name, node.into())
        });
    let events = killed
        .into_iter()
        .enumerate()
        .map(|(number, name)| async move {
            let events = match number < NODES_MAX {
                // The kubelet writes the node's name for its UID.
                true => events::about(cluster, OF_NODES, "Node", &name, None).await,
                false => Read::not_asked(format!("only those of {NODES_MAX} nodes were read")),
            };
            (name, events.into())
        });
    let (nodes, events) = futures::join!(
        futures::future::join_all(read),
        futures::future::join_all(events)
    );
    Read::Seen(Nodes {
        nodes,
        events,
        attachments: attachments.into(),
    })
}

/// Each once, in their order.
fn unique(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// Of the volumes that events say are attached to another node.
async fn attachments<'e>(
    cluster: &Cluster,
    events: impl Iterator<Item = &'e Event>,
) -> Read<Listing<VolumeAttachment>> {
    let volumes: Vec<&str> = events
        .flat_map(|event| kubelet::attached_elsewhere(std::slice::from_ref(event)))
        .collect();
    if volumes.is_empty() {
        return Read::not_needed("no event says that a volume is attached elsewhere");
    }
    let path = "/apis/storage.k8s.io/v1/volumeattachments";
    let listed = cluster
        .page(&ListOf::objects(path.to_owned()), ATTACHMENTS_MAX)
        .await;
    Read::from_result(listed).map(|all: Listing<Value>| {
        let mut all = all.map(|object| VolumeAttachment::from_value(&object));
        if all.known().iter().any(|a| !a.meta.malformed.is_empty()) {
            let why = "a VolumeAttachment is malformed".to_owned();
            all.lacks(Some(Why::Broken(why)));
        }
        all.filter(|a| {
            a.is_attached()
                && a.node.as_str().is_some()
                && a.volume.as_str().is_some_and(|v| volumes.contains(&v))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::{answering, forbidden, page};
    use crate::diagnosis::fixture;
    use crate::snapshot::why_not_all;
    use serde_json::json;

    /// What is read for a pod of CouchDB that lost this node and may wait for a volume, and what the server was asked.
    async fn read(waits: bool, answers: &[(u16, Value)]) -> (Read<Nodes>, Vec<String>) {
        let pod = json!({"metadata": {"namespace": "secure-kvs", "name": "db-0"}, "spec": {"nodeName": "w"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}});
        let said = json!({"type": "Warning", "reason": "FailedAttachVolume",
            "message": "Multi-Attach error for volume \"pv-1\" Volume is already used by pod(s) db-1"});
        let events = waits.then(|| Event::from_value(&said)).into_iter();
        let pod = ServingPod {
            pod: Pod::from_value(&pod),
            events: Read::Seen(Listing::whole(events.collect())).into(),
            log: Read::not_needed("x").into(),
        };
        let pods = Pods {
            serving: vec![&pod],
            others: Vec::new(),
        };
        let (cluster, asked) = answering(answers);
        let snapshot = fixture::snapshot("couchdb-unreachable");
        let found = nodes(&cluster, &snapshot, &pods).await;
        (found, asked.paths())
    }

    fn attachment(node: &Value) -> Value {
        json!({"metadata": {"name": "csi-1"}, "spec": {"nodeName": node, "source": {"persistentVolumeName": "pv-1"}},
            "status": {"attached": true}})
    }

    fn attachments(of: &[Value], token: &str) -> (u16, Value) {
        (
            200,
            page("storage.k8s.io/v1", "VolumeAttachment", of, token),
        )
    }

    fn node(name: &str) -> (u16, Value) {
        (
            200,
            json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}}),
        )
    }

    #[tokio::test]
    async fn the_node_that_holds_the_volume_and_the_pod_s_own_are_read() {
        let held = attachments(&[attachment(&json!("v"))], "");
        let (found, asked) = read(true, &[held, node("v"), node("w")]).await;
        assert_eq!(
            asked,
            [
                "/apis/storage.k8s.io/v1/volumeattachments",
                "/api/v1/nodes/v",
                "/api/v1/nodes/w"
            ]
        );
        let found = found.if_read().unwrap();
        assert!(matches!(found.of("w"), Ok(Some(_))));
        let (found, asked) = read(false, &[node("w")]).await;
        assert_eq!(asked, ["/api/v1/nodes/w"]);
        let attachments = &found.if_read().unwrap().attachments;
        assert!(matches!(attachments.unknown(), Some(Why::NotNeeded(_))));
    }

    #[tokio::test]
    async fn the_events_of_the_node_are_read_where_a_container_of_the_job_was_killed() {
        let ask = async |ended: Value, answer: (u16, Value)| {
            let snapshot = fixture::snapshot_of("hook-job-failed", &|object| {
                if object["kind"] == "Pod" {
                    object["spec"]["nodeName"] = json!("w");
                    object["status"]["containerStatuses"][0]["state"] =
                        json!({"terminated": ended});
                }
            });
            let pods = Pods {
                serving: Vec::new(),
                others: Vec::new(),
            };
            let (cluster, asked) = answering(&[answer]);
            let found = nodes(&cluster, &snapshot, &pods).await;
            (found, asked.paths())
        };
        let event = json!({"metadata": {"name": "e", "namespace": "default"}, "reason": "SystemOOM", "message": "m"});
        let one = || (200, page("v1", "Event", std::slice::from_ref(&event), ""));
        let killed = json!({"exitCode": 137, "reason": "Error"});
        let (found, asked) = ask(killed.clone(), one()).await;
        assert_eq!(asked, ["/api/v1/namespaces/default/events"]);
        let events = found.if_read().unwrap().events_of("w");
        assert_eq!(events.if_read().unwrap().known()[0].reason, "SystemOOM");
        let (found, _) = ask(killed, (403, forbidden())).await;
        let unread = found.if_read().unwrap().events_of("w").unwrap_err();
        assert!(matches!(unread.why, Why::Forbidden(_)));
        for ended in [
            json!({"exitCode": 137, "reason": "OOMKilled"}),
            json!({"exitCode": 137, "reason": "ContainerStatusUnknown"}),
            json!({"exitCode": 1, "reason": "Error"}),
        ] {
            let (found, asked) = ask(ended, one()).await;
            assert!(asked.is_empty() && found.if_read().is_none());
        }
    }

    /// A kubelet rejects a pod for its node's labels before it starts anything.
    #[tokio::test]
    async fn the_node_that_rejected_a_pod_is_read() {
        let pod = Pod::from_value(
            &json!({"metadata": {"namespace": "n", "name": "a"}, "spec": {"nodeName": "w"},
            "status": {"phase": "Failed", "reason": "NodeAffinity"}}),
        );
        let pods = Pods {
            serving: Vec::new(),
            others: vec![&pod],
        };
        let (cluster, asked) = answering(&[node("w")]);
        nodes(&cluster, &fixture::snapshot("couchdb-unreachable"), &pods).await;
        assert_eq!(asked.paths(), ["/api/v1/nodes/w"]);
    }

    #[tokio::test]
    async fn a_node_that_cannot_be_read_is_not_known() {
        let (found, _) = read(false, &[(403, forbidden())]).await;
        let of =
            |found: &Read<Nodes>| Read::from(found.if_read().unwrap().of("w")).map(Node::clone);
        assert!(matches!(of(&found), Read::Unknown(Why::Forbidden(_))));
        let (found, _) = read(false, &[(200, json!([]))]).await;
        assert!(matches!(of(&found), Read::Unknown(_)));
        let missing = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound",
            "message": "nodes \"w\" not found", "details": {"name": "w", "kind": "nodes"}});
        let (found, _) = read(false, &[(404, missing)]).await;
        assert!(matches!(of(&found), Read::Absent));
    }

    #[tokio::test]
    async fn attachments_that_were_not_all_read_are_not_none() {
        let not_all = async |answer: (u16, Value)| {
            let (found, _) = read(true, &[answer, node("w"), node("w")]).await;
            let attachments = found.if_read().unwrap().attachments();
            why_not_all(attachments).map(|why| why.clause())
        };
        assert_eq!(not_all(attachments(&[], "")).await, None);
        let cut = not_all(attachments(&[], "more")).await;
        assert_eq!(
            cut.as_deref(),
            Some("only the first 0 volumeattachments were read")
        );
        let malformed = not_all(attachments(&[attachment(&json!(7))], "")).await;
        assert_eq!(
            malformed.as_deref(),
            Some("a VolumeAttachment is malformed")
        );
        let refused = not_all((403, forbidden())).await;
        assert!(refused.is_some_and(|why| why.starts_with("forbidden")));
    }
}
