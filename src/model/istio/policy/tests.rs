use super::*;
use crate::model::istio::request::{Account, Asked, Place};
use serde_json::json;

fn policy(spec: Value) -> AuthorizationPolicy {
    AuthorizationPolicy::from_value(
        &json!({"metadata": {"namespace": "secure-kvs", "name": "p"}, "spec": spec}),
    )
}

fn of_source(source: Value) -> Value {
    json!({"rules": [{"from": [{"source": source}]}]})
}

fn of_operation(operation: Value) -> Value {
    json!({"rules": [{"to": [{"operation": operation}]}]})
}

fn matches(spec: Value) -> Match {
    let account = Account::parse("pds/pds").unwrap();
    policy(spec).matches(&Request {
        account: &account,
        trust_domain: "cluster.local",
        database: "pds_database",
        port: 8000,
        asked: Asked {
            method: "GET",
            place: Place::Below,
        },
    })
}

#[test]
fn a_rule_is_all_of_its_parts_and_a_part_one_of_its_entries() {
    let own = json!({"principals": ["cluster.local/ns/pds/sa/pds"]});
    let other = json!({"principals": ["cluster.local/ns/a/sa/a"]});
    let to =
        json!([{"operation": {"ports": ["8000"], "paths": ["/pds_database", "/pds_database/*"]}}]);
    for spec in [
        json!({"rules": [{}]}),
        json!({"rules": [{"from": [{"source": own}], "to": to}]}),
        json!({"rules": [{"from": [{"source": other}, {"source": own}]}]}),
        json!({"rules": [{"from": [{"source": other}]}, {"to": to}]}),
        of_source(json!({"notPrincipals": ["cluster.local/ns/a/sa/a"]})),
        of_source(json!({"namespaces": ["pds"], "notNamespaces": ["a"]})),
        of_operation(json!({"methods": ["GET"], "notPorts": ["5984"]})),
    ] {
        assert_eq!(matches(spec.clone()), Match::Yes, "{spec}");
    }
    for spec in [
        json!({}),
        json!({"rules": null}),
        json!({"rules": []}),
        json!({"rules": [{"from": [{"source": other}], "to": to}]}),
        of_source(json!({"principals": ["*"], "notNamespaces": ["pds"]})),
        of_source(json!({"notPrincipals": ["*"]})),
        of_operation(json!({"ports": ["5984"], "paths": ["*"]})),
        of_operation(json!({"notPaths": ["/pds_database/*"]})),
        // What does not match anyway needs no condition.
        json!({"rules": [{"from": [{"source": other}], "when": [{"key": "source.ip", "values": ["10.0.0.1"]}]}]}),
    ] {
        assert_eq!(matches(spec.clone()), Match::No, "{spec}");
    }
}

