//! SKVS110: Flux has stopped retrying.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::again;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure;
use crate::text::count;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS110",
    slug: "retries-exhausted",
    severity: Severity::Error,
    role: Role::Symptom,
    title: "Flux has stopped retrying",
    explanation: r#"Each failed attempt counts; after `spec.install.remediation.retries` more attempts (none if not set) Flux stops. The message
then says only that: the cause is in the condition Released, or found by the other checks.

A plain reconcile does not help: it fails again at once. A changed manifest resets the count, and so does a reset token since
controller 0.37; older ones start again after a suspend and a resume.

After a failed install a reset is not enough. The failed revision stays in Helm's storage, and Flux's next attempt is an
upgrade of it, however the count was reset (a forced attempt too). An upgrade does not run the creation Job: the onboarding
becomes Ready without a database. So remove the failed release first; Flux then installs. The exception: if the creation Job
succeeded, the database exists, and a second installation would fail on it."#,
    fix: r#"See it: `.status.installFailures`, and the conditions Stalled and Released.

Fix the cause first. After a failed install remove the release: `helm uninstall -n STORAGENAMESPACE RELEASE`.

Then, since controller 0.37 (`flux reconcile hr NAME --reset` does the same):
`kubectl annotate hr NAME --overwrite reconcile.fluxcd.io/requestedAt=TOKEN reconcile.fluxcd.io/resetAt=TOKEN`

Or remove the manifest, wait until the HelmRelease is gone, and restore the manifest."#,
    example: r#"install retries exhausted
Failed to install after 3 attempt(s)"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn exhausted(case: &Case<'_>) -> bool {
    !case.failed_before && failure::is_exhausted(case.hr()) && !case.hr().is_stale()
}

fn check(case: &Case<'_>) -> Verdict {
    if !exhausted(case) {
        return Ok(None);
    }
    let hr = case.hr();
    let action = match case.failure.as_ref().and_then(|f| f.text.action) {
        Some(action) => action,
        None if hr.status.upgrade_failures > 0 => "upgrade",
        None => "install",
    };
    let seen = ["Stalled", "Ready"]
        .iter()
        .filter_map(|k| hr.condition(k))
        .find(|c| c.reason == "RetriesExceeded" || c.message.ends_with("retries exhausted"))
        .map(|c| Evidence::condition(case.subject(), c));
    let failures = format!(
        "failures {}, installFailures {}, upgradeFailures {}",
        hr.status.failures, hr.status.install_failures, hr.status.upgrade_failures
    );
    Finding::new(case.subject(), sentence(case, action))
        .why("Flux has used up its attempts; a plain reconcile fails again at once.")
        .seen(seen)
        .seen([Evidence::new(case.subject(), ".status.failures", &failures)])
        .step("Fix the cause first.")
        .then(Some(again(case)))
        .into()
}

/// With the failures counted and, of an installation, the limit. An upgrade's limit is not among what a bundle keeps.
fn sentence(case: &Case<'_>, action: &str) -> String {
    let hr = case.hr();
    let exhausted = format!("{action} retries exhausted");
    let failures = match action {
        "install" => hr.status.install_failures,
        "upgrade" => hr.status.upgrade_failures,
        _ => 0,
    };
    let Some(failures) = u64::try_from(failures).ok().filter(|count| *count > 0) else {
        return exhausted;
    };
    let after = format!("{exhausted} after {}", count(failures, "failure"));
    match action {
        "install" => format!(
            "{after} (spec.install.remediation.retries: {})",
            hr.spec.install.remediation.retries
        ),
        _ => after,
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_never_stands_alone_where_a_cause_is_known() {
        assert_eq!(fixture::followers("runbook-example"), ["SKVS110"]);
        assert_eq!(
            fixture::sentence("runbook-example", "SKVS110"),
            "install retries exhausted after 1 failure (spec.install.remediation.retries: 0)"
        );
    }
}
