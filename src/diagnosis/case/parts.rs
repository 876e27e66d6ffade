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
use crate::model::kustomization::{self, Kustomization};
use crate::model::namespace::Namespace;
use crate::model::ownership::Ownership;
use crate::model::pod::Pod;
use crate::model::policy::Policy;
use crate::model::source::Source;
use crate::snapshot::databases::Databases;
use crate::snapshot::{
    Checked, Controllers, CouchPods, CouchService, CreationJob, Dependency, Events, JobPod,
    Listing, Read, ServingPod, Unread, Why,
};

/// In words: claims that were not read because their namespaces were not.
pub const ELSEWHERE: &str = "databases claimed by onboardings in other namespaces";

/// In words: claims of the onboardings that a run asks for.
pub(in crate::diagnosis) const OTHERS: &str = "the databases of other onboardings";

/// In words: the pods of the Job that creates the database.
const PODS: &str = "the pods of the creation Job";

/// The Kustomization that applies the HelmRelease's manifest, in words.
pub(in crate::diagnosis) const KUSTOMIZATION: &str = "the Kustomization that applies the manifest";

impl<'a> Case<'a> {
    /// Hands a part out, and remembers it where it holds a malformed field.
    fn part<T: Parsed>(&self, part: &'a Read<T>, what: &str) -> Checked<Option<&'a T>> {
        let part = part.checked(what)?;
        if let Some(part) = part {
            self.note_malformed(part.meta(), what);
        }
        Ok(part)
    }

    fn note_malformed_job(&self) {
        if let Read::Seen(found) = &self.snapshot.creation_job {
            self.note_malformed(&found.job.meta, "the creation Job");
            if let Read::Seen(other) = &found.of_database {
                self.note_malformed(&other.meta, "the Job named after the database");
            }
            for JobPod { pod, .. } in found.pods.seen().into_iter().flat_map(Listing::known) {
                self.note_malformed(&pod.meta, PODS);
            }
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
        &self.snapshot.origin
    }

    /// The HelmChart, or what `spec.chartRef` names.
    pub(in crate::diagnosis) fn chart(&self) -> Checked<Option<&'a Source>> {
        self.part(&self.snapshot.chart, "the chart")
    }

    /// The chart's source.
    pub(in crate::diagnosis) fn source(&self) -> Checked<Option<&'a Source>> {
        self.part(&self.snapshot.source, "the chart's source")
    }

