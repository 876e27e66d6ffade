//! Clusters that are not the one with the database: this file's own, where no other test leaves anything.

use crate::harness::Skvs;
use serde_json::{Value, json};
use std::time::Duration;
use testbed::{Options, Sandbox};

/// A CRD of the later generation's group; its kind is served in this version alone.
fn crd(plural: &str, kind: &str, version: &str) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.couchdbcluster.woven-city.global")},
        "spec": {"group": "couchdbcluster.woven-city.global", "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
            "versions": [{"name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}})
}

#[test]
fn another_cluster_is_refused_and_objects_of_the_later_generation_claim() {
    let own = Sandbox::start(&Options::bare()).expect("a sandbox of its own starts");
    // It has onboardings and no CouchDB; its HelmReleases are read in their own version.
    let old = own.old_cluster();
    let dry = |name: &str| Skvs::with(old.kubeconfig(), ["delete-db", name, "--dry-run"]).run();
    let stderr = dry("nobody_db").failed(1);
    assert!(
        stderr.contains("no CouchDB pod in namespace secure-kvs"),
        "{stderr}"
    );
    // No HelmRelease at all is the wrong cluster.
    let stderr = Skvs::with(own.kubeconfig(), ["delete-db", "nobody_db", "--dry-run"])
        .run()
        .failed(4);
    assert!(
        stderr.contains("refused: this cluster has no onboarding (0 HelmReleases"),
        "{stderr}"
    );

    // Another kind of the group is served in the preferred version, the databases are not.
    for crd in [
        crd("couchdbclusters", "CouchDBCluster", "v1"),
        crd("couchdbdatabases", "CouchDBDatabase", "v1alpha1"),
    ] {
        old.apply(&crd.to_string()).unwrap();
    }
    let object = json!({"apiVersion": "couchdbcluster.woven-city.global/v1alpha1", "kind": "CouchDBDatabase",
        "metadata": {"name": "later", "namespace": "default"}, "spec": {"databaseName": "moved_db"}});
    testbed::wait("the kind's service", Duration::from_secs(60), || {
        old.apply(&object.to_string()).ok()
    })
    .unwrap();
    testbed::wait("the group's versions", Duration::from_secs(60), || {
        let group = old
            .request(
                "GET",
                "/apis/couchdbcluster.woven-city.global",
                &Value::Null,
            )
            .ok()?;
        (group["preferredVersion"]["version"] == "v1" && group["versions"].as_array()?.len() == 2)
            .then_some(())
    })
    .unwrap();
    let stderr = dry("moved_db").failed(4);
    assert!(
        stderr.contains("error: refused: CouchDBDatabase default/later still claims moved_db\n"),
        "{stderr}"
    );
}
