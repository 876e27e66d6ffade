//! What a failed installation leaves in Helm's storage, and what Flux makes of it.
//!
//! Only an installation runs the Job that creates the database. Where its failed revision stays in storage, Flux's next attempt
//! is an upgrade of it: Ready comes, the database does not. Seen with helm-controller 1.6; every version upgrades a release that
//! is there.

use super::case::Case;
use super::job::Sidecar;
use crate::model::condition::{Condition, Stated};
use crate::model::failure::Cause;
use crate::model::field::Field;
use crate::model::helm_storage::{Creation, Release, creation};
use crate::model::job::Job;
use crate::model::job_values::JobValues;
use crate::model::status::is_old_controller;
use crate::snapshot::{Checked, IfRead, Unread};
use k8s_openapi::jiff::Timestamp;

/// Whether a failed installation is in the way of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The next attempt is an installation, or the database was made by an earlier one.
    Nothing,
    /// The next attempt is an upgrade, and the creation Job never ended well.
    Failed,
    /// What is in storage, or whether the Job ended well, is not known.
    Unknown,
}

/// What the last installation left.
pub fn left(case: &Case<'_>) -> Left {
    if is_of_another_release(case) {
        return Left::Unknown;
    }
    match (stored(case), created(case)) {
        (Some(false), _) | (_, Some(true)) => Left::Nothing,
        (Some(true), Some(false)) => Left::Failed,
        (Some(true), None) => Left::Unknown,
        // Helm stores a revision once it has rendered it, and installs only where none is stored.
        (None, _)
            if case.reason() == "InstallFailed"
                && matches!(case.cause(), Ok(Some(Cause::Template(_)))) =>
        {
            Left::Nothing
        }
        // A failed installation has stored its revision in most cases.
        (None, _) if case.reason() == "InstallFailed" => Left::Unknown,
        // Nothing tells of a revision: it is as before the first attempt.
        (None, _) => Left::Nothing,
    }
}

/// Why the content of Helm's storage is not known; `None` if it was read, or Flux's status lists its revisions.
pub fn unread_storage(case: &Case<'_>) -> Option<Unread> {
    case.revisions().err().filter(|_| stored(case).is_none())
}

/// Whether the stored revision says that it is of another release: Helm would remove what that one has installed.
pub fn is_of_another_release(case: &Case<'_>) -> bool {
    let stored = case.release().if_read();
    let name = stored.map_or("", |stored| &stored.name);
    !name.is_empty() && name != case.hr().release_name()
}

/// Whether Helm's storage, or Flux's status where that was not read, has a revision.
pub fn is_stored(case: &Case<'_>) -> bool {
    match case.revisions() {
        Ok(all) => all.is_some_and(|all| !all.is_empty()),
        Err(_) => !case.hr().status.history.is_empty(),
    }
}

/// Whether storage holds revisions and none that was ever deployed; `None` when nothing tells.
fn stored(case: &Case<'_>) -> Option<bool> {
    let hr = case.hr();
    let judge = |statuses: &mut dyn Iterator<Item = &str>| {
        let there: Vec<&str> = statuses
            .filter(|s| !matches!(*s, "uninstalled" | "uninstalling"))
            .collect();
        let deployed = there
            .iter()
            .any(|s| matches!(*s, "deployed" | "superseded"));
        !there.is_empty() && !deployed
    };
    match case.revisions() {
        Ok(Some(all)) => Some(judge(&mut all.iter().map(|r| r.status.as_str()))),
        Ok(None) => Some(false),
        Err(_) if !hr.status.history.is_empty() => Some(judge(
            &mut hr.status.history.iter().map(|h| h.status.as_str()),
        )),
        // Old controllers tell the number of the newest revision only, and what was ever applied well.
        Err(_) if is_old_controller(case.hr()) == Some(true) => {
            let status = &hr.status;
            let none = status.last_applied_revision.as_deref().unwrap_or_default();
            Some(none.is_empty() && status.last_release_revision.unwrap_or(0) > 0)
        }
        Err(_) => None,
    }
}

/// The Job that creates the database: the one that was read, or the one named after the database if both run before the installation.
///
/// # Errors
/// It was not read, or there may be another one beside the one that was read.
fn creator<'a>(case: &Case<'a>) -> Checked<Option<&'a Job>> {
    let is_own = case.job_as_far_as_read().subject.is_some();
    let found = match case.creation_job() {
        Err(unread) if !unread.is_not_needed() => return Err(unread),
        found => found.if_read(),
    };
    let Some(found) = found.filter(|_| is_own) else {
        return Ok(None);
    };
    match found.of_database() {
        Ok(Some(job)) if job.runs_before_installation() => Ok(Some(job)),
        Err(unread) if !unread.is_not_needed() => Err(unread),
        Ok(_) | Err(_) => Ok(Some(&found.job)),
    }
}

