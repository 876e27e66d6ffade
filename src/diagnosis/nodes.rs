//! The nodes of the pods that a finding shows: a lost or full node keeps its pods from working.

use super::case::Case;
use super::finding::{Evidence, Finding, Step, Subject};
use super::object_commands;
use crate::advice::Command;
use crate::model::field::Field;
use crate::model::kubelet;
use crate::model::node::{Health, Node};
use crate::model::pod::Pod;
use crate::model::volume_attachment::VolumeAttachment;
use crate::snapshot::{Checked, IfRead, Listing, Nodes, why_not_all};
use crate::text::scrub::scrub;

/// The finding with the faults of its pods' nodes, and with the nodes that still hold their volumes.
pub(super) fn also(case: &Case<'_>, finding: Finding) -> Finding {
    let Some(nodes) = case.nodes().if_read() else {
        return finding;
    };
    let shown: Vec<Subject> = finding.evidence.iter().map(|e| e.object.clone()).collect();
    let pods = pods(case).filter(|pod| shown.contains(&Subject::from(&pod.meta)));
    let mut pods: Vec<&Pod> = pods.filter(|pod| pod.may_be_of_its_node()).collect();
    // The target namespace's pods have the Job's among them.
    pods.sort_by_key(|pod| pod.meta.id());
    pods.dedup_by_key(|pod| pod.meta.id());
    let finding = pods
        .into_iter()
        .fold(finding, |finding, pod| of_pod(finding, pod, nodes));
    with_volumes(finding, nodes)
}

/// Every pod that was read.
pub(super) fn pods<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Pod> {
    let job = case.creation_job().if_read();
    let job = job.and_then(|found| found.pods().if_read()).into_iter();
    let job = job.flat_map(Listing::known).map(|found| &found.pod);
    let controllers = case.controller_pods().if_read().into_iter();
    let couchdb = case.couch_pods().if_read().map(|found| &found.pods);
    let serving = controllers.chain(couchdb).flat_map(Listing::known);
    let target = case.target_pods().if_read().into_iter();
    job.chain(serving.map(|found| &found.pod))
        .chain(target.flat_map(Listing::known))
}

fn of_pod(finding: Finding, pod: &Pod, nodes: &Nodes) -> Finding {
    let subject = Subject::from(&pod.meta);
    let name = match &pod.node {
        Field::Set(name) => name,
        Field::Absent => return finding,
        Field::Malformed => {
            return finding.why(format!(
                "Which node {subject} is on is unknown: its spec.nodeName is malformed."
            ));
        }
    };
    let node = match nodes.of(name) {
        Err(unread) if unread.is_not_needed() => return finding,
        node => node,
    };
    if finding.evidence.iter().any(|e| e.object == of(name)) {
        return finding;
    }
    let is_lost = matches!(node, Ok(Some(node)) if node.is_lost());
    match State::of(node) {
        State::Fine => finding,
        State::Troubled(troubles) => {
            let finding = finding
                .why(format!("{subject} is on node {name}, which {}.", troubles.join(" and ")))
                .seen([evidence(name, &troubles)]);
            if !is_lost {
                return relieve(finding, name);
            }
            see(finding, name, "Bring the node back. If it is lost for good, make sure that the machine is off, then mark it as out of service (taint node.kubernetes.io/out-of-service), so that its pods can move:")
        }
        State::Gone => finding.why(format!(
            "{subject} is on node {name}, which no longer exists: Kubernetes removes the pod in a few minutes."
        )),
        State::Unknown(why) => {
            finding.why(format!("{subject} is on node {name}. {}", unknown(&why)))
        }
    }
}

/// Adds the nodes to which volumes are still attached that the finding says are attached elsewhere.
fn with_volumes(finding: Finding, nodes: &Nodes) -> Finding {
    let attachments = nodes.attachments();
    let not_all = why_not_all(attachments.clone());
    let attachments = attachments.if_read().map_or(&[][..], Listing::known);
    let is_shown = |attachment: &&VolumeAttachment| {
        let volume = attachment.volume.text();
        let mut shown = finding.evidence.iter();
        !volume.is_empty() && shown.any(|e| e.observed.contains(volume))
    };
    let shown: Vec<&VolumeAttachment> = attachments.iter().filter(is_shown).collect();
    let mut observed = finding.evidence.iter().map(|e| e.observed.as_str());
    let is_elsewhere = observed.any(kubelet::is_attached_elsewhere);
    if let Some(why) = not_all.filter(|_| shown.is_empty() && is_elsewhere) {
        let why = why.clause();
        return finding.why(format!(
            "Which node the volume is still attached to is unknown: {why}."
        ));
    }
    shown.into_iter().fold(finding, |finding, attachment| {
        of_volume(finding, attachment, nodes)
    })
}

