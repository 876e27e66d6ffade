//! Flux's Kustomizations: what applies the manifests of the GitOps repository.

use super::{Cluster, ListOf, segment};
use crate::model::kustomization::Kustomization;
use crate::snapshot::Read;
use serde_json::Value;

/// API group of Kustomizations.
pub const GROUP: &str = "kustomize.toolkit.fluxcd.io";

impl Cluster {
    /// The Kustomizations of all namespaces, parsed.
    pub async fn read_kustomizations(&self) -> Read<Vec<Kustomization>> {
        match self.kustomizations().await {
            Ok(all) => Read::Seen(all.iter().map(Kustomization::from_value).collect()),
            Err(why) if self.archive().is_some() => Read::not_asked(why),
            Err(why) => Read::failed(why),
        }
    }

    /// The Kustomizations of all namespaces; none where Flux does not have the kind.
    ///
    /// # Errors
    /// Why they could not be read, as a clause.
    pub async fn kustomizations(&self) -> Result<Vec<Value>, String> {
        let versions = match self.archive() {
            // Saved objects say their version themselves; no discovery was saved.
            Some(_) => Some(vec!["v1".to_owned()]),
            None => {
                let versions = self.api_versions(GROUP).await;
                versions.map_err(|error| error.clause())?
            }
        };
        for version in versions.unwrap_or_default() {
            let path = format!("/apis/{GROUP}/{}/kustomizations", segment(&version));
            match self.all::<Value>(&ListOf::objects(path)).await {
                Ok(all) => return Ok(all.into_items()),
                // Another version may serve them.
                Err(error) if error.is_unserved() => {}
                Err(error) => return Err(error.clause()),
            }
        }
        Ok(Vec::new())
    }
}
