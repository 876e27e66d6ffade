//! Where HelmReleases are: their API version on this cluster, their paths.

use super::{All, Cluster, ClusterError, Item, List, ListOf, Pages, segment};
use crate::bundle::NotSaved;
use crate::bundle::request::Accept;
use crate::model::helm_release::{GROUP, PLURAL};
use crate::snapshot::Why;
use kube::core::Status;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Versions this plugin can read, newest first. The first is tried without asking which are served.
pub const VERSIONS: [&str; 3] = ["v2", "v2beta2", "v2beta1"];

/// Which HelmReleases are meant.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// `None`: all namespaces.
    pub namespace: Option<String>,
    /// Label selector; empty for all.
    pub selector: String,
}

impl Cluster {
    /// The first page of a list and the pages after it, in whatever version is served.
    ///
    /// # Errors
    /// What the API server or the connection said; [`is_not_installed`] tells the case of a cluster without Flux.
    pub async fn helm_releases<T: Item>(
        &self,
        query: &Query,
    ) -> Result<(List<T>, Pages<T>), ClusterError> {
        self.in_served_version(query, async |list| self.pages(&list).await)
            .await
    }

    /// Folds a whole list, as [`Cluster::whole`] does.
    ///
    /// # Errors
    /// As [`Cluster::helm_releases`].
    pub async fn whole_helm_releases<T: Item, S>(
        &self,
        query: &Query,
        start: impl Fn() -> S,
        mut take: impl FnMut(&mut S, T),
    ) -> Result<S, ClusterError> {
        self.in_served_version(query, async |list| {
            self.whole(&list, &start, &mut take).await
        })
        .await
    }

    /// A whole list, as [`Cluster::all`] reads it.
    ///
    /// # Errors
    /// As [`Cluster::helm_releases`].
    pub async fn all_helm_releases<T: Item>(&self, query: &Query) -> Result<All<T>, ClusterError> {
        self.in_served_version(query, async |list| self.all(&list).await)
            .await
    }

    async fn in_served_version<R>(
        &self,
        query: &Query,
        mut read: impl AsyncFnMut(ListOf) -> Result<R, ClusterError>,
    ) -> Result<R, ClusterError> {
        let list = |version: &str| ListOf::objects(self.helm_release_list_path(query, version));
        let answer = match read(list(self.known_version())).await {
            Err(error) if self.may_be_older(&error) => {
                let version = self.discover_helm_releases().await?;
                read(list(&version)).await
            }
            other => other,
        };
        if answer.is_ok() {
            self.confirm_version();
        }
        answer
    }

    /// One HelmRelease by name.
    ///
    /// # Errors
    /// As [`Cluster::helm_releases`]; an absent one is a 404. An empty name is refused: its path is the list's.
    pub async fn helm_release<T: DeserializeOwned>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<T, ClusterError> {
        if name.is_empty() {
            return Err(ClusterError::Other(
                "a HelmRelease without a name cannot be asked for".to_owned(),
            ));
        }
        let path = |version: &str| {
            format!(
                "/apis/{GROUP}/{version}/namespaces/{}/{PLURAL}/{}",
                segment(namespace),
                segment(name)
            )
        };
        match self.get(&path(self.known_version())).await {
            Err(error) if self.may_be_older(&error) => {
                let version = self.discover_helm_releases().await?;
                self.get(&path(&version)).await
            }
            other => {
                if other.is_ok() {
                    self.confirm_version();
                }
                other
            }
        }
    }

