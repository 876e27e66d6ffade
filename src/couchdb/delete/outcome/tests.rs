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
            unread: vec![],
            despite: None,
        }
    );
    assert_eq!(end(Sent::Accepted, deleted()).code(), Code::Incomplete);
    assert!(matches!(answer(200, json!({})), Sent::Unknown { .. }));
}

#[test]
fn couchdbs_refusal_is_one_where_a_member_that_still_has_it_bears_it_out() {
    for (status, reason) in [
        (400, "bad_request"),
        (401, "unauthorized"),
        (403, "locked"),
        (405, "Only GET"),
    ] {
        let sent = || answer(status, json!({"error": "x", "reason": reason}));
        assert!(
            matches!(sent(), Sent::Refused(Refusal::ByCouchDb { answer }) if answer.contains(reason)),
        );
        let end = |read_back| end(sent(), read_back);
        assert_eq!(end(Ok(facts().members)).code(), Code::Refused);
        let one_silent = |m: &mut Vec<(String, Member)>| m[0].1 = Member::Silent;
        let mut rest = facts().members;
        one_silent(&mut rest);
        assert_eq!(end(Ok(rest)).code(), Code::Refused);
        assert!(
            matches!(end(deleted()), Outcome::Deleted { despite: Some(why), .. } if why.contains(reason))
        );
        // Neither of them: the members do not bear it out.
        let part = with(|m| m[0].1 = Member::Has(map(1_709_251_200)));
        for open in [part, with(one_silent), Err("no exec".into())] {
            assert_eq!(end(open).code(), Code::Unknown);
        }
    }
}

#[test]
fn a_404_counts_by_what_the_members_say() {
    let gone = || {
        answer(
            404,
            json!({"error": "not_found", "reason": "Database does not exist."}),
        )
    };
    assert_eq!(end(gone(), deleted()), Outcome::AlreadyGone);
    let later = with(|m| m[0].1 = Member::Has(map(1_764_000_000)));
    assert_eq!(end(gone(), later), Outcome::AlreadyGone);
    for open in [
        Err("no exec".into()),
        with(|m| m[1].1 = Member::Down),
        with(|m| m[1].1 = Member::Silent),
    ] {
        assert_eq!(end(gone(), open).code(), Code::Unknown);
    }
    // Gone for CouchDB, not for one of its members.
    let left = with(|m| m[2].1 = Member::Has(map(1_709_251_200)));
    let outcome = end(gone(), left);
    assert_eq!(outcome.code(), Code::Incomplete);
    assert!(
        matches!(outcome, Outcome::Incomplete { seen, .. } if seen[2] == "couchdb@db-2 still has it")
    );
    assert_eq!(Outcome::AlreadyGone.code(), Code::Failed);
}

#[test]
fn what_may_have_deleted_is_deleted_where_every_member_says_so() {
    let broken = |none: NoResponse| {
        sent(Ok(Answers {
            deletion: Some(Err(none)),
            sending: true,
            ..Answers::default()
        }))
    };
    let status = |code, reason: &str| {
        sent(Err(Failure::Exec(ClusterError::Api(Box::new(Status {
            code,
            reason: reason.to_owned(),
            ..Status::default()
        })))))
    };
    let cases = [
        answer(500, json!({"error": "error", "reason": "timeout"})),
        answer(500, json!({"error": "error", "reason": "conflict"})),
        answer(503, json!(null)),
        answer(412, json!({"error": "nodedown"})),
        answer(404, json!({"error": "not_found", "reason": "missing"})),
        broken(NoResponse::TimedOut),
        broken(NoResponse::Broken("the answer of CouchDB was cut".into())),
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
        // Of an API server only 401, 403 and 404 say that nothing ran.
        status(400, "BadRequest"),
        status(409, "Conflict"),
        status(410, "Gone"),
        status(422, "Invalid"),
        status(429, "TooManyRequests"),
        status(500, "InternalError"),
    ];
    for case in cases {
        assert!(matches!(case, Sent::Unknown { .. }), "{case:?}");
        let outcome = end(case.clone(), deleted());
        assert!(
            matches!(&outcome, Outcome::Deleted { gone: 3, of: 3, unread, despite: Some(_) } if unread.is_empty()),
            "{case:?}: {outcome:?}"
        );
        for open in [
            Ok(facts().members),
            with(|m| m[0].1 = Member::Has(map(1_709_251_200))),
            with(|m| m[0].1 = Member::Has(map(1_764_000_000))),
            with(|m| m[2].1 = Member::Never),
            with(|m| m[2].1 = Member::Down),
            with(|m| m[2].1 = Member::Silent),
            with(|m| m[2].1 = Member::NotRead("cut".into())),
            with(|m| {
                m.pop();
            }),
            Ok(Vec::new()),
            Err("the exec failed".to_owned()),
        ] {
            let outcome = end(case.clone(), open.clone());
            assert_eq!(outcome.code(), Code::Unknown, "{case:?}: {open:?}");
        }
    }
}

/// A plan whose member was away when it was made, and is taken on.
fn without_third() -> Plan {
    let mut facts = facts();
    facts.members[2].1 = Member::Down;
    plan(facts).unwrap()
}

#[test]
fn a_member_that_was_away_before_keeps_its_files_whatever_it_says_later() {
    let lost = || sent(Err(Failure::Broken("no end within 200s".into())));
    let outcome = conclude(&without_third(), lost(), deleted());
    assert!(
        matches!(&outcome, Outcome::Incomplete { why, .. } if why.ends_with("couchdb@db-2 was away and keeps its files")),
        "{outcome:?}"
    );
}

