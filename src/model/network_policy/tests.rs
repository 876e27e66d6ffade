use super::*;
use proptest::prelude::*;
use serde_json::json;

fn policy(spec: Value) -> NetworkPolicy {
    let object = json!({"metadata": {"namespace": "core", "name": "p"}, "spec": spec});
    NetworkPolicy::from_value(&object)
}

fn pod(labels: Value) -> Pod {
    Pod::from_value(&json!({"metadata": {"namespace": "core", "name": "x", "labels": labels}}))
}

fn database(address: &str) -> Pod {
    Pod::from_value(
        &json!({"metadata": {"namespace": "secure-kvs", "name": "db-0", "labels": {"app": "db"}},
        "status": {"podIP": address}}),
    )
}

#[test]
fn a_policy_isolates_by_its_selector_and_its_types() {
    let (yes, no) = (Some(true), Some(false));
    let is = |spec: Value, labels: Value| {
        let policy = policy(spec);
        let pod = pod(labels);
        let of = |direction| policy.isolates(&pod.meta, direction);
        (of(Direction::Ingress), of(Direction::Egress))
    };
    let labels = || json!({"app": "a"});
    for (spec, expected) in [
        // Without types it is about ingress, and about egress where it has a rule.
        (json!({"podSelector": {}}), (yes, no)),
        (json!({}), (yes, no)),
        (json!({"podSelector": {}, "egress": []}), (yes, no)),
        (json!({"podSelector": {}, "egress": [{}]}), (yes, yes)),
        (
            json!({"podSelector": {}, "policyTypes": ["Egress"]}),
            (no, yes),
        ),
        (
            json!({"podSelector": {}, "policyTypes": ["Ingress"], "egress": [{}]}),
            (yes, no),
        ),
        (
            json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
            (yes, yes),
        ),
        (json!({"podSelector": {}, "policyTypes": 7}), (None, None)),
        (
            json!({"podSelector": {}, "policyTypes": ["Egress", 7]}),
            (None, yes),
        ),
        (json!({"podSelector": {}, "egress": 7}), (yes, None)),
        (
            json!({"podSelector": {"matchLabels": {"app": "a"}}}),
            (yes, no),
        ),
        (
            json!({"podSelector": {"matchLabels": {"app": "b"}}}),
            (no, no),
        ),
        (
            json!({"podSelector": {"matchLabels": {"other": "a"}}}),
            (no, no),
        ),
        (
            json!({"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a"]}]}}),
            (yes, no),
        ),
        (
            json!({"podSelector": {"matchExpressions": [{"key": "job", "operator": "DoesNotExist"}]}}),
            (yes, no),
        ),
        (
            json!({"podSelector": {"matchExpressions": [{"key": "app", "operator": "Near"}]}}),
            (None, no),
        ),
        (json!({"podSelector": 7}), (None, no)),
    ] {
        assert_eq!(is(spec.clone(), labels()), expected, "{spec}");
    }
    let of_app = json!({"podSelector": {"matchLabels": {"app": "a"}}});
    assert_eq!(is(of_app.clone(), json!(7)), (None, no));
    assert_eq!(is(of_app, json!(null)), (no, no));
    let elsewhere = Pod::from_value(&json!({"metadata": {"namespace": "n", "name": "x"}}));
    let all = policy(json!({"podSelector": {}}));
    assert_eq!(all.isolates(&elsewhere.meta, Direction::Ingress), no);
}

/// Whether policies with these egress rules let a pod out to CouchDB.
fn out(rules: Value) -> Option<bool> {
    let policies = [policy(
        json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules}),
    )];
    couchdb(&policies, "10.42.1.9")
}

fn couchdb(policies: &[NetworkPolicy], address: &str) -> Option<bool> {
    let database = database(address);
    let end = End {
        namespace: "secure-kvs",
        labels: None,
        pods: &[&database],
        service: "10.96.3.8".parse().ok(),
        port: 5984,
    };
    allow(
        policies,
        &pod(json!({"app": "a"})).meta,
        Direction::Egress,
        &end,
    )
}

