//! SKVS109: the onboarding is being deleted.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::deletion;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::object_commands;
use crate::diagnosis::remnants;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::{hook_pod, install};
use crate::model::failure::flux::Uninstall;
use crate::model::failure::{Cause, FailureText, JOB_FAILURES};
use crate::snapshot::IfRead;
use crate::text::age;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS109",
    slug: "being-deleted",
    severity: Severity::Warning,
    role: Role::State,
    title: "the onboarding is being deleted",
    explanation: r#"The HelmRelease is marked for deletion and waits for its finalizer: Flux uninstalls the release first. The authorization
policy is removed; the database stays."#,
    fix: r#"See it: if the uninstall fails, the conditions Released and Ready say so.

Wait. If it hangs, find out why the uninstall fails and fix that. Removing the finalizer leaves the policy behind.

To delete the database as well, once the HelmRelease is gone: `kubectl skvs delete-db DATABASE --backup FILE`

Databases without an onboarding: `kubectl skvs databases --orphans`"#,
    example: r#"metadata.deletionTimestamp is set, finalizers.fluxcd.io is still there"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

/// An uninstall that takes longer than this, in seconds, is worth a warning.
const PATIENCE: i64 = 300;

fn deleted(case: &Case<'_>) -> bool {
    case.hr().metadata.deletion_timestamp.is_some()
}

/// Why the uninstall does not finish, as Flux reports it.
fn stuck(case: &Case<'_>) -> Option<String> {
    if case.reason() != "UninstallFailed" {
        return None;
    }
    Some(match case.cause().if_read() {
        Some(Cause::Uninstall(Uninstall::NoAccount(account))) => {
            format!("ServiceAccount {account}, which Flux should act as, does not exist")
        }
        Some(Cause::Uninstall(Uninstall::Remains(object))) => {
            format!("{object} does not go away; a finalizer may hold it")
        }
        _ => case.failure.as_ref()?.text.words(),
    })
}

fn check(case: &Case<'_>) -> Verdict {
    if !deleted(case) {
        return Ok(None);
    }
    let hr = case.hr();
    let since = case
        .seconds_since(hr.metadata.deletion_timestamp.as_deref())
        .unwrap_or_default();
    let severity = if since > PATIENCE {
        Severity::Warning
    } else {
        Severity::Info
    };
    let seen = Evidence::new(
        case.subject(),
        ".metadata.finalizers",
        &format!("held by {}", hr.metadata.finalizers.join(", ")),
    );
    let stuck = stuck(case);
    // Flux drops the finalizer of a suspended one at once, and an uninstall ends with spec.timeout.
    let hangs = stuck.is_none() && install::is_overdue(case, since);
    let (sentence, severity) = match &stuck {
        Some(why) => (
            format!(
                "its deletion has been stuck for {}: {why}",
                age::duration(since)
            ),
            Severity::Error,
        ),
        None => (
            format!("its deletion has been running for {}", age::duration(since)),
            if hangs { Severity::Error } else { severity },
        ),
    };
    let mut finding = Finding::new(case.subject(), sentence)
        .severity(severity)
        .why("Flux uninstalls the release before the HelmRelease disappears. The database stays in any case.")
        .seen(case.seen_failure())
        .seen([seen]);
    if hr.spec.suspend {
        finding = finding.why("It is suspended: Flux then skips the uninstall and leaves the authorization policy behind.");
    }
    if stuck.is_some() {
        let text = case.failure_text().if_read();
        finding = match text.map(|text| &text.cause) {
            Some(Cause::Uninstall(Uninstall::NoAccount(account))) => finding
                .step(format!("Flux uninstalls as ServiceAccount {account}, which is gone: create it again with its rights until the HelmRelease is gone. Existing accounts:"))
                .command(["kubectl", "get", "serviceaccounts", "-n", &hr.metadata.namespace]),
            _ if text.is_some_and(FailureText::is_before_helm) => {
                let finding = finding.step("The uninstall has not begun. Read the controller's log:");
                controller_log::shown(case, finding, "helm-controller", "1h")
            }
            _ => finding
                .step("Remove the obstacle to the uninstall. The release's objects:")
                .command(["helm", "get", "manifest", "-n", hr.storage_namespace(), &hr.release_name()]),
        };
    }
    let is_partial = |why: &String| why.contains("uninstallation completed with ");
    if stuck.as_ref().is_some_and(is_partial) {
        finding = remnants::shown(case, finding);
    }
    if hangs {
        finding = finding
            .why("That is longer than an uninstall takes, and Flux reports none that failed: helm-controller is not running, does not handle this object, or is still busy with an earlier action.")
            .step("Check that helm-controller is running, and read its log:")
            .command(object_commands::deployments("helm-controller"));
        finding = controller_log::shown(case, finding, "helm-controller", "1h");
        if !hr.spec.suspend {
            finding = finding.step("If it runs, suspending makes it drop the finalizer without an uninstall: the release stays in Helm's storage, and the authorization policy stays.");
        }
    }
    let mut of_hook = JOB_FAILURES.into_iter().chain(["-delete hooks failed"]);
    if stuck.is_some_and(|why| of_hook.any(|t| why.contains(t))) {
        (finding, _) = hook_pod::explained(case, finding);
        finding = finding
            .step("If the hook cannot be fixed, uninstall without the chart's hooks:")
            .command(kubectl(case, "patch").args([
                "--type=merge",
                r#"-p={"spec":{"uninstall":{"disableHooks":true}}}"#,
            ]));
    }
    match case.database() {
        Some(database) => finding
            .step("Once it is gone, check whether its database can be deleted too, and how much is in it. This deletes nothing:")
            .command(deletion::rehearsal(&database)),
        None => finding.step("Wait until it is gone."),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("being-deleted", "SKVS109"),
            "its deletion has been running for 10m"
        );
    }

    #[test]
    fn what_keeps_it_is_told() {
        for (case, sentence) in [
            (
                "deletion-account-gone",
                "its deletion has been stuck for 20m: ServiceAccount helm-controller, which Flux should act as, does not exist",
            ),
            (
                "deletion-finalizer",
                "its deletion has been stuck for 20m: AuthorizationPolicy/secure-kvs/pds-database does not go away; a finalizer may hold it",
            ),
            (
                "deletion-hook-old",
                "its deletion has been stuck for 20m: uninstallation completed with 1 error(s): timed out waiting for the condition",
            ),
        ] {
            assert_eq!(fixture::sentence(case, "SKVS109"), sentence);
        }
    }
}
