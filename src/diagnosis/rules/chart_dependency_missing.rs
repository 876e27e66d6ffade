//! SKVS225: a dependency of the chart is missing or cannot be fetched.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::failure::Cause;
use crate::model::failure::chart::{ChartError, missing_dependencies};
use crate::model::source_error::{SourceError, below_dependency, certificate, host_asked, quoted};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS225",
    slug: "chart-dependency-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a dependency of the chart is missing or cannot be fetched",
    explanation: r#"Chart.yaml names other charts as dependencies. They are not in its `charts/` folder (it was packaged without
`helm dependency build`), or, for a chart from Git or a Bucket, source-controller cannot fetch them."#,
    fix: r#"See it: `helm dependency list CHARTFOLDER`

Have the chart packaged with its dependencies, or restore access to their repository."#,
    example: r#"found in Chart.yaml, but missing in charts/ directory: common
DependencyBuildError: dependency build error: failed to add remote dependency 'common': …"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    // Helm finds it when it loads the chart; source-controller does when it builds one from Git or a Bucket.
    let cause = case.cause()?;
    let Some((told, evidence)) = sources::find(case, SourceError::Dependency) else {
        let Some(Cause::Chart(ChartError::Dependencies(names))) = cause else {
            return sources::nothing(case);
        };
        let evidence = case.seen_failure().into_iter().collect();
        return unpackaged(case, case.subject(), names.as_deref(), evidence);
    };
    let (subject, text) = (told.subject, told.condition.message);
    let names = missing_dependencies(&text).or_else(|| quoted(&text, " dependency "));
    let (chart, _) = sources::wanted(case);
    if let Some(kind) = below_dependency(&text) {
        let wrong = match kind {
            SourceError::Tls => certificate(&text),
            SourceError::Unauthorized => "it refuses source-controller",
            SourceError::NotFound => "it has nothing under the URL",
            SourceError::Server => "it fails or is too slow",
            _ => "it cannot be reached",
        };
        let host = host_asked(&text).unwrap_or("its repository");
        let what = names.map_or("a dependency".to_owned(), |n| format!("dependency {n}"));
        return Finding::new(
            subject,
            format!("{what} of chart {chart} cannot be fetched from {host}: {wrong}"),
        )
        .why("The chart itself was found; source-controller has to fetch what Chart.yaml names besides.")
        .seen(evidence)
        .step(format!("Fix source-controller's access to {host}, or package the dependency with the chart, in its charts/ folder"))
        .then(then(case, Fixes::Elsewhere))
        .into();
    }
    unpackaged(case, subject, names, evidence)
}

fn unpackaged(
    case: &Case<'_>,
    subject: Subject,
    names: Option<&str>,
    evidence: Vec<Evidence>,
) -> Verdict {
    let (chart, _) = sources::wanted(case);
    let sentence = match names {
        Some(names) => format!("chart {chart} lacks a dependency: {names}"),
        None => format!("chart {chart} lacks a dependency"),
    };
    Finding::new(subject, sentence)
        .why("Chart.yaml names it; it is not packaged with the chart, or cannot be fetched.")
        .seen(evidence)
        .step("Ask the chart's publisher to package it with its dependencies, or name another version in spec.chart.spec.version")
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("chart-dependency-missing-middle", "SKVS225"),
            "chart secure-kvs-onboarding lacks a dependency: common"
        );
        assert_eq!(
            fixture::sentence("chart-dependency-missing-old", "SKVS225"),
            "chart secure-kvs-onboarding lacks a dependency: common"
        );
        assert_eq!(
            fixture::sentence("chart-dependency-not-fetched", "SKVS225"),
            "dependency common of chart ./charts/secure-kvs-onboarding cannot be fetched from its repository: it cannot be reached"
        );
    }
}
