//! Each command works with exactly the rights of its manifest in docs/rbac, and not without them.

use crate::harness::Skvs;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use testbed::Sandbox;

const NAME: &str = "skvs-onboarding-pds--database";

/// A user of the group that holds the rights of `docs/rbac/<command>.yaml`: one group per command, so that they do not add up.
fn may(command: &str) -> PathBuf {
    let group = format!("may-{command}");
    let manifest = manifest(command).replace("secure-kvs-oncall", &group);
    Sandbox::shared()
        .user(&format!("rbac-{command}"), &[&group], &manifest)
        .expect("a user")
}

fn manifest(command: &str) -> String {
    let file = format!("{}/docs/rbac/{command}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(file).expect("the manifest")
}

fn may_not() -> PathBuf {
    Sandbox::shared()
        .user("rbac-nothing", &[], "")
        .expect("a user")
}

/// Runs with the rights of `command` and then without any, which must be refused.
#[track_caller]
fn works(command: &str, words: &[&str], code: i32) -> String {
    let said = Skvs::with(&may(command), words).run();
    assert_eq!(said.code, code, "{}\n{}", said.stdout, said.stderr);
    let all = format!("{}{}", said.stdout, said.stderr);
    for word in ["forbidden", "Forbidden", "not read", "not checked"] {
        assert!(!all.contains(word), "{words:?} lacks a right:\n{all}");
    }
    let refused = Skvs::with(&may_not(), words).run();
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    let all = format!("{}{}", refused.stdout, refused.stderr);
    assert!(all.contains("orbidden"), "{all}");
    said.stdout
}

/// Rights that the log does not show here: for kinds of Istio that are not installed, for nodes, volumes and admission webhooks that are not at fault, for other kinds of source, for statuses that name less, for `list -w`, for an
/// operator or Kustomizations that are not installed, for a history of Helm's in ConfigMaps and values from a Secret that no seed has,
/// and the one for exec that the API server checks beside `get` (see [`exec_needs_both_rights`]).
const NOT_SEEN: [(&str, &str); 124] = [
    ("offboard", "list kustomizations"),
    ("offboard", "list couchdbdatabases"),
    ("offboard", "get configmaps"),
    ("offboard", "get secrets"),
    ("offboard", "create pods/exec"),
    ("check-access", "list peerauthentications"),
    ("check-access", "list destinationrules"),
    ("check-access", "list envoyfilters"),
    ("check-access", "list serviceentries"),
    ("check-access", "list sidecars"),
    ("check-access", "list virtualservices"),
    ("check-access", "list wasmplugins"),
    ("check-access", "list workloadentries"),
    ("check-access", "list grpcroutes"),
    ("check-access", "list httproutes"),
    ("check-access", "list tcproutes"),
    ("check-access", "list tlsroutes"),
    ("doctor", "get helmcharts"),
    ("doctor", "get gitrepositories"),
    ("doctor", "get ocirepositories"),
    ("doctor", "get buckets"),
    ("retry", "get gitrepositories"),
    ("retry", "get ocirepositories"),
    ("retry", "get buckets"),
    ("retry", "list jobs"),
    ("retry", "get deployments"),
    ("retry", "get services"),
    ("retry", "list endpointslices"),
    ("retry", "create pods/exec"),
    ("resume", "get gitrepositories"),
    ("resume", "get ocirepositories"),
    ("resume", "get buckets"),
    ("resume", "list jobs"),
    ("status", "get helmreleases"),
    ("status", "get gitrepositories"),
    ("status", "get ocirepositories"),
    ("status", "get buckets"),
    ("status", "list jobs"),
    ("status", "get deployments"),
    ("status", "get services"),
    ("status", "list endpointslices"),
    ("status", "create pods/exec"),
    ("status", "list couchdbdatabases"),
    ("status", "get configmaps"),
    ("restore", "list couchdbdatabases"),
    ("backup", "create pods/exec"),
    ("restore", "create pods/exec"),
    ("list", "watch helmreleases"),
    ("describe", "get gitrepositories"),
    ("describe", "get ocirepositories"),
    ("describe", "get buckets"),
    ("describe", "list jobs"),
    ("troubleshoot", "get gitrepositories"),
    ("troubleshoot", "get ocirepositories"),
    ("troubleshoot", "get buckets"),
    ("troubleshoot", "list jobs"),
    ("capture", "get gitrepositories"),
    ("capture", "get ocirepositories"),
    ("capture", "get buckets"),
    ("capture", "list jobs"),
    ("troubleshoot", "get deployments"),
    ("troubleshoot", "get services"),
    ("troubleshoot", "list endpointslices"),
    ("troubleshoot", "create pods/exec"),
    ("capture", "get deployments"),
    ("capture", "get services"),
    ("capture", "list endpointslices"),
    ("capture", "create pods/exec"),
    ("notes", "list secrets"),
    ("delete-db", "create pods/exec"),
    ("delete-db", "list couchdbdatabases"),
    ("databases", "create pods/exec"),
    ("databases", "list couchdbdatabases"),
    ("delete-db", "get configmaps"),
    ("delete-db", "get secrets"),
    ("databases", "get configmaps"),
    ("databases", "get secrets"),
    ("onboard", "create pods/exec"),
    ("onboard", "list couchdbdatabases"),
    ("onboard", "get configmaps"),
    ("onboard", "get secrets"),
    ("restore", "get configmaps"),
    ("restore", "get secrets"),
    ("delete-db", "list kustomizations"),
    ("troubleshoot", "list kustomizations"),
    ("troubleshoot", "get nodes"),
    ("troubleshoot", "list volumeattachments"),
    ("troubleshoot", "get persistentvolumeclaims"),
    ("troubleshoot", "get persistentvolumes"),
    ("troubleshoot", "list persistentvolumes"),
    ("troubleshoot", "get storageclasses"),
    ("troubleshoot", "list storageclasses"),
    ("troubleshoot", "get statefulsets"),
    ("troubleshoot", "get apiservices"),
    ("troubleshoot", "list validatingwebhookconfigurations"),
    ("troubleshoot", "list mutatingwebhookconfigurations"),
    ("troubleshoot", "list peerauthentications"),
    ("troubleshoot", "list networkpolicies"),
    ("status", "get nodes"),
    ("status", "list volumeattachments"),
    ("status", "get persistentvolumeclaims"),
    ("status", "get persistentvolumes"),
    ("status", "list persistentvolumes"),
    ("status", "get storageclasses"),
    ("status", "list storageclasses"),
    ("status", "get statefulsets"),
    ("status", "get apiservices"),
    ("status", "list validatingwebhookconfigurations"),
    ("status", "list mutatingwebhookconfigurations"),
    ("status", "list peerauthentications"),
    ("status", "list networkpolicies"),
    ("capture", "get nodes"),
    ("capture", "list volumeattachments"),
    ("capture", "get persistentvolumeclaims"),
    ("capture", "get persistentvolumes"),
    ("capture", "list persistentvolumes"),
    ("capture", "get storageclasses"),
    ("capture", "list storageclasses"),
    ("capture", "get statefulsets"),
    ("capture", "get apiservices"),
    ("capture", "list validatingwebhookconfigurations"),
    ("capture", "list mutatingwebhookconfigurations"),
    ("capture", "list peerauthentications"),
    ("capture", "list networkpolicies"),
];

/// Every right of the manifest is one that its user has used by now: the API server's audit log tells.
#[track_caller]
fn all_used(command: &str) {
    let log = std::fs::read_to_string(Sandbox::shared().audit_log()).expect("the audit log");
    let user = format!("rbac-{command}");
    let used: BTreeSet<String> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["user"]["username"] == user.as_str())
        .filter_map(|event| {
            let object = &event["objectRef"];
            let sub = object["subresource"].as_str();
            let sub = sub.map(|s| format!("/{s}")).unwrap_or_default();
            Some(format!(
                "{} {}{sub}",
                event["verb"].as_str()?,
                object["resource"].as_str()?
            ))
        })
        .collect();
    let unused: Vec<String> = rights(&manifest(command))
        .into_iter()
        .filter(|right| !used.contains(right) && !NOT_SEEN.contains(&(command, right.as_str())))
        .collect();
    assert_eq!(
        unused, [""; 0],
        "rights in {command}.yaml that {command} does not use; it used {used:?}"
    );
}

