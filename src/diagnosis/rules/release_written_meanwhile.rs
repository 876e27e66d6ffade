//! SKVS117: Helm's next revision already exists.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::release::ReleaseError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS117",
    slug: "release-written-meanwhile",
    severity: Severity::Warning,
    role: Role::Cause,
    title: "Helm's next revision already exists",
    explanation: r#"Helm tried to write a revision of the release and its Secret already existed. Somebody else (a helm command by hand, a second
controller) wrote it at the same time, or Helm cannot decode a Secret of that name and skips it."#,
    fix: r#"See it: `kubectl get secrets -n STORAGENAMESPACE -l owner=helm,name=RELEASE`, and `helm history` for Helm's own list.

- Written at the same time: Flux tries again.
- A Secret missing from `helm history`: look at it, and delete it."#,
    example: r#"create: failed to create: release: already exists"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if case.cause()? != Some(&Cause::Release(ReleaseError::WrittenMeanwhile)) {
        return Ok(None);
    }
    let release = case.hr().release_name();
    let storage = case.hr().storage_namespace();
    case.finding(
        case.subject(),
        format!("the Secret of the next revision of {release} in {storage} already exists"),
    )
    .why("Somebody wrote it at the same time, or Helm cannot decode it.")
    .step("Compare Helm's history with the Secrets:")
    .command(["helm", "history", "-n", storage, &release])
    .command([
        "kubectl",
        "get",
        "secrets",
        "-n",
        storage,
        "-l",
        &format!("owner=helm,name={release}"),
    ])
    .step("Delete a Secret only if its revision is missing from the history.")
    .severity(case.passing())
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("release-written-meanwhile", "SKVS117"),
            "the Secret of the next revision of core-skvs-onboarding-pds--database in flux-system already exists"
        );
    }
}
