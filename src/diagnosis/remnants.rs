//! Objects that an interrupted uninstall may leave behind: Helm removes its record although an object could not be deleted, and the next
//! time it finds nothing to delete.

use super::case::Case;
use super::finding::Finding;
use crate::snapshot::IfRead;

/// Adds the objects to look for once the HelmRelease is gone.
pub(super) fn shown(case: &Case<'_>, finding: Finding) -> Finding {
    let finding = finding.why("An interrupted uninstall can remove Helm's record and leave objects behind: the next attempt finds no release and ends.");
    let finding = finding.step("Once the HelmRelease is gone, see whether its AuthorizationPolicy and its Jobs are gone too, and delete any that are left:");
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
