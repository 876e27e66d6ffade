//! SKVS230: the chart refuses the values.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::template::{TemplateError, wanted_flags};
use crate::model::value_paths;
use crate::text::one_line;

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
        &step(case, says),
    )
    .into()
}

fn step(case: &Case<'_>, says: &str) -> String {
    let keys = wanted_flags(says);
    let misspelt = value_paths::misspelt(&case.hr().spec.values, says);
    if let Some((wanted, has)) = misspelt.filter(|_| keys.is_empty()) {
        return one_line(&format!(
            "spec.values has {has}, which may be meant for {wanted}: rename it in the manifest. Otherwise correct spec.values as the message says"
        ));
    }
    if keys.is_empty() {
        return "Correct spec.values in the manifest as the message says".to_owned();
    }
    let hr = case.hr();
    let secrets = hr
        .spec
        .values_from
        .iter()
        .filter(|from| from.kind == "Secret");
    let secrets: Vec<String> = secrets
        .map(|from| format!("{}/{}", hr.metadata.namespace, from.name))
        .collect();
    let place = match secrets.as_slice() {
        [] => "in a Secret that spec.valuesFrom names".to_owned(),
        names => format!(
            "in the Secret of spec.valuesFrom ({})",
            one_line(&names.join(", "))
        ),
    };
    format!(
        "Give {} a value: in spec.values or, if it is secret, {place}. Flux does not know of a value that is given to helm by hand (--set)",
        keys.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use serde_json::json;

    #[test]
    fn a_value_that_the_chart_wants_as_a_flag_belongs_into_the_manifest() {
        let mut snapshot = fixture::snapshot("values-refused");
        let step = |snapshot: &crate::snapshot::Snapshot, says: &str| {
            step(
                &Case::new(snapshot, fixture::meta("values-refused").now),
                says,
            )
        };
        assert_eq!(
            step(&snapshot, "namespace is required"),
            "Correct spec.values in the manifest as the message says"
        );
        snapshot.helm_release.spec.values = json!({"job": {"resource": {}}});
        insta::assert_snapshot!(step(&snapshot, "a valid job.resources is required"), @"spec.values has job.resource, which may be meant for job.resources: rename it in the manifest. Otherwise correct spec.values as the message says");
        let says = "please add '--set auth.password=$PASSWORD' to the command";
        insta::assert_snapshot!(step(&snapshot, says), @"Give auth.password a value: in spec.values or, if it is secret, in a Secret that spec.valuesFrom names. Flux does not know of a value that is given to helm by hand (--set)");
        snapshot.helm_release.spec.values_from = serde_json::from_value(
            json!([{"kind": "ConfigMap", "name": "c"}, {"kind": "Secret", "name": "s"}]),
        )
        .unwrap();
        insta::assert_snapshot!(step(&snapshot, says), @"Give auth.password a value: in spec.values or, if it is secret, in the Secret of spec.valuesFrom (flux-system/s). Flux does not know of a value that is given to helm by hand (--set)");
    }

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
