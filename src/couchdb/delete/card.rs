//! The plan as it is shown before the question: where, what, how much, what speaks against it, and that it is final.

use super::facts::{Facts, Member};
use super::plan::Plan;
use super::work::{Role, Work};
use crate::text::fold::fold;
use crate::text::{bytes, count, one_line, thousands};
use k8s_openapi::jiff::{Timestamp, tz::TimeZone};

/// Column at which the card's values start.
const VALUE: usize = 15;

/// The card's lines. `context` is the kubeconfig's, `server` the API server's URL.
pub fn lines(plan: &Plan, context: Option<&str>, server: &str) -> Vec<String> {
    let facts = plan.facts();
    let up = facts
        .members
        .iter()
        .filter(|(name, m)| facts.holds(name) && matches!(m, Member::Has(_)))
        .count();
    let ready = facts.pods.iter().filter(|p| p.ready).count();
    let database = &facts.database;
    let row = |key: &str, value: String| format!("  {key:<width$}{value}", width = VALUE - 2);
    let mut lines = vec![
        format!(
            "This deletes a database and all its documents. {}",
            undo(facts)
        ),
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
                "{}, {}, {up} of {} up, {ready} of {} ready",
                facts.target,
                one_line(&facts.server.version),
                count(plan.members().len() as u64, "member"),
                count(facts.pods.len() as u64, "pod")
            ),
        ),
        row(
            "Database",
            format!(
                "{}   {}, {} on each copy, created {}",
                facts.name,
                count(database.doc_count, "document"),
                bytes(database.sizes.file),
                created(facts)
            ),
        ),
        row("", contents(facts)),
        row("At work", work(&facts.work)),
        row("Onboarding", format!("none claims it ({})", checked(facts))),
        row("Last claim", last_claim(facts)),
    ];
    for risk in plan.risks() {
        let name = risk.accept.name();
        let word = if plan.accepted().takes(&risk.accept) {
            format!("taken on (--accept={name})")
        } else {
            format!("needs --accept={name}")
        };
        lines.push(row("Risk", format!("{}: {word}", risk.what)));
    }
    lines.push(row("Plan", plan.token().to_string()));
    lines.push(String::new());
    lines
}

/// What is left after a deletion, by what each member says of itself.
fn undo(facts: &Facts) -> String {
    let keeps = |m: &&String| matches!(facts.settings_of(m).map(|s| &s.recovery), Some(Ok(true)));
    let tells = |m: &&String| matches!(facts.settings_of(m).map(|s| &s.recovery), Some(Ok(_)));
    let all = &facts.membership.cluster_nodes;
    let keeping: Vec<String> = all.iter().filter(keeps).map(|m| one_line(m)).collect();
    if keeping.is_empty() && all.iter().all(|m| tells(&m)) {
        return "There is no undo on this server.".to_owned();
    }
    if keeping.is_empty() {
        return "Whether this server keeps the files of deleted databases could not be read."
            .to_owned();
    }
    let who = if keeping.len() == all.len() {
        String::new()
    } else {
        format!(" on {}", keeping.join(", "))
    };
    format!(
        "This server keeps the files of deleted databases{who} (enable_database_recovery): the data stays on its disks."
    )
}

fn contents(facts: &Facts) -> String {
    let database = &facts.database;
    let size = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), bytes);
    let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), thousands);
    format!(
        "{} deleted documents, {} in use, {} uncompressed, update sequence {}",
        number(database.doc_del_count),
        size(database.sizes.active),
        size(database.sizes.external),
        number(database.update_seq.as_ref().map(|s| s.number))
    )
}

fn work(work: &Work) -> String {
    if work.replications.is_empty() && work.tasks.is_empty() {
        return "nothing: no replication and no task".to_owned();
    }
    let into = work.replications.iter().filter(|r| r.role == Role::Target);
    let (into, all) = (into.count() as u64, work.replications.len() as u64);
    format!(
        "{} ({into} into it), {}",
        count(all, "replication"),
        count(work.tasks.len() as u64, "task")
    )
}

fn checked(facts: &Facts) -> String {
    let looked = facts.unclaimed.looked_at();
    let releases = count(looked.helm_releases as u64, "HelmRelease");
    let mut checked = format!("{releases} in all namespaces checked");
    if let Some(objects) = looked.database_objects {
        let objects = count(objects as u64, "couchdbdatabase object");
        checked.push_str(&format!(", {objects}"));
    }
    checked
}

