//! Each state, and that an orphan is what `delete-db` would not refuse for a claim.

use super::*;
use crate::model::ownership::tests::{Objects, unread};
use crate::model::ownership::{Gap, Part};
use proptest::prelude::*;
use serde_json::{Value, json};

fn onboarding(name: &str, spec: Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "flux-system", "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
        "spec": spec,
    })
}

fn claims(name: &str, namespace: &str, database: &str) -> Value {
    onboarding(
        name,
        json!({"values": {"namespace": namespace, "database": database}}),
    )
}

fn owned(objects: &[Value]) -> Ownership {
    Objects::of(objects).ownership()
}

/// `NAME STATE CLAIMANTS`, and why in brackets.
fn listed(names: &[&str], ownership: &Ownership) -> Vec<String> {
    let names = names.iter().map(|n| (*n).to_owned()).collect();
    join(&names, ownership)
        .into_iter()
        .map(|entry| {
            let by: Vec<String> = entry.claimants.iter().map(Claimant::words).collect();
            let by = (!by.is_empty()).then(|| format!(": {}", by.join(" + ")));
            let why = entry.why.map(|w| format!(" ({w})"));
            let (by, why) = (by.unwrap_or_default(), why.unwrap_or_default());
            format!("{} {}{by}{why}", entry.name, entry.state.word())
        })
        .collect()
}

