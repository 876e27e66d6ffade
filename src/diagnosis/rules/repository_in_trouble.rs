//! SKVS208: the chart repository fails, is too slow or breaks off.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source::Source;
use crate::model::source_error::{SourceError, is_of_limit};
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS208",
    slug: "repository-in-trouble",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository fails, is too slow or breaks off",
    explanation: r#"The repository is reachable but does not deliver: it answers with 5xx or 429 (too many requests), takes longer than
`spec.timeout` of the HelmRepository (a minute if not set), or drops the connection. Large indexes on busy servers cause
this."#,
    fix: r#"See it: `kubectl describe helmrepository -n flux-system wit-artifactory`

Ask the repository's operators. For a large index raise `spec.timeout` of the HelmRepository."#,
    example: r#"failed to fetch https://artifactory.example/helm/index.yaml : 503 Service Unavailable
context deadline exceeded (Client.Timeout exceeded while awaiting headers)"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Server,
    wrong: "fails, is too slow or breaks off",
    why: "The server is reachable, but it has a problem or is slower than the source's spec.timeout.",
    step: "Read its answer, and ask the repository's operators; a large index needs a longer spec.timeout:",
};

/// It limits how often it may be asked.
const LIMIT: Fault = Fault {
    kind: SourceError::Server,
    wrong: "refuses further requests for now (429)",
    why: "It limits requests, most registries those without a login first.",
    step: "Let source-controller log in (spec.secretRef, or spec.provider for a cloud's registry), or have it ask less often (spec.interval):",
};

/// The same where source-controller has a login, or may have one.
const LIMIT_OF_LOGIN: Fault = Fault {
    why: "It limits requests.",
    step: "Have source-controller ask less often (spec.interval), or ask the repository's operators to raise the limit of its account:",
    ..LIMIT
};

fn check(case: &Case<'_>) -> Verdict {
    let found = sources::find(case, SourceError::Server);
    let is_limit = found.is_some_and(|(complaint, _)| is_of_limit(&complaint.condition.message));
    let is_anonymous = case
        .source()
        .if_read()
        .is_some_and(Source::has_no_credentials);
    let fault = match (is_limit, is_anonymous) {
        (false, _) => &FAULT,
        (true, true) => &LIMIT,
        (true, false) => &LIMIT_OF_LOGIN,
    };
    sources::repository(case, fault)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;
    use crate::diagnosis::texts::of_source;
    use serde_json::json;

    #[test]
    fn a_login_is_only_proposed_where_none_is_configured() {
        let of = |spec| {
            of_source(
                "HelmRepository",
                &spec,
                "failed to fetch https://charts.example/index.yaml : 429 Too Many Requests",
                "SKVS208",
            )
        };
        let login = "Let source-controller log in";
        assert!(of(json!({})).contains(login));
        assert!(of(json!({"provider": "generic"})).contains(login));
        for spec in [
            json!({"secretRef": {"name": "a"}}),
            json!({"secretRef": 7}),
            json!({"provider": "aws"}),
            json!({"provider": 7}),
        ] {
            let fix = of(spec.clone());
            assert!(!fix.contains(login), "{spec}: {fix}");
            assert!(fix.contains("spec.interval"), "{spec}: {fix}");
        }
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-in-trouble", "SKVS208"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm fails, is too slow or breaks off"
        );
        assert_eq!(
            fixture::sentence("repository-in-trouble-old", "SKVS208"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm fails, is too slow or breaks off"
        );
    }
}
