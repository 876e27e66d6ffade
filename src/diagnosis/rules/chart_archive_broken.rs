//! SKVS224: the chart cannot be read.

use crate::diagnosis::case::Case;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source::Source;
use crate::model::source_error::{SourceError, is_of_content, quoted};
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS224",
    slug: "chart-archive-broken",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart cannot be read",
    explanation: r#"The chart was fetched, but Helm cannot read it: the archive is truncated or not a chart, Chart.yaml or another file in it is
broken, or it is too large."#,
    fix: r#"See it: `helm show chart REPOSITORY/secure-kvs-onboarding --version VERSION`

Have the chart published again, or name another version."#,
    example: r#"ArtifactFailed: Could not load chart: gzip: invalid header
ChartPackageError: chart package error: …"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Archive) else {
        return sources::nothing(case);
    };
    let (chart, version) = sources::wanted(case);
    let subject = sources::chart(case).unwrap_or_else(|| told.subject.clone());
    let (sentence, why) = match quoted(&told.condition.message, "chart.metadata.version ") {
        Some(own) => (
            format!("the version {own} of chart {chart} is not a semantic version"),
            "A version has three numbers without leading zeros, such as 0.1.2. Older controllers accepted others.",
        ),
        None if is_other_artifact(&told.condition.message) => (
            format!("the registry's artifact {chart} {version} is not a Helm chart"),
            "An image or another artifact has this name, or the chart was not pushed by Helm: it lacks the layer of a chart.",
        ),
        None if is_too_large(&told.condition.message) => (
            format!(
                "chart {chart} {version} is too large for source-controller, or has a file that is"
            ),
            "The controllers read charts up to a limit (--helm-chart-max-size, --helm-chart-file-max-size).",
        ),
        None => (
            format!("chart {chart} {version} was fetched but cannot be read"),
            "The repository delivered a file; Helm cannot read it as a chart.",
        ),
    };
    let found = case.chart().if_read().and_then(Source::found_revision);
    let found = found.map(|revision| format!("The version that was found for it is {revision}."));
    let finding = sources::finding(case, &subject, &sentence, why)
        .whys(found.as_deref())
        .seen(evidence);
    sources::look_at(
        case,
        finding,
        &subject,
        if is_other_artifact(&told.condition.message) {
            "Correct the URL, the chart's name or the version (or spec.layerSelector of an OCIRepository), or have the chart pushed by Helm itself:"
        } else {
            "Ask the chart's publisher, or name another version in the manifest:"
        },
    )
}

/// It was found in a registry, but does not have the layers of a chart.
fn is_other_artifact(text: &str) -> bool {
    let texts = [
        "failed to find layer with media type ",
        "no layers found in artifact",
        "manifest does not contain ",
        "could not load config with mediatype",
        "requires gzip-compressed body",
    ];
    is_of_content(text) || texts.iter().any(|t| text.contains(t))
}

fn is_too_large(text: &str) -> bool {
    text.contains("bytes limit") || text.contains("larger than the maximum ")
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("chart-archive-broken", "SKVS224"),
            "chart secure-kvs-onboarding <0.2.0 was fetched but cannot be read"
        );
        assert_eq!(
            fixture::sentence("chart-archive-broken-middle", "SKVS224"),
            "chart secure-kvs-onboarding <0.2.0 was fetched but cannot be read"
        );
    }
}
