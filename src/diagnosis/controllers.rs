//! Flux's controllers as their Deployments tell: which run, and whether one takes a HelmRelease.
//!
//! Deployments that are not there prove nothing: Flux may run elsewhere.

use super::case::Case;
use super::finding::{Evidence, Subject};
use crate::model::deployment::Deployment;
use crate::model::field::Field;
use crate::model::pod::Container;
use crate::model::selector::Labels;
use crate::snapshot::IfRead;

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
    let pods = controllers.pods.seen().map_or(&[][..], Vec::as_slice);
    let pods = pods.iter().filter(|pod| pod.meta.name.contains(controller));
    let seen = pods.filter_map(|pod| {
        let waiting = pod.containers.known.iter().find_map(Container::waiting);
        let waiting = waiting.map(|w| format!("{}: {}", w.reason, w.message));
        let ended = || {
            let (by, message) = pod.disruption()?;
            Some(format!("{by:?}: {message}"))
        };
        let observed = waiting.or_else(ended)?;
        Some(Evidence::new(
            Subject::from(&pod.meta),
            ".status",
            &observed,
        ))
    });
    Some((deployment, seen.collect()))
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
