//! SKVS232: a value has the wrong type for the chart.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::template::TemplateError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS232",
    slug: "value-of-wrong-type",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a value has the wrong type for the chart",
    explanation: r#"A template uses a value in a way that its type does not allow: it loops over `serviceAccounts`, which is a string and not a
list, or reads a field of a string. YAML decides the type: `yes` is true, `5984` a number, `"5984"` a string."#,
    fix: r#"See it: `helm show values REPOSITORY/secure-kvs-onboarding --version VERSION`

Give the value the right type in `spec.values` of the manifest."#,
    example: r#"at <.Values.serviceAccounts>: range can't iterate over pds
wrong type for value; expected string; got map[string]interface {}"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Template(TemplateError::Type { place, value, says })) = rendering::cause(case)?
    else {
        return Ok(None);
    };
    let at = rendering::at(place);
    let (sentence, step) = match value {
        Some(path) => (
            format!("spec.values.{path} has the wrong type for the chart{at}: {says}"),
            format!("Give spec.values.{path} the same type as in the chart's own values, in the manifest"),
        ),
        None => (
            format!("a value has the wrong type for the chart{at}: {says}"),
            "Compare the types in spec.values with the chart's own values, and correct the manifest. If they agree, the template is at fault: report it to the chart's publisher".to_owned(),
        ),
    };
    rendering::finding(
        case,
        &sentence,
        "A template uses the value in a way that its type does not allow. Nothing was applied.",
        &step,
    )
    .seen(value.as_ref().map(|path| rendering::value(case, path)))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("value-of-wrong-type", "SKVS232"),
            "spec.values.serviceAccounts has the wrong type for the chart (templates/policy.yaml, line 7): range can't iterate over pds"
        );
        assert_eq!(
            fixture::sentence("value-of-wrong-type-old", "SKVS232"),
            "spec.values.serviceAccounts has the wrong type for the chart (templates/policy.yaml, line 7): range can't iterate over pds"
        );
    }
}
