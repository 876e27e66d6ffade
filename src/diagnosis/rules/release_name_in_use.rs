//! SKVS116: the Helm release's name is in use.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::retries::uninstalled;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::release::ReleaseError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS116",
    slug: "release-name-in-use",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the Helm release's name is in use",
    explanation: r#"Flux wants to install, but a release of that name is already stored and is not Flux's own: an earlier onboarding of the same
name, a helm command by hand, or two HelmReleases with the same release name and storage namespace."#,
    fix: r#"See it: `helm history -n STORAGENAMESPACE RELEASE`, and whether another HelmRelease has the same release name.

If the stored release is a leftover, remove it: its authorization policy is deleted, the database stays. Otherwise give this
onboarding another `spec.releaseName`."#,
    example: r#"install failed: cannot re-use a name that is still in use"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if case.cause()? != Some(&Cause::Release(ReleaseError::NameInUse)) {
        return Ok(None);
    }
    let release = case.hr().release_name();
    let storage = case.hr().storage_namespace();
    let finding = case
        .finding(
            case.subject(),
            format!(
                "a Helm release {release} is already stored in {storage}, and it is not Flux's own"
            ),
        )
        .why("Helm does not install two releases of the same name in one storage namespace.");
    uninstalled(
        case,
        finding,
        "Inspect the stored release:",
        "If it is not needed, remove it, so that Flux installs again (this deletes its authorization policy, never a database):",
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn both_helms_words_are_known() {
        assert_eq!(
            fixture::sentence("release-name-in-use", "SKVS116"),
            "a Helm release core-skvs-onboarding-pds--database is already stored in flux-system, and it is not Flux's own"
        );
        assert_eq!(
            fixture::sentence("release-name-in-use-old", "SKVS116"),
            "a Helm release core-skvs-onboarding-pds--database is already stored in flux-system, and it is not Flux's own"
        );
    }
}
