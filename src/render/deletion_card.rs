//! The plan as it is shown before the question: what is deleted, how much, what speaks against it, and whether it is final.

use super::card::Row;
use crate::couchdb::delete::facts::{Doubt, Facts, Member};
use crate::couchdb::delete::plan::Plan;
use crate::couchdb::delete::work::{Role, Work};
use crate::text::{bytes, count, one_line, thousands};
use std::path::Path;

/// What will be done, and what is left of it.
pub fn heading(plan: &Plan, backup: Option<&Path>) -> String {
    let what = match backup {
        None => "This deletes a database and all its documents.",
        Some(_) => "This saves a database to a file, then deletes it and all its documents.",
    };
    match undo(plan.facts(), backup.is_some()) {
        Some(undo) => format!("{what} {undo}"),
        None => what.to_owned(),
    }
}

/// The card's rows. `backup`: the file that is written first.
pub fn rows(plan: &Plan, backup: Option<&Path>) -> Vec<Row> {
    let facts = plan.facts();
    let up = facts
        .members
        .iter()
        .filter(|(name, m)| facts.holds(name) && matches!(m, Member::Has(_)))
        .count();
    let ready = facts.pods.iter().filter(|p| p.ready).count();
    let database = &facts.database;
    let row = |key: &'static str, value: String| (key, value);
    let mut rows = vec![
        row(
            "CouchDB",
            format!(
                "{}, {}, {up} of {} up, {ready} of {} ready",
                facts.target.address(),
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
                facts.created()
            ),
        ),
        row("", contents(facts)),
        row("Backup", kept(backup)),
        row("At work", work(facts)),
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
        rows.push(row("Risk", format!("{}: {word}", risk.what)));
    }
    rows.push(row("Plan", plan.token().to_string()));
    rows
}

/// The copy that is left.
fn kept(backup: Option<&Path>) -> String {
    match backup {
        None => "none; add --backup FILE to keep a copy".to_owned(),
        Some(file) => one_line(&file.display().to_string()),
    }
}

