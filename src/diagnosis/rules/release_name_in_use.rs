//! SKVS116: the Helm release's name is in use.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::uninstalled;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::model::release_error::ReleaseError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS116",
    slug: "release-name-in-use",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the Helm release's name is in use",
    explanation: r#"Flux wants to install, and a release of that name is stored already that it does not know as its own: an earlier onboarding of
the name, a helm command by hand, or two HelmReleases with one release name and storage namespace."#,
    fix: r#"See it: `helm history -n STORAGENAMESPACE RELEASE`, and whether another HelmRelease has the same release name.

If the stored release is a leftover, remove it: its authorization policy goes, the database stays. Else give this onboarding
another `spec.releaseName`."#,
    example: r#"install failed: cannot re-use a name that is still in use"#,
    needs: &[],
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if case.release_error() != Some(ReleaseError::NameInUse) {
        return Verdict::Clear;
    }
    let release = case.hr().release_name();
    let storage = case.hr().storage_namespace();
    let finding = case.finding(case.subject(), format!("a Helm release {release} is stored already in {storage}, and Flux does not know it as its own"))
        .why("Helm installs no second release of one name in one storage namespace.");
    uninstalled(
        case,
        finding,
        "See what the stored one is:",
        "If it is not needed, remove it, so that Flux installs anew (this takes its authorization policy, never a database):",
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn both_helms_words_are_known() {
        assert_eq!(
            fixture::sentence("release-name-in-use", "SKVS116"),
            "a Helm release core-skvs-onboarding-pds--database is stored already in flux-system, and Flux does not know it as its own"
        );
        assert_eq!(
            fixture::sentence("release-name-in-use-old", "SKVS116"),
            "a Helm release core-skvs-onboarding-pds--database is stored already in flux-system, and Flux does not know it as its own"
        );
    }
}