/// `verb resource` for each rule of a manifest.
fn rights(manifest: &str) -> Vec<String> {
    let mut rights = Vec::new();
    for document in manifest.split("\n---\n") {
        let object: Value = serde_saphyr::from_str(document).expect("YAML");
        let words = |rule: &Value, key: &str| -> Vec<String> {
            let all = rule[key].as_array().cloned().unwrap_or_default();
            all.iter()
                .filter_map(|w| w.as_str().map(str::to_owned))
                .collect()
        };
        for rule in object["rules"].as_array().into_iter().flatten() {
            for resource in words(rule, "resources") {
                for verb in words(rule, "verbs") {
                    rights.push(format!("{verb} {resource}"));
                }
            }
        }
    }
    assert!(!rights.is_empty());
    rights
}

#[test]
fn list() {
    assert!(works("list", &["list"], 0).contains(NAME));
    assert!(works("list", &["list", NAME], 0).contains(NAME));
    // Only a table reads the list of all, too.
    assert!(works("list", &["list", NAME, "-o", "yaml"], 0).contains(NAME));
    all_used("list");
}

#[test]
fn describe() {
    assert!(works("describe", &["describe", NAME], 0).contains(NAME));
    let release = format!("core-{NAME}");
    assert!(works("describe", &["describe", &release], 0).contains(NAME));
    works(
        "describe",
        &["describe", "skvs-onboarding-iota--database"],
        0,
    );
    all_used("describe");
}

