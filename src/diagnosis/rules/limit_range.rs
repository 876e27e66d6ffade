//! SKVS315: a LimitRange refuses the creation Job's pod.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::refused::refused;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::refusal::Refusal;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS315",
    slug: "limit-range",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a LimitRange refuses the creation Job's pod",
    explanation: r#"A LimitRange of the target namespace limits what a container or a pod may request, and the creation Job's pod requests more
or less. The mesh's sidecar counts too. The pod is not created, and the Job has none until Helm gives up."#,
    fix: r#"See it: `kubectl describe limitrange -n NAMESPACE`, and the events of the Job.

Set `values.databaseCreationJob.resources` within the limits, or have the LimitRange changed."#,
    example: r#"Error creating: pods "x-" is forbidden: maximum cpu usage per Container is 200m, but limit is 500m"#,
    explains: &["SKVS108", "SKVS303", "SKVS308"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(refused) = refused(case)? else {
        return Ok(None);
    };
    let Refusal::Limits(bounds) = refused.refusal.clone() else {
        return Ok(None);
    };
    let namespace = refused.namespace(case).to_owned();
    let subject = refused.job.clone().unwrap_or_else(|| case.subject());
    let sentence = format!(
        "a LimitRange of namespace {namespace} refuses {}: {bounds}",
        refused.object()
    );
    refused
        .finding(case, subject, sentence)
        .step("Set values.databaseCreationJob.resources within the limits, or have the LimitRange changed:")
        .command(["kubectl", "describe", "limitrange", "-n", &namespace])
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_bound_is_told() {
        assert_eq!(
            fixture::sentence("limit-range", "SKVS315"),
            "a LimitRange of namespace core refuses the pod of the creation Job: maximum cpu usage per Container is 200m, but limit is 500m"
        );
    }
}
