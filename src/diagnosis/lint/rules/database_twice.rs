//! SKVS531: two manifests of a cluster claim one database.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS531",
        slug: "database-twice",
        severity: Severity::Error,
        title: "two manifests of a cluster claim one database",
        explanation: r#"The first onboarding creates the database, the second fails because it exists (SKVS301). Two teams would share one database.
The same database in two clusters is fine: a manifest belongs to the cluster that its path names. Where a path does not follow
the layout (`--layout`), whether two folders are one cluster is not known, and this is a warning.

The names are joined by `_`, so that `a_b` + `c` and `a` + `b_c` are one database too."#,
        fix: r#"Give one of them another database, or add its service accounts to the other one and remove it."#,
        example: r#"orders.yaml and orders-copy.yaml with values.namespace pds, values.database orders"#,
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
    for other in repository.claiming(onboarding, &joined) {
        // The same object in one cluster is another finding.
        let is_same = onboarding.cluster.is_same(other.cluster);
        if is_same == Some(false) || (is_same == Some(true) && other.id() == onboarding.id()) {
            continue;
        }
        let finding = onboarding.finding(
            &[VALUES[0], VALUES[1], "database"],
            format!(
                "{} claims the database {joined} too",
                onboarding.manifest.beside(&other.manifest.file)
            ),
        );
        let finding = match other.names() {
            Ok(Some(theirs)) if theirs != names => finding.why(format!(
                "There it is database {} of namespace {}: the joined name is ambiguous.",
                theirs.database, theirs.namespace
            )),
            _ => finding,
        };
        let finding = match is_same {
            None => finding
                .severity(Severity::Warning)
                .why("Whether both are for one cluster is not known: their paths do not follow the layout."),
            Some(_) => finding.why("Only one of them can create it."),
        };
        checked.push(finding.step("Give one of them another database, or add its service accounts to the other one and remove it."));
    }
    checked
}
