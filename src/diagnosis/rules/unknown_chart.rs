//! SKVS202: the repository does not have the chart.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::peers::{self, Wrong};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::helm_release::ONBOARDING_CHART;
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS202",
    slug: "unknown-chart",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the repository does not have the chart",
    explanation: r#"The repository answers, but its index does not have the chart in `spec.chart.spec.chart`. Usually the name is mistyped, or
the chart is published to another repository. An OCI registry has no index: there the chart's name is appended to the
repository's URL, and nothing is found under that path."#,
    fix: r#"See it: `helm search repo REPOSITORY/`

Correct `spec.chart.spec.chart` or `spec.chart.spec.sourceRef` in the manifest. The runbook's are `secure-kvs-onboarding` and
the HelmRepository `wit-artifactory` in `flux-system`."#,
    example: r#"invalid chart reference: failed to get chart version for remote reference: no chart name found"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::NoChart) else {
        return sources::nothing(case);
    };
    let (chart, _) = sources::wanted(case);
    let place =
        sources::source(case).map_or_else(|| "the repository".to_owned(), |s| s.to_string());
    let url = sources::url(case);
    if told.subject.kind == "HelmChart"
        && sources::source(case)
            .is_some_and(|s| ["GitRepository", "Bucket"].contains(&s.kind.as_str()))
    {
        return sources::finding(
            case,
            &told.subject,
            &format!("{place} has no chart under the path {chart}"),
            "In a GitRepository or a Bucket spec.chart.spec.chart is the path of the chart's folder or archive, from the root. Files that .sourceignore excludes cannot be found either.",
        )
        .seen(evidence)
        .step("Correct spec.chart.spec.chart in the manifest, or spec.ref and spec.ignore of the source:")
        .command(sources::describe(&sources::repository_of(case, &told)))
        .then(then(case, Fixes::Manifest))
        .into();
    }
    if told.condition.message.contains("invalid chart name '") {
        return sources::finding(
            case,
            &told.subject,
            &format!("{chart} cannot be the name of a chart in {place}"),
            "A chart's name has lower-case letters, digits, dashes, dots and slashes, and includes neither the repository's name nor a version.",
        )
        .seen(evidence)
        .step("Correct spec.chart.spec.chart in the manifest; the runbook's chart is secure-kvs-onboarding")
        .then(then(case, Fixes::Manifest))
        .into();
    }
    // A registry has no index: the chart's name is a part of its path.
    let why = if url.starts_with("oci://") {
        format!(
            "The registry has nothing under {url}/{chart}: the chart's name is appended to the URL."
        )
    } else {
        "The repository answers, but the name is not in its index.".to_owned()
    };
    let finding = sources::finding(
        case,
        &told.subject,
        &format!("{place} has no chart named {chart}"),
        &why,
    )
    .seen([Evidence::new(
        case.subject(),
        ".spec.chart.spec.chart",
        &format!("chart {chart}"),
    )])
    .seen(evidence)
    .change(peers::chart(case, Wrong::Name));
    if chart == ONBOARDING_CHART && !url.starts_with("oci://") {
        // The name is right: the index lacked the chart when source-controller looked, or it is another repository's.
        let finding = finding
            .step("The name is the runbook's. See whether the index has it, and have both looked at again:");
        let links = sources::links(case).map(|link| Subject::from(&link.meta));
        return links
            .fold(finding, |finding, link| finding.command(sources::reconcile(case, &link)))
            .step("If it stays so, restart source-controller. If the index does not have the chart, correct spec.chart.spec.sourceRef; a mirror may have it with a folder before its name, which then belongs in spec.chart.spec.chart (folder/secure-kvs-onboarding).")
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    finding
        .step("Correct spec.chart.spec.chart in the manifest; the runbook's chart is secure-kvs-onboarding")
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("unknown-chart", "SKVS202"),
            "HelmRepository flux-system/wit-artifactory has no chart named secure-kvs-onbording"
        );
    }
}
