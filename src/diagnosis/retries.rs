//! What Flux does after a failure, and what makes it try again: it differs by the controller's version and by what the fix
//! changes.
//!
//! A new generation of the spec always resets the counters. Where the spec stays as it is, controllers since 0.37 take a
//! reset token (two annotations of one value); older ones only start again after a suspend and a resume. Whether the next
//! attempt creates the database is another matter: see [`super::install`].

use super::after_fix::{Act, Action, Due, Then};
use super::case::Case;
use super::finding::{Finding, Verdict};
use super::flux_commands::{history, uninstall};
use super::hook_job::Upgrade;
use super::install::{self, Left};
use crate::model::failure;
use crate::model::status::is_old_controller;
use crate::text::age::duration;

/// What the fix changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixes {
    /// The HelmRelease's manifest.
    Manifest,
    /// The manifest's target namespace, and with it the release.
    Target,
    /// The manifest goes away and comes back.
    Back,
    /// Something else: a namespace, a right, a repository.
    Elsewhere,
}

/// What happens after the fix.
pub fn then(case: &Case<'_>, fixes: Fixes) -> Option<Then> {
    let then = after(case, fixes)?;
    Some(Then {
        by_manifest: fixes != Fixes::Elsewhere,
        ..then
    })
}

fn after(case: &Case<'_>, fixes: Fixes) -> Option<Then> {
    let hr = case.hr();
    let retargets = fixes == Fixes::Target;
    let fixes = if retargets { Fixes::Manifest } else { fixes };
    let left = install::left(case);
    if hr.spec.suspend {
        return Some(match left {
            Left::Failed => Then::new(
                Due::AtOnce,
                format!(
                    "It is suspended, and {AS_UPGRADE}. Remove the failed release, then resume it:"
                ),
                actions(case, &[Act::Uninstall, Act::Resume]),
            ),
            _ => Then::new(
                Due::AtOnce,
                "It is suspended: Flux does nothing until it is resumed.",
                actions(case, &[Act::Resume]),
            ),
        });
    }
    if fixes == Fixes::Back {
        return Some(on_its_own(
            "A restored manifest is a new installation; a changed manifest is picked up by Flux on its own.",
        ));
    }
    if let Some(seconds) = install::running(case) {
        return Some(running(case, fixes, seconds));
    }
    // It says that it is working, for longer than any action takes: it does not go on by itself.
    let hangs = install::working_for(case).is_some_and(|s| install::is_overdue(case, s));
    if case.failure.is_none() && hangs && fixes == Fixes::Elsewhere {
        return Some(again(case));
    }
    // Since 0.37 the controller compares, and uninstalls what it installed elsewhere.
    if retargets && is_old_controller(case.hr()) == Some(false) {
        return Some(on_its_own(
            "Flux picks up the changed manifest on its own: in another target namespace it installs from the start.",
        ));
    }
    let install = &hr.spec.install;
    let removes = removes_failed(case);
    let stopped = failure::has_stopped(hr);
    if stopped || left == Left::Failed && (fixes == Fixes::Manifest || !removes) {
        return Some(match (fixes, left) {
            (Fixes::Elsewhere | Fixes::Back | Fixes::Target, _) => again(case),
            (Fixes::Manifest, Left::Failed) => Then::new(
                Due::AfterAttempt,
                format!(
                    "Flux picks up the changed manifest on its own, but {AS_UPGRADE_TOO}. Wait until that attempt is over, then remove the release and make Flux start again:"
                ),
                first_uninstall(case),
            ),
            (Fixes::Manifest, Left::Unknown) => Then::new(
                Due::Unknown,
                format!(
                    "Flux has stopped retrying; once the manifest changes, it starts again on its own. {NOT_KNOWN}"
                ),
                Vec::new(),
            ),
            (Fixes::Manifest, Left::Nothing) => on_its_own(
                "Flux has stopped retrying; once the manifest changes, it starts again on its own.",
            ),
        });
    }
    let retries = install.strategy.retry_interval.as_deref();
    let every = retries.filter(|_| install.strategy.name == "RetryOnFailure");
    Some(match (fixes, every) {
        (Fixes::Manifest | Fixes::Target | Fixes::Back, _) => {
            on_its_own("Flux picks up the changed manifest on its own.")
        }
        (Fixes::Elsewhere, Some(every)) => on_its_own(format!(
            "Flux tries again on its own, every {every}; there is nothing else to do."
        )),
        (Fixes::Elsewhere, None) => {
            on_its_own("Flux tries again on its own; there is nothing else to do.")
        }
    })
}

