//! Flux's controllers as their Deployments tell: which run, and whether one takes a HelmRelease.
//!
//! Deployments that are not there prove nothing: Flux may run elsewhere.

pub mod outage;

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::serving::{self, Unserving};
use crate::model::deployment::Deployment;
use crate::model::field::Field;
use crate::model::owner::Belongs;
use crate::model::pod::Pod;
use crate::model::selector::Labels;
use crate::snapshot::{IfRead, ServingPod};

/// Behind the state of a pod that only its name gives to a workload.
pub(super) const PERHAPS: &str = " (by its name; it may be another workload's)";

/// Whether a helm-controller takes the HelmRelease by its labels.
pub(super) enum Serves {
    Some,
    /// Each one that was seen, with its selector.
    None(Vec<Evidence>),
    Unknown(String),
}

/// The helm-controllers that were seen; `Err`: why none was.
pub(super) fn helm_controllers<'a>(case: &Case<'a>) -> Result<Vec<&'a Deployment>, String> {
    let controllers = match case.controllers() {
        Ok(Some(controllers)) => controllers,
        Ok(None) => return Err("they were not read".to_owned()),
        Err(unread) => return Err(unread.why.clause()),
    };
    let all: Vec<&Deployment> = controllers.of("helm-controller").collect();
    if all.is_empty() {
        return Err(format!("{} has no Flux Deployment", controllers.namespace));
    }
    Ok(all)
}

/// The Deployment of that controller if none of its pods is available.
pub(super) fn down<'a>(case: &Case<'a>, controller: &str) -> Option<&'a Deployment> {
    let controllers = case.controllers().if_read()?;
    let mut own = controllers.of(controller);
    if own.clone().any(may_run) {
        return None;
    }
    own.next()
}

/// One whose state cannot be read may run.
fn may_run(deployment: &Deployment) -> bool {
    deployment.is_available() || deployment.available.is_malformed()
}

/// The pods of that controller that do not serve, those last of which only the name says that they are. Empty too if they are not known,
/// or if the controller may run beside them.
pub(super) fn unserving<'a>(case: &Case<'a>, controller: &str) -> Vec<Unserving<'a>> {
    // `serving::not_read` adds why they are not known.
    let Some(pods) = case.controller_pods().if_read() else {
        return Vec::new();
    };
    let controllers = case.controllers().if_read();
    let is_down = down(case, controller).is_some();
    let may_run = controllers.is_some_and(|known| known.of(controller).any(may_run));
    if may_run || (!is_down && pods.not_all().is_some()) {
        return Vec::new();
    }
    let all = pods.known().iter();
    let own: Vec<(Belongs, &ServingPod)> = all
        .map(|found| {
            let belongs = match controllers {
                Some(known) if !known.deployments.is_empty() => {
                    of_any(&found.pod, known.of(controller))
                }
                _ => found.pod.belongs_to("Deployment", controller),
            };
            (belongs, found)
        })
        .filter(|(belongs, _)| !matches!(belongs, Belongs::No))
        .collect();
    let runs = |pod: &Pod| pod.is_ready() || (!is_down && pod.may_be_ready());
    if own.iter().any(|(_, found)| runs(&found.pod)) {
        return Vec::new();
    }
    let found = own.into_iter().filter_map(|(belongs, found)| {
        let pod = serving::of_serving(found)?;
        let is_doubtful = matches!(belongs, Belongs::Perhaps);
        Some(Unserving { is_doubtful, ..pod })
    });
    let mut all: Vec<Unserving<'a>> = found.collect();
    all.sort_by_key(|pod| pod.is_doubtful);
    all.truncate(serving::SHOWN);
    all
}

/// Adds that controller's pods that do not serve, with the step for it, to a finding about what it has said.
pub(super) fn also(case: &Case<'_>, finding: Finding, controller: &str) -> Finding {
    let pods = unserving(case, controller);
    if pods.is_empty() {
        return finding;
    }
    let why = format!("{controller} is not running, so its last report may be out of date.");
    serving::shown(finding.why(why), &pods)
}

/// Whether the pod is one of these Deployments', by the one that says most.
fn of_any<'a>(pod: &Pod, deployments: impl Iterator<Item = &'a Deployment>) -> Belongs {
    let all = deployments.map(|d| pod.belongs_to("Deployment", &d.meta.name));
    all.fold(Belongs::No, |most, one| match (most, one) {
        (Belongs::Yes, _) | (_, Belongs::Yes) => Belongs::Yes,
        (Belongs::Perhaps, _) | (_, Belongs::Perhaps) => Belongs::Perhaps,
        (Belongs::No, Belongs::No) => Belongs::No,
    })
}

