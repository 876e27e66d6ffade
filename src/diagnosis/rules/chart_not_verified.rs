//! SKVS223: the chart's signature is missing or from another key.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS223",
    slug: "chart-not-verified",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart's signature is missing or from another key",
    explanation: r#"`spec.chart.spec.verify` (or `spec.verify` of an OCIRepository) requires a signature, and none matches: the chart is not
signed, was signed with another key or identity, or the Secret holds the wrong public keys. Flux does not install it."#,
    fix: r#"See it: `cosign verify --key cosign.pub REGISTRY/PATH:VERSION`

Have the chart signed, or correct the key or identity in `verify`. Do not switch the check off without asking."#,
    example: r#"ChartVerificationError: chart verification error: failed to verify oci://registry.example/charts/x: no matching signatures were found"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
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
        .step("Remove verify from spec.chart.spec in the manifest, or use the chart from an OCI registry")
        .then(then(case, Fixes::Manifest))
        .into();
    }
    let finding = sources::finding(
        case,
        &subject,
        &format!("the signature of chart {chart} {version} is not accepted"),
        "verify requires a signature: it is missing, is from another key or identity, or the public keys to check it are wrong.",
    )
    .seen(evidence);
    sources::look_at(
        case,
        finding,
        &subject,
        "Ask the chart's publisher for a signed one, or correct the key named in verify:",
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
