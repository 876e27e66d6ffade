//! What the onboarding was installed with: its first revision's values, beside those of the manifest.
//!
//! The chart creates the database once, at the installation, so the first revision's values say which one that was.

use super::case::Case;
use super::finding::{Evidence, Subject};
use super::rule::Verdict;
use crate::model::helm_storage::Release;
use crate::model::names::release_secret;
use crate::model::onboarding::Values;
use crate::snapshot::Read;

/// The first revision; `Err` when it was not seen, with what that makes of a check.
pub(super) fn revision<'a>(case: &Case<'a>) -> Result<&'a Release, Verdict> {
    let snapshot = case.snapshot;
    let first = match (&snapshot.first_release, &snapshot.release) {
        (Read::Seen(first), _) => first,
        (_, Read::Seen(only)) if only.version == 1 => only,
        // Several revisions, and the oldest was not read.
        (Read::Unknown(why), Read::Seen(_)) => {
            return Err(Verdict::skipped(
                "the first revision of Helm's release",
                why,
            ));
        }
        (_, Read::Unknown(why)) => return Err(Verdict::skipped("Helm's release", why)),
        (_, Read::Absent | Read::Seen(_)) => return Err(Verdict::Clear),
    };
    Ok(first)
}

/// What the revision's values say of the four that an onboarding sets.
pub(super) fn values(release: &Release) -> Values {
    Values::read(&release.config)
}

/// The revision and the manifest as evidence: the same field of both.
pub(super) fn evidence(
    case: &Case<'_>,
    first: &Release,
    field: &str,
    was: &str,
    is: &str,
) -> [Evidence; 2] {
    let secret = Subject::new(
        "Secret",
        case.hr().storage_namespace(),
        &release_secret(&first.name, first.version),
    );
    [
        Evidence::new(secret, "config", &format!("{field}: {was}")),
        Evidence::new(case.subject(), ".spec.values", &format!("{field}: {is}")),
    ]
}