#[test]
fn completion() {
    let complete = |kubeconfig, words: &[&str]| {
        let words = ["__complete"].iter().chain(words);
        Skvs::with(kubeconfig, words).run().ok()
    };
    let (may, may_not) = (may("completion"), may_not());
    for words in [
        &["list", "skvs-onboarding-pds--d"][..],
        &["list", "-n", "flux-s"],
    ] {
        assert!(complete(&may, words).lines().count() == 2, "{words:?}");
        assert_eq!(complete(&may_not, words), ":4\n", "{words:?}");
    }
    all_used("completion");
}

/// Kubernetes itself gives these rights to every user, so here nobody can be refused.
#[test]
fn version() {
    let said = Skvs::with(&may("version"), ["version"]).run().ok();
    assert!(
        said.contains("HelmRelease API: helm.toolkit.fluxcd.io/v2\n"),
        "{said}"
    );
    assert_eq!(Skvs::with(&may_not(), ["version"]).run().ok(), said);
}

#[test]
fn notes() {
    assert!(works("notes", &["notes", NAME], 0).contains("pds_database"));
    works("notes", &["notes", NAME, "--revision", "1"], 0);
    works("notes", &["notes", &format!("core-{NAME}")], 0);
    all_used("notes");
}

#[test]
fn databases() {
    assert!(works("databases", &["databases"], 0).contains("orphan_db"));
    all_used("databases");
}

