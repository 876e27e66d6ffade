//! No answer is yes unless everything was read and understood.

mod edits;
mod hostile;

use super::*;
use crate::model::field::Fields;
use crate::model::istio::detour::KINDS;
use crate::snapshot::Why;
use serde_json::{Value, json};

/// The objects of a cluster in which an account may use its database.
#[derive(Clone, Debug)]
pub(super) struct World {
    account: &'static str,
    claimants: Listing<Claimant>,
    /// What is read as one kind each; null is absent, a text is why it was not read.
    objects: Value,
}

fn installed() -> Installed {
    Installed {
        status: "deployed".to_owned(),
        database: Some("pds_database".to_owned()),
        endpoint: Some("http://steelcouch.secure-kvs.svc:5984".to_owned()),
    }
}

fn claimant() -> Claimant {
    Claimant {
        id: "flux-system/skvs-onboarding-pds--database".to_owned(),
        is_remote: false,
        is_stale: false,
        installed: Read::Seen(installed()),
    }
}

fn policy(namespace: &str, name: &str, spec: Value) -> Value {
    json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

fn pod(namespace: &str, name: &str, account: &str, labels: Value) -> Value {
    json!({"metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"serviceAccountName": account, "containers": [
            {"name": "istio-proxy", "image": "istio/proxyv2:1.20.0"},
            {"name": "main", "image": "main", "ports": [{"name": "http", "containerPort": 8000}]}]},
        "status": {"phase": "Running"}})
}

impl World {
    fn good() -> Self {
        let namespace = |name: &str| json!({"metadata": {"name": name, "labels": {"istio-injection": "enabled"}}});
        let steelcouch =
            json!({"app": "kvs", "type": "steelcouch", "security.istio.io/tlsMode": "istio"});
        let spec = json!({"action": "ALLOW", "selector": {"matchLabels": {"type": "steelcouch"}}, "rules": [{
            "from": [{"source": {"principals": ["cluster.local/ns/pds/sa/pds"]}}],
            "to": [{"operation": {"ports": ["8000"], "paths": ["/pds_database", "/pds_database/*"]}}]}]});
        let objects = json!({
            "mesh": {"data": {"mesh": "rootNamespace: istio-system\ntrustDomain: cluster.local\n"}},
            "policies": [policy("secure-kvs", "pds", spec)],
            "peerauthentications": [],
            "serverNamespace": namespace("secure-kvs"),
            "services": [{"metadata": {"namespace": "secure-kvs", "name": "steelcouch"}, "spec": {"type": "ClusterIP",
                "selector": {"type": "steelcouch"}, "ports": [{"name": "http", "port": 5984, "targetPort": 8000}]}}],
            "pods": [pod("secure-kvs", "steelcouch-0", "steelcouch", steelcouch)],
            "clientNamespace": namespace("pds"),
            "serviceAccount": {"metadata": {"namespace": "pds", "name": "pds"}},
            "clientPods": [pod("pds", "pds-0", "pds", json!({"app": "pds"}))],
            "detours": {"destinationrules": [], "envoyfilters": [], "grpcroutes": [], "httproutes": [],
                "serviceentries": [], "sidecars": [], "tcproutes": [], "tlsroutes": [], "virtualservices": [], "wasmplugins": [], "workloadentries": []},
        });
        Self {
            account: "pds/pds",
            claimants: Listing::whole(vec![claimant()]),
            objects,
        }
    }

