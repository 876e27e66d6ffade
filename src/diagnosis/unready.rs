//! The pod that keeps Helm waiting, with the reason: it belongs to one of the release's workloads and does not become ready. It is added to
//! a finding about the wait, the lock or an unprocessed spec.

use super::case::Case;
use super::controllers::PERHAPS;
use super::finding::{Finding, Subject};
use super::object_commands;
use super::serving::{self, Reason, SHOWN};
use crate::model::failure::Cause;
use crate::model::field::Field;
use crate::model::helm_log::awaited;
use crate::model::manifest;
use crate::model::owner::Belongs;
use crate::model::pod::Pod;
use crate::snapshot::{Checked, IfRead, Listing, Why, why_not_all};

/// A pod that does not become ready.
pub(super) struct Unready<'a> {
    pub(super) subject: Subject,
    reason: Reason<'a>,
    /// Set where only its name gives it to a workload, which is this one.
    named_by: Option<Subject>,
}

impl Unready<'_> {
    /// It is surely one of the release's pods.
    pub(super) fn is_own(&self) -> bool {
        self.named_by.is_none()
    }
}

/// The release's pods that do not become ready, those last of which only the name says that they are; empty too if the pods are not
/// known.
pub(super) fn unready<'a>(case: &Case<'a>) -> Vec<Unready<'a>> {
    let workloads = workloads(case).unwrap_or_default();
    let release = case.hr().release_name();
    let pods = case.target_pods().if_read();
    let own = pods.into_iter().flat_map(Listing::known).filter_map(|pod| {
        let instance = pod.meta.label("app.kubernetes.io/instance");
        let is_labelled = matches!(instance, Field::Set(instance) if instance == release);
        let mut perhaps = None;
        for workload in &workloads {
            match belongs(pod, workload) {
                Belongs::Yes => return Some((pod, None)),
                Belongs::Perhaps => perhaps = perhaps.or(Some(workload.clone())),
                Belongs::No => {}
            }
        }
        (is_labelled || perhaps.is_some()).then_some((pod, perhaps.filter(|_| !is_labelled)))
    });
    // The creation Job is a hook: the manifest does not have it.
    let job = case
        .creation_job()
        .if_read()
        .filter(|found| found.job.goes_on());
    let of_job = job
        .and_then(|found| found.pods().if_read())
        .into_iter()
        .flat_map(Listing::known);
    let own = of_job.map(|found| (&found.pod, None)).chain(own);
    let own = own.filter(|(pod, _)| pod.meta.deleted.is_absent());
    let own: Vec<(&Pod, Option<Subject>)> = own.collect();
    let pods: Vec<&Pod> = own.iter().map(|(pod, _)| *pod).collect();
    let present = own.into_iter();
    let present = present.filter(|(pod, _)| !pod.is_replaced_among(pods.iter().copied()));
    let mut all: Vec<Unready<'a>> = present
        .filter_map(|(pod, named_by)| {
            Some(Unready {
                subject: Subject::from(&pod.meta),
                reason: serving::of_status(pod)?,
                named_by,
            })
        })
        .collect();
    all.sort_by_key(|pod| !pod.is_own());
    all.truncate(SHOWN);
    all
}

/// Adds the state of those pods, and their logs, to the finding.
pub(super) fn shown(case: &Case<'_>, finding: Finding) -> Finding {
    let unready = unready(case);
    let Some(first) = unready.first() else {
        let not_all = why_not_all(case.target_pods());
        let not_all = not_all.or_else(|| Some(workloads(case).err()?.why));
        let of_job = || {
            let found = case.creation_job().if_read()?;
            why_not_all(found.pods())
        };
        let not_all = not_all.or_else(of_job);
        let not_all = not_all.filter(|why| !matches!(why, Why::NotNeeded(_)));
        let unknown = not_all.map(|why| {
            let why = why.clause();
            format!("Whether one of its pods keeps Helm waiting is unknown: {why}.")
        });
        return finding.whys(unknown.as_deref());
    };
    let why = first.reason.why.trim_end_matches('.');
    let mut finding = finding.why(match &first.named_by {
        None => format!("Helm waits until {} is ready: {why}.", first.subject),
        Some(workload) => format!(
            "Helm may be waiting for {}: {why}. Only its name suggests that it belongs to {workload}; it may be another workload's.",
            first.subject
        ),
    });
    for pod in &unready {
        let doubt = if pod.is_own() { "" } else { PERHAPS };
        finding = finding.seen([pod.reason.evidence(&pod.subject, doubt)]);
    }
    if first.is_own() {
        return first.reason.step(finding, &first.subject);
    }
    finding
        .step("See whose it is, and why it is not ready:")
        .command(object_commands::describe(&first.subject))
}

