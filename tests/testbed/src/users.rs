//! Users with exactly the rights that a test gives them: a client certificate, a kubeconfig and RBAC objects.

use std::{
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    api,
    cluster::Cluster,
    error::Result,
    kubeconfig::{self, Credential},
};

impl Cluster {
    /// A kubeconfig for `name` in at most two `groups`, who may do exactly what `rbac` (Roles, bindings; may be empty) grants that user,
    /// beside what Kubernetes grants everyone. The grants are in force when this returns.
    pub fn user(&self, name: &str, groups: &[&str], rbac: &str) -> Result<PathBuf> {
        let identity = self.site.authority.client(name, groups)?;
        let config = kubeconfig::text(
            self.name,
            &self.server,
            self.site.authority.certificate(),
            name,
            &Credential::Certificate(&identity),
        );
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        let file = format!("{}/users/{number}.kubeconfig", self.name);
        let path = self.site.run.write(&file, &config)?;
        if !rbac.trim().is_empty() {
            let namespaces = self.bound_namespaces(rbac)?;
            let before = rules(&path, &namespaces)?;
            if changed(&self.apply(rbac)?) {
                settle(&path, &namespaces, &before)?;
            }
        }
        Ok(path)
    }

    /// Namespaces that hold a RoleBinding in `rbac`; `default` stands for the cluster-wide ones.
    fn bound_namespaces(&self, rbac: &str) -> Result<Vec<String>> {
        let args = [
            "create",
            "--dry-run=client",
            "--validate=false",
            "-o",
            "json",
            "-f",
            "-",
        ];
        let text = self.kubectl_with(&args, rbac)?;
        let mut namespaces: Vec<String> = serde_json::Deserializer::from_str(&text)
            .into_iter::<Value>()
            .filter_map(std::result::Result::ok)
            .flat_map(|object| match object["items"].as_array() {
                Some(items) => items.clone(),
                None => vec![object],
            })
            .filter_map(|object| match object["kind"].as_str() {
                Some("RoleBinding") => Some(
                    object["metadata"]["namespace"]
                        .as_str()
                        .unwrap_or("default")
                        .to_owned(),
                ),
                Some("ClusterRoleBinding") => Some("default".to_owned()),
                _ => None,
            })
            .collect();
        namespaces.sort();
        namespaces.dedup();
        Ok(namespaces)
    }
}

/// Whether kubectl's report names an object that was not there or was different.
fn changed(report: &str) -> bool {
    report.lines().any(|line| !line.ends_with(" unchanged"))
}

/// What the user of a kubeconfig may do in each namespace, as the API server's authorizer sees it now.
fn rules(kubeconfig: &Path, namespaces: &[String]) -> Result<Vec<Value>> {
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    namespaces
        .iter()
        .map(|namespace| {
            let review = json!({
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectRulesReview",
                "spec": { "namespace": namespace },
            });
            Ok(api::json(kubeconfig, "POST", path, &review)?["status"].clone())
        })
        .collect()
}

/// Waits until the authorizer has taken the new grants in: its answer differs from `before` in every namespace and stands still.
/// A grant that adds nothing never shows, so the wait is short and its end is no error.
fn settle(kubeconfig: &Path, namespaces: &[String], before: &[Value]) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(3);
    let mut last = before.to_vec();
    while Instant::now() < end {
        let now = rules(kubeconfig, namespaces)?;
        if now == last && now.iter().zip(before).all(|(now, before)| now != before) {
            break;
        }
        last = now;
        std::thread::sleep(crate::poll::PAUSE);
    }
    Ok(())
}
