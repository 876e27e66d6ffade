//! The plan as it is shown before the question: where, what, how much, and that it is final.

use super::plan::{Member, Plan};
use crate::text::fold::fold;
use crate::text::{bytes, count, one_line};
use k8s_openapi::jiff::{Timestamp, tz::TimeZone};

/// Column at which the card's values start.
const VALUE: usize = 15;

/// The card's lines. `context` is the kubeconfig's, `server` the API server's URL.
pub fn lines(plan: &Plan, context: Option<&str>, server: &str) -> Vec<String> {
    let facts = plan.facts();
    let up = facts
        .members
        .iter()
        .filter(|(_, m)| matches!(m, Member::Has(_)))
        .count();
    let undo = match facts.recovery {
        Some(false) => "There is no undo on this server.",
        Some(true) => {
            "This server keeps the files of deleted databases (enable_database_recovery): the data stays on its disks."
        }
        None => "Whether this server keeps the files of deleted databases could not be read.",
    };
    let created = facts
        .shard_map
        .epoch()
        .map_or_else(|| "at an unknown time".to_owned(), date);
    let looked = &facts.unclaimed;
    let mut checked = format!(
        "{} in all namespaces checked",
        count(looked.helm_releases as u64, "HelmRelease")
    );
    if let Some(objects) = looked.database_objects {
        checked.push_str(&format!(
            ", {}",
            count(objects as u64, "couchdbdatabase object")
        ));
    }
    let row = |key: &str, value: String| format!("  {key:<width$}{value}", width = VALUE - 2);
    vec![
        format!("This deletes a database and all its documents. {undo}"),
        String::new(),
        row(
            "Context",
            format!(
                "{}   {}",
                one_line(context.unwrap_or("<none>")),
                one_line(server.trim_end_matches('/'))
            ),
        ),
        row(
            "CouchDB",
            format!(
                "{}, {}, {up} of {} up",
                facts.target,
                one_line(&facts.server.version),
                count(plan.members().len() as u64, "member")
            ),
        ),
        row(
            "Database",
            format!(
                "{}   {}, {} on each copy, created {created}",
                facts.name,
                count(facts.database.doc_count, "document"),
                bytes(facts.database.sizes.file)
            ),
        ),
        row("Onboarding", format!("none claims it ({checked})")),
        String::new(),
    ]
}

/// One of the card's lines as a terminal of this width shows it: a value goes on under itself, no word is cut.
pub fn folded(line: &str, width: Option<usize>) -> Vec<String> {
    match line.strip_prefix("  ") {
        Some(row) => fold(row, width, "  ", &" ".repeat(VALUE)),
        None => fold(line, width, "", ""),
    }
}

/// `2024-03-01`.
pub fn date(epoch: i64) -> String {
    Timestamp::from_second(epoch).map_or_else(
        |_| "at an unknown time".to_owned(),
        |t| t.to_zoned(TimeZone::UTC).date().to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::plan::{plan, tests::facts};
    use super::*;

    #[test]
    fn a_narrow_terminal_cuts_no_word() {
        let line = "  CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container couchdb), 3.2.2, 3 of 3 members up";
        assert_eq!(
            folded(line, Some(80)),
            [
                "  CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container",
                "               couchdb), 3.2.2, 3 of 3 members up"
            ]
        );
        assert_eq!(folded(line, None), [line]);
        assert_eq!(folded("", Some(80)), [""]);
    }

    #[test]
    fn the_card_says_where_and_what() {
        let card = lines(
            &plan(facts()).unwrap(),
            Some("prod-east"),
            "https://10.20.0.1:6443/",
        );
        insta::assert_snapshot!(card.join("\n"), @r"
        This deletes a database and all its documents. There is no undo on this server.

          Context      prod-east   https://10.20.0.1:6443
          CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container couchdb), 3.2.2, 3 of 3 members up
          Database     pds_database   1,204,311 documents, 3.1 GB on each copy, created 2024-03-01
          Onboarding   none claims it (12 HelmReleases in all namespaces checked)
        ");
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let mut facts = facts();
        facts.recovery = None;
        facts.unclaimed.database_objects = Some(1);
        let card = lines(&plan(facts).unwrap(), None, "https://h").join("\n");
        assert!(card.contains("could not be read"), "{card}");
        assert!(
            card.contains("checked, 1 couchdbdatabase object)"),
            "{card}"
        );
    }

    #[test]
    fn no_epoch_panics() {
        assert_eq!(date(1_709_251_200), "2024-03-01");
        assert_eq!(date(i64::MAX), "at an unknown time");
    }
}
