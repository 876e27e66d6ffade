//! SKVS124: an object or the release is too large to be stored.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::{Large, ObjectError};
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS124",
    slug: "too-large",
    severity: Severity::Error,
    role: Role::Cause,
    title: "an object or the release is too large to be stored",
    explanation: r#"Helm stores a release, with the whole chart in it, in one Secret, and Kubernetes limits a Secret to 1 MiB of data; etcd and
the API server limit the request as well. A large file in the chart, or large values, exceed the limit. Client-side apply
keeps the object in an annotation, with a limit of 256 KiB."#,
    fix: r#"See it: the size of the chart's archive, of `spec.values` and of the values from `valuesFrom`.

Remove large files from the chart (`.helmignore`), or use the previous version. The onboarding's own values are a few lines:
a large file there is a mistake."#,
    example: r#"create: failed to create: Secret "sh.helm.release.v1.x.v1" is invalid: data: Too long: may not be more than 1048576 bytes
etcdserver: request is too large"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Object(ObjectError::TooLarge(what))) = case.cause()? else {
        return Ok(None);
    };
    let sentence = match what {
        Large::Release => "the release is too large for Helm's Secret",
        Large::Object => "an object of the chart is too large: Kubernetes accepts at most 1 MiB",
        Large::Annotations => "an object of the chart is too large for client-side apply",
        Large::Request => "Flux's request is too large for the API server",
    };
    let finding = case
        .finding(case.subject(), sentence)
        .why("Helm stores the whole chart with each revision, compressed; a Secret holds 1 MiB.")
        .step(
            "Remove large files from the chart or the values, or use the chart's previous version.",
        );
    // Helm has no history of a release that was never stored.
    let revisions = case.revisions().if_read();
    let stored = revisions.is_none_or(|all| !all.is_empty());
    let finding = if stored {
        finding.step("The stored revisions:").command([
            "helm",
            "history",
            "-n",
            case.hr().storage_namespace(),
            &case.hr().release_name(),
        ])
    } else {
        finding
    };
    finding.then(then(case, Fixes::Elsewhere)).into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn what_is_too_large_is_told() {
        assert_eq!(
            fixture::sentence("too-large", "SKVS124"),
            "the release is too large for Helm's Secret"
        );
        assert_eq!(
            fixture::sentence("too-large-object", "SKVS124"),
            "an object of the chart is too large: Kubernetes accepts at most 1 MiB"
        );
        assert_eq!(
            fixture::sentence("too-large-middle", "SKVS124"),
            "Flux's request is too large for the API server"
        );
        assert_eq!(
            fixture::sentence("too-large-old", "SKVS124"),
            "the release is too large for Helm's Secret"
        );
    }
}
