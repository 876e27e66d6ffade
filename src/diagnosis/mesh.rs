//! Istio's effect on a pod of the creation Job, as far as the mesh's own objects were read: whether it gets a sidecar, whether CouchDB's
//! proxies demand one, and why its network was not prepared.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::job::Death;
use super::serving;
use crate::advice::Command;
use crate::model::event::Event;
use crate::model::field::{Field, Meta};
use crate::model::istio::ISTIO_NAMESPACE;
use crate::model::istio::mutual_tls::PeerAuthentication;
use crate::model::kubelet;
use crate::model::pod::{Container, Pod};
use crate::snapshot::{Checked, CreationJob, IfRead, JobPod, ServingPod, why_not_all};
use crate::text::one_line;
use k8s_openapi::jiff::Timestamp;
use std::ops::ControlFlow;

/// Labels of a namespace that ask for a sidecar.
const LABELS: [&str; 2] = ["istio-injection", "istio.io/rev"];

/// The label of a pod that decides for it alone.
const INJECT: &str = "sidecar.istio.io/inject";

/// The container that Istio puts into a pod.
const SIDECAR: &str = "istio-proxy";

/// Adds why no injector gives the pod a sidecar, as far as that is known.
pub(super) fn uninjected(case: &Case<'_>, finding: Finding, pod: &Subject) -> Finding {
    let Some(mesh) = case.mesh().if_read() else {
        return finding;
    };
    let Some(namespace) = case.target_namespace().if_read().map(|n| &n.meta) else {
        return finding;
    };
    let Some(pod) = meta_of(case, pod).filter(|pod| pod.namespace == namespace.name) else {
        return finding;
    };
    if namespace.labels.is_malformed() {
        return finding;
    }
    let name = &namespace.name;
    let has = |key: &str| match namespace.label(key) {
        Field::Set(value) => Some(format!("{key}={value}")),
        Field::Absent | Field::Malformed => None,
    };
    let own: Vec<String> = LABELS.into_iter().filter_map(has).collect();
    let injectors = match mesh.injectors() {
        Ok(Some(all)) => all,
        Ok(None) => return finding,
        Err(unread) => {
            let why = unread.why.clause();
            return finding.why(format!(
                "Whether an injector of Istio takes namespace {name} is unknown: {why}."
            ));
        }
    };
    let all: Vec<_> = injectors
        .known()
        .iter()
        .filter(|c| c.may_be_injector())
        .collect();
    if all.iter().any(|c| c.takes(namespace, pod) != Some(false)) {
        return finding;
    }
    if pod.label(INJECT).set() == Some(&"false") {
        return finding
            .why(format!("The pod's own label {INJECT}=false keeps Istio from giving it a sidecar."))
            .step(format!("If the Job needs a sidecar to reach CouchDB, ask the chart's owners to remove the label {INJECT} from its pods."));
    }
    let said = match own.is_empty() {
        true => "has no label that asks for a sidecar".to_owned(),
        false => format!("is labelled {}", own.join(" and ")),
    };
    let asked: Vec<String> = all.iter().flat_map(|c| c.asked_labels()).collect();
    let seen = Evidence::new(
        Subject::new("Namespace", "", name),
        ".metadata.labels",
        match own.is_empty() {
            true => "neither istio-injection nor istio.io/rev",
            false => own.first().map_or("", String::as_str),
        },
    );
    let injectors_seen = all.iter().map(|c| {
        let asked = c.asked_labels();
        let observed = format!("asks for {}", asked.join(" or "));
        Evidence::new(
            Subject::from(&c.meta),
            ".webhooks[*].namespaceSelector",
            &observed,
        )
    });
    let finding = finding.seen([seen]).seen(injectors_seen);
    if asked.is_empty() {
        return match (all.is_empty(), injectors.not_all()) {
            (true, None) => finding.why(format!("Namespace {name} {said}, but the cluster has no injector of Istio (MutatingWebhookConfiguration).")),
            _ => finding,
        };
    }
    let doubt = match injectors.not_all() {
        Some(why) => format!(" Others may exist that were not read: {}.", why.clause()),
        None => String::new(),
    };
    let asked = asked.join(" or ");
    finding
        .why(format!("Namespace {name} {said}, and no injector of Istio that was read accepts that, so its pods get no sidecar: the injectors ask for {asked}.{doubt}"))
        .step(format!("Label namespace {name} for the istiod that runs ({asked}), without the other label (istio-injection or istio.io/rev), and have the Job's pod made again. The labels and the injectors:"))
        .command(["kubectl", "get", "namespace", name, "--show-labels"])
        .command(["kubectl", "get", "mutatingwebhookconfigurations", "-l", "app=sidecar-injector", "--show-labels"])
}

