//! SKVS209: what the chart repository serves is no index.

use crate::diagnosis::case::Case;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS209",
    slug: "repository-index-broken",
    severity: Severity::Error,
    role: Role::Cause,
    title: "what the chart repository serves is no index",
    explanation: r#"Something answers under the repository's URL with 200, and it is no Helm index: a login page, a proxy's page, or an index that
was cut or is not valid YAML."#,
    fix: r#"See it: `curl -s URL/index.yaml | head`

Correct `spec.url` of the HelmRepository, or have the index made anew."#,
    example: r#"IndexationFailed: failed to load Helm repository from index YAML: error converting YAML to JSON: yaml: line 3: mapping values are not allowed"#,
    needs: &[],
    explains: sources::FOLLOWS,
    when: always,
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Index,
    wrong: "serves something that is no index",
    why: "The server answers, but not with a chart repository's index: often a login page, or an index that was cut.",
    step: "Get URL/index.yaml and look what it is; then correct spec.url of the source, or have the index made anew:",
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
            fixture::sentence("repository-index-broken", "SKVS209"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm serves something that is no index"
        );
        assert_eq!(
            fixture::sentence("repository-index-broken-old", "SKVS209"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm serves something that is no index"
        );
    }
}
