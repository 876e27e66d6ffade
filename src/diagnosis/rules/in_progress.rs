//! SKVS108: Flux is working on it.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::install;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::{failure, status};
use crate::text::age::duration;
use k8s_openapi::jiff::SignedDuration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS108",
    slug: "in-progress",
    severity: Severity::Info,
    role: Role::Cause,
    title: "Flux is working on it",
    explanation: r#"Ready is not True because an action is running or about to start. An install waits for the creation Job, at most for
`spec.timeout` (5 minutes if not set)."#,
    fix: r#"See it: `kubectl skvs list -w`

Wait. If it takes longer than `spec.timeout`, run troubleshoot again to get a cause."#,
    example: r#"Ready Unknown, Progressing: Running 'install' action with timeout of 5m0s"#,
    explains: &["SKVS106"],
    check,
};

/// An action that lasts longer than its limit by this, in seconds, is worth a warning.
const PATIENCE: i64 = 60;

fn working(case: &Case<'_>) -> bool {
    let hr = case.hr();
    !case.is_ready()
        && case.failure.is_none()
        && !status::is_unanswered(hr)
        && !hr.spec.suspend
        && hr.metadata.deletion_timestamp.is_none()
}

fn check(case: &Case<'_>) -> Verdict {
    if !working(case) {
        return Ok(None);
    }
    let hr = case.hr();
    let seen = ["Reconciling", "Ready"]
        .iter()
        .filter_map(|k| hr.condition(k))
        .map(|c| Evidence::condition(case.subject(), c));
    let before = hr
        .condition("Released")
        .filter(|c| c.is_false() && failure::is_installing(hr));
    let timeout = install::timeout(case);
    let since = ["Reconciling", "Ready"]
        .iter()
        .filter_map(|k| hr.condition(k))
        .find_map(|c| case.seconds_since(c.last_transition_time.as_deref()));
    let limit: Option<SignedDuration> = timeout.parse().ok();
    let limit = limit.map(|l| l.as_secs());
    let late = since.zip(limit).is_some_and(|(s, l)| s > l + PATIENCE);
    let cancelled = hr
        .condition("Ready")
        .filter(|c| c.reason == "HealthCheckCanceled");
    let (sentence, severity) = match (since, cancelled) {
        (_, Some(_)) => (
            "Flux has stopped waiting because of a newer change".to_owned(),
            Severity::Info,
        ),
        (Some(since), None) if late => (
            format!(
                "Flux has been working on it for {}, longer than its limit ({timeout})",
                duration(since)
            ),
            Severity::Warning,
        ),
        _ => ("Flux is working on it".to_owned(), Severity::Info),
    };
    let until = match since.zip(limit) {
        Some((since, limit)) if since <= limit => format!(
            "It has been running for {}. An install waits for the creation Job, {timeout} at most (spec.timeout): {} left.",
            duration(since),
            duration(limit - since)
        ),
        _ => format!("An install waits for the creation Job, {timeout} at most (spec.timeout)."),
    };
    let mut finding = Finding::new(case.subject(), sentence)
        .severity(severity)
        .why(until);
    if late && cancelled.is_none() {
        finding = finding
            .why("The controller may hang, may have been restarted, or may be retrying in a loop: see its log.");
        finding = controller_log::shown(case, finding, "helm-controller", "30m");
    }
    if before.is_some() {
        finding = finding.why("This is another attempt: Released still shows the previous one.");
    }
    finding
        .seen(seen)
        .seen(before.map(|c| Evidence::condition(case.subject(), c)))
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
        assert_eq!(
            fixture::sentence("in-progress-too-long", "SKVS108"),
            "Flux has been working on it for 21m, longer than its limit (5m0s)"
        );
        assert_eq!(
            fixture::sentence("health-check-cancelled", "SKVS108"),
            "Flux has stopped waiting because of a newer change"
        );
    }
}
