//! SKVS523: the chart does not know a value.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::Finding;
use crate::diagnosis::lint::chart_values::{self, Known};
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::Value;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS523",
        slug: "value-unknown",
        severity: Severity::Warning,
        title: "the chart does not know a value",
        explanation: r#"Helm passes values that a chart does not know over in silence: a mistyped `serviceAccount` lets nobody in, a mistyped
`encrypton: false` leaves encryption on."#,
        fix: r#"Correct the key, or remove it."#,
        example: r#"values.serviceAccount: [pds]"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    if let Some(values) = onboarding.manifest.at(&VALUES) {
        let mut path = VALUES.to_vec();
        look(
            onboarding,
            chart_values::CHART,
            values,
            &mut path,
            &mut checked.found,
        );
    }
    checked
}

fn look<'v>(
    onboarding: &Onboarding<'_>,
    known: Known,
    value: &'v Value,
    path: &mut Vec<&'v str>,
    found: &mut Vec<Finding>,
) {
    let (Known::Map(_), Value::Object(map)) = (known, value) else {
        return;
    };
    for (key, value) in map {
        path.push(key);
        match known.get(key) {
            Some(known) => look(onboarding, known, value, path, found),
            None => {
                let name = path[1..].join(".");
                let finding = onboarding.finding(path, format!("the chart does not know {name}"));
                let finding = finding.why("Helm passes it over in silence.");
                found.push(match known.near(key) {
                    Some(near) => {
                        finding.step(format!("Is {near} meant? Correct the key, or remove it."))
                    }
                    None => finding.step("Remove it, or correct the key."),
                });
            }
        }
        path.pop();
    }
}
