//! SKVS143: Flux may not act as the account named in the manifest.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS143",
    slug: "impersonation-refused",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Flux may not act as the account named in the manifest",
    explanation: r#"With `spec.serviceAccountName` helm-controller acts as that account (impersonation). Its own account needs the right
`impersonate` on ServiceAccounts for this. A standard installation of Flux grants it; a hardened one may not."#,
    fix: r#"See it: `kubectl auth can-i impersonate serviceaccounts -n NAMESPACE --as=system:serviceaccount:flux-system:helm-controller`

Grant helm-controller's account that right in the ClusterRole of Flux's installation."#,
    example: r#"serviceaccounts "x" is forbidden: User "system:serviceaccount:flux-system:helm-controller" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "flux-system""#,
    explains: &["SKVS108", "SKVS109", "SKVS131", "SKVS142", "SKVS145"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let right = match case.cause()? {
        Some(Cause::Right(right)) if right.verb == "impersonate" => right,
        _ => return Ok(None),
    };
    let user = right.user.clone().unwrap_or_default();
    let account = user
        .strip_prefix("system:serviceaccount:")
        .and_then(|a| a.split_once(':'))
        .map(|(namespace, name)| Subject::new("ServiceAccount", namespace, name));
    let subject = account.unwrap_or_else(|| case.subject());
    let acts = case
        .service_account()
        .map_or(right.resource.clone(), |a| a.to_string());
    let namespace = right
        .namespace
        .as_deref()
        .unwrap_or(&case.hr().metadata.namespace);
    case.finding(subject, format!("Flux's own account may not act as {acts}"))
        .why("spec.serviceAccountName asks for it, and Flux's own account lacks the right to impersonate.")
        .step("Grant helm-controller's account the right to impersonate. Check it:")
        .command(["kubectl", "auth", "can-i", "impersonate", &right.resource, "-n", namespace, &format!("--as={user}")])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_not_taken_for_a_right_of_the_account() {
        assert_eq!(
            fixture::sentence("impersonation-refused", "SKVS143"),
            "Flux's own account may not act as ServiceAccount flux-system/helm-controller"
        );
        assert_eq!(
            fixture::sentence("impersonation-refused-old", "SKVS143"),
            "Flux's own account may not act as ServiceAccount flux-system/helm-controller"
        );
    }
}
