use crate::diagnosis::{Case, diagnose, fixture};
use crate::model::network_policy::NetworkPolicy;
use crate::snapshot::{Listing, NetworkPolicies, Read, Snapshot, Why};
use serde_json::{Value, json};

const EGRESS: &str = "couchdb-behind-an-egress-policy";
const MEMBERS: &str = "couchdb-members-behind-a-network-policy";

/// The reasons and the fix of the finding of `code` in this case with these policies.
fn said(name: &str, code: &str, change: impl FnOnce(&mut Snapshot)) -> String {
    let mut snapshot = fixture::snapshot(name);
    change(&mut snapshot);
    let diagnosis = diagnose(&Case::new(&snapshot, fixture::meta(name).now));
    fixture::reasoned(fixture::of_code(diagnosis, code))
}

fn listed(namespace: &str, specs: &[Value]) -> Read<Listing<NetworkPolicy>> {
    let object = |(number, spec): (usize, &Value)| {
        let name = format!("p{number}");
        NetworkPolicy::from_value(
            &json!({"metadata": {"name": name, "namespace": namespace}, "spec": spec}),
        )
    };
    Read::Seen(Listing::whole(
        specs.iter().enumerate().map(object).collect(),
    ))
}

fn not_needed() -> Read<Listing<NetworkPolicy>> {
    Read::not_needed("x")
}

/// The finding on the Job's pod with these policies of its namespace.
fn with(specs: &[Value]) -> String {
    with_read(listed("core", specs))
}

fn with_read(of_job: Read<Listing<NetworkPolicy>>) -> String {
    said(EGRESS, "SKVS304", |snapshot| {
        let of_couchdb = not_needed();
        snapshot.on_demand.network_policies = Read::Seen(NetworkPolicies {
            of_job: of_job.into(),
            of_couchdb: of_couchdb.into(),
            namespaces: Vec::new(),
        });
    })
}

/// Lets the Job's log say another thing.
fn relog(snapshot: &mut Snapshot, text: &str) {
    let pods = snapshot.creation_job.seen_mut().unwrap().pods.seen_mut();
    for (_, log) in pods
        .unwrap()
        .known_mut()
        .iter_mut()
        .flat_map(|pod| &mut pod.logs)
    {
        *log = Read::Seen(text.to_owned()).into();
    }
}

const BLAMED: &str = "no rule allows";
const UNKNOWN: &str = "is not known";

#[test]
fn a_policy_without_a_rule_for_dns_is_said_first() {
    insta::assert_snapshot!(said(EGRESS, "SKVS304", |_| {}), @"
    The Job creates the database through CouchDB's Service, and could not resolve its name: CouchDB was not asked.
    NetworkPolicy core/own-pods-only selects the pod: no rule allows DNS (port 53).
    A network plugin that enforces NetworkPolicies drops these connections.
    No pod in secure-kvs is known to be CouchDB's.
    the creation Job gets no answer from CouchDB
    Add egress rules for the Job's pods, to this NetworkPolicy or in a policy of their own: to kube-system on port 53 (UDP and TCP) for DNS, and to secure-kvs on port 5984 for CouchDB (unless a rule allows that already). The present rules:
    $ kubectl describe -n core networkpolicy own-pods-only
    Check the cluster's DNS; its pods have to be ready:
    $ kubectl get pods -n kube-system -l k8s-app=kube-dns
    Check that the name in the log is that of CouchDB's Service. Existing Services:
    $ kubectl get services -n secure-kvs
    Check that CouchDB is running and the Service has endpoints:
    $ kubectl get pods,services,endpointslices -n secure-kvs
    If it is, check network policies and the mesh between the two namespaces.
    ");
}

#[test]
fn what_the_rules_lack_is_named_and_what_they_have_is_not() {
    let egress =
        |rules: Value| json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules});
    let of = |name: &str, ports: Value| json!({"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}], "ports": ports});
    let dns = || {
        of(
            "kube-system",
            json!([{"port": 53, "protocol": "UDP"}, {"port": 53}]),
        )
    };
    let over_tcp = of("kube-system", json!([{"port": 53}]));
    let couchdb = of("secure-kvs", json!([{"port": 5984}]));
    let nothing = with(&[egress(json!([]))]);
    assert!(nothing.contains("NetworkPolicy core/p0 selects the pod and lets it connect to nothing: no rule allows DNS (port 53) or CouchDB (secure-kvs, port 5984)."), "{nothing}");
    let without_dns = with(&[egress(json!([couchdb]))]);
    assert!(
        without_dns.contains("selects the pod: no rule allows DNS (port 53)."),
        "{without_dns}"
    );
    assert!(
        without_dns.contains("of their own: to kube-system on port 53 (UDP and TCP) for DNS. The"),
        "{without_dns}"
    );
    let tcp = with(&[egress(json!([over_tcp, couchdb]))]);
    assert!(
        tcp.contains(
            "no rule allows DNS over UDP (port 53; a rule without a protocol is for TCP)."
        ),
        "{tcp}"
    );
    let several = with(&[egress(json!([couchdb])), egress(json!([]))]);
    assert!(
        several.contains(
            "NetworkPolicies core/p1 and core/p0 select the pod: no rule allows DNS (port 53)."
        ),
        "{several}"
    );
    assert!(
        several.contains("to one of these NetworkPolicies or in a policy of their own"),
        "{several}"
    );
    // What is not resolved is not for want of a way to CouchDB.
    for allowed in [
        vec![egress(json!([dns()]))],
        vec![egress(json!([])), egress(json!([dns()]))],
        vec![egress(json!([{}]))],
        vec![json!({"podSelector": {}, "policyTypes": ["Ingress"]})],
        vec![json!({"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Egress"]})],
        vec![],
    ] {
        let text = with(&allowed);
        assert!(!text.contains(BLAMED) && !text.contains(UNKNOWN), "{text}");
    }
}

