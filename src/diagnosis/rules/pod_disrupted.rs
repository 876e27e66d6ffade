//! SKVS317: Kubernetes ended the creation Job's pod.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::job::Outcome;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::pod::Disruption;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS317",
    slug: "pod-disrupted",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Kubernetes ended the creation Job's pod",
    explanation: r#"The pod did not fail by itself: its node ran low on memory or disk, was shut down or lost, or a pod with a higher priority
took its place. Neither CouchDB nor the values are at fault. The Job counts it as a failed attempt all the same."#,
    fix: r#"See it: `kubectl get pod -n NAMESPACE POD -o jsonpath='{.status.reason}: {.status.message}'`.

Check first whether the pod had created the database before it ended (`kubectl skvs databases DATABASE`). If so, the next
attempt fails with 412 (SKVS301). Otherwise let Flux try again once the node is well."#,
    example: r#"Evicted: The node was low on resource: ephemeral-storage."#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Outcome::Disrupted { pod, by, message }) = case.outcome_by_pods()? else {
        return Ok(None);
    };
    let (sentence, step) = match by {
        Disruption::Evicted => (
            "the node evicted the creation Job's pod",
            "Free what the node ran short of, or wait until it has it again:",
        ),
        Disruption::Preempted => (
            "a pod with a higher priority took the place of the creation Job's pod",
            "Free or add capacity:",
        ),
        Disruption::NodeLost => (
            "the node of the creation Job's pod was lost",
            "Check the nodes:",
        ),
        Disruption::NodeShutdown => (
            "the node of the creation Job's pod was shut down",
            "Check the nodes:",
        ),
        Disruption::Drained => (
            "the creation Job's pod was evicted, as when a node is drained",
            "Wait until the maintenance of the node is over:",
        ),
    };
    let finding = Finding::new(pod.clone(), sentence)
        .why("Kubernetes ended it. Neither CouchDB nor the values are at fault.")
        .seen(case.seen_failure())
        .seen([Evidence::new(pod.clone(), ".status.message", message)]);
    let name = case.database().unwrap_or_default();
    let finding = match case.in_couchdb() {
        Ok(Some(_)) => finding
            .why(format!(
                "The database {name} exists by now, so the next attempt fails with 412 (SKVS301)."
            ))
            .step("Find out who owns it before anything else:")
            .command(["kubectl", "skvs", "databases", &name, "-o", "wide"]),
        Ok(None) => finding.why(format!("It had not created the database {name} yet.")),
        Err(_) if name.is_empty() => finding,
        Err(_) => finding
            .step("Check whether it had created the database before it ended:")
            .command(["kubectl", "skvs", "databases", &name]),
    };
    finding
        .step(step)
        .command(["kubectl", "describe", "nodes"])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        let finding = fixture::finding("pod-disrupted", "SKVS317");
        assert_eq!(finding.sentence, "the node evicted the creation Job's pod");
        let shown = format!("{finding:?}");
        assert!(shown.contains("low on resource"), "{shown}");
        assert!(!shown.contains("logs"), "{shown}");
    }
}
