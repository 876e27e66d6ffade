//! SKVS307: no node accepts the creation Job's pod.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::job::Outcome;
use crate::diagnosis::object_commands;
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::kubelet;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS307",
    slug: "pod-unscheduled",
    severity: Severity::Error,
    role: Role::Cause,
    title: "no node accepts the creation Job's pod",
    explanation: r#"The scheduler finds no node for the pod: there is too little free CPU or memory, or taints, selectors and affinities exclude
every node. The Job then waits until Helm gives up."#,
    fix: r#"See it: `kubectl describe pod -n NAMESPACE POD`, the events at the end.

Free or add capacity, or correct the pod's requests (`values.databaseCreationJob.resources`)."#,
    example: r#"0/3 nodes are available: 3 Insufficient cpu."#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Outcome::Unscheduled { pod, message }) = case.outcome_by_pods()? else {
        return Ok(None);
    };
    let step = kubelet::scheduling_step(message);
    let step = step.unwrap_or_else(|| {
        "Check the nodes' shortage, then free or add capacity, or lower the pod's requests:"
            .to_owned()
    });
    Finding::new(pod.clone(), "no node accepts the creation Job's pod")
        .why("The Job cannot start until a node accepts its pod, and Helm waits for the Job until spec.timeout.")
        .seen(case.seen_failure())
        .seen([Evidence::new(pod.clone(), ".status.conditions[PodScheduled]", message)])
        .change(peers::without_value(case, &["databaseCreationJob", "resources"]))
        .step(step)
        .command(object_commands::describe(pod))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("pod-unscheduled", "SKVS307"),
            "no node accepts the creation Job's pod"
        );
    }
}
