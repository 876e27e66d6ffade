//! What is refused, and before what.

use super::stage::{Stage, USUAL, claims};
use crate::harness::{Skvs, kubectl, skvs};
use serde_json::json;
use testbed::Sandbox;

#[test]
fn a_claimed_database_is_refused_whatever_the_flags_say() {
    let front = Sandbox::shared().couchdb();
    for more in [
        &[][..],
        &["-n", "nowhere"],
        &["--onboarding-selector", "a=b"],
    ] {
        let mut args = vec![
            "delete-db",
            "pds_database",
            "--context",
            "sandbox",
            "--confirm",
            "pds_database",
        ];
        args.extend(more);
        let said = skvs(args).env("SKVS_NAMESPACE", "nowhere").run();
        assert_eq!(said.stdout, "");
        let stderr = said.failed(4);
        assert!(
            stderr.contains("error: refused: HelmRelease flux-system/skvs-onboarding-pds--database still claims pds_database\n"),
            "{stderr}"
        );
        assert!(stderr.contains("hint: remove its manifest from the GitOps repository, wait until it is gone, then run this again"), "{stderr}");
    }
    assert!(front.exists("pds_database"));
    assert_eq!(front.count("DELETE", "/pds_database"), 0);
}

#[test]
fn a_name_that_is_no_onboardings_is_refused_before_anything_is_asked() {
    let nowhere = Sandbox::shared().run_dir().join("no-such-kubeconfig");
    for name in [
        "_dbs",
        "_users",
        "_replicator",
        "",
        "pds",
        "pds_",
        "_pds",
        "pds_database/",
        "/pds_database",
        "../pds_database",
        "PDS_database",
        "pds_Database",
        "1pds_db",
        "pds_data base",
        "pds_db#x",
        "pds_db.couch",
        "pds_%2e",
    ] {
        let said = Skvs::with(
            &nowhere,
            ["delete-db", name, "--context", "sandbox", "--confirm", name],
        )
        .run();
        let stderr = said.failed(4);
        assert!(
            stderr.contains("is not an onboarding's database"),
            "{name}: {stderr}"
        );
    }
}

#[test]
fn without_confirmation_nothing_is_asked() {
    let nowhere = Sandbox::shared().run_dir().join("no-such-kubeconfig");
    for args in [
        &["delete-db", "a_b"][..],
        &["delete-db", "a_b", "--context", "sandbox"],
        &["delete-db", "a_b", "--confirm", "a_b"],
        &[
            "delete-db",
            "a_b",
            "--context",
            "sandbox",
            "--confirm",
            "a_c",
        ],
        &[
            "delete-db",
            "a_b",
            "--context",
            "sandbox",
            "--confirm",
            "yes",
        ],
    ] {
        let said = Skvs::with(&nowhere, args)
            .env("SKVS_CONFIRM", "a_b")
            .env("SKVS_CONTEXT", "sandbox")
            .run();
        assert_eq!(said.stdout, "");
        assert!(said.failed(4).starts_with("error: not confirmed: "));
    }
}

#[test]
fn what_is_confirmed_by_a_flag_is_chosen_by_flags() {
    let nowhere = Sandbox::shared().run_dir().join("no-such-kubeconfig");
    let confirmed = [
        "delete-db",
        "a_b",
        "--context",
        "sandbox",
        "--confirm",
        "a_b",
    ];
    for (variable, value, flag) in [
        ("SKVS_COUCHDB_NAMESPACE", "other", "--couchdb-namespace"),
        ("SKVS_COUCHDB_PORT", "5985", "--port"),
        ("SKVS_POD_SELECTOR", "app=other", "--pod-selector"),
    ] {
        let run = |more: &[&str]| {
            let args = [&confirmed[..], more].concat();
            Skvs::with(&nowhere, args).env(variable, value).run()
        };
        let stderr = run(&[]).failed(2);
        assert!(
            stderr.contains(&format!("error: {variable} is set"))
                && stderr.contains(&format!("hint: name it: {flag} {value}")),
            "{stderr}"
        );
        // The flag says the same: what is missing now is the kubeconfig.
        let said = run(&[flag, value]);
        assert!(
            said.code != 2 && !said.stderr.contains(variable),
            "{}",
            said.stderr
        );
        let said = Skvs::with(&nowhere, confirmed).env(variable, "").run();
        assert!(
            variable == "SKVS_COUCHDB_PORT" || said.code != 2,
            "{}",
            said.stderr
        );
    }
}

