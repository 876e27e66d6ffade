//! What an onboarding runs on and is checked by: nodes, admission webhooks, the mesh. Read only where a failure is about them.

use super::{Events, Listing, Read, ServingPod};
use crate::model::event::Event;
use crate::model::field::Meta;
use crate::model::istio::mutual_tls::PeerAuthentication;
use crate::model::namespace::Namespace;
use crate::model::network_policy::NetworkPolicy;
use crate::model::node::Node;
use crate::model::pod::Pod;
use crate::model::volume_attachment::VolumeAttachment;
use crate::model::webhook_configuration::WebhookConfiguration;

/// The nodes of pods that may not be ready because of their node.
#[derive(Clone, Debug)]
pub struct Nodes {
    /// By name.
    pub nodes: Vec<(String, Read<Node>)>,
    /// The events of nodes on which a container of the creation Job was killed, by the nodes' names.
    pub events: Vec<(String, Read<Events>)>,
    /// Where the volumes are attached that an event says are attached elsewhere.
    pub attachments: Read<Listing<VolumeAttachment>>,
}

impl Nodes {
    /// The node of that name; `None` where nothing asked for it.
    pub fn of(&self, name: &str) -> Option<&Read<Node>> {
        let mut all = self.nodes.iter();
        all.find(|(own, _)| own == name).map(|(_, node)| node)
    }

    /// The events of the node of that name; `None` where nothing asked for them.
    pub fn events_of(&self, name: &str) -> Option<&Read<Events>> {
        let mut all = self.events.iter();
        all.find(|(own, _)| own == name).map(|(_, events)| events)
    }
}

/// The admission webhook that did not answer.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Those of the cluster, validating and mutating.
    pub configurations: Read<Listing<WebhookConfiguration>>,
    /// Its pods.
    pub pods: Read<Listing<ServingPod>>,
    /// Refusals of pods in the namespace of its Service, where no pod was seen behind it.
    pub refusals: Read<Listing<Event>>,
    /// The Service selects them. If it is not known, their names suggest that they belong to a Deployment of the Service's name.
    pub of_service: bool,
}

/// What Istio does to the pods.
#[derive(Clone, Debug)]
pub struct Mesh {
    /// What puts sidecars into pods.
    pub injectors: Read<Listing<WebhookConfiguration>>,
    /// Which pods take only mutual TLS.
    pub peers: Read<Listing<PeerAuthentication>>,
    /// The pods of Istio's CNI plugin.
    pub cni: Read<Listing<ServingPod>>,
    /// The pods of source-controller.
    pub source_controller: Read<Listing<Pod>>,
}

/// The NetworkPolicies that may keep the creation Job from CouchDB, or CouchDB's members from each other.
#[derive(Clone, Debug)]
pub struct NetworkPolicies {
    /// Those of the Job's namespace, if the Job had no connection.
    pub of_job: Read<Listing<NetworkPolicy>>,
    /// Those of CouchDB's namespace, if the Job had no connection though it knew the address, or if pods of CouchDB run and are not ready.
    pub of_couchdb: Read<Listing<NetworkPolicy>>,
    /// The namespaces of DNS and CouchDB by name, if a rule asks for their labels.
    pub namespaces: Vec<(String, Read<Namespace>)>,
}

impl NetworkPolicies {
    /// What a namespace says of itself, where it was read.
    pub fn namespace(&self, name: &str) -> Option<&Meta> {
        let mut all = self.namespaces.iter();
        let (_, found) = all.find(|(own, _)| own == name)?;
        match found {
            Read::Seen(namespace) => Some(&namespace.meta),
            Read::Absent | Read::Unknown(_) => None,
        }
    }
}