/// The Job's own containers ended well, and only the mesh's sidecar keeps the Job from its end: it has probably created the database, but
/// its exit code may be that of the command that ends the sidecar.
fn may_be_done(case: &Case<'_>) -> bool {
    let sidecar = &case.job_as_far_as_read().sidecar;
    matches!(sidecar, Some(Sidecar::RunsOn { .. }))
}

/// That Job of this installation, if it ended well: it has created the database.
pub fn creating_job<'a>(case: &Case<'a>) -> Option<&'a Job> {
    let is_free = |job: &Job| match job.made_by() {
        Field::Set(id) => id == case.hr().id(),
        Field::Absent => true,
        Field::Malformed => false,
    };
    let is_complete = |job: &Job| job.is_complete() == Some(true);
    creator(case)
        .if_read()
        .filter(|job| is_complete(job) && is_free(job) && is_of_installation(case, job))
}

/// It ended well, so the database was created.
pub fn created_by_job(case: &Case<'_>) -> bool {
    creating_job(case).is_some()
}

/// The Job that was read, of this installation, ended well, as its own status says.
pub fn job_succeeded(case: &Case<'_>) -> bool {
    let is_own = case.job_as_far_as_read().subject.is_some();
    let found = case.creation_job().if_read().filter(|_| is_own);
    found.is_some_and(|found| {
        found.job.is_complete() == Some(true) && is_of_installation(case, &found.job)
    })
}

/// Whether a Job is surely of this onboarding's last installation. One that is being deleted, is older than the onboarding, or was made
/// after the failure without a label that names its owner may be another's or a former one; so may one whose times cannot be compared.
fn is_of_installation(case: &Case<'_>, job: &Job) -> bool {
    let time = |text: Option<&str>| text?.parse::<Timestamp>().ok();
    let Some(made) = time(job.meta.created.as_str()) else {
        return false;
    };
    let since = time(case.hr().metadata.creation_timestamp.as_deref());
    let before_failure = case.failure.as_ref().is_none_or(|f| {
        let failed = time(f.condition.last_transition_time.as_deref());
        failed.is_some_and(|failed| made <= failed)
    });
    let is_named = job.made_by().set().is_some();
    job.meta.deleted.is_absent()
        && since.is_some_and(|since| made >= since)
        && (is_named || before_failure)
}

/// The creation Job ran and ended well, as it says itself or the revision that ran it.
pub fn ran_well(case: &Case<'_>) -> bool {
    let ran = |release: &Release| creation(&release.hooks) == Creation::Succeeded;
    created_by_job(case) || case.release().if_read().is_some_and(ran)
}

/// Whether the installation created the database, or had none to create; `None` when nothing tells.
pub fn created(case: &Case<'_>) -> Option<bool> {
    if created_by_job(case) {
        return Some(true);
    }
    if may_be_done(case) {
        return None;
    }
    // A Job that was not read may have done its work, and only its sidecar kept it from its end.
    let is_unread = case
        .creation_job()
        .is_err_and(|unread| !unread.is_not_needed());
    let told = [case.first_release(), case.release()]
        .into_iter()
        .filter_map(IfRead::if_read)
        .map(|release| creation(&release.hooks))
        .find(|c| *c != Creation::NotRun);
    match told {
        Some(Creation::None | Creation::Succeeded) => return Some(true),
        Some(Creation::Failed) => return (!is_unread || is_over(case)).then_some(false),
        Some(Creation::NotRun | Creation::Unknown) | None => {}
    }
    if JobValues::within(&case.hr().spec.values).is_switched_off() {
        return Some(true);
    }
    if is_unread {
        return is_over(case).then_some(false);
    }
    // The result of another Job says nothing about the one that creates the database.
    let creator = creator(case).ok()?;
    let is_other = |job: &Job| {
        let read = case.creation_job().if_read();
        read.is_some_and(|found| !std::ptr::eq(job, &raw const found.job))
    };
    if let Some(job) = creator.filter(|job| is_other(job)) {
        return (job.is_complete() == Some(false)).then_some(false);
    }
    let timed_out = case.failure_text().if_read().is_some_and(|text| {
        matches!(&text.cause, Cause::Wait(wait) if !wait.job_failed) && text.is_of_creating_hook()
    });
    // One that is complete and not of this installation tells nothing.
    let seen = creator.is_some_and(|job| job.is_complete() == Some(false));
    (is_over(case) || timed_out || seen).then_some(false)
}

/// The failure says that the Job failed, or that it could not be made.
fn is_over(case: &Case<'_>) -> bool {
    let text = case.failure_text().if_read();
    text.is_some_and(|text| match &text.cause {
        Cause::Wait(wait) => wait.job_failed && text.is_of_hook(),
        Cause::Server(_) => false,
        _ => text.is_of_creating_hook(),
    })
}

