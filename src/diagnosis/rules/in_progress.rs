//! SKVS108: Flux is working on it.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::controllers::helm_controllers;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::install;
use crate::diagnosis::retries::again;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::unready;
use crate::model::condition::Stated;
use crate::model::controller_log::{Entry, newest};
use crate::model::{failure, status};
use crate::snapshot::IfRead;
use crate::text::age::duration;
use k8s_openapi::jiff::Timestamp;

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
    explains: &["SKVS106", "SKVS110"],
    contradicted_by: &[],
    check,
};

fn working(case: &Case<'_>) -> bool {
    let hr = case.hr();
    !case.is_ready()
        && case.failure.is_none()
        && !status::is_unanswered(hr)
        && !hr.spec.suspend
        && hr.metadata.deletion_timestamp.is_none()
        // What an older spec had begun long ago is not in progress (SKVS106).
        && (!hr.is_stale() || install::finishes_older(case))
}

/// Nothing failed: the controller gave up its own wait, and does not try again.
fn cancelled_for_good(case: &Case<'_>) -> Verdict {
    let released = case.hr().condition("Released");
    let finding = Finding::new(
        case.subject(),
        "Flux cancelled its own wait for the release because of a newer change, and has stopped there",
    )
    .severity(Severity::Error)
    .why("The controller counts a wait that it cancels as a failed attempt; nothing else has failed. Newer versions of helm-controller can be told not to cancel.")
    .seen(released.map(|c| Evidence::condition(case.subject(), c)));
    let finding = if install::created_by_job(case) {
        finding.why("The creation Job is complete, so the database exists: do not uninstall the release (SKVS301).")
    } else {
        finding
    };
    finding.then(Some(again(case))).into()
}

/// The newest error about this release in helm-controller's log since the work began.
fn logged<'a>(case: &Case<'a>) -> Option<&'a Entry> {
    let errors = case.controller_log().if_read()?;
    let newest = newest(&errors.own)?;
    // Work for an older spec is work, too.
    let ready = case.hr().conditions().get("Ready")?.of_any_spec();
    let since = ready.last_transition_time.as_deref()?;
    let since: Timestamp = since.parse().ok()?;
    newest.at.is_some_and(|at| at >= since).then_some(newest)
}

