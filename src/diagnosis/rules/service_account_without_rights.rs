//! SKVS402: the ServiceAccount that Flux acts as lacks a right.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, refused_by_rbac};
use crate::model::forbidden::Forbidden;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS402",
    slug: "service-account-without-rights",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the ServiceAccount that Flux acts as lacks a right",
    explanation: r#"Flux acts as the ServiceAccount of `spec.serviceAccountName` (or as its own where none is named), and the API server refused
a request of it. It needs rights on all that the chart makes, in the target namespace, and on Secrets in the storage
namespace, where Helm keeps its releases."#,
    fix: r#"See it: `kubectl auth can-i VERB RESOURCE -n NAMESPACE --as=system:serviceaccount:NAMESPACE:NAME`

Give it the right by a Role and a RoleBinding in the namespace that the message names."#,
    example: r#"jobs.batch is forbidden: User "system:serviceaccount:flux-system:helm-controller" cannot create resource "jobs" in API group "batch" in the namespace "core""#,
    needs: &[],
    explains: &[
        "SKVS108", "SKVS110", "SKVS109", "SKVS131", "SKVS142", "SKVS145",
    ],
    when: refused_by_rbac,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if case.snapshot.service_account.is_absent() {
        return Verdict::Clear;
    }
    let Some(right) = Forbidden::parse(case.error()) else {
        return Verdict::Clear;
    };
    // The user in the text may be the controller's own account, not the one of the spec.
    let Some(account) = user(case.error()) else {
        return Verdict::Clear;
    };
    let mut finding = Finding::new(account.clone(), format!("{account} may not {right}"))
        .why(match case.service_account() {
            Some(named) if named != account => format!(
                "It is not the account that the manifest names ({named}): it is Flux's own."
            ),
            _ => "Flux acts as this account; the API server refused its request.".to_owned(),
        })
        .seen(case.seen_failure())
        .seen(case.seen_event());
    if let (Some(why), Some(_)) = (
        case.snapshot.service_account.unknown(),
        case.service_account(),
    ) {
        finding = finding.why(format!("Whether the account exists at all was not read: {}. A missing one gets the same answer.", why.clause()));
    }
    let user = format!(
        "--as=system:serviceaccount:{}:{}",
        account.namespace, account.name
    );
    let mut can_i = vec![
        "kubectl",
        "auth",
        "can-i",
        right.verb.as_str(),
        right.resource.as_str(),
    ];
    match &right.namespace {
        Some(namespace) => can_i.extend(["-n", namespace.as_str()]),
        None => can_i.push("-A"),
    }
    can_i.push(&user);
    // An account that only this onboarding names is the likelier mistake than a right that only it lacks.
    let named = case.service_account().is_some_and(|named| named == account);
    let likelier = peers::service_account(case, &account.name)
        .filter(|_| named && case.hr().metadata.deletion_timestamp.is_none());
    let fixes = match &likelier {
        Some(_) => Fixes::Manifest,
        None => Fixes::Elsewhere,
    };
    finding
        .change(likelier)
        .step(format!(
            "Give it this right with a Role and a RoleBinding: {right}"
        ))
        .step("Check it:")
        .command(can_i)
        .then(then(case, fixes))
        .into()
}

/// The account in `User "system:serviceaccount:NAMESPACE:NAME"`.
fn user(error: &str) -> Option<Subject> {
    let (_, rest) = error.split_once("User \"system:serviceaccount:")?;
    let (namespace, name) = rest.split_once('"')?.0.split_once(':')?;
    Some(Subject::new("ServiceAccount", namespace, name))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_missing_right_is_told() {
        assert_eq!(
            fixture::sentence("service-account-without-rights", "SKVS402"),
            "ServiceAccount flux-system/helm-controller may not create jobs in core"
        );
    }

    #[test]
    fn an_account_that_was_not_read_may_be_missing() {
        let finding = fixture::finding("service-account-not-read", "SKVS402");
        assert!(finding.why[1].starts_with("Whether the account exists at all was not read"));
    }
}
