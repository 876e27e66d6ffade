//! What an uninstall that was interrupted may leave behind: Helm removes its record although an object could not be deleted, and
//! finds nothing to delete the next time.

use super::case::Case;
use super::finding::Finding;
use crate::snapshot::IfRead;

/// The finding with what to look for once the HelmRelease is gone.
pub(super) fn shown(case: &Case<'_>, finding: Finding) -> Finding {
    let finding = finding.why("An uninstall that is interrupted can remove Helm's record and leave objects behind: the next attempt finds no release and ends.");
    let finding = finding.step("Once the HelmRelease is gone, see whether its AuthorizationPolicy and its Jobs are, and delete them if they are not:");
    let policy = case.policy().if_read().map(|policy| &policy.meta);
    let finding = match policy {
        Some(policy) => finding.command([
            "kubectl",
            "get",
            "authorizationpolicies.security.istio.io",
            "-n",
            &policy.namespace,
            &policy.name,
        ]),
        None => finding.command([
            "kubectl",
            "get",
            "authorizationpolicies.security.istio.io",
            "-n",
            "secure-kvs",
        ]),
    };
    finding.command([
        "kubectl",
        "get",
        "jobs",
        "-n",
        case.hr().release_namespace(),
    ])
}
