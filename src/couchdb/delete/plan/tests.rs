//! Facts that allow a plan, and each one that does not.

use super::*;
use crate::couchdb::delete::catch_up::{Behind, CatchUp};
use crate::couchdb::delete::facts::Settings;
use crate::couchdb::delete::past::{LastClaim, PastEvent};
use crate::couchdb::delete::risk::Acceptance;
use crate::couchdb::delete::work::{List, Task, Work};
use crate::couchdb::pods::PodState;
use crate::couchdb::response::{DatabaseInfo, Membership, Sequence, Server, Sizes};
use crate::model::ownership::{Mention, Object, Past, Unclaimed};
use proptest::prelude::*;
use serde_json::json;

pub(crate) fn map(epoch: u64) -> ShardMap {
    ShardMap {
        rev: "1-abc".into(),
        shard_suffix: format!(".{epoch}").into_bytes(),
        by_node: (0..3)
            .map(|i| {
                let ranges = ["00000000-7fffffff", "80000000-ffffffff"].map(str::to_owned);
                (format!("couchdb@db-{i}"), ranges.to_vec())
            })
            .collect(),
        conflicts: Vec::new(),
    }
}

/// A database on three members that nothing stands against.
pub(crate) fn facts() -> Facts {
    let nodes: Vec<String> = (0..3).map(|i| format!("couchdb@db-{i}")).collect();
    Facts {
        name: DatabaseName::parse("pds_database").unwrap(),
        target: Target {
            pod: "db-agora-kvs-secure-kvs-agora-couchdb-0".into(),
            uid: "uid-0".into(),
            ..Target::example(5984)
        },
        pods: (0..3)
            .map(|i| PodState {
                name: format!("db-agora-kvs-secure-kvs-agora-couchdb-{i}"),
                uid: format!("uid-{i}"),
                ready: true,
            })
            .collect(),
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
            doc_del_count: Some(1_204),
            sizes: Sizes {
                file: 3_100_000_000,
                active: Some(2_900_000_000),
                external: Some(5_000_000_000),
            },
            update_seq: Sequence::parse(&json!("1300000-g1AAAB")),
            purge_seq: Sequence::parse(&json!("0-g1AAAA")),
            instance_start_time: "0".into(),
        },
        shard_map: map(1_709_251_200),
        shard_map_document: json!({"_id": "pds_database", "_rev": "1-abc", "by_node": {}}),
        settings: nodes
            .iter()
            .map(|n| {
                let settings = Settings {
                    recovery: Ok(false),
                    maintenance: Ok(None),
                };
                (n.clone(), settings)
            })
            .collect(),
        members: nodes
            .into_iter()
            .map(|n| (n, Member::Has(map(1_709_251_200))))
            .collect(),
        catch_up: CatchUp::default(),
        work: Work::default(),
        unclaimed: Unclaimed::example(12, Vec::new(), Vec::new()),
        last_claim: LastClaim::find(
            Ok(Vec::new()),
            Ok(Vec::new()),
            &DatabaseName::parse("pds_database").unwrap(),
        ),
    }
}

