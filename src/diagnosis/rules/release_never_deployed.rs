//! SKVS118: only failed revisions of the release are stored.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::retries::uninstalled;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::release_error::ReleaseError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS118",
    slug: "release-never-deployed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "only failed revisions of the release are stored",
    explanation: r#"Flux tries to upgrade, but Helm finds no deployed revision to upgrade from: the installation failed and its revisions stayed.
An upgrade would not create the database either: remove the failed release."#,
    fix: r#"See it: `helm history -n STORAGENAMESPACE RELEASE` has no `deployed` and no `superseded`.

Remove the release; Flux then installs."#,
    example: r#"upgrade failed: "core-skvs-onboarding-pds--database" has no deployed releases"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(ReleaseError::NeverDeployed(_)) = case.release_error()? else {
        return Ok(None);
    };
    let release = case.hr().release_name();
    let storage = case.hr().storage_namespace();
    let finding = case.finding(case.subject(), format!("only failed revisions of the release {release} are stored in {storage}, and Helm cannot upgrade from them"))
        .why("The installation failed and its revisions stayed in storage.");
    uninstalled(
        case,
        finding,
        "The stored revisions:",
        "Remove it, so that Flux installs and the creation Job runs:",
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("release-never-deployed", "SKVS118"),
            "only failed revisions of the release core-skvs-onboarding-pds--database are stored in flux-system, and Helm cannot upgrade from them"
        );
        assert_eq!(
            fixture::sentence("release-never-deployed-old", "SKVS118"),
            "only failed revisions of the release core-skvs-onboarding-pds--database are stored in flux-system, and Helm cannot upgrade from them"
        );
    }
}