fn of_volume(finding: Finding, attachment: &VolumeAttachment, nodes: &Nodes) -> Finding {
    let (volume, name) = (attachment.volume.text(), attachment.node.text());
    let subject = Subject::from(&attachment.meta);
    let attached = Evidence::new(
        subject.clone(),
        ".status.attached",
        &format!("{volume} is attached to node {name}"),
    );
    let finding = finding.seen([attached]);
    if let Some(since) = attachment.detached_since() {
        return of_detached(finding, attachment, &subject, since, nodes.of(name));
    }
    let said = format!("Volume {volume} is still attached to node {name}");
    let node = match nodes.of(name) {
        Err(unread) if unread.is_not_needed() => {
            return find_user(finding.why(format!("{said}, which was not read.")), name);
        }
        node => node,
    };
    let troubles = match State::of(node) {
        State::Troubled(troubles) => troubles,
        State::Fine => return find_user(finding.why(format!("{said}.")), name),
        State::Gone => {
            return finding.why(format!(
                "{said}, which no longer exists: Kubernetes detaches the volume in a few minutes."
            ));
        }
        State::Unknown(why) => {
            let finding = finding.why(format!("{said}. {}", unknown(&why)));
            return find_user(finding, name);
        }
    };
    let finding = finding
        .why(format!("{said}, which {}.", troubles.join(" and ")))
        .seen([evidence(name, &troubles)]);
    see(
        finding,
        name,
        "Bring that node back, which frees the volume. If its machine is surely switched off, have the cluster's administrators remove the node: Kubernetes then detaches the volume. Never detach it while the machine may be running, since two writers damage the data:",
    )
}

/// Of a volume that Kubernetes already tries to detach: no pod on that node uses it any more.
fn of_detached(
    finding: Finding,
    attachment: &VolumeAttachment,
    subject: &Subject,
    since: &str,
    node: Checked<Option<&Node>>,
) -> Finding {
    let (volume, name) = (attachment.volume.text(), attachment.node.text());
    let state = match node {
        Err(unread) if unread.is_not_needed() => None,
        node => Some(State::of(node)),
    };
    let fault = attachment.fault();
    let finding = finding
        .why(format!(
            "Volume {volume} is still attached to node {name}, and Kubernetes has been detaching it since {since}: {subject} is being deleted."
        ))
        .seen([Evidence::new(
            subject.clone(),
            ".metadata.deletionTimestamp",
            &format!("being deleted since {since}"),
        )])
        .seen(fault.map(|fault| {
            Evidence::new(subject.clone(), ".status.detachError.message", fault)
        }));
    let finding = match fault {
        Some(fault) => finding.why(format!(
            "The storage driver cannot detach it: {}.",
            scrub(fault.trim_end_matches(['.', ' '])).0
        )),
        None => {
            finding.why("The VolumeAttachment gives no reason why the volume is not detached yet.")
        }
    };
    let finding = match &state {
        Some(State::Gone) => finding.why(format!("Node {name} no longer exists.")),
        Some(State::Troubled(troubles)) => finding
            .why(format!("Node {name} {}.", troubles.join(" and ")))
            .seen([evidence(name, troubles)]),
        Some(State::Unknown(why)) if !attachment.lacks_node() => finding.why(unknown(why)),
        Some(State::Fine | State::Unknown(_)) | None => finding,
    };
    let is_gone = matches!(state, Some(State::Gone));
    let may_be_gone = !matches!(state, Some(State::Fine | State::Troubled(_)));
    if fault.is_some() && (is_gone || (attachment.lacks_node() && may_be_gone)) {
        return finding
            .step(format!(
                "Make sure that the machine of node {name} is switched off or gone, and that the volume is detached in the storage system. Only then have the cluster's administrators remove the finalizer of that VolumeAttachment, which frees the volume. While the machine may still write to the volume, that damages the data. Keep the claim and the volume:"
            ))
            .command(object_commands::describe(subject));
    }
    if let Some(State::Troubled(_)) = state {
        return see(
            finding,
            name,
            "Bring that node back, so that the volume can be detached from it. Never detach it by force while the machine may be running, since two writers damage the data:",
        );
    }
    let step = match fault {
        Some(_) => {
            "Find out why the storage driver cannot detach the volume: the log of its controller says more. Remove no finalizer while the machine may write to the volume:"
        }
        None => {
            "Wait for the detachment. If it stays so, read the log of the storage driver's controller:"
        }
    };
    finding
        .step(step)
        .command(object_commands::describe(subject))
}