/// The same with every risk there is.
pub(crate) fn troubled() -> Facts {
    let mut facts = facts();
    let foreign = "couchdb@db-5".to_owned();
    let ranges = vec!["00000000-7fffffff".to_owned()];
    for (_, view) in &mut facts.members {
        if let Member::Has(map) = view {
            map.by_node.insert(foreign.clone(), ranges.clone());
        }
    }
    facts.shard_map.by_node.insert(foreign.clone(), ranges);
    let no_such_node = Member::NotRead("it answered 404 no such node".into());
    facts.members.push((foreign, no_such_node));
    facts.members[2].1 = Member::Down;
    facts.catch_up.behind = vec![Behind::Started("couchdb@db-1".into())];
    facts.settings[1].1.maintenance = Ok(Some("true".into()));
    let docs = json!({"docs": [{"database": "_replicator", "doc_id": "nightly", "id": null, "state": "pending",
        "source": "https://elsewhere/orders/", "target": "http://admin:secret@db:5984/pds_database/"}]});
    let tasks = json!([{"type": "indexer", "node": "couchdb@db-0", "database": "shards/00000000-7fffffff/pds_database.1709251200"}]);
    let name = facts.name.clone();
    facts
        .work
        .take(List::ReplicationDocuments, Ok(Some(&docs)), &name);
    facts.work.take(List::ActiveTasks, Ok(Some(&tasks)), &name);
    let past = Past {
        by: "revision 2 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2)".into(),
        at: Some("2026-11-20T10:00:00Z".into()),
    };
    facts.unclaimed = Unclaimed::example(12, vec![past], Vec::new());
    facts.last_claim.event = Ok(Some(PastEvent {
        by: "HelmRelease flux-system/x".into(),
        reason: "UninstallSucceeded".into(),
        at: None,
    }));
    facts
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
fn a_doubtful_member_is_a_refusal() {
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
    assert!(one(|f| f.members[2].1 = Member::Never).contains("does not have"));
    assert!(one(|f| f.members[2].1 = Member::Deleted).contains("does not have"));
    assert!(one(|f| f.members[2].1 = Member::Has(map(1))).contains("another database"));
    assert!(one(|f| f.members[2].1 = Member::NotRead("timeout".into())).contains("(timeout)"));
    assert!(one(|f| f.members[2].1 = Member::Silent).contains("does not answer"));
    let other_map = |f: &mut Facts| {
        let mut map = map(1_709_251_200);
        map.by_node.remove(&f.members[0].0);
        f.members[2].1 = Member::Has(map);
    };
    assert!(one(other_map).contains("another shard map"));
    assert!(
        one(|f| {
            f.members.pop();
        })
        .contains("was not asked")
    );
}

#[test]
fn a_member_that_is_away_is_a_risk_with_a_name() {
    let changes: [fn(&mut Facts); 2] = [
        |f| {
            f.membership.all_nodes.pop();
        },
        |f| f.members[2].1 = Member::Down,
    ];
    for change in changes {
        let mut facts = facts();
        change(&mut facts);
        let refusals = plan(facts.clone()).unwrap().cleared().unwrap_err();
        assert_eq!(refusals.len(), 1);
        assert!(
            refusals[0]
                .to_string()
                .starts_with("member couchdb@db-2 is ")
        );
        assert!(
            refusals[0]
                .to_string()
                .ends_with("; a deletion now would leave the data on its disk")
        );
        let hint = refusals[0].hint().unwrap().plain();
        assert_eq!(
            hint,
            "bring the member back, then run this again; or take it on: --accept=member-down"
        );
        let taken = plan(facts).unwrap().under(Overrides {
            accepted: Accepted::new([RiskKind::MemberDown]),
            token: None,
        });
        assert!(taken.accepted().not_needed(taken.risks()).is_empty());
        assert!(taken.cleared().is_ok());
    }
}

#[test]
fn each_risk_needs_its_own_word() {
    use RiskKind::*;
    let all = [
        MemberDown,
        Maintenance,
        Replication,
        Tasks,
        RecentClaim,
        ForeignMember,
        CatchingUp,
    ];
    let cleared = |kinds: &[RiskKind]| {
        let overrides = Overrides {
            accepted: Accepted::new(kinds.iter().copied()),
            token: None,
        };
        plan(troubled()).unwrap().under(overrides).cleared()
    };
    assert!(cleared(&all).is_ok());
    for left_out in all {
        let others: Vec<RiskKind> = all.into_iter().filter(|k| *k != left_out).collect();
        let refusals = cleared(&others).unwrap_err();
        assert_eq!(refusals.len(), 1, "{left_out:?}");
        let hint = refusals[0].hint().unwrap().plain();
        assert!(
            hint.ends_with(&format!("--accept={}", left_out.name())),
            "{hint}"
        );
    }
    let quiet = plan(facts()).unwrap();
    let accepted = Accepted::new([Tasks, Writes]);
    assert_eq!(
        accepted.not_needed(quiet.risks()),
        [&Acceptance::Kind(Tasks)]
    );
}

#[test]
fn the_plan_that_was_reviewed_is_the_one_or_it_is_refused() {
    let token = plan(facts()).unwrap().token().clone();
    let with = |change: fn(&mut Facts)| {
        let mut facts = facts();
        change(&mut facts);
        let overrides = Overrides {
            accepted: Accepted::new([RiskKind::Tasks]),
            token: Some(token.clone()),
        };
        let refusals = plan(facts).unwrap().under(overrides).cleared().err();
        let told: Vec<String> = refusals.iter().flatten().map(ToString::to_string).collect();
        told.join("\n")
    };
    assert_eq!(with(|_| {}), "");
    insta::assert_snapshot!(with(|f| f.pods[1].uid = "other".into()), @"since the plan was made, pods of CouchDB were replaced, added or removed: now db-agora-kvs-secure-kvs-agora-couchdb-0, db-agora-kvs-secure-kvs-agora-couchdb-1, db-agora-kvs-secure-kvs-agora-couchdb-2");
    insta::assert_snapshot!(with(|f| { f.database.doc_count += 1; f.database.update_seq = Sequence::parse(&json!("1300001-x")); }), @r"
    since the plan was made, the number of documents changed: now 1,204,312 documents, and 1,204 deleted
    since the plan was made, documents were written or purged: the update sequence is now 1,300,001
    ");
    insta::assert_snapshot!(with(|f| f.shard_map.rev = "3-x".into()), @"since the plan was made, the database is another one, or was created again: now pds_database, created 2024-03-01");
    insta::assert_snapshot!(with(|f| f.server.version = "3.3.3".into()), @"since the plan was made, CouchDB is another one or has another version: now 3.3.3, UUID 5d0a");
    insta::assert_snapshot!(with(|f| { let tasks = json!([{"type": "indexer", "database": "pds_database"}]); let name = f.name.clone(); f.work.take(List::ActiveTasks, Ok(Some(&tasks)), &name); }), @"since the plan was made, the risks changed: see the new plan");
}

#[test]
fn the_shard_map_is_kept_whole() {
    let plan = plan(facts()).unwrap();
    assert_eq!(plan.shard_map_document()["_id"], "pds_database");
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
        refusals(|f| f.database.update_seq = None),
        refusals(|f| f.database.doc_del_count = None),
        refusals(|f| f.settings[1].1.maintenance = Err("CouchDB answered 500".into())),
        refusals(|f| f.pods.clear()),
        refusals(|f| f.shard_map.conflicts = vec!["1-b".into()]),
        refusals(|f| {
            let mut map = map(1_709_251_200);
            map.conflicts = vec!["1-b".into()];
            f.members[1].1 = Member::Has(map);
        }),
        refusals(|f| {
            let why = "CouchDB answered 404".to_owned();
            let what = "whether member couchdb@db-1 has caught up".to_owned();
            f.catch_up.unread.push((what, why));
        }),
        refusals(|f| {
            f.shard_map.by_node.clear();
            for (_, view) in &mut f.members {
                if let Member::Has(map) = view {
                    map.by_node.clear();
                }
            }
        }),
        refusals(|f| {
            f.work.take(
                List::ReplicationJobs,
                Err("CouchDB answered 500".into()),
                &f.name.clone(),
            )
        }),
    ] {
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("could not be read: "), "{told:?}");
    }
    assert!(!refusals(|f| f.shard_map.shard_suffix.clear()).is_empty());
}