fn check(case: &Case<'_>) -> Verdict {
    if case.wait_was_cancelled() {
        return cancelled_for_good(case);
    }
    if !working(case) {
        return Ok(None);
    }
    let hr = case.hr();
    let seen = ["Reconciling", "Ready"]
        .iter()
        .filter_map(|k| hr.conditions().get(k))
        .map(|c| Evidence::condition(case.subject(), c.of_any_spec()));
    // Of the attempt before, whichever spec that was for.
    let before = hr.conditions().get("Released").map(Stated::of_any_spec);
    let before = before.filter(|c| c.is_false() && failure::is_installing(hr));
    let timeout = hr.timeout();
    let since = install::working_for(case);
    let limit = hr.timeout_seconds();
    let late = since.is_some_and(|since| install::is_overdue(case, since));
    if case.failed_before || install::was_dropped(case) || late && install::is_deployed(case) {
        // Of an earlier spec (SKVS106), or installed and READY was left behind (SKVS152).
        return Ok(None);
    }
    let ready = hr.conditions().get("Ready").map(Stated::of_any_spec);
    let cancelled = ready.filter(|c| c.reason == "HealthCheckCanceled");
    let unknown = since.is_none() && !install::finishes_older(case);
    let (sentence, severity) = match (since, cancelled) {
        (Some(since), Some(_)) if late => (
            format!(
                "Flux stopped waiting {} ago because of a newer change, and has done nothing since",
                duration(since)
            ),
            Severity::Error,
        ),
        (_, Some(_)) => (
            "Flux has stopped waiting because of a newer change".to_owned(),
            Severity::Info,
        ),
        (Some(since), None) if late => (
            format!(
                "Flux has reported work for {}, longer than any action takes ({timeout})",
                duration(since)
            ),
            Severity::Error,
        ),
        (None, None) if unknown => (
            "Flux says that it is working on it, but not since when".to_owned(),
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
    let unready = unready::unready(case);
    let sentence = match unready.first().filter(|pod| pod.is_own()) {
        Some(pod) => format!("{sentence}, and {} is not ready", pod.subject),
        None => sentence,
    };
    let mut finding = Finding::new(case.subject(), sentence)
        .severity(severity)
        .why(until);
    if install::finishes_older(case) {
        finding = finding
            .why("It is still busy with an earlier spec, and takes the present one up afterwards.");
    }
    if before.is_some() {
        finding = finding.why("This is another attempt: Released still shows the previous one.");
    }
    finding = finding
        .seen(seen)
        .seen(before.map(|c| Evidence::condition(case.subject(), c)));
    finding = unready::shown(case, finding);
    if late && let Some(error) = logged(case) {
        let controller = Subject::new("Deployment", "", "helm-controller");
        let log = Evidence::new(controller, "log", &error.text);
        let finding = finding.seen([log]);
        if error.text.contains("panic: ") {
            let image = helm_controllers(case).unwrap_or_default();
            let image = image
                .first()
                .map_or(String::new(), |d| format!(" ({})", d.image()));
            let finding = finding
                .why("According to its log, helm-controller panics when it processes this release. Resuming or retrying does not help.")
                .step(format!("A panic is an error in helm-controller itself{image}: update Flux, or go back to the version before. Its log:"));
            return controller_log::shown(case, finding, "helm-controller", "30m").into();
        }
        let finding = finding
            .why("Its log has an error about this release since then.")
            .step("Fix the error in the controller's log. The whole log:");
        return controller_log::shown(case, finding, "helm-controller", "30m")
            .then(Some(again(case)))
            .into();
    }
    if late {
        let finding = finding
            .why("The controller hangs, was restarted in between, or retries in a loop: its log says which.")
            .step("Read the controller's log:");
        return controller_log::shown(case, finding, "helm-controller", "30m")
            .then(Some(again(case)))
            .into();
    }
    finding
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
    use crate::diagnosis::rule::Severity;
    use crate::diagnosis::{Case, fixture};
    use crate::model::controller_log::{Entry, Errors};
    use crate::model::helm_storage::Release;
    use crate::model::pod::Pod;
    use crate::snapshot::{Listing, Read};
    use serde_json::json;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("in-progress", "SKVS108"),
            "Flux is working on it"
        );
        assert_eq!(
            fixture::sentence("in-progress-too-long", "SKVS108"),
            "Flux has reported work for 21m, longer than any action takes (5m0s)"
        );
        assert_eq!(
            fixture::sentence("health-check-cancelled", "SKVS108"),
            "Flux has stopped waiting because of a newer change"
        );
    }

    #[test]
    fn work_without_a_known_beginning_is_a_warning() {
        let mut snapshot = fixture::snapshot("in-progress");
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.last_transition_time = Some("soon".to_owned());
        }
        let verdict = super::check(&Case::new(&snapshot, fixture::meta("in-progress").now));
        let found = verdict.unwrap().unwrap();
        assert_eq!(
            (found.sentence.as_str(), found.severity.unwrap()),
            (
                "Flux says that it is working on it, but not since when",
                Severity::Warning
            )
        );
    }

    #[test]
    fn only_a_pod_that_is_surely_the_releases_is_in_the_sentence() {
        let name = "in-progress";
        let sentence = |owners: serde_json::Value| {
            let mut snapshot = fixture::snapshot(name);
            let release = snapshot.release.if_read().cloned().unwrap_or_default();
            let manifest = "kind: StatefulSet\nmetadata:\n  name: gate\n".to_owned();
            snapshot.release = Read::Seen(Release {
                manifest,
                ..release
            });
            let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "m"}});
            let pod = json!({"metadata": {"name": "gate-0", "namespace": snapshot.helm_release.release_namespace(), "ownerReferences": owners},
                "status": {"containerStatuses": [{"name": "c", "ready": false, "state": waiting}]}});
            snapshot.on_demand.pods = Read::Seen(Listing::whole(vec![Pod::from_value(&pod)]));
            let verdict = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = verdict.unwrap().unwrap();
            let pods = found.evidence.iter().filter(|e| e.object.kind == "Pod");
            assert_eq!(pods.count(), 1);
            found.sentence
        };
        let owner = json!([{"kind": "StatefulSet", "name": "gate", "controller": true}]);
        assert!(sentence(owner).ends_with("gate-0 is not ready"));
        assert_eq!(sentence(json!(null)), "Flux is working on it");
    }

    #[test]
    fn an_error_in_the_controllers_log_since_the_work_began_explains_it() {
        let look = |name: &str, at: &str, text: &str| {
            let mut snapshot = fixture::snapshot(name);
            let entry = Entry {
                at: Some(at.parse().unwrap()),
                text: text.to_owned(),
            };
            snapshot.on_demand.controller_log = Read::Seen(Errors {
                own: vec![entry],
                general: Vec::new(),
            });
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = found.unwrap().unwrap();
            (
                found.why.last().cloned().unwrap_or_default(),
                fixture::lines(found),
            )
        };
        let (late, since) = ("in-progress-too-long", "2026-11-23T20:00:01Z");
        let (why, told) = look(late, since, "panic: nil pointer [recovered]");
        assert!(why.contains("helm-controller panics"), "{why}");
        assert!(
            told.contains("A panic is an error in helm-controller itself"),
            "{told}"
        );
        let (why, told) = look(late, since, "no");
        assert_eq!(why, "Its log has an error about this release since then.");
        assert!(
            told.contains("Fix the error in the controller's log."),
            "{told}"
        );
        let (why, told) = look(late, "2026-11-23T19:59:59Z", "no");
        assert!(why.starts_with("The controller hangs"), "{why}");
        assert!(told.contains("Read the controller's log:"), "{told}");
        // What is in time needs no explanation.
        let (_, told) = look("in-progress", "2026-11-23T23:59:59Z", "no");
        assert!(told.contains("Wait, and follow it:"), "{told}");
    }
}
