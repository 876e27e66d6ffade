use super::*;
use crate::diagnosis::fixture;
use crate::model::namespace::Namespace;
use crate::model::pod::Pod;
use crate::model::webhook_configuration::WebhookConfiguration;
use crate::snapshot::{CouchPods, Listing, Mesh, Snapshot, Why};
use serde_json::{Value, json};

const CASE: &str = "couchdb-unreachable";

fn mesh() -> Mesh {
    Mesh {
        injectors: Read::Seen(Listing::default()),
        peers: Read::Seen(Listing::default()),
        cni: Read::not_needed("x"),
        source_controller: Read::not_needed("x"),
    }
}

fn injector(revision: &str) -> WebhookConfiguration {
    let object = json!({"metadata": {"name": "istio-sidecar-injector"}, "webhooks": [{"name": "rev.namespace.sidecar-injector.istio.io",
        "namespaceSelector": {"matchLabels": {"istio.io/rev": revision}}}]});
    WebhookConfiguration::from_value(&object, "MutatingWebhookConfiguration")
}

/// What is said of the Job's newest pod in a namespace with these labels.
fn uninjected_in(labels: &Value, injectors: Read<Listing<WebhookConfiguration>>) -> String {
    let mut snapshot = fixture::snapshot(CASE);
    let namespace = json!({"metadata": {"name": "core", "labels": labels}});
    snapshot.target_namespace = Read::Seen(Namespace::from_value(&namespace));
    snapshot.on_demand.mesh = Read::Seen(Mesh {
        injectors,
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
    insta::assert_snapshot!(uninjected_in(&enabled, one("1-9-4")), @"Namespace core is labelled istio-injection=enabled, and no injector of Istio that was read takes that, so its pods get no sidecar: they ask for istio.io/rev=1-9-4.");
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
}

/// Whether mutual TLS is demanded of CouchDB's only pod, by these PeerAuthentications.
fn demanded(pod: &Value, peers: &[(&str, &Value)]) -> Option<bool> {
    let mut snapshot: Snapshot = fixture::snapshot(CASE);
    let mut object = json!({"metadata": {"namespace": "secure-kvs", "name": "db-0"}, "status": {"containerStatuses": []}});
    for (key, value) in pod.as_object().unwrap() {
        object["metadata"]["annotations"][key] = value.clone();
    }
    object["spec"]["containers"] = json!([{"name": "couchdb"}, {"name": "istio-proxy"}]);
    let pod = ServingPod {
        pod: Pod::from_value(&object),
        events: Read::Seen(Listing::default()),
        log: Read::not_needed("x"),
    };
    snapshot.on_demand.couch_pods = Read::Seen(CouchPods {
        of_service: true,
        namespace: "secure-kvs".to_owned(),
        pods: Listing::whole(vec![pod]),
    });
    let peers = peers.iter().map(|(namespace, spec)| {
        let object = json!({"metadata": {"namespace": namespace, "name": "default"}, "spec": spec});
        PeerAuthentication::from_value(&object)
    });
    snapshot.on_demand.mesh = Read::Seen(Mesh {
        peers: Read::Seen(Listing::whole(peers.collect())),
        ..mesh()
    });
    let case = Case::new(&snapshot, fixture::meta(CASE).now);
    strict(&case).map(|(_, is_sure)| is_sure)
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
