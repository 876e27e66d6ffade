//! Pods of each generation, and those that only look like them.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn pod(name: &str, labels: Value, containers: Value) -> Pod {
    let names: Vec<String> = containers
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap().to_owned())
        .collect();
    let statuses: Vec<Value> = names
        .iter()
        .map(|n| json!({"name": n, "ready": true, "restartCount": 0, "image": "", "imageID": ""}))
        .collect();
    serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "secure-kvs", "uid": format!("uid-{name}"), "labels": labels,
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "controller": true, "uid": "u",
                "name": name.rsplit_once('-').map_or(name, |(stem, _)| stem)}]},
        "spec": {"containers": containers},
        "status": {"phase": "Running", "containerStatuses": statuses},
    }))
    .unwrap()
}

fn couchdb(port: u16) -> Value {
    json!({"name": "couchdb", "image": "couchdb:3.2.2", "ports": [{"containerPort": port, "name": "couchdb"}, {"containerPort": 4369}],
        "env": [{"name": "COUCHDB_USER"}, {"name": "COUCHDB_PASSWORD"}]})
}

fn istio() -> Value {
    json!({"name": "istio-proxy", "image": "istio/proxyv2:1.14.3", "ports": [{"containerPort": 15090}]})
}

fn shared(index: usize) -> Pod {
    pod(
        &format!("db-agora-kvs-secure-kvs-agora-couchdb-{index}"),
        json!({"app": "agora-kvs-secure-kvs-agora-couchdb", "release": "secure-kvs-agora-couchdb", "type": "db"}),
        json!([istio(), couchdb(40123)]),
    )
}

fn steelcouch() -> Pod {
    pod(
        "steelcouch-agora-kvs-secure-kvs-agora-couchdb-7d9f",
        json!({"app": "agora-kvs-secure-kvs-agora-couchdb", "type": "steelcouch"}),
        json!([{"name": "couchdb", "image": "couchdb:3.2.2", "ports": [{"containerPort": 5984, "name": "couchdb"}], "env": [{"name": "COUCHDB_USER"}]}]),
    )
}

#[test]
fn the_shared_cluster_is_found_among_its_neighbours() {
    let pods = [steelcouch(), shared(1), shared(0), shared(2)];
    let target = target(&pods, &Choice::default()).unwrap();
    assert_eq!(target.pod, "db-agora-kvs-secure-kvs-agora-couchdb-0");
    assert_eq!((target.container.as_str(), target.port), ("couchdb", 40123));
    assert_eq!(target.uid, "uid-db-agora-kvs-secure-kvs-agora-couchdb-0");
}

#[test]
fn every_pod_of_the_cluster_is_told_with_its_readiness() {
    let mut sick = shared(2);
    let status = sick.status.as_mut().unwrap();
    status.container_statuses.as_mut().unwrap()[1].ready = false;
    let pods = [steelcouch(), sick, shared(0), shared(1)];
    let target = target(&pods, &Choice::default()).unwrap();
    let told: Vec<(String, bool)> = cluster_of(&pods, &target)
        .into_iter()
        .map(|p| (p.uid, p.ready))
        .collect();
    let uid = |n| format!("uid-db-agora-kvs-secure-kvs-agora-couchdb-{n}");
    assert_eq!(told, [(uid(0), true), (uid(1), true), (uid(2), false)]);
    assert_eq!(cluster_of(&[steelcouch()], &target), []);
}

#[test]
fn a_selector_that_matches_nothing_is_named() {
    let choice = Choice {
        selector: Some("app=couch db".into()),
        ..Choice::default()
    };
    let none = target(&[], &choice).unwrap_err();
    assert_eq!(
        none.clause("secure-kvs"),
        "no CouchDB pod in namespace secure-kvs (0 pods looked at by --pod-selector 'app=couch db')"
    );
}

#[test]
fn other_generations_are_found_too() {
    let chart = pod(
        "x-couchdb-0",
        json!({"app": "couchdb", "release": "x"}),
        json!([couchdb(5984)]),
    );
    let bitnami = pod(
        "kv-0",
        json!({}),
        json!([{"name": "couchdb", "image": "docker.io/bitnami/couchdb:3", "ports": [{"containerPort": 5984, "name": "http"}]}]),
    );
    let bare = pod(
        "couchdb-agora-kvs-0",
        json!({"app": "couchdb-agora-kvs", "type": "db"}),
        json!([{"name": "couchdb", "image": "registry:5000/couchdb@sha256:ab"}]),
    );
    for found in [chart, bitnami, bare] {
        let found = target(&[found], &Choice::default()).unwrap();
        assert_eq!((found.container.as_str(), found.port), ("couchdb", 5984));
    }
}

