//! Facts that allow a plan, and each one that does not.

use super::*;
use crate::couchdb::response::Sizes;
use proptest::prelude::*;

pub(in crate::couchdb::delete) fn map(epoch: u64) -> ShardMap {
    ShardMap {
        rev: "1-abc".into(),
        shard_suffix: format!(".{epoch}").into_bytes(),
    }
}

/// A database on three members that nothing stands against.
pub(in crate::couchdb::delete) fn facts() -> Facts {
    let nodes: Vec<String> = (0..3).map(|i| format!("couchdb@db-{i}")).collect();
    Facts {
        name: DatabaseName::parse("pds_database").unwrap(),
        target: Target {
            pod: "db-agora-kvs-secure-kvs-agora-couchdb-0".into(),
            uid: "uid-0".into(),
            ..Target::example(5984)
        },
        server: Server {
            couchdb: "Welcome".into(),
            version: "3.2.2".into(),
            uuid: "5d0a".into(),
        },
        membership: Membership {
            all_nodes: nodes.clone(),
            cluster_nodes: nodes.clone(),
        },
        database: DatabaseInfo {
            db_name: "pds_database".into(),
            doc_count: 1_204_311,
            sizes: Sizes {
                file: 3_100_000_000,
            },
            instance_start_time: "0".into(),
        },
        shard_map: map(1_709_251_200),
        members: nodes
            .into_iter()
            .map(|n| (n, Member::Has(map(1_709_251_200))))
            .collect(),
        recovery: Some(false),
        unclaimed: Unclaimed {
            helm_releases: 12,
            ..Unclaimed::default()
        },
    }
}

fn refusals(change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = facts();
    change(&mut facts);
    plan(facts)
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_missing_or_doubtful_member_is_a_refusal() {
    let member = "couchdb@db-2";
    let one = |change: fn(&mut Facts)| {
        let told = refusals(change);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with(&format!("member {member} ")),
            "{told:?}"
        );
        assert!(
            told[0].ends_with("; a deletion now would leave the data on its disk"),
            "{told:?}"
        );
        told[0].clone()
    };
    assert!(
        one(|f| {
            f.membership.all_nodes.pop();
        })
        .contains("is not connected")
    );
    assert!(one(|f| f.members[2].1 = Member::Down).contains("is down"));
    assert!(one(|f| f.members[2].1 = Member::Never).contains("does not have"));
    assert!(one(|f| f.members[2].1 = Member::Deleted).contains("does not have"));
    assert!(one(|f| f.members[2].1 = Member::Has(map(1))).contains("another database"));
    assert!(one(|f| f.members[2].1 = Member::NotRead("timeout".into())).contains("(timeout)"));
    assert!(
        one(|f| {
            f.members.pop();
        })
        .contains("was not asked")
    );
}

#[test]
fn what_is_not_known_for_sure_is_a_refusal() {
    for told in [
        refusals(|f| f.server.couchdb = "PouchDB".into()),
        refusals(|f| f.server.uuid.clear()),
        refusals(|f| f.server.version.clear()),
        refusals(|f| f.database.db_name = "pds_database2".into()),
        refusals(|f| f.shard_map.rev.clear()),
        refusals(|f| f.membership.cluster_nodes.clear()),
    ] {
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("could not be read: "), "{told:?}");
    }
    assert!(!refusals(|f| f.shard_map.shard_suffix.clear()).is_empty());
}

#[test]
fn the_deletion_compares_all_that_the_plan_saw() {
    let plan = plan(facts()).unwrap();
    let Job::Delete { guards, database } = plan.deletion() else {
        panic!("a deletion");
    };
    let lines: Vec<String> = guards
        .iter()
        .map(|g| format!("{} {}", g.path.as_str(), g.holds))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    / "uuid":"5d0a"
    / "version":"3.2.2"
    /_membership "all_nodes":["couchdb@db-0","couchdb@db-1","couchdb@db-2"]
    /_membership "cluster_nodes":["couchdb@db-0","couchdb@db-1","couchdb@db-2"]
    /_node/_local/_dbs/pds_database "_rev":"1-abc"
    /_node/_local/_dbs/pds_database "shard_suffix":[46,49,55,48,57,50,53,49,50,48,48]
    /pds_database "db_name":"pds_database"
    /pds_database "instance_start_time":"0"
    "#);
    assert_eq!(database, Path::database(plan.name()));
}

proptest! {
    #[test]
    fn a_plan_means_that_every_member_has_this_database(views in proptest::collection::vec(0usize..5, 3), connected in proptest::collection::vec(any::<bool>(), 3)) {
        let mut facts = facts();
        for (at, view) in views.iter().enumerate() {
            facts.members[at].1 = [Member::Has(map(1_709_251_200)), Member::Has(map(7)), Member::Deleted, Member::Never, Member::Down][*view].clone();
        }
        let kept: Vec<String> = facts.membership.cluster_nodes.iter().zip(&connected).filter(|(_, c)| **c).map(|(n, _)| n.clone()).collect();
        facts.membership.all_nodes = kept;
        let all = views.iter().all(|v| *v == 0) && connected.iter().all(|c| *c);
        prop_assert_eq!(plan(facts).is_ok(), all);
    }
}
