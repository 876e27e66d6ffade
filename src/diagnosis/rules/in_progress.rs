//! SKVS108: Flux is working on it.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::status;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS108",
    slug: "in-progress",
    severity: Severity::Info,
    role: Role::Cause,
    title: "Flux is working on it",
    explanation: r#"Ready is not True because an action is under way or about to start. An install waits for the creation Job; `spec.timeout`
(5 minutes if not set) ends it."#,
    fix: r#"See it: `kubectl skvs list -w`

Wait. If it lasts longer than `spec.timeout`, run troubleshoot again: it then has a cause."#,
    example: r#"Ready Unknown, Progressing: Running 'install' action with timeout of 5m0s"#,
    needs: &[],
    explains: &[],
    when: working,
    check,
};

fn working(case: &Case<'_>) -> bool {
    let hr = case.hr();
    !case.is_ready()
        && case.failure.is_none()
        && !status::is_unanswered(hr)
        && !hr.spec.suspend
        && hr.metadata.deletion_timestamp.is_none()
}

fn check(case: &Case<'_>) -> Verdict {
    let hr = case.hr();
    let seen = ["Reconciling", "Ready"]
        .iter()
        .filter_map(|k| hr.condition(k))
        .map(|c| Evidence::condition(case.subject(), c));
    let timeout = hr.spec.timeout.as_deref().unwrap_or("5m0s");
    Finding::new(case.subject(), "Flux is working on it")
        .why(format!(
            "An install waits for the creation Job, {timeout} at most (spec.timeout)."
        ))
        .seen(seen)
        .step("Wait, and follow it:")
        .command([
            "kubectl",
            "skvs",
            "list",
            "-w",
            "-n",
            &hr.metadata.namespace,
        ])
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("in-progress", "SKVS108"),
            "Flux is working on it"
        );
    }
}
