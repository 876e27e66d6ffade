//! A token is one plan's alone, and names the part that changed.

use super::super::facts::Facts;
use super::super::plan::tests::{facts, troubled};
use super::super::risk;
use super::*;
use crate::couchdb::response::Sequence;
use crate::model::names::DatabaseName;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

fn token(facts: &Facts) -> Token {
    Token::issue(facts, &risk::assess(facts))
}

/// Changes one thing of a part.
fn change(facts: &mut Facts, part: Part, by: u64) {
    match part {
        Part::Server => facts.server.uuid = format!("other-{by}"),
        Part::Pods => facts.pods[(by % 3) as usize].uid = format!("other-{by}"),
        Part::Members => {
            // Connected, and not asked: no risk, since that alone is a refusal.
            let member = format!("couchdb@x-{by}");
            facts.membership.cluster_nodes.push(member.clone());
            facts.membership.all_nodes.push(member);
        }
        Part::Database => facts.shard_map.rev = format!("2-{by}"),
        Part::Documents => facts.database.doc_del_count = Some(10_000 + by),
        Part::Sequence => facts.database.update_seq = Sequence::parse(&json!(2_000_000 + by)),
        Part::Risks => facts.settings[0].1.maintenance = Ok(Some(format!("mode-{by}"))),
    }
}

#[test]
fn a_token_reads_back_and_looks_like_one() {
    let token = token(&facts());
    let text = token.to_string();
    assert_eq!(text.len(), 3 + WHOLE + 1 + PART * Part::ALL.len());
    assert!(text.starts_with("v1-"), "{text}");
    assert_eq!(text.parse(), Ok(token.clone()));
    assert_eq!(token.differs(&token), None);
    // It is part of scripts: what it is made of does not change by accident.
    insta::assert_snapshot!(text, @"v1-l4tjcrm3rprht7uac46x7w43rg-uw365se6iednka74bterq");
}

#[test]
fn what_changes_by_itself_is_not_in_it() {
    let (then, mut now) = (troubled(), troubled());
    now.database.update_seq = Sequence::parse(&json!("1300000-another-opaque-part"));
    now.work.replications[0].state = "running".into();
    now.work.replications[0].id = Some("started".into());
    now.pods[0].ready = false;
    now.membership.all_nodes.reverse();
    now.database.sizes.file += 1;
    assert_eq!(token(&now), token(&then));
}

#[test]
fn fields_do_not_run_into_each_other() {
    let (mut one, mut other) = (facts(), facts());
    (one.server.uuid, one.server.version) = ("ab".into(), "c".into());
    (other.server.uuid, other.server.version) = ("a".into(), "bc".into());
    assert!(token(&one).differs(&token(&other)).is_some());
}

#[test]
fn another_database_is_another_plan() {
    let mut other = facts();
    other.name = DatabaseName::parse("pds_database2").unwrap();
    assert_eq!(
        token(&facts()).differs(&token(&other)),
        Some(vec![Part::Database])
    );
}

#[test]
fn what_is_no_token_is_refused() {
    let good = token(&facts()).to_string();
    for bad in [
        "",
        "v1",
        "v1-",
        "x",
        &good[1..],
        &good[..good.len() - 1],
        &format!("{good}a"),
        &format!("{good}-a"),
        &good.to_uppercase(),
        &good.replacen('-', " ", 1),
    ] {
        assert!(bad.parse::<Token>().is_err(), "{bad}");
    }
    let later = good.replacen("v1", "v2", 1);
    assert!(
        later
            .parse::<Token>()
            .unwrap_err()
            .contains("another version")
    );
}

proptest! {
    #[test]
    fn any_changed_part_changes_the_token_and_is_named(at in 0usize..Part::ALL.len(), by in 0u64..1000) {
        let part = Part::ALL[at];
        let mut now = facts();
        change(&mut now, part, by);
        let differs = token(&facts()).differs(&token(&now));
        prop_assert!(differs.is_some());
        // 15 bits name a part: two that look alike are told as "something".
        let told = differs.unwrap();
        prop_assert!(told.iter().all(|p| *p == part), "{told:?}");
    }

    #[test]
    fn no_two_plans_share_a_token(changes in proptest::collection::btree_set((0usize..Part::ALL.len(), 0u64..50), 0..6), others in proptest::collection::btree_set((0usize..Part::ALL.len(), 0u64..50), 0..6)) {
        let with = |changes: &BTreeSet<(usize, u64)>| {
            let mut facts = facts();
            changes.iter().for_each(|(at, by)| change(&mut facts, Part::ALL[*at], *by));
            facts
        };
        let (one, other) = (with(&changes), with(&others));
        let same = Part::ALL.iter().all(|p| p.items(&one, &risk::assess(&one)) == p.items(&other, &risk::assess(&other)));
        prop_assert_eq!(token(&one).to_string() == token(&other).to_string(), same);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}|v[0-9]{0,3}(-[a-z2-7]{0,30}){0,3}") {
        if let Ok(token) = text.parse::<Token>() {
            prop_assert_eq!(token.to_string(), text);
        }
    }
}