/// Flux tries again without help.
fn on_its_own(line: impl Into<String>) -> Then {
    Then::new(Due::OnItsOwn, line, Vec::new())
}

fn actions(case: &Case<'_>, acts: &[Act]) -> Vec<Action> {
    acts.iter().map(|act| Action::new(case, *act)).collect()
}

/// Why the failed release goes first.
const AS_UPGRADE: &str = "the next attempt would be an upgrade of the failed revision, which does not create the database";

/// The same of a manifest that changes.
const AS_UPGRADE_TOO: &str =
    "as an upgrade of the failed revision, which does not create the database";

/// Where storage or the creation Job could not be read.
const NOT_KNOWN: &str = "Whether the creation Job succeeded is unknown: if it did not, first remove the failed release (helm uninstall), because an upgrade does not run the Job.";

/// An installation is under way.
fn running(case: &Case<'_>, fixes: Fixes, seconds: Option<i64>) -> Then {
    let left = seconds.map_or(String::new(), |s| format!(", {} left", duration(s)));
    let until = format!(
        "The running install continues until spec.timeout ({}{left})",
        case.hr().timeout()
    );
    let retries = case.hr().spec.install.remediation.retries;
    let after = if retries == 0 {
        "after that Flux stops, since spec.install.remediation.retries is not set"
    } else {
        "after that Flux removes the release and installs it again"
    };
    let line = match fixes {
        Fixes::Elsewhere => format!("{until}, and succeeds if this is fixed by then; {after}."),
        Fixes::Manifest | Fixes::Target | Fixes::Back => format!(
            "{until}; {after}. Flux then picks up the changed manifest. Run troubleshoot again at that point: an upgrade of a failed revision does not create the database."
        ),
    };
    Then::new(Due::AfterAttempt, line, Vec::new())
}

/// How to make Flux start again although the manifest stays as it is.
pub fn again(case: &Case<'_>) -> Then {
    let lacks_target = failure::lacks_rollback_target(case.hr());
    let old = is_old_controller(case.hr()) == Some(true);
    let how = if old {
        "This version starts again after a suspend and a resume:"
    } else {
        "Make it start again:"
    };
    let stopped = if failure::is_exhausted(case.hr()) {
        "Flux has stopped retrying. "
    } else if lacks_target || failure::is_unremedied(case.hr()) {
        "Flux has stopped. "
    } else {
        ""
    };
    match install::left(case) {
        // A failed installation would be upgraded too, without its database.
        Left::Nothing if lacks_target && install::is_stored(case) => Then::new(
            Due::AtOnce,
            "Flux has stopped. Once the cause is fixed, have it upgrade once more:",
            actions(case, &[Act::Force]),
        ),
        Left::Failed if install::job_goes_on(case) => Then::new(
            Due::AfterJob,
            format!(
                "{stopped}The Job of the failed attempt is still running, and may create the database once this is fixed: then run troubleshoot again. If you change the manifest, remove the failed release and make Flux start again, because {AS_UPGRADE}:"
            ),
            first_uninstall(case),
        ),
        Left::Failed => Then::new(
            Due::AtOnce,
            format!("{stopped}Remove the failed release first: {AS_UPGRADE}. {how}"),
            first_uninstall(case),
        ),
        Left::Unknown => Then::new(
            Due::Unknown,
            format!("{stopped}{NOT_KNOWN} {how}"),
            match lacks_target {
                true => actions(case, &[Act::Force]),
                false => start(case),
            },
        ),
        Left::Nothing => Then::new(Due::AtOnce, format!("{stopped}{how}"), start(case)),
    }
}

