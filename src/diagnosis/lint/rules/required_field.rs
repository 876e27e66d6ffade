//! SKVS507: a field that Flux requires is missing or has another type.

use super::kind;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::Value;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS507",
        slug: "required-field",
        severity: Severity::Error,
        title: "a field that Flux requires is missing or has another type",
        explanation: r#"A HelmRelease must have `spec.interval`, and a chart from a source must name the source's kind and name. The types are fixed:
`version: 0.1` is a number in YAML, and Flux wants text. The API server refuses such an object, and Flux then applies nothing of
the folder."#,
        fix: r#"Add the field, or quote its value."#,
        example: r#"spec.chart.spec.version: 0.1"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

/// A field, and whether it must be there where what is above it is.
const FIELDS: [(&[&str], bool); 8] = [
    (&["spec", "interval"], true),
    (&["spec", "chart", "spec", "chart"], true),
    (&["spec", "chart", "spec", "version"], false),
    (&["spec", "chart", "spec", "sourceRef", "kind"], true),
    (&["spec", "chart", "spec", "sourceRef", "name"], true),
    (&["spec", "targetNamespace"], false),
    (&["spec", "serviceAccountName"], false),
    (&["spec", "releaseName"], false),
];

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    for (path, required) in FIELDS {
        if !required && onboarding.manifest.at(path).is_none() {
            continue;
        }
        let name = path.join(".");
        let Some(field) = checked.known(onboarding.field(path)) else {
            continue;
        };
        match field {
            Some(field) if field.value.is_string() => {}
            Some(field) => {
                let finding = onboarding.finding(
                    path,
                    format!("{name} is {}, Flux wants text", kind(field.value)),
                );
                checked.push(match field.value {
                    Value::Number(_) | Value::Bool(_) => {
                        finding.step(format!("Quote it: \"{}\"", field.value))
                    }
                    _ => finding.step("Write it as text."),
                });
            }
            None => {
                // Without a chart there is another finding.
                let above = path.split_last().map_or(&[][..], |(_, above)| above);
                let above = if above.ends_with(&["sourceRef"]) {
                    &above[..3]
                } else {
                    above
                };
                if required && checked.known(onboarding.field(above)).flatten().is_some() {
                    let finding = onboarding.finding(path, format!("{name} is missing"));
                    checked.push(finding.step(format!("Set {name}.")));
                }
            }
        }
    }
    checked
}