#[test]
fn a_rule_allows_what_its_peers_and_its_ports_take() {
    let named = |name: &str| json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}});
    let to = |peer: Value| json!([{"to": [peer]}]);
    let ports = |ports: Value| json!([{"ports": ports}]);
    let both = |namespace: &str, app: &str| {
        let mut peer = named(namespace);
        peer["podSelector"] = json!({"matchLabels": {"app": app}});
        to(peer)
    };
    let block =
        |cidr: &str, except: &[&str]| to(json!({"ipBlock": {"cidr": cidr, "except": except}}));
    for (rules, expected) in [
        (json!([]), Some(false)),
        (json!(null), Some(false)),
        (json!([{}]), Some(true)),
        (json!([{"to": [], "ports": []}]), Some(true)),
        (json!(7), None),
        (json!([7]), None),
        (json!([7, {}]), Some(true)),
        (to(named("secure-kvs")), Some(true)),
        (to(named("kube-system")), Some(false)),
        (to(json!({"namespaceSelector": {}})), Some(true)),
        // Its other labels were not read.
        (
            to(json!({"namespaceSelector": {"matchLabels": {"team": "db"}}})),
            None,
        ),
        (to(json!({"namespaceSelector": 7})), None),
        // Pods of the policy's own namespace.
        (to(json!({"podSelector": {}})), Some(false)),
        (both("secure-kvs", "db"), Some(true)),
        (both("secure-kvs", "web"), Some(false)),
        (both("core", "db"), Some(false)),
        // Neither of the API, nor known.
        (to(json!({})), None),
        (to(json!({"serviceSelector": {}})), None),
        (to(json!(null)), None),
        (block("0.0.0.0/0", &[]), Some(true)),
        (block("10.0.0.0/8", &[]), Some(true)),
        (
            block("0.0.0.0/0", &["10.42.0.0/16", "10.96.0.0/12"]),
            Some(false),
        ),
        (block("203.0.113.0/24", &[]), Some(false)),
        // The Service's address alone: plugins differ.
        (block("0.0.0.0/0", &["10.42.0.0/16"]), None),
        (block("10.96.3.8/32", &[]), None),
        (block("::/0", &["fd00::/8"]), None),
        (block("0.0.0.0/0", &["x"]), None),
        (block("x", &[]), None),
        (ports(json!([{"port": 5984}])), Some(true)),
        (
            ports(json!([{"port": 5984, "protocol": "TCP"}])),
            Some(true),
        ),
        (
            ports(json!([{"port": 5984, "protocol": "UDP"}])),
            Some(false),
        ),
        (ports(json!([{"protocol": "TCP"}])), Some(true)),
        (ports(json!([{"port": 443}])), Some(false)),
        (ports(json!([{"port": 5000, "endPort": 6000}])), Some(true)),
        (ports(json!([{"port": 5000, "endPort": 5983}])), Some(false)),
        (ports(json!([{"port": "couchdb"}])), None),
        (ports(json!([{"port": 443}, {"port": 5984}])), Some(true)),
        (ports(json!([{"port": []}])), None),
        (ports(json!([7])), None),
        // Both have to fit.
        (
            json!([{"to": [named("kube-system")], "ports": [{"port": 5984}]}]),
            Some(false),
        ),
        (
            json!([{"to": [named("secure-kvs")], "ports": [{"port": 443}]}, {"to": [named("secure-kvs")], "ports": [{"port": 5984}]}]),
            Some(true),
        ),
    ] {
        assert_eq!(out(rules.clone()), expected, "{rules}");
    }
}

#[test]
fn policies_add_to_each_other() {
    let deny = || policy(json!({"podSelector": {}, "policyTypes": ["Egress"]}));
    let allow = |selector: Value| {
        policy(json!({"podSelector": selector, "policyTypes": ["Egress"], "egress": [{}]}))
    };
    let is = |policies: &[NetworkPolicy]| couchdb(policies, "10.42.1.9");
    assert_eq!(is(&[]), Some(true));
    assert_eq!(is(&[deny()]), Some(false));
    assert_eq!(is(&[deny(), allow(json!({}))]), Some(true));
    let of_others = || allow(json!({"matchLabels": {"app": "b"}}));
    assert_eq!(is(&[of_others()]), Some(true));
    assert_eq!(is(&[deny(), of_others()]), Some(false));
    assert_eq!(is(&[deny(), allow(json!(7))]), None);
    // Whether it isolates is not known, and nothing allows it if it does.
    let perhaps = policy(json!({"podSelector": 7, "policyTypes": ["Egress"]}));
    assert_eq!(is(&[perhaps]), None);
    // About the other direction.
    assert_eq!(is(&[policy(json!({"podSelector": {}}))]), Some(true));
}