/// The failed installation's Job has not come to an end: Helm gave up waiting for it, and it may still create the database.
pub fn job_goes_on(case: &Case<'_>) -> bool {
    let read = case.creation_job().if_read();
    let creator = creator(case).if_read();
    read.is_some_and(|found| found.job.goes_on()) || creator.is_some_and(Job::goes_on)
}

/// Seconds until a running installation is given up; `None` when none runs. The inner one is `None` where the times cannot be read.
pub fn running(case: &Case<'_>) -> Option<Option<i64>> {
    if case.failure.is_some() {
        return None;
    }
    let hr = case.hr();
    let condition = hr
        .conditions()
        .iter()
        // It runs to its end, whatever the spec is by now.
        .map(Stated::of_any_spec)
        .find(|c| c.message.starts_with("Running 'install' action"))?;
    let since = case.seconds_since(condition.last_transition_time.as_deref());
    match hr.timeout_seconds().zip(since) {
        // It has ended, one way or another, and the status was not brought up to date.
        Some((timeout, since)) if since >= timeout => None,
        Some((timeout, since)) => Some(Some(timeout - since)),
        None => Some(None),
    }
}

/// Flux still works on what an older spec had begun, and not for longer than an action takes: it takes the present one up afterwards.
pub fn finishes_older(case: &Case<'_>) -> bool {
    let hr = case.hr();
    let ready = hr.conditions().get("Ready").map(Stated::of_any_spec);
    let ready = ready.filter(|c| c.status == "Unknown");
    let since = ready.and_then(|c| case.seconds_since(c.last_transition_time.as_deref()));
    hr.is_stale() && since.is_some_and(|seconds| !is_overdue(case, seconds))
}

/// Seconds since which Flux says that it is working on the present spec.
pub fn working_for(case: &Case<'_>) -> Option<i64> {
    let kinds = ["Reconciling", "Ready"].iter();
    let mut conditions = kinds.filter_map(|kind| case.hr().condition(kind));
    conditions.find_map(|c| case.seconds_since(c.last_transition_time.as_deref()))
}

/// Flux works on the present spec, as far as its status can be believed: not on an older one, and for no longer than an action takes.
pub fn is_at_work(case: &Case<'_>) -> bool {
    let overdue = working_for(case).is_some_and(|s| is_overdue(case, s));
    let of_older = case.hr().is_stale() && !finishes_older(case);
    !overdue && !case.failed_before && !was_dropped(case) && !of_older
}

/// Flux began with the present spec, long ago, and Ready is still about an earlier one: the work was dropped.
pub fn was_dropped(case: &Case<'_>) -> bool {
    let Some(Stated::History(ready)) = case.hr().conditions().get("Ready") else {
        return false;
    };
    let since =
        working_for(case).or_else(|| case.seconds_since(ready.last_transition_time.as_deref()));
    since.is_some_and(|seconds| is_overdue(case, seconds))
}

/// Whether work that has gone on for `seconds` is over: no action outlasts `spec.timeout`, and the next attempt comes within
/// `spec.interval`. One that cannot be read counts as [`UNREADABLE`], so that no work counts as going on for ever.
pub fn is_overdue(case: &Case<'_>, seconds: i64) -> bool {
    let hr = case.hr();
    let lengths = [hr.timeout_seconds(), hr.interval_seconds()];
    let limit = lengths.map(|length| length.unwrap_or(UNREADABLE));
    seconds > limit[0].saturating_add(limit[1])
}

/// Seconds that a length of time counts as where it cannot be read.
const UNREADABLE: i64 = 3600;

/// The newest revision is deployed, as the status says and, where it was read, Helm's storage.
pub fn is_deployed(case: &Case<'_>) -> bool {
    let hr = case.hr();
    let released = case
        .hr()
        .condition("Released")
        .is_some_and(Condition::is_true);
    let latest = hr.latest().is_some_and(|h| h.status == "deployed");
    let stored = case.revisions().if_read().and_then(|all| all.first());
    released && latest && stored.is_none_or(|newest| newest.status == "deployed")
}

#[cfg(test)]
mod tests {
    use super::{is_overdue, job_succeeded};
    use crate::diagnosis::{Case, fixture};
    use crate::model::job::Job;
    use crate::snapshot::{Read, Snapshot};
    use serde_json::{Value, json};

