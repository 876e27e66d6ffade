//! The parts of a snapshot in words, as in "not run: the chart (…)".

use crate::model::helm_release::HelmRelease;

pub const CHART: &str = "the chart";
pub const SOURCE: &str = "the chart's source";
pub const CREATION_JOB: &str = "the creation Job";
pub const JOB_PODS: &str = "the pods of the creation Job";
pub const JOB_EVENTS: &str = "the events of the creation Job";
/// The Job that the chart names after the database, where the onboarding has another one.
pub const OTHER_JOB: &str = "the Job named after the database";
pub const EVENTS: &str = "the HelmRelease's events";
pub const POLICY: &str = "the AuthorizationPolicy";
pub const CONTROLLERS: &str = "Flux's controllers";
pub const CONTROLLER_PODS: &str = "the pods of Flux's controllers";
/// What helm-controller's saved log says of the onboarding.
pub const CONTROLLER_LOG: &str = "the log of helm-controller";
pub const TARGET_PODS: &str = "the pods of the target namespace";
pub const COUCH_PODS: &str = "CouchDB's pods";
pub const COUCH_SERVICE: &str = "CouchDB's Service";
pub const COUCH_SLICES: &str = "the EndpointSlices of CouchDB's Service";
/// Pods that its Service may not select.
pub const LIKE_COUCHDB: &str = "pods that look like CouchDB's";
pub const NODES: &str = "the nodes of its pods";
/// Where volumes are attached.
pub const ATTACHMENTS: &str = "the VolumeAttachments";
pub const WEBHOOK: &str = "the admission webhook";
pub const WEBHOOK_CONFIGURATIONS: &str = "the webhook configurations";
pub const WEBHOOK_PODS: &str = "the pods of the webhook";
/// Events of pods that could not be created in the webhook's namespace.
pub const WEBHOOK_REFUSALS: &str = "refusals of the webhook's own pods";
pub const MESH: &str = "the mesh";
pub const INJECTORS: &str = "the injectors of Istio";
pub const PEERS: &str = "the PeerAuthentications";
pub const CNI: &str = "the pods of Istio's CNI plugin";
pub const SOURCE_CONTROLLER: &str = "the pods of source-controller";
pub const NETWORK_POLICIES: &str = "the NetworkPolicies";
pub const JOB_POLICIES: &str = "the NetworkPolicies of the creation Job's namespace";
pub const COUCH_POLICIES: &str = "the NetworkPolicies of CouchDB's namespace";
pub const HOOK_JOBS: &str = "the Jobs of the target namespace";
pub const HOOK_PODS: &str = "the pods of the hook or test";
pub const RELATED: &str = "what else the failure is about";
/// The one that the API server refuses to change.
pub const REFUSED_SERVICE: &str = "the Service that is not changed";
/// Which of them is the default one.
pub const CLASSES: &str = "the StorageClasses";
/// Those whose claim is gone.
pub const RELEASED: &str = "the Released PersistentVolumes";
/// The Kustomization that applies the HelmRelease's manifest.
pub const KUSTOMIZATION: &str = "the Kustomization that applies the manifest";
/// Claims of the onboardings that a run asks for.
pub const OTHERS: &str = "the databases of other onboardings";
/// Claims that were not read because their namespaces were not.
pub const ELSEWHERE: &str = "databases claimed by onboardings in other namespaces";
/// Everything that can say whose a database is.
pub const OWNERSHIP: &str = "everything that can claim the database";

/// The Namespace that the release installs into.
pub fn target_namespace(hr: &HelmRelease) -> String {
    namespace(hr.release_namespace())
}

/// The ServiceAccount that Flux acts as.
pub fn service_account(hr: &HelmRelease) -> String {
    match hr.spec.service_account_name.as_deref() {
        None | Some("") => "the ServiceAccount".to_owned(),
        Some(name) => format!("ServiceAccount {}/{name}", hr.metadata.namespace),
    }
}

/// The events of a Job that is gone.
pub fn events_of_job(name: &str) -> String {
    format!("the events of Job {name}")
}

/// The end of the log of a container.
pub fn log(container: &str) -> String {
    format!("the log of container {container}")
}

/// What `spec.dependsOn` names.
pub fn dependency(id: &str) -> String {
    format!("HelmRelease {id}")
}

/// A node of a pod.
pub fn node(name: &str) -> String {
    format!("node {name}")
}

/// The events of a node.
pub fn events_of_node(name: &str) -> String {
    format!("the events of node {name}")
}

/// A namespace whose labels a NetworkPolicy asks for.
pub fn namespace(name: &str) -> String {
    format!("the namespace {name}")
}

/// Who answers for an API.
pub fn api(name: &str) -> String {
    format!("APIService {name}")
}

/// The StatefulSet of a pod.
pub fn stateful_set(namespace: &str, name: &str) -> String {
    format!("StatefulSet {namespace}/{name}")
}

/// The volume of a claim.
pub fn volume(claim: &str) -> String {
    format!("the volume of claim {claim}")
}

/// A claim for which Helm waits.
pub fn claim(name: &str) -> String {
    format!("claim {name}")
}

/// The events of a claim.
pub fn events_of_claim(name: &str) -> String {
    format!("the events of claim {name}")
}

/// The StorageClass of a claim.
pub fn class_of_claim(name: &str) -> String {
    format!("the StorageClass of claim {name}")
}

/// The events of a pod.
pub fn events_of_pod(name: &str) -> String {
    format!("the events of pod {name}")
}

/// The end of the log of a pod's container.
pub fn log_of_pod(name: &str) -> String {
    format!("the log of pod {name}")
}

/// The API server's answer about a right of this account.
pub fn rights(account: &str) -> String {
    format!("rights of {account}")
}
