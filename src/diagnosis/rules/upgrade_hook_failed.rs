//! SKVS325: a hook Job that runs after the creation Job failed.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::job::Death;
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::{Cause, hook_job};
use crate::model::job::Job;
use crate::snapshot::{IfRead, Listing};
use crate::text::one_line;
use k8s_openapi::jiff::Timestamp;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS325",
    slug: "upgrade-hook-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a later hook Job of the chart failed",
    explanation: r#"The chart has a Job that runs after the installation, or before or after each upgrade, and it failed. It is not the creation
Job, which runs before an installation only: the database is there. The reason is in the Job's pod. Helm before 3.14 does not
name the Job."#,
    fix: r#"See it: `kubectl logs -n NAMESPACE job/NAME --all-containers`

Fix the error in the log, and let Flux try again."#,
    example: r#"pre-upgrade hooks failed: failed early due to stalled resources: [Job/core/pds-database-migrate status: 'Failed']
post-upgrade hooks failed: job failed: BackoffLimitExceeded
failed post-install: job pds-database-register failed: BackoffLimitExceeded"#,
    explains: &["SKVS108", "SKVS110", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(text) = case.failure_text()? else {
        return Ok(None);
    };
    let Some(hook) = text
        .later_hook()
        .filter(|_| ["install", "upgrade"].map(Some).contains(&text.action))
    else {
        return Ok(None);
    };
    let Cause::Wait(wait) = &text.cause else {
        return match hook_pod(text.raw) {
            Some(pod) => of_pod(case, hook, pod),
            None => Ok(None),
        };
    };
    let listed = wait.job();
    if !wait.job_failed && !wait.timed_out && listed.is_none() {
        return Ok(None);
    }
    let ended = match wait.job_failed {
        true => "failed",
        false => "did not finish in time",
    };
    let left = match hook {
        "pre-upgrade" => "It runs before the upgrade: Helm has changed nothing else.",
        "post-install" => {
            "It runs after the installation: the creation Job has succeeded before it, so the database exists. An upgrade does not run it again: what it was to do is then left undone."
        }
        _ => "It runs after the upgrade: the chart's objects are already the new ones.",
    };
    let namespace = case.hr().release_namespace();
    // The Job that was read is the one that the text names; a text without a name leads to the creation Job.
    let read = case.job_as_far_as_read();
    let job = listed
        .map(|w| Subject::new("Job", w.home(namespace), &w.name))
        .or_else(|| hook_job(text.raw).map(|name| Subject::new("Job", namespace, name)))
        .or_else(|| stored(case, hook))
        .or_else(|| of_this_attempt(case, hook, wait.timed_out));
    let timeout = case.hr().timeout();
    let longer = wait.timed_out.then(|| {
        let timeout = one_line(timeout);
        format!("If it only needs more time, raise spec.timeout in the manifest (now {timeout}).")
    });
    let Some(job) = job else {
        let unread = match case.hook_jobs() {
            Ok(Some(jobs)) => jobs.not_all().cloned(),
            Ok(None) => None,
            Err(unread) => Some(unread.why),
        };
        let unread = unread.map(|why| {
            format!(
                "The Jobs of its namespace were not all read: {}.",
                why.clause()
            )
        });
        return case
            .finding(
                case.subject(),
                format!("a Job of the chart's {hook} hook {ended}"),
            )
            .why(left)
            .why("This version of Helm does not name the Job.")
            .whys(unread.as_deref())
            .step(format!(
                "Find it: a Job with the annotation helm.sh/hook: {hook}. Then read its log:"
            ))
            .command(["kubectl", "get", "jobs,pods", "-n", namespace])
            .steps(longer)
            .then(then(case, Fixes::Elsewhere))
            .into();
    };
    let death = read.death().filter(|_| read.subject.as_ref() == Some(&job));
    let sentence = match death {
        Some(death) => format!(
            "{job} of the {hook} hook {ended}: container {} exited {}",
            death.container, death.exit_code
        ),
        None => format!("{job} of the {hook} hook {ended}"),
    };
    let since = is_complete(case, &job).then_some("It is complete by now.");
    case.finding(job.clone(), sentence)
        .why(left)
        .whys(since)
        .seen(death.map(Death::evidence))
        .step("Read its log, and fix the error in it:")
        .command(object_commands::logs(&job))
        .steps(longer)
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The hook's Job, if the stored release has only one.
fn stored(case: &Case<'_>, hook: &str) -> Option<Subject> {
    let hooks = &case.release().if_read()?.hooks;
    let mut jobs = hooks
        .iter()
        .filter(|h| h.kind == "Job" && h.events.iter().any(|event| event == hook));
    let only = jobs.next().filter(|_| jobs.next().is_none())?;
    (!only.name.is_empty()).then(|| Subject::new("Job", case.hr().release_namespace(), &only.name))
}

/// Whether the Job is among the hooks' Jobs that were read, and complete.
fn is_complete(case: &Case<'_>, job: &Subject) -> bool {
    let jobs = case.hook_jobs().if_read();
    let mut jobs = jobs.into_iter().flat_map(Listing::known);
    jobs.any(|read| Subject::from(&read.meta) == *job && read.is_complete() == Some(true))
}

/// The only Job of that hook that failed, or after a time-out any, and was made during this attempt: by its annotation and its time.
fn of_this_attempt(case: &Case<'_>, hook: &str, timed_out: bool) -> Option<Subject> {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let deployed = case.hr().status.history.first()?.last_deployed.as_deref();
    let (since, until) = (
        time(deployed?)?,
        time(
            case.failure
                .as_ref()?
                .condition
                .last_transition_time
                .as_deref()?,
        )?,
    );
    let is_of_attempt = |job: &&Job| {
        let made = job.meta.created.as_str().and_then(time);
        made.is_some_and(|made| (since..=until).contains(&made))
    };
    let jobs = case.hook_jobs().if_read()?;
    if jobs.not_all().is_some() {
        return None;
    }
    let jobs = jobs.known().iter();
    let mut failed = jobs
        .filter(|job| timed_out || job.failed().is_some())
        .filter(|job| job.is_of_hook(hook) == Some(true))
        .filter(is_of_attempt);
    let only = failed.next().filter(|_| failed.next().is_none())?;
    Some(Subject::from(&only.meta))
}

/// The hook is a pod by itself: `pod x failed`.
fn hook_pod(text: &str) -> Option<&str> {
    let (before, _) = text.trim_end().rsplit_once(" failed")?;
    let (_, name) = before.rsplit_once("pod ")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

fn of_pod(case: &Case<'_>, hook: &str, pod: &str) -> Verdict {
    let pod = Subject::new("Pod", case.hr().release_namespace(), pod);
    case.finding(pod.clone(), format!("{pod} of the {hook} hook failed"))
        .step("Read its log, and fix the error in it:")
        .command(object_commands::logs(&pod))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::model::event::Event;
    use crate::snapshot::{Events, Read, Snapshot};
    use serde_json::json;

    /// The codes of a case in which Flux says this, only in its event if the status merely counts attempts.
    fn codes(message: &str, by_event: bool) -> (Vec<&'static str>, Vec<&'static str>) {
        let name = "upgrade-hook-failed";
        let mut snapshot = fixture::snapshot(name);
        let text = format!("Helm upgrade failed for release core/a with chart a@1: {message}");
        let events = snapshot.events.if_read().cloned().unwrap_or_default();
        for c in snapshot.helm_release.status.conditions.edit() {
            if c.is_false() {
                c.message = match by_event {
                    true => "Failed to upgrade after 1 attempt(s)".to_owned(),
                    false => text.clone(),
                };
            }
        }
        let mut events = events.filter(|event| event.reason != "UpgradeFailed");
        let event = json!({"reason": "UpgradeFailed", "message": text, "lastTimestamp": "2026-11-23T20:20:15Z"});
        let event = by_event.then(|| Event::from_value(&event));
        events.extend(Events::whole(event.into_iter().collect()));
        snapshot.events = Read::Seen(events);
        let found = |snapshot: &Snapshot| {
            let diagnosis = diagnose(&Case::new(snapshot, fixture::meta(name).now));
            let codes = diagnosis.roots.iter().map(|root| root.rule.code);
            let not_run = diagnosis.not_run.iter().flat_map(|n| n.codes.clone());
            (codes.collect::<Vec<_>>(), not_run.collect::<Vec<_>>())
        };
        let (codes, _) = found(&snapshot);
        snapshot.events = Read::failed("timeout");
        let (_, not_run) = found(&snapshot);
        (codes, not_run)
    }

    #[test]
    fn it_is_found_in_every_form_of_the_text_wherever_it_is() {
        for message in [
            "post-upgrade hooks failed: 1 error occurred:\n\t* job is failed",
            "post-upgrade hooks failed: 1 error occurred:\n\t* timed out waiting for the condition",
            "post-upgrade hooks failed: 1 error occurred:\n\t* job a failed: BackoffLimitExceeded",
            "pre-upgrade hooks failed: timeout waiting for: [Job/core/a status: 'InProgress']",
        ] {
            for by_event in [false, true] {
                let (codes, not_run) = codes(message, by_event);
                assert!(codes.contains(&"SKVS325"), "{message}: {codes:?}");
                assert_eq!(not_run.contains(&"SKVS325"), by_event, "{not_run:?}");
            }
        }
    }

    #[test]
    fn the_job_is_named_where_the_text_names_it() {
        assert_eq!(
            fixture::sentence("upgrade-hook-failed", "SKVS325"),
            "Job core/pds-database-migrate of the pre-upgrade hook failed: container migrate exited 22"
        );
        assert_eq!(
            fixture::sentence("upgrade-hook-failed-middle", "SKVS325"),
            "a Job of the chart's post-upgrade hook failed"
        );
    }
}