/// Why a plan of `facts()` does not hold any more, under these overrides, when it is made anew of other facts.
fn held(overrides: Overrides, change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let shown = plan(facts()).unwrap().under(overrides);
    let mut later = facts();
    change(&mut later);
    let refusals = shown.still_holds(plan(later).unwrap()).err();
    let words = refusals.into_iter().flatten().map(|r| r.to_string());
    words.collect()
}

#[test]
fn what_has_come_up_since_the_question_stops_the_deletion() {
    let written = |f: &mut Facts| f.database.doc_count += 1;
    let replaced = |f: &mut Facts| f.pods[1].uid.push('x');
    let indexed = |f: &mut Facts| {
        f.work.tasks.push(Task {
            kind: "indexer".into(),
            member: None,
        });
    };
    let none = Overrides::default;
    let accepted = |kind| Overrides {
        accepted: Accepted::new([kind]),
        token: None,
    };
    let token = |kind| Overrides {
        token: Some(plan(facts()).unwrap().token().clone()),
        ..accepted(kind)
    };
    assert_eq!(held(none(), |_| ()), Vec::<String>::new());
    for (overrides, change, word) in [
        (
            none(),
            &written as &dyn Fn(&mut Facts),
            "documents were written since",
        ),
        (none(), &replaced, "pods of CouchDB were replaced"),
        (none(), &indexed, "works on it (1 task)"),
        (
            accepted(RiskKind::Writes),
            &replaced,
            "pods of CouchDB were replaced",
        ),
        (
            token(RiskKind::Writes),
            &written,
            "number of documents changed",
        ),
        (token(RiskKind::Tasks), &indexed, "the risks changed"),
    ] {
        let words = held(overrides, change);
        assert!(words.iter().any(|w| w.contains(word)), "{word}: {words:?}");
    }
    assert!(held(accepted(RiskKind::Writes), written).is_empty());
    assert!(held(accepted(RiskKind::Tasks), indexed).is_empty());
}

