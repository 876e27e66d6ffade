//! Each answer to a DELETE with each thing that members can say.

use super::super::plan::{
    plan,
    tests::{facts, map},
};
use super::super::sent::sent;
use super::*;
use crate::cluster::ClusterError;
use crate::couchdb::response::{NoResponse, Response};
use crate::couchdb::script::Unfit;
use crate::couchdb::transport::{Answers, Failure};
use kube::core::Status;
use proptest::prelude::*;
use serde_json::json;

fn response(status: u16, body: serde_json::Value) -> Response {
    Response {
        status,
        request_id: None,
        body,
    }
}

fn answer(status: u16, body: serde_json::Value) -> Sent {
    sent(Ok(Answers {
        deletion: Some(Ok(response(status, body))),
        sending: true,
        ..Answers::default()
    }))
}

fn deleted() -> ReadBack {
    Ok(facts()
        .members
        .into_iter()
        .map(|(n, _)| (n, Member::Deleted))
        .collect())
}

fn with(change: impl FnOnce(&mut Vec<(String, Member)>)) -> ReadBack {
    let mut members = deleted().unwrap();
    change(&mut members);
    Ok(members)
}

fn end(sent: Sent, read_back: ReadBack) -> Outcome {
    conclude(&plan(facts()).unwrap(), sent, read_back)
}

#[test]
fn only_a_200_is_a_deletion_though_a_202_has_the_same_body() {
    let ok = || json!({"ok": true});
    assert_eq!(answer(200, ok()), Sent::Done);
    assert_eq!(answer(202, ok()), Sent::Accepted);
    assert_eq!(end(Sent::Done, deleted()).code(), Code::Ok);
    assert_eq!(
        end(Sent::Done, deleted()),
        Outcome::Deleted {
            gone: 3,
            of: 3,
            unread: vec![]
        }
    );
    assert_eq!(end(Sent::Accepted, deleted()).code(), Code::Incomplete);
    assert!(matches!(answer(200, json!({})), Sent::Unknown { .. }));
}

#[test]
fn couchdbs_refusals_deleted_nothing() {
    for (status, reason) in [
        (400, "bad_request"),
        (401, "unauthorized"),
        (403, "locked"),
        (405, "Only GET"),
    ] {
        let sent = answer(status, json!({"error": "x", "reason": reason}));
        assert!(
            matches!(&sent, Sent::Not(Refusal::ByCouchDb { answer }) if answer.contains(reason)),
            "{sent:?}"
        );
        assert_eq!(end(sent, deleted()).code(), Code::Refused);
    }
    let gone = answer(
        404,
        json!({"error": "not_found", "reason": "Database does not exist."}),
    );
    assert_eq!(end(gone.clone(), deleted()), Outcome::AlreadyGone);
    assert_eq!(
        end(gone.clone(), Err("no exec".into())),
        Outcome::AlreadyGone
    );
    let later = with(|m| m[0].1 = Member::Has(map(1_764_000_000)));
    assert_eq!(end(gone.clone(), later), Outcome::AlreadyGone);
    // Gone for CouchDB, not for one of its members.
    let left = with(|m| m[2].1 = Member::Has(map(1_709_251_200)));
    let outcome = end(gone, left);
    assert_eq!(outcome.code(), Code::Incomplete);
    assert!(
        matches!(outcome, Outcome::Incomplete { seen, .. } if seen[2] == "couchdb@db-2 still has it")
    );
    assert_eq!(Outcome::AlreadyGone.code(), Code::Failed);
}

#[test]
fn what_may_have_deleted_is_unknown_whatever_is_seen_later() {
    let broken = |why: &str| {
        sent(Ok(Answers {
            deletion: Some(Err(NoResponse::Broken(why.into()))),
            sending: true,
            ..Answers::default()
        }))
    };
    let cases = [
        answer(500, json!({"error": "error", "reason": "timeout"})),
        answer(500, json!({"error": "error", "reason": "conflict"})),
        answer(503, json!(null)),
        answer(412, json!({"error": "nodedown"})),
        answer(404, json!({"error": "not_found", "reason": "missing"})),
        broken("CouchDB did not answer in time"),
        broken("the answer of CouchDB was cut"),
        sent(Ok(Answers {
            sending: true,
            ..Answers::default()
        })),
        // A whole output in which neither the word that it is sent nor a guard is found: both marks of the DELETE got lost.
        sent(Ok(Answers::default())),
        // The answer is there, the end of the output or the status is not.
        sent(Ok(Answers {
            deletion: Some(Ok(response(200, json!({"ok": true})))),
            sending: true,
            lost: Some("the exec was lost".into()),
            ..Answers::default()
        })),
        sent(Err(Failure::Broken("no end within 200s".into()))),
        sent(Err(Failure::Exec(ClusterError::Other(
            "connection reset".into(),
        )))),
        sent(Err(Failure::Exec(ClusterError::Api(Box::new(Status {
            code: 500,
            ..Status::default()
        }))))),
    ];
    for case in cases {
        for seen in [
            deleted(),
            Ok(facts().members),
            Err("the exec failed".to_owned()),
        ] {
            let outcome = end(case.clone(), seen);
            assert!(
                matches!(&outcome, Outcome::Unknown { seen, .. } if !seen.is_empty()),
                "{case:?}: {outcome:?}"
            );
            assert_eq!(outcome.code(), Code::Unknown);
        }
    }
}