#[test]
fn what_is_not_known_of_policies_is_one_line_and_no_reason() {
    let odd = [
        json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {"matchLabels": {"name": "kube-system"}}}]}]}),
    ];
    let line = "Whether NetworkPolicy core/p0 lets the Job's pod reach DNS is not known: not all that decides it was read.";
    let text = with(&odd);
    assert!(text.contains(line) && !text.contains(BLAMED), "{text}");
    for specs in [
        json!({"podSelector": 7, "policyTypes": ["Egress"]}),
        json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [7]}),
    ] {
        let text = with(&[specs]);
        assert!(text.contains(line) && !text.contains(BLAMED), "{text}");
    }
    let forbidden = Why::Forbidden("list networkpolicies in core".to_owned());
    let text = with_read(Read::Unknown(forbidden.clone()));
    assert!(text.contains("Whether NetworkPolicies let the Job's pod reach DNS is not known: forbidden (list networkpolicies in core)."), "{text}");
    assert_eq!(text.matches(UNKNOWN).count(), 1, "{text}");
    assert!(!text.contains(BLAMED), "{text}");
    let none_of_many = with_read(Read::Seen(Listing::new(
        Vec::new(),
        Some(forbidden.clone()),
    )));
    assert!(
        none_of_many.contains("Whether NetworkPolicies let the Job's pod reach DNS is not known"),
        "{none_of_many}"
    );
    // One that denies shows what it shows, and another may allow it.
    let Read::Seen(mut some) = listed(
        "core",
        &[json!({"podSelector": {}, "policyTypes": ["Egress"]})],
    ) else {
        unreachable!()
    };
    some.lacks(Some(forbidden));
    let text = with_read(Read::Seen(some));
    assert!(text.contains(BLAMED) && text.contains("Policies that were not read may allow them: forbidden (list networkpolicies in core)."), "{text}");
    let gone = said(EGRESS, "SKVS304", |snapshot| {
        snapshot.on_demand.network_policies = Read::not_asked("x")
    });
    assert!(!gone.contains(BLAMED), "{gone}");
}

