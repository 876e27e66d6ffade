//! SKVS551: the change gives an onboarding another database.

use super::{earlier, printed};
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS551",
        slug: "claim-changed",
        severity: Severity::Error,
        title: "the change gives an onboarding another database",
        explanation: r#"The chart creates the database once, at installation. A later change of `values.namespace` or `values.database` is an upgrade: it
gives the service accounts access to a database that nobody has created, and Flux reports Ready (SKVS330). The team's data stays
in the old one, and nobody has access to it any more."#,
        fix: r#"Set the values back. For another database write another manifest, with its own name; remove the old one when the team has
finished with its data. If the installation failed before it created anything, the values may still change."#,
        example: r#"values.database: orders, before: carts"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let Some(state) = earlier(onboarding, repository, &mut checked) else {
        return checked;
    };
    for key in ["namespace", "database"] {
        let was = checked.known(state.value(key)).flatten();
        let is = checked.known(onboarding.value(key)).flatten();
        let (Some(was), Some(is)) = (was, is) else {
            continue;
        };
        if printed(was) == printed(is.value) {
            continue;
        }
        let path = [VALUES[0], VALUES[1], key];
        let sentence = format!(
            "values.{key} must not change: {} {was}, now it is {}",
            state.it_was(),
            is.value
        );
        let mut finding = onboarding
            .finding(&path, sentence)
            .why("The database is created at installation only. Access would move to one that does not exist, and the data would stay behind.");
        if let Some(source) = state.source() {
            finding = finding.why(source);
        }
        checked.push(
            finding
                .change("Set it back", &path, was.clone())
                .step("For another database write another manifest, with its own name."),
        );
    }
    checked
}
