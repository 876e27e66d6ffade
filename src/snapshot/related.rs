//! What a failure is about beyond the objects that every onboarding has. Read only where the failure names it; each list is empty, and
//! each object not needed, where it does not.

use super::{Events, Listing, Read};
use crate::model::api_service::ApiService;
use crate::model::claim::{Claim, StorageClass};
use crate::model::placement::Volume;
use crate::model::pod::Pod;
use crate::model::service::Service;

/// Objects that a failure leads to.
#[derive(Clone, Debug)]
pub struct Related {
    /// Who answers for the APIs that keep the target namespace from being gone, by the name of the APIService.
    pub apis: Vec<(String, Read<ApiService>)>,
    /// The volumes of pods that no node fits because of their volumes.
    pub volumes: Vec<Claimed>,
    /// The claims for which Helm waits.
    pub claims: Vec<WaitedClaim>,
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

/// A claim for which Helm waits, with what says why it has no volume.
#[derive(Clone, Debug)]
pub struct WaitedClaim {
    pub namespace: String,
    pub name: String,
    pub claim: Read<Claim>,
    /// Read if it has no volume.
    pub events: Read<Events>,
    /// Read if it has no volume.
    pub class: Read<StorageClass>,
}

#[cfg(test)]
impl Related {
    /// Nothing that a failure leads to.
    pub(crate) fn none() -> Self {
        let why = "a test does not need it";
        Self {
            apis: Vec::new(),
            volumes: Vec::new(),
            claims: Vec::new(),
            service: Read::not_needed(why),
            couchdb: Read::not_needed(why),
        }
    }
}
