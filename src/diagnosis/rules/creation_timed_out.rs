//! SKVS308: the creation Job did not finish in time.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::hook_order;
use crate::diagnosis::install;
use crate::diagnosis::job::Outcome;
use crate::diagnosis::mesh::uninjected;
use crate::diagnosis::object_commands;
use crate::diagnosis::placement;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::start::{self, Defined};
use crate::model::creation_log::waits_for_proxy;
use crate::model::failure::Cause;
use crate::model::kubelet;
use crate::snapshot::{Checked, IfRead, JobPod, Listing, why_not_all};
use k8s_openapi::jiff::Timestamp;
use std::ops::ControlFlow;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS308",
    slug: "creation-timed-out",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the creation Job did not finish in time",
    explanation: r#"Helm waits for the creation Job for `spec.timeout` (5 minutes if not set), and the Job did not finish. Its pod could not be
created, its pod hangs, or its mesh sidecar does. A Job does not finish while `istio-proxy` runs, so the chart stops the
sidecar through the Envoy port at the end."#,
    fix: r#"See it: `kubectl get pods -n NAMESPACE -l job-name=JOB`, then the log of the container that still runs.

Fix the cause of the wait. Raise `spec.timeout` only if the Job needs more time."#,
    example: r#"timeout waiting for: [Job/core/pds-database-create status: 'InProgress']
failed pre-install: timed out waiting for the condition"#,
    explains: &["SKVS110"],
    contradicted_by: &[],
    check,
};

/// Lines of a running container's log that are shown.
const LINES: usize = 3;

pub(super) fn about_the_job(case: &Case<'_>) -> Checked<bool> {
    if !case.is_about_the_job() {
        return Ok(false);
    }
    Ok(case.failure_text()?.is_some_and(|text| match &text.cause {
        Cause::Wait(wait) => wait.timed_out && (text.is_of_hook() || wait.job().is_some()),
        _ => false,
    }))
}

fn check(case: &Case<'_>) -> Verdict {
    if !about_the_job(case)? {
        return Ok(None);
    }
    let job = case.job_as_far_as_read();
    let subject = job.subject.clone().unwrap_or_else(|| case.subject());
    let timeout = case.hr().timeout();
    if install::job_succeeded(case) {
        let finding = finished_since(case, subject, timeout);
        return finding.then(then(case, Fixes::Elsewhere)).into();
    }
    let mut finding = Finding::new(
        subject.clone(),
        format!("the creation Job did not finish within {timeout}"),
    )
    .seen(case.seen_failure());
    match &job.outcome {
        Outcome::Running { pod, running } => {
            let observed = format!("still running: {}", running.join(", "));
            let (lines, unread) = last_lines(case, pod, running);
            let evidence = Evidence::new(pod.clone(), ".status.containerStatuses", &observed);
            finding = finding
                .seen([evidence.lines(&lines)])
                .why("Its pod is running and has not finished.")
                .whys(unread.as_deref());
            if waits_for_proxy(&lines.join("\n")) {
                finding = finding.why("By its log it waits for a mesh sidecar (istio-proxy) in its own pod, and nothing listens there.");
                finding = uninjected(case, finding, pod);
            }
            finding = finding
                .step("Find out what it is waiting for:")
                .command(object_commands::logs(pod));
        }
        Outcome::NotStarted { .. } => {
            let sentence = format!("the creation Job did not finish within {timeout}");
            finding = tell_not_started(case, finding, &sentence);
        }
        Outcome::Nothing if job.uncreated.is_some() => {
            let sentence = format!(
                "the creation Job did not finish within {timeout}: its pod could not be created"
            );
            finding.sentence = crate::text::one_line(&sentence);
            finding = job.tell_refusal(case, finding);
        }
        Outcome::Nothing => {
            finding = finding
                .why(match &job.silent {
                    Some(silent) => {
                        format!("{} The reason is therefore unknown.", silent.sentence())
                    }
                    None => "No container of its pod has started or finished.".to_owned(),
                })
                .whys(events_unread(case).as_deref())
                .step("Read its events, and let Flux try again while you watch:")
                .command([
                    "kubectl",
                    "get",
                    "events,pods",
                    "-n",
                    case.hr().release_namespace(),
                ]);
        }
        _ => return Ok(None),
    }
    if let Some((reason, message)) = &job.failed {
        let subject = Subject::clone(&subject);
        finding = finding.seen([Evidence::new(
            subject,
            ".status.conditions[Failed]",
            &format!("{reason}: {message}"),
        )]);
    }
    finding.then(then(case, Fixes::Elsewhere)).into()
}

