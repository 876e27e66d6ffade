//! SKVS521: a value that the chart needs is missing.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::Value;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS521",
        slug: "value-unset",
        severity: Severity::Error,
        title: "a value that the chart needs is missing",
        explanation: r#"The runbook's values are `namespace`, `database`, `serviceAccounts` and `encryption`. Without one of the first two the chart
cannot be rendered; without service accounts nothing may access the database. Encryption is on where it is not set."#,
        fix: r#"Set the value under `spec.values`."#,
        example: r#"values: {namespace: pds}"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    for key in ["namespace", "database", "serviceAccounts"] {
        let path = [VALUES[0], VALUES[1], key];
        let is_list = key == "serviceAccounts";
        let Some(field) = checked.known(onboarding.value(key)) else {
            continue;
        };
        let empty = match field.map(|field| field.value) {
            None => "is missing",
            Some(Value::String(text)) if text.is_empty() => "is empty",
            Some(Value::Array(items)) if is_list && items.is_empty() => "is empty",
            Some(_) => continue,
        };
        let finding = onboarding.finding(&path, format!("values.{key} {empty}"));
        checked.push(match is_list {
            true => finding
                .severity(Severity::Warning)
                .why("No pod may access the database.")
                .step("List the service accounts of the team's pods."),
            false => finding
                .why("The chart cannot be rendered without it.")
                .step(format!("Set spec.values.{key}.")),
        });
    }
    checked
}
