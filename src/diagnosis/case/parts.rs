//! The parts of a case that a rule can ask for: what was read, `None` where it is seen to be absent, and `Err` where it was not
//! read. A rule has no other way to them, so what it does not know ends its check as not run.

use super::Case;
use crate::advice::Origin;
use crate::diagnosis::job::{Job, Outcome, Uncreated};
use crate::model::access_review::AccessReview;
use crate::model::controller_log::Errors;
use crate::model::event::Event;
use crate::model::field::{Meta, Parsed};
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{Release, Revision};
use crate::model::job::Job as HookJob;
use crate::model::kustomization::{self, Kustomization};
use crate::model::namespace::Namespace;
use crate::model::ownership::Ownership;
use crate::model::pod::Pod;
use crate::model::policy::Policy;
use crate::model::source::Source;
use crate::snapshot::databases::Databases;
use crate::snapshot::{
    Checked, Controllers, CouchPods, CouchService, CreationJob, Dependency, Events, IfRead, JobPod,
    Listing, Mesh, NetworkPolicies, Nodes, Related, ServingPod, Unread, Webhook, Why, part,
};

impl<'a> Case<'a> {
    /// Hands a part out, and remembers it where it holds a malformed field.
    fn part<T: Parsed>(&self, part: Checked<Option<&'a T>>, what: &str) -> Checked<Option<&'a T>> {
        let part = part?;
        if let Some(part) = part {
            self.note_malformed(part.meta(), what);
        }
        Ok(part)
    }

    fn note_malformed_job(&self) {
        let Some(found) = self.snapshot.creation_job().if_read() else {
            return;
        };
        self.note_malformed(&found.job.meta, part::CREATION_JOB);
        if let Some(other) = found.of_database().if_read() {
            self.note_malformed(&other.meta, part::OTHER_JOB);
        }
        let pods = found.pods().if_read();
        for JobPod { pod, .. } in pods.into_iter().flat_map(Listing::known) {
            self.note_malformed(&pod.meta, part::JOB_PODS);
        }
    }

    fn note_malformed(&self, meta: &Meta, what: &str) {
        if !meta.malformed.is_empty() {
            let why = format!("malformed: {}", meta.malformed.join(", "));
            self.note(Unread::new(what, Why::Broken(why)));
        }
    }

    /// Remembers that the part in hand is not whole.
    pub(super) fn note(&self, unread: Unread) {
        self.incomplete.borrow_mut().get_or_insert(unread);
    }

    /// A part that was handed out since the last call and is not whole, such as one with a malformed field: that a check found nothing
    /// in it proves nothing.
    pub(in crate::diagnosis) fn take_incomplete(&self) -> Option<Unread> {
        self.incomplete.take()
    }

    /// The cluster that the case is of.
    pub fn origin(&self) -> &'a Origin {
        self.snapshot.origin()
    }

