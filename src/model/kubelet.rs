//! What the kubelet's events say of a pod's containers and probes.

use super::event::Event;

/// What the newest failure of that probe says.
pub fn failing<'a>(events: &'a [Event], probe: &str) -> Option<&'a str> {
    let lead = format!("{probe} probe ");
    events.iter().rev().find_map(|event| {
        let said = event.message.strip_prefix(&lead)?;
        let said = ["failed: ", "errored: "]
            .iter()
            .find_map(|l| said.strip_prefix(l));
        said.filter(|_| event.reason == "Unhealthy")
    })
}

/// The probe for which the kubelet restarts this container, and what its newest failure says.
pub fn killed<'a>(events: &'a [Event], container: &str) -> Option<(&'static str, &'a str)> {
    let lead = format!("Container {container} failed ");
    events.iter().rev().find_map(|event| {
        let said = event.message.strip_prefix(&lead)?;
        let kinds = [("liveness", "Liveness"), ("startup", "Startup")];
        let (kind, name) = kinds.into_iter().find(|(kind, _)| said.starts_with(kind))?;
        (event.reason == "Killing").then(|| (kind, failing(events, name).unwrap_or(&event.message)))
    })
}

/// The answer to the probe was 401 or 403.
pub fn refuses_login(said: &str) -> bool {
    let codes = ["statuscode: 401", "statuscode: 403"];
    codes.iter().any(|code| said.contains(code))
}

/// The newest thing that it could not do for the pod: mount a volume, create the sandbox, …
pub fn refusal(events: &[Event]) -> Option<&Event> {
    let is_failure = |event: &&Event| event.reason.starts_with("Failed") && event.kind == "Warning";
    events.iter().rev().find(is_failure)
}
