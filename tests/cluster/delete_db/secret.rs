//! `--credentials-from-secret`: a pod that has no credentials in its environment.

use super::stage::{PASSWORD, Pod, Stage, USUAL, claims};
use crate::harness::{Skvs, skvs};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testbed::Sandbox;

const BARE: Pod<'static> = Pod {
    with_user: false,
    ..USUAL
};

fn secret(stage: &Stage, name: &str, data: Value) {
    let object = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "namespace": stage.namespace}, "stringData": data});
    Sandbox::shared()
        .apply(&object.to_string())
        .expect("the Secret is applied");
}

#[test]
fn a_secrets_credentials_go_to_the_pod_and_nowhere_else() {
    let stage = Stage::with("stage-secret", &BARE);
    stage.front.create_database("secret_db", 1).unwrap();
    let data = json!({"adminUsername": "admin", "adminPassword": PASSWORD});
    secret(&stage, "couchdb-agora-kvs", data);
    let stderr = stage.delete("secret_db").failed(1);
    assert!(
        stderr.contains("--credentials-from-secret NAME"),
        "{stderr}"
    );
    assert!(stage.front.requests().is_empty());

    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record");
    let more = [
        "--confirm",
        "secret_db",
        "--credentials-from-secret",
        "couchdb-agora-kvs",
        "-v",
        "9",
        "--record",
        record.to_str().unwrap(),
    ];
    let said = skvs(stage.args("secret_db", &more)).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(!stage.front.exists("secret_db"));
    assert!(stage.front.requests().iter().all(|r| r.authorised));
    let audit = std::fs::read_to_string(Sandbox::shared().audit_log()).unwrap();
    let recorded = std::fs::read_to_string(&record).unwrap();
    let basic = STANDARD.encode(format!("admin:{PASSWORD}"));
    let kept = STANDARD.encode(PASSWORD);
    for place in [&said.stdout, &said.stderr, &audit, &recorded] {
        for secret in [PASSWORD, "100%d", "100%25d", &basic, &kept] {
            assert!(!place.contains(secret));
        }
    }
}

#[test]
fn a_secret_that_does_not_fit_is_named_with_what_it_has() {
    let stage = Stage::with("stage-secret-wrong", &BARE);
    stage.front.create_database("wrong_secret", 1).unwrap();
    secret(&stage, "other", json!({"user": "admin", "pass": PASSWORD}));
    secret(
        &stage,
        "refused",
        json!({"adminUsername": "admin", "adminPassword": "sesame"}),
    );
    let dry = |more: &[&str]| {
        let args = [&["--dry-run", "--credentials-from-secret"][..], more].concat();
        skvs(stage.args("wrong_secret", &args)).run()
    };
    let stderr = dry(&["other"]).failed(1);
    assert!(
        stderr.contains(
            "Secret stage-secret-wrong/other has no key \"adminUsername\"; it has: pass, user\n"
        ),
        "{stderr}"
    );
    assert_eq!(dry(&["other", "--credentials-keys", "user,pass"]).code, 0);
    let named = format!("{}/other", stage.namespace);
    assert_eq!(dry(&[&named, "--credentials-keys", "user,pass"]).code, 0);
    let stderr = dry(&["none"]).failed(1);
    assert!(stderr.contains("secrets \"none\" not found"), "{stderr}");
    assert!(
        stderr.contains("hint: those that are there: kubectl get secrets -n stage-secret-wrong"),
        "{stderr}"
    );
    stage.front.forget_requests();
    let stderr = dry(&["refused"]).failed(1);
    assert!(
        stderr.contains(
            "refused the Secret's credentials: 401 unauthorized Name or password is incorrect."
        ),
        "{stderr}"
    );
    assert_eq!(stage.front.requests().len(), 1);
    dry(&["a/b/c"]).failed(2);
    let alone = ["--dry-run", "--credentials-keys", "user,pass"];
    skvs(stage.args("wrong_secret", &alone)).run().failed(2);

    // Whoever may not read it is told what to ask for.
    let api = "rbac.authorization.k8s.io";
    let rules = json!([
        {"apiGroups": ["helm.toolkit.fluxcd.io"], "resources": ["helmreleases"], "verbs": ["list"]},
        claims(),
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    ]);
    let role = json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": "delete-no-secret"}, "rules": rules});
    let binding = json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "delete-no-secret"},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "delete-no-secret"},
        "subjects": [{"apiGroup": api, "kind": "User", "name": "delete-no-secret"}]});
    let kubeconfig = Sandbox::shared()
        .user("delete-no-secret", &[], &format!("{role}\n---\n{binding}"))
        .unwrap();
    let args = stage.args(
        "wrong_secret",
        &["--dry-run", "--credentials-from-secret", "other"],
    );
    let stderr = Skvs::with(&kubeconfig, args).run().failed(1);
    assert!(
        stderr.contains("hint: ask for: get secrets in stage-secret-wrong"),
        "{stderr}"
    );
}
