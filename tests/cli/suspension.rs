//! `suspend` and `resume` of one onboarding, with an unusual answer of the API server to the change or to a read.

use crate::run::{Told, skvs};
use crate::server::{Listener, status};
use serde_json::{Value, json};

fn onboarding(suspend: bool) -> Value {
    json!({"kind": "HelmRelease", "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "metadata": {"name": "a", "namespace": "flux-system", "uid": "u", "resourceVersion": "7", "generation": 1},
        "spec": {"suspend": suspend,
            "chart": {"spec": {"chart": "secure-kvs-onboarding", "sourceRef": {"kind": "HelmRepository", "name": "r"}}},
            "targetNamespace": "core", "values": {"namespace": "pds", "database": "database"}},
        "status": {}})
}

/// Runs the words against a server that has this object, answers its PATCH so and forbids all else.
fn changed(words: &[&str], object: &Value, (code, body): (u16, String)) -> Told {
    let object = object.to_string();
    let server = Listener::scripted(move |path| match path {
        path if path.contains("fieldManager=") => (code, body.clone()),
        path if path.ends_with("/helmreleases/a") => (200, object.clone()),
        _ => (403, status(403, "Forbidden", "no")),
    });
    skvs(words).server(&server.http()).run()
}

const SUSPEND: [&str; 4] = ["suspend", "a", "--reason", "test"];
const RESUME: [&str; 2] = ["resume", "a"];

#[test]
fn a_card_says_what_is_changed_where_before_the_change() {
    let told = changed(
        &SUSPEND,
        &onboarding(false),
        (403, status(403, "Forbidden", "no")),
    );
    insta::assert_snapshot!(told, @"
    exit 1
    stderr:
    This makes Flux leave an onboarding alone.

      Context      here   http://SERVER
      TLS          not used: another server may answer for this one
      Onboarding   flux-system/a, database pds_database
      Reason       test
      State        an action may be running, and is not stopped by this
      Git          a manifest that sets suspend wins the next time that it is applied

    Error from server (Forbidden): no
    hint: your credentials were not sent: the server's URL is http://, and they are sent over https only
    ");
    let mut object = onboarding(true);
    object["metadata"]["managedFields"] = json!([{"manager": "kustomize-controller",
        "operation": "Apply", "fieldsV1": {"f:spec": {"f:suspend": {}}}}]);
    let answer = (200, onboarding(false).to_string());
    insta::assert_snapshot!(changed(&RESUME, &object, answer), @"
    exit 0
    stdout:
    helmrelease.helm.toolkit.fluxcd.io/a resumed
    stderr:
    Warning: Helm's storage was not read: forbidden (no): if it holds a failed revision, the next attempt is an upgrade, which does not create the database
    This makes Flux look at an onboarding again.

      Context      here   http://SERVER
      TLS          not used: another server may answer for this one
      Onboarding   flux-system/a, database pds_database
      Git          kustomize-controller set spec.suspend before: the manifest wins the next time that it is applied, so change it there as well
    ");
}

/// As kubectl's commands that change an object.
#[test]
fn the_changed_object_can_be_printed() {
    let mut after = onboarding(true);
    after["metadata"]["managedFields"] = json!([{"manager": "flux"}]);
    let of = |format: &str| {
        let words = [&SUSPEND[..], &["-o", format]].concat();
        let told = changed(&words, &onboarding(false), (200, after.to_string()));
        assert_eq!(told.code, Some(0), "{told}");
        told.stdout
    };
    let json: Value = serde_json::from_str(&of("json")).unwrap();
    assert_eq!(json, onboarding(true));
    assert!(of("yaml").contains("\n  suspend: true\n"));
    assert_eq!(of("name"), "helmrelease.helm.toolkit.fluxcd.io/a\n");
}

#[test]
fn a_resumption_without_helms_storage_says_that_it_is_not_known_what_flux_will_do() {
    let answer = (200, onboarding(false).to_string());
    let told = changed(&RESUME, &onboarding(true), answer);
    assert_eq!(told.code, Some(0), "{told}");
    assert!(
        told.stderr
            .contains("Warning: Helm's storage was not read: forbidden"),
        "{told}"
    );
}

#[test]
fn a_server_that_fails_leaves_open_whether_the_change_was_made() {
    let unknown = "it is not known whether it was changed; see:";
    for (words, object) in [
        (&SUSPEND[..], onboarding(false)),
        (&RESUME[..], onboarding(true)),
    ] {
        for (code, reason, message, is_open) in [
            (504, "Timeout", "request did not complete in time", true),
            (500, "InternalError", "etcdserver: request timed out", true),
            (503, "ServiceUnavailable", "shutting down", true),
            (403, "Forbidden", "no", false),
            (422, "Invalid", "no", false),
        ] {
            let answer = (code, status(code, reason, message));
            let told = changed(words, &object, answer);
            assert_eq!(told.code, Some(1), "{told}");
            assert_eq!(told.stderr.contains(unknown), is_open, "{told}");
        }
    }
}

/// An admission webhook can change the object that a change makes.
#[test]
fn an_answer_that_does_not_hold_the_change_is_an_error() {
    for (words, object) in [
        (&SUSPEND[..], onboarding(false)),
        (&RESUME[..], onboarding(true)),
    ] {
        let told = changed(words, &object, (200, object.to_string()));
        assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told}");
        assert!(told.stderr.contains("does not have the change"), "{told}");
    }
    let mut without = onboarding(false);
    without["spec"].as_object_mut().unwrap().remove("suspend");
    let told = changed(&SUSPEND, &onboarding(false), (200, without.to_string()));
    assert_eq!(told.code, Some(1), "{told}");
    let told = changed(&RESUME, &onboarding(true), (200, without.to_string()));
    assert_eq!(told.code, Some(0), "{told}");
}
