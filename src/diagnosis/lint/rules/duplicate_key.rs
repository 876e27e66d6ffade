//! SKVS508: a key is there twice in one map.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::Finding;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::repository::{Node, Place};
use std::collections::HashMap;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS508",
        slug: "duplicate-key",
        severity: Severity::Error,
        title: "a key is there twice in one map",
        explanation: r#"YAML forbids a key that is there twice. Tools differ: kustomize, which Flux uses, refuses the whole folder; kubectl takes the
last one in silence."#,
        fix: r#"Keep one of them."#,
        example: r#"database: orders
database: carts"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    look(onboarding, &onboarding.manifest.node, &mut checked.found);
    checked
}

fn look(onboarding: &Onboarding<'_>, node: &Node, found: &mut Vec<Finding>) {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for entry in node.entries() {
        if let Some(key) = entry.key.text()
            && let Some(first) = seen.insert(key, entry.key.place)
        {
            let sentence = format!("the key {key} is there twice, in line {} too", first.line);
            let finding = onboarding.finding_at(entry.key.place, sentence);
            found.push(finding.step("Keep one of them."));
        }
        look(onboarding, &entry.value, found);
    }
    for item in node.items() {
        look(onboarding, item, found);
    }
}
