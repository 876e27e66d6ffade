//! SKVS120: a stored revision of the release cannot be used.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, restart, then, uninstall};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::model::release_error::ReleaseError;
use crate::snapshot::{Read, Why};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS120",
    slug: "release-unreadable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a stored revision of the release cannot be used",
    explanation: r#"Flux reads the release from Helm's storage before it acts. A Secret there cannot be decoded (it was edited, cut or restored
badly), or the last uninstall did not come to its end and left the status `uninstalling`, from which Flux does not go on."#,
    fix: r#"See it: `helm history -n STORAGENAMESPACE RELEASE`; a revision that it does not show is the broken one.

Broken: restore the Secret from a backup, or delete it if a newer revision is good. If it is the only one, Flux installs anew
without it, and the creation Job fails, since the database is there (SKVS301): talk to the owners of the data first.

`uninstalling`: end the uninstall with
`helm uninstall`; Flux then installs anew."#,
    example: r#"Could not determine release state: unable to determine state for release with status 'uninstalling'
Could not determine release state: failed to retrieve last release from storage: get: failed to decode data "sh.helm.release.v1.x.v1": …"#,
    needs: &[],
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let release = case.hr().release_name();
    let storage = case.hr().storage_namespace();
    let finding = match case.release_error() {
        Some(ReleaseError::Uninstalling) => case
            .finding(
                case.subject(),
                format!("the last uninstall of the release {release} did not come to its end"),
            )
            .why("Its status is uninstalling, and Flux does not go on from there.")
            .step("End it; the database stays:")
            .command(uninstall(case))
            .then(Some(restart(case))),
        Some(ReleaseError::Unreadable(why)) => {
            let finding = case
                .finding(
                    case.subject(),
                    format!("a stored revision of the release {release} cannot be decoded"),
                )
                .why(format!("Helm says: {why}"));
            let finding = match &case.snapshot.release {
                Read::Unknown(Why::Failed(broken)) => finding.why(format!("Read here: {broken}")),
                _ => finding,
            };
            finding
            .step("See which Secrets there are, and which of them Helm can read:")
            .command([
                "kubectl",
                "get",
                "secrets",
                "-n",
                storage,
                "-l",
                &format!("owner=helm,name={release}"),
            ])
            .command(["helm", "history", "-n", storage, &release])
            .step("Restore the broken one from a backup, or delete it if a newer one is good.")
            .step("If it is the only one, talk to the owners of the data first: without it Flux installs anew, and the creation Job fails, since the database is there (SKVS301).")
            .then(then(case, Fixes::Elsewhere))
        }
        _ => return Verdict::Clear,
    };
    finding.into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn both_are_told() {
        assert_eq!(
            fixture::sentence("release-uninstalling", "SKVS120"),
            "the last uninstall of the release core-skvs-onboarding-pds--database did not come to its end"
        );
        assert_eq!(
            fixture::sentence("release-corrupt-middle", "SKVS120"),
            "a stored revision of the release core-skvs-onboarding-pds--database cannot be decoded"
        );
    }
}
