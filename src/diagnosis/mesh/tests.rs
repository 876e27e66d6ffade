use super::*;
use crate::diagnosis::fixture;
use crate::model::namespace::Namespace;
use crate::model::pod::Pod;
use crate::model::webhook_configuration::WebhookConfiguration;
use crate::snapshot::{CouchPods, Listing, Mesh, Read, Snapshot, Why};
use serde_json::{Value, json};

const CASE: &str = "couchdb-unreachable";

fn mesh() -> Mesh {
    Mesh {
        injectors: Read::Seen(Listing::default()).into(),
        peers: Read::Seen(Listing::default()).into(),
        cni: Read::not_needed("x").into(),
        source_controller: Read::not_needed("x").into(),
    }
}

fn injector(revision: &str) -> WebhookConfiguration {
    let object = json!({"metadata": {"name": "istio-sidecar-injector"}, "webhooks": [{"name": "rev.namespace.sidecar-injector.istio.io",
        "namespaceSelector": {"matchLabels": {"istio.io/rev": revision}}}]});
    WebhookConfiguration::from_value(&object, "MutatingWebhookConfiguration")
}

/// The reasons that are given for the Job's newest pod in a namespace with these labels.
fn uninjected_in(labels: &Value, injectors: Read<Listing<WebhookConfiguration>>) -> String {
    let mut snapshot = fixture::snapshot(CASE);
    let namespace = json!({"metadata": {"name": "core", "labels": labels}});
    snapshot.target_namespace = Read::Seen(Namespace::from_value(&namespace));
    snapshot.on_demand.mesh = Read::Seen(Mesh {
        injectors: injectors.into(),
        ..mesh()
    });
    let case = Case::new(&snapshot, fixture::meta(CASE).now);
    let pod = case.job_as_far_as_read().death().unwrap().pod.clone();
    let finding = uninjected(&case, Finding::new(case.subject(), "x"), &pod);
    finding.why.join("\n")
}

#[test]
fn a_namespace_that_no_injector_takes_is_named_with_its_labels() {
    let one = |revision: &str| Read::Seen(Listing::whole(vec![injector(revision)]));
    let enabled = json!({"istio-injection": "enabled"});
    insta::assert_snapshot!(uninjected_in(&enabled, one("1-9-4")), @"Namespace core is labelled istio-injection=enabled, and no injector of Istio that was read accepts that, so its pods get no sidecar: the injectors ask for istio.io/rev=1-9-4.");
    assert_eq!(
        uninjected_in(&json!({"istio.io/rev": "1-9-4"}), one("1-9-4")),
        ""
    );
    let none = uninjected_in(&enabled, Read::Seen(Listing::default()));
    assert!(
        none.contains("the cluster has no injector of Istio"),
        "{none}"
    );
    let unread = Read::Unknown(Why::Forbidden(
        "list mutatingwebhookconfigurations".to_owned(),
    ));
    let unread = uninjected_in(&enabled, unread);
    assert!(unread.contains("is unknown: forbidden"), "{unread}");
    let cut = Listing::new(
        Vec::new(),
        Some(Why::NotAsked("only 0 were read".to_owned())),
    );
    assert_eq!(uninjected_in(&enabled, Read::Seen(cut)), "");
    // Another webhook's configuration is not an injector, and one with a malformed webhook may be one.
    let configuration = |hooks: Value| {
        let object = json!({"metadata": {"name": "x"}, "webhooks": hooks});
        let one = WebhookConfiguration::from_value(&object, "MutatingWebhookConfiguration");
        uninjected_in(&enabled, Read::Seen(Listing::whole(vec![one])))
    };
    let other = configuration(json!([{"name": "mutate.policy.example"}]));
    assert!(
        other.contains("the cluster has no injector of Istio"),
        "{other}"
    );
    assert_eq!(
        configuration(json!([{"name": "mutate.policy.example"}, 7])),
        ""
    );
    assert_eq!(configuration(json!(7)), "");
    assert_eq!(uninjected_in(&json!(7), one("1-9-4")), "");
}

