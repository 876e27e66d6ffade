//! What the onboarding was installed with: its first revision's values, beside those of the manifest.
//!
//! The chart creates the database once, at the installation, so the first revision's values say which one that was.

use super::case::Case;
use super::finding::{Evidence, Subject};
use crate::model::helm_storage::Release;
use crate::model::names::release_secret;
use crate::model::onboarding::{Claim, Values, encryption_of};
use crate::snapshot::{Checked, IfRead, Unread, Why};

/// The first revision; `None` where none is stored.
///
/// # Errors
/// It was not read.
pub(super) fn revision<'a>(case: &Case<'a>) -> Checked<Option<&'a Release>> {
    if let Some(first) = case.first_release().if_read() {
        return Ok(Some(first));
    }
    match case.release()? {
        Some(only) if only.version == 1 => Ok(Some(only)),
        // Several revisions, and the oldest was not read.
        Some(_) => case.first_release(),
        None => Ok(None),
    }
}

/// What the revision's values say of the four that an onboarding sets.
pub(super) fn values(release: &Release) -> Values {
    Values::parse(&release.config)
}

/// Whether documents were encrypted at the installation, and whether they are now.
///
/// # Errors
/// The first revision's values are not those of an onboarding; or one of the two does not say it, and the chart was not read either.
pub(super) fn encryption(case: &Case<'_>, first: &Release) -> Checked<[bool; 2]> {
    let broken = |what: &str, why: &str| Unread::new(what, Why::Broken(why.to_owned()));
    let of_first = |why: &str| broken("the values of the first revision", why);
    if matches!(values(first).claim(), Claim::Incomplete(_)) {
        return Err(of_first("they name no database"));
    }
    let was = encryption_of(&first.config, &first.chart.values).map_err(of_first)?;
    let present = case.release()?.unwrap_or(first);
    let is = encryption_of(&case.hr().spec.values, &present.chart.values)
        .map_err(|why| broken("spec.values", why))?;
    Ok([was, is])
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