#[test]
fn a_pod_without_a_known_address_is_in_no_block_surely() {
    let block = policy(
        json!({"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]}),
    );
    for address in ["", "odd"] {
        assert_eq!(couchdb(std::slice::from_ref(&block), address), None);
    }
    assert_eq!(couchdb(&[block], "10.42.1.9"), Some(false));
}

#[test]
fn pods_are_let_in_by_the_labels_of_their_namespace() {
    let namespace = Fields::new(&json!({"metadata": {"name": "core", "labels": {"team": "kvs"}}}))
        .meta("Namespace");
    let own = database("10.42.1.9");
    let is = |from: Value, labels: Option<&Meta>| {
        let object = json!({"metadata": {"namespace": "secure-kvs", "name": "p"},
            "spec": {"podSelector": {}, "ingress": [{"from": [from], "ports": [{"port": 5984}]}]}});
        let policies = [NetworkPolicy::from_value(&object)];
        let job = pod(json!({"app": "a"}));
        let end = End {
            namespace: "core",
            labels,
            pods: &[&job],
            service: None,
            port: 5984,
        };
        allow(&policies, &own.meta, Direction::Ingress, &end)
    };
    let of = |key: &str, value: &str| json!({"namespaceSelector": {"matchLabels": {key: value}}});
    assert_eq!(
        is(of("kubernetes.io/metadata.name", "core"), None),
        Some(true)
    );
    assert_eq!(is(of("team", "kvs"), Some(&namespace)), Some(true));
    assert_eq!(is(of("team", "web"), Some(&namespace)), Some(false));
    assert_eq!(is(of("team", "kvs"), None), None);
    assert_eq!(is(json!({"podSelector": {}}), None), Some(false));
}

/// Whether policies with these egress rules let a pod ask DNS over UDP.
fn asks(rules: Value) -> Option<bool> {
    dns(rules, Protocol::Udp)
}

fn dns(rules: Value, protocol: Protocol) -> Option<bool> {
    let policies = [policy(
        json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules}),
    )];
    let inside = ["10.42.1.9", "10.96.3.8"].map(|text| text.parse().unwrap());
    allow_dns(&policies, &pod(json!({})).meta, protocol, &inside, None)
}

#[test]
fn dns_is_allowed_only_by_a_rule_that_leads_there() {
    let system = || json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}});
    let with_pods = |key: &str, value: &str| {
        let mut peer = system();
        peer["podSelector"] = json!({"matchLabels": {key: value}});
        peer
    };
    let udp = || json!({"port": 53, "protocol": "UDP"});
    let to = |peer: Value, ports: Value| json!([{"to": [peer], "ports": ports}]);
    let block = |cidr: &str, except: &[&str]| json!({"ipBlock": {"cidr": cidr, "except": except}});
    let couchdb = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "secure-kvs"}}});
    for (rules, expected) in [
        (json!([]), Some(false)),
        (json!([{}]), Some(true)),
        (json!([{"ports": [udp()]}]), Some(true)),
        (json!([{"ports": [{"port": 443}]}]), Some(false)),
        // The protocol is TCP where none is given.
        (json!([{"ports": [{"port": 53}]}]), Some(false)),
        (to(system(), json!([udp()])), Some(true)),
        (to(system(), json!([])), Some(true)),
        (
            to(with_pods("k8s-app", "kube-dns"), json!([udp()])),
            Some(true),
        ),
        (
            to(with_pods("k8s-app", "node-local-dns"), json!([udp()])),
            None,
        ),
        (to(with_pods("app", "coredns"), json!([udp()])), None),
        (
            to(json!({"namespaceSelector": {}}), json!([udp()])),
            Some(true),
        ),
        (
            to(
                json!({"namespaceSelector": {"matchLabels": {"name": "kube-system"}}}),
                json!([udp()]),
            ),
            None,
        ),
        (to(couchdb.clone(), json!([{"port": 5984}])), Some(false)),
        (to(couchdb.clone(), json!([])), Some(false)),
        // DNS may be where a rule opens its port, or OpenShift's.
        (to(couchdb.clone(), json!([udp()])), None),
        (
            to(couchdb, json!([{"port": "dns", "protocol": "UDP"}])),
            None,
        ),
        (
            to(
                json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}),
                json!([{"port": 5353, "protocol": "UDP"}]),
            ),
            None,
        ),
        (
            to(
                json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}),
                json!([]),
            ),
            None,
        ),
        (
            to(system(), json!([{"port": "dns", "protocol": "UDP"}])),
            None,
        ),
        (
            to(system(), json!([{"port": "metrics", "protocol": "UDP"}])),
            Some(false),
        ),
        (to(json!({"podSelector": {}}), json!([])), Some(false)),
        (to(block("0.0.0.0/0", &[]), json!([udp()])), Some(true)),
        (
            to(block("0.0.0.0/0", &["10.0.0.0/8"]), json!([])),
            Some(false),
        ),
        (
            to(
                block("0.0.0.0/0", &["10.42.0.0/16", "10.96.0.0/12"]),
                json!([]),
            ),
            Some(false),
        ),
        (to(block("0.0.0.0/0", &["10.42.0.0/16"]), json!([])), None),
        (
            to(block("0.0.0.0/0", &["10.0.0.0/8"]), json!([udp()])),
            None,
        ),
        (
            to(block("203.0.113.0/24", &[]), json!([{"port": 443}])),
            Some(false),
        ),
        (to(block("10.96.0.10/32", &[]), json!([])), None),
        (to(block("169.254.20.10/32", &[]), json!([])), None),
        (to(json!({"ipBlock": 7}), json!([])), None),
    ] {
        assert_eq!(asks(rules.clone()), expected, "{rules}");
    }
    let over_tcp = json!([{"ports": [{"port": 53}]}]);
    assert_eq!(dns(over_tcp, Protocol::Tcp), Some(true));
    // Without a known address of the cluster no block is known to be outside.
    let policies = [policy(
        json!({"podSelector": {}, "egress": [{"to": [block("0.0.0.0/0", &["10.0.0.0/8"])]}]}),
    )];
    assert_eq!(
        allow_dns(&policies, &pod(json!({})).meta, Protocol::Udp, &[], None),
        None
    );
}

