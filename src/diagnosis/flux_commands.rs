//! Commands on the onboarding's own HelmRelease and on its release in Helm's storage.

use super::case::Case;
use crate::advice::Command;
use crate::model::helm_release::{GROUP, PLURAL};
use crate::snapshot::IfRead;

/// Asks Flux for a reconcile with one more wish, `resetAt` or `forceAt`: both annotations hold one token.
pub(super) fn stamped(case: &Case<'_>, wish: &str) -> Command {
    let token = case.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    kubectl(case, "annotate").args([
        "--overwrite".to_owned(),
        "--field-manager=flux-client-side-apply".to_owned(),
        format!("reconcile.fluxcd.io/requestedAt={token}"),
        format!("reconcile.fluxcd.io/{wish}={token}"),
    ])
}

/// Removes the release from Helm's storage, with what it applied: Flux then installs.
pub fn uninstall(case: &Case<'_>) -> Command {
    let hr = case.hr();
    let release = match case.release().if_read() {
        Some(stored) if !stored.name.is_empty() => stored.name.clone(),
        _ => hr.release_name(),
    };
    Command::new(["helm", "uninstall", "-n", hr.storage_namespace(), &release])
}

/// Lists what Helm stores of the release.
pub(super) fn history(case: &Case<'_>) -> Command {
    let hr = case.hr();
    Command::new([
        "helm",
        "history",
        "-n",
        hr.storage_namespace(),
        &hr.release_name(),
    ])
}

/// Sets `spec.suspend`.
pub(super) fn patch_suspend(case: &Case<'_>, to: &str) -> Command {
    kubectl(case, "patch").args([
        "--type=merge".to_owned(),
        format!("-p={{\"spec\":{{\"suspend\":{to}}}}}"),
    ])
}

/// `kubectl VERB -n NAMESPACE helmreleases… NAME`.
pub(super) fn kubectl(case: &Case<'_>, verb: &str) -> Command {
    let subject = case.subject();
    Command::new([
        "kubectl",
        verb,
        "-n",
        &subject.namespace,
        &format!("{PLURAL}.{GROUP}"),
        &subject.name,
    ])
}
