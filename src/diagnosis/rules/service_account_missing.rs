//! SKVS401: the ServiceAccount that Flux acts as does not exist.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rights::missing_right;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS401",
    slug: "service-account-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the ServiceAccount that Flux acts as does not exist",
    explanation: r#"With `spec.serviceAccountName` Flux does everything for this HelmRelease as that ServiceAccount, which must be in the
HelmRelease's namespace. Kubernetes lets Flux act as an account that does not exist; that account has no rights, so the first
read is refused, with the same message as for an account without rights (SKVS402)."#,
    fix: r#"See it: `kubectl get serviceaccount -n NAMESPACE NAME`

Correct `spec.serviceAccountName` in the manifest (the runbook's is `helm-controller`), or create the account with its rights."#,
    example: r#"User "system:serviceaccount:flux-system:nobody" cannot list resource "secrets""#,
    explains: &[
        "SKVS108", "SKVS110", "SKVS109", "SKVS131", "SKVS142", "SKVS145",
    ],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if missing_right(case)?.is_none() {
        return Ok(None);
    }
    let is_there = case.account()?.is_some();
    let Some(account) = case.service_account().filter(|_| !is_there) else {
        return Ok(None);
    };
    Finding::new(account.clone(), format!("Flux acts as {account}, which does not exist"))
        .why("spec.serviceAccountName names it. An account that does not exist has no rights, so the first request is refused.")
        .seen(case.seen_failure())
        .seen(case.seen_event())
        .seen([Evidence::new(account.clone(), "", "not found")])
        .change(peers::service_account(case, &account.name))
        .step("Correct spec.serviceAccountName in the manifest; the runbook's is helm-controller. Existing accounts:")
        .command(["kubectl", "get", "serviceaccounts", "-n", &account.namespace])
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("service-account-missing", "SKVS401"),
            "Flux acts as ServiceAccount flux-system/nobody, which does not exist"
        );
    }
}
