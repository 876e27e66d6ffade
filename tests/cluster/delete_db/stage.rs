//! A CouchDB of a test's own, so that members, faults and credentials are in nobody's way.

use crate::harness::{RunOutput, kubectl, skvs};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;
use testbed::Sandbox;
use testbed::couchdb::{Config, Front};

pub(crate) const PASSWORD: &str = r#"p"a\ss'w:100%d $HOME `id` ;#"#;

/// The namespaces that tests have taken.
static STAGES: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// A CouchDB of a test's own: a front, and one pod that reaches it.
pub(crate) struct Stage {
    pub(crate) namespace: &'static str,
    pub(crate) front: Front,
}

/// What is different in a stage's pod.
pub(crate) struct Pod<'a> {
    pub(crate) password: &'a str,
    /// The container's PATH, if not the node's.
    pub(crate) path: Option<&'a str>,
    pub(crate) with_user: bool,
    /// CouchDB's port, if not the front's.
    pub(crate) port: Option<u16>,
}

pub(crate) const USUAL: Pod<'static> = Pod {
    password: PASSWORD,
    path: None,
    with_user: true,
    port: None,
};

/// The rights to read what can claim a database, beside HelmReleases.
pub(crate) fn claims() -> serde_json::Value {
    json!({"apiGroups": ["", "security.istio.io"], "resources": ["secrets", "configmaps", "authorizationpolicies"], "verbs": ["list"]})
}

impl Stage {
    pub(crate) fn new(namespace: &'static str) -> Self {
        Self::with(namespace, &USUAL)
    }

    pub(crate) fn with(namespace: &'static str, pod: &Pod<'_>) -> Self {
        Self::guarded(namespace, PASSWORD, pod)
    }

    /// One whose CouchDB wants another password than everywhere else.
    pub(crate) fn guarded(namespace: &'static str, password: &str, pod: &Pod<'_>) -> Self {
        let mut config = Config::shared_cluster(Sandbox::shared().pouchdb_port()).alone();
        config.password = password.to_owned();
        Self::before(namespace, config, pod)
    }

    /// One whose databases pouchdb-server has under their own names, to be looked at there.
    pub(crate) fn open(namespace: &'static str) -> Self {
        let config = Config::shared_cluster(Sandbox::shared().pouchdb_port());
        Self::before(namespace, config, &USUAL)
    }

    fn before(namespace: &'static str, config: Config, pod: &Pod<'_>) -> Self {
        // A pod of another test would be in the way, with another password.
        let is_new = STAGES
            .lock()
            .expect("no test has panicked here")
            .insert(namespace);
        assert!(is_new, "two tests have the stage {namespace}");
        let sandbox = Sandbox::shared();
        let front = Front::start(config).expect("a front of its own starts");
        let stage = Self { namespace, front };
        sandbox
            .apply(
                &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
                    .to_string(),
            )
            .expect("the namespace is applied");
        stage.pod("db-0", pod);
        stage
    }

    /// Puts a pod in; again until the namespace has its service account.
    pub(crate) fn pod(&self, name: &str, pod: &Pod<'_>) {
        let mut env = vec![json!({"name": "COUCHDB_PASSWORD", "value": pod.password})];
        if pod.with_user {
            env.push(json!({"name": "COUCHDB_USER", "value": "admin"}));
        }
        if let Some(path) = pod.path {
            env.push(json!({"name": "PATH", "value": path}));
        }
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"app": "couchdb"}},
            "spec": {"containers": [
                {"name": "istio-proxy", "image": "istio/proxyv2:1.14.3"},
                {"name": "couchdb", "image": "couchdb:3.2.2", "env": env,
                 "ports": [{"containerPort": pod.port.unwrap_or_else(|| self.front.port()), "name": "couchdb"}]},
            ]},
        });
        let sandbox = Sandbox::shared();
        testbed::wait("the pod's admission", Duration::from_secs(60), || {
            sandbox.apply(&object.to_string()).ok()
        })
        .expect("the pod is admitted");
        let pod = format!("pod/{name}");
        kubectl(&[
            "wait",
            "-n",
            self.namespace,
            "--for=condition=Ready",
            "--timeout=60s",
            &pod,
        ]);
    }

    /// Puts a Secret in with the admin's credentials, under the official chart's keys.
    pub(crate) fn secret(&self, name: &str, password: &str) {
        let object = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.namespace},
            "stringData": {"adminUsername": "admin", "adminPassword": password},
        });
        let applied = Sandbox::shared().apply(&object.to_string());
        applied.expect("the Secret is applied");
    }

    pub(crate) fn args<'a>(&'a self, database: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let mut args = vec![
            "delete-db",
            database,
            "--couchdb-namespace",
            self.namespace,
            "--context",
            "sandbox",
        ];
        args.extend(more);
        args
    }

    /// A confirmed deletion that does not wait long for members that keep what they have.
    pub(crate) fn delete(&self, database: &str) -> RunOutput {
        skvs(self.args(database, &["--confirm", database, "--timeout", "2s"])).run()
    }

    pub(crate) fn deletes(&self) -> usize {
        self.front
            .requests()
            .iter()
            .filter(|r| r.method == "DELETE")
            .count()
    }
}
