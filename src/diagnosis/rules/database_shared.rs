//! SKVS302: several onboardings claim one database.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::job::Outcome;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::condition::Stated;
use crate::model::onboarding::Claim;
use crate::model::status::{self, Ready};
use crate::snapshot::{Unread, Why, part};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS302",
    slug: "database-shared",
    severity: Severity::Error,
    role: Role::State,
    title: "several onboardings claim one database",
    explanation: r#"The database's name is `<namespace>_<database>` of the values. If two HelmReleases give the same name, both look fine in Flux
when the second one skipped the creation or changed its values later. Both teams then read and write the same data, and
`delete-db` for one of them deletes it for both. If the second one creates it, its Job fails: see SKVS301."#,
    fix: r#"See it: `kubectl skvs list -A --database NAME`

Keep one. Give the other another `values.database` in a new onboarding (the values of an installed one must not be changed),
or remove it and add its service accounts to the remaining one."#,
    example: r#"2 onboardings claim the database pds_database: skvs-onboarding-iota--database, skvs-onboarding-pds--database"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn claims(case: &Case<'_>) -> bool {
    !matches!(case.hr().claim(), Claim::Incomplete(_))
}

fn check(case: &Case<'_>) -> Verdict {
    if !claims(case) {
        return Ok(None);
    }
    case.others()?;
    let rivals = case.rivals();
    let Some(database) = case.database().filter(|_| !rivals.is_empty()) else {
        return nobody_seen(case);
    };
    // A creation that fails for it tells of it, with what to do.
    let job = case.job_as_far_as_read();
    if case.is_about_the_job() && matches!(job.outcome, Outcome::Exists(_)) {
        return Ok(None);
    }
    let mut all = rivals;
    all.push(case.hr());
    all.sort_by_key(|hr| hr.id());
    let ready = all
        .iter()
        .filter(|hr| status::shown(hr) == Ready::True)
        .count();
    // A claim of an older spec may be on another database.
    let now = all.iter();
    let now = now.filter(|hr| status::ready(hr) == Stated::Present(Ready::True));
    let now = now.count();
    let severity = if ready > 1 {
        Severity::Error
    } else {
        Severity::Warning
    };
    let evidence = all.iter().map(|hr| {
        let subject = Subject::new("HelmRelease", &hr.metadata.namespace, &hr.metadata.name);
        let headline = status::headline(hr);
        Evidence::new(
            subject,
            ".spec.values",
            &format!("Ready={}: {}", headline.ready.word(), headline.line()),
        )
    });
    Finding::new(
        Subject::new("Database", "", &database),
        format!("{} onboardings claim the database {database}", all.len()),
    )
    .severity(severity)
    .why(if now > 1 {
        "Several of them are Ready: their teams read and write the same data, and deleting it for one deletes it for all."
    } else if ready > 1 {
        "Several of them are Ready, not all for their present spec: their teams may read and write the same data, and deleting it for one may delete it for all."
    } else {
        "Only one of them can create it."
    })
    .seen(evidence)
    .step("Keep one. Remove the other, and give its team another database or add its service accounts to the remaining onboarding.")
    .command(["kubectl", "skvs", "list", "-A", "-o", "wide", "--database", &database])
    .into()
}

/// No other claim was seen: clear only if all of them could be.
fn nobody_seen(case: &Case<'_>) -> Verdict {
    match case.unknown_claims() {
        None => Ok(None),
        Some(_) if case.elsewhere().is_err() && case.hidden_claims().is_empty() => {
            case.elsewhere().map(|()| None)
        }
        Some(why) => Err(Unread::new(part::OTHERS, Why::NotAsked(why))),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("database-shared", "SKVS302"),
            "2 onboardings claim the database papa_ledger"
        );
    }

    #[test]
    fn a_ready_of_an_older_spec_may_be_of_another_database() {
        let why = |newer: i64| {
            let mut snapshot = fixture::snapshot("database-shared");
            let now = fixture::meta("database-shared").now;
            snapshot.helm_release.metadata.generation += newer;
            let all = diagnose(&Case::new(&snapshot, now));
            let mut found = all.roots.iter().flat_map(|root| {
                let follows = root.follows.iter().map(|(rule, finding)| (*rule, finding));
                follows.chain([(root.rule, &root.finding)])
            });
            let found = found.find(|(rule, _)| rule.code == "SKVS302");
            found.unwrap().1.why[0].clone()
        };
        assert!(why(0).starts_with("Several of them are Ready: "));
        let older = why(1);
        assert!(
            older.starts_with("Several of them are Ready, not all for their present spec: "),
            "{older}"
        );
    }

    /// What SKVS302 says it could not look at.
    fn not_run(name: &str) -> Vec<(String, String)> {
        let not_run = fixture::diagnosis(name).not_run;
        let own = not_run.into_iter().filter(|n| n.codes.contains(&"SKVS302"));
        own.map(|n| (n.what, n.why)).collect()
    }

    #[test]
    fn claims_that_were_not_read_leave_the_check_not_run() {
        let told = |what: &str, why: &str| vec![(what.to_owned(), why.to_owned())];
        assert_eq!(
            not_run("database-exists-elsewhere-forbidden"),
            told(
                "databases claimed by onboardings in other namespaces",
                "forbidden (list helmreleases in all namespaces)"
            )
        );
        assert_eq!(
            not_run("database-exists-claim-unread"),
            told(
                "the databases of other onboardings",
                "values of skvs-onboarding-hidden come from references that were not read"
            )
        );
        assert_eq!(
            not_run("database-exists-own-values-unread"),
            told(
                "the databases of other onboardings",
                "this onboarding's values do not name its database"
            )
        );
        assert!(not_run("ready").is_empty());
    }
}
