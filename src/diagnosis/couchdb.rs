//! CouchDB's pods that do not serve: what keeps the creation Job from its answer.

use super::case::Case;
use super::finding::Finding;
use super::serving;
use crate::snapshot::Listing;

/// The finding with CouchDB's pods that do not serve and the step for it; with the steps of `otherwise` if none is seen that does not serve,
/// and with the reason if that is not known.
pub(super) fn shown(
    case: &Case<'_>,
    finding: Finding,
    otherwise: impl FnOnce(Finding) -> Finding,
) -> Finding {
    let found = case.couch_pods();
    let pods = found.seen().map_or(&[][..], |found| found.pods.known());
    let unserving = serving::unserving(pods);
    if unserving.is_empty() {
        let not_all = found.seen().and_then(|found| Listing::not_all(&found.pods));
        let unknown = serving::not_read(found, "CouchDB");
        let cut = not_all.map(|why| {
            format!(
                "One of CouchDB's pods may be down that was not read: {}.",
                why.clause()
            )
        });
        return otherwise(finding.whys(unknown.or(cut).as_deref()));
    }
    let is_surely_asked = found.seen().is_some_and(|found| found.of_service);
    let doubt = "Nothing names the Service that the Job asks: this is the CouchDB in the same namespace, and may be another one.";
    let finding = finding.whys((!is_surely_asked).then_some(doubt));
    serving::shown(finding, &unserving)
}
