//! SKVS211: the Secret that the chart repository needs is missing or incomplete.

use crate::advice::Command;
use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources;
use crate::model::source_error::{SourceError, quoted};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS211",
    slug: "repository-secret-unusable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the Secret that the chart repository needs is missing or incomplete",
    explanation: r#"The repository was not asked at all: the Secret that `spec.secretRef` or `spec.certSecretRef` of the source names is not in its
namespace, or lacks what it must hold (`username` and `password`; `tls.crt` and `tls.key`, or `ca.crt`; for an OCI registry
`.dockerconfigjson` with an entry for its host)."#,
    fix: r#"See it: `kubectl get secret -n flux-system`

Create the Secret with its keys, or correct the reference. Where a controller copies it from a vault, look there."#,
    example: r#"AuthenticationFailed: failed to get authentication secret 'flux-system/artifactory': secrets "artifactory" not found"#,
    needs: &[],
    explains: sources::FOLLOWS,
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Secret) else {
        return sources::nothing(case);
    };
    let source = sources::repository_of(case, &told);
    let text = &told.condition.message;
    let named = [
        "authentication secret ",
        "invalid ",
        "docker-registry Secret ",
        "secret ",
        "secrets ",
    ]
    .iter()
    .find_map(|lead| quoted(text, lead));
    let missing = text.contains("\" not found");
    let subject = match named.map(|n| n.split_once('/').unwrap_or((&source.namespace, n))) {
        Some((namespace, name)) => Subject::new("Secret", namespace, name),
        None => source.clone(),
    };
    let sentence = match (named, missing) {
        (Some(_), true) => {
            format!("{subject} does not exist, and {source} takes its credentials from it")
        }
        (Some(_), false) => format!("{subject} lacks what {source} needs of it"),
        (None, _) => format!("the Secret that {source} takes its credentials from cannot be used"),
    };
    let (step, command) = if missing {
        let all = ["kubectl", "get", "secrets", "-n", &subject.namespace];
        (
            "See which there are; then create it, or correct spec.secretRef or spec.certSecretRef of the source:",
            Command::new(all),
        )
    } else {
        (
            "See its type and which keys it has, then add what is missing:",
            sources::describe(&subject),
        )
    };
    sources::finding(
        case,
        &subject,
        &sentence,
        "source-controller composes the credentials before it asks the repository, so that was not asked.",
    )
    .seen(evidence)
    .step(step)
    .command(command)
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-secret-missing", "SKVS211"),
            "Secret flux-system/artifactory does not exist, and HelmRepository flux-system/wit-artifactory takes its credentials from it"
        );
        assert_eq!(
            fixture::sentence("repository-secret-incomplete", "SKVS211"),
            "Secret flux-system/artifactory lacks what HelmRepository flux-system/wit-artifactory needs of it"
        );
        assert_eq!(
            fixture::sentence("repository-secret-missing-old", "SKVS211"),
            "Secret flux-system/artifactory does not exist, and HelmRepository flux-system/wit-artifactory takes its credentials from it"
        );
    }
}
