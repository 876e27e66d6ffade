//! What a node's events say of processes that its kernel ended for want of memory.

use crate::model::event::Event;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// Seconds between such an event and the end of a container of which it speaks.
const NEAR: SignedDuration = SignedDuration::from_secs(60);

/// Characters that the kernel keeps of a process's name.
const NAME_MAX: usize = 15;

/// A process that the kernel of a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victim<'e> {
    /// Where the event names it.
    pub process: Option<&'e str>,
    /// The memory limit of a container or of all pods was reached; otherwise the node itself had no memory left.
    pub is_of_limit: bool,
    /// It has the name of the container's program, as far as both are known.
    pub is_own: bool,
    pub event: &'e Event,
}

/// Reads an event of a node; `None` where it says something else.
fn victim(event: &Event) -> Option<Victim<'_>> {
    let said = event.message.as_str();
    let process = match event.reason.as_str() {
        // The kubelet's: `System OOM encountered, victim process: java, pid: 12`.
        "SystemOOM" => said.split_once("victim process: ").map(|(_, rest)| {
            let end = rest.find(", pid").unwrap_or(rest.len());
            rest[..end].trim()
        }),
        // The node problem detector's: `Out of memory: Killed process 12 (java) total-vm:…`.
        "OOMKilling" => said.split_once(" process ").and_then(|(_, rest)| {
            let (_, rest) = rest.split_once('(')?;
            Some(rest.split_once(')')?.0)
        }),
        _ => return None,
    };
    Some(Victim {
        process: process.filter(|name| !name.is_empty()),
        is_of_limit: said.contains("emory cgroup out of memory"),
        is_own: true,
        event,
    })
}

/// The process of a container that ended at this time, by the events of its node: the one that is nearest to it, with the name of one of these
/// programs before any other.
pub fn victim_at<'e>(
    events: &'e [Event],
    ended: Timestamp,
    programs: &[&str],
) -> Option<Victim<'e>> {
    let distance = |victim: &Victim<'_>| {
        let seen = victim.event.last_seen?;
        let distance = seen.duration_since(ended).abs();
        (distance <= NEAR).then_some(distance)
    };
    let is_of_another = |victim: &Victim<'_>| {
        let is_one = |process: &str| programs.iter().any(|program| is_named(process, program));
        !victim.process.is_some_and(is_one)
    };
    let near = events.iter().filter_map(victim);
    let near = near.filter_map(|victim| Some((is_of_another(&victim), distance(&victim)?, victim)));
    near.min_by_key(|(is_of_another, distance, _)| (*is_of_another, *distance))
        .map(|(is_of_another, _, victim)| Victim {
            is_own: !is_of_another,
            ..victim
        })
}

/// The names of other processes that were ended, each once.
pub fn other_victims<'e>(events: &'e [Event], own: &Victim<'_>) -> Vec<&'e str> {
    let mut found: Vec<&str> = Vec::new();
    for victim in events.iter().filter_map(victim) {
        if let Some(name) = victim.process
            && Some(name) != own.process
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    found
}

/// Whether a process may be that of the program.
fn is_named(process: &str, program: &str) -> bool {
    let program = program.rsplit('/').next().unwrap_or_default();
    let kept: String = program.chars().take(NAME_MAX).collect();
    kept == process || program == process
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(reason: &str, message: &str, time: &str) -> Event {
        let time = format!("2026-11-27T04:{time}Z");
        Event::from_value(&json!({"reason": reason, "message": message, "lastTimestamp": time}))
    }

    fn system(process: &str, time: &str) -> Event {
        let said = format!("System OOM encountered, victim process: {process}, pid: 12");
        event("SystemOOM", &said, time)
    }

    fn at(events: &[Event], time: &str, program: Option<&str>) -> Option<String> {
        let program: Vec<&str> = program.into_iter().collect();
        let ended = format!("2026-11-27T04:{time}Z").parse().unwrap();
        let victim = victim_at(events, ended, &program)?;
        Some(victim.process.unwrap_or("?").to_owned())
    }

    #[test]
    fn the_victim_nearest_to_the_end_is_the_container_s() {
        let events = [
            system("create-database", "40:17"),
            system("create-database", "40:31"),
            system("java", "41:02"),
        ];
        assert_eq!(
            at(&events, "40:31", None).as_deref(),
            Some("create-database")
        );
        assert_eq!(at(&events, "41:01", None).as_deref(), Some("java"));
        // The kernel cuts names.
        let program = Some("/opt/create-database-now");
        assert_eq!(
            at(&events, "41:01", program).as_deref(),
            Some("create-database")
        );
        assert_eq!(at(&events, "42:03", None), None);
        assert_eq!(at(&events, "39:16", None), None);
        let ended = "2026-11-27T04:40:31Z".parse().unwrap();
        let own = victim_at(&events, ended, &[]).unwrap();
        assert_eq!(other_victims(&events, &own), ["java"]);
        assert!(!own.is_of_limit);
    }

    #[test]
    fn each_component_s_words_are_read() {
        let of = |reason: &str, message: &str| {
            let event = event(reason, message, "40:17");
            victim(&event).map(|v| (v.process.map(str::to_owned), v.is_of_limit))
        };
        let java = || Some("java".to_owned());
        assert_eq!(
            of("SystemOOM", "System OOM encountered"),
            Some((None, false))
        );
        assert_eq!(
            of(
                "OOMKilling",
                "Out of memory: Killed process 12 (java) total-vm:1kB"
            ),
            Some((java(), false))
        );
        assert_eq!(
            of(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 12 (java) total-vm:1kB"
            ),
            Some((java(), true))
        );
        assert_eq!(of("OOMKilling", "Kill process (",), Some((None, false)));
        assert_eq!(of("NodeHasDiskPressure", "System OOM encountered"), None);
    }
}
