//! SKVS111: Helm gave up waiting for an object.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::retries::{Fixes, is_timeout, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::resources;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS111",
    slug: "wait-timed-out",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Helm gave up waiting for an object",
    explanation: r#"After it has applied the chart Helm waits until what it applied is ready, `spec.timeout` at most. What it waited for was not
ready in time; Flux says no more than that."#,
    fix: r#"See it: look at the objects that the message names, and at their pods and events.

Mend the object. Raise `spec.timeout` only if it needs longer than it gets."#,
    example: r#"timeout waiting for: [Deployment/core/x status: 'InProgress']
context deadline exceeded"#,
    needs: &[],
    explains: &["SKVS110"],
    when: timed_out,
    check,
};

fn timed_out(case: &Case<'_>) -> bool {
    let acted = case.failure.as_ref().and_then(|f| f.action);
    acted.is_some_and(|a| a != "uninstall") && is_timeout(case.error())
}

fn check(case: &Case<'_>) -> Verdict {
    let message = case.error();
    let waited = resources(message);
    // The creation Job has its own checks.
    if waited.iter().any(|w| w.kind == "Job") || message.contains("pre-install") {
        return Verdict::Clear;
    }
    let timeout = case.hr().spec.timeout.as_deref().unwrap_or("5m0s");
    let subject = waited.first().map_or_else(
        || case.subject(),
        |w| Subject::new(&w.kind, &w.namespace, &w.name),
    );
    let sentence = if waited.is_empty() {
        format!("Helm gave up waiting after {timeout}")
    } else {
        format!("{subject} was not ready within {timeout}")
    };
    let mut finding = Finding::new(subject, sentence)
        .why("Helm waits for what it applied, for spec.timeout at most. Flux does not say what kept the object from getting ready.")
        .seen(case.seen_failure());
    for w in &waited {
        finding = finding
            .seen([Evidence::new(
                Subject::new(&w.kind, &w.namespace, &w.name),
                ".status",
                &w.status,
            )])
            .command([
                "kubectl",
                "describe",
                "-n",
                &w.namespace,
                &w.kind.to_lowercase(),
                &w.name,
            ]);
    }
    if waited.is_empty() {
        finding = finding
            .step("Look at what is not ready in the target namespace:")
            .command([
                "kubectl",
                "get",
                "pods,jobs",
                "-n",
                case.hr().release_namespace(),
            ]);
    }
    finding.then(then(case, Fixes::Elsewhere)).into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("wait-timed-out", "SKVS111"),
            "Deployment core/gate was not ready within 20s"
        );
    }
}
