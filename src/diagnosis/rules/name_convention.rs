//! SKVS160: the onboarding's name does not match its database.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::convention::{Naming, PREFIX, name_for, naming};
use crate::model::names::DatabaseName;
use crate::model::onboarding::Claim;
use crate::snapshot::Why;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS160",
    slug: "name-convention",
    severity: Severity::Warning,
    role: Role::State,
    title: "the onboarding's name does not match its database",
    explanation: r#"By convention the HelmRelease of the database `<namespace>_<database>` is called `skvs-onboarding-<namespace>--<database>`
(with `-` or `--` in place of `_`), so that lists show the owner. Nothing reads the name: the database comes from
`spec.values`.

A name that implies another database is a warning: the manifest was often copied, and a value forgotten. A name that only
starts differently is information. Both are reported for Ready onboardings only."#,
    fix: r#"See it: `kubectl skvs list` shows the name beside the database.

Find out which of the two is right, and leave the values as they are: namespace and database must not change after the
installation. A HelmRelease cannot be renamed: another name is another release, and its creation Job fails because the
database exists."#,
    example: r#"skvs-onboarding-iota--database with values.namespace pds, values.database database"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

/// One that fails has worse; a failure that a copied manifest explains says so itself (SKVS301).
fn ready(case: &Case<'_>) -> bool {
    case.is_installed()
}

fn check(case: &Case<'_>) -> Verdict {
    if !ready(case) {
        return Ok(None);
    }
    let Claim::Database(database) = case.hr().claim() else {
        return Ok(None);
    };
    match naming(&case.hr().metadata.name, &database) {
        Naming::Contradicts => contradicts(case, &database).into(),
        Naming::Other => other(case, &database).into(),
        Naming::Kept => Ok(None),
    }
}

fn contradicts(case: &Case<'_>, database: &DatabaseName) -> Finding {
    Finding::new(
        case.subject(),
        format!("its name implies another database than {database}, the one in its values"),
    )
    .why("Often the manifest was copied from another one, and a value forgotten.")
    .seen(evidence(case, database))
    .step(if case.release().is_err_and(|unread| !matches!(unread.why, Why::NotAsked(_))) {
        "Ask the team which database it uses. Helm's release was not read, so the values may have changed since the installation: then set them back (SKVS330). Otherwise leave them as they are."
    } else {
        "Ask the team which database it uses. Leave the values as they are: namespace and database must not change after the installation."
    })
}

fn other(case: &Case<'_>, database: &DatabaseName) -> Finding {
    Finding::new(
        case.subject(),
        format!("its name does not start with {PREFIX}"),
    )
    .severity(Severity::Info)
    .why(format!(
        "By convention the onboarding of {database} is called {}.",
        name_for(database)
    ))
    .seen(evidence(case, database))
    .step("Leave it: a HelmRelease cannot be renamed. Follow the convention for new ones.")
}

fn evidence(case: &Case<'_>, database: &DatabaseName) -> [Evidence; 1] {
    let observed = format!(
        "namespace {}, database {}",
        database.namespace(),
        database.database()
    );
    [Evidence::new(case.subject(), ".spec.values", &observed)]
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Severity, fixture};

    #[test]
    fn a_name_that_says_another_database_is_told() {
        let finding = fixture::finding("name-contradicts-values", "SKVS160");
        assert_eq!(
            finding.sentence,
            "its name implies another database than pds_database, the one in its values"
        );
        assert_eq!(finding.severity, None);
        assert!(format!("{:?}", finding.fix).contains("must not change"));
    }

    #[test]
    fn another_beginning_is_information() {
        let finding = fixture::finding("name-without-prefix", "SKVS160");
        assert_eq!(finding.severity, Some(Severity::Info));
        assert_eq!(
            finding.why,
            [
                "By convention the onboarding of pds_database is called skvs-onboarding-pds--database."
            ]
        );
    }
}
