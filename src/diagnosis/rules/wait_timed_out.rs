//! SKVS111: Helm gave up waiting for an object.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::unready;
use crate::diagnosis::volume_claims;
use crate::model::failure::{Cause, JOB_FAILURES, Wait, Waited, split_trailer};
use crate::model::helm_log::{Awaited, awaited};
use crate::snapshot::{IfRead, WaitedClaim, Why};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS111",
    slug: "wait-timed-out",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Helm gave up waiting for an object",
    explanation: r#"After applying the chart Helm waits until its objects are ready, at most for `spec.timeout`. One was not ready in time; Flux
does not say why. Which one it was may be in the last lines of Helm's log, which controllers up to 0.36 append to the
condition and later ones to the event.

A PersistentVolumeClaim whose StorageClass has volumeBindingMode WaitForFirstConsumer becomes ready only once a pod uses it: if
the chart starts none, Helm waits in vain (`spec.install.disableWait`, `spec.upgrade.disableWait`)."#,
    fix: r#"See it: look at the objects named in the message, and at their pods and events.

Fix the object. Raise `spec.timeout` only if it needs more time."#,
    example: r#"timeout waiting for: [Deployment/core/x status: 'InProgress']
context deadline exceeded"#,
    explains: &["SKVS110"],
    contradicted_by: &[Fact::Installed],
    check,
};

fn timed_out(case: &Case<'_>) -> bool {
    let acted = case.failure.as_ref().and_then(|f| f.text.action);
    acted.is_some_and(|a| a != "uninstall")
}

