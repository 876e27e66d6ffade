//! SKVS208: the chart repository answers with an error, too late, or not to the end.

use crate::diagnosis::case::Case;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS208",
    slug: "repository-in-trouble",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository answers with an error, too late, or not to the end",
    explanation: r#"The repository is reached and does not do its part: it answers with 5xx or 429 (too many requests), or not within `spec.timeout`
of the HelmRepository (a minute if not set), or cuts the connection. Large indexes on busy servers come to that."#,
    fix: r#"See it: `kubectl describe helmrepository -n flux-system wit-artifactory`

Ask those who run the repository. An index that takes long: raise `spec.timeout` of the HelmRepository."#,
    example: r#"failed to fetch https://artifactory.example/helm/index.yaml : 503 Service Unavailable
context deadline exceeded (Client.Timeout exceeded while awaiting headers)"#,
    needs: &[],
    explains: sources::FOLLOWS,
    when: always,
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Server,
    wrong: "answers with an error, too late or not to the end",
    why: "The server is reached; it is the server that is in trouble, or slower than the source's spec.timeout.",
    step: "See what it answers, and ask those who run it; an index that takes long needs a larger spec.timeout:",
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
            fixture::sentence("repository-in-trouble", "SKVS208"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm answers with an error, too late or not to the end"
        );
        assert_eq!(
            fixture::sentence("repository-in-trouble-old", "SKVS208"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm answers with an error, too late or not to the end"
        );
    }
}