fn find_user(finding: Finding, name: &str) -> Finding {
    finding
        .step(format!(
            "Find the pod that still uses it on {name}; the volume is free once that pod is gone:"
        ))
        .command([
            "kubectl",
            "get",
            "pods",
            "-A",
            "-o",
            "wide",
            "--field-selector",
            &format!("spec.nodeName={name}"),
        ])
}

/// The state of a node, as far as it was read.
enum State {
    Fine,
    Troubled(Vec<String>),
    Gone,
    /// Why it is not known, as a clause.
    Unknown(String),
}

impl State {
    fn of(node: Checked<Option<&Node>>) -> Self {
        match node {
            Ok(Some(node)) => match node.health() {
                Health::Fine => Self::Fine,
                Health::Troubled(troubles) => Self::Troubled(troubles),
                Health::Unknown => Self::Unknown("its conditions do not say".to_owned()),
            },
            Ok(None) => Self::Gone,
            Err(unread) => Self::Unknown(unread.why.clause()),
        }
    }
}

/// The step for a node that runs, and is short of something; the finding may have it.
fn relieve(finding: Finding, name: &str) -> Finding {
    let look = Step::Command(describe(name));
    match finding.fix.contains(&look) {
        true => finding,
        false => see(finding, name, "See what the node lacks, and restore it:"),
    }
}

/// The command that shows the node, and what its pods request and may use.
pub(super) fn describe(name: &str) -> Command {
    object_commands::describe(&of(name))
}

fn unknown(why: &str) -> String {
    format!("Whether that node is healthy is unknown: {why}.")
}

fn of(name: &str) -> Subject {
    Subject::new("Node", "", name)
}

fn evidence(name: &str, troubles: &[String]) -> Evidence {
    Evidence::new(of(name), ".status.conditions", &troubles.join("; "))
}

