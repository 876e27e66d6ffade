//! SKVS325: a hook Job that runs after the creation Job failed.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::hook_job::{self as jobs, Upgrade};
use crate::diagnosis::job::Death;
use crate::diagnosis::retries::{Fixes, past_installation, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::{flux_commands, hook_pod, install, object_commands};
use crate::model::failure::{Cause, failed_pod, hook_job};
use crate::snapshot::IfRead;
use crate::text::one_line;

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
        return match failed_pod(text.raw) {
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
    let namespace = case.hr().release_namespace();
    // The Job that was read is the one that the text names; a text without a name leads to the creation Job.
    let read = case.job_as_far_as_read();
    let named = listed
        .map(|w| Subject::new("Job", w.home(namespace), &w.name))
        .or_else(|| hook_job(text.raw).map(|name| Subject::new("Job", namespace, name)))
        .or_else(|| stored(case, hook));
    let is_concluded = named.is_none();
    let job = named.or_else(|| jobs::of_attempt(case, hook, wait.timed_out));
    let left = left(case, hook, job.as_ref());
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
        let finding = case
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
            .steps(longer);
        return ended_by(case, hook, None, finding);
    };
    let death = read.death().filter(|_| read.subject.as_ref() == Some(&job));
    let sentence = match death {
        Some(death) => format!(
            "{job} of the {hook} hook {ended}: container {} exited {}",
            death.container, death.exit_code
        ),
        None if is_concluded => {
            format!("a Job of the chart's {hook} hook {ended}, probably {job}")
        }
        None => format!("{job} of the {hook} hook {ended}"),
    };
    let concluded = is_concluded.then(|| {
        format!("This version of Helm does not name the Job. {job} is the only one with the annotation helm.sh/hook: {hook} whose times fit the attempt.")
    });
    let is_complete = jobs::is_complete(case, &job);
    let finding = case
        .finding(job.clone(), sentence)
        .why(left)
        .whys(concluded.as_deref())
        .whys(is_complete.then_some("It is complete by now."))
        .seen(death.map(Death::evidence));
    let (finding, _) = match death {
        // The Job's own pod was read.
        Some(_) => (finding, true),
        None => hook_pod::explained(case, finding),
    };
    let finding = finding
        .step(match is_complete {
            true => "Its log may show what took so long:",
            false => READ_LOG,
        })
        .command(object_commands::logs(&job))
        .steps(longer);
    ended_by(case, hook, Some(&job), finding)
}

const READ_LOG: &str = "Read its log, and fix the error in it:";

/// What has been done by the time that the hook runs.
fn left(case: &Case<'_>, hook: &str, job: Option<&Subject>) -> String {
    let left = match hook {
        "pre-upgrade" => "It runs before the upgrade: Helm has changed nothing else.",
        "post-install" => {
            "It runs after the installation: the creation Job has succeeded before it, so the database exists."
        }
        _ => "It runs after the upgrade: the chart's objects are already the new ones.",
    };
    let upgrade = match upgrade(case, hook, job) {
        Some(Upgrade::RunsIt) => " An upgrade runs the hook too.",
        Some(Upgrade::SkipsIt) => " No upgrade runs the hook.",
        Some(Upgrade::NotKnown) | None => "",
    };
    format!("{left}{upgrade}")
}

/// What an upgrade does with a hook of the installation; `None` for a hook of upgrades.
fn upgrade(case: &Case<'_>, hook: &str, job: Option<&Subject>) -> Option<Upgrade> {
    let is_ours = hook == "post-install";
    is_ours.then(|| job.map_or(Upgrade::NotKnown, |job| jobs::upgrade(case, job)))
}

