//! SKVS152: the release is installed, and READY was never updated.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::flux_commands::stamped;
use crate::diagnosis::install;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::condition::Stated;
use crate::model::status::is_old_controller;
use crate::text::age::duration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS152",
    slug: "ready-left-behind",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the release is installed, but READY was never updated",
    explanation: r#"Helm finished: Released is True, and the newest revision is deployed. Only the condition Ready still says that an action is
running, long after `spec.timeout` and `spec.interval`. The controller was stopped between the two updates, or has a fault that
leaves Ready behind. The database and the access to it work; whatever waits for Ready does not."#,
    fix: r#"See it: `kubectl describe helmrelease NAME`, the times of Ready and Released.

Force a reconciliation: that upgrades the release and does not touch the database. If it happens again, update
helm-controller. Do not uninstall the release: the next installation would fail, since the database exists (SKVS301)."#,
    example: r#"Ready Unknown for 3d: Running 'install' action with timeout of 5m0s; Released True: InstallSucceeded"#,
    explains: &["SKVS106"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let hr = case.hr();
    let is_over = hr.spec.suspend
        || hr.metadata.deletion_timestamp.is_some()
        || case.is_ready()
        || case.failure.is_some()
        || hr.is_stale();
    if is_over || !install::is_deployed(case) {
        return Ok(None);
    }
    let Some(since) = install::working_for(case).filter(|s| install::is_overdue(case, *s)) else {
        return Ok(None);
    };
    let ready = hr.conditions().get("Ready").map(Stated::of_any_spec);
    let seen = ready.into_iter().chain(hr.condition("Released"));
    let revision = hr.latest().map_or(0, |h| h.version);
    let finding = Finding::new(
        case.subject(),
        "the release is installed, but READY was never updated",
    )
    .why(format!(
        "Revision {revision} is deployed. READY has been {} for {}, longer than any action takes: nothing is in progress.",
        ready.map_or("Unknown", |c| c.reason.as_str()),
        duration(since)
    ))
    .why("The database and the access to it work. Only what waits for READY does not.")
    .seen(seen.map(|c| Evidence::condition(case.subject(), c)));
    let finding = if install::created_by_job(case) {
        finding.why("The creation Job is complete.")
    } else {
        finding
    };
    if is_old_controller(case.hr()) == Some(true) {
        return finding
            .step("Change a value in the manifest, such as a label of the Job: this version of Flux has no forced reconciliation.")
            .into();
    }
    finding
        .step("Force a reconciliation. It upgrades the release and does not touch the database:")
        .command(stamped(case, Some("forceAt")))
        .step("If READY is left behind again, update helm-controller.")
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn nobody_is_told_to_wait_or_to_uninstall() {
        let finding = fixture::finding("installed-but-not-ready", "SKVS152");
        let fix = format!("{:?}", finding.fix);
        assert!(fix.contains("forceAt"), "{fix}");
        for never in ["uninstall", "Wait", "wait"] {
            assert!(!fix.contains(never), "{fix}");
        }
    }
}
