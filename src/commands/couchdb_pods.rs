//! Which pod CouchDB is asked in: the flags of the commands that ask it, and the pods that they choose among.

use crate::cli::or_default;
use crate::cluster::{Cluster, ClusterError, segment};
use crate::couchdb::Target;
use crate::couchdb::pods::{self, Choice, NoTarget};
use crate::model::endpoint::COUCHDB_NAMESPACE;
use k8s_openapi::api::core::v1::Pod;

/// Flags that choose the pod.
#[derive(clap::Args, Clone, Debug)]
pub struct PodArgs {
    /// Namespace of CouchDB's pods
    #[arg(
        long,
        env = "SKVS_COUCHDB_NAMESPACE",
        default_value = COUCHDB_NAMESPACE,
        value_parser = or_default(COUCHDB_NAMESPACE),
        value_name = "NAMESPACE"
    )]
    pub couchdb_namespace: String,
    /// Label selector that chooses among CouchDB's pods
    #[arg(long, env = "SKVS_POD_SELECTOR", value_name = "SELECTOR")]
    pub pod_selector: Option<String>,
    /// Chooses one of CouchDB's pods
    #[arg(long, value_name = "POD")]
    pub pod: Option<String>,
    /// Chooses one of the containers that look like CouchDB
    #[arg(long, value_name = "CONTAINER")]
    pub container: Option<String>,
    /// Port of CouchDB in its container; else the port named couchdb, else 5984
    #[arg(long, env = "SKVS_COUCHDB_PORT", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
}

impl PodArgs {
    /// Reads the pods and chooses the container; the inner error says why there is no single one.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn target(
        &self,
        cluster: &Cluster,
    ) -> Result<Result<Target, NoTarget>, ClusterError> {
        let namespace = segment(&self.couchdb_namespace);
        let mut path = format!("/api/v1/namespaces/{namespace}/pods");
        let selector = self.pod_selector.as_deref();
        if let Some(selector) = selector.filter(|s| !s.trim().is_empty()) {
            path.push_str("?labelSelector=");
            path.push_str(&segment(selector));
        }
        let pods: Vec<Pod> = cluster.pages(path).all().await?.items;
        let choice = Choice {
            pod: self.pod.clone(),
            container: self.container.clone(),
            port: self.port,
        };
        Ok(pods::target(&pods, &choice))
    }
}