fn check(case: &Case<'_>) -> Verdict {
    if !timed_out(case) {
        return Ok(None);
    }
    let Some(text) = case.failure_text()? else {
        return Ok(None);
    };
    let waited = match &text.cause {
        // A Job of the chart that is not a hook: it is applied with the other objects.
        Cause::Wait(wait)
            if wait.job_failed
                && text.later_hook().is_none()
                && case.action()? == Some("upgrade") =>
        {
            return of_job(case, wait);
        }
        Cause::Wait(wait) if !text.is_of_hook() && wait.gone_job().is_some() => {
            return wait
                .gone_job()
                .map_or(Ok(None), |job| of_gone_job(case, job));
        }
        // The creation Job has its own checks.
        Cause::Wait(wait) if wait.job().is_some() || text.is_of_hook() => return Ok(None),
        // SKVS325 names the hook.
        Cause::Wait(_) if text.later_hook().is_some() => return Ok(None),
        Cause::Wait(wait) if wait.timed_out => &wait.objects,
        _ => return Ok(None),
    };
    let timeout = case.hr().timeout();
    if let Some(one) = in_log(case).filter(|_| waited.is_empty()) {
        return of_log(case, &one, timeout);
    }
    let home = case.hr().release_namespace();
    let subject = waited.first().map_or_else(
        || case.subject(),
        |w| Subject::new(&w.kind, &w.namespace, &w.name),
    );
    let claims = waited.iter().map(|w| {
        let subject = Subject::new(&w.kind, w.home(home), &w.name);
        volume_claims::waited(case, &subject)
    });
    let claims: Vec<Option<&WaitedClaim>> = claims.collect();
    // Anything else that Helm waits for may be, or start, the pod that uses the claim.
    let late =
        |claim: &Option<&WaitedClaim>| claim.is_some_and(|c| volume_claims::is_late(case, c));
    let is_late = !claims.is_empty() && claims.iter().all(late);
    let unready = unready::unready(case);
    let own = unready.first().filter(|pod| pod.is_own());
    let sentence = if let (true, Some(pod)) = (waited.is_empty(), own) {
        format!(
            "Helm gave up waiting after {timeout}: {} is not ready",
            pod.subject
        )
    } else if waited.is_empty() {
        format!("Helm gave up waiting after {timeout}")
    } else if is_late {
        format!(
            "{subject} was not ready within {timeout}: it gets a volume only once a pod uses it"
        )
    } else {
        format!("{subject} was not ready within {timeout}")
    };
    let mut finding = Finding::new(subject, sentence)
        .why(match own.is_none() && claims.iter().all(Option::is_none) {
            true => "Helm waits for its objects, at most for spec.timeout. Flux does not say why the object did not become ready.",
            false => "Helm waits for its objects, at most for spec.timeout.",
        })
        .seen(case.seen_failure());
    for (w, claim) in waited.iter().zip(claims) {
        finding = finding.seen([Evidence::new(
            Subject::new(&w.kind, &w.namespace, &w.name),
            ".status",
            &w.status,
        )]);
        if let Some(claim) = claim {
            finding = volume_claims::tell(case, finding, claim);
        }
        if !is_late {
            let own = Subject::new(&w.kind, w.home(home), &w.name);
            finding = finding.command(object_commands::describe(&own));
        }
    }
    if is_late {
        return volume_claims::without_wait(finding)
            .then(then(case, Fixes::Manifest))
            .into();
    }
    if waited.is_empty() && own.is_none() {
        finding = finding
            .step("Find the objects that are not ready in the target namespace:")
            .command([
                "kubectl",
                "get",
                "pods,jobs",
                "-n",
                case.hr().release_namespace(),
            ]);
    }
    unready::shown(case, finding)
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// An upgrade does not run the creation Job.
fn of_job(case: &Case<'_>, wait: &Wait) -> Verdict {
    let namespace = case.hr().release_namespace();
    let Some(job) = wait.job() else {
        return Finding::new(case.subject(), "a Job of the chart failed")
            .why("Helm does not say which. An upgrade does not run the creation Job.")
            .seen(case.seen_failure())
            .step("Find it in the target namespace, and read its log:")
            .command(["kubectl", "get", "jobs,pods", "-n", namespace])
            .then(then(case, Fixes::Elsewhere))
            .into();
    };
    let namespace = job.home(namespace);
    let subject = Subject::new("Job", namespace, &job.name);
    Finding::new(subject.clone(), format!("{subject} of the chart failed"))
        .why("An upgrade does not run the creation Job: this is another one.")
        .seen(case.seen_failure())
        .step("Read its log, and fix the error in it:")
        .command(object_commands::logs(&subject))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The Job no longer existed when Helm looked at it: only its events say how it ended.
fn of_gone_job(case: &Case<'_>, job: &Waited) -> Verdict {
    let subject = Subject::new("Job", job.home(case.hr().release_namespace()), &job.name);
    let events = case.events_of_gone_job(&job.name);
    let unread = events.as_ref().err().map(|unread| unread.why.clause());
    let events = events.ok().flatten();
    let not_all = events.and_then(|events| events.not_all().map(Why::clause));
    let known = events.map_or(&[][..], |events| events.known());
    let failed = known
        .iter()
        .rev()
        .find(|event| JOB_FAILURES.contains(&event.reason.as_str()));
    let sentence = match failed {
        Some(event) => format!(
            "{subject} failed ({}) and was removed before Helm checked it",
            event.reason
        ),
        None => format!("{subject} was removed before Helm saw how it ended"),
    };
    let unknown = unread.or(not_all).filter(|_| failed.is_none());
    let unknown = unknown.map(|why| format!("Its events were not read: {why}."));
    let (namespace, name) = (subject.namespace.clone(), subject.name.clone());
    let of = format!("involvedObject.kind=Job,involvedObject.name={name}");
    Finding::new(subject.clone(), sentence)
        .why("Helm was waiting for the Job to end and found it gone. Its pods and their logs are gone too.")
        .whys(unknown.as_deref())
        .seen(case.seen_failure())
        .seen(failed.map(|event| {
            Evidence::new(subject, "events", &format!("{}: {}", event.reason, event.message))
        }))
        .step("Read its events, and its pod's log where logs are collected. If the log is gone, keep the Job next time: raise its ttlSecondsAfterFinished, or remove hook-succeeded and hook-failed from its delete policy.")
        .command(["kubectl", "get", "events", "-n", &namespace, "--field-selector", &of])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The object that Helm's log names, in the condition or, since 0.37, in the event of the failure.
fn in_log<'a>(case: &Case<'a>) -> Option<Awaited<'a>> {
    if let Some(log) = case.failure.as_ref().and_then(|f| f.text.trailer) {
        return awaited(log);
    }
    let event = case.newest_event(|event| event.reason == case.reason());
    awaited(split_trailer(&event.if_read()?.message).1?)
}

fn of_log(case: &Case<'_>, one: &Awaited<'_>, timeout: &str) -> Verdict {
    let subject = Subject::new(one.kind, one.namespace, one.name);
    let finding = Finding::new(
        subject.clone(),
        format!("Helm gave up after {timeout}; its log last waited for {subject}"),
    )
    .why("Helm waits for its objects, at most for spec.timeout. Other objects may not have been ready either.")
    .seen(case.seen_failure())
    .seen([Evidence::new(case.subject(), "Helm's log", one.line)]);
    let claim = volume_claims::waited(case, &subject);
    let finding = match claim {
        Some(claim) => volume_claims::tell(case, finding, claim),
        None => finding,
    };
    if claim.is_some_and(|claim| volume_claims::is_late(case, claim)) {
        return volume_claims::without_wait(finding)
            .then(then(case, Fixes::Manifest))
            .into();
    }
    let finding = finding.command(object_commands::describe(&subject));
    unready::shown(case, finding)
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::model::claim::{Claim, StorageClass};
    use crate::model::event::Event;
    use crate::model::helm_storage::Release;
    use crate::model::pod::Pod;
    use crate::snapshot::{Listing, Read, Related, WaitedClaim, Why};
    use serde_json::json;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("wait-timed-out", "SKVS111"),
            "Deployment core/gate was not ready within 20s"
        );
    }

    /// What is said of a claim for which Helm waits, alone or beside a Deployment.
    fn of_claim(waited: WaitedClaim, pods: Read<Listing<Pod>>, is_alone: bool) -> String {
        let name = "wait-timed-out";
        let mut snapshot = fixture::snapshot(name);
        let own = match is_alone {
            true => "PersistentVolumeClaim/core/dumps status: 'InProgress'",
            false => {
                "PersistentVolumeClaim/core/dumps status: 'InProgress', Deployment/core/gate status: 'InProgress'"
            }
        };
        fixture::reword(
            &mut snapshot,
            "Deployment/core/gate status: 'InProgress'",
            own,
        );
        snapshot.on_demand.pods = pods;
        snapshot.on_demand.related = Read::Seen(Related {
            claims: vec![waited],
            ..Related::none()
        });
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = super::check(&case).unwrap().unwrap();
        format!("{}\n{}", finding.why.join("\n"), fixture::lines(finding))
    }

    fn claim(phase: &str, events: &[(&str, &str)], mode: &str) -> WaitedClaim {
        let claim = json!({"spec": {"storageClassName": "ssd"}, "status": {"phase": phase}});
        let event = |(reason, message): &(&str, &str)| {
            Event::from_value(&json!({"reason": reason, "message": message}))
        };
        WaitedClaim {
            namespace: "core".to_owned(),
            name: "dumps".to_owned(),
            claim: Read::Seen(Claim::from_value(&claim)).into(),
            events: Read::Seen(Listing::whole(events.iter().map(event).collect())).into(),
            class: Read::Seen(StorageClass::from_value(
                &json!({"volumeBindingMode": mode}),
            ))
            .into(),
            volume: Read::not_needed("x").into(),
        }
    }

    const LATE: (&str, &str) = (
        "WaitForFirstConsumer",
        "waiting for first consumer to be created before binding",
    );

    fn no_pods() -> Read<Listing<Pod>> {
        Read::Seen(Listing::default())
    }

    #[test]
    fn a_claim_that_waits_for_its_first_pod_is_not_at_fault() {
        let said = of_claim(
            claim("Pending", &[LATE], "WaitForFirstConsumer"),
            no_pods(),
            true,
        );
        insta::assert_snapshot!(said, @"
        Helm waits for its objects, at most for spec.timeout.
        StorageClass ssd gives the claim a volume only once a pod uses it (WaitForFirstConsumer). Until then it stays Pending, and Helm waits for it in vain.
        Nothing is wrong with the storage. Keep the claim: deleting it would change nothing.
        PersistentVolumeClaim core/dumps was not ready within 20s: it gets a volume only once a pod uses it
        Helm need not wait for the claim; set spec.install.disableWait: true
        Helm need not wait for the claim; set spec.upgrade.disableWait: true
        Flux then waits for no object of the chart any more. Otherwise use a chart that creates the claim together with a pod that uses it, or a StorageClass with volumeBindingMode Immediate.
        ");
        // Its events are kept for an hour; its class stays.
        let by_class = || claim("Pending", &[], "WaitForFirstConsumer");
        assert_eq!(of_claim(by_class(), no_pods(), true), said);
        let unread = Read::Unknown(Why::Forbidden("list pods in core".to_owned()));
        let unknown = of_claim(by_class(), unread, true);
        assert!(
            unknown.contains("Whether a pod uses it by now is unknown: forbidden"),
            "{unknown}"
        );
        // A Deployment may start the pod that uses it.
        let beside = of_claim(by_class(), no_pods(), false);
        assert!(
            beside.contains("only once a pod uses it") && !beside.contains("disableWait"),
            "{beside}"
        );
        let user = json!({"metadata": {"namespace": "core", "name": "dump-1"},
            "spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "dumps"}}]}, "status": {"phase": "Pending"}});
        let pods = Read::Seen(Listing::whole(vec![Pod::from_value(&user)]));
        let used = of_claim(by_class(), pods, true);
        assert!(
            used.contains("Pod core/dump-1 uses it") && !used.contains("disableWait"),
            "{used}"
        );
    }

    #[test]
    fn another_reason_of_a_claim_is_shown_verbatim() {
        let failed = (
            "ProvisioningFailed",
            "storageclass.storage.k8s.io \"ssd\" not found",
        );
        let of = |waited: WaitedClaim| of_claim(waited, no_pods(), true);
        insta::assert_snapshot!(of(claim("Pending", &[LATE, failed], "WaitForFirstConsumer")), @r#"
        Helm waits for its objects, at most for spec.timeout.
        PersistentVolumeClaim core/dumps has no volume: storageclass.storage.k8s.io "ssd" not found.
        PersistentVolumeClaim core/dumps was not ready within 20s
        $ kubectl describe -n core persistentvolumeclaim dumps
        "#);
        assert!(of(claim("Pending", &[], "Immediate")).contains("no event says why."));
        assert!(of(claim("Bound", &[], "Immediate")).contains("is Bound by now"));
        let forbidden = || Why::Forbidden("x".to_owned());
        let unread = WaitedClaim {
            events: Read::Unknown(forbidden()).into(),
            ..claim("Pending", &[], "Immediate")
        };
        assert!(of(unread).contains("no event says why (not all were read: forbidden (x))"));
        let unread = WaitedClaim {
            claim: Read::Unknown(forbidden()).into(),
            ..claim("Pending", &[], "")
        };
        assert!(
            of(unread).contains("PersistentVolumeClaim core/dumps was not read: forbidden (x).")
        );
        let unread = WaitedClaim {
            class: Read::Unknown(forbidden()).into(),
            ..claim("Pending", &[], "")
        };
        assert!(of(unread).contains("only once a pod uses it is unknown: forbidden (x)."));
        let gone = WaitedClaim {
            claim: Read::Absent.into(),
            ..claim("Pending", &[], "")
        };
        assert!(of(gone).contains("core/dumps does not exist."));
        let odd = WaitedClaim {
            claim: Read::Seen(Claim::default()).into(),
            ..claim("Pending", &[], "")
        };
        assert!(of(odd).contains("unknown: it does not say"));
    }

    #[test]
    fn a_job_that_was_gone_is_told_by_its_events() {
        let name = "wait-job-gone";
        insta::assert_snapshot!(fixture::lines(fixture::finding(name, "SKVS111")), @"
        Job core/pds-database-grant failed (BackoffLimitExceeded) and was removed before Helm checked it
        Read its events, and its pod's log where logs are collected. If the log is gone, keep the Job next time: raise its ttlSecondsAfterFinished, or remove hook-succeeded and hook-failed from its delete policy.
        $ kubectl get events -n core --field-selector involvedObject.kind=Job,involvedObject.name=pds-database-grant
        ");
        let mut snapshot = fixture::snapshot(name);
        let gone = snapshot.gone_job.as_mut().unwrap();
        gone.events = Read::Unknown(Why::Forbidden("list events in core".to_owned())).into();
        let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
        let found = found.unwrap().unwrap();
        assert!(
            found
                .sentence
                .ends_with("was removed before Helm saw how it ended")
        );
        let unknown = "Its events were not read: forbidden (list events in core).";
        assert!(found.why.contains(&unknown.to_owned()));
    }

    #[test]
    fn the_pod_behind_the_wait_is_named() {
        let finding = fixture::finding("wait-timed-out-pod", "SKVS111");
        insta::assert_snapshot!(fixture::lines(finding), @"
        Deployment core/gate was not ready within 20s
        $ kubectl describe -n core deployment gate
        Find out why it is not ready, and fix it:
        $ kubectl describe -n core pod gate-6c9d8f7b5-lq8vz
        ");
    }

    #[test]
    fn the_failure_among_the_events_of_a_gone_job_counts() {
        let name = "wait-job-gone";
        let look = |reasons: &[&str], not_all: Option<Why>| {
            let mut snapshot = fixture::snapshot(name);
            let event =
                |reason: &&str| Event::from_value(&json!({"reason": reason, "message": "m"}));
            let events = Listing::new(reasons.iter().map(event).collect(), not_all);
            snapshot.gone_job.as_mut().unwrap().events = Read::Seen(events).into();
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = found.unwrap().unwrap();
            let observed = found.evidence.last().unwrap().observed.clone();
            (found.sentence, observed, found.why[1..].concat())
        };
        let cut = || {
            Some(Why::NotAsked(
                "only the first 200 events were read".to_owned(),
            ))
        };
        let (sentence, observed, unknown) =
            look(&["BackoffLimitExceeded", "SuccessfulDelete"], cut());
        assert!(
            sentence.contains("failed (BackoffLimitExceeded)"),
            "{sentence}"
        );
        assert_eq!(
            (observed.as_str(), unknown.as_str()),
            ("BackoffLimitExceeded: m", "")
        );
        let (sentence, _, unknown) = look(&["SuccessfulDelete"], cut());
        assert!(
            sentence.ends_with("before Helm saw how it ended"),
            "{sentence}"
        );
        assert_eq!(
            unknown,
            "Its events were not read: only the first 200 events were read."
        );
    }

    #[test]
    fn a_wait_that_names_nothing_names_the_pod() {
        let name = "wait-timed-out-pod";
        let look = |with_pod: bool| {
            let mut snapshot = fixture::snapshot(name);
            for condition in snapshot.helm_release.status.conditions.edit() {
                if let Some((lead, _)) = condition.message.split_once("timeout waiting for:") {
                    condition.message = format!("{lead}timed out waiting for the condition");
                }
            }
            let release = snapshot.release.if_read().cloned().unwrap_or_default();
            let manifest = "kind: Deployment\nmetadata:\n  name: gate\n".to_owned();
            snapshot.release = Read::Seen(Release {
                manifest,
                ..release
            });
            if !with_pod {
                snapshot.on_demand.pods = Read::Seen(Listing::default());
            }
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = found.unwrap().unwrap();
            (found.why[0].clone(), fixture::lines(found))
        };
        let unsaid = "Flux does not say why";
        let find = "Find the objects that are not ready";
        let (why, told) = look(true);
        assert!(
            told.contains(": Pod core/gate-6c9d8f7b5-lq8vz is not ready"),
            "{told}"
        );
        assert!(
            !told.contains(find) && !why.contains(unsaid),
            "{why} {told}"
        );
        let (why, told) = look(false);
        assert!(told.contains(find) && why.contains(unsaid), "{why} {told}");
    }
}