pub(super) fn pod_of<'a>(case: &Case<'a>, pod: &Subject) -> Option<&'a JobPod> {
    let job = case.creation_job().if_read()?;
    let mut pods = job.pods().if_read()?.known().iter();
    pods.find(|found| Subject::from(&found.pod.meta) == *pod)
}

fn meta_of<'a>(case: &Case<'a>, pod: &Subject) -> Option<&'a Meta> {
    pod_of(case, pod).map(|JobPod { pod, .. }| &pod.meta)
}

/// The end of the log of the pod's sidecar. `None` where the pod was not read, or its sidecar has not run.
pub(super) fn sidecar_log<'a>(
    case: &Case<'a>,
    pod: &Subject,
) -> Option<Checked<Option<&'a String>>> {
    pod_of(case, pod)?.log(SIDECAR)
}

/// Shows the log of the pod's sidecar.
pub(super) fn sidecar_logs(pod: &Subject) -> Command {
    let (namespace, name) = (&pod.namespace, &pod.name);
    let words = [
        "kubectl",
        "logs",
        "-n",
        namespace,
        name,
        "-c",
        SIDECAR,
        "--tail=50",
    ];
    Command::new(words)
}

/// The finding that the pod's sidecar was not ready when the Job's container ran, as an event of the pod says: the container had no way out
/// of its pod. `Continue` has the finding for other remedies, where no event says so.
pub(super) fn late(
    case: &Case<'_>,
    finding: Finding,
    death: &Death,
) -> ControlFlow<Finding, Finding> {
    let pod = &death.pod;
    let containers = pod_of(case, pod).map_or(&[][..], |found| &found.pod.containers.known);
    let named = |name: &str| containers.iter().find(|container| container.name == name);
    let Some(sidecar) = named(SIDECAR) else {
        return ControlFlow::Continue(finding);
    };
    let ended = named(&death.container).and_then(Container::ended_badly);
    let died = ended.and_then(|ended| ended.finished_at.set().copied());
    let events = case
        .creation_job()
        .and_then(|job| job.map_or(Ok(None), CreationJob::events));
    let not_all = why_not_all(events.clone());
    let events = events.if_read();
    let mut newest_first = events
        .into_iter()
        .flat_map(|events| events.known().iter().rev());
    let object = format!("Pod/{}", pod.name);
    let newest = newest_first.find(|e| e.object == object && kubelet::is_failed_start(e, SIDECAR));
    if let (None, Some(why)) = (newest, not_all) {
        let why = why.clause();
        return ControlFlow::Continue(finding.why(format!(
            "Whether the pod's mesh sidecar (istio-proxy) was ready in time is unknown: not all of its events were read ({why})."
        )));
    }
    let Some(event) = newest.filter(|event| !may_be_outdated(event, sidecar, died)) else {
        return ControlFlow::Continue(finding);
    };
    let said = format!("{}: {}", event.reason, one_line(&event.message));
    let log = match sidecar.ended_before() {
        Some(_) => sidecar_logs(pod).args(["--previous"]),
        None => sidecar_logs(pod),
    };
    ControlFlow::Break(finding
        .why("The pod's mesh sidecar (istio-proxy) was not ready within the time of its hook. Kubernetes started the Job's container all the same, and its requests had no way out of the pod.")
        .seen([Evidence::new(pod.clone(), "events", &said)])
        .step("Nothing needs a change if this was a slow start. If it recurs, find out why the sidecar is late: its log before it was ended, istiod, and the load of the pod's node:")
        .command(log)
        .command(["kubectl", "get", "pods", "-n", ISTIO_NAMESPACE, "-o", "wide"]))
}

/// Whether the failed start may be of a run of the sidecar that was over before the Job's container died: it was started again since.
fn may_be_outdated(event: &Event, sidecar: &Container, died: Option<Timestamp>) -> bool {
    let was_restarted = sidecar.ended_before().is_some();
    match sidecar.started() {
        Some(started) => {
            let is_older = event.last_seen.map_or(was_restarted, |seen| seen < started);
            is_older && died.is_none_or(|died| died >= started)
        }
        // The beginning of a run that has ended is not read. One that waits for its next start has not run since its last end.
        None => was_restarted && (sidecar.is_running() || sidecar.ended().is_some()),
    }
}

