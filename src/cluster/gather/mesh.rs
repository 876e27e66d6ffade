//! Istio's effect on the creation Job's pod, or on source-controller: read only where the failure has the marks of the mesh.

use super::{serving, webhook};
use crate::cluster::{Cluster, ListOf, segment};
use crate::model::creation_log::{self, waits_for_proxy};
use crate::model::istio::ISTIO_NAMESPACE;
use crate::model::istio::mutual_tls::PeerAuthentication;
use crate::model::pod::Pod;
use crate::model::source_error::is_of_metadata;
use crate::snapshot::{IfRead, JobPod, Listing, Mesh, Read, ServingPod, Snapshot};
use serde_json::Value;

/// Where the CNI plugin may run.
const CNI_NAMESPACES: [&str; 2] = [ISTIO_NAMESPACE, "kube-system"];
const CNI: &str = "k8s-app=istio-cni-node";
/// Objects of one kind that are listed.
const LISTED: usize = 250;

/// Most requests: the configurations, the PeerAuthentications, the CNI plugin's pods and source-controller's.
pub(super) const REQUESTS_MAX: u64 = 2 + 1 + 2 * serving::REQUESTS_MAX + 1;

/// Reads the objects to which the marks in the Job's pods, their logs and the source's conditions point.
pub(super) async fn mesh(cluster: &Cluster, snapshot: &Snapshot) -> Read<Mesh> {
    let job = snapshot.creation_job().if_read();
    let job = job.filter(|found| found.job.is_complete() != Some(true));
    let pods = job.and_then(|found| found.pods.if_read());
    let pods = pods.map_or(&[][..], Listing::known);
    let without = || {
        pods.iter()
            .filter(|found| found.pod.has_container("istio-proxy") == Some(false))
    };
    let is_reset = without().any(|pod| {
        says(pod, |log| {
            creation_log::mesh(log) == Some(creation_log::Mesh::Reset)
        })
    });
    let waits = without().any(|pod| says(pod, waits_for_proxy));
    let unprepared = pods.iter().find(|found| found.pod.is_unprepared());
    let (chart, source) = (snapshot.chart().if_read(), snapshot.source().if_read());
    let mut complaints = chart
        .into_iter()
        .chain(source)
        .filter_map(|s| s.complaint());
    let is_of_metadata = complaints.any(|c| is_of_metadata(&c.message));
    if !is_reset && !waits && unprepared.is_none() && !is_of_metadata {
        return Read::not_needed("nothing points to the mesh");
    }
    let not_needed = "nothing points to it";
    let (injectors, peers, cni, source_controller) = futures::join!(
        async {
            match is_reset || waits {
                true => webhook::configurations(cluster).await,
                false => Read::not_needed(not_needed),
            }
        },
        async {
            match is_reset {
                true => peers(cluster).await,
                false => Read::not_needed(not_needed),
            }
        },
        async {
            match unprepared {
                Some(found) => cni(cluster, &found.pod).await,
                None => Read::not_needed(not_needed),
            }
        },
        async {
            match is_of_metadata {
                true => of_source_controller(cluster).await,
                false => Read::not_needed(not_needed),
            }
        }
    );
    Read::Seen(Mesh {
        injectors: injectors.into(),
        peers: peers.into(),
        cni: cni.into(),
        source_controller: source_controller.into(),
    })
}

fn says(pod: &JobPod, is: impl Fn(&str) -> bool) -> bool {
    let mut logs = pod.logs.iter().filter_map(|(_, log)| log.if_read());
    logs.any(|log| is(log))
}

async fn peers(cluster: &Cluster) -> Read<Listing<PeerAuthentication>> {
    let path = "/apis/security.istio.io/v1/peerauthentications".to_owned();
    let listed = cluster.page(&ListOf::objects(path), LISTED).await;
    Read::from_result(listed)
        .map(|all: Listing<Value>| all.map(|object| PeerAuthentication::from_value(&object)))
}