#[test]
fn a_node_that_is_no_member_keeps_its_files_after_a_200_too() {
    let mut facts = facts();
    let foreign = "couchdb@db-5".to_owned();
    let (ranges, maps) = (vec!["00000000-ffffffff".to_owned()], &mut facts.members);
    for (_, view) in maps.iter_mut() {
        if let Member::Has(map) = view {
            map.by_node.insert(foreign.clone(), ranges.clone());
        }
    }
    maps.push((foreign.clone(), Member::NotRead("no such node".into())));
    facts.shard_map.by_node.insert(foreign, ranges);
    let plan = plan(facts).unwrap();
    assert!(
        plan.risks()
            .iter()
            .any(|r| r.accept.name() == "foreign-member")
    );
    let said = with(|m| {
        m.push((
            "couchdb@db-5".into(),
            Member::NotRead("no such node".into()),
        ))
    });
    let outcome = conclude(&plan, Sent::Done, said);
    assert!(
        matches!(&outcome, Outcome::Incomplete { why, .. } if why.starts_with("couchdb@db-5, ")),
        "{outcome:?}"
    );
}

#[test]
fn files_that_are_still_there_outweigh_what_a_member_says() {
    let kept = || with(|m| m[2].1 = Member::Kept);
    let lost = sent(Err(Failure::Broken("no end within 200s".into())));
    let absent = answer(
        404,
        json!({"error": "not_found", "reason": "Database does not exist."}),
    );
    for sent in [lost, absent, answer(401, json!({}))] {
        let outcome = end(sent, kept());
        assert!(
            matches!(&outcome, Outcome::Incomplete { seen, .. } if seen[2].ends_with("still has its files")),
            "{outcome:?}"
        );
    }
    // Seen to be gone also on a member that was away before.
    let erased = || with(|m| m.iter_mut().for_each(|(_, view)| *view = Member::Erased));
    let lost = sent(Err(Failure::Broken("no end within 200s".into())));
    assert_eq!(conclude(&without_third(), lost, erased()).code(), Code::Ok);
    // A 202 has a member that did not take part, whatever is seen.
    assert_eq!(end(Sent::Accepted, erased()).code(), Code::Incomplete);
}

#[test]
fn only_the_members_of_the_shard_map_count() {
    let mut facts = facts();
    for map in facts
        .members
        .iter_mut()
        .filter_map(|(_, m)| match m {
            Member::Has(map) => Some(map),
            _ => None,
        })
        .chain([&mut facts.shard_map])
    {
        map.by_node.retain(|node, _| node == "couchdb@db-0");
    }
    // Another member, without a copy, is away: no risk.
    facts.members[2].1 = Member::Down;
    let plan = plan(facts).unwrap();
    assert_eq!(
        (plan.members(), plan.risks()),
        (vec!["couchdb@db-0".into()], &[][..])
    );
    let lost = sent(Err(Failure::Broken("no end".into())));
    let one = |view| Ok(vec![("couchdb@db-0".to_owned(), view)]);
    assert_eq!(conclude(&plan, lost, one(Member::Deleted)).code(), Code::Ok);
    // The member without a copy is why CouchDB says 202.
    let accepted = |view| conclude(&plan, Sent::Accepted, one(view));
    assert!(
        matches!(accepted(Member::Erased), Outcome::Deleted { despite: Some(why), .. } if why.contains("couchdb@db-2, which holds no copy"))
    );
    for open in [Member::Deleted, Member::Kept, Member::Down] {
        assert_eq!(accepted(open).code(), Code::Incomplete);
    }
}

#[test]
fn what_was_not_sent_is_refused() {
    for code in [401, 403, 404] {
        let turned_away = ClusterError::Api(Box::new(Status {
            code,
            message: "no".into(),
            ..Status::default()
        }));
        let sent = sent(Err(Failure::Exec(turned_away)));
        assert!(matches!(sent, Sent::Not(_)), "{code}");
        assert_eq!(end(sent, Err("not asked".into())).code(), Code::Refused);
    }
    let cases = [
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
        assert!(matches!(case, Sent::Refused(_)), "{case:?}");
        for seen in [Ok(facts().members), Err("no exec".to_owned())] {
            assert_eq!(end(case.clone(), seen).code(), Code::Refused);
        }
        // Somebody else has deleted it.
        assert_eq!(end(case, deleted()), Outcome::AlreadyGone);
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
    let answered = |sent: Sent| match end(sent, Ok(facts().members)) {
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
            unread: vec!["couchdb@db-2 is down".into()],
            despite: None,
        }
    );
    assert_eq!(
        end(Sent::Done, Err("no exec".into())),
        Outcome::Deleted {
            gone: 0,
            of: 3,
            unread: vec!["the members were not asked: no exec".into()],
            despite: None,
        }
    );
}

proptest! {
    #[test]
    fn deleted_is_said_of_a_200_or_where_every_member_says_so(status in 100u16..600, ok in any::<bool>(), lost in any::<bool>(), views in proptest::collection::vec(0usize..5, 3)) {
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
        let done = status == 200 && ok && !lost;
        let accepted = status == 202 && ok && !lost;
        let deleted = done && views.iter().all(|v| *v < 3) || !accepted && views.iter().all(|v| *v == 0);
        prop_assert_eq!(outcome.code() == Code::Ok, deleted);
    }
}
