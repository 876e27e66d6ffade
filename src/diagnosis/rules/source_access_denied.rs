//! SKVS216: Flux may not use the chart's source from another namespace.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::failure::Cause;
use crate::model::failure::flux::SourceDenied;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS216",
    slug: "source-access-denied",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Flux may not use the chart's source from another namespace",
    explanation: r#"The controllers run with `--no-cross-namespace-refs`: a HelmRelease may only use a chart source in its own namespace. Flux
gives the same reason if `chartRef` names an ExternalArtifact and the controller has that feature off."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -n NAMESPACE NAME -o jsonpath='{.spec.chart.spec.sourceRef}'`

Name a source in the HelmRelease's own namespace; the runbook's onboardings and their repository are both in `flux-system`."#,
    example: r#"AccessDenied: can't access 'HelmRepository/charts/wit-artifactory', cross-namespace references have been blocked
cross-namespace references are not allowed: cannot access HelmChart charts/x"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::SourceDenied(denied)) = case.cause()? else {
        return Ok(None);
    };
    let source = sources::source(case)
        .or_else(|| sources::chart(case))
        .map_or_else(|| "the chart's source".to_owned(), |s| s.to_string());
    let (sentence, why) = match denied {
        SourceDenied::Kind => (
            format!(
                "Flux may not take the chart from {source}: this controller does not support its kind"
            ),
            "The controller's feature gate ExternalArtifact is off.",
        ),
        SourceDenied::Namespace => (
            format!("Flux may not take the chart from {source}: it is in another namespace"),
            "The controllers run with --no-cross-namespace-refs, so a source must be in the HelmRelease's own namespace.",
        ),
    };
    sources::finding(case, &case.subject(), &sentence, why)
        .seen(case.seen_failure())
        .step(format!(
            "Name a source in namespace {} in the manifest:",
            case.hr().metadata.namespace
        ))
        .command([
            "kubectl",
            "get",
            "helmrepositories.source.toolkit.fluxcd.io",
            "-n",
            &case.hr().metadata.namespace,
        ])
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("source-access-denied", "SKVS216"),
            "Flux may not take the chart from HelmChart charts/onboarding: it is in another namespace"
        );
        assert_eq!(
            fixture::sentence("source-access-denied-old", "SKVS216"),
            "Flux may not take the chart from HelmRepository charts/wit-artifactory: it is in another namespace"
        );
    }
}
