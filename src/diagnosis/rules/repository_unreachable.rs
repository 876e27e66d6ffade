//! SKVS203: the chart repository cannot be reached.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS203",
    slug: "repository-unreachable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository cannot be reached",
    explanation: r#"source-controller cannot get the repository's index: the name does not resolve, nothing answers, TLS fails, or the server is
in trouble. All onboardings of this repository are affected; those that are installed go on with the chart they have."#,
    fix: r#"See it: `kubectl describe helmrepository -n flux-system wit-artifactory`

Look from within the cluster: DNS, network policies, proxy, the server's certificate (`spec.certSecretRef`). Then wait, or
`flux reconcile source helm NAME`"#,
    example: r#"failed to fetch Helm repository index: … dial tcp: lookup artifactory.example: no such host"#,
    needs: &[],
    explains: &["SKVS108", "SKVS110"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let is = |t: &sources::Told| {
        let texts = [
            "no such host",
            "i/o timeout",
            "connection refused",
            "Client.Timeout exceeded",
            "TLS handshake timeout",
            "x509: ",
            "no route to host",
            "server misbehaving",
            " : 500",
            " : 502",
            " : 503",
            " : 504",
        ];
        // What source-controller has stored is its own; the repository has no part in it.
        t.says(&texts)
            && !t.says(&[
                "failed to download chart from '",
                "failed to download artifact",
            ])
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
    let mut finding = Finding::new(subject.clone(), format!("{subject}{at} cannot be reached"))
        .severity(sources::severity(case))
        .why("source-controller gets no usable answer from the repository, so there is no chart to install.");
    if case.is_ready() {
        finding = finding.why("The onboarding runs on the chart it has; it will get no newer one.");
    }
    finding
        .seen(evidence)
        .step("See what it says now, then mend the way to it (DNS, network policy, proxy, certificate):")
        .command(["kubectl", "describe", "-n", &subject.namespace, &subject.kind.to_lowercase(), &subject.name])
        .then(then(case, Fixes::Elsewhere))
        .into()
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
