//! SKVS113: the API server or its store did not answer Flux.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::remnants;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::server::ServerError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS113",
    slug: "api-server-trouble",
    severity: Severity::Warning,
    role: Role::Cause,
    title: "the API server or its store did not answer Flux",
    explanation: r#"helm-controller could not reach the API server, or the API server could not answer: it is starting or overloaded, its etcd is
electing a leader or is full, or a network policy is in the way. The onboarding is not at fault; others fail at the same
time. It usually passes, and Flux tries again on its own unless its retries are used up."#,
    fix: r#"See it: `kubectl get --raw '/readyz?verbose'`, and whether other HelmReleases failed at the same time.

Wait until the API server is healthy. A 401 answer does not go away on its own: restart helm-controller, which gets a new token.
Neither does `mvcc: database space exceeded`: etcd needs space. A 400 answer does not say whether it passes. With
`spec.kubeConfig` the API server is the other cluster's: check the address and the credentials in that Secret."#,
    example: r#"create: failed to create: etcdserver: leader changed
Kubernetes cluster unreachable: Get "https://10.96.0.1:443/version": dial tcp 10.96.0.1:443: connect: connection refused"#,
    explains: &["SKVS108", "SKVS111", "SKVS131", "SKVS142"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Server(error)) = case.cause()? else {
        return Ok(None);
    };
    let (sentence, said) = match error {
        ServerError::Etcd(said) => ("the API server's etcd did not answer", said.as_str()),
        ServerError::Unreachable(said) => ("Flux could not reach the API server", said.as_str()),
        ServerError::Overloaded(said) => ("the API server could not answer Flux", said.as_str()),
        ServerError::Rejected(said) => ("the API server rejected Flux's request", *said),
        // SKVS142 reports this for Helm's storage.
        ServerError::Unauthorized(_) if case.reason() == "GetLastReleaseFailed" => return Ok(None),
        ServerError::Unauthorized(said) => return unaccepted(case, said),
        ServerError::NoServerSideApply => return without_server_side_apply(case),
        ServerError::Discovery(_) => return Ok(None),
    };
    let full = ["database space exceeded", "no space left on device"]
        .iter()
        .any(|t| said.contains(t));
    let (why, severity) = match error {
        _ if full => (
            "etcd is full and accepts no writes until it has space.",
            Severity::Error,
        ),
        error if error.is_of_certificate() => (
            "The API server's certificate is not accepted: it has expired, is not valid yet, or is of another authority than the controller trusts. This does not pass on its own.",
            Severity::Error,
        ),
        ServerError::Rejected(_) => (
            "The answer is 400 without a reason, so it is not known what is wrong with the request. The API server's log may say more.",
            Severity::Error,
        ),
        _ => (
            "The onboarding is not at fault, and this usually passes.",
            case.passing(),
        ),
    };
    let mut finding = case
        .finding(case.subject(), format!("{sentence}: {said}"))
        .severity(severity)
        .why(why);
    if case.hr().is_remote() {
        finding =
            finding.why("spec.kubeConfig names another cluster: the API server is that cluster's.");
    }
    let finding = finding
        .step("Check whether the API server is healthy now:")
        .command(["kubectl", "get", "--raw", "/readyz?verbose"]);
    let finding = match case.hr().metadata.deletion_timestamp.is_none() {
        true => finding,
        false => remnants::shown(case, finding),
    };
    finding.then(then(case, Fixes::Elsewhere)).into()
}

/// Helm 4 applies on the server unless the manifest says otherwise.
fn without_server_side_apply(case: &Case<'_>) -> Verdict {
    case.finding(
        case.subject(),
        "the API server does not accept server-side apply (415), which helm-controller uses since 1.5",
    )
    .severity(Severity::Error)
    .why("Every supported Kubernetes accepts it, so a proxy before the API server usually is the reason: it does not let the content type application/apply-patch+yaml pass. It does not pass on its own.")
    .step("Correct the proxy. Until then, have Helm apply as before: set spec.install.serverSideApply: false and spec.upgrade.serverSideApply: disabled in the manifest")
    .then(then(case, Fixes::Manifest))
    .into()
}

/// The API server answers, but does not accept the controller's identity.
fn unaccepted(case: &Case<'_>, said: &str) -> Verdict {
    let finding = case
        .finding(
            case.subject(),
            format!("the API server does not accept helm-controller's token: {said}"),
        )
        .severity(Severity::Error)
        .why("The answer is 401: the token has expired or was made for another ServiceAccount or cluster. Rights are another matter, and the onboarding is not at fault.");
    let finding = match case.hr().is_remote() {
        true => finding
            .step("spec.kubeConfig names another cluster: renew the credentials in the Secret that it names, in namespace:")
            .command(["kubectl", "get", "secrets", "-n", &case.hr().metadata.namespace]),
        false => finding
            .step("See whether all onboardings fail like this. If they do, restart helm-controller, so that it gets a new token:")
            .command([
                "kubectl",
                "rollout",
                "restart",
                "-n",
                controller_log::namespace(case).unwrap_or(controller_log::USUAL),
                "deployment/helm-controller",
            ]),
    };
    finding.then(then(case, Fixes::Elsewhere)).into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn what_the_server_said_is_told() {
        assert_eq!(
            fixture::sentence("api-server-trouble", "SKVS113"),
            "Flux could not reach the API server: Get \"https://10.96.0.1:443/version\": dial tcp 10.96.0.1:443: connect: connection refused"
        );
        assert_eq!(
            fixture::sentence("api-server-trouble-middle", "SKVS113"),
            "the API server's etcd did not answer: etcdserver: leader changed"
        );
        assert_eq!(
            fixture::sentence("api-server-trouble-old", "SKVS113"),
            "Flux could not reach the API server: net/http: TLS handshake timeout"
        );
    }

    #[test]
    fn an_answer_without_a_reason_is_not_said_to_pass() {
        use crate::diagnosis::rule::Severity;
        use crate::diagnosis::{Case, diagnose};
        let mut snapshot = fixture::snapshot("api-server-trouble");
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = "Helm install failed: create: failed to create: the server rejected our request for an unknown reason (post jobs.batch)".to_owned();
        }
        let case = Case::new(&snapshot, fixture::meta("api-server-trouble").now);
        let roots = diagnose(&case).roots;
        let root = roots.iter().find(|r| r.rule.code == "SKVS113").unwrap();
        assert_eq!(root.severity(), Severity::Error);
        assert_eq!(
            root.finding.sentence,
            "the API server rejected Flux's request: the server rejected our request for an unknown reason"
        );
        assert!(!format!("{:?}", root.finding.why).contains("passes"));
    }

    #[test]
    fn it_passes_unless_flux_has_stopped() {
        use crate::diagnosis::rule::Severity;
        let severity = |case| fixture::finding(case, "SKVS113").severity;
        assert_eq!(severity("api-server-trouble"), Some(Severity::Warning));
        assert_eq!(severity("api-server-trouble-middle"), Some(Severity::Error));
    }
}
