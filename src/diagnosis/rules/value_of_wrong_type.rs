//! SKVS232: a value is of a type that the chart cannot use.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::template_error::TemplateError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS232",
    slug: "value-of-wrong-type",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a value is of a type that the chart cannot use",
    explanation: r#"A template does something with a value that its type does not allow: it goes through `serviceAccounts`, and that is a text and
not a list; it asks for a field of a text. YAML decides the type: `yes` is true, `5984` a number, `"5984"` a text."#,
    fix: r#"See it: `helm show values REPOSITORY/secure-kvs-onboarding --version VERSION`

Give the value its type in `spec.values` of the manifest."#,
    example: r#"at <.Values.serviceAccounts>: range can't iterate over pds
wrong type for value; expected string; got map[string]interface {}"#,
    needs: &[],
    explains: rendering::FOLLOWS,
    when: rendering::by_helm,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(TemplateError::Type { place, value, says }) = rendering::template(case) else {
        return Verdict::Clear;
    };
    let at = rendering::at(&place);
    let (sentence, step) = match &value {
        Some(path) => (
            format!("the chart cannot use spec.values.{path} as it is{at}: {says}"),
            format!("Give spec.values.{path} the type that the chart's own values show, in the manifest"),
        ),
        None => (
            format!("the chart cannot use a value as it is{at}: {says}"),
            "Compare the types in spec.values with the chart's own values, and correct the manifest".to_owned(),
        ),
    };
    rendering::finding(
        case,
        &sentence,
        "A template does something with the value that its type does not allow. Nothing was applied.",
        &step,
    )
    .seen(value.map(|path| rendering::value(case, &path)))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("value-of-wrong-type", "SKVS232"),
            "the chart cannot use spec.values.serviceAccounts as it is (templates/policy.yaml, line 7): range can't iterate over pds"
        );
        assert_eq!(
            fixture::sentence("value-of-wrong-type-old", "SKVS232"),
            "the chart cannot use spec.values.serviceAccounts as it is (templates/policy.yaml, line 7): range can't iterate over pds"
        );
    }
}