/// Why the events may lack the reason why its pod does not start.
fn events_unread(case: &Case<'_>) -> Option<String> {
    let found = case.creation_job().if_read()?;
    let why = why_not_all(found.events())?.clause();
    Some(format!("Not all of its events were read: {why}."))
}

/// The last lines of the logs of these containers, and why one was not read.
fn last_lines(case: &Case<'_>, pod: &Subject, running: &[String]) -> (Vec<String>, Option<String>) {
    let found = case.creation_job().if_read();
    let pods = found.and_then(|found| found.pods().if_read());
    let mut pods = pods.into_iter().flat_map(Listing::known);
    let found = pods.find(|found| Subject::from(&found.pod.meta) == *pod);
    let (mut lines, mut unread) = (Vec::new(), None);
    for (name, log) in found.into_iter().flat_map(JobPod::logs) {
        match log {
            _ if !running.iter().any(|own| own == name) => {}
            Ok(Some(log)) => {
                let all: Vec<&str> = log
                    .lines()
                    .map(str::trim_end)
                    .filter(|l| !l.is_empty())
                    .collect();
                let last = &all[all.len().saturating_sub(LINES)..];
                lines.extend(last.iter().map(|line| (*line).to_owned()));
            }
            Ok(None) => {}
            Err(unread_log) => {
                unread = Some(format!(
                    "The log of container {name} was not read: {}.",
                    unread_log.why.clause()
                ));
            }
        }
    }
    (lines, unread)
}

/// Adds why the kubelet does not start the pod, and what to do.
pub(super) fn tell_not_started(case: &Case<'_>, mut finding: Finding, sentence: &str) -> Finding {
    let job = case.job_as_far_as_read();
    let Some((pod, evidence, message)) = job.not_started() else {
        return finding;
    };
    let sentence = format!("{sentence}: its pod does not start: {message}");
    finding.sentence = crate::text::one_line(sentence.trim_end_matches([':', ' ']));
    let finding = finding.seen([evidence]);
    if let Some(finding) = placement::rejected(case, finding.clone(), pod) {
        return finding;
    }
    let name = job.subject.as_ref().map_or("", |job| job.name.as_str());
    let finding = match hook_order::late_for_pod(case, finding, name, message) {
        ControlFlow::Break(finding) => finding,
        ControlFlow::Continue(finding) => match job.start_failure() {
            Some(failure) => start::whys(failure)
                .into_iter()
                .fold(finding, Finding::why)
                .step(format!(
                    "{}. The pod's events say more:",
                    start::step(failure, Defined::ByChart)
                )),
            None => finding.step(match kubelet::remedy(message) {
                Some(remedy) => format!("{remedy}. The pod's events say more:"),
                None => {
                    "Fix the fault that the kubelet names. The pod's events say more:".to_owned()
                }
            }),
        },
    };
    finding.command(object_commands::describe(pod))
}

