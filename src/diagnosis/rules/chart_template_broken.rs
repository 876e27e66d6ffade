//! SKVS227: a template of the chart is broken.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::template::TemplateError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS227",
    slug: "chart-template-broken",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a template of the chart is broken",
    explanation: r#"The chart itself is at fault: a template has a syntax error, or includes one that does not exist (a library chart that was
not packaged with it). No values can fix it."#,
    fix: r#"See it: `helm template x REPOSITORY/secure-kvs-onboarding --version VERSION`

Name another version of the chart, and report the error to the chart's publisher."#,
    example: r#"parse error at (secure-kvs-onboarding/templates/job.yaml:3): function "toYml" not defined
template: no template "common.labels" associated with template "gotpl""#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Template(error)) = rendering::cause(case)? else {
        return Ok(None);
    };
    let TemplateError::Broken { place, says } = error else {
        return Ok(None);
    };
    let root = error.lacks_root().then_some("Inside range and with, and in templates that are included from there, the dot is the current item and not the root: the chart has to write $.Values, or to pass $ on.");
    rendering::finding(
        case,
        &format!(
            "a template of the chart is broken{}: {says}",
            rendering::at(place)
        ),
        "The chart is at fault, not the values.",
        &rendering::other_version(case),
    )
    .whys(root)
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("chart-template-broken", "SKVS227"),
            "a template of the chart is broken (templates/job.yaml, line 3): function \"toYml\" not defined"
        );
        assert_eq!(
            fixture::sentence("chart-template-broken-old", "SKVS227"),
            "a template of the chart is broken (templates/job.yaml, line 5): no template \"common.labels\" associated with template \"gotpl\""
        );
    }
}
