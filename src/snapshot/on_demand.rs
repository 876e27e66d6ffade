//! Parts that are read only if a check asks for them. Until then each part is unknown: not asked for. Only who has decided that no check
//! needs a part says that it is not needed.

use super::databases::Databases;
use super::{
    Checked, Events, Listing, Mesh, NetworkPolicies, Nodes, Part, Read, Related, Webhook, part,
};
use crate::model::access_review::AccessReview;
use crate::model::controller_log::Errors;
use crate::model::deployment::Deployment;
use crate::model::job::Job;
use crate::model::kustomization::Kustomization;
use crate::model::ownership::Ownership;
use crate::model::pod::Pod;
use crate::model::service::{EndpointSlice, Service};
use std::sync::Arc;

/// Parts that cost more than they tell of most onboardings.
#[derive(Clone, Debug)]
pub struct OnDemand {
    /// The SubjectAccessReview of the right that Flux's account was refused, with the API server's answer in its status.
    pub rights: Read<AccessReview>,
    /// Flux's controllers.
    pub controllers: Read<Controllers>,
    /// CouchDB's Service, as the creation Job talks to it.
    pub service: Read<CouchService>,
    /// Pods of Flux's controllers, read if one of the controllers is not available or its Deployment is not known.
    pub controller_pods: Read<Listing<ServingPod>>,
    /// CouchDB's pods, read if the creation Job gets no answer or still waits for one.
    pub couch_pods: Read<CouchPods>,
    /// The errors in the log of helm-controller, if the saved files have it.
    pub controller_log: Read<Errors>,
    /// Pods of the target namespace, if Helm waits for objects of the chart, or gave up waiting.
    pub pods: Read<Listing<Pod>>,
    /// The nodes of pods that may not be ready because of their node.
    pub nodes: Read<Nodes>,
    /// The admission webhook that did not answer.
    pub webhook: Read<Webhook>,
    /// What Istio does, if the failure has its marks.
    pub mesh: Read<Mesh>,
    /// The NetworkPolicies that may keep the creation Job from CouchDB.
    pub network_policies: Read<NetworkPolicies>,
    /// The Jobs of the target namespace, if one of a hook failed without its name.
    pub hook_jobs: Read<Listing<Job>>,
    /// The pods of a hook or a test that failed, if the failure names it.
    pub hook_pods: Read<Listing<ServingPod>>,
    /// Events of former HelmReleases of the same name, if the database existed before the creation Job.
    pub former_events: Read<Events>,
    /// What else the failure is about.
    pub related: Read<Related>,
    /// Flux's Kustomizations, if an onboarding is asked for by name. Read once for all snapshots of a run.
    pub kustomizations: Arc<Read<Vec<Kustomization>>>,
    /// What CouchDB says of databases. Asked once for all snapshots of a run.
    pub databases: Arc<Read<Databases>>,
    /// Everything that can say whose a database is. Read once for all snapshots of a run, where a deletion would be offered.
    pub ownership: Arc<Read<Ownership>>,
}

impl Default for OnDemand {
    fn default() -> Self {
        let why = "not asked for";
        Self {
            rights: Read::not_asked(why),
            controllers: Read::not_asked(why),
            service: Read::not_asked(why),
            controller_pods: Read::not_asked(why),
            couch_pods: Read::not_asked(why),
            controller_log: Read::not_asked(why),
            pods: Read::not_asked(why),
            nodes: Read::not_asked(why),
            webhook: Read::not_asked(why),
            mesh: Read::not_asked(why),
            network_policies: Read::not_asked(why),
            hook_jobs: Read::not_asked(why),
            hook_pods: Read::not_asked(why),
            former_events: Read::not_asked(why),
            related: Read::not_asked(why),
            kustomizations: Arc::new(Read::not_asked(why)),
            databases: Arc::new(Read::not_asked("CouchDB was not asked")),
            ownership: Arc::new(Read::not_asked("a report does not read all of it")),
        }
    }
}

