//! The parts of a snapshot, each under its name in words: what was read, `None` where it is seen to be absent, and `Err` where it was not
//! read. Nothing else gives access to them, so what is unknown is never taken for none.

use super::databases::Databases;
use super::{
    Checked, Controllers, CouchPods, CouchService, CreationJob, Dependency, Events, Listing,
    LostJob, Mesh, NetworkPolicies, Nodes, OnDemand, Parts, Read, Related, ServingPod, Snapshot,
    Unread, Webhook, Why, part,
};
use crate::advice::Origin;
use crate::model::access_review::AccessReview;
use crate::model::controller_log::Errors;
use crate::model::event::Event;
use crate::model::field::Meta;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{Release, Revision};
use crate::model::job::Job;
use crate::model::kustomization::Kustomization;
use crate::model::namespace::Namespace;
use crate::model::ownership::Ownership;
use crate::model::pod::Pod;
use crate::model::policy::Policy;
use crate::model::source::Source;
use serde_json::Value;
use std::sync::Arc;

impl Snapshot {
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// The same with what checks ask for beyond it.
    pub fn with_on_demand(mut self, on_demand: OnDemand) -> Self {
        self.parts.on_demand = on_demand;
        self
    }

    /// Adds what is asked once for all snapshots of a run.
    pub fn share(
        &mut self,
        databases: Arc<Read<Databases>>,
        kustomizations: Arc<Read<Vec<Kustomization>>>,
    ) {
        self.parts.on_demand.databases = databases;
        self.parts.on_demand.kustomizations = kustomizations;
    }

    /// Adds everything that can say whose a database is.
    pub fn share_ownership(&mut self, ownership: Arc<Read<Ownership>>) {
        self.parts.on_demand.ownership = ownership;
    }

    /// The HelmRelease: as the server sent it, and typed.
    pub fn into_object(self) -> (Value, HelmRelease) {
        (self.parts.object, self.parts.helm_release)
    }

    /// The cluster that it was read of.
    pub fn origin(&self) -> &Origin {
        &self.parts.origin
    }

    /// The HelmRelease as the server sent it.
    pub fn object(&self) -> &Value {
        &self.parts.object
    }

    /// The same, typed.
    pub fn helm_release(&self) -> &HelmRelease {
        &self.parts.helm_release
    }

    /// The HelmChart, or what `spec.chartRef` names.
    pub fn chart(&self) -> Checked<Option<&Source>> {
        self.parts.chart.checked(part::CHART)
    }

    /// The chart's source.
    pub fn source(&self) -> Checked<Option<&Source>> {
        self.parts.source.checked(part::SOURCE)
    }

    /// Helm's revisions, newest first.
    pub fn revisions(&self) -> Checked<Option<&Vec<Revision>>> {
        self.parts.revisions.checked("Helm's revisions")
    }

    /// The newest revision.
    pub fn release(&self) -> Checked<Option<&Release>> {
        self.parts.release.checked("Helm's release")
    }

    /// What the newest revision that was read lacks, where it cannot be decoded.
    ///
    /// # Errors
    /// It was not read for another reason.
    pub fn undecodable_release(&self) -> Checked<Option<&str>> {
        match &self.parts.release {
            Read::Unknown(Why::Broken(broken)) => Ok(Some(broken)),
            _ => self.release().map(|_| None),
        }
    }

    /// The oldest revision, where it is not the newest.
    pub fn first_release(&self) -> Checked<Option<&Release>> {
        let first = &self.parts.first_release;
        first.checked("the first revision of Helm's release")
    }

    /// `namespace/name` of the Secret that the newest revision was read from, or was looked for in.
    pub fn release_secret(&self) -> Option<&str> {
        self.parts.release_secret.as_deref()
    }

    /// The Job that creates the database, and what it made.
    pub fn creation_job(&self) -> Checked<Option<&CreationJob>> {
        self.parts.creation_job.checked(part::CREATION_JOB)
    }

    /// Which Job it was, where it is absent.
    pub fn lost_job(&self) -> Option<&LostJob> {
        self.parts.lost_job.as_ref()
    }

    /// The events of the Job that Helm waited for and that was gone.
    pub fn events_of_gone_job(&self, name: &str) -> Checked<Option<&Events>> {
        let lost = self.parts.gone_job.as_ref();
        match lost.filter(|lost| lost.name == name) {
            Some(lost) => lost.events(),
            None => Err(Unread::new(
                part::events_of_job(name),
                Why::NotAsked("they were not asked for".to_owned()),
            )),
        }
    }

    /// Events of the HelmRelease.
    pub fn events(&self) -> Checked<Option<&Events>> {
        self.parts.events.checked(part::EVENTS)
    }

    /// The newest event of the HelmRelease that `is` takes; `None` where none does.
    ///
    /// # Errors
    /// None of those that were read does, and not all were.
    pub fn newest_event(&self, is: impl Fn(&Event) -> bool) -> Checked<Option<&Event>> {
        let Some(events) = self.events()? else {
            return Ok(None);
        };
        newest(events, is)
    }

    /// The newest event of a former HelmRelease of the same name that `is` takes; `None` where none does.
    ///
    /// # Errors
    /// None of those that were read does, and not all were.
    pub fn newest_former_event(&self, is: impl Fn(&Event) -> bool) -> Checked<Option<&Event>> {
        match self.parts.on_demand.former_events.checked(part::EVENTS)? {
            Some(events) => newest(events, is),
            None => Ok(None),
        }
    }

    /// The Namespace that the release installs into.
    pub fn target_namespace(&self) -> Checked<Option<&Namespace>> {
        let what = part::target_namespace(self.helm_release());
        self.parts.target_namespace.checked(&what)
    }

