//! Commands on the onboarding's own HelmRelease and on its release in Helm's storage.

use super::case::Case;
use crate::advice::Command;
use crate::model::helm_release::{GROUP, PLURAL};

/// Asks Flux to reconcile, and optionally for `resetAt` or `forceAt`. Both annotations hold the same token.
pub(super) fn stamped(case: &Case<'_>, wish: Option<&str>) -> Command {
    let token = case.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let annotations = ["requestedAt"].into_iter().chain(wish);
    kubectl(case, "annotate")
        .args(["--overwrite", "--field-manager=flux-client-side-apply"])
        .args(annotations.map(|name| format!("reconcile.fluxcd.io/{name}={token}")))
}

/// Removes the release from Helm's storage, with what it applied: Flux then installs.
pub fn uninstall(case: &Case<'_>) -> Command {
    let namespace = case.hr().storage_namespace();
    let release = case.hr().release_name();
    Command::new(["helm", "uninstall", "-n", namespace, &release])
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

/// Prints the hooks of the newest revision.
pub(super) fn hooks(case: &Case<'_>) -> Command {
    let (hr, get) = (case.hr(), ["helm", "get", "hooks", "-n"]);
    Command::new(get).args([hr.storage_namespace().to_owned(), hr.release_name()])
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
