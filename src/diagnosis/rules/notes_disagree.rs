//! SKVS332: the release notes disagree with the values.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::names::release_secret;
use crate::model::notes::Notes;
use crate::text::marker::is_marked;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS332",
    slug: "notes-disagree",
    severity: Severity::Warning,
    role: Role::State,
    title: "the release notes disagree with the values",
    explanation: r#"The notes are the team's record: database, endpoint and service accounts, as of the last time that Helm applied the chart.
Now the values differ: the change has not been applied (a suspended onboarding, a failed upgrade), or was made in a way that
the notes do not show."#,
    fix: r#"See it: `kubectl skvs notes NAME` beside `spec.values`.

Find out why the change was not applied: `kubectl skvs describe NAME`. Do not pass the notes on until they match the values."#,
    example: r#"notes: Service accounts: pds; spec.values.serviceAccounts: [pds, pds-batch]"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

/// Flux has nothing more to do with the spec as it is: while it has, the notes are about to change.
fn deployed(case: &Case<'_>) -> bool {
    case.hr().spec.suspend || case.is_ready()
}

fn check(case: &Case<'_>) -> Verdict {
    if !deployed(case) {
        return Ok(None);
    }
    let Some(release) = case.release()? else {
        return Ok(None);
    };
    if release.info.status != "deployed" {
        return Ok(None);
    }
    let notes = Notes::parse(&release.info.notes);
    let mut differ: Vec<(&str, String, String)> = Vec::new();
    let claim = case.hr().claim();
    if let (Some(told), Some(is)) = (&notes.database, claim.joined())
        && told != is
    {
        differ.push(("database", told.clone(), is.to_owned()));
    }
    let mut is = case.hr().values().service_accounts;
    let mut told = notes.service_accounts.clone();
    is.sort();
    told.sort();
    let unread = case.hr().is_unread("serviceAccounts") || told.iter().any(|a| is_marked(a));
    if notes.database.is_some() && !unread && is != told {
        differ.push(("service accounts", list(&told), list(&is)));
    }
    if differ.is_empty() {
        let compared = ["namespace", "database", "serviceAccounts"];
        let skipped = case.unread_values(&compared);
        return match skipped.filter(|_| notes.database.is_some()) {
            Some(unread) => Err(unread),
            None => Ok(None),
        };
    }
    let secret = Subject::new(
        "Secret",
        case.hr().storage_namespace(),
        &release_secret(&release.name, release.version),
    );
    let what: Vec<&str> = differ.iter().map(|(what, ..)| *what).collect();
    let evidence = differ.iter().flat_map(|(what, told, is)| {
        [
            Evidence::new(secret.clone(), "info.notes", &format!("{what}: {told}")),
            Evidence::new(case.subject(), ".spec.values", &format!("{what}: {is}")),
        ]
    });
    let finding = Finding::new(
        case.subject(),
        format!(
            "its notes and its values disagree about {}",
            what.join(" and ")
        ),
    )
    .why("The notes are from the last applied revision; the values have changed since and were not applied.")
    .seen(evidence);
    let finding = if case.hr().spec.suspend {
        finding.step("It is suspended: the values are applied when it is resumed. Until then the notes are right.")
    } else {
        finding.step("See which revision was applied, and when:")
    };
    finding.command(kubectl(case, "describe")).into()
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_notes_are_older_than_the_values() {
        let finding = fixture::finding("suspended-and-notes-disagree", "SKVS332");
        assert_eq!(
            finding.sentence,
            "its notes and its values disagree about service accounts"
        );
        assert_eq!(finding.evidence[0].observed, "service accounts: pds");
        assert_eq!(
            finding.evidence[1].observed,
            "service accounts: pds, pds-batch"
        );
    }
}
