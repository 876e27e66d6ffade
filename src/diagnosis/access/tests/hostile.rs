//! Policies that an attacker, or a mistake, adds to a set that lets the account in, or puts in the place of its policy.

use super::World;
use serde_json::{Value, json};

/// More policies. Each does harm or is not fully understood.
fn added() -> Vec<Value> {
    let deny = |rule: Value| json!({"action": "DENY", "rules": [rule]});
    let from = |source: Value| deny(json!({"from": [{"source": source}]}));
    let to = |operation: Value| deny(json!({"to": [{"operation": operation}]}));
    vec![
        deny(json!({})),
        from(json!({"principals": ["*"]})),
        from(json!({"principals": ["*/sa/pds"]})),
        from(json!({"principals": ["cluster.local/ns/pds/*"]})),
        from(json!({"principals": ["old.domain/ns/pds/sa/pds"]})),
        from(json!({"principals": ["*/ns/*/sa/pds"]})),
        from(json!({"notPrincipals": ["cluster.local/ns/other/sa/other"]})),
        from(json!({"notPrincipals": ["cluster.local/ns/*/sa/other"]})),
        from(json!({"namespaces": ["pds"]})),
        from(json!({"namespaces": ["p.s"]})),
        from(json!({"namespaces": ["*x"]})),
        from(json!({"notNamespaces": ["other"]})),
        from(json!({"requestPrincipals": ["*"]})),
        from(json!({"notRequestPrincipals": ["*"]})),
        from(json!({"remoteIpBlocks": ["0.0.0.0/0"]})),
        from(json!({"serviceAccounts": ["pds/pds"]})),
        from(json!({"notServiceAccounts": ["pds/other"]})),
        from(json!({"source": {}})),
        to(json!({"paths": ["/*"]})),
        to(json!({"paths": ["*/_design/*"]})),
        to(json!({"paths": ["/{*}/_bulk_docs"]})),
        to(json!({"paths": ["/pds_database/_changes"]})),
        to(json!({"paths": ["/pds%5Fdatabase/*"]})),
        to(json!({"notPaths": ["/other/*"]})),
        to(json!({"methods": ["PUT"]})),
        to(json!({"methods": ["P*"]})),
        to(json!({"notMethods": ["GET"]})),
        to(json!({"hosts": ["steelcouch*"]})),
        to(json!({"notHosts": ["other"]})),
        to(json!({"ports": ["8000"]})),
        to(json!({"notPorts": ["5984"]})),
        to(json!({"ports": [8000]})),
        deny(json!({"when": [{"key": "request.headers[x]", "values": ["*"]}]})),
        deny(json!({"unless": []})),
        json!({"action": "DENY", "rules": [null]}),
        json!({"action": "DENY", "rules": {}}),
        json!({"action": "deny", "rules": [{}]}),
        json!({"action": 1, "rules": [{}]}),
        json!({"action": "REFUSE", "rules": [{}]}),
        json!({"action": "CUSTOM", "provider": {"name": "opa"}, "rules": [{}]}),
        json!({"action": "CUSTOM", "rules": [{"to": [{"operation": {"paths": ["/pds_database/*"]}}]}]}),
        json!({"action": "DENY", "targetRefs": [{"kind": "Service", "name": "steelcouch"}], "rules": [{}]}),
        json!({"action": "DENY", "selector": {"matchLabels": {"app": "kvs"}}, "rules": [{}]}),
        json!({"action": "DENY", "selector": {"matchExpressions": []}, "rules": [{}]}),
        json!({"action": "DENY", "selector": {"matchLabels": {"app": ["other"]}}, "rules": [{}]}),
        json!({"action": "ALLOW", "stranger": true}),
        json!({"action": "ALLOW", "rules": "none"}),
        json!(null),
        json!([]),
        json!("DENY"),
    ]
}

#[test]
fn no_policy_that_may_refuse_leaves_a_yes() {
    let all = added();
    assert!(all.len() >= 30);
    for namespace in ["secure-kvs", "istio-system"] {
        for spec in &all {
            let answer = World::with_policy(namespace, spec.clone());
            assert_ne!(answer, "yes", "{namespace}: {spec}");
        }
    }
}

/// The same in the place of the own policy, as ALLOW where it was DENY: none lets the account in for sure, but those that surely match all.
#[test]
fn no_policy_that_may_not_match_gives_a_yes() {
    let sure = [
        json!({}),
        json!({"from": [{"source": {"principals": ["*"]}}]}),
        json!({"from": [{"source": {"principals": ["*/sa/pds"]}}]}),
        json!({"from": [{"source": {"principals": ["cluster.local/ns/pds/*"]}}]}),
        json!({"from": [{"source": {"notPrincipals": ["cluster.local/ns/other/sa/other"]}}]}),
        json!({"from": [{"source": {"namespaces": ["pds"]}}]}),
        json!({"from": [{"source": {"notNamespaces": ["other"]}}]}),
        json!({"to": [{"operation": {"paths": ["/*"]}}]}),
        json!({"to": [{"operation": {"notPaths": ["/other/*"]}}]}),
        json!({"to": [{"operation": {"ports": ["8000"]}}]}),
        json!({"to": [{"operation": {"notPorts": ["5984"]}}]}),
    ];
    for mut spec in added() {
        let Some(action) = spec.get("action").cloned() else {
            continue;
        };
        if action == "DENY" {
            spec["action"] = json!("ALLOW");
        }
        let is_sure = action == "DENY"
            && spec["rules"].get(0).is_some_and(|rule| sure.contains(rule))
            && spec.get("targetRefs").is_none()
            && spec["selector"].get("matchExpressions").is_none()
            && spec
                .pointer("/selector/matchLabels/app")
                .is_none_or(|app| app == "kvs");
        let answer = World::with_spec(|own| *own = spec.clone());
        assert_eq!(answer == "yes", is_sure, "{spec}: {answer}");
    }
}
