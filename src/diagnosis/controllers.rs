//! Flux's controllers as their Deployments tell: which run, and whether one takes a HelmRelease.
//!
//! Deployments that are not there prove nothing: Flux may run elsewhere.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::serving::{self, Unserving};
use crate::model::deployment::Deployment;
use crate::model::field::Field;
use crate::model::owner::Belongs;
use crate::model::pod::Pod;
use crate::model::selector::Labels;
use crate::snapshot::{Controllers, IfRead, Listing};

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
    let all: Vec<&Deployment> = controllers
        .deployments
        .iter()
        .filter(|d| d.image().contains("helm-controller"))
        .collect();
    if all.is_empty() {
        return Err(format!("{} has no Flux Deployment", controllers.namespace));
    }
    Ok(all)
}

/// The Deployment of that controller if none of its pods is available.
pub(super) fn down<'a>(case: &Case<'a>, controller: &str) -> Option<&'a Deployment> {
    let controllers = case.controllers().if_read()?;
    let mut own = own(controllers, controller);
    // One whose state cannot be read may run.
    if own
        .clone()
        .any(|d| d.is_available() || d.available.is_malformed())
    {
        return None;
    }
    own.next()
}

fn own<'a>(
    controllers: &'a Controllers,
    controller: &str,
) -> impl Iterator<Item = &'a Deployment> + Clone {
    let all = controllers.deployments.iter();
    all.filter(move |d| d.image().contains(controller))
}

/// The pods of that controller that do not serve, those last of which only the name says that they are. Empty too if they are not known.
pub(super) fn unserving<'a>(case: &Case<'a>, controller: &str) -> Vec<Unserving<'a>> {
    let pods = case.controller_pods().seen();
    let controllers = case.controllers().if_read();
    let found = pods
        .into_iter()
        .flat_map(Listing::known)
        .filter_map(|found| {
            let belongs = match controllers {
                Some(known) if !known.deployments.is_empty() => {
                    of_any(&found.pod, own(known, controller))
                }
                _ => found.pod.belongs_to("Deployment", controller),
            };
            let is_doubtful = match belongs {
                Belongs::No => return None,
                Belongs::Perhaps => true,
                Belongs::Yes => false,
            };
            let pod = serving::of_serving(found)?;
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
    let why = format!(
        "This is what {controller} said last; it may have changed since, because {controller} does not run now."
    );
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
    use crate::snapshot::{Read, ServingPod};
    use serde_json::{Value, json};

    /// What is shown of a pod of this name and with these owner references while helm-controller is down.
    fn observed(name: &str, owners: Value) -> Vec<String> {
        let fixture = "controller-not-running";
        let mut snapshot = fixture::snapshot(fixture);
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "m"}});
        let pod = json!({
            "metadata": {"name": name, "namespace": "flux-system", "ownerReferences": owners, "labels": {"pod-template-hash": "5d8f"}},
            "status": {"containerStatuses": [{"name": "manager", "state": waiting}]}});
        snapshot.on_demand.controller_pods = Read::Seen(Listing::whole(vec![ServingPod {
            pod: Pod::from_value(&pod),
            events: Read::Seen(Listing::default()),
            log: Read::not_needed("its container never ran"),
        }]));
        let case = Case::new(&snapshot, fixture::meta(fixture).now);
        let finding = also(&case, Finding::new(case.subject(), "x"), "helm-controller");
        finding
            .evidence
            .into_iter()
            .map(|evidence| evidence.observed)
            .collect()
    }

    #[test]
    fn the_pods_of_a_controller_are_those_it_owns() {
        let owned = |kind: &str, by: &str| json!([{"kind": kind, "name": by, "controller": true}]);
        let pod = "helm-controller-5d8f-x2x7q";
        let state = "container manager: ImagePullBackOff: m";
        let own = owned("ReplicaSet", "helm-controller-5d8f");
        assert_eq!(observed(pod, own), [state]);
        assert_eq!(
            observed(pod, json!(null)),
            [format!(
                "{state} (by its name; it may be another workload's)"
            )]
        );
        let shard = owned("ReplicaSet", "helm-controller-shard1-5d8f");
        assert!(observed("helm-controller-shard1-5d8f-x2x7q", shard).is_empty());
        assert!(observed(pod, owned("DaemonSet", "helm-controller-debug")).is_empty());
    }
}
