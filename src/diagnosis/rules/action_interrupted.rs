//! SKVS146: helm-controller was stopped in the middle of an action.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS146",
    slug: "action-interrupted",
    severity: Severity::Warning,
    role: Role::Cause,
    title: "helm-controller was stopped in the middle of an action",
    explanation: r#"The text says that the action was cancelled, not that it failed: helm-controller was restarted (an update, a drained node, too
little memory), lost its leadership, or gave up the action for a newer spec. Flux tries again, unless its retries are used
up; an unfinished revision can hold a lock then (SKVS115)."#,
    fix: r#"See it: `kubectl get pods -n NAMESPACE -l app=helm-controller`, in the namespace of Flux: restarts and age

If it restarts again and again, find out why (`kubectl describe`: OOMKilled, probes). A single restart needs no fix."#,
    example: r#"Helm upgrade failed: context canceled"#,
    explains: &["SKVS108", "SKVS110", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Interrupted(_)) = case.cause()? else {
        return Ok(None);
    };
    let namespace = controller_log::namespace(case).unwrap_or(controller_log::USUAL);
    let action = case.action()?.unwrap_or("action");
    let finding = case
        .finding(
            case.subject(),
            format!("helm-controller stopped in the middle of the {action}"),
        )
        .severity(case.passing())
        .why("The action was cancelled, it did not fail: the controller was restarted, lost its leadership, or took up a newer spec.")
        .step("See whether it restarts again and again, and why (OOMKilled, probes, a drained node):")
        .command(controller_log::pods(namespace, "helm-controller"));
    controller_log::end(case, finding, "helm-controller")
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("action-interrupted", "SKVS146"),
            "helm-controller stopped in the middle of the upgrade"
        );
    }
}