    /// The same with a change.
    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut world = Self::good();
        change(&mut world);
        world
    }

    fn facts(&self) -> Facts {
        fn all<T>(of: &Value, parse: impl Fn(&Value) -> T) -> Read<Vec<T>> {
            read(of, |value| {
                value.as_array().map(|all| all.iter().map(&parse).collect())
            })
        }
        fn read<T>(of: &Value, parse: impl Fn(&Value) -> Option<T>) -> Read<T> {
            match of {
                Value::Null => Read::Absent,
                Value::String(why) => Read::failed(why.clone()),
                value => parse(value).map_or(Read::failed("not of the form"), Read::Seen),
            }
        }
        let meta = |value: &Value| Some(Fields::new(value).meta("Object"));
        let mesh = read(&self.objects["mesh"], |value| Some(Mesh::from_value(value)));
        let objects = &self.objects;
        Facts {
            database: DatabaseName::parse("pds_database").unwrap(),
            account: Account::parse(self.account).unwrap(),
            claimants: self.claimants.clone(),
            mesh: mesh.and_then(|mesh| mesh.map_or_else(Read::failed, Read::Seen)),
            policies: all(&objects["policies"], AuthorizationPolicy::from_value),
            peer_authentications: all(
                &objects["peerauthentications"],
                PeerAuthentication::from_value,
            ),
            detours: KINDS
                .iter()
                .map(|kind| {
                    let (_, plural) = kind.resource();
                    let parse = |value: &Value| Detour::from_value(*kind, value);
                    (plural, all(&objects["detours"][plural], parse))
                })
                .collect(),
            server: Server {
                namespace: read(&objects["serverNamespace"], meta),
                services: all(&objects["services"], Service::from_value),
                pods: all(&objects["pods"], Workload::from_value),
            },
            client: Client {
                namespace: read(&objects["clientNamespace"], meta),
                service_account: read(&objects["serviceAccount"], meta),
                pods: all(&objects["clientPods"], Workload::from_value),
            },
        }
    }

    /// `yes`, `no: WHY` or `unknown: WHY`.
    fn answer(&self) -> String {
        let judgement = judge(&self.facts());
        match &judgement.verdict {
            Verdict::Yes(_) => {
                assert_eq!(judgement.doubts, []);
                "yes".to_owned()
            }
            Verdict::No(No::Nobody(why) | No::Refused(why)) => format!("no: {why}"),
            Verdict::Unknown => {
                let first = judgement.doubts.first().expect("a reason");
                format!("unknown: {}: {}", first.what, first.why)
            }
        }
    }

    /// The answer after a change of the objects.
    fn changed(change: impl FnOnce(&mut Value)) -> String {
        Self::with(|world| change(&mut world.objects)).answer()
    }

    /// The answer with one more policy.
    fn with_policy(namespace: &str, spec: Value) -> String {
        Self::changed(|objects| {
            let more = policy(namespace, "more", spec);
            objects["policies"].as_array_mut().unwrap().push(more);
        })
    }

    /// The answer with another policy in the place of the database's own.
    fn with_spec(change: impl FnOnce(&mut Value)) -> String {
        Self::changed(|objects| change(&mut objects["policies"][0]["spec"]))
    }
}

#[track_caller]
fn is(answer: &str, start: &str, part: &str) {
    assert!(
        answer.starts_with(start) && answer.contains(part),
        "{answer}"
    );
}

#[test]
fn an_account_of_the_policy_may_use_its_database() {
    let judgement = judge(&World::good().facts());
    assert_eq!(World::good().answer(), "yes");
    assert_eq!(
        judgement.methods.allowed,
        ["GET", "HEAD", "POST", "PUT", "DELETE"]
    );
    assert_eq!(judgement.policies[0].effect, Effect::LetsIn);
    assert_eq!(judgement.principal, "cluster.local/ns/pds/sa/pds");
}

#[test]
fn without_pods_behind_the_endpoint_it_is_not_known() {
    let none = World::changed(|o| o["pods"] = json!([]));
    is(&none, "unknown: ", "selects no pod that runs");
    let ended = World::changed(|o| o["pods"][0]["status"]["phase"] = json!("Failed"));
    is(&ended, "unknown: ", "selects no pod that runs");
    let others = World::changed(|o| o["pods"][0]["metadata"]["labels"]["type"] = json!("db"));
    is(&others, "unknown: ", "selects no pod that runs");
}

