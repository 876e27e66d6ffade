//! SKVS312: the namespace's pod security level refuses the creation Job's pod.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::peers;
use crate::diagnosis::refused::refused;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::refusal::Refusal;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS312",
    slug: "pod-security",
    severity: Severity::Error,
    role: Role::Cause,
    title: "pod security refuses the creation Job's pod",
    explanation: r#"The target namespace enforces a pod security level (label `pod-security.kubernetes.io/enforce`), and the creation Job's pod
violates it. The pod is not created, and the Job has none until Helm gives up. In the mesh the container `istio-init` alone,
which needs NET_ADMIN, violates the levels baseline and restricted; Istio's CNI plugin avoids it."#,
    fix: r#"See it: `kubectl get namespace NAME --show-labels`, and the events of the Job, which list the violations.

Lower the level of the namespace, install into another one (the runbook's is `core`), or have the chart's pod comply."#,
    example: r#"Error creating: pods "x-" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "create" …)"#,
    explains: &["SKVS108", "SKVS303", "SKVS308"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(refused) = refused(case)? else {
        return Ok(None);
    };
    let Refusal::PodSecurity { level, violations } = refused.refusal.clone() else {
        return Ok(None);
    };
    let namespace = refused.namespace(case).to_owned();
    let sentence = format!(
        "the pod security level {level} of namespace {namespace} refuses {}",
        refused.object()
    );
    let likelier = peers::target_namespace(case, &namespace);
    let mut finding = refused
        .finding(case, Subject::new("Namespace", "", &namespace), sentence)
        .why(format!("Violations: {violations}"));
    if violations.contains("istio-init") {
        finding = finding.why(
            "The mesh adds istio-init to the pod; Istio's CNI plugin would make it unnecessary.",
        );
    }
    if likelier.is_some() {
        finding = finding.then(then(case, Fixes::Target));
    }
    finding
        .change(likelier)
        .step("Lower the level, or use the namespace for onboardings. Its labels set the level:")
        .command(["kubectl", "get", "namespace", &namespace, "--show-labels"])
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_level_and_what_breaks_it_are_told() {
        let finding = fixture::finding("pod-security", "SKVS312");
        assert_eq!(
            finding.sentence,
            "the pod security level restricted:latest of namespace core refuses the pod of the creation Job"
        );
        assert!(finding.why[1].starts_with("Violations: allowPrivilegeEscalation != false"));
        assert_eq!(
            fixture::sentence("pod-security-old", "SKVS312"),
            "the pod security level baseline:v1.25 of namespace core refuses the pod of the creation Job"
        );
    }
}
