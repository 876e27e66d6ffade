//! What an onboarding runs on and is checked by: nodes, admission webhooks, the mesh. Read only where a failure is about them.

use super::{Events, Listing, Read, ServingPod};
use crate::model::event::Event;
use crate::model::istio::mutual_tls::PeerAuthentication;
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
