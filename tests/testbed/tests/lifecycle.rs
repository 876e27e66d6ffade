//! The life of a bare sandbox: what it serves, and that no way to end it leaves a process or a folder.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use testbed::{Options, Sandbox, wait};

const RELEASES: &str = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/default/helmreleases";

/// Run by the test below in a process of its own, which is then killed.
const HELD: &str = "TESTBED_HOLD_A_SANDBOX";

#[test]
fn serves_until_it_is_dropped() {
    let sandbox = Sandbox::start(&Options::bare()).unwrap();

    let version = sandbox.kubectl_ok(&["version", "-o", "json"]).unwrap();
    let version: Value = serde_json::from_str(&version).unwrap();
    // An envtest folder may bring another minor version.
    assert_eq!(version["serverVersion"]["major"], "1");

    let releases: Vec<Value> = (0..100).map(release).collect();
    sandbox.create_many(RELEASES, &releases).unwrap();
    let last = sandbox
        .request("GET", &format!("{RELEASES}/r-99"), &Value::Null)
        .unwrap();
    assert_eq!(last["status"]["failures"], 99);

    users_have_exactly_their_grants(&sandbox);

    the_old_cluster_serves_old_versions(&sandbox);

    let log = fs::read_to_string(sandbox.audit_log()).unwrap();
    assert!(
        log.contains("/helmreleases/r-99"),
        "the audit log must show requests"
    );

    let run = sandbox.run_dir().to_owned();
    let groups = groups(&run);
    assert_eq!(groups.len(), 3, "etcd and two API servers");
    drop(sandbox);
    assert!(!run.exists());
    assert_gone(&groups);
}

fn release(number: u32) -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": { "name": format!("r-{number}") },
        "spec": { "interval": "5m", "chart": { "spec": {
            "chart": "secure-kvs-onboarding",
            "sourceRef": { "kind": "HelmRepository", "name": "r" },
        }}},
        "status": { "failures": number },
    })
}

fn users_have_exactly_their_grants(sandbox: &Sandbox) {
    let rbac = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: default}
rules: [{apiGroups: [helm.toolkit.fluxcd.io], resources: [helmreleases], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}]
";
    let reader = sandbox.user("ann", &["others", "readers"], rbac).unwrap();
    let nobody = sandbox.user("bob", &[], "").unwrap();
    let list = |kubeconfig: &Path, what: &str| {
        sandbox
            .kubectl(&[
                "--kubeconfig",
                kubeconfig.to_str().unwrap(),
                "-n",
                "default",
                "get",
                what,
            ])
            .unwrap()
    };
    assert!(list(&reader, "helmreleases").status.success());
    let refused = list(&reader, "secrets");
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        text.contains(r#"User "ann" cannot list resource "secrets""#),
        "{text}"
    );
    assert!(!list(&nobody, "helmreleases").status.success());
}

fn the_old_cluster_serves_old_versions(sandbox: &Sandbox) {
    let old = sandbox.old_cluster();
    let group = old
        .request("GET", "/apis/helm.toolkit.fluxcd.io", &Value::Null)
        .unwrap();
    let served: Vec<&str> = group["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["version"].as_str().unwrap())
        .collect();
    assert_eq!(served, ["v2beta2", "v2beta1"]);
    assert_eq!(group["preferredVersion"]["version"], "v2beta2");
    for version in served {
        let path = format!(
            "/apis/helm.toolkit.fluxcd.io/{version}/namespaces/flux-system/helmreleases/skvs-onboarding-pds--database"
        );
        let release = old.request("GET", &path, &Value::Null).unwrap();
        assert_eq!(
            release["status"]["conditions"][0]["message"],
            "install retries exhausted"
        );
        assert_eq!(release["status"]["failures"], 105);
    }
}

#[test]
fn a_kill_leaves_nothing() {
    if env::var_os(HELD).is_some() {
        let sandbox = Sandbox::start(&Options::bare()).unwrap();
        eprintln!("\nheld in {}", sandbox.run_dir().display());
        std::thread::sleep(Duration::from_secs(600));
        return;
    }
    let mut holder = Command::new(env::current_exe().unwrap())
        .args(["a_kill_leaves_nothing", "--exact", "--nocapture"])
        .env(HELD, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let run = BufReader::new(holder.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("held in ").map(PathBuf::from))
        .expect("the holder says where its run is");
    let groups = groups(&run);
    assert_eq!(groups.len(), 2, "etcd and the API server");
    holder.kill().unwrap();
    holder.wait().unwrap();
    wait(
        "the removal of the run folder",
        Duration::from_secs(60),
        || (!run.exists()).then_some(()),
    )
    .unwrap();
    assert_gone(&groups);
}

fn groups(run: &Path) -> Vec<String> {
    fs::read_dir(run.join("groups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// `kill -0` asks whether any process of a group is left.
fn assert_gone(groups: &[String]) {
    for group in groups {
        wait(
            &format!("the end of process group {group}"),
            Duration::from_secs(30),
            || {
                let asked = Command::new("/bin/sh")
                    .args(["-c", &format!("kill -s 0 -- -{group}")])
                    .stderr(Stdio::null())
                    .status()
                    .unwrap();
                (!asked.success()).then_some(())
            },
        )
        .unwrap();
    }
}
