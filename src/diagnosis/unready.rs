//! The pod that keeps Helm waiting, with the reason: it belongs to one of the release's workloads and does not become ready. It is added to
//! a finding about the wait, the lock or an unprocessed spec.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use crate::model::failure::Cause;
use crate::model::field::Field;
use crate::model::helm_log::awaited;
use crate::model::manifest;
use crate::model::pod::{Container, Pod};
use crate::snapshot::IfRead;

/// The most pods that are shown.
const SHOWN: usize = 3;

/// A pod that does not become ready.
pub(super) struct Unready<'a> {
    pub(super) subject: Subject,
    /// `container exporter: ImagePullBackOff: …`
    pub(super) why: String,
    /// The container that ended, and has a log of its last run.
    crashed: Option<&'a str>,
}

/// The release's pods that do not become ready; empty too if the pods are not known.
pub(super) fn unready<'a>(case: &Case<'a>) -> Vec<Unready<'a>> {
    let workloads = workloads(case);
    let release = case.hr().release_name();
    let pods = case.target_pods().if_read();
    let own = pods.into_iter().flatten().filter(|pod| {
        let of_workload = workloads
            .iter()
            .any(|(kind, name)| is_of(&pod.meta.name, kind, name));
        let instance = pod.meta.label("app.kubernetes.io/instance");
        of_workload || matches!(instance, Field::Set(instance) if instance == release)
    });
    // The creation Job is a hook: the manifest does not have it.
    let job = case
        .creation_job()
        .if_read()
        .filter(|found| found.job.goes_on());
    let of_job = job
        .and_then(|found| found.pods.seen())
        .into_iter()
        .flatten();
    let own = of_job.map(|found| &found.pod).chain(own);
    let own = own.filter(|pod| pod.meta.deleted.is_absent());
    own.filter_map(of_pod).take(SHOWN).collect()
}

/// Adds the state of those pods, and their logs, to the finding.
pub(super) fn shown(case: &Case<'_>, finding: Finding) -> Finding {
    let unready = unready(case);
    let Some(first) = unready.first() else {
        return finding;
    };
    let mut finding = finding.why(format!(
        "Helm waits until {} is ready: {}.",
        first.subject,
        first.why.trim_end_matches('.')
    ));
    for pod in &unready {
        finding = finding.seen([Evidence::new(pod.subject.clone(), ".status", &pod.why)]);
    }
    let (namespace, name) = (&first.subject.namespace, &first.subject.name);
    match first.crashed {
        Some(container) => finding
            .step("Read its container's last log, and fix the error in it:")
            .command([
                "kubectl",
                "logs",
                "-n",
                namespace,
                name,
                "-c",
                container,
                "--previous",
            ]),
        None => finding
            .step("Find out why it does not start, and fix it:")
            .command(["kubectl", "describe", "-n", namespace, "pod", name]),
    }
}

/// Kind and name of the objects that Helm waits for: those named by the failure or Helm's log, else all of the release's manifest.
fn workloads(case: &Case<'_>) -> Vec<(String, String)> {
    let text = case.failure_text().if_read();
    let named: Vec<(String, String)> = match text.map(|text| &text.cause) {
        Some(Cause::Wait(wait)) => wait
            .objects
            .iter()
            .map(|o| (o.kind.clone(), o.name.clone()))
            .collect(),
        _ => Vec::new(),
    };
    let log = case.failure.as_ref().and_then(|f| f.trailer);
    let logged = log.and_then(awaited);
    let named = named
        .into_iter()
        .chain(logged.map(|a| (a.kind.to_owned(), a.name.to_owned())));
    let named: Vec<(String, String)> = named.collect();
    if !named.is_empty() {
        return named;
    }
    let manifest = case.release().if_read().map(|r| r.manifest.as_str());
    let objects = manifest::objects(manifest.unwrap_or_default()).into_iter();
    objects.map(|o| (o.kind, o.metadata.name)).collect()
}

/// Whether this workload gives its pods names like this.
fn is_of(pod: &str, kind: &str, name: &str) -> bool {
    let Some(rest) = pod.strip_prefix(name) else {
        return false;
    };
    let parts = match kind {
        "Pod" => return rest.is_empty(),
        // Its ReplicaSet's hash, and the pod's own.
        "Deployment" => 2,
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => 1,
        _ => return false,
    };
    let mut words = rest.split('-');
    words.next() == Some("") && words.clone().count() == parts && words.all(|w| !w.is_empty())
}

