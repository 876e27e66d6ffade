//! Flux's controllers as their Deployments tell: which run, and whether one takes a HelmRelease.
//!
//! Deployments that are not there prove nothing: Flux may run elsewhere.

use super::case::Case;
use super::finding::{Evidence, Subject};
use crate::model::deployment::Deployment;
use crate::model::field::Field;
use crate::model::owner::Belongs;
use crate::model::pod::{Container, Pod};
use crate::model::selector::Labels;
use crate::snapshot::{IfRead, Listing};

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

/// The Deployment of that controller if none of its pods is available, and the state of its pods.
pub(super) fn down<'a>(
    case: &Case<'a>,
    controller: &str,
) -> Option<(&'a Deployment, Vec<Evidence>)> {
    let controllers = case.controllers().if_read()?;
    let own = || {
        let all = controllers.deployments.iter();
        all.filter(|d| d.image().contains(controller))
    };
    // One whose state cannot be read may run.
    if own().any(|d| d.is_available() || d.available.is_malformed()) {
        return None;
    }
    let deployment = own().next()?;
    let pods = controllers.pods.seen().map_or(&[][..], Listing::known);
    let seen = pods.iter().filter_map(|pod| {
        let belongs = of_any(pod, own());
        if belongs == Belongs::No {
            return None;
        }
        let waiting = pod.containers.known.iter().find_map(Container::waiting);
        let waiting = waiting.map(|w| format!("{}: {}", w.reason, w.message));
        let ended = || {
            let (by, message) = pod.disruption()?;
            Some(format!("{by:?}: {message}"))
        };
        let mut observed = waiting.or_else(ended)?;
        if belongs == Belongs::Perhaps {
            observed.push_str(PERHAPS);
        }
        Some(Evidence::new(
            Subject::from(&pod.meta),
            ".status",
            &observed,
        ))
    });
    Some((deployment, seen.collect()))
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
    use crate::snapshot::Read;
    use serde_json::{Value, json};

    /// What is shown of a pod of this name and with these owner references while helm-controller is down.
    fn shown(name: &str, owners: Value) -> Vec<String> {
        let fixture = "controller-not-running";
        let mut snapshot = fixture::snapshot(fixture);
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "m"}});
        let pod = json!({
            "metadata": {"name": name, "namespace": "flux-system", "ownerReferences": owners, "labels": {"pod-template-hash": "5d8f"}},
            "status": {"containerStatuses": [{"name": "manager", "state": waiting}]}});
        let Read::Seen(controllers) = &mut snapshot.on_demand.controllers else {
            panic!("the fixture has them");
        };
        controllers.pods = Read::Seen(Listing::whole(vec![Pod::from_value(&pod)]));
        let case = Case::new(&snapshot, fixture::meta(fixture).now);
        let (_, seen) = down(&case, "helm-controller").unwrap();
        seen.into_iter().map(|evidence| evidence.observed).collect()
    }

    #[test]
    fn the_pods_of_a_controller_are_those_it_owns() {
        let owned = |kind: &str, by: &str| json!([{"kind": kind, "name": by, "controller": true}]);
        let pod = "helm-controller-5d8f-x2x7q";
        let state = "ImagePullBackOff: m";
        let own = owned("ReplicaSet", "helm-controller-5d8f");
        assert_eq!(shown(pod, own), [state]);
        assert_eq!(
            shown(pod, json!(null)),
            [format!(
                "{state} (by its name; it may be another workload's)"
            )]
        );
        let shard = owned("ReplicaSet", "helm-controller-shard1-5d8f");
        assert!(shown("helm-controller-shard1-5d8f-x2x7q", shard).is_empty());
        assert!(shown(pod, owned("DaemonSet", "helm-controller-debug")).is_empty());
    }
}
