//! `databases` where no CouchDB can be asked: wrong words, a dead cluster, no pod.

use crate::run::skvs;
use crate::server::{Listener, helm_releases, status};
use insta::assert_snapshot;

#[test]
fn wrong_words_are_told_before_anything_is_asked() {
    for (words, wrong) in [
        (
            &["-o", "xml"][..],
            "unable to match a printer suitable for the output format \"xml\"",
        ),
        (&["--sort-by", ".a["], "unterminated array"),
        (&[""], "a name must not be empty"),
        (&["--state", "in use"], "invalid value 'in use'"),
        (&["--state", "orphan", "--orphans"], "cannot be used with"),
        (&["-w", "-f", "x"], "cannot be used with"),
        (&["--port", "0"], "invalid value '0' for '--port <PORT>'"),
    ] {
        let told = skvs(&[&["databases"][..], words].concat()).run();
        assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""), "{told}");
        assert!(told.stderr.contains(wrong), "{told}");
    }
}

#[test]
fn a_dead_cluster_is_told_once() {
    let told = skvs(&["databases"]).server("http://127.0.0.1:1").run();
    assert_snapshot!(told, @r"
    exit 1
    stderr:
    The connection to the server SERVER was refused - did you specify the right host or port?
    ");
}

#[test]
fn no_pod_of_couchdb_is_an_error_with_its_namespace() {
    let empty = r#"{"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": []}"#;
    let server = Listener::answering(200, empty);
    let told = skvs(&["databases", "--couchdb-namespace", "kvs"])
        .server(&server.http())
        .run();
    assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told}");
    assert!(
        told.stderr
            .starts_with("error: no CouchDB pod in namespace kvs (0 pods looked at)\n"),
        "{told}"
    );
}

/// A manager in front of the API server that lets everything through but exec.
#[test]
fn an_exec_that_a_gateway_refuses_is_no_missing_right() {
    let pod = serde_json::json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "db-a-kvs-secure-kvs-a-couchdb-0", "namespace": "secure-kvs", "uid": "u",
            "labels": {"app": "a-kvs-secure-kvs-a-couchdb", "release": "secure-kvs-a-couchdb", "type": "db"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "controller": true, "uid": "s",
                "name": "db-a-kvs-secure-kvs-a-couchdb"}]},
        "spec": {"containers": [{"name": "couchdb", "image": "couchdb:3.2.2", "ports": [{"containerPort": 5984, "name": "couchdb"}],
            "env": [{"name": "COUCHDB_USER"}, {"name": "COUCHDB_PASSWORD"}]}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "couchdb", "ready": true, "restartCount": 0, "image": "", "imageID": ""}]},
    });
    let pods = serde_json::json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": [pod]});
    for (answer, gateway) in [
        (r#"{"Message":"origin not allowed"}"#.to_owned(), true),
        (
            status(
                403,
                "Forbidden",
                "admission webhook \"no-exec\" denied the request",
            ),
            false,
        ),
    ] {
        let pods = pods.to_string();
        let server = Listener::scripted(move |path| match path {
            path if path.contains("/exec?") => (403, answer.clone()),
            path if path.contains("/pods?") => (200, pods.clone()),
            _ => (200, helm_releases(&[], "")),
        });
        let url = format!("{}/k8s/clusters/c-m-abcd1234", server.http());
        let told = skvs(&["databases"]).server(&url).run();
        assert_eq!(told.code, Some(1), "{told}");
        assert!(!told.stderr.contains("pods/exec"), "{told}");
        if gateway {
            assert_snapshot!(told, @r"
            exit 1
            stderr:
            error: the exec in secure-kvs/db-a-kvs-secure-kvs-a-couchdb-0 (container couchdb) was refused: HTTP 403 from SERVER is not a Kubernetes API answer: origin not allowed
            hint: a gateway or proxy in front of the API server refused it, not Kubernetes: no right is missing there; ask those who run it to allow exec, or use a context that leads to the API server itself
            ");
        }
    }
}
