//! SKVS138: a name is too long for an object derived from it.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::ObjectError;
use crate::model::status;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS138",
    slug: "name-too-long",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a name is too long for an object derived from it",
    explanation: r#"Flux and the chart derive names and labels from the onboarding's: the HelmChart is called `NAMESPACE-NAME` and carries the
HelmRelease's name as a label (at most 63 characters, controllers since 0.37); the creation Job is named after namespace and
database. One of these is too long, and the API server refuses the object. If it is the HelmChart, the status stays empty."#,
    fix: r#"See it: the condition Released, or the events of the HelmRelease (`HelmChartSyncErr`).

Choose a shorter name: for the HelmRelease, in a new manifest; for the database, in the values, while nothing has been
created."#,
    example: r#"HelmChart.source.toolkit.fluxcd.io "flux-system-skvs-onboarding-…" is invalid: metadata.labels: Invalid value: "…": must be no more than 63 bytes"#,
    explains: &["SKVS105", "SKVS108", "SKVS145", "SKVS303", "SKVS308"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Object(ObjectError::NameTooLong {
        object,
        field,
        rule,
    })) = case.cause()?
    else {
        return unanswered(case);
    };
    case.finding(
        case.subject(),
        format!("{field} of {object} is too long: {rule}"),
    )
    .why("It is derived from the onboarding's names.")
    .step("Choose a shorter name for the HelmRelease or, in the values, for namespace or database.")
    .then(then(case, Fixes::Back))
    .into()
}

/// A label's value has 63 characters at most; the event that says so may be gone.
fn unanswered(case: &Case<'_>) -> Verdict {
    let name = &case.hr().metadata.name;
    if !status::is_unanswered(case.hr()) || name.len() <= 63 {
        return Ok(None);
    }
    case.finding(case.subject(), format!("its name has {} characters, too long for a label of its HelmChart", name.len()))
        .why("Controllers since 0.37 put the name on the HelmChart as a label of at most 63 characters; the status then stays empty.")
        .seen([Evidence::new(case.subject(), ".metadata.name", name)])
        .step("Choose a shorter name for the HelmRelease.")
        .then(then(case, Fixes::Back))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn what_is_too_long_is_told() {
        assert_eq!(
            fixture::sentence("name-too-long", "SKVS138"),
            "metadata.labels of HelmChart flux-system-skvs-onboarding-payments-and-settlement--transactions-of-the-year is too long: must be no more than 63 bytes"
        );
        assert_eq!(
            fixture::sentence("name-too-long-events-gone", "SKVS138"),
            "its name has 64 characters, too long for a label of its HelmChart"
        );
        assert_eq!(
            fixture::sentence("name-too-long-job-old", "SKVS138"),
            "spec.template.labels of Job payments-and-settlement-transactions-of-the-whole-last-year-create is too long: must be no more than 63 characters"
        );
    }
}