#[test]
fn the_deletion_compares_all_that_the_plan_saw() {
    let mut facts = facts();
    let none = json!({"jobs": [], "docs": []});
    for list in [List::ReplicationDocuments, List::ReplicationJobs] {
        facts.work.take(list, Ok(Some(&none)), &facts.name.clone());
    }
    let plan = plan(facts).unwrap();
    #[expect(clippy::disallowed_methods, reason = "only looked at")]
    let deletion = plan.deletion();
    let lines: Vec<String> = deletion
        .guards()
        .iter()
        .map(|g| format!("{} {}", g.path.as_str(), g.holds))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    /_scheduler/jobs?limit=2000 "jobs":[]
    /_scheduler/docs?limit=2000&states=initializing,error,pending,running,crashing "docs":[]
    / "uuid":"5d0a"
    / "version":"3.2.2"
    /_membership "all_nodes":["couchdb@db-0","couchdb@db-1","couchdb@db-2"]
    /_membership "cluster_nodes":["couchdb@db-0","couchdb@db-1","couchdb@db-2"]
    /_node/_local/_dbs/pds_database "_rev":"1-abc"
    /_node/_local/_dbs/pds_database "shard_suffix":[46,49,55,48,57,50,53,49,50,48,48]
    /pds_database "db_name":"pds_database"
    /pds_database "instance_start_time":"0"
    /pds_database "doc_count":1204311
    /pds_database "doc_del_count":1204
    /pds_database "update_seq":"1300000-
    /pds_database "purge_seq":"0-
    "#);
    assert_eq!(*deletion.database(), Path::database(plan.name()));
    let writing = plan.under(Overrides {
        accepted: Accepted::new([RiskKind::Writes]),
        token: None,
    });
    #[expect(clippy::disallowed_methods, reason = "only looked at")]
    let fewer = writing.deletion();
    let guards = deletion.guards();
    assert_eq!(*fewer.guards(), guards[..guards.len() - 4]);
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
        prop_assert_eq!(plan(facts).is_ok_and(|p| p.cleared().is_ok()), all);
    }
}

#[test]
fn an_object_is_accepted_as_it_was_shown() {
    let planned = |resource_version: &str, generation| {
        let object = Object {
            kind: "HelmRelease".to_owned(),
            namespace: "apps".to_owned(),
            name: "shop".to_owned(),
            resource_version: resource_version.to_owned(),
            generation,
        };
        let accepted = Accepted::new([Acceptance::Object(object.accept())]);
        let mut facts = facts();
        let mention = Mention::example(object, "mentions it");
        facts.unclaimed = Unclaimed::example(12, Vec::new(), vec![mention]);
        plan(facts).unwrap().under(Overrides {
            accepted,
            token: None,
        })
    };
    let held = |now: Plan| planned("7", Some(1)).still_holds(now);
    // A status was written: its spec is what was accepted.
    assert_eq!(held(planned("8", Some(1))), Ok(()));
    let told = held(planned("8", Some(2))).unwrap_err()[0].to_string();
    assert_eq!(
        told,
        "since the plan was made, helmrelease/apps/shop has changed"
    );
    // What does not count its changes is compared whole.
    let whole = planned("7", None).still_holds(planned("8", None));
    assert_eq!(whole.unwrap_err().len(), 1);
}
