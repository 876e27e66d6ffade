//! SKVS131: Flux could not undo the failed release.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::split_trailer;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS131",
    slug: "remediation-failed",
    severity: Severity::Error,
    role: Role::State,
    title: "Flux could not undo the failed release",
    explanation: r#"After the failure Flux tried to roll back or uninstall, and that failed too. Fix both: the cause, and the obstacle to the
remediation. Until then the release stays as the failure left it."#,
    fix: r#"See it: the conditions Remediated (this) and Released (the cause).

Fix the error in the text; often it is the same as the cause. If a rollback by hand fails too, remove the release:
`helm uninstall -n STORAGENAMESPACE RELEASE`."#,
    example: r#"Remediated=False RollbackFailed: Helm rollback to previous release core/x.v1 with chart c@0.1.1 failed: …"#,
    explains: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let hr = case.hr();
    let Some(condition) = hr
        .condition("Remediated")
        .filter(|c| c.is_false() && !case.is_ready())
    else {
        return Ok(None);
    };
    let sentence = if condition.reason == "RollbackFailed" {
        "Flux could not roll the failed upgrade back"
    } else {
        "Flux could not uninstall the failed release"
    };
    let (message, _) = split_trailer(&condition.message);
    let why = message.split_once(" failed: ").map_or(message, |(_, w)| w);
    Finding::new(case.subject(), sentence)
        .why(format!("It says: {why}"))
        .seen([Evidence::condition(case.subject(), condition)])
        .step("Fix the cause first; often it is the same. Then check the stored revisions:")
        .command([
            "helm",
            "history",
            "-n",
            hr.storage_namespace(),
            &hr.release_name(),
        ])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn a_rollback_and_an_uninstall_that_fail_are_told() {
        assert_eq!(
            fixture::sentence("rollback-failed", "SKVS131"),
            "Flux could not roll the failed upgrade back"
        );
        assert_eq!(
            fixture::sentence("uninstall-remediation-failed-old", "SKVS131"),
            "Flux could not uninstall the failed release"
        );
    }
}