    #[test]
    fn a_length_that_cannot_be_read_does_not_excuse_endless_work() {
        let mut snapshot = fixture::snapshot("in-progress");
        let now = fixture::meta("in-progress").now;
        let mut overdue = |timeout: &str, interval: &str, seconds: i64| {
            snapshot.helm_release.spec.timeout = Some(timeout.to_owned());
            snapshot.helm_release.spec.interval = Some(interval.to_owned());
            is_overdue(&Case::new(&snapshot, now), seconds)
        };
        assert!(!overdue("5m", "5m", 600));
        assert!(overdue("5m", "5m", 601));
        assert!(!overdue("soon", "5m", 3900));
        assert!(overdue("soon", "5m", 3901));
        assert!(overdue("soon", "often", 7201));
        assert!(!overdue(
            "2562047788015215h",
            "2562047788015215h",
            i64::MAX - 1
        ));
    }

    #[test]
    fn of_two_jobs_the_one_named_after_the_database_tells_whether_it_was_created() {
        let name = "hook-job-failed";
        let now = fixture::meta(name).now;
        let snapshot = fixture::snapshot(name);
        let ended = |kind: &str, hook: &str| {
            let found = snapshot.creation_job.if_read();
            let made = found.and_then(|found| found.job.meta.created.as_str());
            Job::from_value(&json!({
                "metadata": {"creationTimestamp": made, "annotations": {"helm.sh/hook": hook}},
                "status": {"conditions": [{"type": kind, "status": "True"}]},
            }))
        };
        let created = |named: &str, other: Read<Job>| {
            let mut snapshot = snapshot.clone();
            let Read::Seen(found) = &mut snapshot.creation_job else {
                panic!("the case has its Job");
            };
            found.job.conditions = ended(named, "pre-install").conditions;
            found.of_database = other.into();
            super::created(&Case::new(&snapshot, now))
        };
        let other = |kind: &str, hook: &str| Read::Seen(ended(kind, hook));
        let not_needed = || Read::not_needed("one Job runs before the installation");
        assert_eq!(created("Complete", not_needed()), Some(true));
        assert_eq!(created("Failed", not_needed()), Some(false));
        assert_eq!(created("Failed", Read::Absent), Some(false));
        // The other one decides, whatever the result of the one that the failure names.
        for (kind, expected) in [("Complete", true), ("Failed", false)] {
            for named in ["Complete", "Failed"] {
                let created = created(named, other(kind, "pre-install"));
                assert_eq!(created, Some(expected), "{named} and {kind}");
            }
        }
        // One that does not run before an installation creates nothing.
        assert_eq!(created("Failed", other("Complete", "test")), Some(false));
        // Not read: not known, and never a reason to uninstall the release.
        for named in ["Complete", "Failed"] {
            let unread = Read::failed("not in the saved files");
            assert_eq!(created(named, unread), None, "{named}");
        }
    }

    #[test]
    fn a_complete_job_counts_only_where_it_is_surely_of_this_installation() {
        let name = "hook-job-failed";
        let now = fixture::meta(name).now;
        let succeeded = |change: &dyn Fn(&mut Snapshot, &mut Value)| {
            let mut snapshot = fixture::snapshot(name);
            let mut other = snapshot.clone();
            fixture::reread(name, &mut snapshot, &mut |object| {
                if object["kind"] == "Job" {
                    object["status"] =
                        json!({"conditions": [{"type": "Complete", "status": "True"}]});
                    change(&mut other, object);
                }
            });
            snapshot.helm_release = other.helm_release.clone();
            job_succeeded(&Case::new(&snapshot, now))
        };
        let made = |time: &'static str| {
            move |_: &mut Snapshot, job: &mut Value| {
                job["metadata"]["creationTimestamp"] = json!(time)
            }
        };
        assert!(succeeded(&|_, _| {}));
        // Older than the onboarding, made after the failure, at an unknown time.
        for time in ["2026-08-01T00:00:00Z", "2026-11-23T20:20:20Z", "yesterday"] {
            assert!(!succeeded(&made(time)), "{time}");
        }
        // Flux's labels name the owner, so a later attempt's Job is its own.
        assert!(succeeded(&|snapshot, job| {
            made("2026-11-23T20:20:20Z")(snapshot, job);
            let name = &snapshot.helm_release.metadata.name;
            job["metadata"]["labels"] = json!({
                "helm.toolkit.fluxcd.io/name": name,
                "helm.toolkit.fluxcd.io/namespace": "flux-system",
            });
        }));
        assert!(!succeeded(&|_, job| {
            job["metadata"]["deletionTimestamp"] = json!("2026-11-23T20:20:30Z");
        }));
        assert!(!succeeded(&|snapshot, _| {
            snapshot.helm_release.metadata.creation_timestamp = None;
        }));
        assert!(!succeeded(&|snapshot, _| {
            for condition in snapshot.helm_release.status.conditions.edit() {
                condition.last_transition_time = Some("lately".to_owned());
            }
        }));
        assert!(!succeeded(&|_, job| {
            let failed = json!({"type": "Failed", "status": "True"});
            job["status"]["conditions"]
                .as_array_mut()
                .unwrap()
                .push(failed);
        }));
    }
}
