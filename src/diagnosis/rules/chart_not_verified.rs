//! SKVS223: the chart's signature is missing or of another key.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources;
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS223",
    slug: "chart-not-verified",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart's signature is missing or of another key",
    explanation: r#"`spec.chart.spec.verify` (or `spec.verify` of an OCIRepository) asks for a signature, and none fits: the chart is not signed, was
signed with another key or identity, or the Secret with the public keys is not the right one. Flux does not install it."#,
    fix: r#"See it: `cosign verify --key cosign.pub REGISTRY/PATH:VERSION`

Have the chart signed, or correct the key or identity in `verify`. Do not switch the check off to get on: ask first."#,
    example: r#"ChartVerificationError: chart verification error: failed to verify oci://registry.example/charts/x: no matching signatures were found"#,
    needs: &[],
    explains: sources::FOLLOWS,
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Signature) else {
        return sources::nothing(case);
    };
    let (chart, version) = sources::wanted(case);
    let subject = told.subject;
    // Only charts of OCI registries can be verified.
    if told.condition.message.ends_with("not implemented") {
        return sources::finding(
            case,
            &subject,
            &format!("the signature of chart {chart} cannot be checked: it does not come from an OCI registry"),
            "spec.chart.spec.verify works for charts of OCI registries only.",
        )
        .seen(evidence)
        .step("Take verify out of spec.chart.spec in the manifest, or name the chart in an OCI registry")
        .then(then(case, Fixes::Manifest))
        .into();
    }
    let finding = sources::finding(
        case,
        &subject,
        &format!("the signature of chart {chart} {version} is not accepted"),
        "verify asks for a signature: there is none, it is of another key or identity, or the keys to check it with are not right.",
    )
    .seen(evidence);
    sources::look_at(
        case,
        finding,
        &subject,
        "Ask who publishes the chart for a signed one, or correct the key that verify names:",
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("chart-not-verified", "SKVS223"),
            "the signature of chart secure-kvs-onboarding 0.1.2 is not accepted"
        );
    }
}