    /// Helm's revisions, newest first.
    pub(in crate::diagnosis) fn revisions(&self) -> Checked<Option<&'a Vec<Revision>>> {
        self.snapshot.revisions.checked("Helm's revisions")
    }

    /// The newest revision.
    pub(in crate::diagnosis) fn release(&self) -> Checked<Option<&'a Release>> {
        self.snapshot.release.checked("Helm's release")
    }

    /// What the newest revision that was read lacks, where it cannot be decoded.
    ///
    /// # Errors
    /// It was not read for another reason.
    pub(in crate::diagnosis) fn undecodable_release(&self) -> Checked<Option<&'a str>> {
        match &self.snapshot.release {
            Read::Unknown(Why::Broken(broken)) => Ok(Some(broken)),
            other => other.checked("Helm's release").map(|_| None),
        }
    }

    /// The oldest revision, where it is not the newest.
    pub(in crate::diagnosis) fn first_release(&self) -> Checked<Option<&'a Release>> {
        let first = &self.snapshot.first_release;
        first.checked("the first revision of Helm's release")
    }

    /// The Job that creates the database, as an object.
    pub(in crate::diagnosis) fn creation_job(&self) -> Checked<Option<&'a CreationJob>> {
        self.note_malformed_job();
        self.snapshot.creation_job.checked("the creation Job")
    }

    /// What became of the creation Job's pods.
    pub(in crate::diagnosis) fn job_pods(&self) -> Checked<&Job> {
        self.note_malformed_job();
        match &self.job.silent {
            Some(silent) => Err(Unread::new(PODS, silent.why())),
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
            Some(why) => Err(Unread::new(PODS, why.clone())),
            None => Ok(()),
        }
    }

    /// Why no pod of the Job could be made; `None` where that is not so.
    pub(in crate::diagnosis) fn uncreated(&self) -> Checked<Option<&Uncreated>> {
        match (&self.job.uncreated, &self.job.events_unread) {
            (Some(uncreated), _) => Ok(Some(uncreated)),
            (None, Some(why)) => Err(Unread::new("the events of the creation Job", why.clone())),
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
        let what = format!("the events of Job {name}");
        let lost = self.snapshot.gone_job.as_ref();
        match lost.filter(|lost| lost.name == name) {
            Some(lost) => lost.events.checked(&what),
            None => Err(Unread::new(
                &what,
                Why::NotAsked("they were not asked for".to_owned()),
            )),
        }
    }

    /// The newest event of the HelmRelease that `is` takes.
    pub(in crate::diagnosis) fn newest_event(
        &self,
        is: impl Fn(&Event) -> bool,
    ) -> Checked<Option<&'a Event>> {
        self.snapshot.newest_event(is)
    }

    /// The Namespace that the release installs into.
    pub(in crate::diagnosis) fn target_namespace(&self) -> Checked<Option<&'a Namespace>> {
        let what = format!("the namespace {}", self.hr().release_namespace());
        self.part(&self.snapshot.target_namespace, &what)
    }

    /// The ServiceAccount that Flux acts as.
    pub(in crate::diagnosis) fn account(&self) -> Checked<Option<&'a Meta>> {
        let what = match self.service_account() {
            Some(account) => account.to_string(),
            None => "the ServiceAccount".to_owned(),
        };
        self.part(&self.snapshot.service_account, &what)
    }

    /// The AuthorizationPolicy that lets the service accounts in.
    pub(in crate::diagnosis) fn policy(&self) -> Checked<Option<&'a Policy>> {
        self.part(&self.snapshot.policy, "the AuthorizationPolicy")
    }

    /// What `spec.dependsOn` names, in its order.
    pub(in crate::diagnosis) fn dependencies(&self) -> &'a [Dependency] {
        &self.snapshot.dependencies
    }

    /// The onboardings that were read, this one among them: of all namespaces, unless [`Case::elsewhere`] is an error.
    pub(in crate::diagnosis) fn others(&self) -> Checked<&'a [HelmRelease]> {
        let others = self.snapshot.others.as_ref();
        let all = others.checked(OTHERS)?;
        Ok(all.map_or(&[], Vec::as_slice))
    }

    /// Whether the onboardings of the other namespaces are among those that were read.
    pub(in crate::diagnosis) fn elsewhere(&self) -> Checked<()> {
        match &self.snapshot.not_elsewhere {
            Some(why) => Err(Unread::new(ELSEWHERE, why.clone())),
            None => Ok(()),
        }
    }

    /// The API server's answer about the right that the failure says is missing.
    pub(in crate::diagnosis) fn rights(&self, account: &str) -> Checked<Option<&'a AccessReview>> {
        let what = format!("rights of {account}");
        self.part(&self.snapshot.on_demand.rights, &what)
    }

    /// Flux's controllers.
    pub(in crate::diagnosis) fn controllers(&self) -> Checked<Option<&'a Controllers>> {
        let what = "Flux's controllers";
        let found = self.snapshot.on_demand.controllers.checked(what)?;
        for deployment in found.iter().flat_map(|found| &found.deployments) {
            self.note_malformed(&deployment.meta, what);
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
                Err(Unread::new(KUSTOMIZATION, Why::Broken(why)))
            }
        }
    }

    /// One of Flux's Kustomizations.
    pub(in crate::diagnosis) fn kustomization(
        &self,
        namespace: &str,
        name: &str,
    ) -> Checked<Option<&'a Kustomization>> {
        let all = self.snapshot.on_demand.kustomizations.as_ref();
        let mut all = all.checked(KUSTOMIZATION)?.into_iter().flatten();
        let found = all.find(|k| k.meta.name == name && k.meta.namespace == namespace);
        if let Some(found) = found {
            self.note_malformed(&found.meta, KUSTOMIZATION);
        }
        Ok(found)
    }

    /// Pods of the target namespace, if Helm waits for any.
    pub(in crate::diagnosis) fn target_pods(&self) -> Checked<Option<&'a Listing<Pod>>> {
        let what = "the pods of the target namespace";
        let pods = self.snapshot.on_demand.pods.checked(what)?;
        for pod in pods.into_iter().flat_map(Listing::known) {
            self.note_malformed(&pod.meta, what);
        }
        Ok(pods)
    }

    /// The pods of Flux's controllers.
    pub(in crate::diagnosis) fn controller_pods(&self) -> &'a Read<Listing<ServingPod>> {
        let pods = &self.snapshot.on_demand.controller_pods;
        self.note_malformed_pods(pods.seen(), "the pods of Flux's controllers");
        pods
    }

    /// CouchDB's pods.
    pub(in crate::diagnosis) fn couch_pods(&self) -> &'a Read<CouchPods> {
        let found = &self.snapshot.on_demand.couch_pods;
        self.note_malformed_pods(found.seen().map(|f| &f.pods), "CouchDB's pods");
        found
    }

    fn note_malformed_pods(&self, pods: Option<&Listing<ServingPod>>, what: &str) {
        for found in pods.into_iter().flat_map(Listing::known) {
            self.note_malformed(&found.pod.meta, what);
        }
    }

    /// The errors in the saved log of helm-controller.
    pub(in crate::diagnosis) fn controller_log(&self) -> Checked<Option<&'a Errors>> {
        let log = &self.snapshot.on_demand.controller_log;
        log.checked("the log of helm-controller")
    }

    /// The Service by which the creation Job reaches CouchDB.
    pub(in crate::diagnosis) fn service(&self) -> Checked<Option<&'a CouchService>> {
        self.snapshot.on_demand.service.checked("CouchDB's Service")
    }

    /// What CouchDB says of databases.
    pub(in crate::diagnosis) fn databases(&self) -> Checked<Option<&'a Databases>> {
        let databases = self.snapshot.on_demand.databases.as_ref();
        databases.checked("the databases in CouchDB")
    }

    /// Everything that can say whose a database is. It is read only where a report would offer a deletion.
    pub(in crate::diagnosis) fn ownership(&self) -> Checked<&'a Ownership> {
        const OWNERSHIP: &str = "everything that can claim the database";
        let all = self.snapshot.on_demand.ownership.checked(OWNERSHIP)?;
        all.ok_or_else(|| Unread::new(OWNERSHIP, Why::NotAsked("it is absent".to_owned())))
    }
}