#[test]
fn every_state() {
    let other = json!({"metadata": {"name": "podinfo", "namespace": "apps"},
        "spec": {"chart": {"spec": {"chart": "podinfo", "sourceRef": {"kind": "HelmRepository"}}},
            "values": {"namespace": "apps", "database": "state"}}});
    let ownership = owned(&[
        claims("a", "pds", "database"),
        claims("b", "papa", "ledger"),
        claims("c", "papa", "ledger"),
        claims("d", "kilo", "orders"),
        claims("e", "yankee", "Orders"),
        other,
    ]);
    let names = [
        "_users",
        "metrics",
        "orphan_db",
        "papa_ledger",
        "pds_database",
        "pds.database",
    ];
    insta::assert_snapshot!(listed(&names, &ownership).join("\n"), @r#"
    kilo_orders missing: HelmRelease flux-system/d
    metrics foreign (it has no _ between namespace and database)
    orphan_db orphan
    papa_ledger shared: HelmRelease flux-system/b + HelmRelease flux-system/c
    pds.database foreign (it has no _ between namespace and database)
    pds_database in-use: HelmRelease flux-system/a
    yankee_Orders missing: HelmRelease flux-system/e ("Orders" is not a database (one or more of a-z, 0-9, _ and -))
    _users system
    "#);
}

#[test]
fn what_is_not_known_makes_no_orphan() {
    let objects = Objects::of(&[
        claims("a", "pds", "database"),
        onboarding(
            "u",
            json!({"valuesFrom": [{"kind": "Secret", "name": "s"}]}),
        ),
    ]);
    let ownership = objects.ownership();
    let names = ["orphan_db", "metrics", "pds_database", "_users"];
    insta::assert_snapshot!(listed(&names, &ownership).join("\n"), @r"
    metrics mentioned (which database HelmRelease flux-system/u has is not known: its values come from Secret s)
    orphan_db mentioned (which database HelmRelease flux-system/u has is not known: its values come from Secret s)
    pds_database in-use: HelmRelease flux-system/a
    _users system
    ");
    let mut parts = objects.parts();
    parts.secrets = Part::unread(unread());
    let told = listed(&["orphan_db"], &Ownership::new(parts));
    assert!(
        told[0]
            .starts_with("orphan_db unknown (Helm's Secrets of all namespaces could not be read"),
        "{told:?}"
    );
    // The wrong cluster: nothing on it is an onboarding.
    let none = Objects::default().ownership();
    let told = listed(&["orphan_db"], &none);
    assert!(told[0].starts_with("orphan_db unknown (this cluster has no onboarding (0 "));
    assert_eq!(none.gaps(), [Gap::NoOnboardings { looked_at: 0 }]);
}

#[test]
fn an_onboarding_elsewhere_misses_nothing_here() {
    let remote = onboarding(
        "r",
        json!({"values": {"namespace": "pds", "database": "x"}, "kubeConfig": {"secretRef": {"name": "k"}}}),
    );
    let ownership = owned(&[remote]);
    assert_eq!(listed(&[], &ownership), [""; 0]);
    assert_eq!(
        listed(&["pds_x"], &ownership),
        ["pds_x in-use: HelmRelease flux-system/r"]
    );
}

#[test]
fn a_sloppy_value_is_not_missing_where_its_database_is_there() {
    let ownership = owned(&[claims("a", "PDS", "x/")]);
    assert_eq!(
        listed(&["pds_x"], &ownership),
        ["pds_x in-use: HelmRelease flux-system/a"]
    );
    assert_eq!(
        listed(&["pds_x/"], &ownership),
        ["pds_x/ in-use: HelmRelease flux-system/a"]
    );
    assert!(listed(&[], &ownership)[0].starts_with("PDS_x/ missing: HelmRelease flux-system/a ("));
}

#[test]
fn what_went_meanwhile_is_missing_only_where_it_is_expected() {
    let ownership = owned(&[claims("a", "pds", "x")]);
    let names = ["pds_x", "gone_db"].map(str::to_owned).into();
    let states: Vec<_> = join(&names, &ownership)
        .into_iter()
        .map(|entry| entry.gone(&ownership).map(|e| e.state))
        .collect();
    assert_eq!(states, [None, Some(State::Missing)]);
}

proptest! {
    /// One judgement: an orphan is exactly what a deletion is not refused for, as far as claims go.
    #[test]
    fn an_orphan_is_what_nothing_claims_for_a_deletion(
        pairs in proptest::collection::vec(("[aA]b?", "[xy]{1,2}[/ ]?"), 0..5),
        unknown in proptest::option::of(0u8..4),
        object in proptest::option::of("[ab]-?[xy]{1,2}"),
        names in proptest::collection::btree_set("_?[ab]{1,2}(_[xy]{1,2})?", 0..6),
    ) {
        let mut objects = Objects::default();
        for (i, (namespace, database)) in pairs.iter().enumerate() {
            objects.helm_releases.push(claims(&i.to_string(), namespace, database));
        }
        if unknown == Some(2) {
            objects.helm_releases.push(onboarding("u", json!({"valuesFrom": [{"kind": "Secret", "name": "s"}]})));
        }
        objects.database_objects = object.map(|name| vec![json!({"metadata": {"name": name, "namespace": "a"}})]);
        let mut parts = objects.parts();
        match unknown {
            Some(0) => parts.secrets = Part::unread(unread()),
            Some(1) => parts.helm_releases = Part::whole(None),
            _ => {}
        }
        let all = Ownership::new(parts);
        let listed = join(&names, &all);
        for name in &names {
            let entry = listed.iter().find(|e| e.name == *name).unwrap();
            let free = all.unclaimed(name).is_ok_and(|u| u.mentions().is_empty());
            let deletable = free && DatabaseName::parse(name).is_ok();
            prop_assert_eq!(entry.state == State::Orphan, deletable, "{:?}", entry);
            prop_assert!(entry.is_there());
        }
        prop_assert!(listed.iter().filter(|e| !names.contains(&e.name)).all(|e| e.state == State::Missing));
    }
}

#[test]
fn without_couchdb_a_claimed_database_is_neither_there_nor_missing() {
    let claim = |name: &str, database: &str| {
        json!({
            "metadata": {"name": name, "namespace": "n", "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
            "spec": {"values": {"namespace": "pds", "database": database}},
        })
    };
    let all = [claim("b", "x"), claim("a", "x"), claim("c", "y")];
    let entries = claimed(&Objects::of(&all).ownership(), "not saved");
    let told: Vec<_> = entries
        .iter()
        .map(|e| {
            (
                e.name.as_str(),
                e.state,
                e.claimants.len(),
                e.why.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("pds_x", State::Shared, 2, Some("not saved")),
            ("pds_y", State::Unknown, 1, Some("not saved"))
        ]
    );
}

#[test]
fn every_state_has_a_word_of_its_own() {
    assert!(State::ALL.is_sorted());
    for state in State::ALL {
        assert_eq!(State::parse(state.word()), Some(state));
        assert!(!state.word().contains(' '), "awk reads one word");
    }
}
