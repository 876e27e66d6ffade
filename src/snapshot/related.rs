//! What a failure is about beyond the objects that every onboarding has. Read only where the failure names it; each list is empty, and
//! each object not needed, where it does not.

use super::{Listing, Read};
use crate::model::api_service::ApiService;
use crate::model::placement::{Place, Volume};
use crate::model::pod::Pod;
use crate::model::service::Service;

/// Objects that a failure leads to.
#[derive(Clone, Debug)]
pub struct Related {
    /// Who answers for the APIs that keep the target namespace from being gone, by the name of the APIService.
    pub apis: Vec<(String, Read<ApiService>)>,
    /// The nodes that rejected a pod of the creation Job for their labels, by name.
    pub nodes: Vec<(String, Read<Place>)>,
    /// The volumes of pods that no node fits because of their volumes.
    pub volumes: Vec<Claimed>,
    /// The Service that the API server refuses to change.
    pub service: Read<Service>,
    /// Pods that look like CouchDB's, where its Service is not known to select any.
    pub couchdb: Read<Listing<Pod>>,
}

/// A claim of a pod, with its volume.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// `namespace/name` of the pod.
    pub pod: String,
    pub namespace: String,
    pub claim: String,
    pub volume: Read<Volume>,
}

impl Related {
    /// The node of that name; `None` where nothing asked for it.
    pub fn node(&self, name: &str) -> Option<&Read<Place>> {
        let mut all = self.nodes.iter();
        all.find(|(own, _)| own == name).map(|(_, node)| node)
    }
}
