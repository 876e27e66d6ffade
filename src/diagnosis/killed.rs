//! A container that was killed (SKVS303): whether its node had no memory left, as the node's events say. One at its own limit is SKVS318's.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::job::Death;
use super::nodes;
use crate::model::kubelet::{Victim, other_victims, victim_at};
use crate::model::names::is_object_name;
use crate::snapshot::{IfRead, Why};
use crate::text::{few, one_line};

/// Other processes that are named at most.
const SHOWN: usize = 3;

/// Who killed a container.
pub(super) enum Killer<'a> {
    /// The kernel of its node, for want of memory.
    Memory {
        node: &'a str,
        victim: Victim<'a>,
        others: Vec<&'a str>,
    },
    /// The node's events were not read: a sentence on it.
    Unknown { node: &'a str, why: String },
}

/// Who killed the container, where the events of its node can say it; `None` where they do not, or it was not killed.
pub(super) fn killer<'a>(case: &Case<'a>, death: &Death) -> Option<Killer<'a>> {
    let pod = nodes::pods(case).find(|pod| Subject::from(&pod.meta) == death.pod)?;
    let mut containers = pod.containers.known.iter();
    let container = containers.find(|c| c.name == death.container)?;
    let ended = container.ended_badly().filter(|end| end.is_killed())?;
    let node = pod.node.as_str()?;
    let unknown = |why: &Why| {
        let why = why.clause();
        Killer::Unknown {
            node,
            why: format!(
                "Whether node {node} ran out of memory is unknown: its events were not read: {why}."
            ),
        }
    };
    let events = match case.nodes().if_read()?.events_of(node) {
        Ok(events) => events?,
        Err(unread) if unread.is_not_needed() => return None,
        Err(unread) => return Some(unknown(&unread.why)),
    };
    let ended = ended.finished_at.set()?;
    // Without a command, the container or its image often has its program's name.
    let programs: Vec<&str> = match pod.program(&death.container) {
        Some(program) => vec![program],
        None => {
            let image = pod.image(&death.container).map(image_name);
            image
                .into_iter()
                .chain([death.container.as_str()])
                .collect()
        }
    };
    match victim_at(events.known(), *ended, &programs) {
        Some(victim) if !victim.is_own => Some(Killer::Unknown {
            node,
            why: format!(
                "The kernel of node {node} ended a process for lack of memory near the container's end ({}: {}). Whether that was the container's is unknown.",
                victim.event.reason,
                one_line(&victim.event.message)
            ),
        }),
        Some(victim) => Some(Killer::Memory {
            node,
            others: other_victims(events.known(), &victim),
            victim,
        }),
        None => events.not_all().map(unknown),
    }
}

/// `create` of `registry.example/create:2`
fn image_name(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split([':', '@']).next().unwrap_or_default()
}

impl Killer<'_> {
    /// The end of a sentence on the container's end.
    pub(super) fn sentence(&self, container: &str) -> Option<String> {
        match self {
            Self::Memory { node, victim, .. } if !victim.is_of_limit => Some(format!(
                "node {node} ran out of memory, and its kernel killed container {container}"
            )),
            Self::Memory { .. } => Some(format!(
                "the kernel killed container {container} at a memory limit"
            )),
            Self::Unknown { .. } => None,
        }
    }

    /// Adds what the node's events say, or that they are not known.
    pub(super) fn tell(&self, finding: Finding) -> Finding {
        let (node, victim, others) = match self {
            Self::Memory {
                node,
                victim,
                others,
            } => (node, victim, others),
            Self::Unknown { node, why } => {
                let of_node = format!("involvedObject.kind=Node,involvedObject.name={node}");
                return finding
                    .why(why)
                    .step("See whether the node ran out of memory then (SystemOOM); events are kept for an hour:")
                    .command(["kubectl", "get", "events", "-n", "default", "--field-selector", &of_node]);
            }
        };
        let process = match victim.process {
            Some(process) => format!("process {process}"),
            None => "a process".to_owned(),
        };
        let when = victim.event.last_seen;
        let when = when.map_or_else(String::new, |time| format!(" at {time}"));
        let said = format!("{}: {}", victim.event.reason, victim.event.message);
        let finding = finding.seen([Evidence::new(
            Subject::new("Node", "", node),
            "events",
            &said,
        )]);
        if victim.is_of_limit {
            return finding.why(format!(
                "The kernel of node {node} ended {process}{when}, which had reached a memory limit: the container's own, or that of all pods of the node."
            ));
        }
        let others = (!others.is_empty()).then(|| {
            format!(
                "Other processes of the node were ended too: {}.",
                few(others, ", ", SHOWN)
            )
        });
        finding
            .why(format!(
                "Node {node} itself had no memory left ({}), and its kernel ended {process}{when}.",
                victim.event.reason
            ))
            .whys(others.as_deref())
            .why("The container did not reach its own limit, which would be OOMKilled: a higher limit does not help.")
    }

    /// Adds what to do; `None` where that is not known.
    pub(super) fn step(&self, finding: Finding) -> Option<Finding> {
        let Self::Memory { node, victim, .. } = self else {
            return None;
        };
        if victim.is_of_limit {
            return Some(
                finding
                    .step("Compare the container's memory limit with what it needs, and the limits of the node's pods with its memory:")
                    .command(nodes::describe(node)),
            );
        }
        let finding = finding
                .step(format!("Relieve node {node}: find pods that use more memory than they request, set their requests, move them or add a node:"))
                .command(nodes::describe(node));
        Some(match is_object_name(node) {
            true => finding
                .step("Until then keep the retry off that node, and uncordon it afterwards:")
                .command(["kubectl", "cordon", node]),
            false => finding,
        })
    }
}