/// The PeerAuthentication by which CouchDB's proxies refuse every client without a sidecar, and whether they surely refused this pod of the
/// Job. That is not sure where the mesh's root namespace decides, whose usual name is only assumed, and where the PeerAuthentication or a pod
/// of CouchDB may be newer than the Job's pod. `None` where no PeerAuthentication is known to decide.
pub(super) fn strict<'a>(case: &Case<'a>, pod: &Subject) -> Option<(&'a PeerAuthentication, bool)> {
    let couchdb = case.couch_pods().if_read()?;
    let pods = couchdb.pods.all().ok()?;
    let peers = case.mesh().if_read()?.peers().if_read()?;
    // One without its namespace may be CouchDB's own.
    if peers.known().iter().any(|p| !p.meta.malformed.is_empty()) {
        return None;
    }
    let excluded = |meta: &Meta| {
        ["excludeInboundPorts", "includeInboundPorts"]
            .iter()
            .any(|key| {
                let annotation = meta.annotation(&format!("traffic.sidecar.istio.io/{key}"));
                !annotation.is_absent()
            })
    };
    let meshed = |found: &ServingPod| {
        found.pod.has_container("istio-proxy") == Some(true) && !excluded(&found.pod.meta)
    };
    if pods.is_empty() || !pods.iter().all(meshed) {
        return None;
    }
    let of = |namespace: &str| {
        let own = peers
            .known()
            .iter()
            .filter(|p| p.meta.namespace == namespace);
        own.collect::<Vec<_>>()
    };
    // One for some pods or ports decides before the namespace's, and the namespace's before the mesh's.
    let (own, root) = (of(&couchdb.namespace), of(ISTIO_NAMESPACE));
    if own.iter().any(|p| !p.is_of_all()) {
        return None;
    }
    let is_own = !own.is_empty();
    let level: Vec<_> = match is_own {
        true => own,
        false => root.into_iter().filter(|p| p.is_of_all()).collect(),
    };
    match level[..] {
        [only] if only.is_strict() == Some(true) => {
            let is_older = |meta: &Meta| is_older(meta, meta_of(case, pod));
            // A change of its spec has another generation.
            let is_unchanged = is_older(&only.meta) && only.meta.generation.is(&1);
            let is_earlier = is_unchanged && pods.iter().all(|found| is_older(&found.pod.meta));
            Some((only, is_own && is_earlier && peers.not_all().is_none()))
        }
        _ => None,
    }
}

/// The object was surely created before the pod.
fn is_older(object: &Meta, pod: Option<&Meta>) -> bool {
    let created = |meta: &Meta| meta.created.as_str()?.parse::<Timestamp>().ok();
    let times = created(object).zip(pod.and_then(created));
    times.is_some_and(|(object, pod)| object < pod)
}

/// Adds the pods of Istio's CNI plugin on the pod's node that are not serving.
pub(super) fn plugin(case: &Case<'_>, finding: Finding) -> Finding {
    let Some(mesh) = case.mesh().if_read() else {
        return finding;
    };
    match mesh.cni() {
        Ok(Some(pods)) => match pods.is_empty() {
            Err(why) => finding.why(format!(
                "Whether Istio's CNI plugin runs there is unknown: {}.",
                why.clause()
            )),
            Ok(_) => serving::shown(finding, &serving::unserving(pods.known(), case.now)),
        },
        Ok(None) => finding,
        Err(unread) => finding.why(format!(
            "Whether Istio's CNI plugin runs there is unknown: {}.",
            unread.why.clause()
        )),
    }
}

/// Adds that source-controller asks through a sidecar, where the cloud's metadata service did not answer it.
pub(super) fn sidecar_of_source_controller(case: &Case<'_>, finding: Finding) -> Finding {
    let Some(mesh) = case.mesh().if_read() else {
        return finding;
    };
    let unknown = |why: &str| {
        format!(
            "Whether source-controller has a mesh sidecar (istio-proxy), through which it would not reach the metadata service, is unknown: {why}."
        )
    };
    let pods = match mesh.source_controller() {
        Ok(Some(pods)) => pods,
        Ok(None) => return finding,
        Err(unread) => return finding.why(unknown(&unread.why.clause())),
    };
    let mut with = pods
        .known()
        .iter()
        .filter(|pod| pod.has_container("istio-proxy") == Some(true));
    let Some(pod) = with.next() else {
        let is_known = |pod: &Pod| pod.has_container("istio-proxy").is_some();
        return match pods.all() {
            Ok([]) => finding.why(unknown("no pod of it was found in flux-system")),
            Ok(all) if all.iter().all(is_known) => finding,
            Ok(_) => finding.why(unknown("its pods are malformed")),
            Err(why) => finding.why(unknown(&why.clause())),
        };
    };
    let subject = Subject::from(&pod.meta);
    finding
        .why(format!("{subject} has a mesh sidecar (istio-proxy): its question to the cloud's metadata service goes through the mesh, which does not know that address."))
        .seen([Evidence::new(subject, ".spec.containers", "istio-proxy")])
        .step("Take source-controller out of the mesh (label sidecar.istio.io/inject: \"false\" on the pods of its Deployment), or only its questions to the metadata service (annotation traffic.sidecar.istio.io/excludeOutboundIPRanges: 169.254.169.254/32):")
        .command(["kubectl", "get", "pods", "-n", "flux-system", "-l", "app=source-controller", "--show-labels"])
}

#[cfg(test)]
mod tests;