/// The endpoint is the installed one's, and the account the policy's: the spec is not asked.
#[test]
fn what_is_installed_counts() {
    let world = |change: &dyn Fn(&mut Claimant)| {
        World::with(|w| {
            let mut own = claimant();
            change(&mut own);
            w.claimants = Listing::whole(vec![own]);
        })
    };
    let stale = world(&|c| c.is_stale = true);
    let judgement = judge(&stale.facts());
    assert_eq!(judgement.endpoint.unwrap().name, "steelcouch");
    assert!(judgement.notes[0].contains("is not installed yet"));
    for (status, part) in [
        ("pending-upgrade", "not deployed"),
        ("failed", "not deployed"),
        ("", "not deployed"),
    ] {
        let own = Installed {
            status: status.to_owned(),
            ..installed()
        };
        let answer = world(&|c| c.installed = Read::Seen(own.clone())).answer();
        is(&answer, "unknown: ", part);
    }
    for endpoint in [
        None,
        Some("https://steelcouch.secure-kvs.svc:5984"),
        Some("http://steelcouch.secure-kvs.svc"),
        Some("http://10.0.0.1:5984"),
        Some("http://steelcouch.secure-kvs.svc:5984/prefix"),
        Some("http://steelcouch.secure-kvs.svc:5984x"),
        Some("http://steelcouch.secure-kvs.svc.example.org:5984"),
        Some("http://user@steelcouch.secure-kvs.svc:5984"),
    ] {
        let own = Installed {
            endpoint: endpoint.map(str::to_owned),
            ..installed()
        };
        let answer = world(&|c| c.installed = Read::Seen(own.clone())).answer();
        is(&answer, "unknown: ", "name no endpoint");
    }
    let own = Installed {
        database: Some("pds_other".to_owned()),
        ..installed()
    };
    is(
        &world(&|c| c.installed = Read::Seen(own.clone())).answer(),
        "unknown: ",
        "not known to be for pds_database",
    );
    is(
        &world(&|c| c.installed = Read::Absent).answer(),
        "unknown: ",
        "nothing is installed",
    );
    is(
        &world(&|c| c.installed = Read::failed("timed out")).answer(),
        "unknown: ",
        "timed out",
    );
}

#[test]
fn the_database_needs_one_endpoint_and_all_who_claim_it_known() {
    let answer = |claimants| World::with(|w| w.claimants = claimants).answer();
    is(
        &answer(Listing::whole(Vec::new())),
        "unknown: ",
        "no onboarding claims pds_database",
    );
    let cut = Why::Failed("the other namespaces were not read".to_owned());
    is(
        &answer(Listing::new(vec![claimant()], Some(cut))),
        "unknown: ",
        "others may claim it",
    );
    assert_eq!(answer(Listing::whole(vec![claimant(), claimant()])), "yes");
    let direct = Installed {
        endpoint: Some("http://couchdb.secure-kvs.svc:5984".to_owned()),
        ..installed()
    };
    let direct = Claimant {
        installed: Read::Seen(direct),
        ..claimant()
    };
    is(
        &answer(Listing::whole(vec![claimant(), direct])),
        "unknown: ",
        "different endpoints",
    );
}

#[test]
fn ambient_mode_is_not_evaluated() {
    for at in [
        "/serverNamespace/metadata",
        "/clientNamespace/metadata",
        "/pods/0/metadata",
        "/clientPods/0/metadata",
    ] {
        let answer = World::changed(|o| {
            o.pointer_mut(at).unwrap()["labels"]["istio.io/dataplane-mode"] = json!("ambient");
            o["pods"][0]["metadata"]["labels"]["type"] = json!("steelcouch");
        });
        is(&answer, "unknown: ", "ambient mode");
    }
}

#[test]
fn a_port_that_is_not_http_is_not_evaluated() {
    for port in [
        json!({"name": "couchdb", "port": 5984, "targetPort": 8000}),
        json!({"name": "tcp", "port": 5984, "targetPort": 8000}),
        json!({"name": "http", "port": 5984, "targetPort": 8000, "appProtocol": "tcp"}),
    ] {
        let answer = World::changed(|o| o["services"][0]["spec"]["ports"][0] = port);
        is(&answer, "unknown: ", "not declared as HTTP");
    }
}

#[test]
fn a_star_inside_is_no_wildcard() {
    let inside = World::with_spec(|s| {
        s["rules"][0]["from"][0]["source"] = json!({"principals": ["cluster.local/ns/*/sa/pds"]});
    });
    is(&inside, "unknown: ", "no wildcard");
    let inside =
        World::with_spec(|s| s["rules"][0]["from"][0]["source"] = json!({"namespaces": ["p*s"]}));
    is(&inside, "unknown: ", "no wildcard");
}

