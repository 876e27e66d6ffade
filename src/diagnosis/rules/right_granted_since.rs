//! SKVS403: the right that Flux's account was refused has been granted since.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rights::missing_right;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS403",
    slug: "right-granted-since",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Flux's missing right has been granted since",
    explanation: r#"The status shows a request that the API server refused to Flux's account. A SubjectAccessReview, which changes nothing, says
that the account has this right now. Flux only has to try again.

Without the right to ask (create subjectaccessreviews) this check is skipped, and SKVS402 is reported on its own."#,
    fix: r#"See it: `kubectl auth can-i VERB RESOURCE -n NAMESPACE --as=system:serviceaccount:NAMESPACE:NAME` answers yes.

Wait for Flux's next attempt, or make it try now. Other rights may be missing: the next attempt will show."#,
    example: r#"status of the SubjectAccessReview: {"allowed": true, "reason": "RBAC: allowed by RoleBinding …"}"#,
    explains: &["SKVS402", "SKVS108", "SKVS110"],
    contradicted_by: &[],
    check,
};

/// The account is there, and a request of it was refused.
fn refused(case: &Case<'_>) -> bool {
    case.account() != Ok(None) && case.failure.is_some()
}

fn check(case: &Case<'_>) -> Verdict {
    if !refused(case) {
        return Ok(None);
    }
    let Some((right, account)) = missing_right(case)? else {
        return Ok(None);
    };
    let Some(review) = case.rights(&account.to_string())? else {
        return Ok(None);
    };
    if !review.allowed.is(&true) {
        return Ok(None);
    }
    let reason = match review.reason.text() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    Finding::new(
        account.clone(),
        format!("{account} may now {right}, but Flux has not tried again"),
    )
    .why("The status is from an attempt that was refused. The API server says that the account has the right now.")
    .seen(case.seen_failure())
    .seen([Evidence::new(
        account,
        "SubjectAccessReview",
        &format!("{right}: allowed{reason}"),
    )])
    .step("Let Flux try again. If it lacks another right, run troubleshoot again to see which.")
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::snapshot::{Read, Why};

    #[test]
    fn it_stands_above_the_refusal() {
        let finding = fixture::finding("right-granted-since", "SKVS403");
        assert_eq!(
            finding.sentence,
            "ServiceAccount flux-system/onboarding-reader may now list secrets in flux-system, but Flux has not tried again"
        );
    }

    #[test]
    fn a_review_that_was_refused_is_not_run() {
        let name = "right-granted-since";
        let mut snapshot = fixture::snapshot(name);
        let right = "create subjectaccessreviews in all namespaces".to_owned();
        snapshot.on_demand.rights = Read::Unknown(Why::Forbidden(right));
        let diagnosis = diagnose(&Case::new(&snapshot, fixture::meta(name).now));
        assert_eq!(diagnosis.roots[0].rule.code, "SKVS402");
        let not_run = diagnosis
            .not_run
            .iter()
            .find(|n| n.codes.contains(&"SKVS403"));
        let not_run = not_run.expect("it is told");
        assert_eq!(
            (not_run.what.as_str(), not_run.why.as_str()),
            (
                "rights of ServiceAccount flux-system/onboarding-reader",
                "forbidden (create subjectaccessreviews in all namespaces)"
            )
        );
    }
}
