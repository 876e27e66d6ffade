//! Which pod CouchDB is asked in: the flags of the commands that ask it, and the pods that they choose among.

mod environment;
mod secret;

pub use environment::Environment;
pub use secret::SecretArgs;

use crate::advice::{Command, Hint};
use crate::cluster::{Cluster, ClusterError, ListOf, segment};
use crate::couchdb::Target;
use crate::couchdb::pods::{self, Choice, NoTarget, PodState};
use crate::error::{Error, Result};
use crate::help;
use crate::model::endpoint::COUCHDB_NAMESPACE;
use crate::settings::namespace_or;
use k8s_openapi::api::core::v1::Pod;

/// Flags that choose the pod, and the credentials.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = help::COUCHDB)]
pub struct PodArgs {
    // First, since clap forgets where a value came from once it is taken.
    #[command(flatten)]
    pub environment: Environment,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Choose one of CouchDB's pods
    #[arg(long, value_name = "POD")]
    pub pod: Option<String>,
    /// Choose one of the containers that look like CouchDB
    #[arg(long, value_name = "CONTAINER")]
    pub container: Option<String>,
    /// CouchDB's port in its container; by default the one named couchdb, else 5984
    #[arg(long, env = "SKVS_COUCHDB_PORT", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    #[command(flatten)]
    pub secret: SecretArgs,
}

/// Flags that say where CouchDB's pods are.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = help::COUCHDB)]
pub struct PlaceArgs {
    /// Namespace of CouchDB's pods
    #[arg(
        long,
        env = "SKVS_COUCHDB_NAMESPACE",
        default_value = COUCHDB_NAMESPACE,
        value_parser = namespace_or(COUCHDB_NAMESPACE),
        value_name = "NAMESPACE"
    )]
    pub couchdb_namespace: String,
    /// Choose among CouchDB's pods by label
    #[arg(long, env = "SKVS_POD_SELECTOR", value_name = "SELECTOR")]
    pub pod_selector: Option<String>,
}

/// Flags of what is asked in CouchDB's pods.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct AskArgs {
    /// Do not ask CouchDB in its pods which databases exist
    #[arg(long, help_heading = help::COUCHDB)]
    pub(crate) no_exec: bool,
    #[command(flatten)]
    pub(crate) pods: PodArgs,
}

impl AskArgs {
    /// The flags again, for a command that asks the same CouchDB or none.
    pub(crate) fn words(&self) -> Vec<String> {
        let no_exec = self.no_exec.then(|| "--no-exec".to_owned());
        no_exec.into_iter().chain(self.pods.words()).collect()
    }
}

/// The container that was chosen, among these pods.
pub(crate) struct Found {
    target: Target,
    /// Others of the same cluster that could be asked in its place.
    others: Vec<Target>,
    pods: Vec<Pod>,
}

impl Found {
    /// The pods of the cluster that the chosen container is in.
    pub(crate) fn cluster(&self) -> Vec<PodState> {
        pods::cluster_of(&self.pods, &self.target)
    }
}

impl PlaceArgs {
    /// Reads the pods and chooses the container among them; the inner error says why there is no single one.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub(crate) async fn found(
        &self,
        cluster: &Cluster,
        choice: Choice,
    ) -> Result<Result<Found, NoTarget>, ClusterError> {
        let namespace = segment(&self.couchdb_namespace);
        let mut path = format!("/api/v1/namespaces/{namespace}/pods");
        let selector = self.pod_selector.as_deref();
        let selector = selector.filter(|s| !s.trim().is_empty());
        if let Some(selector) = selector {
            path.push_str("?labelSelector=");
            path.push_str(&segment(selector));
        }
        let pods: Vec<Pod> = cluster.all(&ListOf::objects(path)).await?.into_items();
        let choice = Choice {
            selector: selector.map(str::to_owned),
            ..choice
        };
        let chosen = pods::targets(&pods, &choice);
        Ok(chosen.map(|(target, others)| Found {
            target,
            others,
            pods,
        }))
    }
}

impl PodArgs {
    /// The flags again, for a command on the same CouchDB. They are taken apart whole, so that a new one must be given its place here.
    pub(crate) fn words(&self) -> Vec<String> {
        let Self {
            environment: _,
            place:
                PlaceArgs {
                    couchdb_namespace,
                    pod_selector,
                },
            pod,
            container,
            port,
            secret:
                SecretArgs {
                    credentials_from_secret,
                    credentials_keys,
                },
        } = self;
        let namespace = (couchdb_namespace != COUCHDB_NAMESPACE).then_some(couchdb_namespace);
        let flags = [
            ("--couchdb-namespace", namespace.cloned()),
            ("--pod-selector", pod_selector.clone()),
            ("--pod", pod.clone()),
            ("--container", container.clone()),
            ("--port", port.map(|p| p.to_string())),
            (
                "--credentials-from-secret",
                credentials_from_secret.as_ref().map(ToString::to_string),
            ),
            (
                "--credentials-keys",
                credentials_keys.as_ref().map(ToString::to_string),
            ),
        ];
        let flags = flags.into_iter();
        let flags = flags.filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
        flags.flatten().collect()
    }