#[test]
fn a_sidecar_of_source_controller_that_may_be_there_is_not_none() {
    let of = |pods: Read<Listing<Pod>>| {
        let mut snapshot = fixture::snapshot(CASE);
        snapshot.on_demand.mesh = Read::Seen(Mesh {
            source_controller: pods.into(),
            ..mesh()
        });
        let case = Case::new(&snapshot, fixture::meta(CASE).now);
        let finding = Finding::new(case.subject(), "x");
        sidecar_of_source_controller(&case, finding).why.join("\n")
    };
    let pod = |containers: Value| {
        let status = json!({"containerStatuses": []});
        Pod::from_value(
            &json!({"metadata": {"namespace": "flux-system", "name": "source-controller-1"},
            "spec": {"containers": containers}, "status": status}),
        )
    };
    let plain = || pod(json!([{"name": "manager"}]));
    let meshed = pod(json!([{"name": "manager"}, {"name": "istio-proxy"}]));
    let cut = || Some(Why::NotAsked("only the first 1 pods were read".to_owned()));
    let seen = |pods: Vec<Pod>, not_all| of(Read::Seen(Listing::new(pods, not_all)));
    assert_eq!(seen(vec![plain()], None), "");
    assert!(seen(vec![meshed], cut()).contains("has a mesh sidecar (istio-proxy): "));
    for doubt in [
        seen(vec![plain()], cut()),
        seen(Vec::new(), None),
        seen(vec![pod(json!(7))], None),
        of(Read::failed("timeout")),
    ] {
        assert!(doubt.contains("is unknown: "), "{doubt}");
    }
}

#[test]
fn the_pod_s_own_label_decides_before_its_namespace() {
    let mut snapshot = fixture::snapshot_of(CASE, &|object| {
        if object["kind"] == "Pod" {
            object["metadata"]["labels"][INJECT] = json!("false");
        }
    });
    let takes_others = json!({"metadata": {"name": "istio-sidecar-injector"}, "webhooks": [{"name": "namespace.sidecar-injector.istio.io",
        "namespaceSelector": {"matchLabels": {"istio-injection": "enabled"}},
        "objectSelector": {"matchExpressions": [{"key": INJECT, "operator": "NotIn", "values": ["false"]}]}}]});
    let injector = WebhookConfiguration::from_value(&takes_others, "MutatingWebhookConfiguration");
    let namespace = json!({"metadata": {"name": "core", "labels": {"istio-injection": "enabled"}}});
    snapshot.target_namespace = Read::Seen(Namespace::from_value(&namespace));
    snapshot.on_demand.mesh = Read::Seen(Mesh {
        injectors: Read::Seen(Listing::whole(vec![injector])).into(),
        ..mesh()
    });
    let case = Case::new(&snapshot, fixture::meta(CASE).now);
    let pod = case.job_as_far_as_read().death().unwrap().pod.clone();
    let finding = uninjected(&case, Finding::new(case.subject(), "x"), &pod);
    insta::assert_snapshot!(finding.why.join("\n"), @"The pod's own label sidecar.istio.io/inject=false keeps Istio from giving it a sidecar.");
    assert!(!format!("{:?}", finding.fix).contains("Label namespace"));
}

/// Created before the Job's pod, and not changed since.
fn old() -> Value {
    json!({"creationTimestamp": "2026-01-05T05:00:02Z", "generation": 1})
}

