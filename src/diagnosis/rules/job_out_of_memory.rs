//! SKVS318: the creation Job's container used more memory than its limit. One that was killed for another reason is SKVS303's, with the
//! sentence of `diagnosis/killed.rs`.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::job::Outcome;
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS318",
    slug: "job-out-of-memory",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the creation Job ran out of memory",
    explanation: r#"The kernel killed the container (OOMKilled), because it used more memory than its limit allows. The Job itself needs little,
so the limit is usually set too low, by the values or by a LimitRange of the namespace."#,
    fix: r#"See it: `kubectl get pod -n NAMESPACE POD -o yaml`, the container's `state`, and `kubectl get limitranges -n NAMESPACE`.

Raise `values.databaseCreationJob.resources.limits.memory`, or remove it."#,
    example: r#"container create exited 137 (OOMKilled)"#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Outcome::OutOfMemory(death)) = case.outcome_by_pods()? else {
        return Ok(None);
    };
    let pod = &death.pod;
    Finding::new(pod.clone(), "the creation Job ran out of memory")
        .why(format!(
            "The kernel killed the container {}: it used more memory than its limit.",
            death.container
        ))
        .seen(case.seen_failure())
        .seen([death.evidence()])
        .change(peers::without_value(case, &["databaseCreationJob", "resources"]))
        .step("Raise values.databaseCreationJob.resources.limits.memory. If the values set no limit, a LimitRange does:")
        .command(["kubectl", "get", "limitranges", "-n", &pod.namespace, "-o", "yaml"])
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("job-out-of-memory", "SKVS318"),
            "the creation Job ran out of memory"
        );
    }
}
