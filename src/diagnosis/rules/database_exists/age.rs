//! CouchDB's view of the database: its size, and whether it is older than this onboarding.

use super::unclaimed::removed_before;
use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::snapshot::IfRead;
use crate::snapshot::databases::{Database, Found};
use crate::text::age::duration;
use crate::text::{bytes, thousands};
use k8s_openapi::jiff::Timestamp;

/// Adds CouchDB's view of the database: its size, and whether it is older than this onboarding.
pub(super) fn described(case: &Case<'_>, finding: Finding) -> Finding {
    let database = case.database().unwrap_or_default();
    let found = match case.in_couchdb() {
        Ok(Some(Found::Served(found))) => found,
        Ok(Some(Found::Unserved(_))) | Err(_) => return finding,
        Ok(None) => {
            return finding.why(format!(
                "CouchDB no longer has {database}: let Flux try again."
            ));
        }
    };
    let pod = case.databases().if_read();
    let pod = pod.map(|d| Subject::new("Pod", &d.namespace, &d.pod));
    let mut parts = Vec::new();
    if let Some(documents) = found.documents {
        parts.push(format!("{} documents", thousands(documents)));
    }
    if let Some(size) = found.bytes {
        parts.push(format!("{} on each copy", bytes(size)));
    }
    let created = found
        .created
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    if let Some(created) = created {
        parts.push(format!(
            "created {}",
            created.strftime("%Y-%m-%d %H:%M UTC")
        ));
    }
    let finding = finding.seen(
        pod.filter(|_| !parts.is_empty())
            .map(|pod| Evidence::new(pod, &format!("GET /{database}"), &parts.join(", "))),
    );
    match older(case, &found) {
        Some(seconds) if seconds > 0 => {
            let older = format!("It is {} older than this", duration(seconds));
            finding.why(match removed_before(case) {
                Ok(None) => format!("{older} onboarding: a former owner of the name left it."),
                // A former HelmRelease of this onboarding may have left it.
                Ok(Some(_)) | Err(_) => format!("{older} HelmRelease."),
            })
        }
        Some(_) => finding.why(YOUNGER),
        None => finding,
    }
}

/// What its age says of a database that was made while this onboarding was there.
pub(super) const YOUNGER: &str =
    "It is younger than this onboarding: an earlier attempt, or another onboarding, created it.";

/// Clocks may differ by this many seconds.
const SKEW: i64 = 30;

/// How many seconds older than the onboarding the database is; negative if it is younger. `None` if that is not known.
fn older(case: &Case<'_>, found: &Database) -> Option<i64> {
    let since = case.hr().metadata.creation_timestamp.as_deref()?;
    let since: Timestamp = since.parse().ok()?;
    let older = since.as_second().checked_sub(found.created?)?;
    (older.unsigned_abs() > SKEW.unsigned_abs()).then_some(older)
}

/// Nothing that CouchDB says of the database speaks against an attempt of this onboarding: it is not older, and holds no documents.
pub(super) fn may_be_its_own(case: &Case<'_>) -> bool {
    match case.in_couchdb() {
        Ok(Some(Found::Served(found))) => {
            let is_older = older(case, &found).is_some_and(|seconds| seconds > 0);
            !is_older && found.documents.unwrap_or(0) == 0
        }
        Ok(Some(Found::Unserved(_)) | None) | Err(_) => true,
    }
}