/// The manifest of an installed onboarding, and one that gives it another database.
#[test]
fn lint() {
    let folder = tempfile::tempdir().expect("a folder");
    let lint = |database: &str, code: i32| {
        let home = "infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding";
        let home = folder.path().join(home);
        std::fs::create_dir_all(&home).expect("a folder");
        let text = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/examples/gitops/infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/pds_database.yaml"
        ));
        let text = text.expect("the example");
        let changed = text.replace("database: database", &format!("database: {database}"));
        std::fs::write(home.join("pds_database.yaml"), changed).expect("a manifest");
        let listed = "resources: [pds_database.yaml]\n";
        std::fs::write(home.join("kustomization.yaml"), listed).expect("a kustomization");
        let folder = folder.path().display().to_string();
        works("lint", &["lint", &folder, "--installed"], code)
    };
    lint("database", 0);
    let said = lint("orders", 3);
    assert!(
        said.contains("it was installed as \"database\", now it is \"orders\""),
        "{said}"
    );
    all_used("lint");
}

#[test]
fn onboard() {
    let repo = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/gitops");
    let words = [
        "onboard",
        "default",
        "rbac-new",
        "--service-account",
        "default",
        "--repo",
        repo,
        "--for-cluster",
        "lab2",
        "--dry-run",
    ];
    assert!(works("onboard", &words, 0).contains("+    database: rbac-new\n"));
    all_used("onboard");
}

/// A dry run and a deletion that is carried out, last look and read-back with it.
#[test]
fn delete_db() {
    works("delete-db", &["delete-db", "orphan_db", "--dry-run"], 0);
    let front = Sandbox::shared().couchdb();
    front.create_database("rbac_gone", 1).expect("a database");
    let words = [
        "delete-db",
        "rbac_gone",
        "--context",
        "sandbox",
        "--confirm",
        "rbac_gone",
    ];
    let refused = Skvs::with(&may_not(), words).run();
    assert!(refused.failed(4).contains("orbidden"));
    let said = Skvs::with(&may("delete-db"), words).run();
    assert!(
        said.stderr.contains("Checked on 3 of 3 members: gone."),
        "{}",
        said.stderr
    );
    assert_eq!(
        said.ok(),
        "database \"rbac_gone\" deleted from secure-kvs namespace\n"
    );
    assert!(!front.exists("rbac_gone"));
    all_used("delete-db");
}

#[test]
fn backup_and_restore() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rbac.gz");
    let to = file.to_str().expect("a path");
    works("backup", &["backup", "orphan_db", "--to", to, "--force"], 0);
    all_used("backup");
    let front = Sandbox::shared().couchdb();
    let words = [
        "restore",
        to,
        "--to",
        "rbac_restored",
        "--context",
        "sandbox",
        "--confirm",
        "rbac_restored",
    ];
    works("restore", &words, 0);
    all_used("restore");
    front
        .drop_database("rbac_restored")
        .expect("it was restored");
}

/// A server since 1.35 asks for `create` beside `get` when an exec comes by WebSocket; older ones for `get` alone.
#[test]
fn exec_needs_both_rights() {
    let both = "resources: [pods/exec], verbs: [get, create]";
    let manifest = manifest("delete-db");
    assert!(manifest.contains(both), "{manifest}");
    let group = "may-get-exec";
    let less = manifest
        .replace(both, "resources: [pods/exec], verbs: [get]")
        .replace("kubectl-skvs-delete-db", group)
        .replace("secure-kvs-oncall", group);
    let user = Sandbox::shared().user("rbac-get-exec", &[group], &less);
    let words = ["delete-db", "orphan_db", "--dry-run"];
    let said = Skvs::with(&user.expect("a user"), words).run();
    assert_ne!(said.code, 0, "{}", said.stdout);
    assert!(said.stderr.contains("create"), "{}", said.stderr);
}

#[test]
fn suspend_and_resume() {
    let (_temporary, name) = crate::troubleshoot::onboarding("zulu-rights", "core");
    Skvs::with(&may("troubleshoot"), ["troubleshoot", &name, "--wait"])
        .run()
        .ok();
    let short = name.trim_start_matches("skvs-onboarding-");
    let words = ["suspend", short, "--reason", "a test"];
    works("suspend", &[&words[..], &["--dry-run"]].concat(), 0);
    Skvs::with(&may("suspend"), words).run().ok();
    all_used("suspend");
    works("resume", &["resume", short, "--dry-run"], 0);
    Skvs::with(&may("resume"), ["resume", short]).run().ok();
    all_used("resume");
}

