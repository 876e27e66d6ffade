//! SKVS552: the change switches encryption.

use super::before;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::json;

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
    let Some(before) = checked.known(before(onboarding, repository)).flatten() else {
        return checked;
    };
    let path = [VALUES[0], VALUES[1], "encryption"];
    // The chart's default is true.
    let mut read = |o: &Onboarding<'_>| {
        let field = checked.known(o.value("encryption"))?;
        field.map_or(Some(true), |f| f.value.as_bool())
    };
    let (Some(was), Some(is)) = (read(before), read(onboarding)) else {
        return checked;
    };
    if was == is {
        return checked;
    }
    let word = |on: bool| if on { "on" } else { "off" };
    let finding = onboarding
        .finding(&path, format!("encryption should not change: it was {}, now it is {}", word(was), word(is)))
        .why("The database would hold encrypted and plain documents, and the team's endpoint would change.")
        .change("Set it back", &path, json!(was));
    checked.with(finding)
}
