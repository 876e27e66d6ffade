//! `-o json` and `-o yaml` of what is text for people first: release notes and codes.

use crate::run::skvs;
use insta::assert_snapshot;
use serde_json::Value;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/three-of-four-fail");

#[test]
fn release_notes() {
    let words = ["notes", "users_profiles", "-f", EXAMPLE, "-o"];
    let told = skvs(&[&words[..], &["yaml"]].concat()).run();
    assert_snapshot!(told.stdout, @r"
    apiVersion: skvs.kubectl.io/v1alpha1
    database: users_profiles
    endpoint: http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984
    kind: ReleaseNotes
    name: skvs-onboarding-users--profiles
    namespace: flux-system
    release: core-skvs-onboarding-users--profiles
    revision: 1
    serviceAccounts:
    - users
    status: deployed
    text: |
      A database was created!

        Database name: users_profiles
        Endpoint: http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984
        Service accounts:
          - users
    ");
    let json = skvs(&[&words[..], &["json"]].concat()).run().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["database"], "users_profiles");
    // The message has no other form.
    let share = skvs(&[&words[..], &["json", "--share"]].concat()).run();
    assert_eq!(
        (share.code, share.stdout.as_str()),
        (Some(2), ""),
        "{share}"
    );
}

#[test]
fn codes() {
    let of = |words: &[&str]| -> Value {
        let told = skvs(&[words, &["-o", "json"]].concat()).run();
        assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told}");
        serde_json::from_str(&told.stdout).unwrap()
    };
    let one = of(&["explain", "SKVS301"]);
    assert_eq!(
        (&one["kind"], &one["slug"]),
        (&"Diagnosis".into(), &"database-exists".into())
    );
    let all = of(&["explain"]);
    assert_eq!(all["kind"], "List");
    let codes = all["items"].as_array().unwrap().iter();
    assert!(codes.clone().count() > 100);
    assert_eq!(codes.filter(|item| **item == one).count(), 1);
    let none = skvs(&["explain", "SKVS999", "-o", "json"]).run();
    assert_eq!((none.code, none.stdout.as_str()), (Some(1), ""), "{none}");
}