/// The Deployments of Flux's controllers in the namespace where they are expected.
#[derive(Clone, Debug)]
pub struct Controllers {
    pub namespace: String,
    /// Empty where Flux does not run as Deployments of this namespace.
    pub deployments: Vec<Deployment>,
}

impl Controllers {
    /// The Deployments of one of them, which may be sharded.
    pub fn of(&self, controller: &str) -> impl Iterator<Item = &Deployment> + Clone {
        let all = self.deployments.iter();
        all.filter(move |d| d.image().contains(controller))
    }
}

/// A pod that is to take requests, or to do work, with why it does not.
#[derive(Clone, Debug)]
pub struct ServingPod {
    pub pod: Pod,
    /// Its events, read if it is not ready.
    pub events: Part<Events>,
    /// The end of the log of the container that ended badly.
    pub log: Part<LogEnd>,
}

impl ServingPod {
    /// Its events.
    pub fn events(&self) -> Checked<Option<&Events>> {
        self.events
            .checked(&part::events_of_pod(&self.pod.meta.name))
    }

    /// The end of the log of the container that ended badly.
    pub fn log(&self) -> Checked<Option<&LogEnd>> {
        self.log.checked(&part::log_of_pod(&self.pod.meta.name))
    }
}

/// The last lines of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEnd {
    pub container: String,
    pub text: String,
}

/// CouchDB's pods.
#[derive(Clone, Debug)]
pub struct CouchPods {
    /// They are behind the Service that the creation Job asks. If it is not known, they are those of CouchDB's namespace.
    pub of_service: bool,
    pub namespace: String,
    pub pods: Listing<ServingPod>,
}

/// The Service by which CouchDB is reached.
#[derive(Clone, Debug)]
pub struct CouchService {
    pub namespace: String,
    pub name: String,
    /// The port that is asked for, where it is known.
    pub port: Option<u16>,
    /// What names it: `log of the creation Job`, `values.couchdb`.
    pub named_by: String,
    pub service: Part<Service>,
    pub slices: Part<Listing<EndpointSlice>>,
}

impl CouchService {
    /// The Service itself.
    pub fn service(&self) -> Checked<Option<&Service>> {
        self.service.checked(part::COUCH_SERVICE)
    }

    /// Its endpoints.
    pub fn slices(&self) -> Checked<Option<&Listing<EndpointSlice>>> {
        self.slices.checked(part::COUCH_SLICES)
    }

    /// An endpoint is ready, or one that was not read may be.
    pub fn may_have_ready_endpoint(&self) -> bool {
        let slices = match self.slices() {
            Ok(Some(slices)) if slices.not_all().is_some() => return true,
            Ok(Some(slices)) => slices.known(),
            Ok(None) => return false,
            Err(_) => return true,
        };
        let mut endpoints = slices.iter().flat_map(|slice| &slice.endpoints.known);
        endpoints.any(|endpoint| endpoint.is_ready() != Some(false))
            || slices.iter().any(|slice| !slice.endpoints.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Why;

    #[test]
    fn nothing_is_left_out_as_not_needed_unless_someone_says_so() {
        let OnDemand {
            rights,
            controllers,
            service,
            controller_pods,
            couch_pods,
            controller_log,
            pods,
            nodes,
            webhook,
            mesh,
            network_policies,
            hook_jobs,
            hook_pods,
            former_events,
            related,
            kustomizations,
            databases,
            ownership,
        } = OnDemand::default();
        for why in [
            rights.unknown(),
            controllers.unknown(),
            service.unknown(),
            controller_pods.unknown(),
            couch_pods.unknown(),
            controller_log.unknown(),
            pods.unknown(),
            nodes.unknown(),
            webhook.unknown(),
            mesh.unknown(),
            network_policies.unknown(),
            hook_jobs.unknown(),
            hook_pods.unknown(),
            former_events.unknown(),
            related.unknown(),
            kustomizations.unknown(),
            databases.unknown(),
            ownership.unknown(),
        ] {
            assert!(matches!(why, Some(Why::NotAsked(_))), "{why:?}");
        }
    }
}
