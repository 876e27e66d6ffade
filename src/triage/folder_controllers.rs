//! kustomize-controller and source-controller, which fetch and apply folders: whether one of them is down.

use crate::advice::{Command, Hint};
use crate::cluster::Cluster;
use crate::diagnosis::{outage, serving};
use crate::model::deployment::Deployment;
use crate::model::field::Field;
use crate::snapshot::{Controllers as Deployments, Listing, Read, ServingPod, Why};
use crate::text::{few, one_line};
use k8s_openapi::jiff::Timestamp;

/// Where Flux's controllers are expected.
const FLUX: &str = "flux-system";

/// The label of their pods, which the installation sets to the controller's name.
const LABEL: &str = "app";
const NAMES: [&str; 2] = ["kustomize-controller", "source-controller"];

/// Deployments that are named at most.
const SHOWN: usize = 3;

/// What is known of them.
#[derive(Default)]
pub(super) struct Controllers {
    /// Why one of them is down, or may be.
    pub(super) hints: Vec<Hint>,
    /// What to do if each is ready, and yet one does not reach the other.
    pub(super) restart: Option<Hint>,
}

/// Why folders may not be fetched or applied, according to the controllers' pods.
pub(super) async fn down(cluster: &Cluster, now: Timestamp) -> Controllers {
    let selector = format!("{LABEL} in ({})", NAMES.join(","));
    let pods = cluster.serving_pods(FLUX, &selector).await;
    let known = pods.if_read().map_or(&[][..], Listing::known);
    let lacks = |name: &str| !known.iter().any(|found| is_of(found, name));
    // A Deployment says whether it has a pod, and why not.
    let deployments = match NAMES.iter().any(|name| lacks(name)) {
        true => cluster.controllers(&NAMES).await,
        false => Read::not_needed("each controller has a pod"),
    };
    // Saved files may lack a pod that runs.
    let saved = cluster
        .archive()
        .map(|_| Why::NotAsked("not in the saved files".to_owned()));
    judged(pods, &deployments, saved.as_ref(), now)
}

fn is_of(found: &ServingPod, controller: &str) -> bool {
    found.pod.meta.label(LABEL) == Field::Set(controller)
}

/// `missing`: why a pod that runs may not be among them.
fn judged(
    pods: Read<Listing<ServingPod>>,
    deployments: &Read<Deployments>,
    missing: Option<&Why>,
    now: Timestamp,
) -> Controllers {
    let unknown = |name: &str, why: &Why| {
        let why = why.clause();
        Hint::from(format!("whether {name} runs is unknown: {why}"))
    };
    let pods = match pods {
        Read::Absent => Listing::default(),
        Read::Unknown(why) => Listing::new(Vec::new(), Some(why)),
        Read::Seen(pods) => pods,
    };
    let mut hints = serving::hints(pods.known(), now);
    for name in NAMES {
        if pods.known().iter().any(|found| is_of(found, name)) {
            continue;
        }
        let all = deployments.if_read().into_iter();
        let own: Vec<&Deployment> = all.flat_map(|all| all.of(name)).collect();
        let down = own.iter().filter(|deployment| !deployment.is_available());
        let down: Vec<&str> = down
            .map(|deployment| deployment.meta.name.as_str())
            .collect();
        // A pod may lack the label.
        if !own.is_empty() && down.is_empty() {
            continue;
        }
        if down.len() < own.len() {
            hints.push(Hint::from(format!(
                "{name} runs in several Deployments, and which of them does this work is unknown: {} is not available",
                one_line(&few(&down, " and ", SHOWN))
            )));
            continue;
        }
        let said: Vec<Hint> = own.into_iter().flat_map(outage::hints).collect();
        if !said.is_empty() {
            hints.extend(said);
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
                let unread = deployments
                    .unknown()
                    .filter(|why| !matches!(why, Why::NotNeeded(_)))
                    .map(Why::clause);
                let unread = unread.map_or(String::new(), |why| {
                    format!(", and whether its Deployment says why is unknown ({why})")
                });
                let text = format!(
                    "no pod of {name} was found in {FLUX}{unread}: check whether it runs elsewhere, or is scaled down:"
                );
                hints.push(list.after(text));
            }
        }
    }
    let restart = restart(pods.known()).filter(|_| hints.is_empty());
    Controllers { hints, restart }
}

