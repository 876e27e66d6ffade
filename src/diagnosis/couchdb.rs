//! CouchDB's pods that are not serving, or are not behind its Service: what keeps the creation Job from its answer.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::network_policies;
use super::object_commands::logs;
use super::outdated_pod;
use super::serving;
use crate::model::pod::Pod;
use crate::model::service::Service;
use crate::snapshot::{CouchPods, CouchService, IfRead, Related, Why, why_not_all};
use std::ops::ControlFlow;

/// The finding with CouchDB's pods that are not serving, and the step for the first. The steps of `otherwise` come before it where CouchDB
/// may be reachable all the same, and stand alone where no such pod is seen, with the reason if that is not known.
pub(super) fn shown(
    case: &Case<'_>,
    finding: Finding,
    otherwise: impl FnOnce(Finding) -> Finding,
) -> Finding {
    let found = case.couch_pods();
    let pods = match found {
        Ok(Some(pods)) => pods,
        found => {
            let unread = serving::not_read(found, "CouchDB");
            return misled(case, &finding).unwrap_or_else(|| {
                otherwise(
                    finding
                        .whys(unread.as_deref())
                        .whys(unready(case).as_deref()),
                )
            });
        }
    };
    let unserving = serving::unserving(pods.pods.known(), case.now);
    if unserving.is_empty() {
        return misled(case, &finding).unwrap_or_else(|| {
            let none = none_known(case, pods);
            otherwise(finding.whys(none.as_deref()).whys(unready(case).as_deref()))
        });
    }
    let service = case.service().if_read();
    let finding = finding.whys(doubt(pods, service).as_deref());
    let (finding, is_blocked) = match unserving[0].reason.may_wait_for_others() {
        true => match network_policies::of_members(case, finding, pods, &unserving[0].subject) {
            ControlFlow::Break(finding) => (finding, true),
            ControlFlow::Continue(finding) => (finding, false),
        },
        false => (finding, false),
    };
    let is_reachable = pods.pods.known().iter().any(|found| found.pod.is_ready())
        || service.is_some_and(CouchService::may_have_ready_endpoint);
    let finding = match is_reachable || !pods.of_service {
        true => otherwise(finding),
        false => finding,
    };
    if is_blocked {
        let first = &unserving[0].subject;
        return serving::with_reasons(finding, &unserving)
            .step("If a pod is not ready after that, read its log:")
            .command(logs(first));
    }
    let known = pods.pods.known().iter().map(|found| &found.pod);
    outdated_pod::shown(case, finding, known, &unserving)
}

/// The finding where the Service leads to none of the pods that run.
fn misled(case: &Case<'_>, finding: &Finding) -> Option<Finding> {
    let service = case.service().if_read()?;
    unselected(case, finding.clone(), service)
        .or_else(|| without_selector(finding.clone(), service))
}

/// Pods that are shown at most.
const SHOWN: usize = 3;

/// The pods that look like CouchDB's, if the Service is known to select none of them.
fn others<'c>(case: &'c Case<'_>, service: &Service) -> Option<&'c [Pod]> {
    let related = case.related().if_read()?;
    // Of a cut list, one that is not known may be behind it.
    let pods = related.couchdb().if_read()?.all().ok()?;
    let is_other = |pod: &Pod| !service.unmatched(&pod.meta).is_empty();
    pods.iter().all(is_other).then_some(pods)
}

/// A pod that looks like CouchDB's, is not ready, and that its Service does not select. Either may be what is wrong.
fn unready(case: &Case<'_>) -> Option<String> {
    let service = case.service().if_read()?;
    let first = others(case, service.service.if_read()?)?.first()?;
    Some(format!(
        "{} looks like CouchDB's, but it is not ready, and Service {}/{} does not select it.",
        Subject::from(&first.meta),
        service.namespace,
        service.name
    ))
}