/// The first reads, and the change that the API server checks; helm's own rights depend on the release.
#[test]
fn retry() {
    use crate::troubleshoot::{failed_onboarding, mend};
    let (_temporary, name) = failed_onboarding("zulu-may");
    mend("zulu-may");
    // Its target namespace is not core.
    let own = manifest("retry").replace("secure-kvs-oncall", "may-retry");
    let own = own.replace("namespace: core}", "namespace: zulu-may}");
    Sandbox::shared().apply(&own).expect("the rights are given");
    let helm = Sandbox::shared().bin("helm");
    let path = helm.parent().expect("a folder").display().to_string();
    let short = name.trim_start_matches("skvs-onboarding-");
    let rehearsed = |kubeconfig: &std::path::Path| {
        let words = ["retry", short, "--dry-run"];
        Skvs::with(kubeconfig, words).env("PATH", &path).run()
    };
    let said = rehearsed(&may("retry"));
    assert!(!said.stderr.contains("orbidden"), "{}", said.stderr);
    assert!(said.ok().contains("retried (server dry run)"));
    assert!(rehearsed(&may_not()).failed(1).contains("orbidden"));
    for (name, code) in [
        ("iota--database", "SKVS301"),
        ("sierra--invoices", "SKVS402"),
    ] {
        let name = format!("skvs-onboarding-{name}");
        let said = Skvs::with(&may("retry"), ["retry", &name, "--dry-run"]).run();
        let why = said.failed(4);
        assert!(why.contains(code), "{why}");
    }
    // Flux does not answer: its controllers are looked for.
    let silent = Skvs::with(
        &may("retry"),
        ["retry", "skvs-onboarding-mike--index", "--dry-run"],
    );
    silent.run().failed(4);
    all_used("retry");
}

/// It says of other commands that their rights are missing, which are not its own.
#[test]
fn doctor() {
    let said = Skvs::with(&may("doctor"), ["doctor"]).run();
    assert_eq!(said.code, 3, "{}\n{}", said.stdout, said.stderr);
    let said = said.stdout;
    assert!(!said.contains("orbidden"), "{said}");
    let refused = Skvs::with(&may_not(), ["doctor"]).run();
    let list = "forbidden (list helmreleases in flux-system)";
    assert!(refused.stdout.contains(list), "{}", refused.stdout);
    let own = said
        .lines()
        .find(|line| line.starts_with("ok         rights"));
    assert!(own.is_some_and(|line| line.contains("doctor")), "{said}");
    all_used("doctor");
}

#[test]
fn offboard() {
    let said = works("offboard", &["offboard", "golf_sessions"], 3);
    assert!(said.contains("CouchDB has golf_sessions"), "{said}");
    works("offboard", &["offboard", "orphan_db"], 3);
    all_used("offboard");
}

#[test]
fn check_access() {
    let words = [
        "check-access",
        "golf_sessions",
        "--service-account",
        "papa/papa",
    ];
    let said = works("check-access", &words, 3);
    assert!(said.contains("no: no ALLOW policy"), "{said}");
    all_used("check-access");
}

#[test]
fn status() {
    let said = Skvs::with(&may("status"), ["status", "-o", "json"]).run();
    assert_eq!(said.code, 3, "{}\n{}", said.stdout, said.stderr);
    let status: Value = serde_json::from_str(&said.stdout).expect("JSON");
    // Onboardings of other tests are in namespaces of their own.
    let unread = status["notRead"].as_array().expect("a list").iter();
    let unread: Vec<String> = unread.map(|unread| unread["why"].to_string()).collect();
    let others = |why: &String| why.contains("in zulu-");
    assert!(
        unread
            .iter()
            .all(|why| !why.contains("orbidden") || others(why)),
        "{unread:?}"
    );
    assert!(status["couchdb"]["members"].is_array(), "{}", said.stdout);
    let refused = Skvs::with(&may_not(), ["status"]).run();
    assert!(refused.failed(1).contains("orbidden"));
    all_used("status");
}

