//! SKVS131: Flux could not undo the failed release.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::condition::Condition;
use crate::model::failure::{Failure, found_nothing_to_uninstall, split_trailer};
use crate::snapshot::Unread;

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
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let hr = case.hr();
    let Some(condition) = case
        .hr()
        .condition("Remediated")
        .filter(|c| c.is_false() && !case.is_ready())
    else {
        return Ok(None);
    };
    if case.failure.as_ref().is_some_and(Failure::is_of_cleanup) {
        return nothing_stored(case, condition);
    }
    if found_nothing_to_uninstall(condition) {
        return Finding::new(case.subject(), "nothing had been stored that Flux could uninstall")
            .severity(Severity::Info)
            .why("The installation failed before Helm stored anything, so this is a consequence and not a cause.")
            .seen([Evidence::condition(case.subject(), condition)])
            .into();
    }
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

/// The installation failed before Helm stored anything, so the cleanup failed too, and its text replaced the cause.
fn nothing_stored(case: &Case<'_>, condition: &Condition) -> Verdict {
    let finding = Finding::new(
        case.subject(),
        "the installation failed before anything was stored, and the status hides why",
    )
    .why("Flux then tried to uninstall a release that does not exist. That failed too, and its text replaced the cause in the status.")
    .seen([Evidence::condition(case.subject(), condition)]);
    // The event of the first failure has the cause: another rule reads it.
    if let Some(event) = case.seen_event() {
        return finding
            .severity(Severity::Info)
            .why("An event still has the cause.")
            .seen([event])
            .into();
    }
    let finding = match case.failure_text() {
        Err(Unread { why, .. }) => finding.why(format!(
            "The event of the first failure has the cause, and the events were not read: {}.",
            why.clause()
        )),
        Ok(_) => {
            finding.why("No event of the first failure is left, so the cause is unknown here.")
        }
    };
    let finding = finding.step("Look for the first failure in the controller's log. It is most often an error in a template of the chart or in the values:");
    controller_log::shown(case, finding, "helm-controller", "24h")
        .step("Or render the chart by hand, with the values of the manifest.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::{diagnose, fixture};

    #[test]
    fn an_old_controller_that_could_not_undo_a_release_does_not_go_on() {
        const CASE: &str = "uninstall-remediation-failed-old";
        let then = |message: &str| {
            let snapshot = fixture::snapshot_of(CASE, &|object| {
                let conditions = object["status"]["conditions"].as_array_mut();
                for condition in conditions.into_iter().flatten() {
                    if condition["type"] == "Ready" {
                        condition["message"] = message.into();
                    }
                }
            });
            let case = Case::new(&snapshot, fixture::meta(CASE).now);
            fixture::of_code(diagnose(&case), "SKVS131")
                .then
                .unwrap()
                .line
        };
        let stopped = then("previous release attempt remediation failed");
        assert!(stopped.starts_with("Flux has stopped. "), "{stopped}");
    }

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
