//! SKVS209: the chart repository does not serve a valid index.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS209",
    slug: "repository-index-broken",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository does not serve a valid index",
    explanation: r#"The repository's URL answers 200, but not with a Helm index: it is a login page, a proxy's page, or a truncated or invalid
index."#,
    fix: r#"See it: `curl -s URL/index.yaml | head`

Correct `spec.url` of the HelmRepository, or have the index rebuilt."#,
    example: r#"IndexationFailed: failed to load Helm repository from index YAML: error converting YAML to JSON: yaml: line 3: mapping values are not allowed"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Index,
    wrong: "does not serve a valid index",
    why: "The server answers, but not with a chart repository's index: often a login page, or a truncated index.",
    step: "Fetch URL/index.yaml and look at it; then correct spec.url of the source, or have the index rebuilt:",
};

/// A valid index that is larger than source-controller reads.
const TOO_LARGE: Fault = Fault {
    kind: SourceError::Index,
    wrong: "has an index that is larger than source-controller reads",
    why: "It reads an index up to a limit (--helm-index-max-size).",
    step: "Have old versions removed from the repository, move the chart to an OCI registry, which needs no index, or have source-controller started with a higher --helm-index-max-size:",
};

fn check(case: &Case<'_>) -> Verdict {
    let told = sources::find(case, SourceError::Index);
    let is_large = told.is_some_and(|(told, _)| {
        let text = &told.condition.message;
        text.contains("exceeds the maximum index file size of")
    });
    sources::repository(case, if is_large { &TOO_LARGE } else { &FAULT })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-index-broken", "SKVS209"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm does not serve a valid index"
        );
        assert_eq!(
            fixture::sentence("repository-index-broken-old", "SKVS209"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm does not serve a valid index"
        );
    }
}