#[test]
fn a_connection_that_was_not_made_is_judged_by_the_way_to_couchdb() {
    const NO_CONNECTION: &str = "curl: (28) Failed to connect to db-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc port 5984 after 5001 ms: Timeout was reached";
    let of = |log: &str, of_job: &[Value], of_couchdb: &[Value]| {
        said(EGRESS, "SKVS304", |snapshot| {
            relog(snapshot, log);
            let pod = crate::model::pod::Pod::from_value(
                &json!({"metadata": {"name": "db-0", "namespace": "secure-kvs", "labels": {"app": "db"}},
                "status": {"podIP": "10.42.1.9", "conditions": [{"type": "Ready", "status": "True"}]}}),
            );
            snapshot.on_demand.couch_pods = Read::Seen(crate::snapshot::CouchPods {
                of_service: true,
                namespace: "secure-kvs".to_owned(),
                pods: Listing::whole(vec![crate::snapshot::ServingPod {
                    pod,
                    events: not_read().into(),
                    log: not_read().into(),
                }]),
            });
            snapshot.on_demand.network_policies = Read::Seen(NetworkPolicies {
                of_job: listed("core", of_job).into(),
                of_couchdb: listed("secure-kvs", of_couchdb).into(),
                namespaces: Vec::new(),
            });
        })
    };
    let to_dns = json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}]});
    let text = of(NO_CONNECTION, std::slice::from_ref(&to_dns), &[]);
    assert!(
        text.contains(
            "NetworkPolicy core/p0 selects the pod: no rule allows CouchDB (secure-kvs, port 5984)."
        ),
        "{text}"
    );
    assert!(
        text.contains("of their own: to secure-kvs on port 5984 for CouchDB. The"),
        "{text}"
    );
    let from = |name: &str| json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}]}]});
    let deny = json!({"podSelector": {}});
    let text = of(NO_CONNECTION, &[], std::slice::from_ref(&deny));
    assert!(text.contains("NetworkPolicy secure-kvs/p0 selects CouchDB's pods and lets nobody in: no rule allows the Job's pod (namespace core) on port 5984."), "{text}");
    insta::assert_snapshot!(of(NO_CONNECTION, &[], &[from("other")]), @"
    The Job creates the database through CouchDB's Service, and got no answer there.
    NetworkPolicy secure-kvs/p0 selects CouchDB's pods: no rule allows the Job's pod (namespace core) on port 5984.
    A network plugin that enforces NetworkPolicies drops these connections.
    the creation Job gets no answer from CouchDB
    Add an ingress rule for CouchDB's pods, to this NetworkPolicy or in a policy of their own: from namespace core on port 5984. The present rules:
    $ kubectl describe -n secure-kvs networkpolicy p0
    Check that CouchDB is running and the Service has endpoints:
    $ kubectl get pods,services,endpointslices -n secure-kvs
    If it is, check network policies and the mesh between the two namespaces.
    ");
    let allowed = of(NO_CONNECTION, &[], &[from("core"), deny.clone()]);
    assert!(
        !allowed.contains(BLAMED) && !allowed.contains(UNKNOWN),
        "{allowed}"
    );
    // A request that was sent had a connection.
    let sent = of("curl: (52) Empty reply from server", &[to_dns], &[deny]);
    assert!(!sent.contains(BLAMED) && !sent.contains(UNKNOWN), "{sent}");
}

#[test]
fn of_two_namespaces_that_were_not_read_one_line_is_enough() {
    let unread = || Read::Unknown(Why::Forbidden("list networkpolicies in core".to_owned()));
    let of = |of_job: Read<Listing<NetworkPolicy>>| {
        said(EGRESS, "SKVS304", |snapshot| {
            relog(
                snapshot,
                "curl: (7) Failed to connect to db.secure-kvs.svc port 5984",
            );
            snapshot.on_demand.network_policies = Read::Seen(NetworkPolicies {
                of_job: of_job.into(),
                of_couchdb: unread().into(),
                namespaces: Vec::new(),
            });
        })
    };
    for (of_job, who) in [
        (unread(), "the Job's pod reach CouchDB"),
        (
            listed("core", &[]),
            "the Job's pod connect to CouchDB's pods",
        ),
    ] {
        let text = of(of_job);
        let line = format!("Whether NetworkPolicies let {who} is not known: forbidden");
        assert!(text.contains(&line), "{text}");
        assert_eq!(text.matches("Whether NetworkPolicies").count(), 1, "{text}");
    }
}

fn not_read<T>() -> Read<T> {
    Read::not_needed("the pod is ready")
}

