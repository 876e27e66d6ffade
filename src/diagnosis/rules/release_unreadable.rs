//! SKVS120: a stored revision of the release cannot be used.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::flux_commands::uninstall;
use crate::diagnosis::retries::{Fixes, restart, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::release::ReleaseError;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS120",
    slug: "release-unreadable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a stored revision of the release cannot be used",
    explanation: r#"Flux reads the release from Helm's storage before it acts. A Secret there cannot be decoded (it was edited, truncated or
badly restored), it is not as Flux left it, or the last uninstall did not finish and left the status `uninstalling`, where
Flux stops."#,
    fix: r#"See it: `helm history -n STORAGENAMESPACE RELEASE`; a revision missing from the list is the broken one.

- Broken: restore the Secret from a backup, or delete it if a newer revision is good. If it is the only one, talk to the
  owners of the data first: without it Flux installs again, and the creation Job fails because the database exists (SKVS301).
- Not as Flux left it (`digest verification error`, another status): find out who changed it. Nothing needs to be deleted.
- `uninstalling`: finish the uninstall with `helm uninstall`; Flux then installs again."#,
    example: r#"Could not determine release state: unable to determine state for release with status 'uninstalling'
Could not determine release state: failed to retrieve last release from storage: get: failed to decode data "sh.helm.release.v1.x.v1": …"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let release = case.hr().release_name();
    let finding = match case.cause()? {
        Some(Cause::Release(ReleaseError::Uninstalling)) => case
            .finding(
                case.subject(),
                format!("the last uninstall of the release {release} did not finish"),
            )
            .why("Its status is uninstalling, and Flux stops there.")
            .step("Finish it; the database stays:")
            .command(uninstall(case))
            .then(Some(restart(case))),
        Some(Cause::Release(ReleaseError::Unreadable(why))) => {
            let finding = undecoded(case, "").why(format!("Helm says: {why}"));
            let finding = match case.undecodable_release().if_read() {
                Some(broken) => finding.why(format!("Read here: {broken}")),
                None => finding,
            };
            mend(case, finding)
        }
        Some(Cause::Release(ReleaseError::Unusable(why))) => {
            let storage = case.hr().storage_namespace();
            case.finding(
                case.subject(),
                format!("Flux cannot work with the stored release {release}"),
            )
            .why(format!("Flux says: {why}"))
            .why(
                "It may have been changed without Flux: by helm, or by a backup that was restored.",
            )
            .step("See its revisions and their status, and ask who changed them:")
            .command(["helm", "history", "-n", storage, &release])
            .then(then(case, Fixes::Elsewhere))
        }
        None if case.is_installed() => {
            let Some(broken) = case.undecodable_release()? else {
                return Ok(None);
            };
            let finding = undecoded(case, ", and Flux has not noticed")
                .why(format!("Read here: {broken}"))
                .why("The installed objects keep running. At its next check Flux fails and makes no further upgrades.");
            mend(case, finding)
        }
        _ => return Ok(None),
    };
    finding.into()
}

fn undecoded(case: &Case<'_>, more: &str) -> Finding {
    let release = case.hr().release_name();
    case.finding(
        case.subject(),
        format!("a stored revision of the release {release} cannot be decoded{more}"),
    )
}

fn mend(case: &Case<'_>, finding: Finding) -> Finding {
    let (release, storage) = (case.hr().release_name(), case.hr().storage_namespace());
    let label = format!("owner=helm,name={release}");
    finding
        .step("List the Secrets, and the revisions that Helm can read:")
        .command(["kubectl", "get", "secrets", "-n", storage, "-l", &label])
        .command(["helm", "history", "-n", storage, &release])
        .step("Restore the broken one from a backup, or delete it if a newer one is good.")
        .step("If it is the only one, talk to the owners of the data first: without it Flux installs again, and the creation Job fails because the database exists (SKVS301).")
        .then(then(case, Fixes::Elsewhere))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::snapshot::{Read, Why};

    #[test]
    fn one_that_flux_has_not_noticed_is_told_too() {
        let mut snapshot = fixture::snapshot("ready");
        let broken = "Secret flux-system/sh.helm.release.v1.a.v1: not base64";
        snapshot.release = Read::Unknown(Why::Broken(broken.to_owned()));
        let case = Case::new(&snapshot, fixture::meta("ready").now);
        let roots = diagnose(&case).roots;
        let root = roots.iter().find(|r| r.rule.code == "SKVS120").unwrap();
        assert_eq!(root.finding.why[0], format!("Read here: {broken}"));
        // A Secret that was not had is another matter.
        snapshot.release = Read::Unknown(Why::Failed(broken.to_owned()));
        let case = Case::new(&snapshot, fixture::meta("ready").now);
        let roots = diagnose(&case).roots;
        assert!(roots.iter().all(|r| r.rule.code != "SKVS120"));
    }

    #[test]
    fn what_can_be_decoded_is_not_to_be_deleted() {
        for said in [
            "release digest verification error",
            "unable to determine state for release with status 'unknown'",
        ] {
            let mut snapshot = fixture::snapshot("release-corrupt-middle");
            for condition in snapshot.helm_release.status.conditions.edit() {
                condition.message = format!("Could not determine release state: {said}");
            }
            let case = Case::new(&snapshot, fixture::meta("release-corrupt-middle").now);
            let roots = diagnose(&case).roots;
            let root = roots.iter().find(|r| r.rule.code == "SKVS120").unwrap();
            let told = format!("{:?}", root.finding);
            assert_eq!(
                root.finding.sentence,
                "Flux cannot work with the stored release core-skvs-onboarding-pds--database"
            );
            assert!(told.contains(said) && !told.contains("decode"), "{told}");
            assert!(!told.contains("delete"), "{told}");
        }
    }

    #[test]
    fn both_are_told() {
        assert_eq!(
            fixture::sentence("release-uninstalling", "SKVS120"),
            "the last uninstall of the release core-skvs-onboarding-pds--database did not finish"
        );
        assert_eq!(
            fixture::sentence("release-corrupt-middle", "SKVS120"),
            "a stored revision of the release core-skvs-onboarding-pds--database cannot be decoded"
        );
    }
}
