//! CouchDB's pods that are not serving: what keeps the creation Job from its answer.

use super::case::Case;
use super::finding::Finding;
use super::serving;
use crate::snapshot::{CouchPods, CouchService, IfRead, Read};

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
            return otherwise(finding.whys(unread.as_deref()));
        }
    };
    let unserving = serving::unserving(pods.pods.known(), case.now);
    if unserving.is_empty() {
        return otherwise(finding.whys(none_known(pods).as_deref()));
    }
    let service = case.service().if_read();
    let finding = finding.whys(doubt(pods, service).as_deref());
    let is_reachable = pods.pods.known().iter().any(|found| found.pod.is_ready())
        || service.is_some_and(may_have_ready_endpoint);
    let finding = match is_reachable || !pods.of_service {
        true => otherwise(finding),
        false => finding,
    };
    serving::shown(finding, &unserving)
}

/// Why no pod that was read says anything, where it is not that all are ready.
fn none_known(found: &CouchPods) -> Option<String> {
    if let Some(why) = found.pods.not_all() {
        let why = why.clause();
        return Some(format!(
            "A CouchDB pod that was not read may be down: {why}."
        ));
    }
    let is_none = !found.of_service && found.pods.known().is_empty();
    is_none.then(|| format!("No pod in {} is known to be CouchDB's.", found.namespace))
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
            let why = match &service.service {
                Read::Unknown(why) => format!("it was not read: {}", why.clause()),
                Read::Absent => "it does not exist".to_owned(),
                Read::Seen(seen) if seen.selector.is_malformed() => {
                    "its selector is malformed".to_owned()
                }
                Read::Seen(_) => "it has no selector".to_owned(),
            };
            format!("It is not known which pods are behind Service {namespace}/{name}: {why}.")
        }
    };
    Some(format!(
        "{unknown} This pod is in namespace {} and may belong to another CouchDB.",
        found.namespace
    ))
}

/// An endpoint is ready, or one that was not read may be.
fn may_have_ready_endpoint(service: &CouchService) -> bool {
    let slices = match &service.slices {
        Read::Seen(slices) if slices.not_all().is_some() => return true,
        Read::Seen(slices) => slices.known(),
        Read::Absent => return false,
        Read::Unknown(_) => return true,
    };
    let mut endpoints = slices.iter().flat_map(|slice| &slice.endpoints.known);
    endpoints.any(|endpoint| endpoint.is_ready() != Some(false))
        || slices.iter().any(|slice| !slice.endpoints.all)
}

#[cfg(test)]
mod tests;
