//! SKVS148: a change of the onboarding's manifest does not reach the cluster.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::kustomization::names;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS148",
    slug: "manifest-not-applied",
    severity: Severity::Warning,
    role: Role::State,
    title: "a change of the manifest does not reach the cluster",
    explanation: r#"The Kustomization that applies the onboarding's manifest fails, so the cluster does not have the manifest in the GitOps
repository: the onboarding is judged by its earlier manifest and may look healthy. A Kustomization applies its whole folder or
nothing, so the mistake may also be in another manifest. Checked only for an onboarding that is given by name."#,
    fix: r#"See it: `kubectl describe kustomizations.kustomize.toolkit.fluxcd.io -n NAMESPACE NAME`

Correct what the message names in the GitOps repository. A field that is not declared in the schema needs newer CRDs of Flux,
or must be removed."#,
    example: r#"HelmRelease/flux-system/x dry-run failed: failed to create typed patch object: .spec.y: field not declared in schema"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(kustomization) = case.kustomization()? else {
        return Ok(None);
    };
    let Some(failure) = kustomization.failure() else {
        return Ok(None);
    };
    let subject = Subject::from(&kustomization.meta);
    let is_named = names(&failure.message, &case.hr().metadata.name);
    let (sentence, severity) = match is_named {
        true => (
            format!("{subject} could not apply this onboarding's manifest"),
            Severity::Warning,
        ),
        false => (
            format!(
                "{subject} fails: changes of this onboarding's manifest may not reach the cluster"
            ),
            Severity::Info,
        ),
    };
    let (namespace, name) = (&subject.namespace, &subject.name);
    let seen = Evidence::condition(subject.clone(), failure);
    Finding::new(case.subject(), sentence)
        .severity(severity)
        .why("Everything else reported here is about the manifest that was applied before.")
        .seen([seen])
        .step("Correct what it says in the GitOps repository (a field that is not declared in the schema: remove it, or update Flux's CRDs). The whole message:")
        .command([
            "kubectl",
            "describe",
            "-n",
            namespace,
            "kustomizations.kustomize.toolkit.fluxcd.io",
            name,
        ])
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::model::kustomization::Kustomization;
    use crate::snapshot::Read;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn only_a_failing_kustomization_of_its_own_counts() {
        let (mut snapshot, now) = (
            fixture::snapshot("ready-and-manifest-not-applied"),
            fixture::meta("ready-and-manifest-not-applied").now,
        );
        let mut with = |message: &str, reason: &str, name: &str| {
            let object = json!({
                "kind": "Kustomization",
                "metadata": {"name": name, "namespace": "flux-system"},
                "status": {"conditions": [{"type": "Ready", "status": "False", "reason": reason, "message": message}]},
            });
            let all = vec![Kustomization::from_value(&object)];
            snapshot.on_demand.kustomizations = Arc::new(Read::Seen(all));
            let case = Case::new(&snapshot, now);
            let found = check(&case).unwrap();
            found.map(|finding| (finding.sentence, finding.severity))
        };
        let own = "HelmRelease/flux-system/skvs-onboarding-pds--database dry-run failed: no";
        assert_eq!(
            with(own, "ReconciliationFailed", "onboardings"),
            Some((
                "Kustomization flux-system/onboardings could not apply this onboarding's manifest"
                    .to_owned(),
                Some(Severity::Warning)
            ))
        );
        assert_eq!(
            with("kustomize build failed: no", "BuildFailed", "onboardings"),
            Some((
                "Kustomization flux-system/onboardings fails: changes of this onboarding's manifest may not reach the cluster".to_owned(),
                Some(Severity::Info)
            ))
        );
        assert_eq!(with(own, "HealthCheckFailed", "onboardings"), None);
        assert_eq!(with(own, "ReconciliationFailed", "other"), None);
    }
}