    /// The HelmChart, or what `spec.chartRef` names.
    pub(in crate::diagnosis) fn chart(&self) -> Checked<Option<&'a Source>> {
        self.part(self.snapshot.chart(), part::CHART)
    }

    /// The chart's source.
    pub(in crate::diagnosis) fn source(&self) -> Checked<Option<&'a Source>> {
        self.part(self.snapshot.source(), part::SOURCE)
    }

    /// Helm's revisions, newest first.
    pub(in crate::diagnosis) fn revisions(&self) -> Checked<Option<&'a Vec<Revision>>> {
        self.snapshot.revisions()
    }

    /// The newest revision.
    pub(in crate::diagnosis) fn release(&self) -> Checked<Option<&'a Release>> {
        self.snapshot.release()
    }

    /// What the newest revision that was read lacks, where it cannot be decoded.
    ///
    /// # Errors
    /// It was not read for another reason.
    pub(in crate::diagnosis) fn undecodable_release(&self) -> Checked<Option<&'a str>> {
        self.snapshot.undecodable_release()
    }

    /// The oldest revision, where it is not the newest.
    pub(in crate::diagnosis) fn first_release(&self) -> Checked<Option<&'a Release>> {
        self.snapshot.first_release()
    }

    /// The Job that creates the database, as an object.
    pub(in crate::diagnosis) fn creation_job(&self) -> Checked<Option<&'a CreationJob>> {
        self.note_malformed_job();
        self.snapshot.creation_job()
    }

    /// What became of the creation Job's pods.
    pub(in crate::diagnosis) fn job_pods(&self) -> Checked<&Job> {
        self.note_malformed_job();
        match &self.job.silent {
            Some(silent) => Err(Unread::new(part::JOB_PODS, silent.why())),
            None => Ok(&self.job),
        }
    }

    /// The same, and the log of the container that died, if one did.
    pub(in crate::diagnosis) fn job_log(&self) -> Checked<&Job> {
        let what = "the log of the creation Job";
        let job = self
            .job_pods()
            .map_err(|unread| Unread::new(what, unread.why))?;
        match job.log_missing() {
            Some(why) => Err(Unread::new(what, why)),
            None => Ok(job),
        }
    }

    /// How the creation Job ended, as its pods say; `None` where the failure is not about the Job.
    pub(in crate::diagnosis) fn outcome_by_pods(&self) -> Checked<Option<&Outcome>> {
        if !self.is_about_the_job() {
            return Ok(None);
        }
        self.job_pods().map(|job| Some(&job.outcome))
    }

    /// The same, for an outcome that only the log shows.
    pub(in crate::diagnosis) fn outcome_by_log(&self) -> Checked<Option<&Outcome>> {
        if !self.is_about_the_job() {
            return Ok(None);
        }
        self.job_log().map(|job| Some(&job.outcome))
    }

    /// Whether each of the Job's pods was read, and not only its newest.
    pub(in crate::diagnosis) fn all_job_pods(&self) -> Checked<()> {
        match &self.job.pods_unread {
            Some(why) => Err(Unread::new(part::JOB_PODS, why.clone())),
            None => Ok(()),
        }
    }

    /// Why no pod of the Job could be made; `None` where that is not so.
    pub(in crate::diagnosis) fn uncreated(&self) -> Checked<Option<&Uncreated>> {
        match (&self.job.uncreated, &self.job.events_unread) {
            (Some(uncreated), _) => Ok(Some(uncreated)),
            (None, Some(why)) => Err(Unread::new(part::JOB_EVENTS, why.clone())),
            (None, None) => Ok(None),
        }
    }

    /// What is known of the Job, which may be nothing: for a finding that does not depend on it.
    pub(in crate::diagnosis) fn job_as_far_as_read(&self) -> &Job {
        &self.job
    }

    /// The events of the Job that Helm waited for and that was gone.
    pub(in crate::diagnosis) fn events_of_gone_job(
        &self,
        name: &str,
    ) -> Checked<Option<&'a Events>> {
        self.snapshot.events_of_gone_job(name)
    }

    /// The newest event of the HelmRelease that `is` takes.
    pub(in crate::diagnosis) fn newest_event(
        &self,
        is: impl Fn(&Event) -> bool,
    ) -> Checked<Option<&'a Event>> {
        self.snapshot.newest_event(is)
    }

    /// The newest event of a former HelmRelease of the same name that `is` takes; `None` where none does.
    ///
    /// # Errors
    /// None of those that were read does, and not all were.
    pub(in crate::diagnosis) fn newest_former_event(
        &self,
        is: impl Fn(&Event) -> bool,
    ) -> Checked<Option<&'a Event>> {
        self.snapshot.newest_former_event(is)
    }

    /// The Namespace that the release installs into.
    pub(in crate::diagnosis) fn target_namespace(&self) -> Checked<Option<&'a Namespace>> {
        let what = part::target_namespace(self.hr());
        self.part(self.snapshot.target_namespace(), &what)
    }

    /// The ServiceAccount that Flux acts as.
    pub(in crate::diagnosis) fn account(&self) -> Checked<Option<&'a Meta>> {
        let what = part::service_account(self.hr());
        self.part(self.snapshot.service_account(), &what)
    }

    /// The AuthorizationPolicy that lets the service accounts in.
    pub(in crate::diagnosis) fn policy(&self) -> Checked<Option<&'a Policy>> {
        self.part(self.snapshot.policy(), part::POLICY)
    }

    /// What `spec.dependsOn` names, in its order.
    pub(in crate::diagnosis) fn dependencies(&self) -> &'a [Dependency] {
        self.snapshot.dependencies()
    }

    /// The onboardings that were read, this one among them: of all namespaces, unless [`Case::elsewhere`] is an error.
    pub(in crate::diagnosis) fn others(&self) -> Checked<&'a [HelmRelease]> {
        let all = self.snapshot.others()?;
        Ok(all.map_or(&[], Vec::as_slice))
    }

    /// Whether the onboardings of the other namespaces are among those that were read.
    pub(in crate::diagnosis) fn elsewhere(&self) -> Checked<()> {
        self.snapshot.elsewhere()
    }

    /// The API server's answer about the right that the failure says is missing.
    pub(in crate::diagnosis) fn rights(&self, account: &str) -> Checked<Option<&'a AccessReview>> {
        self.part(self.snapshot.rights(account), &part::rights(account))
    }

    /// Flux's controllers.
    pub(in crate::diagnosis) fn controllers(&self) -> Checked<Option<&'a Controllers>> {
        let found = self.snapshot.controllers()?;
        for deployment in found.iter().flat_map(|found| &found.deployments) {
            self.note_malformed(&deployment.meta, part::CONTROLLERS);
        }
        Ok(found)
    }

    /// Namespace and name of the Kustomization that applies the HelmRelease's manifest, according to its labels.
    ///
    /// # Errors
    /// One of the two labels is missing.
    pub(in crate::diagnosis) fn applied_by(&self) -> Checked<Option<(&'a str, &'a str)>> {
        let labels = &self.hr().metadata.labels;
        let [name, namespace] = kustomization::LABELS.map(|label| labels.get(label));
        match (namespace, name) {
            (Some(namespace), Some(name)) => Ok(Some((namespace, name))),
            (None, None) => Ok(None),
            _ => {
                let why = "the labels give only its name or only its namespace".to_owned();
                Err(Unread::new(part::KUSTOMIZATION, Why::Broken(why)))
            }
        }
    }

    /// One of Flux's Kustomizations.
    pub(in crate::diagnosis) fn kustomization(
        &self,
        namespace: &str,
        name: &str,
    ) -> Checked<Option<&'a Kustomization>> {
        let mut all = self.snapshot.kustomizations()?.into_iter().flatten();
        let found = all.find(|k| k.meta.name == name && k.meta.namespace == namespace);
        if let Some(found) = found {
            self.note_malformed(&found.meta, part::KUSTOMIZATION);
        }
        Ok(found)
    }

    /// Pods of the target namespace, if Helm waits for any.
    pub(in crate::diagnosis) fn target_pods(&self) -> Checked<Option<&'a Listing<Pod>>> {
        let pods = self.snapshot.target_pods()?;
        for pod in pods.into_iter().flat_map(Listing::known) {
            self.note_malformed(&pod.meta, part::TARGET_PODS);
        }
        Ok(pods)
    }

    /// The pods of Flux's controllers.
    pub(in crate::diagnosis) fn controller_pods(&self) -> Checked<Option<&'a Listing<ServingPod>>> {
        let pods = self.snapshot.controller_pods()?;
        self.note_malformed_pods(pods, part::CONTROLLER_PODS);
        Ok(pods)
    }

    /// CouchDB's pods.
    pub(in crate::diagnosis) fn couch_pods(&self) -> Checked<Option<&'a CouchPods>> {
        let found = self.snapshot.couch_pods()?;
        self.note_malformed_pods(found.map(|found| &found.pods), part::COUCH_PODS);
        Ok(found)
    }

    fn note_malformed_pods(&self, pods: Option<&Listing<ServingPod>>, what: &str) {
        for found in pods.into_iter().flat_map(Listing::known) {
            self.note_malformed(&found.pod.meta, what);
        }
    }

    /// The nodes of pods that may not be ready because of their node.
    pub(in crate::diagnosis) fn nodes(&self) -> Checked<Option<&'a Nodes>> {
        self.snapshot.nodes()
    }

    /// The admission webhook that did not answer.
    pub(in crate::diagnosis) fn webhook(&self) -> Checked<Option<&'a Webhook>> {
        self.snapshot.webhook()
    }

    /// What Istio does, where the failure has its marks.
    pub(in crate::diagnosis) fn mesh(&self) -> Checked<Option<&'a Mesh>> {
        self.snapshot.mesh()
    }

    /// The NetworkPolicies around the creation Job and CouchDB.
    pub(in crate::diagnosis) fn network_policies(&self) -> Checked<Option<&'a NetworkPolicies>> {
        self.snapshot.network_policies()
    }

    /// The Jobs among which that of a hook is which failed without its name.
    pub(in crate::diagnosis) fn hook_jobs(&self) -> Checked<Option<&'a Listing<HookJob>>> {
        self.snapshot.hook_jobs()
    }

    /// The pods of the hook or the test that failed.
    pub(in crate::diagnosis) fn hook_pods(&self) -> Checked<Option<&'a Listing<ServingPod>>> {
        let found = self.snapshot.hook_pods()?;
        self.note_malformed_pods(found, part::HOOK_PODS);
        Ok(found)
    }

    /// What else the failure is about.
    pub(in crate::diagnosis) fn related(&self) -> Checked<Option<&'a Related>> {
        self.snapshot.related()
    }

    /// The errors in the saved log of helm-controller.
    pub(in crate::diagnosis) fn controller_log(&self) -> Checked<Option<&'a Errors>> {
        self.snapshot.controller_log()
    }

    /// The Service by which the creation Job reaches CouchDB.
    pub(in crate::diagnosis) fn service(&self) -> Checked<Option<&'a CouchService>> {
        self.snapshot.service()
    }

    /// What CouchDB says of databases.
    pub(in crate::diagnosis) fn databases(&self) -> Checked<Option<&'a Databases>> {
        self.snapshot.databases()
    }

    /// Everything that can say whose a database is. It is read only where a report would offer a deletion.
    pub(in crate::diagnosis) fn ownership(&self) -> Checked<&'a Ownership> {
        self.snapshot.ownership()
    }
}
