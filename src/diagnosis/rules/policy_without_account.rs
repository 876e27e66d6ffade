//! SKVS411: the AuthorizationPolicy does not let in an account of the values.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::policy::{self, Policy};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::field::Field;
use crate::model::policy::lets_in;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS411",
    slug: "policy-without-account",
    severity: Severity::Error,
    role: Role::State,
    title: "the authorization policy leaves out an account of the values",
    explanation: r#"The onboarding is Ready, but its AuthorizationPolicy has no principal for a service account in `values.serviceAccounts`:
somebody has edited the policy since it was applied. That account gets 403 from the proxy. Flux does not check objects after
applying them (unless `spec.driftDetection.mode` is enabled)."#,
    fix: r#"See it: `kubectl get authorizationpolicies -A -o yaml` beside `values.serviceAccounts`.

Make Flux apply the release once more: set `reconcile.fluxcd.io/forceAt` and `requestedAt` to one value, as
`flux reconcile helmrelease NAME --force` does. That is an upgrade: it does not touch the database."#,
    example: r#"values.serviceAccounts: [pds, pds-batch]; principals: cluster.local/ns/pds/sa/pds"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

/// The policy should be what the values say.
fn applied(case: &Case<'_>) -> bool {
    case.is_ready() && !case.hr().spec.suspend
}

fn check(case: &Case<'_>) -> Verdict {
    if !applied(case) {
        return Ok(None);
    }
    let Policy::Seen(policy) = policy::find(case)? else {
        return Ok(None);
    };
    let Field::Set(principals) = policy.principals() else {
        return Ok(None);
    };
    if let Some(unread) = case.unread_values(&["serviceAccounts", "namespace"]) {
        return Err(unread);
    }
    let accounts = case.hr().values().accounts();
    let left_out: Vec<&String> = accounts
        .iter()
        .filter(|account| !lets_in(&principals, account))
        .collect();
    let Some(first) = left_out.first() else {
        return Ok(None);
    };
    let more = match left_out.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let subject = Subject::from(&policy.meta);
    let seen = match principals.as_slice() {
        [] => "none".to_owned(),
        all => all.join(", "),
    };
    let finding = Finding::new(
        subject.clone(),
        format!("the AuthorizationPolicy leaves out the service account {first}{more}"),
    )
    .why("The values name it, so the policy was changed after it was applied. Flux does not check objects after applying them.")
    .seen([
        Evidence::new(subject, ".spec.rules[].from[].source.principals", &seen),
        Evidence::new(case.subject(), ".spec.values.serviceAccounts", &accounts.join(", ")),
    ]);
    policy::apply_again(case, finding).into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_account_is_named() {
        assert_eq!(
            fixture::sentence("ready-and-policy-without-account", "SKVS411"),
            "the AuthorizationPolicy leaves out the service account pds/pds-batch"
        );
    }
}
