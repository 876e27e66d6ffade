//! A right that Flux's account lacks, as the failure says. Shared by the rules on rights.

use super::case::Case;
use super::finding::{Evidence, Subject};
use super::sources;
use crate::model::failure::Cause;
use crate::model::forbidden::Forbidden;
use crate::snapshot::Checked;

/// The right that a ServiceAccount lacks, as the failure says, and the account.
pub(super) fn missing_right(case: &Case<'_>) -> Checked<Option<(Forbidden, Subject)>> {
    let right = match case.cause()? {
        Some(Cause::Right(right)) => right.clone(),
        _ => match of_source(case) {
            Some(right) => right,
            None => return Ok(None),
        },
    };
    // That Flux may not act as the account at all is another matter (SKVS143).
    let account = right.account().filter(|_| right.verb != "impersonate");
    let account = account.map(|(namespace, name)| Subject::new("ServiceAccount", namespace, name));
    Ok(account.map(|account| (right, account)))
}

/// The right that source-controller lacks, as the chart or its source says.
fn of_source(case: &Case<'_>) -> Option<Forbidden> {
    let complaints = sources::complaints(case).into_iter();
    let mut rights = complaints.filter_map(|told| Forbidden::parse(&told.condition.message));
    rights.find(|right| right.user.is_some())
}

/// The messages of the chart or its source about a right that source-controller lacks.
pub(super) fn seen_by_source(case: &Case<'_>) -> Vec<Evidence> {
    let complaints = sources::complaints(case).into_iter();
    complaints
        .filter(|told| {
            told.subject != case.subject() && Forbidden::parse(&told.condition.message).is_some()
        })
        .map(|told| told.evidence())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::model::source::Source;
    use crate::snapshot::Read;
    use serde_json::json;

    #[test]
    fn what_source_controller_may_not_read_is_a_missing_right() {
        let mut snapshot = fixture::snapshot("unknown-cause-of-source");
        let message = "secrets \"x\" is forbidden: User \"system:serviceaccount:flux-system:source-controller\" cannot get resource \"secrets\" in API group \"\" in the namespace \"flux-system\"";
        let object = json!({
            "kind": "HelmRepository",
            "metadata": {"name": "wit-artifactory", "namespace": "flux-system", "generation": 1},
            "status": {"observedGeneration": 1, "conditions": [{"type": "FetchFailed", "status": "True", "reason": "AuthenticationFailed", "message": message}]},
        });
        snapshot.source = Read::Seen(Source::from_value(&object, ""));
        let case = Case::new(&snapshot, fixture::meta("unknown-cause-of-source").now);
        let (right, account) = missing_right(&case).unwrap().unwrap();
        assert_eq!(
            (right.verb.as_str(), right.resource.as_str()),
            ("get", "secrets")
        );
        assert_eq!(account.id(), "flux-system/source-controller");
        // What the HelmRelease repeats is in its own failure.
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message =
                format!("HelmChart 'flux-system/x' is not ready: chart error: {message}");
        }
        let case = Case::new(&snapshot, fixture::meta("unknown-cause-of-source").now);
        let seen = seen_by_source(&case).into_iter().map(|e| e.object.kind);
        assert_eq!(seen.collect::<Vec<_>>(), ["HelmRepository"]);
    }
}