#[test]
fn what_only_looks_like_it_is_never_a_target() {
    let with = |containers: Value| pod("db-0", json!({"type": "db", "app": "couchdb"}), containers);
    for lookalike in [
        steelcouch(),
        pod(
            "proxy-0",
            json!({"app": "couchdb", "type": "Steelcouch"}),
            json!([couchdb(5984)]),
        ),
        with(json!([couchdb(5984), {"name": "front", "image": "registry/SteelCouch:1"}])),
        with(
            json!([{"name": "couchdb-exporter", "image": "gesellix/couchdb-prometheus-exporter:30", "ports": [{"containerPort": 5984}], "env": [{"name": "COUCHDB_USER"}]}]),
        ),
        with(
            json!([{"name": "haproxy", "image": "haproxy:2", "ports": [{"containerPort": 5984, "name": "couchdb"}], "env": [{"name": "COUCHDB_USER"}]}]),
        ),
        with(json!([{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 5984}]}])),
        with(
            json!([{"name": "clouseau", "image": "couchdb-clouseau:1", "ports": [{"containerPort": 5984}]}]),
        ),
        with(json!([istio()])),
        pod(
            "app-0",
            json!({}),
            json!([{"name": "app", "image": "shop:1", "env": [{"name": "COUCHDB_USER"}]}]),
        ),
    ] {
        let all = Choice {
            pod: lookalike.metadata.name.clone(),
            container: Some("couchdb".into()),
            port: Some(5984),
            ..Choice::default()
        };
        for choice in [Choice::default(), all] {
            assert_eq!(
                target(std::slice::from_ref(&lookalike), &choice),
                Err(NoTarget::None {
                    looked_at: 1,
                    selector: None
                })
            );
        }
    }
}

#[test]
fn flags_choose_among_what_was_found() {
    let pods = [shared(0), shared(1), steelcouch()];
    let choose = |pod: Option<&str>, container: Option<&str>| {
        target(
            &pods,
            &Choice {
                pod: pod.map(str::to_owned),
                container: container.map(str::to_owned),
                port: Some(15984),
                ..Choice::default()
            },
        )
    };
    let one = "db-agora-kvs-secure-kvs-agora-couchdb-1";
    let chosen = choose(Some(one), Some("couchdb")).unwrap();
    assert_eq!((chosen.pod.as_str(), chosen.port), (one, 15984));
    let steel = "steelcouch-agora-kvs-secure-kvs-agora-couchdb-7d9f";
    assert!(matches!(
        choose(Some(steel), None),
        Err(NoTarget::PodNotFound { .. })
    ));
    assert!(matches!(
        choose(None, Some("istio-proxy")),
        Err(NoTarget::ContainerNotFound { .. })
    ));
}

#[test]
fn several_clusters_or_containers_are_listed() {
    let other = pod(
        "db-other-0",
        json!({"app": "couchdb"}),
        json!([couchdb(5984)]),
    );
    let pods = [shared(0), other.clone()];
    assert_eq!(
        target(&pods, &Choice::default()),
        Err(NoTarget::Clusters(vec![
            (
                "db-agora-kvs-secure-kvs-agora-couchdb".into(),
                vec!["db-agora-kvs-secure-kvs-agora-couchdb-0".into()]
            ),
            ("db-other".into(), vec!["db-other-0".into()]),
        ]))
    );
    let choice = Choice {
        pod: Some("db-other-0".into()),
        ..Choice::default()
    };
    assert_eq!(target(&pods, &choice).unwrap().pod, "db-other-0");
    let mut second = couchdb(6984);
    second["name"] = json!("couchdb-blue");
    let two = pod("db-0", json!({}), json!([couchdb(5984), second]));
    assert!(matches!(
        target(&[two], &Choice::default()),
        Err(NoTarget::Containers { .. })
    ));
}

#[test]
fn only_a_ready_pod_is_asked() {
    let mut starting = shared(0);
    starting
        .status
        .as_mut()
        .unwrap()
        .container_statuses
        .as_mut()
        .unwrap()[1]
        .ready = false;
    let mut leaving = shared(1);
    leaving.metadata.deletion_timestamp =
        serde_json::from_value(json!("2026-11-23T00:00:00Z")).unwrap();
    let pods = [starting.clone(), leaving.clone(), shared(2)];
    assert!(
        target(&pods, &Choice::default())
            .unwrap()
            .pod
            .ends_with("-2")
    );
    assert!(matches!(
        target(&pods[..2], &Choice::default()),
        Err(NoTarget::NotReady(_))
    ));
}

#[test]
fn a_pod_that_came_back_is_another_one() {
    let found = target(&[shared(0)], &Choice::default()).unwrap();
    let ready = |pod: Pod| {
        let pods = cluster_of(&[pod], &found);
        pods.iter().any(|p| p.uid == found.uid && p.ready)
    };
    assert!(ready(shared(0)));
    let mut again = shared(0);
    again.metadata.uid = Some("uid-2".into());
    assert!(!ready(again));
    let mut stopped = shared(0);
    stopped.status.as_mut().unwrap().phase = Some("Failed".into());
    assert!(!ready(stopped));
}

proptest! {
    #[test]
    fn steelcouch_and_sidecars_are_never_found(
        name in "(steelcouch|[a-z]{1,5})-(couchdb|db)-[0-9]",
        container in "(istio-proxy|couchdb-exporter|steelcouch|haproxy|clouseau)",
        image in "(couchdb|steelcouch|apache/couchdb):3", port in 1u16.., env in "(COUCHDB_USER|X)",
    ) {
        let one = pod(&name, json!({"app": "couchdb", "type": "db"}), json!([{"name": container, "image": image,
            "ports": [{"containerPort": port, "name": "couchdb"}], "env": [{"name": env}]}]));
        prop_assert!(target(&[one], &Choice::default()).is_err());
    }

    #[test]
    fn no_image_name_panics(image in "\\PC{0,20}|[a-z/:@.]{0,20}") {
        let one = pod("p", json!({}), json!([{"name": "c", "image": image, "ports": [{"containerPort": 5984}]}]));
        let _ = target(&[one], &Choice::default());
    }
}