/// Helm gave up, and the Job ended well all the same.
fn finished_since(case: &Case<'_>, subject: Subject, timeout: &str) -> Finding {
    let found = case.creation_job().if_read();
    let time = found.and_then(|found| found.job.completed.as_str());
    let observed = time.map_or("Complete".to_owned(), |time| format!("Complete at {time}"));
    let read = |text: Option<&str>| text?.parse::<Timestamp>().ok();
    let failed = case.failure.as_ref().map(|f| f.condition);
    let failed = failed.and_then(|c| read(c.last_transition_time.as_deref()));
    let was_late = read(time)
        .zip(failed)
        .is_some_and(|(done, failed)| done >= failed);
    let seen = [Evidence::new(subject.clone(), ".status", &observed)];
    let raise = was_late.then(|| {
        "Raise spec.timeout in the manifest, so that the next slow start is waited for.".to_owned()
    });
    if !install::created_by_job(case) {
        return Finding::new(
            subject.clone(),
            format!("{subject} finished, but Helm had given up waiting"),
        )
        .why(format!(
            "Helm waited {timeout} (spec.timeout) and then marked the installation as failed."
        ))
        .why("This does not say whether the Job named after the database created it.")
        .seen(case.seen_failure())
        .seen(seen)
        .steps(raise);
    }
    let sentence = match was_late {
        true => "the creation Job finished after Helm had given up, so the database exists",
        false => "the creation Job finished, so the database exists, although Helm gave up waiting",
    };
    Finding::new(subject, sentence)
    .whys((case.in_couchdb() == Ok(None)).then_some(
        "CouchDB says that it does not have the database now: find out why before anything else.",
    ))
    .why(format!("Helm waited {timeout} (spec.timeout) and then marked the installation as failed."))
    .why("What is left is an upgrade of that revision, which needs no Job. Do not uninstall the release: a new installation would fail, since the database is there (SKVS301).")
    .seen(case.seen_failure())
    .seen(seen)
    .steps(raise)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::snapshot::{Events, Read, Why};
    use serde_json::{Value, json};

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("creation-timed-out", "SKVS308"),
            "the creation Job did not finish within 20s"
        );
    }

    #[test]
    fn what_keeps_the_pod_from_being_made_is_told() {
        let finding = fixture::finding("creation-timed-out-no-pod", "SKVS308");
        assert_eq!(
            finding.sentence,
            "the creation Job did not finish within 20s: its pod could not be created"
        );
        let refused = "Timeout: request did not complete within requested timeout";
        assert_eq!(
            finding.why[0],
            format!("The Job's pod could not be created: {refused}")
        );
        let seen = finding.evidence.iter().find(|e| e.field == "events");
        assert_eq!(
            seen.map(|e| e.observed.clone()),
            Some(format!("FailedCreate: {refused}"))
        );
    }

    #[test]
    fn what_was_not_read_is_not_taken_for_gone() {
        let why = |case| fixture::finding(case, "SKVS308").why;
        assert_eq!(
            why("creation-timed-out-job-forbidden"),
            [
                "The Job was not read: forbidden (get jobs in core). The reason is therefore unknown."
            ]
        );
        assert_eq!(
            why("creation-timed-out-pods-forbidden"),
            [
                "Its pods were not read: forbidden (list pods in core). The reason is therefore unknown."
            ]
        );
    }

    #[test]
    fn events_that_were_not_read_may_say_why_no_container_started() {
        let name = "creation-timed-out";
        let why = |events: Read<Events>| {
            let mut snapshot = fixture::snapshot_of(name, &|object| {
                if object["kind"] == "Pod" {
                    object["status"] = json!({"phase": "Pending"});
                }
            });
            snapshot.creation_job.seen_mut().unwrap().events = events.into();
            let case = Case::new(&snapshot, fixture::meta(name).now);
            (super::RULE.check)(&case).unwrap().unwrap().why
        };
        let none = "No container of its pod has started or finished.";
        assert_eq!(why(Read::Seen(Events::default())), [none]);
        let cut = Events::new(Vec::new(), Some(Why::Failed("timeout".to_owned())));
        for unread in [Read::failed("timeout"), Read::Seen(cut)] {
            assert_eq!(
                why(unread),
                [none, "Not all of its events were read: timeout."]
            );
        }
    }

    #[test]
    fn that_the_job_was_late_is_said_only_where_the_times_say_so() {
        let name = "creation-timed-out";
        let sentence = |completed: Value| {
            let mut snapshot = fixture::snapshot(name);
            fixture::reread(name, &mut snapshot, &mut |object| {
                if object["kind"] == "Job" {
                    object["status"] = json!({
                        "completionTime": completed,
                        "conditions": [{"type": "Complete", "status": "True"}],
                    });
                }
            });
            let case = Case::new(&snapshot, fixture::meta(name).now);
            (super::RULE.check)(&case).unwrap().unwrap().sentence
        };
        let late = "the creation Job finished after Helm had given up, so the database exists";
        assert_eq!(sentence(json!("2099-01-01T00:00:00Z")), late);
        let neutral =
            "the creation Job finished, so the database exists, although Helm gave up waiting";
        for time in [json!("2026-11-23T00:00:00Z"), json!("soon"), json!(null)] {
            assert_eq!(sentence(time), neutral);
        }
    }
}
