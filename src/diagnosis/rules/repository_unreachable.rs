//! SKVS203: the chart repository cannot be reached.

use crate::diagnosis::case::Case;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources::{self, Fault, Told};

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

const FAULT: Fault = Fault {
    wrong: "cannot be reached",
    why: "source-controller gets no usable answer from the repository, so there is no chart to install.",
    step: "See what it says now, then mend the way to it (DNS, network policy, proxy, certificate):",
};

fn check(case: &Case<'_>) -> Verdict {
    let is = |t: &Told| {
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
    sources::repository(case, is, &FAULT)
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
