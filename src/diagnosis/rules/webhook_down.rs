//! SKVS112: an admission webhook gives no answer.

use crate::diagnosis::case::Case;
use crate::diagnosis::refused::refused;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::model::refusal::{Refusal, service_of};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS112",
    slug: "webhook-down",
    severity: Severity::Error,
    role: Role::Cause,
    title: "an admission webhook gives no answer",
    explanation: r#"The API server asks a webhook before it takes an object, and the webhook did not answer: nothing runs behind its Service, its
certificate is not trusted, or it is too slow. It is not about the onboarding: nobody can make such objects meanwhile. In a
mesh cluster istiod's own webhooks fail in the same words."#,
    fix: r#"See it: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`, and the pods behind the Service.

Bring the webhook's pods up. With `x509:` in the text its CA bundle is out of date; with `deadline exceeded` it hangs or a
network policy is between."#,
    example: r#"Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": no endpoints available for service "kyverno-svc""#,
    needs: &[],
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(refused) = refused(case) else {
        return Verdict::Clear;
    };
    let Refusal::WebhookDown { name, why } = refused.refusal.clone() else {
        return Verdict::Clear;
    };
    let subject = refused.job.clone().unwrap_or_else(|| case.subject());
    let sentence = format!(
        "the admission webhook {name} gave no answer about {}",
        refused.object()
    );
    let finding = refused
        .finding(case, subject, sentence)
        .why(format!("The API server says: {why}"));
    match service_of(&why) {
        Some((namespace, service)) => finding
            .step(format!("See whether anything runs behind its Service {namespace}/{service}, and bring it up:"))
            .command(["kubectl", "get", "pods,endpointslices", "-n", &namespace]),
        None => finding.step("See where it is to be, and bring it up:").command([
            "kubectl",
            "get",
            "validatingwebhookconfigurations,mutatingwebhookconfigurations",
        ]),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_webhook_and_its_service_are_told() {
        let finding = fixture::finding("webhook-down", "SKVS112");
        assert_eq!(
            finding.sentence,
            "the admission webhook validate.kyverno.svc-fail gave no answer about Job core/pds-database-create"
        );
        assert!(format!("{:?}", finding.fix).contains("\"kyverno\""));
        assert_eq!(
            fixture::sentence("webhook-down-old", "SKVS112"),
            "the admission webhook namespace.sidecar-injector.istio.io gave no answer about the pod of the creation Job"
        );
    }
}
