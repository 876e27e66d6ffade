//! SKVS118: only failed revisions of the release are stored.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::retries::{again, history, restart, uninstall, uninstalled};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::release_error::ReleaseError;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS118",
    slug: "release-never-deployed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "only failed revisions of the release are stored",
    explanation: r#"Flux tries to upgrade, but Helm finds no deployed revision to upgrade from: the installation failed and its revisions stayed.
An upgrade would not create the database either: remove the failed release."#,
    fix: r#"See it: `helm history -n STORAGENAMESPACE RELEASE` has no `deployed` and no `superseded`.

Remove the release; Flux then installs. If the release was installed before, keep it and roll back: its database exists."#,
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
    // The text only says that nothing is deployed; what is stored says what was.
    let stored = case.revisions().if_read().into_iter().flatten();
    let good = stored.filter(|r| ["deployed", "superseded"].contains(&r.status.as_str()));
    if let Some(newest) = good.map(|r| r.revision).max() {
        return case
            .finding(case.subject(), format!("no stored revision of the release {release} is marked deployed, and Helm cannot upgrade it"))
            .why(format!("It was installed before: revision {newest} is superseded. Do not remove the release: a new installation would find the database (SKVS301)."))
            .step("Find the newest revision that ended well; a description with failed did not:")
            .command(history(case))
            .step("Roll back to it:")
            .command(["helm", "rollback", "-n", storage, &release, &newest.to_string()])
            .then(Some(again(case)))
            .into();
    }
    let status = &case.hr().status;
    let recorded = status.history.iter().any(|h| h.status == "deployed")
        || status
            .last_applied_revision
            .as_deref()
            .is_some_and(|r| !r.is_empty());
    if recorded {
        return case
            .finding(case.subject(), format!("Helm has no deployed revision of the release {release}, although Flux installed it"))
            .why("Flux recorded a successful installation, so the database exists. Somebody removed the release, or its revisions, since.")
            .step("What is stored now:")
            .command(history(case))
            .step("If a superseded revision is listed, roll back to it. If not, set values.databaseCreationJob.enabled: false first, where the chart has this value: a new installation would find the database (SKVS301). Then remove what is left:")
            .command(uninstall(case))
            .then(Some(restart(case)))
            .into();
    }
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
