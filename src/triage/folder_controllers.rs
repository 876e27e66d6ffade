//! The controllers that fetch and apply folders: whether one of them is down, where a folder is not known to have been applied.

use crate::advice::Hint;
use crate::cluster::Cluster;
use crate::diagnosis::serving;
use crate::snapshot::{Listing, Read, ServingPod, Why};
use k8s_openapi::jiff::Timestamp;

/// Where Flux's controllers are expected.
const FLUX: &str = "flux-system";

/// Their pods, which the installation labels with the controller's name.
const SELECTOR: &str = "app in (kustomize-controller,source-controller)";

/// What their pods say.
pub(super) async fn down(cluster: &Cluster, now: Timestamp) -> Vec<Hint> {
    judged(cluster.serving_pods(FLUX, SELECTOR).await, now)
}

fn judged(pods: Read<Listing<ServingPod>>, now: Timestamp) -> Vec<Hint> {
    let unknown = |why: &Why| {
        let why = why.clause();
        Hint::from(format!(
            "whether kustomize-controller and source-controller run is unknown: {why}"
        ))
    };
    match pods {
        Read::Absent => Vec::new(),
        Read::Unknown(why) => vec![unknown(&why)],
        Read::Seen(pods) => {
            let mut hints = serving::hints(pods.known(), now);
            if hints.is_empty() && pods.known().is_empty() {
                hints.extend(pods.not_all().map(unknown));
            }
            hints
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::scene::Scene;
    use serde_json::{Value, json};

    async fn hints(status: &Value) -> String {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "flux-system", "name": "kustomize-controller-1",
            "labels": {"app": "kustomize-controller"}}, "status": status});
        let cluster = Cluster::saved(Scene::new(&[&pod], "").plain(), 0);
        let hints = down(&cluster, "2026-11-24T00:00:00Z".parse().unwrap()).await;
        hints.iter().map(Hint::plain).collect::<Vec<_>>().join("\n")
    }

    #[tokio::test]
    async fn a_controller_that_crashes_is_named_with_its_reason() {
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        assert_eq!(hints(&ready).await, "");
        let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        let crashes = json!({"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [{"name": "manager", "ready": false,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}, "lastState": ended}]});
        insta::assert_snapshot!(hints(&crashes).await, @"
        Pod flux-system/kustomize-controller-1 is not serving: container manager: CrashLoopBackOff: back-off 5m0s; exited 137 (OOMKilled).
        Check the memory of its node, or whether a limit is set: kubectl describe -n flux-system pod kustomize-controller-1
        ");
    }

    #[test]
    fn pods_that_were_not_read_are_not_fine() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let unread = Read::Unknown(Why::Forbidden("list pods in flux-system".to_owned()));
        let hints = judged(unread, now);
        assert_eq!(
            hints[0].plain(),
            "whether kustomize-controller and source-controller run is unknown: forbidden (list pods in flux-system)"
        );
    }
}
