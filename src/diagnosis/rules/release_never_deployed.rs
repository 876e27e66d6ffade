//! SKVS118: only failed revisions of the release are stored.

use crate::advice::Command;
use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::flux_commands::{history, uninstall};
use crate::diagnosis::install;
use crate::diagnosis::retries::{again, restart, uninstalled};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::release::ReleaseError;
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

Remove the release; Flux then installs. If the release was installed before, keep it and roll back: its database may exist."#,
    example: r#"upgrade failed: "core-skvs-onboarding-pds--database" has no deployed releases"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Release(ReleaseError::NeverDeployed(_))) = case.cause()? else {
        return Ok(None);
    };
    let release = case.hr().release_name();
    let storage = case.hr().storage_namespace();
    // The text only says that nothing is deployed; what is stored says what was.
    let revisions = case.revisions();
    let stored = revisions.clone().if_read().into_iter().flatten();
    let good = stored.filter(|r| was_deployed(&r.status));
    if let Some(newest) = good.max_by_key(|r| r.revision) {
        let number = newest.revision.to_string();
        return case
            .finding(case.subject(), format!("Helm finds no deployed revision of the release {release} to upgrade from"))
            .why(format!("It was installed before: the stored revision {number} is {}. Do not remove the release: a new installation would find the database (SKVS301).", newest.status))
            .step("Find the newest revision that ended well; a description with failed did not:")
            .command(history(case))
            .step(format!("Roll back to it, if it is revision {number}:"))
            .command(["helm", "rollback", "-n", storage, &release, &number])
            .then(Some(again(case)))
            .into();
    }
    let status = &case.hr().status;
    let recorded = status.history.iter().any(|h| was_deployed(&h.status))
        || status
            .last_applied_revision
            .as_deref()
            .is_some_and(|r| !r.is_empty());
    if recorded {
        return case
            .finding(case.subject(), format!("Helm has no deployed revision of the release {release}, although Flux installed it"))
            .why("Flux recorded a successful installation, so the database may exist. Somebody removed the release, or its revisions, since.")
            .step("What is stored now:")
            .command(history(case))
            .step("If a superseded revision is listed, roll back to it. If not, see whether the database exists:")
            .command(Command::skvs(["databases"]))
            .step("If it does, set values.databaseCreationJob.enabled: false first, where the chart has this value: a new installation would find the database (SKVS301). Then remove what is left:")
            .command(uninstall(case))
            .then(Some(restart(case)))
            .into();
    }
    if install::created(case) == Some(true) {
        return case
            .finding(case.subject(), format!("only failed revisions of the release {release} are stored, and Helm cannot upgrade from them, but the database was created"))
            .why("The creation Job ended well, so a new installation would find the database (SKVS301). Do not remove the release as it is.")
            .step("Set values.databaseCreationJob.enabled: false first, where the chart has this value. Then look at what is stored, and remove it:")
            .command(history(case))
            .command(uninstall(case))
            .then(Some(restart(case)))
            .into();
    }
    if let Err(unread) = revisions {
        // Without them an uninstall could remove a release that was once deployed.
        return case
            .finding(case.subject(), format!("Helm finds no deployed revision of the release {release} to upgrade from"))
            .why(format!("Whether it was ever deployed is not known: {} were not read ({}).", unread.what, unread.why.clause()))
            .step("If a revision is superseded, roll back to it. Only if all have failed, remove the release, so that Flux installs:")
            .command(history(case))
            .into();
    }
    let finding = case.finding(case.subject(), format!("only failed revisions of the release {release} are stored in {storage}, and Helm cannot upgrade from them"))
        .why("The installation failed and its revisions stayed in storage.")
        .of_attempt();
    uninstalled(
        case,
        finding,
        "The stored revisions:",
        "Remove it, so that Flux installs and the creation Job runs:",
    )
}

/// A later revision supersedes only one that was deployed.
fn was_deployed(status: &str) -> bool {
    ["deployed", "superseded"].contains(&status)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::snapshot::{Read, Snapshot, Why};

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

    #[test]
    fn without_the_stored_revisions_nothing_is_removed() {
        let mut snapshot = fixture::snapshot("release-never-deployed");
        let now = fixture::meta("release-never-deployed").now;
        let told = |snapshot: &Snapshot| {
            let verdict = (super::RULE.check)(&Case::new(snapshot, now));
            format!("{:?}", verdict.unwrap().unwrap())
        };
        assert!(told(&snapshot).contains("uninstall"));
        snapshot.revisions =
            Read::Unknown(Why::Forbidden("list secrets in flux-system".to_owned()));
        let unread = told(&snapshot);
        assert!(!unread.contains("uninstall"), "{unread}");
        assert!(
            unread.contains("were not read (forbidden (list secrets in flux-system))"),
            "{unread}"
        );
    }
}