/// The objects that Helm waits for: those named by the failure or Helm's log, else all of the release's manifest.
///
/// # Errors
/// The manifest was not read.
fn workloads(case: &Case<'_>) -> Checked<Vec<Subject>> {
    let within = |kind: &str, namespace: &str, name: &str| match namespace {
        "" => Subject::new(kind, case.hr().release_namespace(), name),
        namespace => Subject::new(kind, namespace, name),
    };
    let text = case.failure_text().if_read();
    let named: Vec<Subject> = match text.map(|text| &text.cause) {
        Some(Cause::Wait(wait)) => wait
            .objects
            .iter()
            .map(|o| within(&o.kind, &o.namespace, &o.name))
            .collect(),
        _ => Vec::new(),
    };
    let log = case.failure.as_ref().and_then(|f| f.text.trailer);
    let logged = log.and_then(awaited);
    let named = named
        .into_iter()
        .chain(logged.map(|a| within(a.kind, a.namespace, a.name)));
    let named: Vec<Subject> = named.collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let manifest = case.release()?.map(|r| r.manifest.as_str());
    let objects = manifest::objects(manifest.unwrap_or_default()).into_iter();
    let objects = objects.map(|o| {
        let namespace = o.metadata.namespace.unwrap_or_default();
        within(&o.kind, &namespace, &o.metadata.name)
    });
    Ok(objects.collect())
}