    /// As [`PlaceArgs::found`], by all flags.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub(crate) async fn found(
        &self,
        cluster: &Cluster,
    ) -> Result<Result<Found, NoTarget>, ClusterError> {
        let choice = Choice {
            selector: None,
            pod: self.pod.clone(),
            container: self.container.clone(),
            port: self.port,
        };
        self.place.found(cluster, choice).await
    }

    /// What was found, with a Secret's credentials where one is named.
    ///
    /// # Errors
    /// The Secret cannot be read, or has not what is needed.
    pub(crate) async fn settled(&self, cluster: &Cluster, found: Found) -> Result<Target> {
        let Found { target, pods, .. } = found;
        self.secret.settle(cluster, target, &pods).await
    }

    /// The containers that can be asked, the chosen one first.
    ///
    /// # Errors
    /// As [`Self::container`].
    pub(crate) async fn containers(&self, cluster: &Cluster) -> Result<Vec<Target>> {
        let mut found = match self.found(cluster).await? {
            Ok(found) => found,
            Err(why) => return Err(no_target(cluster, &self.place.couchdb_namespace, why).await),
        };
        let others = std::mem::take(&mut found.others);
        let first = self.settled(cluster, found).await?;
        let credentials = first.credentials.clone();
        let others = others.into_iter().map(|target| Target {
            credentials: credentials.clone(),
            ..target
        });
        Ok(std::iter::once(first.clone()).chain(others).collect())
    }

    /// The container that is asked, for a command that can do nothing without it.
    ///
    /// # Errors
    /// What the API server or the connection said, or why there is no single one.
    pub(crate) async fn container(&self, cluster: &Cluster) -> Result<Target> {
        match self.found(cluster).await? {
            Ok(found) => self.settled(cluster, found).await,
            Err(why) => Err(no_target(cluster, &self.place.couchdb_namespace, why).await),
        }
    }
}

/// Why no container can be asked; one request more where the namespace may be absent.
async fn no_target(cluster: &Cluster, namespace: &str, why: NoTarget) -> Error {
    let mut absent = false;
    if let NoTarget::None { looked_at: 0, .. } = why {
        let path = format!("/api/v1/namespaces/{}", segment(namespace));
        let read: Result<serde::de::IgnoredAny, ClusterError> = cluster.get(&path).await;
        absent = read.is_err_and(|e| e.is_not_found());
    }
    no_container(namespace, absent, why)
}

pub(crate) fn no_container(namespace: &str, absent: bool, why: NoTarget) -> Error {
    let list = Command::new(["kubectl", "get", "pods", "-n", namespace]);
    let error = Error::new(why.clause(namespace));
    error.hint(match why {
        NoTarget::None { .. } if absent => format!(
            "the namespace {namespace:?} does not exist on this cluster; name another one with --couchdb-namespace"
        )
        .into(),
        NoTarget::None {
            looked_at: 0,
            selector: Some(_),
        } => list.args(["--show-labels"]).after("no pod has these labels; see:"),
        NoTarget::None { .. } => {
            list.after("CouchDB has a port named couchdb or numbered 5984; see:")
        }
        NoTarget::Clusters(_) => "choose one with --pod or --pod-selector".into(),
        NoTarget::PodNotFound { found, .. } => format!("those are: {}", found.join(", ")).into(),
        NoTarget::Containers { .. } => "choose one with --container".into(),
        NoTarget::ContainerNotFound { found, .. } => {
            format!("those that do: {}", found.join(", ")).into()
        }
        NoTarget::NotReady(_) => Hint::from(list),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_containers_are_named_with_the_flag_that_chooses() {
        let why = NoTarget::Containers {
            pod: "db-0".to_owned(),
            found: vec!["couchdb".to_owned(), "couchdb-old".to_owned()],
        };
        let error = no_container("secure-kvs", false, why);
        assert_eq!(
            error.to_string(),
            "error: more than one container of pod secure-kvs/db-0 looks like CouchDB: couchdb, couchdb-old"
        );
        assert_eq!(error.hints(), ["choose one with --container"]);
    }
}
