//! What an onboarding runs on and is checked by: nodes, admission webhooks, the mesh. Read only where a failure is about them.

use super::{Checked, Events, Listing, Part, ServingPod, Unread, Why, part};
use crate::model::event::Event;
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
    pub nodes: Vec<(String, Part<Node>)>,
    /// The events of nodes on which a container of the creation Job was killed, by the nodes' names.
    pub events: Vec<(String, Part<Events>)>,
    /// Where the volumes are attached that an event says are attached elsewhere.
    pub attachments: Part<Listing<VolumeAttachment>>,
}

impl Nodes {
    /// The node of that name; not needed where nothing asked for it.
    pub fn of(&self, name: &str) -> Checked<Option<&Node>> {
        named(&self.nodes, name, &part::node(name))
    }

    /// The events of the node of that name; not needed where nothing asked for them.
    pub fn events_of(&self, name: &str) -> Checked<Option<&Events>> {
        named(&self.events, name, &part::events_of_node(name))
    }

    /// Where the volumes are attached that an event says are attached elsewhere.
    pub fn attachments(&self) -> Checked<Option<&Listing<VolumeAttachment>>> {
        self.attachments.checked(part::ATTACHMENTS)
    }
}

/// The part of that name; not needed where nothing asked for it.
fn named<'a, T>(all: &'a [(String, Part<T>)], name: &str, what: &str) -> Checked<Option<&'a T>> {
    let not_needed = || Why::NotNeeded("nothing asks for it".to_owned());
    match all.iter().find(|(own, _)| own == name) {
        Some((_, part)) => part.checked(what),
        None => Err(Unread::new(what, not_needed())),
    }
}

/// The admission webhook that did not answer.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Those of the cluster, validating and mutating.
    pub configurations: Part<Listing<WebhookConfiguration>>,
    /// Its pods.
    pub pods: Part<Listing<ServingPod>>,
    /// Refusals of pods in the namespace of its Service, where no pod was seen behind it.
    pub refusals: Part<Listing<Event>>,
    /// The Service selects them. If it is not known, their names suggest that they belong to a Deployment of the Service's name.
    pub of_service: bool,
}

impl Webhook {
    /// Those of the cluster, validating and mutating.
    pub fn configurations(&self) -> Checked<Option<&Listing<WebhookConfiguration>>> {
        self.configurations.checked(part::WEBHOOK_CONFIGURATIONS)
    }

    /// Its pods.
    pub fn pods(&self) -> Checked<Option<&Listing<ServingPod>>> {
        self.pods.checked(part::WEBHOOK_PODS)
    }

    /// Refusals of pods in the namespace of its Service.
    pub fn refusals(&self) -> Checked<Option<&Listing<Event>>> {
        self.refusals.checked(part::WEBHOOK_REFUSALS)
    }
}

/// What Istio does to the pods.
#[derive(Clone, Debug)]
pub struct Mesh {
    /// What puts sidecars into pods.
    pub injectors: Part<Listing<WebhookConfiguration>>,
    /// Which pods take only mutual TLS.
    pub peers: Part<Listing<PeerAuthentication>>,
    /// The pods of Istio's CNI plugin.
    pub cni: Part<Listing<ServingPod>>,
    /// The pods of source-controller.
    pub source_controller: Part<Listing<Pod>>,
}

impl Mesh {
    /// What puts sidecars into pods.
    pub fn injectors(&self) -> Checked<Option<&Listing<WebhookConfiguration>>> {
        self.injectors.checked(part::INJECTORS)
    }

    /// Which pods take only mutual TLS.
    pub fn peers(&self) -> Checked<Option<&Listing<PeerAuthentication>>> {
        self.peers.checked(part::PEERS)
    }

    /// The pods of Istio's CNI plugin.
    pub fn cni(&self) -> Checked<Option<&Listing<ServingPod>>> {
        self.cni.checked(part::CNI)
    }

    /// The pods of source-controller.
    pub fn source_controller(&self) -> Checked<Option<&Listing<Pod>>> {
        self.source_controller.checked(part::SOURCE_CONTROLLER)
    }
}

/// The NetworkPolicies that may keep the creation Job from CouchDB, or CouchDB's members from each other.
#[derive(Clone, Debug)]
pub struct NetworkPolicies {
    /// Those of the Job's namespace, if the Job had no connection.
    pub of_job: Part<Listing<NetworkPolicy>>,
    /// Those of CouchDB's namespace, if the Job had no connection though it knew the address, or if pods of CouchDB run and are not ready.
    pub of_couchdb: Part<Listing<NetworkPolicy>>,
    /// The namespaces of DNS and CouchDB by name, if a rule asks for their labels.
    pub namespaces: Vec<(String, Part<Namespace>)>,
}

impl NetworkPolicies {
    /// Those of the Job's namespace.
    pub fn of_job(&self) -> Checked<Option<&Listing<NetworkPolicy>>> {
        self.of_job.checked(part::JOB_POLICIES)
    }

    /// Those of CouchDB's namespace.
    pub fn of_couchdb(&self) -> Checked<Option<&Listing<NetworkPolicy>>> {
        self.of_couchdb.checked(part::COUCH_POLICIES)
    }

    /// The namespace of that name; not needed where no rule asks for its labels.
    pub fn namespace(&self, name: &str) -> Checked<Option<&Namespace>> {
        named(&self.namespaces, name, &part::namespace(name))
    }
}