/// Why it is not ready; `None` if it is ready or gives no reason.
fn of_pod<'a>(pod: &'a Pod) -> Option<Unready<'a>> {
    let containers = &pod.containers.known;
    let bad = containers
        .iter()
        .find(|c| !c.is_ready() && c.waiting().is_some_and(|w| is_bad(&w.reason)));
    let ended = || {
        containers
            .iter()
            .find(|c| !c.is_ready() && c.ended_badly().is_some())
    };
    let (why, crashed) = if let Some(container) = bad.or_else(ended) {
        (of_container(container), crashed(container))
    } else if let Some(said) = pod.unscheduled() {
        (format!("no node takes it: {said}"), None)
    } else if let Some(said) = pod.unready() {
        (format!("it runs and is not ready: {said}"), None)
    } else {
        let (reason, message) = pod.not_started().filter(|(reason, _)| is_bad(reason))?;
        (format!("{reason}: {message}"), None)
    };
    Some(Unready {
        subject: Subject::from(&pod.meta),
        why,
        crashed,
    })
}

/// Reasons of a container to wait during a normal start.
fn is_bad(reason: &str) -> bool {
    !["ContainerCreating", "PodInitializing"].contains(&reason)
}

fn crashed(container: &Container) -> Option<&str> {
    let ended = container.ended_before()?;
    (ended.exit_code != 0).then_some(container.name.as_str())
}

fn of_container(container: &Container) -> String {
    let waiting = container.waiting().map(|w| match w.message.as_str() {
        "" => w.reason.clone(),
        message => format!("{}: {message}", w.reason),
    });
    let ended = container.ended_badly().map(|e| match e.reason.as_str() {
        "" | "Error" => format!("exited {}", e.exit_code),
        reason => format!("exited {} ({reason})", e.exit_code),
    });
    let said: Vec<String> = [waiting, ended].into_iter().flatten().collect();
    format!("container {}: {}", container.name, said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{diagnose, fixture};
    use crate::snapshot::Read;
    use serde_json::{Value, json};

    #[test]
    fn a_pod_is_its_workloads_by_the_form_of_its_name() {
        assert!(is_of(
            "a-exporter-6c9d8f7b5-lq8vz",
            "Deployment",
            "a-exporter"
        ));
        assert!(!is_of("a-exporter-6c9d8f7b5-lq8vz", "Deployment", "a"));
        assert!(is_of("a-0", "StatefulSet", "a"));
        assert!(is_of("a", "Pod", "a"));
        assert!(!is_of("a-0", "Pod", "a"));
        assert!(!is_of("ab-0", "StatefulSet", "a"));
        assert!(!is_of("a--x", "Deployment", "a"));
        assert!(!is_of("a-0", "AuthorizationPolicy", "a"));
    }

    /// What is said where Helm waits for the Deployment gate, and these pods are in the target namespace.
    fn told(pods: &[Value]) -> String {
        let name = "wait-timed-out";
        let mut snapshot = fixture::snapshot(name);
        snapshot.on_demand.pods = Read::Seen(pods.iter().map(Pod::from_value).collect());
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let mut finding = fixture::of_code(diagnose(&case), "SKVS111");
        finding.sentence = finding.why.join("\n");
        fixture::lines(finding)
    }

    fn pod(name: &str, status: Value) -> Value {
        json!({"metadata": {"name": name, "namespace": "core"}, "status": status})
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
        Find out why it does not start, and fix it:
        $ kubectl describe -n core pod gate-6c9d8f7b5-lq8vz
        ");
        let crash = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
        insta::assert_snapshot!(gate(container(crash)), @"
        Helm waits for its objects, at most for spec.timeout.
        Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready: container gate: CrashLoopBackOff; exited 137 (OOMKilled).
        $ kubectl describe -n core deployment gate
        Read its container's last log, and fix the error in it:
        $ kubectl logs -n core gate-6c9d8f7b5-lq8vz -c gate --previous
        ");
        let condition = |kind: &str, reason: &str, message: &str| json!({"phase": "Running", "conditions": [{"type": kind, "status": "False", "reason": reason, "message": message}]});
        let why = |told: String| told.lines().nth(1).unwrap_or_default().to_owned();
        insta::assert_snapshot!(why(gate(condition("Ready", "ContainersNotReady", "containers with unready status: [gate]"))), @"Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready: it runs and is not ready: containers with unready status: [gate].");
        insta::assert_snapshot!(why(gate(condition("PodScheduled", "Unschedulable", "0/3 nodes are available"))), @"Helm waits until Pod core/gate-6c9d8f7b5-lq8vz is ready: no node takes it: 0/3 nodes are available.");
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
}