pub(super) fn serves(case: &Case<'_>) -> Serves {
    let all = match helm_controllers(case) {
        Ok(all) => all,
        Err(why) => return Serves::Unknown(crate::text::one_line(&why)),
    };
    let labels = &case.hr().metadata.labels;
    let mut seen = Vec::new();
    for deployment in all {
        let subject = Subject::from(&deployment.meta);
        let selector = match deployment.flag("--watch-label-selector") {
            Field::Set(selector) => selector,
            Field::Absent => String::new(),
            Field::Malformed => {
                return Serves::Unknown(format!("the arguments of {subject} cannot be read"));
            }
        };
        match Labels::parse(&selector)
            .map(|selector| selector.matches(|key| labels.get(key).map(String::as_str)))
        {
            Ok(true) => return Serves::Some,
            Ok(false) => seen.push(Evidence::new(
                subject,
                "args",
                &format!("--watch-label-selector={selector}"),
            )),
            Err(_) => return Serves::Unknown(format!("the selector {selector:?} cannot be read")),
        }
    }
    Serves::None(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::snapshot::{Controllers, Listing, Read, Why};
    use serde_json::{Value, json};

    /// What is shown of these pods of helm-controller, by what is known of its Deployments.
    fn seen(deployments: Read<Controllers>, pods: &[Value]) -> Vec<String> {
        listed(deployments, pods, None)
    }

    fn listed(deployments: Read<Controllers>, pods: &[Value], not_all: Option<Why>) -> Vec<String> {
        let fixture = "controller-not-running";
        let mut snapshot = fixture::snapshot(fixture);
        let pods = pods.iter().map(|pod| ServingPod {
            pod: Pod::from_value(pod),
            events: Read::Seen(Listing::default()).into(),
            log: Read::not_needed("its container never ran").into(),
        });
        snapshot.on_demand.controller_pods = Read::Seen(Listing::new(pods.collect(), not_all));
        snapshot.on_demand.controllers = deployments;
        let case = Case::new(&snapshot, fixture::meta(fixture).now);
        let finding = also(&case, Finding::new(case.subject(), "x"), "helm-controller");
        finding
            .evidence
            .into_iter()
            .map(|evidence| evidence.observed)
            .collect()
    }

    /// The Deployment of helm-controller with this number of available pods.
    fn available(pods: &Value) -> Read<Controllers> {
        let container = json!({"name": "manager", "image": "ghcr.io/fluxcd/helm-controller:v1"});
        let deployment = json!({
            "metadata": {"name": "helm-controller", "namespace": "flux-system"},
            "spec": {"template": {"spec": {"containers": [container]}}},
            "status": {"availableReplicas": pods}});
        Read::Seen(Controllers {
            namespace: "flux-system".to_owned(),
            deployments: vec![Deployment::from_value(&deployment)],
        })
    }

    fn owned(kind: &str, by: &str) -> Value {
        json!([{"kind": kind, "name": by, "controller": true}])
    }

    fn pod(name: &str, owners: &Value, status: &Value) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "flux-system", "ownerReferences": owners, "labels": {"pod-template-hash": "5d8f"}},
            "status": status})
    }

    /// What is shown of a pod of this name and with these owner references while helm-controller is down.
    fn observed(name: &str, owners: &Value) -> Vec<String> {
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "m"}});
        let status = json!({"containerStatuses": [{"name": "manager", "state": waiting}]});
        seen(available(&json!(0)), &[pod(name, owners, &status)])
    }

    #[test]
    fn the_pods_of_a_controller_are_those_it_owns() {
        let pod = "helm-controller-5d8f-x2x7q";
        let state = "container manager: ImagePullBackOff: m";
        let own = owned("ReplicaSet", "helm-controller-5d8f");
        assert_eq!(observed(pod, &own), [state]);
        assert_eq!(
            observed(pod, &json!(null)),
            [format!(
                "{state} (by its name; it may be another workload's)"
            )]
        );
        let shard = owned("ReplicaSet", "helm-controller-shard1-5d8f");
        assert!(observed("helm-controller-shard1-5d8f-x2x7q", &shard).is_empty());
        assert!(observed(pod, &owned("DaemonSet", "helm-controller-debug")).is_empty());
    }

    #[test]
    fn a_controller_that_may_run_has_no_pod_to_blame() {
        let own = owned("ReplicaSet", "helm-controller-5d8f");
        let ready = |status: Value| json!({"phase": "Running", "conditions": [{"type": "Ready", "status": status}]});
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
        let leftover = pod("helm-controller-5d8f-a", &own, &evicted);
        let beside = |status: &Value| {
            let other = pod("helm-controller-5d8f-b", &own, status);
            [leftover.clone(), other]
        };
        let unread = || Read::Unknown(Why::Forbidden("list deployments".to_owned()));
        let shown = ["Evicted: low on memory"];
        let alone = std::slice::from_ref(&leftover);
        assert_eq!(seen(available(&json!(0)), alone), shown);
        assert_eq!(seen(unread(), alone), shown);
        let runs = beside(&ready(json!("True")));
        assert!(seen(unread(), &runs).is_empty());
        assert!(seen(available(&json!(0)), &runs).is_empty());
        let odd = beside(&ready(json!(true)));
        assert!(seen(unread(), &odd).is_empty(), "malformed");
        assert_eq!(seen(unread(), &beside(&ready(json!("False"))))[0], shown[0]);
        let unknown = beside(&ready(json!("Unknown")));
        assert!(seen(unread(), &unknown).is_empty());
        assert_eq!(seen(available(&json!(0)), &unknown)[0], shown[0]);
        let cut = || Some(Why::NotAsked("only the first 1 pods were read".to_owned()));
        assert!(listed(unread(), alone, cut()).is_empty());
        assert_eq!(listed(available(&json!(0)), alone, cut()), shown);
        assert!(seen(available(&json!(1)), alone).is_empty());
        assert!(seen(available(&json!("1")), alone).is_empty(), "malformed");
    }

    /// The pods that are shown of helm-controller after `change`.
    fn shown(change: &dyn Fn(&mut crate::snapshot::Snapshot)) -> Vec<String> {
        let name = "controller-not-running";
        let mut snapshot = fixture::snapshot(name);
        fixture::stop(&mut snapshot, "helm-controller");
        change(&mut snapshot);
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let pods = unserving(&case, "helm-controller").into_iter();
        pods.map(|pod| pod.subject.name).collect()
    }

    #[test]
    fn a_deployment_of_another_name_has_its_own_pods() {
        let pods = |name: &str, set: &str| {
            let pod = fixture::without_image("flux-system", name, set);
            Read::Seen(Listing::whole(vec![pod]))
        };
        let renamed = shown(&|s| {
            let deployment = &mut s.on_demand.controllers.seen_mut().unwrap().deployments[0];
            deployment.meta.name = "flux-helm".to_owned();
            s.on_demand.controller_pods = pods("flux-helm-5d8f-a", "flux-helm-5d8f");
        });
        assert_eq!(renamed, ["flux-helm-5d8f-a"]);
        // Where no Deployment is seen, it has the usual name.
        for unseen in [Read::Absent, Read::not_asked("x")] {
            let usual = shown(&|s| s.on_demand.controllers = unseen.clone());
            assert_eq!(usual, ["helm-controller-5d8f-x2x7q"]);
        }
    }

    #[test]
    fn few_are_shown_those_first_that_surely_are_its_own() {
        let names = shown(&|s| {
            let of =
                |name: &str| fixture::without_image("flux-system", name, "helm-controller-5d8f");
            let mut pods = ["bare", "a", "b", "c"]
                .map(|n| of(&format!("helm-controller-5d8f-{n}")))
                .to_vec();
            pods[0].pod.owners = Default::default();
            pods[0].pod.owners.all = true;
            s.on_demand.controller_pods = Read::Seen(Listing::whole(pods));
        });
        let own = ["a", "b", "c"].map(|name| format!("helm-controller-5d8f-{name}"));
        assert_eq!(names, own);
    }

    #[test]
    fn one_whose_state_cannot_be_read_may_run() {
        let is_down = |available: Field<i64>| {
            let name = "controller-not-running";
            let mut snapshot = fixture::snapshot(name);
            fixture::stop(&mut snapshot, "helm-controller");
            let controllers = snapshot.on_demand.controllers.seen_mut().unwrap();
            controllers.deployments[0].available = available;
            let case = Case::new(&snapshot, fixture::meta(name).now);
            down(&case, "helm-controller").is_some()
        };
        assert!(is_down(Field::Absent) && is_down(Field::Set(0)));
        assert!(!is_down(Field::Malformed) && !is_down(Field::Set(1)));
    }

    #[test]
    fn what_a_controller_said_before_it_stopped_may_be_out_of_date() {
        let name = "repository-unreachable";
        let mut snapshot = fixture::snapshot(name);
        fixture::stop(&mut snapshot, "source-controller");
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let found = fixture::of_code(crate::diagnosis::diagnose(&case), "SKVS203");
        let last = "source-controller is not running, so its last report may be out of date.";
        assert!(found.why.iter().any(|why| why == last), "{:?}", found.why);
    }
}
