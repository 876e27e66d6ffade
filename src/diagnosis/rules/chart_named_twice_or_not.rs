//! SKVS237: the manifest names no chart, or two.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS237",
    slug: "chart-named-twice-or-not",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the manifest names no chart, or two",
    explanation: r#"Exactly one of `spec.chart` and `spec.chartRef` must be set. A CRD of the controller's version makes the API server refuse
both or neither. With an older CRD Flux refuses the HelmRelease itself and writes no status about it: only the controller's
log shows it."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -n NAMESPACE NAME -o jsonpath='{.spec.chart}{.spec.chartRef}'`

Set one of the two in the manifest; the runbook's onboardings use `spec.chart`."#,
    example: r#"invalid Chart reference (log of helm-controller)"#,
    explains: &["SKVS105", "SKVS108", "SKVS110"],
    contradicted_by: &[],
    check,
};

fn chart_is_unclear(case: &Case<'_>) -> bool {
    let spec = &case.hr().spec;
    spec.chart.is_some() == spec.chart_ref.is_some()
}

fn check(case: &Case<'_>) -> Verdict {
    if !chart_is_unclear(case) {
        return Ok(None);
    }
    let both = case.hr().spec.chart.is_some();
    let (sentence, observed) = if both {
        (
            "the manifest names two charts: spec.chart and spec.chartRef",
            "both are set",
        )
    } else {
        ("the manifest names no chart", "neither is set")
    };
    Finding::new(case.subject(), sentence)
        .why("Flux needs exactly one of spec.chart and spec.chartRef, and otherwise writes no status.")
        .seen([Evidence::new(case.subject(), ".spec.chart, .spec.chartRef", observed)])
        .seen(case.seen_failure())
        .step("Set one of the two in the manifest; the runbook's onboardings use spec.chart")
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("chart-named-twice", "SKVS237"),
            "the manifest names two charts: spec.chart and spec.chartRef"
        );
        assert_eq!(
            fixture::sentence("chart-not-named", "SKVS237"),
            "the manifest names no chart"
        );
    }
}
