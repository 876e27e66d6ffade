//! The parts of a snapshot in words, as in "not run: the chart (…)".

use crate::model::helm_release::HelmRelease;

pub const CHART: &str = "the chart";
pub const SOURCE: &str = "the chart's source";
pub const CREATION_JOB: &str = "the creation Job";
pub const JOB_PODS: &str = "the pods of the creation Job";
pub const JOB_EVENTS: &str = "the events of the creation Job";
pub const EVENTS: &str = "the HelmRelease's events";
pub const POLICY: &str = "the AuthorizationPolicy";
pub const CONTROLLERS: &str = "Flux's controllers";
pub const CONTROLLER_PODS: &str = "the pods of Flux's controllers";
/// What helm-controller's saved log says of the onboarding.
pub const CONTROLLER_LOG: &str = "the log of helm-controller";
pub const TARGET_PODS: &str = "the pods of the target namespace";
pub const COUCH_PODS: &str = "CouchDB's pods";
pub const NODES: &str = "the nodes of its pods";
pub const WEBHOOK: &str = "the admission webhook";
pub const MESH: &str = "the mesh";
pub const NETWORK_POLICIES: &str = "the NetworkPolicies";
pub const HOOK_JOBS: &str = "the Jobs of the target namespace";
pub const HOOK_PODS: &str = "the pods of the hook or test";
pub const RELATED: &str = "what else the failure is about";
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
    format!("the namespace {}", hr.release_namespace())
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

/// The API server's answer about a right of this account.
pub fn rights(account: &str) -> String {
    format!("rights of {account}")
}
