//! Any name can be asked for, and each is told all that concerns it and nothing else. What claims, in all its forms, is tested
//! where it is a refusal: `couchdb/delete/claims/tests.rs`.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn onboarding(name: &str, values: Value, deployed: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "flux-system", "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
        "spec": {"values": values},
        "status": {"history": [{"lastDeployed": deployed}]},
    })
}

fn pair(namespace: &str, database: &str) -> Value {
    json!({"namespace": namespace, "database": database})
}

/// Claimants and gaps, in words.
fn of(all: &Ownership, name: &str) -> Vec<String> {
    all.of(name)
        .into_iter()
        .map(|word| match word {
            Word::Claimed { by, database } => format!("{} {database}", by.words()),
            Word::Gap(gap) => format!("{gap:?}"),
        })
        .collect()
}

#[test]
fn each_name_is_told_what_concerns_it_in_the_order_of_reading() {
    let mut all = Ownership::default();
    all.helm_release(&onboarding("a", pair("pds", "x"), "2026-01-01T00:00:00Z"));
    all.helm_release(&onboarding("b", pair("PDS", "x/"), "2026-01-02T00:00:00Z"));
    all.helm_release(&onboarding("c", pair("pds", "y"), "2026-01-03T00:00:00Z"));
    assert_eq!(
        of(&all, "pds_x"),
        [
            "HelmRelease flux-system/a pds_x",
            "HelmRelease flux-system/b PDS_x/"
        ]
    );
    assert_eq!(of(&all, "pds_y"), ["HelmRelease flux-system/c pds_y"]);
    assert_eq!(of(&all, "pds_z"), [""; 0]);
    all.not_read("Helm's Secrets", "forbidden");
    assert_eq!(of(&all, "pds_z").len(), 1);
    // What is certain stays first, and what is open beside it.
    assert_eq!(of(&all, "pds_y").len(), 2);
    let deployed: Vec<_> = all
        .of("pds_x")
        .iter()
        .filter_map(|w| match w {
            Word::Claimed { by, .. } => by.deployed().map(str::to_owned),
            Word::Gap(_) => None,
        })
        .collect();
    assert_eq!(deployed, ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]);
}

#[test]
fn names_that_no_onboarding_can_have_are_asked_for_as_any_other() {
    let mut all = Ownership::default();
    all.helm_release(&onboarding("a", pair("pds", "x"), ""));
    all.helm_release(&onboarding("odd", pair("pds", "a+b"), ""));
    all.database_object(
        "CouchDBDatabase",
        &json!({"metadata": {"name": "metrics", "namespace": "n"}}),
    );
    for (name, claimed) in [
        ("_users", 0),
        ("", 0),
        ("_", 0),
        ("plain", 0),
        ("pds_a+b", 1),
        ("metrics", 1),
        ("n_metrics", 1),
        ("m_metrics", 0),
    ] {
        assert_eq!(all.of(name).len(), claimed, "{name}");
    }
}

#[test]
fn an_onboarding_elsewhere_leaves_every_other_name_open() {
    let mut all = Ownership::default();
    let mut remote = onboarding("r", pair("pds", "x"), "");
    remote["spec"]["kubeConfig"] = json!({"secretRef": {"name": "k"}});
    all.helm_release(&remote);
    assert_eq!(of(&all, "pds_x"), ["HelmRelease flux-system/r pds_x"]);
    assert!(matches!(all.of("pds_y")[..], [Word::Gap(_)]));
}

proptest! {
    /// The index loses nothing: a name has the claims that it has among any other objects.
    #[test]
    fn other_objects_take_no_claim_away(pairs in proptest::collection::vec(("[ab]{1,2}", "[xy_-]{1,2}"), 1..8), at in 0usize..8) {
        let objects: Vec<Value> = pairs.iter().enumerate().map(|(i, (n, d))| onboarding(&i.to_string(), pair(n, d), "")).collect();
        let at = at % pairs.len();
        let name = format!("{}_{}", pairs[at].0, pairs[at].1);
        let mut all = Ownership::default();
        objects.iter().for_each(|o| all.helm_release(o));
        let told = all.of(&name).len();
        let wanted = pairs.iter().filter(|(n, d)| format!("{n}_{d}") == name).count();
        prop_assert_eq!(told, wanted);
        all.database_object("X", &json!({"metadata": {"name": pairs[at].1, "namespace": pairs[at].0}}));
        prop_assert_eq!(all.of(&name).len(), wanted + 1);
    }
}
