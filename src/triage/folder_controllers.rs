//! kustomize-controller and source-controller, which fetch and apply folders: whether one of them is down.

use crate::advice::{Command, Hint};
use crate::cluster::Cluster;
use crate::diagnosis::serving;
use crate::model::field::Field;
use crate::snapshot::{Listing, Read, ServingPod, Why};
use k8s_openapi::jiff::Timestamp;

/// Where Flux's controllers are expected.
const FLUX: &str = "flux-system";

/// The label of their pods, which the installation sets to the controller's name.
const LABEL: &str = "app";
const NAMES: [&str; 2] = ["kustomize-controller", "source-controller"];

/// Why folders may not be fetched or applied, according to the controllers' pods.
pub(super) async fn down(cluster: &Cluster, now: Timestamp) -> Vec<Hint> {
    let selector = format!("{LABEL} in ({})", NAMES.join(","));
    let pods = cluster.serving_pods(FLUX, &selector).await;
    // Saved files may lack a pod that runs.
    let saved = cluster
        .archive()
        .map(|_| Why::NotAsked("not in the saved files".to_owned()));
    judged(pods, saved.as_ref(), now)
}

/// `missing`: why a pod that runs may not be among them.
fn judged(pods: Read<Listing<ServingPod>>, missing: Option<&Why>, now: Timestamp) -> Vec<Hint> {
    let unknown = |name: &str, why: &Why| {
        let why = why.clause();
        Hint::from(format!("whether {name} runs is unknown: {why}"))
    };
    let pods = match pods {
        Read::Absent => Listing::default(),
        Read::Unknown(why) => return NAMES.map(|name| unknown(name, &why)).to_vec(),
        Read::Seen(pods) => pods,
    };
    let mut hints = serving::hints(pods.known(), now);
    for name in NAMES {
        let label = |found: &ServingPod| found.pod.meta.label(LABEL) == Field::Set(name);
        if pods.known().iter().any(label) {
            continue;
        }
        let malformed = pods
            .known()
            .iter()
            .any(|found| found.pod.meta.labels.is_malformed());
        let broken = malformed.then(|| Why::Broken("labels of a pod are malformed".to_owned()));
        match pods.not_all().or(broken.as_ref()).or(missing) {
            Some(why) => hints.push(unknown(name, why)),
            None => {
                let list = Command::new([
                    "kubectl",
                    "get",
                    "deployments",
                    "-A",
                    "-l",
                    "app.kubernetes.io/part-of=flux",
                ]);
                let text = format!(
                    "no pod of {name} was found in {FLUX}: check whether it runs elsewhere, or is scaled down:"
                );
                hints.push(list.after(text));
            }
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::scene::Scene;
    use crate::model::pod::Pod;
    use serde_json::{Value, json};

    async fn hints(status: &Value) -> String {
        let pod = |name: &str, status: &Value| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "flux-system",
            "name": format!("{name}-1"), "labels": {"app": name}}, "status": status})
        };
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let pods = [pod(NAMES[0], status), pod(NAMES[1], &ready)];
        let cluster = Cluster::saved(Scene::new(&pods.each_ref(), "").plain(), 0);
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

    #[tokio::test]
    async fn a_pod_that_was_not_saved_may_run() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": FLUX, "name": "a", "labels": {"app": NAMES[1]}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let cluster = Cluster::saved(Scene::new(&[&pod], "").plain(), 0);
        let hints = down(&cluster, "2026-11-24T00:00:00Z".parse().unwrap()).await;
        let hints: Vec<_> = hints.iter().map(Hint::plain).collect();
        insta::assert_snapshot!(hints.join("\n"), @"whether kustomize-controller runs is unknown: not in the saved files");
    }

    #[test]
    fn pods_that_were_not_read_are_not_fine() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let unread = Read::Unknown(Why::Forbidden("list pods in flux-system".to_owned()));
        let said = |pods| {
            let hints = judged(pods, None, now);
            hints.iter().map(Hint::plain).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(said(unread), @"
        whether kustomize-controller runs is unknown: forbidden (list pods in flux-system)
        whether source-controller runs is unknown: forbidden (list pods in flux-system)
        ");
        let pod = |labels: Value| {
            let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
            ServingPod {
                pod: Pod::from_value(
                    &json!({"metadata": {"namespace": FLUX, "name": "p", "labels": labels}, "status": ready}),
                ),
                events: Read::Seen(Listing::default()),
                log: Read::not_needed("x"),
            }
        };
        let source = || pod(json!({"app": "source-controller"}));
        insta::assert_snapshot!(said(Read::Seen(Listing::whole(vec![source()]))), @"no pod of kustomize-controller was found in flux-system: check whether it runs elsewhere, or is scaled down: kubectl get deployments -A -l app.kubernetes.io/part-of=flux");
        let cut = Why::NotAsked("only the first 1 pods were read".to_owned());
        insta::assert_snapshot!(said(Read::Seen(Listing::new(vec![source()], Some(cut)))), @"whether kustomize-controller runs is unknown: only the first 1 pods were read");
        insta::assert_snapshot!(said(Read::Seen(Listing::whole(vec![source(), pod(json!(7))]))), @"whether kustomize-controller runs is unknown: labels of a pod are malformed");
    }
}
