//! SKVS229: the values do not match the chart's schema.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::schema::{Unusable, Violation};
use crate::text::count;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS229",
    slug: "values-against-schema",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the values do not match the chart's schema",
    explanation: r#"The chart has a schema for its values (`values.schema.json`), and Helm checks them before rendering: one is missing, has
another type, or is not allowed. Each error is shown with the path of its value."#,
    fix: r#"See it: `helm show values REPOSITORY/secure-kvs-onboarding --version VERSION`

Correct `spec.values` in the manifest. `disableSchemaValidation` skips the check (controller 1.1 and later), but the chart's
author meant it."#,
    example: r#"values don't meet the specifications of the schema(s) in the following chart(s):
secure-kvs-onboarding:
- at '/serviceAccounts': got string, want array"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Schema(violations)) = rendering::cause(case)? else {
        return Ok(None);
    };
    let said = |v: &Violation| {
        if v.path.is_empty() {
            format!("spec.values: {}", v.says)
        } else {
            format!("spec.values.{}: {}", v.path, v.says)
        }
    };
    let text = case.failure_text()?.map_or("", |text| text.raw);
    if let Some(Unusable { why, is_elsewhere }) =
        Unusable::parse(text).filter(|_| violations.is_empty())
    {
        return rendering::finding(
            case,
            &format!("the chart's schema cannot be used: {why}"),
            "Helm checks the values against values.schema.json of the chart, but cannot use the schema itself: the values may be right.",
            match is_elsewhere {
                true => "This version of helm-controller loads no schema from another host. Use another version of the chart or of helm-controller, or skip the check with disableSchemaValidation in spec.install and spec.upgrade (controller 1.1 and later)",
                false => "Use another version of the chart, and report it to the chart's publisher. If the schema refers to another host, helm-controller has to reach that",
            },
        )
        .into();
    }
    let sentence = match violations.as_slice() {
        [] => "the values do not match the chart's schema".to_owned(),
        [one] => format!("the chart's schema refuses {}", said(one)),
        [first, rest @ ..] => format!(
            "the chart's schema refuses {}, and {}",
            said(first),
            count(rest.len() as u64, "other value")
        ),
    };
    rendering::finding(
        case,
        &sentence,
        "Helm checks the values against the chart's schema before rendering.",
        "Correct spec.values in the manifest; the chart's own values show the format",
    )
    .seen(
        violations
            .iter()
            .map(|v| Evidence::new(case.subject(), &format!("schema of {}", v.chart), &said(v))),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("values-against-schema", "SKVS229"),
            "the chart's schema refuses spec.values: missing property 'namespace', and 1 other value"
        );
        assert_eq!(
            fixture::sentence("values-against-schema-old", "SKVS229"),
            "the chart's schema refuses spec.values: namespace is required, and 1 other value"
        );
        assert_eq!(
            fixture::sentence("values-against-schema-middle", "SKVS229"),
            "the chart's schema refuses spec.values.serviceAccounts: Invalid type. Expected: array, given: string"
        );
    }
}