fn last_claim(facts: &Facts) -> String {
    if let Some(past) = facts.unclaimed.past().last() {
        let at = past
            .at
            .as_ref()
            .map(|at| format!(", uninstalled {}", one_line(at)));
        return format!("{}{}", past.by, at.unwrap_or_default());
    }
    match &facts.last_claim.event {
        Ok(Some(event)) => format!(
            "{}, by its name or event ({}{})",
            event.by,
            event.reason,
            event
                .at
                .as_ref()
                .map(|at| format!(" {at}"))
                .unwrap_or_default()
        ),
        Ok(None) => "not known: no history of Helm and no event is left".to_owned(),
        Err(why) => format!(
            "not known: no history of Helm is left, and the events could not be read: {}",
            one_line(why)
        ),
    }
}

/// When the database was created.
pub(super) fn created(facts: &Facts) -> String {
    let epoch = facts.shard_map.epoch();
    epoch.map_or_else(|| "at an unknown time".to_owned(), date)
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
    use super::super::plan::Overrides;
    use super::super::plan::plan;
    use super::super::plan::tests::{facts, troubled};
    use super::super::risk::{Accepted, RiskKind};
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
          CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container couchdb), 3.2.2, 3 of 3 members up, 3 of 3 pods ready
          Database     pds_database   1,204,311 documents, 3.1 GB on each copy, created 2024-03-01
                       1,204 deleted documents, 2.9 GB in use, 5.0 GB uncompressed, update sequence 1,300,000
          At work      nothing: no replication and no task
          Onboarding   none claims it (12 HelmReleases in all namespaces checked)
          Last claim   not known: no history of Helm and no event is left
          Plan         v1-l4tjcrm3rprht7uac46x7w43rg-uw365se6iednka74bterq
        ");
    }

    #[test]
    fn risks_and_a_last_claim_are_shown_at_each_width() {
        let plan = plan(troubled()).unwrap().under(Overrides {
            accepted: Accepted::new([RiskKind::Tasks]),
            token: None,
        });
        let card = lines(&plan, None, "https://h");
        let at = |width| {
            let all: Vec<String> = card.iter().flat_map(|l| folded(l, Some(width))).collect();
            all.join("\n")
        };
        insta::assert_snapshot!(at(60), @r"
        This deletes a database and all its documents. There is no
        undo on this server.

          Context      <none>   https://h
          CouchDB
                       secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0
                       (container couchdb), 3.2.2, 2 of 4 members
                       up, 3 of 3 pods ready
          Database     pds_database   1,204,311 documents, 3.1 GB on
                       each copy, created 2024-03-01
                       1,204 deleted documents, 2.9 GB in use, 5.0
                       GB uncompressed, update sequence 1,300,000
          At work      1 replication (1 into it), 1 task
          Onboarding   none claims it (12 HelmReleases in all
                       namespaces checked)
          Last claim   revision 2 of Helm release core/x (Secret
                       flux-system/sh.helm.release.v1.x.v2),
                       uninstalled 2026-11-20T10:00:00Z
          Risk         member couchdb@db-1 is in maintenance
                       (maintenance_mode = true): needs
                       --accept=maintenance
          Risk         member couchdb@db-2 is down; a deletion now
                       would leave the data on its disk: needs
                       --accept=member-down
          Risk         its shard map names couchdb@db-5, which is
                       not a member of the cluster: a deletion
                       reaches neither its copies nor older files of
                       them on other members: needs
                       --accept=foreign-member
          Risk         member couchdb@db-1 was started less than ten
                       minutes ago and internal replication has not
                       finished: a copy may be stale: needs
                       --accept=catching-up
          Risk         replication of document _replicator/nightly
                       (pending) writes into it from
                       https://elsewhere/orders/ and may create it
                       again: needs --accept=replication
          Risk         indexer works on it (1 task): taken on
                       (--accept=tasks)
          Risk         revision 2 of Helm release core/x (Secret
                       flux-system/sh.helm.release.v1.x.v2) was
                       installed with it; uninstalled at
                       2026-11-20T10:00:00Z, and its history is
                       kept: needs --accept=recent-claim
          Plan
                       v1-yifxkdnxxucqrt7otlj4jezxez-uw365se6iednka74bthce
        ");
        insta::assert_snapshot!(at(80), @r"
        This deletes a database and all its documents. There is no undo on this server.

          Context      <none>   https://h
          CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container
                       couchdb), 3.2.2, 2 of 3 members up, 3 of 3 pods ready
          Database     pds_database   1,204,311 documents, 3.1 GB on each copy, created
                       2024-03-01
                       1,204 deleted documents, 2.9 GB in use, 5.0 GB uncompressed,
                       update sequence 1,300,000
          At work      1 replication (1 into it), 1 task
          Onboarding   none claims it (12 HelmReleases in all namespaces checked)
          Last claim   revision 2 of Helm release core/x (Secret
                       flux-system/sh.helm.release.v1.x.v2), uninstalled
                       2026-11-20T10:00:00Z
          Risk         member couchdb@db-1 is in maintenance (maintenance_mode = true):
                       needs --accept=maintenance
          Risk         member couchdb@db-2 is down; a deletion now would leave the data
                       on its disk: needs --accept=member-down
          Risk         replication of document _replicator/nightly (pending) writes into
                       it from https://elsewhere/orders/ and may create it again: needs
                       --accept=replication
          Risk         indexer works on it (1 task): taken on (--accept=tasks)
          Risk         revision 2 of Helm release core/x (Secret
                       flux-system/sh.helm.release.v1.x.v2) was installed with it;
                       uninstalled at 2026-11-20T10:00:00Z, and its history is kept:
                       needs --accept=recent-claim
          Plan         v1-yifxkdnxxucqrt7otlj4jezxez-uw365se6iednka74bthce
        ");
        insta::assert_snapshot!(at(120), @r"
        This deletes a database and all its documents. There is no undo on this server.

          Context      <none>   https://h
          CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container couchdb), 3.2.2, 2 of 3 members up, 3 of 3
                       pods ready
          Database     pds_database   1,204,311 documents, 3.1 GB on each copy, created 2024-03-01
                       1,204 deleted documents, 2.9 GB in use, 5.0 GB uncompressed, update sequence 1,300,000
          At work      1 replication (1 into it), 1 task
          Onboarding   none claims it (12 HelmReleases in all namespaces checked)
          Last claim   revision 2 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2), uninstalled
                       2026-11-20T10:00:00Z
          Risk         member couchdb@db-1 is in maintenance (maintenance_mode = true): needs --accept=maintenance
          Risk         member couchdb@db-2 is down; a deletion now would leave the data on its disk: needs --accept=member-down
          Risk         replication of document _replicator/nightly (pending) writes into it from https://elsewhere/orders/ and
                       may create it again: needs --accept=replication
          Risk         indexer works on it (1 task): taken on (--accept=tasks)
          Risk         revision 2 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2) was installed with it;
                       uninstalled at 2026-11-20T10:00:00Z, and its history is kept: needs --accept=recent-claim
          Plan         v1-yifxkdnxxucqrt7otlj4jezxez-uw365se6iednka74bthce
        ");
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let mut facts = facts();
        facts.settings[1].1.recovery = Err("CouchDB answered 500".into());
        facts.unclaimed = facts.unclaimed.with_database_objects(1);
        facts.last_claim.event = Err("forbidden (list events in all namespaces)".into());
        let card = lines(&plan(facts.clone()).unwrap(), None, "https://h").join("\n");
        for told in [
            "Whether this server keeps the files of deleted databases could not be read.",
            "checked, 1 couchdbdatabase object)",
            "the events could not be read: forbidden (list events in all namespaces)",
        ] {
            assert!(card.contains(told), "{card}");
        }
        facts.settings[0].1.recovery = Ok(true);
        let card = lines(&plan(facts.clone()).unwrap(), None, "https://h").join("\n");
        assert!(card.contains("databases on couchdb@db-0 (enable"), "{card}");
        facts
            .settings
            .iter_mut()
            .for_each(|(_, s)| s.recovery = Ok(true));
        let card = lines(&plan(facts).unwrap(), None, "https://h").join("\n");
        assert!(card.contains("databases (enable"), "{card}");
    }

    #[test]
    fn no_epoch_panics() {
        assert_eq!(date(1_709_251_200), "2024-03-01");
        assert_eq!(date(i64::MAX), "at an unknown time");
    }
}
