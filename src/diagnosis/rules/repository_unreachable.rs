//! SKVS203: the chart repository cannot be reached.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS203",
    slug: "repository-unreachable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository cannot be reached",
    explanation: r#"source-controller cannot connect to the repository: the name does not resolve, nothing listens, or the network blocks the
connection. All onboardings of this repository are affected; installed ones continue with their present chart."#,
    fix: r#"See it: `kubectl describe helmrepository -n flux-system wit-artifactory`

Check from inside the cluster: DNS, network policies, proxy. Then wait, or `flux reconcile source helm NAME`"#,
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

fn check(case: &Case<'_>) -> Verdict {
    sources::repository(case, &FAULT)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-unreachable", "SKVS203"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm cannot be reached"
        );
    }
}
