//! SKVS234: the API server refuses a field of a rendered object.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::manifest_error::{FieldError, field_error};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS234",
    slug: "field-refused",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the API server refuses a field of a rendered object",
    explanation: r#"The chart was rendered, but the API server refuses one of its objects: a field is unknown, missing or has a value that is not
allowed. Either a value of the onboarding went there, or the chart is for another version of Kubernetes."#,
    fix: r#"See it: `kubectl explain KIND.FIELD`

Correct the value in `spec.values` that fills this field. If none does, the chart is at fault: report it to its publisher."#,
    example: r#"Job.batch "pds-database-create" is invalid: spec.template.spec.containers[0].image: Required value
error validating data: ValidationError(Job.spec): unknown field "backofLimit""#,
    explains: rendering::FOLLOWS,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if !rendering::by_helm(case) {
        return Ok(None);
    }
    let Some(FieldError {
        object,
        field,
        says,
    }) = field_error(case.error()?)
    else {
        return Ok(None);
    };
    let of = if object.is_empty() {
        "an object of the chart".to_owned()
    } else {
        object
    };
    let sentence = if field.is_empty() {
        format!("the API server refuses {of}: {says}")
    } else {
        format!("the API server refuses {field} of {of}: {says}")
    };
    rendering::finding(
        case,
        &sentence,
        "The chart was rendered, but the API server does not accept the result.",
        "Correct the value in spec.values that fills this field. If none does, report it to the chart's publisher",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("field-refused", "SKVS234"),
            "the API server refuses spec.template.spec.containers[0].image of Job.batch \"pds-database-create\": Required value"
        );
        assert_eq!(
            fixture::sentence("field-refused-old", "SKVS234"),
            "the API server refuses spec.backofLimit of an object of the chart: the kind has no such field"
        );
        assert_eq!(
            fixture::sentence("field-refused-server-side", "SKVS234"),
            "the API server refuses spec.backofLimit of an object of the chart: the kind has no such field"
        );
    }
}
