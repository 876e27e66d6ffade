//! What a failure is about beyond the objects that every onboarding has. Read only where the failure names it; each list is empty, and
//! each object not needed, where it does not.

use super::{Checked, Events, Listing, Part, part};
use crate::model::api_service::ApiService;
use crate::model::claim::{Claim, StorageClass};
use crate::model::placement::Volume;
use crate::model::pod::Pod;
use crate::model::service::Service;
use crate::model::stateful_set::StatefulSet;

/// Objects that a failure leads to.
#[derive(Clone, Debug)]
pub struct Related {
    /// Who answers for the APIs that keep the target namespace from being gone, by the name of the APIService.
    pub apis: Vec<(String, Part<ApiService>)>,
    /// The volumes of pods that no node fits because of their volumes.
    pub volumes: Vec<Claimed>,
    /// The claims for which Helm waits, and those because of which no node takes a pod.
    pub claims: Vec<WaitedClaim>,
    /// The StorageClasses, if a claim of such a pod names none.
    pub classes: Part<Listing<StorageClass>>,
    /// PersistentVolumes whose claim is gone, if such a pod lacks a volume that nothing makes.
    pub released: Part<Listing<Volume>>,
    /// The StatefulSets of pods that do not serve.
    pub sets: Vec<OwnerSet>,
    /// The Service that the API server refuses to change.
    pub service: Part<Service>,
    /// Pods that look like CouchDB's, where its Service is not known to select any.
    pub couchdb: Part<Listing<Pod>>,
}

impl Related {
    /// The Service that the API server refuses to change.
    pub fn service(&self) -> Checked<Option<&Service>> {
        self.service.checked(part::REFUSED_SERVICE)
    }

    /// Pods that look like CouchDB's.
    pub fn couchdb(&self) -> Checked<Option<&Listing<Pod>>> {
        self.couchdb.checked(part::LIKE_COUCHDB)
    }

    /// The StorageClasses.
    pub fn classes(&self) -> Checked<Option<&Listing<StorageClass>>> {
        self.classes.checked(part::CLASSES)
    }

    /// PersistentVolumes whose claim is gone.
    pub fn released(&self) -> Checked<Option<&Listing<Volume>>> {
        self.released.checked(part::RELEASED)
    }

    /// Who answers for the APIs that keep the target namespace from being gone, by the name of the APIService.
    pub fn apis(&self) -> impl Iterator<Item = (&str, Checked<Option<&ApiService>>)> {
        let all = self.apis.iter();
        all.map(|(name, api)| (name.as_str(), api.checked(&part::api(name))))
    }
}

/// A claim of a pod, with its volume.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// `namespace/name` of the pod.
    pub pod: String,
    pub namespace: String,
    pub claim: String,
    pub volume: Part<Volume>,
}

impl Claimed {
    /// The volume; `None` where it or the claim is absent.
    pub fn volume(&self) -> Checked<Option<&Volume>> {
        self.volume.checked(&part::volume(&self.claim))
    }
}

/// A StatefulSet that made a pod.
#[derive(Clone, Debug)]
pub struct OwnerSet {
    pub namespace: String,
    pub name: String,
    pub set: Part<StatefulSet>,
}

impl OwnerSet {
    /// The StatefulSet.
    pub fn set(&self) -> Checked<Option<&StatefulSet>> {
        self.set
            .checked(&part::stateful_set(&self.namespace, &self.name))
    }
}

/// A claim for which Helm waits, or because of which no node takes a pod, with what says why it has no volume or loses it.
#[derive(Clone, Debug)]
pub struct WaitedClaim {
    pub namespace: String,
    pub name: String,
    pub claim: Part<Claim>,
    /// Read if it has no volume.
    pub events: Part<Events>,
    /// Read if it has no volume.
    pub class: Part<StorageClass>,
    /// Read if the claim is being deleted and has one.
    pub volume: Part<Volume>,
}

impl WaitedClaim {
    pub fn claim(&self) -> Checked<Option<&Claim>> {
        self.claim.checked(&part::claim(&self.name))
    }

    pub fn events(&self) -> Checked<Option<&Events>> {
        self.events.checked(&part::events_of_claim(&self.name))
    }

    pub fn class(&self) -> Checked<Option<&StorageClass>> {
        self.class.checked(&part::class_of_claim(&self.name))
    }

    pub fn volume(&self) -> Checked<Option<&Volume>> {
        self.volume.checked(&part::volume(&self.name))
    }
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
            service: super::Read::not_needed(why).into(),
            classes: super::Read::not_needed(why).into(),
            released: super::Read::not_needed(why).into(),
            sets: Vec::new(),
            couchdb: super::Read::not_needed(why).into(),
        }
    }
}