/// The finding with what follows. Another installation meets the existing database, and an upgrade may not run the hook.
fn ended_by(case: &Case<'_>, hook: &str, job: Option<&Subject>, finding: Finding) -> Verdict {
    let Some(upgrade) = upgrade(case, hook, job) else {
        return finding.then(then(case, Fixes::Elsewhere)).into();
    };
    let is_complete = job.is_some_and(|job| jobs::is_complete(case, job));
    let once = "do once what the hook was to do, for instance by creating it again. Its manifest is among the release's hooks:";
    let once = match upgrade {
        // An installation runs it again.
        _ if is_complete || !install::is_stored(case) => None,
        Upgrade::RunsIt => None,
        Upgrade::SkipsIt => Some(format!("Then {once}")),
        Upgrade::NotKnown => Some(format!("Unless an upgrade runs the hook too, {once}")),
    };
    let finding = match once {
        Some(once) => finding.step(once).command(flux_commands::hooks(case)),
        None => finding,
    };
    finding.then(Some(past_installation(case, upgrade))).into()
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

fn of_pod(case: &Case<'_>, hook: &str, pod: &str) -> Verdict {
    let pod = Subject::new("Pod", case.hr().release_namespace(), pod);
    let finding = case.finding(pod.clone(), format!("{pod} of the {hook} hook failed"));
    let (finding, _) = hook_pod::explained(case, finding);
    let finding = finding.step(READ_LOG).command(object_commands::logs(&pod));
    ended_by(case, hook, Some(&pod), finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::model::condition::Condition;
    use crate::model::event::Event;
    use crate::model::helm_storage::Revision;
    use crate::model::job::Job;
    use crate::snapshot::{Events, Listing, Read, Snapshot, Why};
    use serde_json::{Value, json};

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

    /// SKVS325 of a case in which Helm waited for a Job that it does not name, with its reasons, where these Jobs were read.
    fn waited(text: &str, jobs: Read<Listing<Job>>) -> String {
        let name = "upgrade-hook-failed-middle";
        let mut snapshot = fixture::snapshot(name);
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = condition.message.replace(
                "post-upgrade hooks failed: job failed: BackoffLimitExceeded",
                text,
            );
        }
        snapshot.on_demand.hook_jobs = jobs;
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = super::check(&case).unwrap().unwrap();
        let why = finding.why.join("\n");
        format!("{why}\n{}", fixture::lines(finding))
    }

    const TIMED_OUT: &str =
        "post-upgrade hooks failed: 1 error occurred:\n\t* timed out waiting for the condition\n\n";

    fn job(conditions: Value) -> Read<Listing<Job>> {
        let job = json!({"metadata": {"namespace": "core", "name": "pds-database-index", "creationTimestamp": "2026-11-23T20:20:11Z",
            "annotations": {"helm.sh/hook": "post-upgrade"}}, "status": {"conditions": conditions}});
        Read::Seen(Listing::whole(vec![Job::from_value(&job)]))
    }

    #[test]
    fn a_job_that_was_only_too_slow_is_complete_by_now() {
        let complete =
            |at: &str| json!([{"type": "Complete", "status": "True", "lastTransitionTime": at}]);
        insta::assert_snapshot!(waited(TIMED_OUT, job(complete("2026-11-23T20:20:40Z"))), @"
        It runs after the upgrade: the chart's objects are already the new ones.
        This version of Helm does not name the Job. Job core/pds-database-index is the only one with the annotation helm.sh/hook: post-upgrade whose times fit the attempt.
        It is complete by now.
        a Job of the chart's post-upgrade hook did not finish in time, probably Job core/pds-database-index
        Its log may show what took so long:
        $ kubectl logs -n core job/pds-database-index --all-containers
        If it only needs more time, raise spec.timeout in the manifest (now 5m0s).
        ");
        let runs = waited(TIMED_OUT, job(json!([])));
        assert!(!runs.contains("It is complete by now."), "{runs}");
        assert!(
            runs.contains("Read its log, and fix the error in it:"),
            "{runs}"
        );
        let earlier = waited(TIMED_OUT, job(complete("2026-11-23T20:20:12Z")));
        assert!(!earlier.contains("pds-database-index"), "{earlier}");
    }

    #[test]
    fn a_list_of_jobs_that_was_cut_is_not_searched() {
        let Read::Seen(jobs) = job(json!([])) else {
            panic!("no Jobs");
        };
        let cut = Why::NotAsked("only the first 1 jobs were read".to_owned());
        let (known, _) = jobs.into_parts();
        let said = waited(TIMED_OUT, Read::Seen(Listing::new(known, Some(cut))));
        assert!(
            said.contains(
                "The Jobs of its namespace were not all read: only the first 1 jobs were read."
            ),
            "{said}"
        );
        assert!(!said.contains("pds-database-index"), "{said}");
    }

    /// SKVS325 after an installation whose hook of these events failed.
    fn after_installation(
        retries: i64,
        is_stored: bool,
        events: Option<&str>,
    ) -> (Vec<String>, String, String) {
        let text = "failed post-install: job pds-database-register failed: BackoffLimitExceeded";
        let (name, mut snapshot) = ("values-refused", fixture::snapshot("values-refused"));
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = format!(
                "Helm install failed for release core/x with chart secure-kvs-onboarding@0.1.2: {text}"
            );
        }
        if retries == 0 {
            let conditions = json!([{"type": "Stalled", "status": "True", "reason": "RetriesExceeded", "observedGeneration": 1}]);
            let stalled: Vec<Condition> = serde_json::from_value(conditions).unwrap();
            snapshot
                .helm_release
                .status
                .conditions
                .edit()
                .extend(stalled);
        }
        snapshot.helm_release.spec.install.remediation.retries = retries;
        let revision = Revision {
            secret: String::new(),
            revision: 1,
            status: "failed".to_owned(),
            created: None,
        };
        snapshot.revisions = Read::Seen(is_stored.then_some(revision).into_iter().collect());
        snapshot.release = match events {
            Some(events) => {
                let events: Vec<&str> = events.split(',').collect();
                let hook =
                    json!({"kind": "Job", "name": "pds-database-register", "events": events});
                let hooks =
                    json!({"name": "x", "namespace": "core", "version": 1, "hooks": [hook]});
                Read::Seen(serde_json::from_value(hooks).unwrap())
            }
            None => Read::failed("a test"),
        };
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = super::check(&case).unwrap().unwrap();
        let line = finding.then.clone().unwrap().line;
        (finding.why.clone(), format!("{:?}", finding.fix), line)
    }

    #[test]
    fn after_an_installation_only_an_upgrade_hook_runs_again() {
        let post_install = Some("post-install");
        let line = |retries, is_stored| after_installation(retries, is_stored, post_install).2;
        for (retries, is_stored) in [(0, true), (3, true), (0, false)] {
            let line = line(retries, is_stored);
            assert!(!line.contains("nothing else to do"), "{line}");
            assert!(!line.contains("Make it start again"), "{line}");
        }
        for (events, why, fix, then) in [
            (
                post_install,
                "No upgrade runs the hook.",
                "Then do once",
                "does not run the hook",
            ),
            (
                Some("post-install,post-upgrade"),
                "An upgrade runs the hook too.",
                "",
                "runs the hook again",
            ),
            (
                None,
                "so the database exists.",
                "Unless an upgrade runs the hook too, do once",
                "may not run the hook",
            ),
        ] {
            let (whys, fixes, line) = after_installation(0, true, events);
            assert!(whys[0].ends_with(why), "{whys:?}");
            assert!(fixes.contains(fix), "{fixes}");
            assert_eq!(fixes.contains("hooks"), !fix.is_empty(), "{fixes}");
            assert!(line.contains(then), "{line}");
        }
    }

    #[test]
    fn another_installation_meets_the_database() {
        let (_, fix, line) = after_installation(3, false, None);
        assert!(!fix.contains("hooks"), "{fix}");
        assert!(line.starts_with("Where Flux removes the release"), "{line}");
        let (_, fix, line) = after_installation(0, false, None);
        assert!(!fix.contains("hooks"), "{fix}");
        insta::assert_snapshot!(line, @"Flux has stopped. The creation Job of another installation fails with 412 (SKVS301), because the database exists: leave the creation Job out in the manifest (values.databaseCreationJob.enabled: false, if the chart's version has this value). Flux then installs it on its own.");
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
