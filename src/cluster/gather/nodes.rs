//! The nodes of pods that may not be ready because of their node, and where their volumes are attached.

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

/// Most requests: the attachments and the nodes.
pub(super) const REQUESTS_MAX: u64 = 1 + NODES_MAX as u64;

/// Pods that were read, which may not be ready.
pub(super) struct Pods<'a> {
    pub(super) serving: Vec<&'a ServingPod>,
    pub(super) others: Vec<&'a Pod>,
}

/// Reads the nodes of the creation Job's pods and of these, as far as a node may be at fault.
pub(super) async fn nodes(cluster: &Cluster, snapshot: &Snapshot, pods: &Pods<'_>) -> Read<Nodes> {
    let job = snapshot.creation_job().if_read();
    let job = job.filter(|found| found.job.is_complete() != Some(true));
    let of_job = job.and_then(|found| found.pods.if_read()).into_iter();
    let of_job = of_job.flat_map(Listing::known).map(|found| &found.pod);
    let serving = pods.serving.iter().map(|found| &found.pod);
    let all = of_job.chain(serving).chain(pods.others.iter().copied());
    let mut names: Vec<String> = all
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
    // Those that hold a volume say most.
    names = attached.chain(names).collect();
    let mut wanted: Vec<String> = Vec::new();
    for name in names {
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    if wanted.is_empty() && matches!(attachments.unknown(), Some(Why::NotNeeded(_))) {
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
            (name, node)
        });
    Read::Seen(Nodes {
        nodes: futures::future::join_all(read).await,
        attachments,
    })
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
        let all = all.map(|object| VolumeAttachment::from_value(&object));
        all.filter(|a| a.is_attached() && a.volume.as_str().is_some_and(|v| volumes.contains(&v)))
    })
}