/// The finding where pods that look like CouchDB's have other labels than its Service selects.
fn unselected(case: &Case<'_>, finding: Finding, service: &CouchService) -> Option<Finding> {
    let seen = service.service.if_read()?;
    let others = others(case, seen)?;
    // One that is not ready has another fault first, or may be no pod of CouchDB's at all.
    let first = others.iter().find(|pod| pod.is_ready())?;
    let id = Subject::new("Service", &service.namespace, &service.name);
    let pairs: Vec<String> = seen
        .unmatched(&first.meta)
        .into_iter()
        .map(|(key, value, has)| match has {
            Some(has) => format!("{key}={value}, and the pod has {key}={has}"),
            None => format!("{key}={value}, and the pod does not have that label"),
        })
        .collect();
    let pod = Subject::from(&first.meta);
    let finding = finding
        .why(format!(
            "{pod} is ready, but {id} does not select it: it selects {}.",
            pairs.join("; ")
        ))
        .seen(others.iter().take(SHOWN).map(|pod| {
            let labels = seen.unmatched(&pod.meta);
            let own = labels.iter().map(|(key, _, has)| match has {
                Some(has) => format!("{key}={has}"),
                None => format!("no label {key}"),
            });
            let own: Vec<String> = own.collect();
            Evidence::new(
                Subject::from(&pod.meta),
                ".metadata.labels",
                &own.join(", "),
            )
        }));
    Some(
        finding
            .step("Make the Service's selector and the labels of CouchDB's pods agree, in the chart or manifest that they come from. If these pods belong to another CouchDB, bring back those of this one. The labels:")
            .command([
                "kubectl",
                "get",
                "services,pods",
                "-n",
                &service.namespace,
                "--show-labels",
            ]),
    )
}

/// The finding where the Service has no selector, and so leads only where somebody has written.
fn without_selector(finding: Finding, service: &CouchService) -> Option<Finding> {
    let is_without = service
        .service
        .if_read()
        .is_some_and(Service::is_without_selector);
    let unread = service.slices().err().map(|unread| unread.why);
    if !is_without || (unread.is_none() && service.may_have_ready_endpoint()) {
        return None;
    }
    let id = Subject::new("Service", &service.namespace, &service.name);
    let finding = finding
        .why(format!("{id} has no selector, so Kubernetes gives it no endpoints: it leads only to the addresses of EndpointSlices that somebody has written."))
        .whys(unread.as_ref().map(|why| format!("Whether it has any is not known, because they were not read: {}.", why.clause())).as_deref())
        .seen([Evidence::new(id, ".spec.selector", "no selector")]);
    let unless = match unread {
        Some(_) => "Unless it has an EndpointSlice with CouchDB's present addresses, give",
        None => "Give",
    };
    Some(
        finding
            .step(format!("{unless} the Service a selector that fits the labels of CouchDB's pods, in the chart or manifest that it comes from; or, if CouchDB runs elsewhere, write an EndpointSlice with its present addresses. What the Service has:"))
            .command([
                "kubectl",
                "get",
                "services,endpointslices,pods",
                "-n",
                &service.namespace,
                "--show-labels",
            ]),
    )
}

/// Why no pod that was read says anything, where it is not that all are ready.
fn none_known(case: &Case<'_>, found: &CouchPods) -> Option<String> {
    if let Some(why) = found.pods.not_all() {
        let why = why.clause();
        return Some(format!(
            "A CouchDB pod that was not read may be down: {why}."
        ));
    }
    if !found.pods.known().is_empty() {
        return None;
    }
    match found.of_service {
        true => others_unread(case),
        false => Some(format!(
            "No pod in {} is known to be CouchDB's.",
            found.namespace
        )),
    }
}

/// Why a pod that looks like CouchDB's, and that its Service does not select, may not have been seen.
fn others_unread(case: &Case<'_>) -> Option<String> {
    let related = case.related();
    let others = related.and_then(|related| related.map_or(Ok(None), Related::couchdb));
    let why = why_not_all(others).filter(|why| !matches!(why, Why::NotNeeded(_)))?;
    let why = why.clause();
    Some(format!(
        "Whether CouchDB runs in pods that its Service does not select is unknown: {why}."
    ))
}

/// Why these may be another CouchDB's pods.
fn doubt(found: &CouchPods, service: Option<&CouchService>) -> Option<String> {
    if found.of_service {
        return None;
    }
    let unknown = match service {
        None => "It is not known which Service the Job uses.".to_owned(),
        Some(service) => {
            let (namespace, name) = (&service.namespace, &service.name);
            let why = match service.service() {
                Err(unread) => format!("it was not read: {}", unread.why.clause()),
                Ok(None) => "it does not exist".to_owned(),
                Ok(Some(seen)) if seen.selector.is_malformed() => {
                    "its selector is malformed".to_owned()
                }
                Ok(Some(_)) => "it has no selector".to_owned(),
            };
            format!("It is not known which pods are behind Service {namespace}/{name}: {why}.")
        }
    };
    Some(format!(
        "{unknown} This pod is in namespace {} and may belong to another CouchDB.",
        found.namespace
    ))
}

#[cfg(test)]
mod tests;
