//! SKVS205: the chart repository's URL is wrong.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS205",
    slug: "repository-wrong-url",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository's URL is wrong",
    explanation: r#"The server answers 404: it has no `index.yaml` under the repository's URL. The path is wrong, or the repository was renamed
or removed. The URL must not contain `index.yaml` itself."#,
    fix: r#"See it: `kubectl get helmrepository -n flux-system wit-artifactory -o jsonpath='{.spec.url}'`

Correct `spec.url` of the HelmRepository."#,
    example: r#"failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://…/index.yaml : 404 Not Found"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::NotFound,
    wrong: "has no index there",
    why: "The server answers, but has no chart repository under this URL.",
    step: "Correct spec.url of the repository:",
};

fn check(case: &Case<'_>) -> Verdict {
    sources::repository(case, &FAULT)
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
