//! The onboarding's AuthorizationPolicy as the rules see it, and how it is applied once more. Shared by the rules on access.

use super::case::Case;
use super::finding::{Finding, Subject};
use super::retries::{is_old_controller, stamped};
use super::rule::Verdict;
use crate::model::manifest::{self, ObjectId};
use crate::snapshot::Read;
use serde_json::Value;

const KIND: &str = "AuthorizationPolicy";

/// The policy, `None` where it is seen to be absent; `Err` where there is none to look for or it was not read.
pub(super) fn read<'a>(case: &Case<'a>) -> Result<Option<&'a Value>, Verdict> {
    match &case.snapshot.policy {
        Read::Seen(policy) => Ok(Some(policy)),
        Read::Absent => Ok(None),
        Read::Unknown(why) => Err(match &case.snapshot.release {
            Read::Absent => Verdict::Clear,
            Read::Seen(_) if named(case).is_none() => Verdict::Clear,
            Read::Seen(_) | Read::Unknown(_) => Verdict::skipped("the AuthorizationPolicy", why),
        }),
    }
}

/// What the release's manifest calls it.
fn named(case: &Case<'_>) -> Option<ObjectId> {
    let release = case.snapshot.release.seen()?;
    manifest::objects(&release.manifest)
        .into_iter()
        .find(|o| o.kind == KIND)
}

/// A policy that does not exist: by the release's manifest, where that was read.
pub(super) fn absent(case: &Case<'_>) -> Subject {
    match named(case) {
        Some(object) => {
            let namespace = object.metadata.namespace.as_deref();
            let namespace = namespace.unwrap_or_else(|| case.hr().release_namespace());
            Subject::new(KIND, namespace, &object.metadata.name)
        }
        None => Subject::new(KIND, "", "of the release"),
    }
}

/// The fix: Flux applies the release once more.
pub(super) fn apply_again(case: &Case<'_>, finding: Finding) -> Finding {
    if is_old_controller(case) == Some(true) {
        return finding.step("This version of Flux has no forced upgrade: change a value in the manifest, such as an annotation of the Job's resources, and Flux applies the chart again.");
    }
    finding
        .step("Make Flux apply it once more; this upgrades the release and does not touch the database:")
        .command(stamped(case, "forceAt"))
}
