//! `databases` where no CouchDB can be asked: wrong words, a dead cluster, no pod.

use crate::run::skvs;
use crate::server::Listener;
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
        (&["-w"], "unexpected argument '-w' found"),
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
