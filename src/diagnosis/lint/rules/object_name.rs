//! SKVS502: the HelmRelease's name does not follow the convention.

use super::claim_changed;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::convention::{Naming, PREFIX, name_for, naming};
use crate::model::names::DatabaseName;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS502",
        slug: "object-name",
        severity: Severity::Warning,
        title: "the HelmRelease's name does not follow the convention",
        explanation: r#"By convention the HelmRelease of the database `<namespace>_<database>` is called `skvs-onboarding-<namespace>--<database>`
(with `-` or `--` in place of `_`, which no Kubernetes name can have), so that lists show the owner. A name that implies
another database usually means that the manifest was copied and a value or the name forgotten."#,
        fix: r#"Before the manifest is merged: rename the object. Afterwards leave it: another name is another release (SKVS553). If the name
is right and the values are not, correct the values."#,
        example: r#"skvs-onboarding-iota--database with values.namespace pds, values.database database"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = ["metadata", "name"];
    let name = checked.known(onboarding.text(&path)).flatten();
    let names = checked.known(onboarding.names()).flatten();
    let (Some(name), Some(names)) = (name, names) else {
        return checked;
    };
    // An invalid one and one that has changed have their own findings.
    let Ok(database) = DatabaseName::join(&names.namespace, &names.database) else {
        return checked;
    };
    if matches!(claim_changed(onboarding, repository), Ok(true)) {
        return checked;
    }
    let wanted = name_for(&database);
    let finding = match naming(name, &database) {
        Naming::Kept => return checked,
        Naming::Other => onboarding
            .finding(&path, format!("its name does not start with {PREFIX}"))
            .why(format!("By convention the onboarding of {database} is called {wanted}.")),
        Naming::Contradicts => onboarding
            .finding(&path, format!("its name implies another database than {database}, the one in its values"))
            .why("Often the manifest was copied from another one, and a value or the name was forgotten."),
    };
    let is_new = repository
        .changes
        .as_ref()
        .is_none_or(|c| c.before(onboarding).is_none());
    let finding = if repository.is_taken(onboarding, &wanted) {
        finding.step(format!(
            "Another manifest is already called {wanted}: correct the values."
        ))
    } else if is_new {
        finding.change("The name by the convention", &path, json!(wanted))
    } else {
        finding
    };
    checked.with(finding.step("Leave it if it is installed: a HelmRelease cannot be renamed."))
}
