//! SKVS502: the HelmRelease's name does not follow the convention.

use super::claim_changed;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Onboarding, Repository, Rule, Verdict};
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
        is_fallback: false,
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Verdict {
    let path = ["metadata", "name"];
    let (Some(name), Some(names)) = (onboarding.text(&path)?, onboarding.names()?) else {
        return Ok(Vec::new());
    };
    // An invalid one and one that has changed have their own findings.
    let Ok(database) = DatabaseName::join(&names.namespace, &names.database) else {
        return Ok(Vec::new());
    };
    if claim_changed(onboarding, repository)? {
        return Ok(Vec::new());
    }
    let wanted = name_for(&database);
    let finding = match naming(name, &database) {
        Naming::Kept => return Ok(Vec::new()),
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
    let finding = if is_new {
        finding.change("The name by the convention", &path, json!(wanted))
    } else {
        finding
    };
    finding
        .step("Leave it if it is installed: a HelmRelease cannot be renamed.")
        .into()
}
