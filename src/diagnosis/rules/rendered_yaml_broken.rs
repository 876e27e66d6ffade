//! SKVS233: what the chart's templates give is no YAML.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::template_error::TemplateError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS233",
    slug: "rendered-yaml-broken",
    severity: Severity::Error,
    role: Role::Cause,
    title: "what the chart's templates give is no YAML",
    explanation: r#"The templates were run and what came out cannot be read as YAML: an indentation, a quote or a colon out of place, mostly where a
value of several lines or with `: ` in it is put in without quotes. The line is of the rendered text, not of the template."#,
    fix: r#"See it: `helm template x REPOSITORY/secure-kvs-onboarding --version VERSION -f VALUES --debug` prints what comes out

Look at the values that the template puts there. If they are plain, it is the chart's fault: tell who publishes it."#,
    example: r#"YAML parse error on secure-kvs-onboarding/templates/job.yaml: error converting YAML to JSON: yaml: line 12: did not find expected key"#,
    needs: &[],
    explains: rendering::FOLLOWS,
    when: rendering::by_helm,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(TemplateError::Yaml { place, line, says }) = rendering::template(case) else {
        return Verdict::Clear;
    };
    let line = line.map_or(String::new(), |l| {
        format!(" at line {l} of what was rendered")
    });
    rendering::finding(
        case,
        &format!("what {} gives is no YAML{line}", place.template),
        &format!("The template ran; its output cannot be read: {says}"),
        "Look at the values that go into that template: one with a line break, a quote or a colon, or of another type than the chart expects. If they are plain, tell who publishes the chart",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("rendered-yaml-broken-middle", "SKVS233"),
            "what templates/job.yaml gives is no YAML at line 12 of what was rendered"
        );
        assert_eq!(
            fixture::sentence("rendered-yaml-broken-old", "SKVS233"),
            "what templates/job.yaml gives is no YAML at line 12 of what was rendered"
        );
    }
}