#[test]
fn pods_are_chosen_among_what_looks_like_couchdb() {
    let stage = Stage::new("stage-pods");
    stage.front.create_database("pods_db", 1).unwrap();
    stage.pod("other-0", &USUAL);
    let dry =
        |more: &[&str]| skvs(stage.args("pods_db", &[&["--dry-run"][..], more].concat())).run();
    let stderr = dry(&[]).failed(1);
    assert!(
        stderr.contains(
            "more than one CouchDB cluster in namespace stage-pods: db (db-0); other (other-0)"
        ),
        "{stderr}"
    );
    assert_eq!(dry(&["--pod", "other-0"]).code, 0);
    let stderr = dry(&["--pod", "db-7"]).failed(1);
    assert!(
        stderr.contains("\"db-7\" is not one of CouchDB's pods"),
        "{stderr}"
    );
    let stderr = dry(&["--pod", "db-0", "--container", "istio-proxy"]).failed(1);
    assert!(stderr.contains("does not look like CouchDB"), "{stderr}");
    let stderr = dry(&["--pod", "db-0", "--port", "1"]).failed(1);
    assert!(
        stderr.contains("nothing listens on CouchDB's port in the pod"),
        "{stderr}"
    );
    // Steelcouch has CouchDB's credentials: named or not, it is never asked.
    let steelcouch = kubectl(&[
        "get",
        "pods",
        "-n",
        "secure-kvs",
        "-l",
        "type=steelcouch",
        "-o",
        "jsonpath={.items[0].metadata.name}",
    ]);
    let said = skvs(["delete-db", "pods_db", "--dry-run", "--pod", &steelcouch]).run();
    assert!(said.failed(1).contains("is not one of CouchDB's pods"));
    let said = skvs([
        "delete-db",
        "pods_db",
        "--dry-run",
        "--pod-selector",
        "type=steelcouch",
    ])
    .run();
    assert!(
        said.failed(1)
            .contains("no CouchDB pod in namespace secure-kvs (1 pods looked at by --pod-selector type=steelcouch)")
    );
    let said = skvs([
        "delete-db",
        "pods_db",
        "--dry-run",
        "--couchdb-namespace",
        "no-such",
    ])
    .run();
    assert!(
        said.failed(1)
            .contains("hint: the namespace \"no-such\" does not exist on this cluster")
    );
}

/// A cluster-wide role with these rules for the user of the same name, and Helm's Secrets in flux-system if asked for.
fn grants(user: &str, rules: &serde_json::Value, secrets: bool) -> String {
    let api = "rbac.authorization.k8s.io";
    let subject = json!([{"apiGroup": api, "kind": "User", "name": user}]);
    let mut objects = vec![
        json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": user}, "rules": rules}),
        json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": user},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": user}, "subjects": subject}),
    ];
    if secrets {
        let metadata = json!({"name": user, "namespace": "flux-system"});
        let rule = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]);
        objects.push(json!({"apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": metadata, "rules": rule}));
        objects.push(
            json!({"apiVersion": format!("{api}/v1"), "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": "Role", "name": user}, "subjects": subject}),
        );
    }
    let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
    objects.join("\n---\n")
}

#[test]
fn what_a_user_may_not_read_is_a_refusal_and_an_exec_names_its_verbs() {
    let stage = Stage::new("stage-rights");
    stage.front.create_database("rights_db", 1).unwrap();
    let releases = json!({"apiGroups": ["helm.toolkit.fluxcd.io"], "resources": ["helmreleases"], "verbs": ["list"]});
    let claims = claims();
    let pods = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]});
    let exec =
        |verbs: &[&str]| json!({"apiGroups": [""], "resources": ["pods/exec"], "verbs": verbs});
    let dry = stage.args("rights_db", &["--dry-run"]);
    let run = |user: &str, rules: serde_json::Value, secrets: bool| {
        let kubeconfig = Sandbox::shared()
            .user(user, &[], &grants(user, &rules, secrets))
            .unwrap();
        Skvs::with(&kubeconfig, &dry).run()
    };

    let stderr = run("delete-nobody", json!([]), false).failed(4);
    assert!(stderr.contains("refused: the HelmReleases of all namespaces could not be read: forbidden (list helmreleases in all namespaces)"), "{stderr}");
    // A revision in any namespace can claim: those of one namespace are not enough.
    let stderr = run("delete-lister", json!([releases]), true).failed(4);
    assert!(stderr.contains("refused: Helm's Secrets of all namespaces could not be read: forbidden (list secrets in all namespaces)"), "{stderr}");
    assert!(
        stderr.contains("hint: ask for: list secrets in all namespaces"),
        "{stderr}"
    );
    let stderr = run("delete-reader", json!([releases, claims]), false).failed(1);
    assert!(
        stderr.contains("hint: ask for: list pods in stage-rights"),
        "{stderr}"
    );

    let both = "hint: an exec needs both verbs, get and (from Kubernetes 1.35 on) create, on pods/exec in stage-rights";
    let stderr = run("delete-no-exec", json!([releases, claims, pods]), false).failed(1);
    assert!(
        stderr.contains("cannot get resource \"pods/exec\"") && stderr.contains(both),
        "{stderr}"
    );
    let stderr = run(
        "delete-half-exec",
        json!([releases, claims, pods, exec(&["get"])]),
        false,
    )
    .failed(1);
    assert!(
        stderr.contains("pods \"db-0\" is forbidden") && stderr.contains(both),
        "{stderr}"
    );
    assert!(stage.front.requests().is_empty());

    let verbs = exec(&["get", "create"]);
    let said = run("delete-exec", json!([releases, claims, pods, verbs]), false);
    assert_eq!(said.code, 0, "{}", said.stderr);
}
