//! SKVS522: a value has another type than the chart wants.

use super::kind;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::Finding;
use crate::diagnosis::lint::onboarding::{Field, VALUES};
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::repository::Node;
use crate::repository::node::{Kind, Style};
use serde_json::{Value, json};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS522",
        slug: "value-type",
        severity: Severity::Error,
        title: "a value has another type than the chart wants",
        explanation: r#"`namespace` and `database` are text, `serviceAccounts` is a list of texts, `encryption` is `true` or `false`. YAML decides the
type by the form: `yes`, `on` and `123` without quotes are not text for every reader, and `"false"` in quotes is text, which a
template takes for true."#,
        fix: r#"Quote what is meant as text; write `true` or `false` without quotes."#,
        example: r#"encryption: "false"
serviceAccounts: pds"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    if let Some(values) = checked.known(onboarding.field(&VALUES)).flatten()
        && !values.value.is_object()
    {
        let sentence = format!("spec.values is {}, not a map", kind(values.value));
        let finding = onboarding.finding(&VALUES, sentence);
        return checked.with(finding.step("Write the values as keys below spec.values."));
    }
    for key in ["namespace", "database"] {
        if let Some(field) = checked.known(onboarding.value(key)).flatten()
            && let Some(is) = not_text(field)
        {
            let finding = onboarding.finding(
                &[VALUES[0], VALUES[1], key],
                format!("values.{key} is {is}, not text"),
            );
            checked.push(finding.step("Quote it."));
        }
    }
    if let Some(field) = checked.known(onboarding.value("serviceAccounts")).flatten() {
        accounts(onboarding, field, &mut checked.found);
    }
    if let Some(field) = checked.known(onboarding.value("encryption")).flatten() {
        encryption(onboarding, field, &mut checked.found);
    }
    checked
}

fn accounts(onboarding: &Onboarding<'_>, field: Field<'_>, found: &mut Vec<Finding>) {
    let path = [VALUES[0], VALUES[1], "serviceAccounts"];
    let Value::Array(items) = field.value else {
        let finding = onboarding.finding(
            &path,
            format!(
                "values.serviceAccounts is {}, not a list",
                kind(field.value)
            ),
        );
        let list = match field.value.as_str() {
            Some(text) => json!([text]),
            None => json!([]),
        };
        found.push(match list.as_array().is_some_and(Vec::is_empty) {
            true => finding.step("Write it as a list of texts."),
            false => finding.change("One account is a list too", &path, list),
        });
        return;
    };
    for (at, item) in items.iter().enumerate() {
        let node = field.node.and_then(|n| n.items().get(at));
        if let Some(is) = not_text(Field { value: item, node }) {
            let place = node.map_or(onboarding.manifest.place(&path), |n| n.place);
            let finding =
                onboarding.finding_at(place, format!("a service account is {is}, not text"));
            found.push(finding.step(
                "Write each account as one text, in quotes where it looks like something else.",
            ));
        }
    }
}

fn encryption(onboarding: &Onboarding<'_>, field: Field<'_>, found: &mut Vec<Finding>) {
    let path = [VALUES[0], VALUES[1], "encryption"];
    let plain = field
        .node
        .is_none_or(|node| matches!(node.text(), Some("true" | "false")));
    if field.value.is_boolean() && plain {
        return;
    }
    let finding = match field.node.and_then(Node::text) {
        Some(text) if field.value.is_boolean() || is_plain(field.node) => onboarding.finding(
            &path,
            format!("values.encryption is {text}, which not every reader takes for true or false"),
        ),
        _ => onboarding
            .finding(
                &path,
                format!(
                    "values.encryption is {}, not true or false",
                    kind(field.value)
                ),
            )
            .why("A template takes any text for true."),
    };
    found.push(finding.step("Write true or false, without quotes."));
}

/// What a value is instead of text, for one reader of YAML at least.
fn not_text(field: Field<'_>) -> Option<String> {
    let Some(text) = field.value.as_str() else {
        return Some(kind(field.value).to_owned());
    };
    let word = text.to_ascii_lowercase();
    let of_yaml_1_1 = [
        "yes", "no", "on", "off", "y", "n", "true", "false", "null", "~",
    ];
    let is_word = is_plain(field.node) && of_yaml_1_1.contains(&word.as_str());
    is_word.then(|| format!("{text} without quotes"))
}

fn is_plain(node: Option<&Node>) -> bool {
    node.is_some_and(|node| {
        matches!(
            node.kind,
            Kind::Scalar {
                style: Style::Plain,
                ..
            }
        ) && !node.marked
    })
}
