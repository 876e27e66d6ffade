//! SKVS410: the onboarding is Ready and its AuthorizationPolicy is gone.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::policy::{self, Policy};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS410",
    slug: "policy-missing",
    severity: Severity::Error,
    role: Role::State,
    title: "the authorization policy is gone",
    explanation: r#"The chart's AuthorizationPolicy gives the team's service accounts access to their database. The onboarding is Ready but the
policy does not exist: somebody has deleted it since. Flux does not check objects after applying them (unless
`spec.driftDetection.mode` is enabled), so the onboarding stays Ready."#,
    fix: r#"See it: `kubectl get authorizationpolicies -A`.

Make Flux apply the release once more: set `reconcile.fluxcd.io/forceAt` and `requestedAt` to one value, as
`flux reconcile helmrelease NAME --force` does. That is an upgrade: it does not touch the database."#,
    example: r#"READY True; authorizationpolicies.security.istio.io "core-skvs-onboarding-pds--database" not found"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn ready(case: &Case<'_>) -> bool {
    case.is_installed() && !case.hr().spec.suspend
}

fn check(case: &Case<'_>) -> Verdict {
    if !ready(case) {
        return Ok(None);
    }
    match policy::find(case)? {
        Policy::Seen(_) | Policy::None => return Ok(None),
        Policy::Absent => {}
    }
    let subject = policy::absent(case);
    let finding = Finding::new(
        subject.clone(),
        "the AuthorizationPolicy of its service accounts does not exist",
    )
    .why("Somebody has deleted it since it was applied. Flux does not check objects after applying them, so it stays Ready.")
    .seen([Evidence::new(subject, "", "not found")]);
    policy::apply_again(case, finding).into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn a_policy_that_is_gone_is_an_error() {
        let finding = fixture::finding("ready-and-policy-missing", "SKVS410");
        assert_eq!(
            finding.sentence,
            "the AuthorizationPolicy of its service accounts does not exist"
        );
        assert!(format!("{:?}", finding.fix).contains("forceAt"));
    }
}
