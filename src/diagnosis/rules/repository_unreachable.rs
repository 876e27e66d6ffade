//! SKVS203: the chart repository cannot be reached.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::{SourceError, refused_by_proxy};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS203",
    slug: "repository-unreachable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository cannot be reached",
    explanation: r#"source-controller cannot connect to the repository: the name does not resolve, nothing listens, or the network blocks the
connection. All onboardings of this repository are affected; installed ones continue with their present chart."#,
    fix: r#"See it: `kubectl describe helmrepository -n flux-system wit-artifactory`

Check from inside the cluster: DNS, network policies, proxy. An answer such as `Forbidden` directly after the URL is the
proxy's. Then wait, or `flux reconcile source helm NAME`"#,
    example: r#"failed to fetch Helm repository index: … dial tcp: lookup artifactory.example: no such host"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Unreachable,
    wrong: "cannot be reached",
    why: "source-controller cannot connect to the repository, so it has no chart to install.",
    step: "Read its present error, then fix the connection (DNS, network policy, proxy):",
};

/// The proxy answers, and does not pass the request on.
const PROXY: Fault = Fault {
    kind: SourceError::Unreachable,
    wrong: "cannot be reached: the proxy in between refuses the request",
    why: "source-controller uses a proxy, and this is the proxy's answer; the repository was not asked.",
    step: "Compare HTTPS_PROXY and NO_PROXY of source-controller with what the proxy lets through, and whether it asks for a password:",
};

fn check(case: &Case<'_>) -> Verdict {
    let told = sources::find(case, SourceError::Unreachable);
    let by_proxy = told.is_some_and(|(t, _)| refused_by_proxy(&t.condition.message).is_some());
    sources::repository(case, if by_proxy { &PROXY } else { &FAULT })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;
    use crate::diagnosis::texts::of_source;
    use serde_json::json;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-unreachable", "SKVS203"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm cannot be reached"
        );
    }

    #[test]
    fn a_proxy_that_refuses_is_told_from_a_repository_that_does_not_answer() {
        let of = |answer: &str| {
            let text = format!(
                r#"failed to fetch Helm repository index: failed to cache index to temporary file: Get "https://artifactory.example/helm/index.yaml": {answer}"#
            );
            of_source("HelmRepository", &json!({}), &text, "SKVS203")
        };
        insta::assert_snapshot!(of("Proxy Authentication Required"), @r#"
        HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm cannot be reached: the proxy in between refuses the request
        Compare HTTPS_PROXY and NO_PROXY of source-controller with what the proxy lets through, and whether it asks for a password:
        $ kubectl describe -n flux-system helmrepositories.source.toolkit.fluxcd.io wit-artifactory
        "#);
        insta::assert_snapshot!(of("dial tcp 10.1.1.1:443: connect: connection refused"), @r#"
        HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm cannot be reached
        Read its present error, then fix the connection (DNS, network policy, proxy):
        $ kubectl describe -n flux-system helmrepositories.source.toolkit.fluxcd.io wit-artifactory
        "#);
    }
}
