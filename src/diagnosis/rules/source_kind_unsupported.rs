//! SKVS215: Flux does not support the kind of the chart's source.

use crate::diagnosis::case::Case;
use crate::diagnosis::peers::{self, Wrong};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::{SourceError, quoted};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS215",
    slug: "source-kind-unsupported",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Flux does not support the kind of the chart's source",
    explanation: r#"`spec.chart.spec.sourceRef.kind` may be HelmRepository, GitRepository or Bucket. Any other kind (usually an OCIRepository) is
refused; Flux does not try again until it is changed."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -n NAMESPACE NAME -o jsonpath='{.spec.chart.spec.sourceRef}'`

Correct the kind. For an OCIRepository use `spec.chartRef` instead of `spec.chart` (Flux 2.3 and later)."#,
    example: r#"UnsupportedSourceKind: failed to get source: unsupported source kind 'OCIRepository', must be one of: [HelmRepository GitRepository Bucket]"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Kind) else {
        return sources::nothing(case);
    };
    let kind = quoted(&told.condition.message, "source kind ")
        .map_or_else(|| "that kind".to_owned(), |k| format!("kind {k}"));
    sources::finding(
        case,
        &case.subject(),
        &format!("spec.chart.spec.sourceRef has {kind}, which Flux does not support there"),
        "It may be HelmRepository, GitRepository or Bucket; for an OCIRepository use spec.chartRef.",
    )
    .seen(evidence)
    .change(peers::chart(case, Wrong::Source))
    .step("Correct spec.chart.spec.sourceRef in the manifest; the runbook's is the HelmRepository wit-artifactory in flux-system")
    .then(then(case, Fixes::Manifest))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("source-kind-unsupported", "SKVS215"),
            "spec.chart.spec.sourceRef has kind OCIRepository, which Flux does not support there"
        );
        assert_eq!(
            fixture::sentence("source-kind-unsupported-old", "SKVS215"),
            "spec.chart.spec.sourceRef has kind OCIRepository, which Flux does not support there"
        );
    }
}
