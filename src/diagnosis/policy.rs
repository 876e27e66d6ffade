//! The onboarding's AuthorizationPolicy as the rules see it, and how it is applied once more. Shared by the rules on access.

use super::case::Case;
use super::finding::{Finding, Subject};
use super::flux_commands::stamped;
use crate::model::manifest::{self, ObjectId};
use crate::model::policy as model;
use crate::model::status::is_old_controller;
use crate::snapshot::{Checked, IfRead};

const KIND: &str = "AuthorizationPolicy";

/// The onboarding's policy.
pub(super) enum Policy<'a> {
    Seen(&'a model::Policy),
    /// It is seen to be absent.
    Absent,
    /// Nothing is installed, or what is installed has none.
    None,
}

/// The policy.
///
/// # Errors
/// It was not read.
pub(super) fn find<'a>(case: &Case<'a>) -> Checked<Policy<'a>> {
    match (case.policy(), case.release()) {
        (Ok(Some(policy)), _) => Ok(Policy::Seen(policy)),
        (Ok(None), _) => Ok(Policy::Absent),
        (Err(_), Ok(None)) => Ok(Policy::None),
        (Err(_), Ok(Some(_))) if named(case).is_none() => Ok(Policy::None),
        (Err(unread), _) => Err(unread),
    }
}

/// What the release's manifest calls it.
fn named(case: &Case<'_>) -> Option<ObjectId> {
    let release = case.release().if_read()?;
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
    if is_old_controller(case.hr()) == Some(true) {
        return finding.step("This version of Flux has no forced upgrade: change a value in the manifest, such as an annotation of the Job's resources, and Flux applies the chart again.");
    }
    finding
        .step("Make Flux apply it once more; this upgrades the release and does not touch the database:")
        .command(stamped(case, Some("forceAt")))
}
