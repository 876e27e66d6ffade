//! SKVS215: the chart's source is of a kind that Flux does not take.

use crate::diagnosis::case::Case;
use crate::diagnosis::peers::{self, Wrong};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources;
use crate::model::source_error::{SourceError, quoted};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS215",
    slug: "source-kind-unsupported",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart's source is of a kind that Flux does not take",
    explanation: r#"`spec.chart.spec.sourceRef.kind` may be HelmRepository, GitRepository or Bucket. Anything else (an OCIRepository, above all) is
not taken there; Flux does not try again before it is changed."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -n NAMESPACE NAME -o jsonpath='{.spec.chart.spec.sourceRef}'`

Correct the kind. For an OCIRepository use `spec.chartRef` in place of `spec.chart` (Flux 2.3 and later)."#,
    example: r#"UnsupportedSourceKind: failed to get source: unsupported source kind 'OCIRepository', must be one of: [HelmRepository GitRepository Bucket]"#,
    needs: &[],
    explains: sources::FOLLOWS,
    when: always,
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
        &format!("spec.chart.spec.sourceRef is of {kind}, which Flux does not take there"),
        "It may be HelmRepository, GitRepository or Bucket; an OCIRepository goes into spec.chartRef.",
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
            "spec.chart.spec.sourceRef is of kind OCIRepository, which Flux does not take there"
        );
        assert_eq!(
            fixture::sentence("source-kind-unsupported-old", "SKVS215"),
            "spec.chart.spec.sourceRef is of kind OCIRepository, which Flux does not take there"
        );
    }
}
