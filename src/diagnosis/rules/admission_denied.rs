//! SKVS313: a cluster policy refuses an object of the onboarding.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::refused::{Refused, refused};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::refusal::{Refusal, names_nobody};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS313",
    slug: "admission-denied",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a cluster policy refuses an object of the onboarding",
    explanation: r#"An admission webhook (Kyverno, Gatekeeper, your own) or a ValidatingAdmissionPolicy refused the creation Job, its pod or the
authorization policy. The finding quotes it. If only the pod was refused, Flux reports a timeout; the refusal is in the Job's
events."#,
    fix: r#"See it: the condition Released, or the events of the Job.

Meet the policy's demand (a label, a registry, a limit) through the values or the chart, or ask the policy's owners for an
exception for this namespace."#,
    example: r#"admission webhook "validate.kyverno.svc-fail" denied the request: resource Job/core/x was blocked due to the following policies …
jobs.batch "x" is forbidden: ValidatingAdmissionPolicy 'owner' with binding 'owner' denied request: owner label is missing"#,
    explains: &["SKVS108", "SKVS303", "SKVS308"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(refused) = refused(case)? else {
        return Ok(None);
    };
    let (subject, lead, said, command) = match &refused.refusal {
        Refusal::Webhook { name, said } => (
            refused.job.clone().unwrap_or_else(|| case.subject()),
            format!("the admission webhook {name}"),
            said.clone(),
            vec![
                "kubectl".to_owned(),
                "get".to_owned(),
                "validatingwebhookconfigurations,mutatingwebhookconfigurations".to_owned(),
            ],
        ),
        Refusal::Policy { name, said } => {
            let subject = Subject::new("ValidatingAdmissionPolicy", "", name);
            let words = [
                "kubectl",
                "get",
                "validatingadmissionpolicy",
                name,
                "-o",
                "yaml",
            ];
            (
                subject.clone(),
                subject.to_string(),
                said.clone(),
                words.map(str::to_owned).to_vec(),
            )
        }
        Refusal::Plugin { object, said } => return by_plugin(case, &refused, object, said),
        _ => return Ok(None),
    };
    let sentence = format!("{lead} refuses {}", refused.object());
    let finding = refused.finding(case, subject, sentence);
    let finding = if said.is_empty() {
        finding.why("It gives no reason.")
    } else {
        finding.why(format!("It says: {said}"))
    };
    finding
        .steps(names_nobody(&said).then(|| "The chart makes the policy's principals of spec.values.serviceAccounts: name at least one account there".to_owned()))
        .step("Meet its demand, or ask its owners for an exception. To see whose it is:")
        .command(command)
        .into()
}

/// A plugin of the API server has no object to look at, and the message may be of something else too: only the message is known.
fn by_plugin(case: &Case<'_>, refused: &Refused, object: &str, said: &str) -> Verdict {
    let subject = refused.job.clone().unwrap_or_else(|| case.subject());
    Finding::new(subject, format!("the API server refuses {object}: {said}"))
        .why("The message names neither an account that lacks a right nor the rule.")
        .seen(case.seen_failure())
        .step("Correct the value in spec.values that leads to it, or ask the cluster's administrators. The object's namespace:")
        .command(["kubectl", "describe", "namespace", refused.namespace(case)])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn what_no_reader_knows_is_quoted_and_no_more_is_said() {
        use crate::diagnosis::{Case, diagnose};
        let mut snapshot = fixture::snapshot("admission-denied");
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = "Helm install failed: create: failed to create: jobs.batch \"x\" is forbidden: a text of tomorrow".to_owned();
        }
        let case = Case::new(&snapshot, fixture::meta("admission-denied").now);
        let roots = diagnose(&case).roots;
        let root = roots.iter().find(|r| r.rule.code == "SKVS313").unwrap();
        assert_eq!(
            root.finding.sentence,
            "the API server refuses jobs.batch x: a text of tomorrow"
        );
        assert!(!format!("{:?}", root.finding).contains("rule of the cluster"));
    }

    #[test]
    fn a_webhook_and_a_policy_are_told_with_their_words() {
        let finding = fixture::finding("admission-denied", "SKVS313");
        assert_eq!(
            finding.sentence,
            "the admission webhook validate.kyverno.svc-fail refuses Job core/pds-database-create"
        );
        assert!(
            finding.why[0]
                .starts_with("It says: resource Job/core/pds-database-create was blocked")
        );
        assert_eq!(
            fixture::sentence("admission-denied-policy-middle", "SKVS313"),
            "ValidatingAdmissionPolicy owner-label refuses the creation Job"
        );
        assert_eq!(
            fixture::sentence("admission-denied-pod-old", "SKVS313"),
            "the admission webhook validation.gatekeeper.sh refuses the pod of the creation Job"
        );
    }
}