    /// The HelmReleases of a name: one of a namespace or, of saved files, all of that name (`None`).
    ///
    /// # Errors
    /// As [`Cluster::helm_release`]; none is a 404, or not saved.
    pub async fn helm_releases_named(
        &self,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Vec<Value>, ClusterError> {
        if let Some(namespace) = namespace {
            return Ok(vec![self.helm_release(namespace, name).await?]);
        }
        let all = self.all_helm_releases(&Query::default()).await?;
        let mut all: Vec<Value> = all.into_items();
        all.retain(|o| o.pointer("/metadata/name").and_then(Value::as_str) == Some(name));
        if all.is_empty() {
            let path = format!("/apis/{GROUP}/{}/{PLURAL}/{}", VERSIONS[0], segment(name));
            return Err(ClusterError::NotSaved(Box::new(NotSaved::at(&path))));
        }
        Ok(all)
    }

    /// The same of the list at a path.
    pub(super) fn not_all_of(&self, path: &str) -> Option<Why> {
        let archive = self.archive()?;
        let recorded = archive.has_recorded(path, Accept::Json);
        (!recorded).then(|| Why::NotAsked("only the saved files were read".to_owned()))
    }

    /// Why a list may not be all there are: it is made of what saved files hold. `None` for a list of the API server's own.
    pub fn not_all_saved(&self, query: &Query) -> Option<Why> {
        let archive = self.archive()?;
        let recorded = VERSIONS.iter().any(|version| {
            let path = self.helm_release_list_path(query, version);
            archive.has_recorded(&path, Accept::Json)
        });
        (!recorded).then(|| Why::NotAsked("only the saved files were read".to_owned()))
    }

    /// The path of a list, for a watch.
    pub(super) fn helm_release_list_path(&self, query: &Query, version: &str) -> String {
        let mut path = format!("/apis/{GROUP}/{version}");
        if let Some(namespace) = &query.namespace {
            path.push_str(&format!("/namespaces/{}", segment(namespace)));
        }
        path.push('/');
        path.push_str(PLURAL);
        if !query.selector.is_empty() {
            path.push_str("?labelSelector=");
            path.push_str(&segment(&query.selector));
        }
        path
    }

    /// The version in which HelmReleases are served, or the newest while that is not known.
    pub fn known_version(&self) -> &str {
        self.helm_release_version
            .get()
            .map_or(VERSIONS[0], String::as_str)
    }

    /// The version that the cluster serves and this plugin reads, asked of the cluster.
    ///
    /// # Errors
    /// As [`Cluster::helm_releases`].
    pub async fn served_version(&self) -> Result<String, ClusterError> {
        self.discover_helm_releases().await
    }

    fn confirm_version(&self) {
        let _ = self.helm_release_version.set(VERSIONS[0].to_owned());
    }

    fn may_be_older(&self, error: &ClusterError) -> bool {
        error.is_unserved() && self.helm_release_version.get().is_none()
    }

    /// Asks the cluster which versions it serves: only where the newest is not.
    async fn discover_helm_releases(&self) -> Result<String, ClusterError> {
        let served = self.api_versions(GROUP).await?.ok_or_else(not_installed)?;
        let version = served
            .iter()
            .find(|v| VERSIONS.contains(&v.as_str()))
            .ok_or_else(|| {
                ClusterError::Other(format!(
                    "{GROUP} is served in {}, and of it only {} can be read",
                    crate::text::one_line(&served.join(", ")),
                    VERSIONS.join(", ")
                ))
            })?
            .clone();
        Ok(self.helm_release_version.get_or_init(|| version).clone())
    }
}

/// A cluster that does not know HelmReleases, in the words kubectl uses.
fn not_installed() -> ClusterError {
    ClusterError::Api(Box::new(Status {
        code: 404,
        reason: NOT_INSTALLED.to_owned(),
        message: format!(
            "the server doesn't have a resource type \"{PLURAL}.{GROUP}\": Flux's helm-controller is not installed on this cluster"
        ),
        ..Status::default()
    }))
}

/// Reason of the error that tells that HelmReleases are not served.
const NOT_INSTALLED: &str = "NotInstalled";

/// Whether `error` says that HelmReleases are not served.
pub fn is_not_installed(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Api(s) if s.reason == NOT_INSTALLED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ConnectionArgs;

    #[tokio::test]
    async fn an_empty_name_is_never_asked_for() {
        let args = ConnectionArgs {
            server: Some("http://127.0.0.1:9".to_owned()),
            ..ConnectionArgs::default()
        };
        let cluster = Cluster::connect(&args, false).await.unwrap();
        let got = cluster.helm_release::<serde_json::Value>("flux-system", "");
        assert_eq!(
            got.await,
            Err(ClusterError::Other(
                "a HelmRelease without a name cannot be asked for".to_owned()
            ))
        );
        assert_eq!(cluster.requests(), 0);
    }
}
