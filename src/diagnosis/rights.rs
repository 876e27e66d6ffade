//! A right that Flux's account lacks, as the failure says. Shared by the rules on rights.

use super::case::Case;
use super::finding::Subject;
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
