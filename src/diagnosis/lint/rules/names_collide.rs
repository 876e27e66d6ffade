//! SKVS533: two databases have the same derived names.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::repository::derived;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS533",
        slug: "names-collide",
        severity: Severity::Warning,
        title: "two databases have the same derived names",
        explanation: r#"Names of objects cannot have `_`, so charts and people write `-`: `a-b_c`, `a_b-c` and `a_b_c` become one name. Such onboardings
get a creation Job of the same name, and one replaces the other's; and their HelmReleases are easily taken for one another."#,
        fix: r#"Choose a database name that differs by more than `_` and `-`."#,
        example: r#"database b-c and database b_c of namespace a"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let Some(names) = checked.known(onboarding.names()).flatten() else {
        return checked;
    };
    let joined = names.joined();
    for other in repository.deriving(onboarding, &joined) {
        let Some(theirs) = checked.known(other.names()) else {
            continue;
        };
        let theirs = theirs.map(|n| n.joined());
        if theirs.as_deref() == Some(&joined)
            || onboarding.cluster.is_same(other.cluster) != Some(true)
        {
            continue;
        }
        let theirs = theirs.unwrap_or_default();
        checked.push(
            onboarding
                .finding(
                    &[VALUES[0], VALUES[1], "database"],
                    format!(
                        "{joined} and {theirs} of {} differ by - and _ alone",
                        onboarding.manifest.beside(&other.manifest.file)
                    ),
                )
                .why(format!("Objects of both are called {}.", derived(&joined)))
                .step("Choose another database name if nothing is installed yet."),
        );
    }
    checked
}
