//! SKVS524: no database can have this name.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::names::{DatabaseName, NameError};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS524",
        slug: "database-name",
        severity: Severity::Error,
        title: "no database can have this name",
        explanation: r#"The database is called `<namespace>_<database>`. CouchDB takes lower-case letters, digits and `_ $ ( ) + - /`, begins with a
letter and stores 238 bytes at most; onboardings keep to lower-case letters, digits, `_` and `-`. The namespace is a Kubernetes
namespace, so it has no underscore: the first `_` of the joined name separates the two. Kubernetes and Helm do not check any of
this, and the creation Job fails (SKVS309)."#,
        fix: r#"Correct `values.namespace` or `values.database` before the manifest is merged."#,
        example: r#"values.database: Orders"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let Some(names) = checked.known(onboarding.names()).flatten() else {
        return checked;
    };
    let Err(why) = DatabaseName::join(&names.namespace, &names.database) else {
        return checked;
    };
    let key = match why {
        NameError::Namespace(_) => "namespace",
        _ => "database",
    };
    let finding = onboarding
        .finding(
            &[VALUES[0], VALUES[1], key],
            format!("{} cannot be the name of a database: {why}", names.joined()),
        )
        .why("The creation Job would fail.");
    let finding = match DatabaseName::parse(&names.joined()) {
        Ok(other) => finding.why(format!(
            "The name is ambiguous: it reads as database {} of namespace {}.",
            other.database(),
            other.namespace()
        )),
        Err(_) => finding,
    };
    checked.with(finding.step(format!("Correct spec.values.{key}.")))
}
