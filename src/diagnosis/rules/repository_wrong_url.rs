//! SKVS205: the chart repository's URL leads nowhere.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS205",
    slug: "repository-wrong-url",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository's URL leads nowhere",
    explanation: r#"The server answers with 404: there is no `index.yaml` under the URL of the repository. The path is wrong, or the repository
was renamed or removed. The URL must not contain `index.yaml` itself."#,
    fix: r#"See it: `kubectl get helmrepository -n flux-system wit-artifactory -o jsonpath='{.spec.url}'`

Correct `spec.url` of the HelmRepository."#,
    example: r#"failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://…/index.yaml : 404 Not Found"#,
    needs: &[],
    explains: &["SKVS108", "SKVS110"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let is = |t: &sources::Told| {
        t.condition.reason == "URLInvalid"
            || t.says(&[" : 404", "status code 404", "invalid Helm repository URL"])
    };
    let Some((told, evidence)) = sources::find(case, is) else {
        return sources::nothing(case);
    };
    let subject = sources::source(case).unwrap_or(told.subject);
    let url = sources::url(case);
    let at = if url.is_empty() {
        String::new()
    } else {
        format!(" at {url}")
    };
    let mut finding = Finding::new(subject.clone(), format!("{subject}{at} has no index there"))
        .severity(sources::severity(case))
        .why("The server answers, and has no chart repository under this URL.");
    if case.is_ready() {
        finding = finding.why("The onboarding runs on the chart it has; it will get no newer one.");
    }
    finding
        .seen(evidence)
        .step("Correct spec.url of the repository:")
        .command([
            "kubectl",
            "describe",
            "-n",
            &subject.namespace,
            &subject.kind.to_lowercase(),
            &subject.name,
        ])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-wrong-url", "SKVS205"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/hlem has no index there"
        );
    }
}
