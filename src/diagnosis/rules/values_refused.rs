//! SKVS230: the chart refuses the values.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::template::TemplateError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS230",
    slug: "values-refused",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart refuses the values",
    explanation: r#"The chart checks its own values (`required` and `fail` in a template), and its message says what is wrong. Nothing was
applied."#,
    fix: r#"See it: `helm show values REPOSITORY/secure-kvs-onboarding --version VERSION`

Correct `spec.values` of the manifest as the message says. The runbook's values are namespace, database, serviceAccounts and
encryption."#,
    example: r#"execution error at (secure-kvs-onboarding/templates/job.yaml:1:4): values.namespace is required"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Template(TemplateError::Refused { place, says })) = rendering::cause(case)?
    else {
        return Ok(None);
    };
    rendering::finding(
        case,
        &format!("the chart refuses the values: {says}"),
        &format!(
            "This message is the chart's own{}. Nothing was applied.",
            rendering::at(place)
        ),
        &format!("Correct spec.values in the manifest as the chart says: {says}"),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("values-refused", "SKVS230"),
            "the chart refuses the values: values.namespace is required"
        );
        assert_eq!(
            fixture::sentence("values-refused-old", "SKVS230"),
            "the chart refuses the values: values.namespace is required"
        );
        assert_eq!(
            fixture::sentence("values-refused-upgrade", "SKVS230"),
            "the chart refuses the values: values.namespace must not change"
        );
    }
}
