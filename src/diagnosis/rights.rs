//! A right that Flux's account lacks, as the failure says. Shared by the rules on rights.

use super::case::Case;
use super::finding::Subject;
use crate::model::failure::Cause;
use crate::model::forbidden::Forbidden;
use crate::snapshot::Checked;

/// The right that a ServiceAccount lacks, as the failure says, and the account.
pub(super) fn missing_right<'c>(case: &'c Case<'_>) -> Checked<Option<(&'c Forbidden, Subject)>> {
    let Some(Cause::Right(right)) = case.cause()? else {
        return Ok(None);
    };
    // That Flux may not act as the account at all is another matter (SKVS143).
    let account = right.account().filter(|_| right.verb != "impersonate");
    Ok(account.map(|(namespace, name)| {
        let account = Subject::new("ServiceAccount", namespace, name);
        (right, account)
    }))
}
