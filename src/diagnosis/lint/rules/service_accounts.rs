//! SKVS525: a service account cannot have this name.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::lookup::can_be_an_object;
use std::collections::HashSet;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS525",
        slug: "service-accounts",
        severity: Severity::Error,
        title: "a service account cannot have this name",
        explanation: r#"The chart lets in the accounts of the onboarding's namespace by their names. A name that no ServiceAccount can have lets nobody
in, and nothing says so: Istio compares texts. One that is listed twice is harmless, but usually another one was meant."#,
        fix: r#"Correct the name: lower-case letters, digits, `-` and `.`"#,
        example: r#"serviceAccounts: [Pds]"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = [VALUES[0], VALUES[1], "serviceAccounts"];
    let Some(field) = checked.known(onboarding.value("serviceAccounts")).flatten() else {
        return checked;
    };
    let mut seen = HashSet::new();
    for (at, item) in field.value.as_array().into_iter().flatten().enumerate() {
        let Some(account) = item.as_str() else {
            continue;
        };
        let node = field.node.and_then(|n| n.items().get(at));
        let place = node.map_or_else(|| onboarding.manifest.place(&path), |n| n.place);
        if !seen.insert(account) {
            let finding = onboarding.finding_at(
                place,
                format!("the service account {account} is listed twice"),
            );
            checked.push(
                finding
                    .severity(Severity::Warning)
                    .step("Remove one of them, or correct it."),
            );
        } else if !can_be_an_object(account) {
            let finding = onboarding.finding_at(
                place,
                format!("{account:?} cannot be the name of a service account"),
            );
            let finding = match account.rsplit(['/', ':']).next() {
                Some(name) if name != account && can_be_an_object(name) => finding.step(format!(
                    "Name the account alone, it is one of the onboarding's namespace: {name}"
                )),
                _ => finding.step("Correct it."),
            };
            checked.push(finding.why("The policy would give no access through it."));
        }
    }
    checked
}
