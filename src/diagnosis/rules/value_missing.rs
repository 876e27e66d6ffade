//! SKVS231: the chart uses a value that is not set.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::template::TemplateError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS231",
    slug: "value-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart uses a value that is not set",
    explanation: r#"A template reads a value inside a missing one: `.Values.couchdb.credentials.secretName` while `credentials` is not set. Often
a map was overwritten with nothing (`couchdb:` with no lines under it). Helm calls this a nil pointer."#,
    fix: r#"See it: `helm show values REPOSITORY/secure-kvs-onboarding --version VERSION`

Set the named value in `spec.values` of the manifest, or remove the empty key so that the chart's default applies."#,
    example: r#"at <.Values.couchdb.credentials.secretName>: nil pointer evaluating interface {}.secretName"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Template(TemplateError::Missing { place, value, says })) =
        rendering::cause(case)?
    else {
        return Ok(None);
    };
    let at = rendering::at(place);
    let (sentence, step) = match value {
        Some(path) => (
            format!("the chart needs spec.values.{path}, which is not set{at}"),
            format!(
                "Set spec.values.{path} in the manifest, or remove the empty key so that the chart's default applies"
            ),
        ),
        None => (
            format!("the chart uses a value that is not set{at}: {says}"),
            "Read that line of the template: inside `range` or `with` it is a part of a value, which spec.values has to set; anything else is the chart's own fault: use another version, and report it to the chart's publisher"
                .to_owned(),
        ),
    };
    rendering::finding(
        case,
        &sentence,
        "A template reads a value inside a missing one. Nothing was applied.",
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
            fixture::sentence("value-missing", "SKVS231"),
            "the chart needs spec.values.couchdb.credentials, which is not set (templates/job.yaml, line 12)"
        );
        assert_eq!(
            fixture::sentence("value-missing-old", "SKVS231"),
            "the chart needs spec.values.couchdb.credentials, which is not set (templates/_helpers.tpl, line 4)"
        );
        assert_eq!(
            fixture::sentence("value-missing-unnamed", "SKVS231"),
            "the chart uses a value that is not set (templates/job.yaml, line 12): nil pointer evaluating interface {}.secretName"
        );
    }
}