/// Whether mutual TLS is demanded of CouchDB's only pod, by these PeerAuthentications with this metadata, where the Job's pod is of this time.
fn demanded_at(
    created: &Value,
    pod: &Value,
    peer: &Value,
    peers: &[(&str, &Value)],
) -> Option<bool> {
    let mut snapshot: Snapshot = fixture::snapshot_of(CASE, &|object| {
        if object["kind"] == "Pod" {
            object["metadata"]["creationTimestamp"] = created.clone();
        }
    });
    let mut object = json!({"metadata": {"namespace": "secure-kvs", "name": "db-0"}, "status": {"containerStatuses": []}});
    object["spec"]["containers"] = json!([{"name": "couchdb"}, {"name": "istio-proxy"}]);
    fixture::case::merge(&mut object["metadata"], &old());
    fixture::case::merge(&mut object["metadata"], pod);
    let pod = ServingPod {
        pod: Pod::from_value(&object),
        events: Read::Seen(Listing::default()).into(),
        log: Read::not_needed("x").into(),
    };
    snapshot.on_demand.couch_pods = Read::Seen(CouchPods {
        of_service: true,
        namespace: "secure-kvs".to_owned(),
        pods: Listing::whole(vec![pod]),
    });
    let peers = peers.iter().map(|(namespace, spec)| {
        let mut object =
            json!({"metadata": {"namespace": namespace, "name": "default"}, "spec": spec});
        fixture::case::merge(&mut object["metadata"], peer);
        PeerAuthentication::from_value(&object)
    });
    snapshot.on_demand.mesh = Read::Seen(Mesh {
        peers: Read::Seen(Listing::whole(peers.collect())).into(),
        ..mesh()
    });
    let case = Case::new(&snapshot, fixture::meta(CASE).now);
    let pod = case.job_as_far_as_read().death().unwrap().pod.clone();
    strict(&case, &pod).map(|(_, is_sure)| is_sure)
}

fn demanded_by(pod: &Value, peer: &Value, peers: &[(&str, &Value)]) -> Option<bool> {
    demanded_at(&json!("2026-11-23T20:20:00Z"), pod, peer, peers)
}

fn demanded(annotations: &Value, peers: &[(&str, &Value)]) -> Option<bool> {
    demanded_by(&json!({"annotations": annotations}), &old(), peers)
}

#[test]
fn a_demand_that_may_be_newer_than_the_job_s_pod_is_not_sure() {
    let on = json!({"mtls": {"mode": "STRICT"}});
    let of = |pod: Value, peer: Value| demanded_by(&pod, &peer, &[("secure-kvs", &on)]);
    let none = || json!({});
    assert_eq!(of(none(), old()), Some(true));
    let new = json!({"creationTimestamp": "2026-11-24T00:00:00Z", "generation": 1});
    for peer in [
        new.clone(),
        json!({"generation": 1}),
        json!({"creationTimestamp": "long ago", "generation": 1}),
        json!({"creationTimestamp": "2026-01-05T05:00:02Z", "generation": 2}),
        json!({"creationTimestamp": "2026-01-05T05:00:02Z"}),
    ] {
        assert_eq!(of(none(), peer.clone()), Some(false), "{peer}");
    }
    // CouchDB's pod may have had no sidecar before.
    assert_eq!(of(new, old()), Some(false));
    for created in [json!(null), json!("2026-01-05T05:00:02Z")] {
        let sure = demanded_at(&created, &none(), &old(), &[("secure-kvs", &on)]);
        assert_eq!(sure, Some(false), "{created}");
    }
}

#[test]
fn only_a_namespace_s_own_demand_for_each_pod_is_sure() {
    let (on, off) = (
        json!({"mtls": {"mode": "STRICT"}}),
        json!({"mtls": {"mode": "PERMISSIVE"}}),
    );
    let of_one = json!({"mtls": {"mode": "STRICT"}, "selector": {"matchLabels": {"app": "x"}}});
    let plain = json!({});
    assert_eq!(demanded(&plain, &[("secure-kvs", &on)]), Some(true));
    assert_eq!(demanded(&plain, &[("istio-system", &on)]), Some(false));
    assert_eq!(
        demanded(&plain, &[("istio-system", &on), ("secure-kvs", &off)]),
        None
    );
    assert_eq!(
        demanded(&plain, &[("secure-kvs", &on), ("secure-kvs", &of_one)]),
        None
    );
    assert_eq!(demanded(&plain, &[("other", &on)]), None);
    let excluded = json!({"traffic.sidecar.istio.io/excludeInboundPorts": "5984"});
    assert_eq!(demanded(&excluded, &[("secure-kvs", &on)]), None);
}