#[test]
fn the_trust_domain_is_the_meshs_and_never_the_policys() {
    let principal = |of: &str| json!({"principals": [format!("{of}/ns/pds/sa/pds")]});
    let other =
        World::with_spec(|s| s["rules"][0]["from"][0]["source"] = principal("prod.example"));
    is(
        &other,
        "unknown: ",
        "another trust domain than cluster.local",
    );
    let own = World::changed(|o| {
        o["mesh"]["data"]["mesh"] = json!("trustDomain: prod.example");
        o["policies"][0]["spec"]["rules"][0]["from"][0]["source"] = principal("prod.example");
    });
    assert_eq!(own, "yes");
    let changed =
        World::changed(|o| o["mesh"]["data"]["mesh"] = json!("trustDomain: prod.example"));
    is(
        &changed,
        "unknown: ",
        "another trust domain than prod.example",
    );
    for mesh in [json!(null), json!("forbidden"), json!({})] {
        is(
            &World::changed(|o| o["mesh"] = mesh),
            "unknown: ",
            "cluster.local and the root namespace istio-system are assumed",
        );
    }
}

#[test]
fn what_goes_around_the_sidecar_is_not_a_plain_yes() {
    for side in ["pods", "clientPods"] {
        let annotated = |key: &str, value: &str| {
            World::changed(|o| o[side][0]["metadata"]["annotations"] = json!({key: value}))
        };
        for (key, value) in [
            ("traffic.sidecar.istio.io/excludeInboundPorts", "8000"),
            ("traffic.sidecar.istio.io/excludeOutboundPorts", "5984"),
            ("sidecar.istio.io/inject", "false"),
        ] {
            is(&annotated(key, value), "unknown: ", key);
        }
        let without =
            World::changed(|o| o[side][0]["spec"]["containers"][0] = json!({"name": "other"}));
        is(&without, "unknown: ", "has no sidecar");
    }
    // One pod of several is enough.
    let second = World::changed(|o| {
        let mut second = o["pods"][0].clone();
        second["spec"]["containers"] = json!([]);
        o["pods"].as_array_mut().unwrap().push(second);
    });
    is(&second, "unknown: ", "has no sidecar");
    is(
        &World::changed(|o| o["clientPods"] = json!([])),
        "unknown: ",
        "no pod runs as pds/pds",
    );
}

#[test]
fn a_release_on_another_cluster_is_not_judged_by_this_one() {
    let remote = Claimant {
        is_remote: true,
        ..claimant()
    };
    let answer = World::with(|w| w.claimants = Listing::whole(vec![remote])).answer();
    is(&answer, "unknown: ", "another cluster");
}

#[test]
fn a_deny_or_an_external_authoriser_comes_first() {
    for namespace in ["secure-kvs", "istio-system"] {
        let deny =
            |rules: Value| World::with_policy(namespace, json!({"action": "DENY", "rules": rules}));
        is(&deny(json!([{}])), "no: ", "a DENY policy refuses it");
        is(
            &deny(json!([{"to": [{"operation": {"methods": ["DELETE"]}}]}])),
            "no: ",
            "a DENY policy refuses it",
        );
        is(
            &deny(json!([{"from": [{"source": {"ipBlocks": ["10.0.0.0/8"]}}]}])),
            "unknown: ",
            "may refuse it",
        );
        is(
            &deny(json!([{"to": [{"operation": {"paths": ["*/_bulk_docs"]}}]}])),
            "unknown: ",
            "may refuse it",
        );
        is(
            &deny(json!([{"to": [{"operation": {"paths": ["/pds_database/secret"]}}]}])),
            "unknown: ",
            "may refuse it",
        );
        assert_eq!(
            deny(json!([{"from": [{"source": {"namespaces": ["other"]}}]}])),
            "yes"
        );
        assert_eq!(deny(json!([])), "yes");
        let custom = json!({"action": "CUSTOM", "provider": {"name": "opa"}, "rules": [{}]});
        is(
            &World::with_policy(namespace, custom),
            "unknown: ",
            "external authoriser",
        );
    }
    is(
        &World::changed(|o| o["policies"] = json!("forbidden (list authorizationpolicies)")),
        "unknown: ",
        "forbidden",
    );
}