/// If a pod of each is surely ready.
fn restart(pods: &[ServingPod]) -> Option<Hint> {
    let ready = |name: &str| {
        let mut own = pods.iter().filter(|found| is_of(found, name));
        own.find(|found| found.pod.is_ready())
    };
    let [folders, sources] = NAMES;
    let (own, source) = (ready(folders)?, ready(sources)?);
    let node = match own.pod.node.text() {
        "" => "its node".to_owned(),
        node => format!("node {}", one_line(node)),
    };
    let command = [
        "kubectl",
        "rollout",
        "restart",
        "-n",
        FLUX,
        "deployment",
        folders,
    ];
    Some(Command::new(command).after(format!(
        "change nothing in the manifest: {} is ready now. If {folders} still gets no connection to it, restart {folders}; if that does not help, check network policies between the two, and the network of {node}:",
        one_line(&source.pod.meta.name)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::scene::Scene;
    use crate::model::pod::Pod;
    use serde_json::{Value, json};

    fn plain(found: &Controllers) -> String {
        let hints = found.hints.iter().map(Hint::plain);
        hints.collect::<Vec<_>>().join("\n")
    }

    async fn hints(status: &Value) -> String {
        let pod = |name: &str, status: &Value| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "flux-system",
            "name": format!("{name}-1"), "labels": {"app": name}}, "status": status})
        };
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let pods = [pod(NAMES[0], status), pod(NAMES[1], &ready)];
        let cluster = Cluster::saved(Scene::new(&pods.each_ref(), "").plain(), 0);
        plain(&down(&cluster, "2026-11-24T00:00:00Z".parse().unwrap()).await)
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
        let found = down(&cluster, "2026-11-24T00:00:00Z".parse().unwrap()).await;
        insta::assert_snapshot!(plain(&found), @"whether kustomize-controller runs is unknown: not in the saved files");
    }

    #[test]
    fn pods_that_were_not_read_are_not_fine() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let unread = Read::Unknown(Why::Forbidden("list pods in flux-system".to_owned()));
        let said = |pods| plain(&judged(pods, &Read::not_needed("x"), None, now));
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
                events: Read::Seen(Listing::default()).into(),
                log: Read::not_needed("x").into(),
            }
        };
        let source = || pod(json!({"app": "source-controller"}));
        insta::assert_snapshot!(said(Read::Seen(Listing::whole(vec![source()]))), @"no pod of kustomize-controller was found in flux-system: check whether it runs elsewhere, or is scaled down: kubectl get deployments -A -l app.kubernetes.io/part-of=flux");
        let cut = Why::NotAsked("only the first 1 pods were read".to_owned());
        insta::assert_snapshot!(said(Read::Seen(Listing::new(vec![source()], Some(cut)))), @"whether kustomize-controller runs is unknown: only the first 1 pods were read");
        insta::assert_snapshot!(said(Read::Seen(Listing::whole(vec![source(), pod(json!(7))]))), @"whether kustomize-controller runs is unknown: labels of a pod are malformed");
    }

    /// Ready pods of these controllers, on node `w`.
    fn ready(names: &[&str]) -> Read<Listing<ServingPod>> {
        let pods = names.iter().map(|name| ServingPod {
            pod: Pod::from_value(&json!({"metadata": {"namespace": FLUX, "name": format!("{name}-1"), "labels": {"app": name}},
                "spec": {"nodeName": "w"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}})),
            events: Read::Seen(Listing::default()).into(),
            log: Read::not_needed("x").into(),
        });
        Read::Seen(Listing::whole(pods.collect()))
    }

    #[test]
    fn a_deployment_says_why_it_has_no_pod() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let said = |object: &Value| {
            let deployments = Read::Seen(Deployments {
                namespace: FLUX.to_owned(),
                deployments: vec![crate::model::deployment::Deployment::from_value(object)],
            });
            let saved = Why::NotAsked("not in the saved files".to_owned());
            let found = judged(ready(&[NAMES[1]]), &deployments, Some(&saved), now);
            assert!(found.restart.is_none());
            plain(&found)
        };
        let of = |replicas: i64, conditions: Value| {
            let containers =
                json!([{"name": "manager", "image": "fluxcd/kustomize-controller:v1"}]);
            said(&json!({"metadata": {"namespace": FLUX, "name": NAMES[0]},
                "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}, "status": {"conditions": conditions}}))
        };
        let failed = json!([{"type": "ReplicaFailure", "status": "True", "message": "pods \"k-\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5"}]);
        insta::assert_snapshot!(of(1, failed), @"
        The API server refuses a pod of kustomize-controller: pods \"k-\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5.
        Make room in ResourceQuota q of namespace flux-system, or have it raised: kubectl describe -n flux-system resourcequota q
        ");
        insta::assert_snapshot!(of(0, json!([])), @"
        Deployment flux-system/kustomize-controller is scaled to 0.
        Find out who stopped it, then start it: kubectl scale -n flux-system deployment kustomize-controller --replicas=1
        ");
        let unread = Read::Unknown(Why::Forbidden("list deployments in flux-system".to_owned()));
        let found = judged(ready(&[NAMES[1]]), &unread, None, now);
        insta::assert_snapshot!(found.hints[0].plain(), @"no pod of kustomize-controller was found in flux-system, and whether its Deployment says why is unknown (forbidden (list deployments in flux-system)): check whether it runs elsewhere, or is scaled down: kubectl get deployments -A -l app.kubernetes.io/part-of=flux");
        assert_eq!(
            of(1, json!([])),
            "whether kustomize-controller runs is unknown: not in the saved files"
        );
        let odd = of(1, json!([7]));
        assert!(odd.contains("may be made is unknown"), "{odd}");
    }

    #[test]
    fn a_deployment_with_an_available_pod_runs_whatever_the_pods_say() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let deployment = |name: &str, replicas: i64, available: i64| {
            let containers =
                json!([{"name": "manager", "image": "fluxcd/kustomize-controller:v1"}]);
            crate::model::deployment::Deployment::from_value(
                &json!({"metadata": {"namespace": FLUX, "name": name},
                "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}, "status": {"availableReplicas": available}}),
            )
        };
        let told_of = |pods, deployments| {
            let deployments = Read::Seen(Deployments {
                namespace: FLUX.to_owned(),
                deployments,
            });
            plain(&judged(pods, &deployments, None, now))
        };
        let told = |pods, available: i64| told_of(pods, vec![deployment(NAMES[0], 1, available)]);
        assert_eq!(told(ready(&[NAMES[1]]), 1), "");
        assert!(told(ready(&[NAMES[1]]), 0).contains("no pod of kustomize-controller was found"));
        let shard = |available: i64| deployment("kustomize-controller-shard1", 0, available);
        let one = told_of(
            ready(&[NAMES[1]]),
            vec![shard(0), deployment(NAMES[0], 1, 1)],
        );
        assert_eq!(
            one,
            "kustomize-controller runs in several Deployments, and which of them does this work is unknown: kustomize-controller-shard1 is not available"
        );
        let none = told_of(
            ready(&[NAMES[1]]),
            vec![shard(0), deployment(NAMES[0], 1, 0)],
        );
        assert!(none.contains("shard1 is scaled to 0"), "{none}");
        let unread = || Read::Unknown(Why::Forbidden("list pods in flux-system".to_owned()));
        assert_eq!(
            told(unread(), 1),
            "whether source-controller runs is unknown: forbidden (list pods in flux-system)"
        );
    }

    #[test]
    fn only_controllers_that_surely_are_ready_are_to_be_restarted() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        let restart = |pods| {
            let found = judged(pods, &Read::not_needed("x"), None, now);
            found.restart.map(|hint| hint.plain())
        };
        insta::assert_snapshot!(restart(ready(&NAMES)).unwrap(), @"change nothing in the manifest: source-controller-1 is ready now. If kustomize-controller still gets no connection to it, restart kustomize-controller; if that does not help, check network policies between the two, and the network of node w: kubectl rollout restart -n flux-system deployment kustomize-controller");
        for one in NAMES {
            assert_eq!(restart(ready(&[one])), None);
        }
        let unread = Read::Unknown(Why::Forbidden("list pods in flux-system".to_owned()));
        assert_eq!(restart(unread), None);
    }
}
