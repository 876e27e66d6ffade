//! The mesh sidecar of the creation Job's pod, where it keeps the Job from its end.

use crate::diagnosis::finding::Subject;
use crate::model::pod::Pod;

/// What the sidecar does that keeps a Job from its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Sidecar {
    /// The Job's own containers are through, and the sidecar runs on.
    RunsOn { pod: Subject, ended: Vec<String> },
    /// It does not get ready, and the Job's own containers wait for it.
    NotReady { pod: Subject, state: String },
}

/// The container that Istio puts into a pod.
pub(super) const SIDECAR: &str = "istio-proxy";

/// Whether the pod has a sidecar; `None` where not all of its containers are known.
pub(super) fn is_in(pod: &Pod) -> Option<bool> {
    let mut containers = pod.containers.known.iter();
    let has = containers.any(|c| c.name == SIDECAR);
    (has || pod.containers.all).then_some(has)
}

/// Whether Istio put the container into the pod.
pub(in crate::diagnosis) fn is_of_mesh(container: &str) -> bool {
    [SIDECAR, "istio-init", "istio-validation"].contains(&container)
}

/// What the pod's sidecar does that keeps the Job from its end.
pub(super) fn holding(pod: &Pod) -> Option<Sidecar> {
    if !pod.containers.all {
        return None;
    }
    let proxy = pod.containers.known.iter().find(|c| c.name == SIDECAR)?;
    let own = || pod.containers.known.iter().filter(|c| c.name != SIDECAR);
    let ended = || own().filter(|c| c.ended().is_some());
    let subject = Subject::from(&pod.meta);
    if proxy.is_running() && own().all(|c| c.ended().is_some_and(|e| e.exit_code == 0)) {
        return (ended().next().is_some()).then(|| Sidecar::RunsOn {
            pod: subject,
            ended: ended().map(|c| c.name.clone()).collect(),
        });
    }
    let state = match (proxy.waiting(), proxy.ended().or(proxy.ended_before())) {
        _ if proxy.is_ready() => return None,
        (_, Some(ended)) if ended.exit_code != 0 => format!("exited {}", ended.exit_code),
        _ if proxy.is_running() => "is running but not ready".to_owned(),
        _ => return None,
    };
    let waits = own().any(|c| !c.has_run() || c.is_running());
    waits.then_some(Sidecar::NotReady {
        pod: subject,
        state,
    })
}
