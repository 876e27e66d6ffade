//! SKVS222: a values file of the chart is missing or unreadable.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::{SourceError, quoted};
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS222",
    slug: "values-files-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a values file of the chart is missing or unreadable",
    explanation: r#"`spec.chart.spec.valuesFiles` names files inside the chart (for a HelmRepository) or inside the source (for Git and Bucket,
from its root). One does not exist, or is not YAML. Flux does not try again until something changes."#,
    fix: r#"See it: `helm pull REPOSITORY/secure-kvs-onboarding --untar` and look inside

Correct `spec.chart.spec.valuesFiles`, or set `ignoreMissingValuesFiles: true`. The runbook's onboardings do not need values
files."#,
    example: r#"ValuesFilesError: values files merge error: no values file found at path 'values-prod.yaml'"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::ValuesFiles) else {
        return sources::nothing(case);
    };
    let text = &told.condition.message;
    if let Some(own) = own_values(case, text) {
        return sources::finding(
            case,
            &told.subject,
            &format!("the chart has no {own} of its own"),
            "Flux merges spec.chart.spec.valuesFiles into the chart's own values, so the chart must have them.",
        )
        .seen(evidence)
        .change(peers::without_values_files(case))
        .step(format!("Have the chart published with a {own}; it may be empty"))
        .then(then(case, Fixes::Manifest))
        .into();
    }
    let overriding = text.split_once("failed to locate override values file: ");
    let sentence = match (
        quoted(text, "no values file found at path ").or_else(|| Some(overriding?.1.trim())),
        quoted(text, "unmarshaling values from "),
    ) {
        (Some(file), _) => format!("the values file {file} is not in the chart's source"),
        (None, Some(file)) => format!("the values file {file} is not YAML"),
        (None, None) => "a file of spec.chart.spec.valuesFiles cannot be used".to_owned(),
    };
    sources::finding(
        case,
        &told.subject,
        &sentence,
        "spec.chart.spec.valuesFiles names it. Paths are inside the chart; for Git and Bucket from the root of the source.",
    )
    .seen(evidence)
    .change(peers::without_values_files(case))
    .step("Correct spec.chart.spec.valuesFiles in the manifest; the runbook's onboardings do not need values files")
    .then(then(case, Fixes::Manifest))
    .into()
}

/// The chart's own values file, where that is the missing one and not one of the manifest's.
fn own_values<'t>(case: &Case<'_>, text: &'t str) -> Option<&'t str> {
    let (_, file) = text.split_once("failed to locate values file: ")?;
    let file = file.split_whitespace().next()?;
    // Of a HelmChart that chartRef names, the list is in that chart.
    let named = match (&case.hr().spec.chart_ref, &case.hr().spec.chart) {
        (None, Some(chart)) => &chart.spec.values_files,
        (None, None) => return None,
        (Some(_), _) => {
            let named = &case.chart().if_read()?.values_files;
            named.all.then_some(&named.known)?
        }
    };
    let plain = |path: &str| path.trim_start_matches("./").to_owned();
    let is_named = named.iter().any(|named| plain(named) == plain(file));
    (!named.is_empty() && !is_named).then_some(file)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("values-files-missing", "SKVS222"),
            "the values file values-prod.yaml is not in the chart's source"
        );
        assert_eq!(
            fixture::sentence("values-files-missing-old", "SKVS222"),
            "the values file values-prod.yaml is not in the chart's source"
        );
    }
}
