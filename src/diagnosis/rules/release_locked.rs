//! SKVS115: the Helm release is locked by an unfinished action.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::flux_commands::{history, uninstall};
use crate::diagnosis::install;
use crate::diagnosis::retries::{Fixes, again, restart, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::release::ReleaseError;
use crate::model::status::is_old_controller;
use crate::snapshot::IfRead;
use crate::text::age::duration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS115",
    slug: "release-locked",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the Helm release is locked by an unfinished action",
    explanation: r#"Helm writes a revision with the status `pending-install`, `pending-upgrade` or `pending-rollback` before it acts, and the
final status afterwards. If the controller is killed in between (out of memory, a lost node), the revision stays pending, and
Helm then refuses to act: `another operation (install/upgrade/rollback) is in progress`.

Controllers since 0.37 unlock the release at their next attempt. Older ones never do."#,
    fix: r#"See it: `helm history -n STORAGENAMESPACE RELEASE`, the last line.

- Controller 0.37 and later: wait for the next attempt; make sure that nobody runs helm on the release by hand.
- Older, pending installation: remove it with `helm uninstall`; Flux then installs again.
- Older, pending upgrade: roll it back with `helm rollback`."#,
    example: r#"Helm upgrade failed: another operation (install/upgrade/rollback) is in progress
Released=False PendingRelease: Unlocked Helm release core/x.v1 with chart c@0.1.2 in pending-install state"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let refused = case.cause()? == Some(&Cause::Release(ReleaseError::Locked));
    let unlock = case
        .hr()
        .condition("Released")
        .filter(|c| c.is_false() && c.reason == "PendingRelease" && !case.is_ready());
    let newest = case.revisions().if_read().and_then(|r| r.first());
    let pending = newest.filter(|r| r.status.starts_with("pending-"));
    let age = case.seconds_since(since(case).or(pending.and_then(|p| p.created.as_deref())));
    // An action that runs is pending too: only one that is older than it may be was cut off.
    let cut_off = pending.is_some()
        && case.failure.is_none()
        && case
            .hr()
            .timeout_seconds()
            .zip(age)
            .is_some_and(|(t, a)| a > t);
    if !refused && unlock.is_none() && !cut_off {
        // Only the revisions tell of a lock that an old controller, dead by now, has left.
        let silent = !case.is_ready() && case.failure.is_none();
        if silent {
            case.revisions()?;
            // How long it has been pending decides.
            if pending.is_some() && age.is_none() {
                case.release()?;
            }
        }
        return Ok(None);
    }
    let release = case.hr().release_name();
    let subject = pending.map_or_else(
        || case.subject(),
        |p| Subject::new("Secret", case.hr().storage_namespace(), &p.secret),
    );
    let what = match (pending, age) {
        (Some(p), Some(age)) => format!(
            "revision {} has been {} for {}",
            p.revision,
            p.status,
            duration(age)
        ),
        (Some(p), None) => format!("revision {} is {}", p.revision, p.status),
        (None, _) => "an action on it is running or was interrupted".to_owned(),
    };
    let old = is_old_controller(case.hr()) == Some(true);
    if let Some(unlock) = unlock.filter(|_| !refused) {
        let failed = unlock.message.contains(" failed: ");
        let (sentence, severity) = if failed {
            ("Flux could not unlock the release", Severity::Error)
        } else {
            (
                "Flux has unlocked the release and continues",
                Severity::Info,
            )
        };
        return case
            .finding(case.subject(), sentence)
            .severity(severity)
            .why("An earlier action was interrupted and left the release locked.")
            .step("Watch its history:")
            .command(history(case))
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    let mut finding = case
        .finding(subject.clone(), format!("the Helm release {release} is locked: {what}"))
        .why("Helm marks a revision pending while it acts. This action was interrupted, or somebody is running helm by hand.");
    if let (Some(p), Some(stored)) = (pending, case.release().if_read()) {
        let observed = format!("{}: {}", p.status, stored.info.description);
        finding = finding.seen([Evidence::new(subject, "info.status", &observed)]);
    }
    finding = finding
        .step("Make sure that nobody runs helm on it. Its history:")
        .command(history(case));
    if !old {
        return finding
            .why("This controller unlocks the release at its next attempt.")
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    finding = finding.why("This controller never unlocks it.");
    let install = pending.is_none_or(|p| p.status == "pending-install")
        && case.hr().status.last_applied_revision.is_none();
    if install {
        if install::ran_well(case) {
            finding = finding.why("The creation Job had succeeded: the new installation will find the database there (SKVS301).");
        }
        finding
            .step("Remove the interrupted installation, so that Flux installs again:")
            .command(uninstall(case))
            .then(Some(restart(case)))
    } else {
        finding
            .step("Roll back to the last good revision:")
            .command(["helm", "rollback", "-n", case.hr().storage_namespace(), &release])
            .then(Some(again(case)))
    }
    .into()
}

/// When the pending action began.
fn since<'a>(case: &Case<'a>) -> Option<&'a str> {
    case.release().if_read()?.info.last_deployed.as_deref()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::{diagnose, fixture};
    use crate::snapshot::{Read, Why};

    #[test]
    fn old_controllers_stay_locked_and_new_ones_do_not() {
        assert_eq!(
            fixture::sentence("release-locked", "SKVS115"),
            "the Helm release core-skvs-onboarding-pds--database is locked: revision 1 has been pending-install for 40m"
        );
        assert_eq!(
            fixture::sentence("release-locked-old", "SKVS115"),
            "the Helm release core-skvs-onboarding-pds--database is locked: revision 1 has been pending-install for 40m"
        );
        assert_eq!(
            fixture::sentence("release-locked-no-storage-middle", "SKVS115"),
            "the Helm release core-skvs-onboarding-pds--database is locked: an action on it is running or was interrupted"
        );
        assert_eq!(
            fixture::sentence("release-unlocked-middle", "SKVS115"),
            "Flux has unlocked the release and continues"
        );
    }

    #[test]
    fn what_is_to_be_done_differs_by_version() {
        let commands = |case| format!("{:?}", fixture::finding(case, "SKVS115").fix);
        assert!(commands("release-locked-old").contains("uninstall"));
        assert!(commands("release-locked-upgrade-old").contains("rollback"));
        assert!(!commands("release-locked").contains("uninstall"));
    }

    #[test]
    fn an_action_that_runs_is_not_cut_off() {
        let codes = |case: &str| -> Vec<&str> {
            let roots = fixture::diagnosis(case).roots;
            roots.iter().map(|r| r.rule.code).collect()
        };
        assert_eq!(codes("in-progress-pending"), ["SKVS108"]);
    }

    #[test]
    fn unread_revisions_are_no_proof_of_no_lock_where_nothing_else_tells() {
        let skipped = |name: &str| {
            let mut snapshot = fixture::snapshot(name);
            snapshot.revisions = Read::Unknown(Why::Forbidden("list secrets in a".to_owned()));
            let diagnosis = diagnose(&Case::new(&snapshot, fixture::meta(name).now));
            let not_run = diagnosis
                .not_run
                .into_iter()
                .find(|n| n.codes.contains(&"SKVS115"));
            not_run.map(|n| format!("{}: {}", n.what, n.why))
        };
        for name in ["release-cut-off", "in-progress-pending"] {
            let told = skipped(name);
            let expected = "Helm's revisions: forbidden (list secrets in a)";
            assert_eq!(told.as_deref(), Some(expected), "{name}");
        }
        assert_eq!(skipped("ready"), None);
        assert_eq!(skipped("database-exists"), None);
    }
}