fn belongs(pod: &Pod, workload: &Subject) -> Belongs {
    if pod.meta.namespace != workload.namespace {
        return Belongs::No;
    }
    pod.belongs_to(&workload.kind, &workload.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{diagnose, fixture};
    use crate::snapshot::Read;
    use serde_json::{Value, json};

    /// What is said where Helm waits for the Deployment gate, and these pods are in the target namespace.
    fn told(pods: &[Value]) -> String {
        told_of(pods, None)
    }

    /// The same, where these may not be all.
    fn told_of(pods: &[Value], not_all: Option<Why>) -> String {
        let name = "wait-timed-out";
        let mut snapshot = fixture::snapshot(name);
        let pods = pods.iter().map(Pod::from_value).collect();
        snapshot.on_demand.pods = Read::Seen(Listing::new(pods, not_all));
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let mut finding = fixture::of_code(diagnose(&case), "SKVS111");
        finding.sentence = finding.why.join("\n");
        fixture::lines(finding)
    }

    /// A pod of a Deployment, whose name is the beginning of the pod's.
    fn pod(name: &str, status: Value) -> Value {
        let replica_set = name.rsplit_once('-').map_or(name, |(owner, _)| owner);
        json!({"metadata": {"name": name, "namespace": "core", "labels": {"pod-template-hash": "6c9d8f7b5"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": replica_set, "controller": true}]}, "status": status})
    }

    #[test]
    fn the_pod_that_is_not_ready_says_why() {
        let gate = |status: Value| told(&[pod("gate-6c9d8f7b5-lq8vz", status)]);
        let container = |state: Value| json!({"phase": "Running", "containerStatuses": [{"name": "gate", "ready": false, "state": state["state"], "lastState": state["lastState"]}]});
        let pull = json!({"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}});
        insta::assert_snapshot!(gate(container(pull)), @"
        Helm waits for its objects, at most for spec.timeout.
        Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready: container gate: ImagePullBackOff: Back-off pulling image.
        $ kubectl describe -n core deployment gate
        Find out why it is not ready, and fix it:
        $ kubectl describe -n core pod gate-6c9d8f7b5-lq8vz
        ");
        let crash = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
        insta::assert_snapshot!(gate(container(crash)), @"
        Helm waits for its objects, at most for spec.timeout.
        Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready: container gate: CrashLoopBackOff; exited 137 (OOMKilled).
        $ kubectl describe -n core deployment gate
        Check the memory of its node, or whether a limit is set:
        $ kubectl describe -n core pod gate-6c9d8f7b5-lq8vz
        ");
        let crash = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}});
        assert!(
            gate(container(crash))
                .ends_with("$ kubectl logs -n core gate-6c9d8f7b5-lq8vz -c gate --previous")
        );
        let condition = |kind: &str, reason: &str, message: &str| json!({"phase": "Running", "conditions": [{"type": kind, "status": "False", "reason": reason, "message": message}]});
        let why = |told: String| told.lines().nth(1).unwrap_or_default().to_owned();
        insta::assert_snapshot!(why(gate(condition("Ready", "ContainersNotReady", "containers with unready status: [gate]"))), @"Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready: it is running but not ready: containers with unready status: [gate].");
        insta::assert_snapshot!(why(gate(condition("PodScheduled", "Unschedulable", "0/3 nodes are available"))), @"Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready: it cannot be scheduled: 0/3 nodes are available.");
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory"});
        insta::assert_snapshot!(why(gate(evicted)), @"Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready: Evicted: The node was low on memory.");
    }

    #[test]
    fn a_pod_that_starts_goes_or_is_of_another_release_keeps_nobody_waiting() {
        let bad = |why: &str| json!({"phase": "Pending", "containerStatuses": [{"name": "c", "ready": false, "state": {"waiting": {"reason": why, "message": "m"}}}]});
        let none = told(&[]);
        let mut going = pod("gate-6c9d8f7b5-lq8vz", bad("ImagePullBackOff"));
        going["metadata"]["deletionTimestamp"] = json!("2026-11-23T20:20:00Z");
        for pod in [
            going,
            pod("gate-6c9d8f7b5-lq8vz", bad("ContainerCreating")),
            pod("other-6c9d8f7b5-lq8vz", bad("ImagePullBackOff")),
        ] {
            assert_eq!(told(std::slice::from_ref(&pod)), none, "{pod}");
        }
        let mut own = pod("other", bad("ImagePullBackOff"));
        own["metadata"]["labels"] =
            json!({"app.kubernetes.io/instance": "core-skvs-onboarding-pds--database"});
        let said = told(&[own]);
        assert!(said.contains("until Pod core/other is ready"), "{said}");
    }

    #[test]
    fn a_leftover_that_its_controller_has_replaced_keeps_nobody_waiting() {
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
        let leftover = pod("gate-6c9d8f7b5-aaaaa", evicted);
        let present = |phase: &str, conditions: Value| {
            let status = json!({"phase": phase, "conditions": conditions});
            pod("gate-6c9d8f7b5-lq8vz", status)
        };
        let named = "until Pod core/gate-6c9d8f7b5-aaaaa is ready: Evicted";
        assert!(told(std::slice::from_ref(&leftover)).contains(named));
        let runs = present("Running", json!([{"type": "Ready", "status": "True"}]));
        assert_eq!(told(&[leftover.clone(), runs]), told(&[]));
        let unscheduled = json!([{"type": "PodScheduled", "status": "False", "message": "0/3"}]);
        let pending = present("Pending", unscheduled);
        let said = told(&[leftover.clone(), pending.clone()]);
        assert_eq!(said, told(std::slice::from_ref(&pending)));
        // A pod that is being deleted does not replace another.
        let mut going = pending;
        going["metadata"]["deletionTimestamp"] = json!("2026-11-23T20:20:00Z");
        assert!(told(&[leftover, going]).contains(named));
    }

    fn no_image() -> Value {
        json!({"phase": "Pending", "containerStatuses": [{"name": "c", "ready": false,
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": "m"}}}]})
    }

    #[test]
    fn a_pod_of_another_workload_is_not_blamed_for_its_name() {
        let none = told(&[]);
        let mut member = pod("gate-two-0", no_image());
        member["metadata"]["ownerReferences"] =
            json!([{"kind": "StatefulSet", "name": "gate-two", "controller": true}]);
        let mut elsewhere = pod("gate-6c9d8f7b5-lq8vz", no_image());
        elsewhere["metadata"]["namespace"] = json!("other");
        for pod in [member, elsewhere] {
            assert_eq!(told(std::slice::from_ref(&pod)), none, "{pod}");
        }
    }

    #[test]
    fn no_pod_among_those_that_were_read_is_not_none() {
        let cut = || {
            Some(Why::NotAsked(
                "only the first 250 pods were read".to_owned(),
            ))
        };
        let unknown = "Whether one of its pods keeps Helm waiting is unknown: only the first 250 pods were read.";
        assert!(told_of(&[], cut()).contains(unknown));
        assert!(!told(&[]).contains("unknown"));
        let own = [pod("gate-6c9d8f7b5-lq8vz", no_image())];
        assert!(!told_of(&own, cut()).contains(unknown));
    }

    #[test]
    fn a_name_alone_is_said_to_be_no_more_than_that() {
        let mut bare = pod("gate-two-0", no_image());
        bare["metadata"]["ownerReferences"] = json!(null);
        insta::assert_snapshot!(told(std::slice::from_ref(&bare)), @"
        Helm waits for its objects, at most for spec.timeout. Flux does not say why the object did not become ready.
        Helm may be waiting for Pod core/gate-two-0: container c: ImagePullBackOff: m. Only its name suggests that it belongs to Deployment core/gate; it may be another workload's.
        $ kubectl describe -n core deployment gate
        See whose it is, and why it is not ready:
        $ kubectl describe -n core pod gate-two-0
        ");
        // One that is surely Helm's comes first.
        let own = pod("gate-6c9d8f7b5-lq8vz", no_image());
        let said = told(&[bare, own]);
        assert!(
            said.contains("Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready"),
            "{said}"
        );
    }
}