#[test]
fn what_is_not_evaluated_or_not_understood_is_unknown() {
    let source = |key: &str| of_source(json!({key: ["*"]}));
    let own = json!(["cluster.local/ns/pds/sa/pds"]);
    for spec in [
        source("requestPrincipals"),
        source("notRequestPrincipals"),
        source("ipBlocks"),
        source("notIpBlocks"),
        source("remoteIpBlocks"),
        source("notRemoteIpBlocks"),
        source("serviceAccounts"),
        source("notServiceAccounts"),
        source("stranger"),
        of_operation(json!({"hosts": ["*"]})),
        of_operation(json!({"notHosts": ["a"]})),
        of_operation(json!({"stranger": ["a"]})),
        json!({"rules": [{"when": [{"key": "source.ip", "values": ["10.0.0.1"]}]}]}),
        json!({"rules": [{"when": []}]}),
        json!({"rules": [{"from": []}]}),
        json!({"rules": [{"to": []}]}),
        json!({"rules": [{"from": [{}]}]}),
        json!({"rules": [{"to": [{}]}]}),
        json!({"rules": [null]}),
        json!({"rules": {}}),
        json!({"rules": [{"stranger": 1}]}),
        of_source(json!({})),
        of_source(json!({"principals": null})),
        of_source(json!({"principals": []})),
        of_source(json!({"principals": [""]})),
        of_source(json!({"principals": "*"})),
        of_source(json!({"principals": [7]})),
        of_source(json!({"principals": own, "namespaces": []})),
        of_source(json!({"Principals": own})),
        of_operation(json!({"ports": [8000]})),
        json!({"stranger": 1, "rules": [{}]}),
        json!({"rules": [[null, null, null]]}),
        json!({"rules": [{"from": [[{"principals": own}]]}]}),
        json!({"selector": [], "rules": [{}]}),
        json!({"selector": [{}], "rules": [{}]}),
        json!({"action": {"ALLOW": null}, "rules": [{}]}),
        json!([null, null, null, "ALLOW", null, [{}]]),
        // One text that Istio cannot read drops the rule.
        of_operation(json!({"ports": ["8000", "x"]})),
        of_source(json!({"principals": ["x", "cluster.local/ns/pds/sa/pds"]})),
        of_source(json!({"principals": ["cluster.local/ns/pds/sa/pds", "x"]})),
        of_source(json!({"namespaces": ["pds", "("]})),
        of_source(json!({"notNamespaces": ["("]})),
        json!({"targetRef": {"kind": "Gateway"}, "rules": [{}]}),
        json!({"targetRefs": [], "rules": [{}]}),
        json!({"action": "PERMIT", "rules": [{}]}),
        json!({"action": 0, "rules": [{}]}),
        json!({"action": "allow", "rules": [{}]}),
        json!({"provider": {"name": "a"}, "rules": [{}]}),
        json!({"selector": {"matchExpressions": []}, "rules": [{}]}),
        json!({"selector": {"matchLabels": {"app": 7}}, "rules": [{}]}),
        json!({"selector": {"matchLabels": {"app": "*"}}, "rules": [{}]}),
        json!(null),
        json!([]),
        json!("ALLOW"),
    ] {
        let found = matches(spec.clone());
        assert!(matches!(found, Match::Unknown(_)), "{spec}: {found:?}");
    }
}

#[test]
fn a_policy_is_for_its_namespace_and_its_labels() {
    let labels = Pairs::from([
        ("app".to_owned(), "kvs".to_owned()),
        ("type".to_owned(), "db".to_owned()),
    ]);
    let selects = |namespace: &str, selector: Value| {
        let object = json!({"metadata": {"namespace": namespace, "name": "p"}, "spec": {"selector": selector}});
        AuthorizationPolicy::from_value(&object).selects("secure-kvs", "istio-system", &labels)
    };
    let of = |key: &str, value: &str| json!({"matchLabels": {key: value}});
    assert_eq!(selects("secure-kvs", of("app", "kvs")), Match::Yes);
    assert_eq!(selects("secure-kvs", of("type", "steelcouch")), Match::No);
    assert_eq!(selects("secure-kvs", json!({})), Match::Yes);
    assert_eq!(selects("istio-system", json!(null)), Match::Yes);
    assert_eq!(selects("istio-system", of("app", "kvs")), Match::Yes);
    assert_eq!(selects("pds", json!(null)), Match::No);
}

#[test]
fn an_annotation_decides_whether_it_is_only_tried() {
    let of = |annotations: Value| {
        let object = json!({"metadata": {"namespace": "n", "name": "p", "annotations": annotations}, "spec": {"rules": [{}]}});
        let policy = AuthorizationPolicy::from_value(&object);
        policy
            .action()
            .map(|_| policy.is_dry_run())
            .map_err(str::to_owned)
    };
    assert_eq!(of(json!({})), Ok(false));
    assert_eq!(of(json!({DRY_RUN: "false"})), Ok(false));
    assert_eq!(of(json!({DRY_RUN: "true"})), Ok(true));
    for odd in [
        json!({DRY_RUN: "yes"}),
        json!({DRY_RUN: ""}),
        json!({DRY_RUN: true}),
        json!(7),
    ] {
        assert!(of(odd.clone()).is_err(), "{odd}");
    }
}
