//! Each risk as it is told.

use super::super::plan::tests::{facts, troubled};
use super::*;
use clap::ValueEnum;

#[test]
fn a_quiet_database_has_none() {
    assert_eq!(assess(&facts()), []);
}

#[test]
fn each_risk_is_a_sentence() {
    let told: Vec<String> = assess(&troubled())
        .iter()
        .map(|r| format!("{}: {}", r.accept.name(), r.what))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    maintenance: member couchdb@db-1 is in maintenance (maintenance_mode = true)
    member-down: member couchdb@db-2 is down; a deletion now would leave the data on its disk
    foreign-member: its shard map names couchdb@db-5, which is not a member of the cluster: a deletion reaches neither its copies nor older files of them on other members
    catching-up: member couchdb@db-1 was started less than ten minutes ago and internal replication has not finished: a copy may be stale
    replication: replication of document _replicator/nightly (pending) writes into it from https://elsewhere/orders/ and may create it again
    tasks: indexer works on it (1 task)
    recent-claim: revision 2 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2) was installed with it; uninstalled at 2026-11-20T10:00:00Z, and its history is kept
    ");
}

#[test]
fn a_replication_is_told_by_what_it_does() {
    let told = |role| {
        sentence(&Replication {
            id: Some("ab+continuous".into()),
            document: None,
            state: "running".into(),
            role,
            source: Some("http://here/pds_database/".into()),
            target: None,
        })
    };
    assert_eq!(
        told(Role::Source),
        "replication ab+continuous (running) reads from it for ?"
    );
    assert_eq!(
        told(Role::NotTold),
        "replication ab+continuous (running) has neither source nor target"
    );
}

#[test]
fn the_names_are_those_of_the_command_line() {
    for kind in RiskKind::value_variants() {
        let value = kind.to_possible_value().unwrap();
        assert_eq!(value.get_name(), kind.name());
    }
}
