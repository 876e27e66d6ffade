//! SKVS233: the chart renders invalid YAML.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::template::{TemplateError, is_of_merging};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS233",
    slug: "rendered-yaml-broken",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart renders invalid YAML",
    explanation: r#"The templates ran, but their output is not valid YAML: an indentation, a quote or a colon is out of place. Usually a value
with several lines or with `: ` in it was inserted without quotes. The line number refers to the output, not to the template."#,
    fix: r#"See it: `helm template x REPOSITORY/secure-kvs-onboarding --version VERSION -f VALUES --debug` prints the output

Check the values used in that template. If they are simple, the chart is at fault: report it to its publisher."#,
    example: r#"YAML parse error on secure-kvs-onboarding/templates/job.yaml: error converting YAML to JSON: yaml: line 12: did not find expected key"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Template(TemplateError::Yaml { place, line, says })) = rendering::cause(case)?
    else {
        return Ok(None);
    };
    let line = line.map_or(String::new(), |l| format!(" at line {l} of the output"));
    let what = match place.template.as_str() {
        "" => "a template of the chart",
        template => template,
    };
    let finding = rendering::finding(
        case,
        &format!("{what} renders invalid YAML{line}"),
        &format!("The template ran, but its output cannot be read: {says}"),
        "Check the values used in that template for a line break, a quote, a colon or an unexpected type. If they are simple, the chart is at fault",
    )
    .step(rendering::other_version(case));
    if !is_of_merging(says) {
        return finding.into();
    }
    finding
        .step("If the chart renders valid YAML with the same values on your machine (command helm, subcommand template), helm-controller is at fault: 1.5.0 to 1.5.2 take text in a block for YAML, or join two documents. Update it to 1.5.3 or later. Its version:")
        .command(["kubectl", "get", "deployments", "-A", "-l", "app=helm-controller", "-o", "wide"])
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("rendered-yaml-broken-middle", "SKVS233"),
            "templates/job.yaml renders invalid YAML at line 12 of the output"
        );
        assert_eq!(
            fixture::sentence("rendered-yaml-broken-old", "SKVS233"),
            "templates/job.yaml renders invalid YAML at line 12 of the output"
        );
    }
}
