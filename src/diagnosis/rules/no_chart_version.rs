//! SKVS201: no version of the chart is in the wanted range.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS201",
    slug: "no-chart-version",
    severity: Severity::Error,
    role: Role::Cause,
    title: "no version of the chart is in the wanted range",
    explanation: r#"`spec.chart.spec.version` is a range, and the repository has no version of the chart in it. Pre-releases count only where
the range itself names one, as in `>=0.2.0-0`."#,
    fix: r#"See it: `helm search repo REPOSITORY/secure-kvs-onboarding --versions`

Correct `spec.chart.spec.version` in the manifest; the runbook's is `<0.2.0`. If the version should be there, ask who
publishes the chart."#,
    example: r#"no 'secure-kvs-onboarding' chart with version matching '>=9.0.0' found"#,
    needs: &[],
    explains: &["SKVS108", "SKVS110"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let texts = [
        "chart with version matching '",
        "no chart version found",
        "could not locate a version matching",
    ];
    let Some((told, evidence)) = sources::find(case, |t| t.says(&texts)) else {
        return sources::nothing(case);
    };
    let (chart, version) = sources::wanted(case);
    let from = sources::source(case).map_or(String::new(), |s| format!(" in {s}"));
    Finding::new(
        told.subject,
        format!("no version of chart {chart} is in the range {version}{from}"),
    )
    .severity(sources::severity(case))
    .why("The repository answers and knows the chart; it has no version in this range.")
    .whys(sources::goes_on(case))
    .seen([Evidence::new(
        case.subject(),
        ".spec.chart.spec.version",
        &format!("version {version:?}"),
    )])
    .seen(evidence)
    .step("Correct spec.chart.spec.version in the manifest; the runbook's range is <0.2.0")
    .then(then(case, Fixes::Manifest))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("no-chart-version", "SKVS201"),
            "no version of chart secure-kvs-onboarding is in the range >=9.0.0 in HelmRepository flux-system/wit-artifactory"
        );
    }
}
