//! SKVS119: the release is not in Helm's storage.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::Failure;
use crate::model::failure::release::ReleaseError;
use crate::model::names::release_secret;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS119",
    slug: "release-not-found",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the release is not in Helm's storage",
    explanation: r#"Helm needs a stored revision that does not exist: its Secret was deleted, the history was trimmed (`spec.maxHistory`), or it
is in another namespace than `spec.storageNamespace`."#,
    fix: r#"See it: `kubectl get secrets -A -l owner=helm,name=RELEASE`

- Stored elsewhere: correct `spec.storageNamespace`.
- Gone: Flux installs again, and the creation Job fails if the database exists (SKVS301). Then remove the manifest and talk
  to the owners of the data."#,
    example: r#"upgrade failed: update: failed to update: release: not found
rollback failed: release has no 3 version"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if case.failure.as_ref().is_some_and(Failure::is_of_cleanup) {
        // Nothing had been stored: the cause is elsewhere (SKVS131).
        return Ok(None);
    }
    let Some(Cause::Release(ReleaseError::NotFound(revision))) = case.cause()? else {
        return unnoticed(case);
    };
    let release = case.hr().release_name();
    let storage = case.hr().storage_namespace();
    let what = match revision {
        Some(revision) => format!("revision {revision} of the release {release} is"),
        None => format!("the release {release} is"),
    };
    case.finding(
        case.subject(),
        format!("{what} not in Helm's storage in {storage}"),
    )
    .why("It was deleted or trimmed, or is stored in another namespace (spec.storageNamespace).")
    .step("Find its revisions:")
    .command(everywhere(&release))
    .then(then(case, Fixes::Elsewhere))
    .into()
}

/// Ready by its status, while storage holds no revision: Flux looks at it again only when it reconciles.
fn unnoticed(case: &Case<'_>) -> Verdict {
    let hr = case.hr();
    let Some(revision) = hr.revision().filter(|_| case.is_installed()) else {
        return Ok(None);
    };
    if case.release()?.is_some() || case.revisions()?.is_none_or(|all| !all.is_empty()) {
        return Ok(None);
    }
    let (release, storage) = (hr.release_name(), hr.storage_namespace());
    let secret = release_secret(&release, revision);
    case.finding(
        case.subject(),
        format!("the release {release} is not in Helm's storage in {storage}, and Flux has not noticed"),
    )
    .why("It was deleted. At its next reconcile Flux installs again, and the creation Job fails because the database exists (SKVS301).")
    .seen([Evidence::new(Subject::new("Secret", storage, &secret), "", "not found")])
    .step("Find its revisions, and restore them from a backup:")
    .command(everywhere(&release))
    .into()
}

/// Shows the revisions of the release, wherever they are.
fn everywhere(release: &str) -> [String; 6] {
    let selector = format!("owner=helm,name={release}");
    ["kubectl", "get", "secrets", "-A", "-l", &selector].map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("release-not-found", "SKVS119"),
            "the release core-skvs-onboarding-pds--database is not in Helm's storage in flux-system"
        );
        assert_eq!(
            fixture::sentence("release-revision-trimmed-middle", "SKVS119"),
            "revision 3 of the release core-skvs-onboarding-pds--database is not in Helm's storage in flux-system"
        );
    }
}