#[test]
fn troubleshoot() {
    works("troubleshoot", &["troubleshoot", NAME], 0);
    let said = works(
        "troubleshoot",
        &["troubleshoot", "skvs-onboarding-iota--database"],
        3,
    );
    assert!(said.contains("SKVS301"), "{said}");
    for (name, code) in [("sierra--invoices", "SKVS402"), ("mike--index", "SKVS151")] {
        let name = format!("skvs-onboarding-{name}");
        let said = Skvs::with(&may("troubleshoot"), ["troubleshoot", &name]).run();
        assert!(said.stdout.contains(code), "{}", said.stdout);
        assert!(!said.stdout.contains("not run"), "{}", said.stdout);
    }
    // What only some failures make it read, and what it reads of those that are well.
    let all = Skvs::with(&may("troubleshoot"), ["troubleshoot"]).run();
    assert_eq!(all.code, 3, "{}", all.stderr);
    // What is not among the onboardings may be one without the label.
    let said = Skvs::with(&may("troubleshoot"), ["troubleshoot", "nobody"]).run();
    assert!(said.failed(1).contains("not found"));
    all_used("troubleshoot");
}

/// The optional rights are optional: what they would tell is said not to have been looked at.
#[test]
fn troubleshoot_without_its_optional_rights() {
    let less: Vec<String> = manifest("troubleshoot")
        .lines()
        .filter(|l| !l.contains("subjectaccessreviews") && !l.contains("pods/exec"))
        .map(|l| {
            l.replace("secure-kvs-oncall", "may-less")
                .replace("kubectl-skvs-troubleshoot", "may-less")
        })
        .collect();
    let user = Sandbox::shared()
        .user("rbac-less", &["may-less"], &less.join("\n"))
        .expect("a user");
    let said = Skvs::with(&user, ["troubleshoot", "skvs-onboarding-sierra--invoices"]).run();
    assert!(said.stdout.contains("error[SKVS402]"), "{}", said.stdout);
    let flat = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("rights of ServiceAccount flux-system/onboarding-reader (forbidden: create subjectaccessreviews"),
        "{}",
        said.stdout
    );
    let said = Skvs::with(&user, ["troubleshoot", NAME]).run();
    let flat = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("the database in CouchDB (forbidden: "),
        "{}",
        said.stdout
    );
}

#[test]
fn capture() {
    for name in [NAME, "skvs-onboarding-iota--database"] {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("b.tar.gz");
        let words = ["capture", name, "--to", &to.to_string_lossy()];
        let said = Skvs::with(&may("capture"), words).run();
        assert!(!said.stderr.contains("not readable"), "{}", said.stderr);
        said.ok();
        let words = ["capture", name, "--force", "--to", &to.to_string_lossy()];
        let refused = Skvs::with(&may_not(), words).run();
        assert!(refused.failed(1).contains("orbidden"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("all.tar.gz");
    let words = ["capture", "--to", &to.to_string_lossy()];
    let said = Skvs::with(&may("capture"), words).run();
    // One of the seeds has a target namespace that the manifest knows nothing of.
    let unread = ", 1 not readable: get jobs in core-eu (forbidden)";
    assert!(said.stderr.contains(unread), "{}", said.stderr);
    said.ok();
    // What is not among the onboardings may be one without the label.
    let to = folder.path().join("none.tar.gz");
    let words = ["capture", "nobody", "--to", &to.to_string_lossy()];
    let said = Skvs::with(&may("capture"), words).run();
    assert!(said.failed(1).contains("not found"));
    all_used("capture");
}