    /// The ServiceAccount that Flux acts as.
    pub fn service_account(&self) -> Checked<Option<&Meta>> {
        let what = part::service_account(self.helm_release());
        self.parts.service_account.checked(&what)
    }

    /// The AuthorizationPolicy that lets the service accounts in.
    pub fn policy(&self) -> Checked<Option<&Policy>> {
        self.parts.policy.checked(part::POLICY)
    }

    /// What `spec.dependsOn` names, in its order.
    pub fn dependencies(&self) -> &[Dependency] {
        &self.parts.dependencies
    }

    /// The onboardings that were read, this one among them: of all namespaces, unless [`Snapshot::elsewhere`] is an error.
    pub fn others(&self) -> Checked<Option<&Vec<HelmRelease>>> {
        self.parts.others.checked(part::OTHERS)
    }

    /// Whether the onboardings of the other namespaces are among those that were read.
    pub fn elsewhere(&self) -> Checked<()> {
        match &self.parts.not_elsewhere {
            Some(why) => Err(Unread::new(part::ELSEWHERE, why.clone())),
            None => Ok(()),
        }
    }

    /// The API server's answer about the right that the failure says this account lacks.
    pub fn rights(&self, account: &str) -> Checked<Option<&AccessReview>> {
        let rights = &self.parts.on_demand.rights;
        rights.checked(&part::rights(account))
    }

    /// Flux's controllers.
    pub fn controllers(&self) -> Checked<Option<&Controllers>> {
        let controllers = &self.parts.on_demand.controllers;
        controllers.checked(part::CONTROLLERS)
    }

    /// The pods of Flux's controllers.
    pub fn controller_pods(&self) -> Checked<Option<&Listing<ServingPod>>> {
        let pods = &self.parts.on_demand.controller_pods;
        pods.checked(part::CONTROLLER_PODS)
    }

    /// Flux's Kustomizations.
    pub fn kustomizations(&self) -> Checked<Option<&Vec<Kustomization>>> {
        self.parts
            .on_demand
            .kustomizations
            .checked(part::KUSTOMIZATION)
    }

    /// Pods of the target namespace, if Helm waits for any.
    pub fn target_pods(&self) -> Checked<Option<&Listing<Pod>>> {
        let pods = &self.parts.on_demand.pods;
        pods.checked(part::TARGET_PODS)
    }

    /// CouchDB's pods.
    pub fn couch_pods(&self) -> Checked<Option<&CouchPods>> {
        self.parts.on_demand.couch_pods.checked(part::COUCH_PODS)
    }

    /// The nodes of pods that may not be ready because of their node.
    pub fn nodes(&self) -> Checked<Option<&Nodes>> {
        self.parts.on_demand.nodes.checked(part::NODES)
    }

    /// The admission webhook that did not answer.
    pub fn webhook(&self) -> Checked<Option<&Webhook>> {
        self.parts.on_demand.webhook.checked(part::WEBHOOK)
    }

    /// What Istio does.
    pub fn mesh(&self) -> Checked<Option<&Mesh>> {
        self.parts.on_demand.mesh.checked(part::MESH)
    }

    /// The NetworkPolicies around the creation Job and CouchDB.
    pub fn network_policies(&self) -> Checked<Option<&NetworkPolicies>> {
        let policies = &self.parts.on_demand.network_policies;
        policies.checked(part::NETWORK_POLICIES)
    }

    /// The Jobs among which a hook's is.
    pub fn hook_jobs(&self) -> Checked<Option<&Listing<Job>>> {
        self.parts.on_demand.hook_jobs.checked(part::HOOK_JOBS)
    }

    /// The pods of the hook or the test that failed.
    pub fn hook_pods(&self) -> Checked<Option<&Listing<ServingPod>>> {
        self.parts.on_demand.hook_pods.checked(part::HOOK_PODS)
    }

    /// What else the failure is about.
    pub fn related(&self) -> Checked<Option<&Related>> {
        self.parts.on_demand.related.checked(part::RELATED)
    }

    /// The errors in the saved log of helm-controller.
    pub fn controller_log(&self) -> Checked<Option<&Errors>> {
        self.parts
            .on_demand
            .controller_log
            .checked(part::CONTROLLER_LOG)
    }

    /// The Service by which the creation Job reaches CouchDB.
    pub fn service(&self) -> Checked<Option<&CouchService>> {
        self.parts.on_demand.service.checked(part::COUCH_SERVICE)
    }

    /// What CouchDB says of databases.
    pub fn databases(&self) -> Checked<Option<&Databases>> {
        let databases = &self.parts.on_demand.databases;
        databases.checked("the databases in CouchDB")
    }

    /// Everything that can say whose a database is. It is read only where a report would offer a deletion.
    pub fn ownership(&self) -> Checked<&Ownership> {
        let all = self.parts.on_demand.ownership.checked(part::OWNERSHIP)?;
        all.ok_or_else(|| Unread::new(part::OWNERSHIP, Why::NotAsked("it is absent".to_owned())))
    }
}

/// The newest of these events that `is` takes.
fn newest(events: &Events, is: impl Fn(&Event) -> bool) -> Checked<Option<&Event>> {
    match events.known().iter().rev().find(|event| is(event)) {
        None => events.all().map(|_| None),
        found => Ok(found),
    }
    .map_err(|why| Unread::new(part::EVENTS, why))
}

/// Tests change parts where they are.
#[cfg(test)]
impl std::ops::Deref for Snapshot {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

#[cfg(test)]
impl std::ops::DerefMut for Snapshot {
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.parts
    }
}
