//! SKVS311: a ResourceQuota refuses what the onboarding makes.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::object_commands;
use crate::diagnosis::refused::refused;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::refusal::Refusal;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS311",
    slug: "quota-exceeded",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a ResourceQuota refuses the creation Job or its pod",
    explanation: r#"A ResourceQuota of the target namespace is used up, or requires requests and limits that the pod does not have. The Job's pod
is then not created: the Job has none until Helm gives up, and Flux only reports a timeout."#,
    fix: r#"See it: `kubectl describe resourcequota -n NAMESPACE`, and the events of the Job.

Have the quota raised, free some of it, or request less (`values.databaseCreationJob.resources`). If the quota requires
requests and limits, set them there."#,
    example: r#"Error creating: pods "x-" is forbidden: exceeded quota: small, requested: requests.cpu=100m, used: requests.cpu=1, limited: requests.cpu=1
Error creating: pods "x-" is forbidden: failed quota: small: must specify limits.cpu for: create"#,
    explains: &["SKVS108", "SKVS303", "SKVS308"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(refused) = refused(case)? else {
        return Ok(None);
    };
    let namespace = refused.namespace(case).to_owned();
    let (name, sentence, step) = match &refused.refusal {
        Refusal::QuotaUsedUp { quota, figures } => (
            quota.clone(),
            format!("has no room for {}: {figures}", refused.object()),
            "Have it raised, free some of it, or lower values.databaseCreationJob.resources. Its use:",
        ),
        Refusal::QuotaNeeds { quota, needs } => (
            quota.clone(),
            format!("requires {} to specify {needs}", refused.object()),
            "Set them in values.databaseCreationJob.resources. The quota's limits:",
        ),
        _ => return Ok(None),
    };
    let subject = Subject::new("ResourceQuota", &namespace, &name);
    let sentence = format!("{subject} {sentence}");
    refused
        .finding(case, subject, sentence)
        .step(step)
        .command(object_commands::describe(&Subject::new(
            "ResourceQuota",
            &namespace,
            &name,
        )))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_quota_and_its_figures_are_told() {
        assert_eq!(
            fixture::sentence("quota-exceeded", "SKVS311"),
            "ResourceQuota core/small has no room for the pod of the creation Job: requested: requests.cpu=100m, used: requests.cpu=1, limited: requests.cpu=1"
        );
        assert_eq!(
            fixture::sentence("quota-needs-limits-old", "SKVS311"),
            "ResourceQuota core/compute requires the pod of the creation Job to specify limits.cpu,limits.memory"
        );
        assert_eq!(
            fixture::sentence("quota-counts-jobs-middle", "SKVS311"),
            "ResourceQuota core/objects has no room for the creation Job: requested: count/jobs.batch=1, used: count/jobs.batch=5, limited: count/jobs.batch=5"
        );
    }
}
