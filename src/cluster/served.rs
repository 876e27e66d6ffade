//! Lists of kinds that may not be installed, in whatever version is served.

use super::{Cluster, ClusterError, Item, ListOf, segment};

impl Cluster {
    /// Folds the list of a kind over all namespaces, as [`Cluster::whole`] does; `None` where the API server does not serve the kind.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn whole_if_served<T: Item, S>(
        &self,
        group: &str,
        plural: &str,
        start: impl Fn() -> S,
        mut take: impl FnMut(&mut S, T),
    ) -> Result<Option<S>, ClusterError> {
        let Some(versions) = self.api_versions(group).await? else {
            return Ok(None);
        };
        for version in versions {
            let list = ListOf::objects(format!("/apis/{group}/{}/{plural}", segment(&version)));
            match self.whole(&list, &start, &mut take).await {
                Ok(all) => return Ok(Some(all)),
                // Another version may serve them, if discovery agrees that this one does not.
                Err(error) if error.is_unserved() => {
                    let served = self.api_resources(&format!("{group}/{version}")).await?;
                    if served.iter().any(|resource| resource.name == plural) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
