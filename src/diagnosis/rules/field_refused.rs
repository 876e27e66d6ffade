//! SKVS234: the API server refuses a field of what the chart makes.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::manifest_error::{FieldError, field_error};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS234",
    slug: "field-refused",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the API server refuses a field of what the chart makes",
    explanation: r#"The chart was rendered, and the API server does not take an object of it: it has a field that its kind does not have, lacks one
that it must have, or has a value that is not allowed. A value of the onboarding went there, or the chart is for another
version of Kubernetes."#,
    fix: r#"See it: `kubectl explain KIND.FIELD`

Correct the value in `spec.values` that goes into that field. If none does, it is the chart's fault: tell who publishes it."#,
    example: r#"Job.batch "pds-database-create" is invalid: spec.template.spec.containers[0].image: Required value
error validating data: ValidationError(Job.spec): unknown field "backofLimit""#,
    needs: &[],
    explains: rendering::FOLLOWS,
    when: rendering::by_helm,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(FieldError {
        object,
        field,
        says,
    }) = field_error(case.error())
    else {
        return Verdict::Clear;
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
        "The chart was rendered; what came out is not what the API server takes.",
        "Correct the value in spec.values that goes into that field. If none does, tell who publishes the chart",
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