#[test]
fn what_was_not_sent_is_refused() {
    let forbidden = ClusterError::Api(Box::new(Status {
        code: 403,
        message: "no".into(),
        ..Status::default()
    }));
    let cases = [
        sent(Err(Failure::Exec(forbidden))),
        sent(Err(Failure::Unfit(Unfit::NoClient))),
        sent(Ok(Answers {
            deletion: Some(Err(NoResponse::NotConnected)),
            sending: true,
            ..Answers::default()
        })),
        sent(Ok(Answers {
            differs: Some("/pds_database \"_rev\":\"1-a\"".into()),
            ..Answers::default()
        })),
        sent(Ok(Answers {
            responses: vec![("/".into(), Ok(response(401, json!({}))))],
            differs: Some("/ x".into()),
            ..Answers::default()
        })),
        // The script said that it sends nothing; only its end was lost.
        sent(Ok(Answers {
            differs: Some("/pds_database \"_rev\":\"1-a\"".into()),
            lost: Some("the exec was lost".into()),
            ..Answers::default()
        })),
    ];
    for case in cases {
        assert!(matches!(case, Sent::Not(_)), "{case:?}");
        assert_eq!(end(case, deleted()).code(), Code::Refused);
    }
}

#[test]
fn a_member_that_keeps_it_makes_it_incomplete() {
    let lagging = with(|m| m[1].1 = Member::Has(map(1_709_251_200)));
    let outcome = end(Sent::Done, lagging);
    assert_eq!(outcome.code(), Code::Incomplete);
    assert!(
        matches!(&outcome, Outcome::Incomplete { seen, .. } if seen[1] == "couchdb@db-1 still has it")
    );
    // Only this database's own files are named: a later one has another suffix.
    assert!(
        matches!(outcome, Outcome::Incomplete { files, .. } if files == "shards/*/pds_database.1709251200.couch .shards/*/pds_database.1709251200_design")
    );
}

#[test]
fn what_was_answered_was_sent_for_certain() {
    let answered = |sent: Sent| match end(sent, deleted()) {
        Outcome::Unknown { answered, .. } => answered,
        other => panic!("{other:?}"),
    };
    assert!(answered(answer(500, json!({"error": "error"}))));
    assert!(!answered(sent(Err(Failure::Broken("no end".into())))));
    assert!(!answered(sent(Ok(Answers {
        deletion: Some(Err(NoResponse::Broken("cut".into()))),
        sending: true,
        ..Answers::default()
    }))));
}

#[test]
fn a_database_that_comes_back_is_told_by_its_later_creation() {
    let back = with(|m| m[0].1 = Member::Has(map(1_764_000_000)));
    let outcome = end(Sent::Done, back);
    assert_eq!(
        outcome,
        Outcome::CameBack {
            created: Some(1_764_000_000)
        }
    );
    assert_eq!(outcome.code(), Code::Failed);
}

#[test]
fn a_member_that_was_not_read_back_is_named() {
    let away = with(|m| m[2].1 = Member::Down);
    assert_eq!(
        end(Sent::Done, away),
        Outcome::Deleted {
            gone: 2,
            of: 3,
            unread: vec!["couchdb@db-2 is down".into()]
        }
    );
    assert_eq!(
        end(Sent::Done, Err("no exec".into())),
        Outcome::Deleted {
            gone: 0,
            of: 3,
            unread: vec!["the members were not asked: no exec".into()]
        }
    );
}

proptest! {
    #[test]
    fn deleted_is_said_of_a_200_alone(status in 100u16..600, ok in any::<bool>(), lost in any::<bool>(), views in proptest::collection::vec(0usize..5, 3)) {
        let run = Answers {
            deletion: Some(Ok(response(status, json!({"ok": ok})))),
            sending: true,
            lost: lost.then(|| "lost".to_owned()),
            ..Answers::default()
        };
        let members = with(|m| for (at, view) in views.iter().enumerate() {
            m[at].1 = [Member::Deleted, Member::Never, Member::Down, Member::Has(map(1_709_251_200)), Member::Has(map(1_800_000_000))][*view].clone();
        });
        let outcome = end(sent(Ok(run)), members);
        let deleted = status == 200 && ok && !lost && views.iter().all(|v| *v < 3);
        prop_assert_eq!(outcome.code() == Code::Ok, deleted);
    }
}
