//! SKVS309: CouchDB rejects the database's name.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::job::{Death, Job, Outcome};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::onboarding::Claim;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS309",
    slug: "database-name-invalid",
    severity: Severity::Error,
    role: Role::Cause,
    title: "CouchDB rejects the database's name",
    explanation: r#"The database's name is `<namespace>_<database>` of the values. CouchDB accepts lower-case letters, digits and
`_ $ ( ) + - /`, with a lower-case letter first. It answers anything else with 400 (`illegal_database_name`), and the
creation Job fails. Kubernetes and Helm do not check the name."#,
    fix: r#"See it: the log of the Job's pod ends with `returned error: 400`.

Correct `values.database` (or `values.namespace`) in the manifest: nothing has been created yet, so they may still change.
Then remove the failed release: otherwise Flux upgrades it, and an upgrade does not create the database."#,
    example: r#"values.database: Orders
curl: (22) The requested URL returned error: 400"#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let claim = case.hr().claim();
    let Some(Outcome::Died(death)) = case.outcome_by_log()? else {
        return Ok(None);
    };
    let Claim::Invalid { joined, why } = claim else {
        return asked_otherwise(case, death);
    };
    let said = death.said();
    if ![
        "returned error: 400",
        "400 Bad Request",
        "illegal_database_name",
    ]
    .iter()
    .any(|t| said.contains(t))
    {
        return Ok(None);
    }
    let job = case.job_as_far_as_read();
    let subject = job.subject.clone().unwrap_or_else(|| death.pod.clone());
    let values = case.hr().values();
    let given = format!(
        "namespace {:?}, database {:?}",
        values.namespace.unwrap_or_default(),
        values.database.unwrap_or_default()
    );
    Finding::new(subject, format!("CouchDB rejects the database name {joined}"))
        .why(format!("The name is invalid: {why}."))
        .seen(case.seen_failure())
        .seen([death.evidence(), Evidence::new(case.subject(), ".spec.values", &given)])
        .step("Correct values.database or values.namespace in the manifest. Nothing has been created yet, so they may still change.")
        .then(then(case, Fixes::Manifest))
        .into()
}

/// The values name a database that CouchDB takes, and CouchDB says that the Job asked for another name.
fn asked_otherwise(case: &Case<'_>, death: &Death) -> Verdict {
    let said = death.said();
    let Some(asked) = said
        .contains("illegal_database_name")
        .then(|| said.split_once("\"Name: '")?.1.split_once("'. Only"))
        .flatten()
        .map(|(asked, _)| asked)
    else {
        return Ok(None);
    };
    let claim = case.hr().claim();
    let Some(meant) = claim.joined() else {
        return Ok(None);
    };
    let why = if meant.replace('+', " ") == asked {
        "A + is allowed in a name, but the creation Job puts it into the URL as it is, and there it means a blank. Choose a name without +.".to_owned()
    } else {
        format!("spec.values mean {meant}: the chart's Job makes another name of them.")
    };
    Job::died(case, death, format!("CouchDB rejects the name {asked:?} that the creation Job asked for instead of {meant}"))
        .why(why)
        .step("Set another name in values.database of the manifest. Nothing has been created yet, so it may still change.")
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("database-name-invalid", "SKVS309"),
            "CouchDB rejects the database name yankee_Orders"
        );
    }
}