/// The CNI plugin's pods on the node of this pod, or on an unknown node.
async fn cni(cluster: &Cluster, pod: &Pod) -> Read<Listing<ServingPod>> {
    let mut found = Read::Absent;
    for namespace in CNI_NAMESPACES {
        found = serving::pods(cluster, namespace, CNI).await;
        if found
            .if_read()
            .is_none_or(|pods| pods.is_empty() != Ok(true))
        {
            break;
        }
    }
    let node = pod.node.as_str();
    found.map(|pods| {
        pods.filter(|own| {
            own.pod
                .node
                .as_str()
                .is_none_or(|own| node.is_none_or(|node| node == own))
        })
    })
}

async fn of_source_controller(cluster: &Cluster) -> Read<Listing<Pod>> {
    let selector = segment("app=source-controller");
    let path = format!("/api/v1/namespaces/flux-system/pods?labelSelector={selector}");
    let listed = cluster.page(&ListOf::objects(path), LISTED).await;
    Read::from_result(listed).map(|all: Listing<Value>| all.map(|pod| Pod::from_value(&pod)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::{answering, forbidden, page};
    use crate::snapshot::Why;
    use serde_json::json;

    fn pods(items: &[Value], token: &str) -> (u16, Value) {
        (200, page("v1", "Pod", items, token))
    }

    fn on(node: &Value) -> Value {
        json!({"metadata": {"namespace": "istio-system", "name": "istio-cni-node-1"}, "spec": {"nodeName": node},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    }

    #[tokio::test]
    async fn peers_that_were_not_all_read_are_not_all() {
        let of = async |answer: (u16, Value)| {
            let (cluster, _) = answering(&[answer]);
            peers(&cluster).await
        };
        let listed = |items: &[Value], token: &str| {
            (
                200,
                page("security.istio.io/v1", "PeerAuthentication", items, token),
            )
        };
        let whole = of(listed(
            &[json!({"metadata": {"name": "a", "labels": 7}})],
            "",
        ))
        .await;
        let whole = whole.if_read().unwrap();
        assert_eq!(whole.all().map(<[_]>::len), Ok(1));
        assert!(!whole.known()[0].meta.malformed.is_empty());
        let cut = of(listed(&[], "more")).await;
        assert!(cut.if_read().unwrap().is_empty().is_err());
        assert!(matches!(
            of((403, forbidden())).await,
            Read::Unknown(Why::Forbidden(_))
        ));
        assert!(matches!(
            of((200, json!({"items": 7}))).await,
            Read::Unknown(_)
        ));
    }

    #[tokio::test]
    async fn the_plugin_is_looked_for_on_the_pod_s_node() {
        let job = Pod::from_value(&on(&json!("w")));
        let of = async |answers: &[(u16, Value)]| {
            let (cluster, asked) = answering(answers);
            (cni(&cluster, &job).await, asked.paths().len())
        };
        let (found, asked) =
            of(&[pods(&[on(&json!("w")), on(&json!("v")), on(&json!(7))], "")]).await;
        assert_eq!((found.if_read().unwrap().known().len(), asked), (2, 1));
        let (found, asked) = of(&[pods(&[], ""), pods(&[on(&json!("w"))], "")]).await;
        assert_eq!((found.if_read().unwrap().known().len(), asked), (1, 2));
        // What was not read in the first namespace is not made up for by the second.
        let (found, asked) = of(&[pods(&[], "more"), pods(&[], "")]).await;
        assert!(found.if_read().unwrap().is_empty().is_err());
        assert_eq!(asked, 1);
        let (found, _) = of(&[(403, forbidden()), pods(&[], "")]).await;
        assert!(matches!(found, Read::Unknown(Why::Forbidden(_))));
    }

    #[tokio::test]
    async fn the_pods_of_source_controller_that_cannot_be_read_are_not_known() {
        let of = async |answer: (u16, Value)| {
            let (cluster, _) = answering(&[answer]);
            of_source_controller(&cluster).await
        };
        assert!(
            of(pods(&[], "more"))
                .await
                .if_read()
                .unwrap()
                .is_empty()
                .is_err()
        );
        assert!(matches!(
            of((403, forbidden())).await,
            Read::Unknown(Why::Forbidden(_))
        ));
        assert!(matches!(of((200, json!(7))).await, Read::Unknown(_)));
    }
}