#[test]
fn members_that_do_not_reach_each_other_do_not_end_their_maintenance_mode() {
    insta::assert_snapshot!(said(MEMBERS, "SKVS320", |_| {}), @"
    The creation Job reaches CouchDB through it, according to the log of the creation Job.
    NetworkPolicy secure-kvs/clients-only selects CouchDB's pods. By the rules for them, the members do not reach each other (ports 4369 and 9100). A member that does not find the others does not become ready.
    A network plugin that enforces NetworkPolicies drops these connections.
    Pod secure-kvs/db-agora-kvs-couchdb-0 is not serving: it is running but not ready: its readiness probe fails: HTTP probe failed with statuscode: 404.
    Its log was not read: not in the saved files.
    Service secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb has no ready pod behind it
    Add rules for CouchDB's pods, to this NetworkPolicy or in a policy of their own: ingress between them on ports 5984, 4369 and 9100. The present rules:
    $ kubectl describe -n secure-kvs networkpolicy clients-only
    If a pod is not ready after that, read its log:
    $ kubectl logs -n secure-kvs db-agora-kvs-couchdb-0 --all-containers
    ");
    let of = |policies: Read<Listing<NetworkPolicy>>| {
        said(MEMBERS, "SKVS320", |snapshot| {
            snapshot.on_demand.network_policies = Read::Seen(NetworkPolicies {
                of_job: not_needed().into(),
                of_couchdb: policies.into(),
                namespaces: Vec::new(),
            });
        })
    };
    let with = |specs: &[Value]| of(listed("secure-kvs", specs));
    let deny = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]});
    let text = with(std::slice::from_ref(&deny));
    assert!(
        text.contains(
            "the members reach neither each other (ports 4369 and 9100) nor DNS (port 53)."
        ),
        "{text}"
    );
    assert!(!text.contains("maintenance mode"), "{text}");
    // A policy younger than the failure did not cause it, and a single member has nobody to reach.
    let young = said(EGRESS, "SKVS304", |snapshot| {
        let policy = json!({"metadata": {"namespace": "core", "name": "young", "creationTimestamp": "2099-01-01T00:00:00Z"}, "spec": deny});
        snapshot.on_demand.network_policies = Read::Seen(NetworkPolicies {
            of_job: Read::Seen(Listing::whole(vec![NetworkPolicy::from_value(&policy)])).into(),
            of_couchdb: not_needed().into(),
            namespaces: Vec::new(),
        });
    });
    assert!(
        young.contains("It was created after this failure"),
        "{young}"
    );
    let ingress = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
    let of_one = |not_all: Option<Why>| {
        said(MEMBERS, "SKVS320", |snapshot| {
            snapshot.on_demand.network_policies = Read::Seen(NetworkPolicies {
                of_job: not_needed().into(),
                of_couchdb: listed("secure-kvs", std::slice::from_ref(&ingress)).into(),
                namespaces: Vec::new(),
            });
            let pods = snapshot.on_demand.couch_pods.seen_mut().unwrap();
            let first = pods.pods.known()[0].clone();
            pods.pods = Listing::new(vec![first], not_all);
        })
    };
    let (alone, cut) = (
        of_one(None),
        of_one(Some(Why::Failed("timeout".to_owned()))),
    );
    assert!(!alone.contains("members"), "{alone}");
    // Others that were not read are not none.
    assert!(cut.contains("Whether NetworkPolicy secure-kvs/p0 lets CouchDB's members reach each other is not known"), "{cut}");
    // As Helm's chart for CouchDB has it.
    let each_other = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "couchdb"}}}], "ports": [{"port": 4369}, {"port": 9100}]}],
        "egress": [{"to": [{"podSelector": {}}]}]});
    let text = with(std::slice::from_ref(&each_other));
    assert!(
        text.contains("the members do not reach DNS (port 53)."),
        "{text}"
    );
    assert!(
        text.contains("of their own: egress to kube-system on port 53 (UDP and TCP) for DNS. The"),
        "{text}"
    );
    let one = json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 4369}]}]});
    let text = with(&[one]);
    assert!(
        text.contains("the members do not reach each other (port 9100)."),
        "{text}"
    );
    let all = json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]});
    for allowed in [vec![all], vec![]] {
        let text = with(&allowed);
        assert!(
            text.contains("end the maintenance mode") && !text.contains(UNKNOWN),
            "{text}"
        );
    }
    let named = json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": "epmd"}]}]});
    let text = with(&[named]);
    // Erlang's own port has no name that would be sure.
    assert!(text.contains("Whether NetworkPolicy secure-kvs/p0 lets CouchDB's members reach each other is not known"), "{text}");
    assert!(text.contains("end the maintenance mode"), "{text}");
    let text = of(Read::Unknown(Why::Forbidden(
        "list networkpolicies in secure-kvs".to_owned(),
    )));
    assert!(
        text.contains(
            "Whether NetworkPolicies let CouchDB's members reach each other is not known: forbidden"
        ),
        "{text}"
    );
    assert!(text.contains("end the maintenance mode"), "{text}");
    // A pod that ended by itself has its own reason.
    let crashed = said("couchdb-pod-out-of-memory", "SKVS320", |snapshot| {
        snapshot.on_demand.network_policies = Read::Seen(NetworkPolicies {
            of_job: not_needed().into(),
            of_couchdb: listed("secure-kvs", &[deny]).into(),
            namespaces: Vec::new(),
        });
    });
    assert!(!crashed.contains("NetworkPolic"), "{crashed}");
}