#[test]
fn the_labels_of_the_namespace_of_dns_decide_where_they_are_read() {
    let rule = json!([{"to": [{"namespaceSelector": {"matchLabels": {"name": "kube-system"}}}]}]);
    let policies = [policy(json!({"podSelector": {}, "egress": rule}))];
    assert!(policies[0].asks_for_labels());
    let is = |labels: Value| {
        let namespace = json!({"metadata": {"name": "kube-system", "labels": labels}});
        let namespace = Fields::new(&namespace).meta("Namespace");
        let pod = pod(json!({}));
        allow_dns(&policies, &pod.meta, Protocol::Udp, &[], Some(&namespace))
    };
    assert_eq!(is(json!({"name": "kube-system"})), Some(true));
    assert_eq!(
        is(json!({"kubernetes.io/metadata.name": "kube-system"})),
        Some(false)
    );
    assert_eq!(is(json!(null)), Some(false));
    assert_eq!(is(json!(7)), None);
    for spec in [
        json!({"egress": [{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "n"}}}]}]}),
        json!({"egress": [{"to": [{"podSelector": {"matchLabels": {"a": "b"}}}]}]}),
        json!({"ingress": [{"from": [{"namespaceSelector": {}}]}]}),
    ] {
        assert!(!policy(spec.clone()).asks_for_labels(), "{spec}");
    }
    let expression = json!({"ingress": [{"from": [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]}]});
    assert!(policy(expression).asks_for_labels());
}

#[test]
fn the_addresses_are_named_where_there_is_nothing_else() {
    let of = |rules: Value| policy(json!({"podSelector": {}, "egress": rules})).only_addresses();
    let block =
        json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.42.0.0/16", "10.96.0.0/12"]}});
    assert_eq!(
        of(json!([{"to": [block]}, {"to": [block]}])).as_deref(),
        Some("0.0.0.0/0 except 10.42.0.0/16 and 10.96.0.0/12")
    );
    for rules in [
        json!([]),
        json!([{}]),
        json!([{"to": [block, {"podSelector": {}}]}]),
        json!([{"to": [block, 7]}]),
        json!([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [7]}}]}]),
        json!([{"to": [block]}, 7]),
    ] {
        assert_eq!(of(rules.clone()), None, "{rules}");
    }
}

proptest! {
    #[test]
    fn no_policy_panics(text in r#"\{"(podSelector|policyTypes|ingress|egress)":(null|7|\{\}|\[(null|7|"Egress"|\{"(to|from|ports)":(7|\[(null|\{\}|\{"(port|endPort|ipBlock)":(7|"x"|null|\{"cidr":"1\.0\.0\.0/9"\})\})\])\})\])\}"#) {
        let spec: Value = serde_json::from_str(&text).unwrap();
        let policies = [policy(spec)];
        couchdb(&policies, "10.42.1.9");
        allow_dns(&policies, &pod(json!({})).meta, Protocol::Udp, &[], None);
    }

    #[test]
    fn a_rule_that_allows_all_cannot_be_taken_back(cut in 0_usize..4, rest in 0_usize..4) {
        let rules = [json!({}), json!({"to": [7]}), json!({"ports": [{"port": 1}]}), json!(7)];
        let listed = json!([rules[cut], {}, rules[rest]]);
        prop_assert_eq!(out(listed.clone()), Some(true));
        prop_assert_eq!(asks(listed), Some(true));
    }
}