/// How to make Flux install a release that was removed.
pub fn restart(case: &Case<'_>) -> Then {
    let line = "Make Flux start, which installs it:";
    Then::new(Due::AtOnce, line, start(case))
}

/// How to make Flux upgrade a release that is stored.
pub fn upgrade(case: &Case<'_>) -> Then {
    let line = "Make Flux start, which upgrades that revision:";
    Then::new(Due::AtOnce, line, start(case))
}

/// What happens after a hook failed that an installation runs: the database exists by then.
pub(super) fn past_installation(case: &Case<'_>, upgrade: Upgrade) -> Then {
    const LEAVE_OUT: &str = "leave the creation Job out in the manifest (values.databaseCreationJob.enabled: false, if the chart's version has this value)";
    let removes = removes_failed(case);
    let stopped = failure::has_stopped(case.hr());
    if case.hr().spec.suspend || install::running(case).is_some() {
        return Then::new(
            Due::Unknown,
            "Run troubleshoot again after the next attempt: if it is an installation, its creation Job fails with 412 (SKVS301).",
            Vec::new(),
        );
    }
    let is_stored = install::is_stored(case);
    if stopped && !is_stored {
        return on_its_own(format!(
            "Flux has stopped. The creation Job of another installation fails with 412 (SKVS301), because the database exists: {LEAVE_OUT}. Flux then installs it on its own."
        ));
    }
    if !is_stored || !stopped && removes {
        return on_its_own(format!(
            "Where Flux removes the release and installs it again, the creation Job fails with 412 (SKVS301), because the database exists: then {LEAVE_OUT}."
        ));
    }
    let hook = match upgrade {
        Upgrade::RunsIt => "which runs the hook again",
        Upgrade::SkipsIt => "which does not run the hook",
        Upgrade::NotKnown => "which may not run the hook",
    };
    match stopped {
        true => Then::new(
            Due::AtOnce,
            format!("Make Flux start. It upgrades that revision, {hook}:"),
            start(case),
        ),
        false => on_its_own(format!(
            "Flux tries again on its own. It upgrades that revision, {hook}."
        )),
    }
}

/// Flux removes a failed release before it tries again.
fn removes_failed(case: &Case<'_>) -> bool {
    let install = &case.hr().spec.install;
    install.remediation.retries != 0 && install.strategy.name != "RetryOnFailure"
}

/// The acts that make Flux install instead of upgrading the remains of a failed installation.
fn first_uninstall(case: &Case<'_>) -> Vec<Action> {
    [actions(case, &[Act::Uninstall]), start(case)].concat()
}

/// The acts that make Flux start again.
fn start(case: &Case<'_>) -> Vec<Action> {
    match is_old_controller(case.hr()) {
        Some(true) => actions(case, &[Act::Suspend, Act::Resume]),
        _ => actions(case, &[Act::Reset]),
    }
}