#[test]
fn policies_of_other_namespaces_have_no_say() {
    assert_eq!(
        World::with_policy("pds", json!({"action": "DENY", "rules": [{}]})),
        "yes"
    );
    assert_eq!(World::with_policy("pds", json!({"stranger": 1})), "yes");
    let root = World::changed(|o| {
        o["mesh"]["data"]["mesh"] = json!("rootNamespace: pds");
        let deny = policy("pds", "all", json!({"action": "DENY", "rules": [{}]}));
        o["policies"].as_array_mut().unwrap().push(deny);
    });
    is(&root, "no: ", "a DENY policy refuses it");
}

#[test]
fn who_does_not_exist_cannot_use_it() {
    is(
        &World::changed(|o| o["serviceAccount"] = json!(null)),
        "no: ",
        "service account pds/pds does not exist",
    );
    is(
        &World::changed(|o| o["clientNamespace"] = json!(null)),
        "no: ",
        "namespace pds does not exist",
    );
    is(
        &World::changed(|o| o["serviceAccount"] = json!("forbidden")),
        "unknown: ",
        "forbidden",
    );
}

#[test]
fn who_is_not_named_is_refused() {
    let other = World::with(|w| w.account = "pds/batch");
    is(
        &other.answer(),
        "no: ",
        "no ALLOW policy of the pods lets it in",
    );
    // The direct endpoint is not Steelcouch's policy.
    let selects_others = World::with_spec(|s| s["selector"]["matchLabels"]["type"] = json!("db"));
    is(&selects_others, "unknown: ", "keeps nobody out");
    let other_port =
        World::with_spec(|s| s["rules"][0]["to"][0]["operation"]["ports"] = json!(["5984"]));
    is(&other_port, "no: ", "no ALLOW policy");
}

#[test]
fn reading_alone_is_not_using() {
    let methods = |list: Value| {
        let world = World::with(|w| {
            w.objects["policies"][0]["spec"]["rules"][0]["to"][0]["operation"]["methods"] = list;
        });
        (judge(&world.facts()).methods, world.answer())
    };
    let (methods_, answer) = methods(json!(["GET", "HEAD"]));
    is(&answer, "no: ", "");
    assert_eq!(
        (methods_.allowed, methods_.refused),
        (vec!["GET", "HEAD"], vec!["POST", "PUT", "DELETE"])
    );
    assert_eq!(methods(json!(["*"])).1, "yes");
}

#[test]
fn a_wide_path_is_noted() {
    let world = World::with(|w| {
        w.objects["policies"][0]["spec"]["rules"][0]["to"][0]["operation"]["paths"] =
            json!(["/pds_database*"]);
    });
    assert_eq!(world.answer(), "yes");
    assert!(judge(&world.facts()).notes[0].contains("lets into other databases too"));
}

#[test]
fn a_pod_that_another_policy_is_for_makes_a_difference() {
    let answer = World::changed(|o| {
        let mut second = o["pods"][0].clone();
        second["metadata"]["name"] = json!("steelcouch-1");
        second["metadata"]["labels"]["canary"] = json!("1");
        o["pods"].as_array_mut().unwrap().push(second);
        let deny =
            json!({"action": "DENY", "selector": {"matchLabels": {"canary": "1"}}, "rules": [{}]});
        o["policies"]
            .as_array_mut()
            .unwrap()
            .push(policy("secure-kvs", "canary", deny));
    });
    is(
        &answer,
        "unknown: ",
        "some of the pods let it in and others do not",
    );
}

#[test]
fn without_mutual_tls_nobody_has_an_identity() {
    let unlabelled = World::changed(|o| {
        o["pods"][0]["metadata"]["labels"] = json!({"app": "kvs", "type": "steelcouch"});
    });
    is(&unlabelled, "unknown: ", "clients send it no identity");
    let off = json!([{"metadata": {"namespace": "istio-system", "name": "default"}, "spec": {"mtls": {"mode": "DISABLE"}}}]);
    is(
        &World::changed(|o| o["peerauthentications"] = off),
        "unknown: ",
        "switches it off",
    );
    let rule = json!([{"metadata": {"namespace": "pds", "name": "kvs"}, "spec": {"host": "steelcouch.secure-kvs.svc.cluster.local",
        "trafficPolicy": {"tls": {"mode": "DISABLE"}}}}]);
    is(
        &World::changed(|o| o["detours"]["destinationrules"] = rule),
        "unknown: ",
        "DestinationRule pds/kvs",
    );
}