fn see(finding: Finding, name: &str, step: &str) -> Finding {
    finding.step(step).command(describe(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::snapshot::{Read, Why};
    use serde_json::{Value, json};

    /// The additions to a finding about a lost pod of CouchDB on this node.
    fn added(node: Read<Node>) -> String {
        let name = "couchdb-unreachable";
        let mut snapshot = fixture::snapshot(name);
        let pod = json!({"metadata": {"namespace": "secure-kvs", "name": "db-0"}, "spec": {"nodeName": "w"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}});
        let pod = crate::snapshot::ServingPod {
            pod: Pod::from_value(&pod),
            events: Read::Seen(Listing::default()).into(),
            log: Read::not_needed("x").into(),
        };
        snapshot.on_demand.couch_pods = Read::Seen(crate::snapshot::CouchPods {
            of_service: true,
            namespace: "secure-kvs".to_owned(),
            pods: Listing::whole(vec![pod]),
        });
        snapshot.on_demand.nodes = Read::Seen(Nodes {
            nodes: vec![("w".to_owned(), node.into())],
            events: Vec::new(),
            attachments: Read::not_needed("x").into(),
        });
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let shown = Evidence::new(Subject::new("Pod", "secure-kvs", "db-0"), "x", "x");
        let finding = also(&case, Finding::new(case.subject(), "x").seen([shown]));
        fixture::reasoned(finding)
    }

    fn node(status: &str) -> Read<Node> {
        let ready = json!({"type": "Ready", "status": status, "reason": "R", "message": "m"});
        Read::Seen(Node::from_value(
            &json!({"metadata": {"name": "w"}, "status": {"conditions": [ready]}}),
        ))
    }

    #[test]
    fn the_faults_of_a_pod_s_node_are_shown() {
        insta::assert_snapshot!(added(node("Unknown")), @"
        Pod secure-kvs/db-0 is on node w, which is unreachable (R: m).
        x
        Bring the node back. If it is lost for good, make sure that the machine is off, then mark it as out of service (taint node.kubernetes.io/out-of-service), so that its pods can move:
        $ kubectl describe node w
        ");
        assert_eq!(added(node("True")), "\nx");
        insta::assert_snapshot!(added(Read::Unknown(Why::Forbidden("get nodes".to_owned()))), @"
        Pod secure-kvs/db-0 is on node w. Whether that node is healthy is unknown: forbidden (get nodes).
        x
        ");
        assert!(added(Read::Absent).contains("no longer exists"));
        assert!(added(node("odd")).contains("do not say"));
    }

    #[test]
    fn a_node_that_answers_is_not_to_be_brought_back() {
        let ready = json!({"type": "Ready", "status": "True"});
        let short =
            json!({"type": "MemoryPressure", "status": "True", "reason": "R", "message": "m"});
        let node = Node::from_value(
            &json!({"metadata": {"name": "w"}, "status": {"conditions": [ready, short]}}),
        );
        insta::assert_snapshot!(added(Read::Seen(node)), @"
        Pod secure-kvs/db-0 is on node w, which is short of memory (R: m).
        x
        See what the node lacks, and restore it:
        $ kubectl describe node w
        ");
        assert!(added(super::tests::node("False")).contains("Bring the node back"));
    }

    #[test]
    fn the_node_that_holds_a_volume_is_named_and_nothing_is_detached_by_force() {
        let attachment = json!({"metadata": {"name": "csi-1"}, "spec": {"nodeName": "w", "source": {"persistentVolumeName": "pv-1"}}, "status": {"attached": true}});
        let of = |node: Read<Node>, observed: &str| {
            let nodes = Nodes {
                nodes: vec![("w".to_owned(), node.into())],
                events: Vec::new(),
                attachments: Read::Seen(Listing::whole(vec![VolumeAttachment::from_value(
                    &attachment,
                )]))
                .into(),
            };
            let shown = Evidence::new(Subject::new("Pod", "n", "db-0"), "x", observed);
            let finding = Finding::new(Subject::new("Pod", "n", "db-0"), "x").seen([shown]);
            let finding = with_volumes(finding, &nodes);
            (finding.why.join("\n"), format!("{:?}", finding.fix))
        };
        let said = "Multi-Attach error for volume \"pv-1\"";
        let (why, fix) = of(node("Unknown"), said);
        assert_eq!(
            why,
            "Volume pv-1 is still attached to node w, which is unreachable (R: m)."
        );
        assert!(fix.contains("Never detach"), "{fix}");
        let (why, fix) = of(node("True"), said);
        assert_eq!(why, "Volume pv-1 is still attached to node w.");
        assert!(fix.contains("spec.nodeName=w"), "{fix}");
        assert_eq!(of(node("Unknown"), "other").0, "");
        let (why, _) = of(Read::Unknown(Why::Forbidden("get nodes".to_owned())), said);
        assert_eq!(
            why,
            "Volume pv-1 is still attached to node w. Whether that node is healthy is unknown: forbidden (get nodes)."
        );
        let (why, fix) = of(Read::Absent, said);
        assert!(why.contains("no longer exists"), "{why}");
        assert_eq!(fix, "[]");
    }

    #[test]
    fn a_volume_that_cannot_be_detached_waits_for_no_pod() {
        let of = |node: Option<Read<Node>>, fault: Value| {
            let attachment = json!({"metadata": {"name": "csi-1", "deletionTimestamp": "2026-11-27T03:58:12Z"},
                "spec": {"nodeName": "w", "source": {"persistentVolumeName": "pv-1"}},
                "status": {"attached": true, "detachError": {"message": fault}}});
            let nodes = Nodes {
                nodes: node
                    .map(|node| ("w".to_owned(), node.into()))
                    .into_iter()
                    .collect(),
                events: Vec::new(),
                attachments: Read::Seen(Listing::whole(vec![VolumeAttachment::from_value(
                    &attachment,
                )]))
                .into(),
            };
            let said = "Multi-Attach error for volume \"pv-1\"";
            let shown = Evidence::new(Subject::new("Pod", "n", "db-0"), "x", said);
            let finding = Finding::new(Subject::new("Pod", "n", "db-0"), "x").seen([shown]);
            let all = fixture::reasoned(with_volumes(finding, &nodes));
            assert!(!all.contains("spec.nodeName"), "{all}");
            all
        };
        let unread = || Some(Read::not_asked("not in the saved files"));
        let missing = || json!("rpc error: code = NotFound desc = node \"w\" not found.");
        let other = || json!("rpc error: code = Internal desc = busy");
        insta::assert_snapshot!([
            of(unread(), missing()),
            of(Some(Read::Absent), other()),
            of(Some(node("True")), missing()),
            of(Some(node("Unknown")), missing()),
            of(unread(), other()),
            of(None, json!(null)),
        ].join("\n\n"), @r#"
        Volume pv-1 is still attached to node w, and Kubernetes has been detaching it since 2026-11-27T03:58:12Z: VolumeAttachment csi-1 is being deleted.
        The storage driver cannot detach it: rpc error: code = NotFound desc = node "w" not found.
        x
        Make sure that the machine of node w is switched off or gone, and that the volume is detached in the storage system. Only then have the cluster's administrators remove the finalizer of that VolumeAttachment, which frees the volume. While the machine may still write to the volume, that damages the data. Keep the claim and the volume:
        $ kubectl describe volumeattachment csi-1

        Volume pv-1 is still attached to node w, and Kubernetes has been detaching it since 2026-11-27T03:58:12Z: VolumeAttachment csi-1 is being deleted.
        The storage driver cannot detach it: rpc error: code = Internal desc = busy.
        Node w no longer exists.
        x
        Make sure that the machine of node w is switched off or gone, and that the volume is detached in the storage system. Only then have the cluster's administrators remove the finalizer of that VolumeAttachment, which frees the volume. While the machine may still write to the volume, that damages the data. Keep the claim and the volume:
        $ kubectl describe volumeattachment csi-1

        Volume pv-1 is still attached to node w, and Kubernetes has been detaching it since 2026-11-27T03:58:12Z: VolumeAttachment csi-1 is being deleted.
        The storage driver cannot detach it: rpc error: code = NotFound desc = node "w" not found.
        x
        Find out why the storage driver cannot detach the volume: the log of its controller says more. Remove no finalizer while the machine may write to the volume:
        $ kubectl describe volumeattachment csi-1

        Volume pv-1 is still attached to node w, and Kubernetes has been detaching it since 2026-11-27T03:58:12Z: VolumeAttachment csi-1 is being deleted.
        The storage driver cannot detach it: rpc error: code = NotFound desc = node "w" not found.
        Node w is unreachable (R: m).
        x
        Bring that node back, so that the volume can be detached from it. Never detach it by force while the machine may be running, since two writers damage the data:
        $ kubectl describe node w

        Volume pv-1 is still attached to node w, and Kubernetes has been detaching it since 2026-11-27T03:58:12Z: VolumeAttachment csi-1 is being deleted.
        The storage driver cannot detach it: rpc error: code = Internal desc = busy.
        Whether that node is healthy is unknown: not in the saved files.
        x
        Find out why the storage driver cannot detach the volume: the log of its controller says more. Remove no finalizer while the machine may write to the volume:
        $ kubectl describe volumeattachment csi-1

        Volume pv-1 is still attached to node w, and Kubernetes has been detaching it since 2026-11-27T03:58:12Z: VolumeAttachment csi-1 is being deleted.
        The VolumeAttachment gives no reason why the volume is not detached yet.
        x
        Wait for the detachment. If it stays so, read the log of the storage driver's controller:
        $ kubectl describe volumeattachment csi-1
        "#);
    }

    #[test]
    fn a_volume_whose_attachments_were_not_all_read_is_not_free() {
        let of = |attachments: Read<Listing<VolumeAttachment>>, observed: &str| {
            let nodes = Nodes {
                nodes: Vec::new(),
                events: Vec::new(),
                attachments: attachments.into(),
            };
            let pod = Subject::new("Pod", "n", "db-0");
            let shown = Evidence::new(pod.clone(), "x", observed);
            with_volumes(Finding::new(pod, "x").seen([shown]), &nodes)
                .why
                .join("\n")
        };
        let said = "Multi-Attach error for volume \"pv-1\"";
        let forbidden = || Why::Forbidden("list volumeattachments".to_owned());
        let cut = Read::Seen(Listing::new(Vec::new(), Some(forbidden())));
        let unknown = "Which node the volume is still attached to is unknown: forbidden (list volumeattachments).";
        assert_eq!(of(cut, said), unknown);
        assert_eq!(of(Read::Unknown(forbidden()), said), unknown);
        assert_eq!(of(Read::Unknown(forbidden()), "other"), "");
        assert_eq!(of(Read::Seen(Listing::default()), said), "");
    }
}