/// The end of a finding on a stored release that is looked at (`see`) and then removed (`remove`).
pub fn uninstalled(case: &Case<'_>, finding: Finding, see: &str, remove: &str) -> Verdict {
    finding
        .step(see)
        .command(history(case))
        .step(remove)
        .command(uninstall(case))
        .then(Some(restart(case)))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::Origin;
    use crate::diagnosis::{Case, fixture};
    use crate::model::condition::Condition;
    use crate::model::helm_storage::Revision;
    use crate::snapshot::{Read, Snapshot};

    /// What follows in the case after a change, with its commands.
    fn told(name: &str, fixes: Fixes, change: impl FnOnce(&mut Snapshot)) -> String {
        let mut snapshot = fixture::snapshot(name);
        change(&mut snapshot);
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let then = then(&case, fixes).unwrap();
        let commands = then
            .acts
            .iter()
            .map(|a| a.command().at(&Origin::default()).to_string());
        std::iter::once(then.line.clone())
            .chain(commands)
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn exhausted(s: &mut Snapshot) {
        s.helm_release.status.conditions.edit().push(Condition {
            kind: "Stalled".to_owned(),
            status: "True".to_owned(),
            reason: "RetriesExceeded".to_owned(),
            observed_generation: Some(1),
            ..Condition::default()
        });
    }

    #[test]
    fn a_failed_installation_goes_before_the_next() {
        insta::assert_snapshot!(told("target-namespace-missing", Fixes::Elsewhere, |_| {}), @r#"
        Flux has stopped retrying. Remove the failed release first: the next attempt would be an upgrade of the failed revision, which does not create the database. Make it start again:
        helm uninstall -n flux-system nope-skvs-onboarding-a--missing-target
        kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-a--missing-target --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=2026-11-23T20:21:00Z reconcile.fluxcd.io/resetAt=2026-11-23T20:21:00Z
        "#);
        insta::assert_snapshot!(told("target-namespace-missing", Fixes::Manifest, |_| {}), @r#"
        Flux picks up the changed manifest on its own, but as an upgrade of the failed revision, which does not create the database. Wait until that attempt is over, then remove the release and make Flux start again:
        helm uninstall -n flux-system nope-skvs-onboarding-a--missing-target
        kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-a--missing-target --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=2026-11-23T20:21:00Z reconcile.fluxcd.io/resetAt=2026-11-23T20:21:00Z
        "#);
        // A controller before 0.37.
        insta::assert_snapshot!(told("runbook-example", Fixes::Elsewhere, |_| {}), @r#"
        Flux has stopped retrying. Remove the failed release first: the next attempt would be an upgrade of the failed revision, which does not create the database. This version starts again after a suspend and a resume:
        helm uninstall -n flux-system core-skvs-onboarding-pds--database
        kubectl patch -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-pds--database --type=merge '-p={"spec":{"suspend":true}}'
        kubectl patch -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-pds--database --type=merge '-p={"spec":{"suspend":false}}'
        "#);
        insta::assert_snapshot!(told("target-namespace-missing", Fixes::Elsewhere, |s| s.helm_release.spec.suspend = true), @r#"
        It is suspended, and the next attempt would be an upgrade of the failed revision, which does not create the database. Remove the failed release, then resume it:
        helm uninstall -n flux-system nope-skvs-onboarding-a--missing-target
        kubectl patch -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-a--missing-target --type=merge '-p={"spec":{"suspend":false}}'
        "#);
    }

    #[test]
    fn what_is_no_longer_stored_is_installed() {
        let gone = |s: &mut Snapshot| s.revisions = Read::Seen(Vec::new());
        insta::assert_snapshot!(told("target-namespace-missing", Fixes::Elsewhere, gone), @r#"
        Flux has stopped retrying. Make it start again:
        kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-a--missing-target --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=2026-11-23T20:21:00Z reconcile.fluxcd.io/resetAt=2026-11-23T20:21:00Z
        "#);
        insta::assert_snapshot!(told("target-namespace-missing", Fixes::Manifest, gone), @r"Flux has stopped retrying; once the manifest changes, it starts again on its own.");
    }

    #[test]
    fn a_chart_that_was_not_rendered_has_left_nothing() {
        let unread = |s: &mut Snapshot| {
            exhausted(s);
            s.revisions = Read::not_asked("x");
            s.helm_release.status.history.clear();
        };
        insta::assert_snapshot!(told("values-refused", Fixes::Manifest, unread), @"Flux has stopped retrying; once the manifest changes, it starts again on its own.");
        // Another failure may have stored a revision.
        insta::assert_snapshot!(told("target-namespace-missing", Fixes::Manifest, unread), @"Flux has stopped retrying; once the manifest changes, it starts again on its own. Whether the creation Job succeeded is unknown: if it did not, first remove the failed release (helm uninstall), because an upgrade does not run the Job.");
    }

    #[test]
    fn a_database_that_was_created_needs_no_second_installation() {
        let created = |s: &mut Snapshot| {
            let release = |status: &str| Revision {
                secret: String::new(),
                revision: 1,
                status: status.to_owned(),
                created: None,
            };
            exhausted(s);
            s.revisions = Read::Seen(vec![release("failed")]);
            let hooks = serde_json::json!({"hooks": [
                {"kind": "Job", "events": ["pre-install"], "last_run": {"phase": "Succeeded"}}]});
            s.release = Read::Seen(serde_json::from_value(hooks).unwrap());
        };
        insta::assert_snapshot!(told("wait-timed-out", Fixes::Elsewhere, created), @r#"
        Flux has stopped retrying. Make it start again:
        kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-pds--database --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=2026-11-23T20:21:00Z reconcile.fluxcd.io/resetAt=2026-11-23T20:21:00Z
        "#);
        // Neither Helm's storage nor the Job was read.
        insta::assert_snapshot!(told("wait-timed-out", Fixes::Elsewhere, exhausted), @r#"
        Flux has stopped retrying. Whether the creation Job succeeded is unknown: if it did not, first remove the failed release (helm uninstall), because an upgrade does not run the Job. Make it start again:
        kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-pds--database --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=2026-11-23T20:21:00Z reconcile.fluxcd.io/resetAt=2026-11-23T20:21:00Z
        "#);
    }

    #[test]
    fn a_job_that_goes_on_may_create_the_database() {
        insta::assert_snapshot!(told("image-not-pulled", Fixes::Elsewhere, |_| {}), @r#"
        Flux has stopped retrying. The Job of the failed attempt is still running, and may create the database once this is fixed: then run troubleshoot again. If you change the manifest, remove the failed release and make Flux start again, because the next attempt would be an upgrade of the failed revision, which does not create the database:
        helm uninstall -n flux-system core-skvs-onboarding-xray--vitals
        kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-xray--vitals --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=2026-11-23T22:52:30Z reconcile.fluxcd.io/resetAt=2026-11-23T22:52:30Z
        "#);
    }

    #[test]
    fn a_running_installation_ends_with_its_time() {
        insta::assert_snapshot!(told("in-progress", Fixes::Elsewhere, |_| {}), @r"The running install continues until spec.timeout (5m0s, 4m15s left), and succeeds if this is fixed by then; after that Flux stops, since spec.install.remediation.retries is not set.");
        insta::assert_snapshot!(told("in-progress", Fixes::Manifest, |s| s.helm_release.spec.install.remediation.retries = 3), @r"The running install continues until spec.timeout (5m0s, 4m15s left); after that Flux removes the release and installs it again. Flux then picks up the changed manifest. Run troubleshoot again at that point: an upgrade of a failed revision does not create the database.");
    }

    #[test]
    fn work_that_hangs_is_started_again_and_other_work_is_not() {
        let name = "image-not-pulled-in-progress";
        let since = |time: &str, change: &dyn Fn(&mut Snapshot)| {
            told(name, Fixes::Elsewhere, |s| {
                for condition in s.helm_release.status.conditions.edit() {
                    condition.last_transition_time = Some(time.to_owned());
                }
                change(s);
            })
        };
        let again = "reconcile.fluxcd.io/resetAt";
        assert!(since("2026-11-20T20:20:00Z", &|_| {}).contains(again));
        assert!(!since("2026-11-23T20:20:15Z", &|_| {}).contains(again));
        // A spec that has just changed: Flux has not answered it, and does so by itself.
        let changed = |s: &mut Snapshot| {
            s.helm_release.metadata.generation = 2;
            let conditions = s.helm_release.status.conditions.edit();
            conditions.retain(|c| c.kind == "Ready");
            conditions[0].status = "True".to_owned();
            conditions[0].message = "Helm install succeeded".to_owned();
        };
        assert!(!since("2026-11-23T20:20:15Z", &changed).contains(again));
    }
}