/// What is left after a deletion, by what each member says of itself; `None` with nothing to add.
fn undo(facts: &Facts, backup: bool) -> Option<String> {
    let keeps = |m: &&String| matches!(facts.settings_of(m).map(|s| &s.recovery), Some(Ok(true)));
    let tells = |m: &&String| matches!(facts.settings_of(m).map(|s| &s.recovery), Some(Ok(_)));
    // Of a member without a copy it does not matter, and a node that is not a member is a risk of its own.
    let members = &facts.membership.cluster_nodes;
    let all: Vec<&String> = members.iter().filter(|m| facts.holds(m)).collect();
    let keeping = all.iter().filter(|m| keeps(m));
    let keeping: Vec<String> = keeping.map(|m| one_line(m)).collect();
    if keeping.is_empty() {
        let known = all.iter().all(tells);
        return match (backup, known) {
            (true, _) => None,
            (false, true) => Some("This cannot be undone.".to_owned()),
            (false, false) => Some("This cannot be undone, unless the server keeps the files of deleted databases, which could not be read.".to_owned()),
        };
    }
    let who = if keeping.len() == all.len() {
        String::new()
    } else {
        format!(" on {}", keeping.join(", "))
    };
    Some(format!(
        "This server keeps the files of deleted databases{who} (enable_database_recovery): the data stays on its disks."
    ))
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

/// CouchDB's lists of what is at work leave out what runs on members that it does not reach, and do not say so.
fn work(facts: &Facts) -> String {
    let away = |member: &&String| matches!(facts.doubt(member), Some(Doubt::Away(_)));
    let away = facts.membership.cluster_nodes.iter().filter(away).count() as u64;
    let seen = seen(&facts.work);
    match (facts.work.is_none(), away) {
        (true, 0) => format!("nothing: {seen}"),
        (false, 0) => seen,
        (_, away) => format!("{seen}; not known of {}", count(away, "unreachable member")),
    }
}

fn seen(work: &Work) -> String {
    if work.is_none() {
        return "no replication and no task".to_owned();
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
    let claim = last_trace(facts);
    match &facts.last_claim.kustomizations_unread {
        None => claim,
        Some(why) => format!(
            "{claim}; whether a Kustomization still lists it is not known: {}",
            one_line(why)
        ),
    }
}

/// The newest trace of a claim that is gone.
fn last_trace(facts: &Facts) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::couchdb::delete::plan::Overrides;
    use crate::couchdb::delete::plan::plan;
    use crate::couchdb::delete::plan::tests::{facts, troubled};
    use crate::couchdb::delete::risk::{Accepted, RiskKind};

    /// The card without the rows that say which cluster it is.
    fn shown(plan: &Plan, backup: Option<&str>) -> String {
        let backup = backup.map(Path::new);
        let rows = rows(plan, backup);
        let rows = rows.iter().map(|(key, value)| format!("{key:<13}{value}"));
        let all: Vec<String> = [heading(plan, backup)].into_iter().chain(rows).collect();
        all.join("\n")
    }

    #[test]
    fn the_card_says_where_and_what() {
        insta::assert_snapshot!(shown(&plan(facts()).unwrap(), None), @r"
        This deletes a database and all its documents. This cannot be undone.
        CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container couchdb, port 5984), 3.2.2, 3 of 3 members up, 3 of 3 pods ready
        Database     pds_database   1,204,311 documents, 3.1 GB on each copy, created 2024-03-01
                     1,204 deleted documents, 2.9 GB in use, 5.0 GB uncompressed, update sequence 1,300,000
        Backup       none; add --backup FILE to keep a copy
        At work      nothing: no replication and no task
        Onboarding   none claims it (12 HelmReleases in all namespaces checked)
        Last claim   not known: no history of Helm and no event is left
        Plan         v1-l4tjcrm3rprht7uac46x7w43rg-uw365se6iednka74bterq
        ");
    }

    #[test]
    fn only_without_a_backup_it_cannot_be_undone() {
        let plan = plan(facts()).unwrap();
        assert!(shown(&plan, None).contains("This cannot be undone."));
        let kept = shown(&plan, Some("kept\u{1b}.gz"));
        assert!(!kept.contains("undone"), "{kept}");
        assert!(kept.contains("\nBackup       kept^[.gz\n"), "{kept}");
    }

    #[test]
    fn risks_and_a_last_claim_are_shown() {
        let plan = plan(troubled()).unwrap().under(Overrides {
            accepted: Accepted::new([RiskKind::Tasks]),
            token: None,
        });
        insta::assert_snapshot!(shown(&plan, None), @r"
        This deletes a database and all its documents. This cannot be undone.
        CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container couchdb, port 5984), 3.2.2, 2 of 4 members up, 3 of 3 pods ready
        Database     pds_database   1,204,311 documents, 3.1 GB on each copy, created 2024-03-01
                     1,204 deleted documents, 2.9 GB in use, 5.0 GB uncompressed, update sequence 1,300,000
        Backup       none; add --backup FILE to keep a copy
        At work      1 replication (1 into it), 1 task; not known of 1 unreachable member
        Onboarding   none claims it (12 HelmReleases in all namespaces checked)
        Last claim   revision 2 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2), uninstalled 2026-11-20T10:00:00Z
        Risk         member couchdb@db-1 is in maintenance (maintenance_mode = true): needs --accept=maintenance
        Risk         member couchdb@db-2 is down; a deletion now would leave the data on its disk: needs --accept=member-down
        Risk         its shard map names couchdb@db-5, which is not a member of the cluster: a deletion reaches neither its copies nor older files of them on other members: needs --accept=foreign-member
        Risk         member couchdb@db-1 was started less than ten minutes ago and internal replication has not finished: a copy may be stale: needs --accept=catching-up
        Risk         replication of document _replicator/nightly (pending) writes into it from https://elsewhere/orders/ and may create it again: needs --accept=replication
        Risk         indexer works on it (1 task): taken on (--accept=tasks)
        Risk         revision 2 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2) was installed with it; uninstalled at 2026-11-20T10:00:00Z, and its history is kept: needs --accept=recent-claim
        Plan         v1-qhb2xpbjhs4ucfzp2lado76dad-uw365se6iednka74btuj5
        ");
    }

    #[test]
    fn what_a_member_that_is_away_runs_is_not_nothing() {
        let mut facts = facts();
        facts.membership.all_nodes.pop();
        let card = shown(&plan(facts).unwrap(), None);
        let row = "\nAt work      no replication and no task; not known of 1 unreachable member\n";
        assert!(card.contains(row), "{card}");
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let mut facts = facts();
        facts.settings[1].1.recovery = Err("CouchDB answered 500".into());
        facts.unclaimed = facts.unclaimed.with_database_objects(1);
        facts.last_claim.event = Err("forbidden (list events in all namespaces)".into());
        facts.last_claim.kustomizations_unread = Some("timed out".into());
        let card = shown(&plan(facts.clone()).unwrap(), None);
        for told in [
            "This cannot be undone, unless the server keeps the files of deleted databases, which could not be read.",
            "checked, 1 couchdbdatabase object)",
            "the events could not be read: forbidden (list events in all namespaces)",
            "whether a Kustomization still lists it is not known: timed out",
        ] {
            assert!(card.contains(told), "{card}");
        }
        facts.settings[0].1.recovery = Ok(true);
        let card = shown(&plan(facts.clone()).unwrap(), None);
        assert!(card.contains("databases on couchdb@db-0 (enable"), "{card}");
        facts
            .settings
            .iter_mut()
            .for_each(|(_, s)| s.recovery = Ok(true));
        let card = shown(&plan(facts).unwrap(), None);
        assert!(card.contains("databases (enable"), "{card}");
    }
}
