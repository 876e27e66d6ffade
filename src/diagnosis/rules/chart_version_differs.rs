//! SKVS214: the artifact's tag is not the chart's own version.

use crate::diagnosis::case::Case;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS214",
    slug: "chart-version-differs",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the artifact's tag is not the chart's own version",
    explanation: r#"With `spec.chartRef` to an OCIRepository, Flux accepts a chart only if its tag is the version in its Chart.yaml. A chart
pushed under another tag (by `oras` or a copy job, not by `helm push`) is refused."#,
    fix: r#"See it: `helm show chart oci://REGISTRY/PATH --version TAG`

Have the chart pushed with `helm push`, or name a tag that matches its chart's version."#,
    example: r#"ChartMutateError: artifact revision 0.1.3 does not match chart version 0.1.2"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Revision) else {
        return sources::nothing(case);
    };
    let text = &told.condition.message;
    let versions = text
        .split_once("artifact revision ")
        .and_then(|(_, rest)| rest.split_once(" does not match chart version "));
    let subject = sources::repository_of(case, &told);
    let sentence = match versions {
        Some((tag, version)) => {
            format!("{subject} has tag {tag}, but its chart has version {version}")
        }
        None => format!("{subject} has a chart with a version that Flux cannot use"),
    };
    let finding = sources::finding(
        case,
        &subject,
        &sentence,
        "Flux accepts a chart from an OCIRepository only if its tag is the version in its Chart.yaml.",
    )
    .seen(evidence);
    sources::look_at(
        case,
        finding,
        &subject,
        "Have the chart pushed with helm push, or name a tag that matches its chart's version:",
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("chart-version-differs", "SKVS214"),
            "OCIRepository flux-system/onboarding has tag 0.1.3, but its chart has version 0.1.2"
        );
    }
}