#[test]
fn the_place_that_is_refused_is_named() {
    let world = World::with(|w| {
        w.objects["policies"][0]["spec"]["rules"][0]["to"][0]["operation"]["paths"] =
            json!(["/pds_database/*"]);
    });
    is(
        &world.answer(),
        "no: for /pds_database itself, not for what is below it",
        "",
    );
    let methods = judge(&world.facts()).methods;
    assert_eq!(methods.allowed, ["PUT", "DELETE"]);
    assert_eq!(methods.partly, ["GET", "HEAD", "POST"]);
    let below = World::with_spec(|s| {
        s["rules"][0]["to"][0]["operation"]["paths"] = json!(["/pds_database"]);
    });
    is(
        &below,
        "no: for what is below /pds_database, not for it itself",
        "",
    );
    // To delete the database itself is not part of using it.
    let no_deletions =
        json!({"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["DELETE"]}}]}]});
    is(
        &World::with_policy("secure-kvs", no_deletions),
        "no: secure-kvs/more: a DENY policy refuses it",
        "",
    );
}

#[test]
fn a_policy_for_another_istiod_has_no_known_effect() {
    for part in ["labels", "annotations"] {
        let answer = World::changed(|o| {
            o["policies"][0]["metadata"][part] = json!({"istio.io/rev": "canary"});
        });
        is(&answer, "unknown: ", "istio.io/rev is not evaluated");
    }
}

#[test]
fn arguments_of_the_init_container_may_leave_traffic_out() {
    let answer = |pods: &str, args: Value| {
        World::changed(|o| {
            o[pods][0]["spec"]["initContainers"] =
                json!([{"name": "istio-init", "image": "istio/proxyv2:1", "args": args}]);
        })
    };
    let usual = json!([
        "istio-iptables",
        "-p",
        "15001",
        "-z",
        "15006",
        "-u",
        "1337",
        "-m",
        "REDIRECT",
        "-i",
        "*",
        "-x",
        "",
        "-b",
        "*",
        "-d",
        "15090,15021,15020",
        "--log_output_level=default:info"
    ]);
    for pods in ["pods", "clientPods"] {
        assert_eq!(answer(pods, usual.clone()), "yes");
        for args in [
            json!(["istio-iptables", "-o", "5984"]),
            json!(["istio-iptables", "-i", "10.0.0.0/24"]),
            json!(["istio-iptables", "-b", "8080"]),
            json!(["istio-iptables", "-d", "15090,8000"]),
            json!(["istio-iptables", "--unknown"]),
            json!([7]),
            json!({"a": 1}),
        ] {
            assert!(
                answer(pods, args.clone()).starts_with("unknown: "),
                "{args}"
            );
        }
    }
}

#[test]
fn a_no_needs_what_it_is_said_of() {
    let refused = || World::with(|w| w.account = "pds/batch");
    is(&refused().answer(), "no: ", "");
    let mut filtered = refused();
    filtered.objects["detours"]["envoyfilters"] =
        json!([{"metadata": {"namespace": "secure-kvs", "name": "f"}, "spec": {}}]);
    is(&filtered.answer(), "unknown: ", "");
    // On another cluster the account may exist.
    let mut remote = World::with(|w| w.objects["serviceAccount"] = Value::Null);
    is(&remote.answer(), "no: ", "does not exist");
    remote.claimants = Listing::whole(vec![Claimant {
        is_remote: true,
        ..claimant()
    }]);
    is(&remote.answer(), "unknown: ", "");
    // Who shows no identity is not kept out by a policy that names one.
    let bare = |world: &mut World| {
        world.objects["clientPods"][0]["spec"]["containers"] =
            json!([{"name": "main", "image": "main"}]);
    };
    let deny = json!({"action": "DENY", "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/pds/sa/pds"]}}]}]});
    let mut denied = World::with(|w| {
        w.objects["policies"]
            .as_array_mut()
            .unwrap()
            .push(policy("secure-kvs", "deny", deny));
    });
    is(&denied.answer(), "no: ", "DENY");
    bare(&mut denied);
    is(&denied.answer(), "unknown: ", "");
    let mut other = refused();
    bare(&mut other);
    is(&other.answer(), "no: ", "");
}
