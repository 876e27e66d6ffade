//! SKVS552: the change switches encryption.

use super::earlier;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::{Value, json};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS552",
        slug: "encryption-switched",
        severity: Severity::Warning,
        title: "the change switches encryption",
        explanation: r#"With encryption the team uses Steelcouch's endpoint, without it CouchDB's. After a switch the same database holds encrypted and
plain documents: what one endpoint wrote, the other returns as it is stored. The runbook offers one endpoint a database and does
not switch it."#,
        fix: r#"Set it back. For the other endpoint write another manifest with another database, and have the team move its data."#,
        example: r#"encryption: false, before: true"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let Some(state) = earlier(onboarding, repository, &mut checked) else {
        return checked;
    };
    let path = [VALUES[0], VALUES[1], "encryption"];
    // The chart's default is true.
    let on = |value: Option<&Value>| value.map_or(Some(true), Value::as_bool);
    let was = checked.known(state.flag("encryption"));
    let is = checked.known(onboarding.value("encryption"));
    let (Some(was), Some(is)) = (was, is) else {
        return checked;
    };
    let (Some(was), Some(is)) = (on(was), on(is.map(|field| field.value))) else {
        return checked;
    };
    if was == is {
        return checked;
    }
    let word = |on: bool| if on { "on" } else { "off" };
    let sentence = format!(
        "encryption should not change: {} {}, now it is {}",
        state.it_was(),
        word(was),
        word(is)
    );
    let mut finding = onboarding
        .finding(&path, sentence)
        .why("The database would hold encrypted and plain documents, and the team's endpoint would change.");
    if let Some(source) = state.source() {
        finding = finding.why(source);
    }
    checked.with(finding.change("Set it back", &path, json!(was)))
}
