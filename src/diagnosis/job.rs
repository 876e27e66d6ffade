//! What became of the creation Job: which pod ended how, and what its log says. Flux and Helm say only that the Job failed.

mod outcome;
mod sidecar;
mod uncreated;

pub use outcome::{Death, Outcome};
pub use sidecar::Sidecar;
pub(in crate::diagnosis) use sidecar::is_of_mesh;
pub use uncreated::Uncreated;

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::webhook;
use crate::model::creation_log::may_have_created;
use crate::model::failure::refusal;
use crate::model::kubelet::StartFailure;
use crate::snapshot::{IfRead, JobPod, Listing, LostJob, Snapshot, Unread, Why, why_not_all};
use crate::text::scrub::scrub;
use uncreated::{uncreated, uncreated_of_lost};

/// Why nothing is known of what the Job's pods did.
#[derive(Clone, Debug, PartialEq)]
pub enum Silent {
    /// The Job was not read.
    NotRead(Why),
    /// The Job is gone.
    Gone,
    /// Another HelmRelease, `namespace/name`, made a Job of the same name since: the old one and its pods are gone.
    Replaced(String),
    /// The Job is there and its pods were not read.
    PodsNotRead(Why),
    /// The Job is there and has no pods any more.
    PodsGone,
}

impl Silent {
    /// Why a check that needs the pods was not run.
    pub(super) fn why(&self) -> Why {
        Why::NotAsked(match self {
            Silent::NotRead(why) | Silent::PodsNotRead(why) => return why.clone(),
            Silent::Gone => "the Job is gone".to_owned(),
            Silent::Replaced(other) => format!("{other} has replaced the Job"),
            Silent::PodsGone => "they are gone".to_owned(),
        })
    }

    /// A sentence for a finding.
    pub fn sentence(&self) -> String {
        match self {
            Silent::NotRead(why) => format!("The Job was not read: {}.", why.clause()),
            Silent::Gone => "The Job is gone, and its log with it.".to_owned(),
            Silent::Replaced(other) => {
                format!("{other} has replaced the Job, and its log is gone.")
            }
            Silent::PodsNotRead(why) => format!("Its pods were not read: {}.", why.clause()),
            Silent::PodsGone => "Its pods are gone, and their logs with them.".to_owned(),
        }
    }
}

/// The creation Job, as far as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The Job, if it was seen.
    pub subject: Option<Subject>,
    /// Its Failed condition: reason and message.
    pub failed: Option<(String, String)>,
    pub outcome: Outcome,
    /// Why its pods tell nothing.
    pub silent: Option<Silent>,
    /// It has no pod since none could be made.
    pub uncreated: Option<Uncreated>,
    /// Why it is not known whether a pod could be made.
    pub events_unread: Option<Why>,
    /// What its mesh sidecar does that keeps it from its end.
    pub sidecar: Option<Sidecar>,
    /// What became of each of its pods that were read, oldest first.
    pub attempts: Vec<Outcome>,
    /// Why its older pods were not read, where that is so.
    pub pods_unread: Option<Why>,
}

impl Job {
    /// Judges by what was read.
    pub fn judge(snapshot: &Snapshot) -> Self {
        let nothing = |silent| Self {
            subject: None,
            failed: None,
            outcome: Outcome::Nothing,
            silent: Some(silent),
            uncreated: None,
            events_unread: None,
            sidecar: None,
            attempts: Vec::new(),
            pods_unread: None,
        };
        let found = match snapshot.creation_job() {
            Ok(Some(found)) => found,
            Ok(None) => {
                let events = snapshot.lost_job().map(LostJob::events);
                return Self {
                    uncreated: uncreated_of_lost(snapshot),
                    events_unread: events.and_then(why_not_all),
                    ..nothing(Silent::Gone)
                };
            }
            Err(Unread { why, .. }) => {
                return Self {
                    events_unread: Some(why.clone()),
                    ..nothing(Silent::NotRead(why))
                };
            }
        };
        let (job, pods, events) = (&found.job, found.pods(), found.events());
        // Two onboardings for one database have one Job name: what the other's Job says is not about this one.
        let made_by = job.made_by();
        if made_by.is_malformed() {
            let why = format!("malformed: {}", job.meta.malformed.join(", "));
            return nothing(Silent::NotRead(Why::Broken(why)));
        }
        let own = snapshot.helm_release().id();
        if let Some(other) = made_by.set().filter(|id| **id != own) {
            return nothing(Silent::Replaced(crate::text::one_line(other)));
        }
        let subject = Subject::from(&job.meta);
        // A pod that was seen could be made; `silent` says where none was read.
        let has_pods = matches!(pods, Ok(Some(pods)) if pods.is_empty() == Ok(false));
        let events_unread = match has_pods {
            true => None,
            false => why_not_all(events.clone()),
        };
        let events = events.if_read();
        let uncreated = match has_pods {
            true => None,
            false => events.and_then(|all| uncreated(&subject, Some(&job.meta.uid), all)),
        };
        let silent = match &pods {
            _ if uncreated.is_some() => None,
            Err(unread) => Some(Silent::PodsNotRead(unread.why.clone())),
            Ok(None) => Some(Silent::PodsGone),
            Ok(Some(pods)) => match pods.is_empty() {
                Ok(gone) => gone.then_some(Silent::PodsGone),
                Err(why) => Some(Silent::PodsNotRead(why)),
            },
        };
        // `silent` says why none was read.
        let pods = pods.if_read();
        let pods_unread = pods.and_then(Listing::not_all).cloned();
        let pods: &[JobPod] = pods.map_or(&[], Listing::known);
        // What an event shows is true, whatever others there are.
        let events = events.map_or(&[][..], Listing::known);
        let attempts = pods.iter().rev().map(|pod| outcome::judge(pod, events));
        let attempts: Vec<Outcome> = attempts.collect();
        let outcome = outcome::weigh(job, &attempts);
        // What cannot be read of a pod may be what it would have said.
        let odd = pods.iter().find(|p| !p.pod.meta.malformed.is_empty());
        let is_open = outcome == Outcome::Nothing && job.is_complete() != Some(true);
        let odd = odd.filter(|_| is_open);
        let silent = silent.or(odd.map(|JobPod { pod, .. }| {
            let fields = pod.meta.malformed.join(", ");
            Silent::PodsNotRead(Why::Broken(format!(
                "malformed in {}: {fields}",
                Subject::from(&pod.meta)
            )))
        }));
        let unread = pods_unread.clone().filter(|_| is_open);
        let silent = silent.or(unread.map(Silent::PodsNotRead));
        Self {
            silent,
            uncreated,
            events_unread,
            sidecar: pods.iter().find_map(|p| sidecar::holding(&p.pod)),
            subject: Some(subject),
            failed: job.failed().map(|c| (c.reason.clone(), c.message.clone())),
            outcome,
            attempts,
            pods_unread,
        }
    }

    /// The kubelet's own words on why the pod does not start.
    pub(super) fn not_started(&self) -> Option<(&Subject, Evidence, &str)> {
        let Outcome::NotStarted {
            pod,
            reason,
            message,
            ..
        } = &self.outcome
        else {
            return None;
        };
        let observed = format!("{reason}: {message}");
        let evidence = Evidence::new(pod.clone(), ".status", &observed);
        Some((pod, evidence, message))
    }

    /// Why the runtime could not run a container's program.
    pub(super) fn start_failure(&self) -> Option<&StartFailure> {
        match &self.outcome {
            Outcome::NotStarted { start, .. } => start.as_deref(),
            outcome => outcome.death()?.start.as_deref(),
        }
    }

    /// Why the log of the container that died is missing.
    pub(super) fn log_missing(&self) -> Option<Why> {
        self.death().and_then(|d| d.log_missing.clone())
    }

    /// The finding that the Job failed of `death`, with what was seen.
    pub(super) fn died(case: &Case<'_>, death: &Death, sentence: impl AsRef<str>) -> Finding {
        let subject = case.job_as_far_as_read().subject.clone();
        Finding::new(subject.unwrap_or_else(|| death.pod.clone()), sentence)
            .seen(case.seen_failure())
            .seen([death.evidence()])
    }

    /// Adds to a finding why no pod could be made, and what to do; nothing where that is not the case.
    pub(super) fn tell_refusal(&self, case: &Case<'_>, finding: Finding) -> Finding {
        let Some(refused) = &self.uncreated else {
            return finding;
        };
        let remedy = refusal::of_pod(&refused.why).unwrap_or("Fix the reason for the refusal");
        let finding = match refusal::is_bare_timeout(&refused.why) {
            true => {
                let webhooks = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
                let finding = finding
                    .why(format!(
                        "The Job's pod could not be created: {}",
                        scrub(&refused.why).0
                    ))
                    .seen([refused.evidence()]);
                webhook::of_pods(case, finding)
                    .step(format!("{remedy}:"))
                    .command(["kubectl", "get", webhooks])
            }
            false => finding
                .why(format!(
                    "The Job's pod was refused: {}",
                    scrub(&refused.why).0
                ))
                .seen([refused.evidence()])
                .step(format!("{remedy}.")),
        };
        finding.step("The Job's events:").command(refused.command())
    }

    /// The container that died, whatever for.
    pub fn death(&self) -> Option<&Death> {
        self.outcome.death()
    }

    /// The attempt before the newest that may have created the database although it ended badly: CouchDB can carry a request out
    /// whose answer is an error of its own, or is lost.
    pub(super) fn own_creation(&self) -> Option<&Death> {
        let first = |o: &Outcome| matches!(o, Outcome::Exists(_));
        let first = self.attempts.iter().position(first)?;
        let deaths = self.attempts[..first].iter().filter_map(Outcome::death);
        deaths
            .into_iter()
            .find(|death| !death.lost_race() && may_have_created(&death.said()))
    }

    /// An attempt before the one that found the database, and which may have created it: it was ended, and no log says how far it came.
    pub(super) fn silent_attempt(&self) -> Option<Subject> {
        let first = |o: &Outcome| matches!(o, Outcome::Exists(_));
        let first = self.attempts.iter().position(first)?;
        self.attempts[..first]
            .iter()
            .find_map(|outcome| match outcome {
                Outcome::Disrupted { pod, .. } => Some(pod.clone()),
                Outcome::OutOfMemory(death) => Some(death.pod.clone()),
                _ => {
                    let death = outcome
                        .death()
                        .filter(|d| d.log_missing.is_some() && !d.never_started());
                    death.map(|d| d.pod.clone())
                }
            })
    }

    /// The attempt that was refused as unauthorized, where a later one was forbidden: CouchDB has locked the account in between.
    pub(super) fn before_lock(&self) -> Option<&Death> {
        let status = |death: &Death, status: &str| {
            let text = format!("returned error: {status}");
            death.lines.iter().any(|l| l.contains(&text))
        };
        let deaths: Vec<&Death> = self.attempts.iter().filter_map(Outcome::death).collect();
        let locked = deaths.iter().rposition(|d| status(d, "403"))?;
        deaths[..locked].iter().rfind(|d| status(d, "401")).copied()
    }

    /// The attempt to which CouchDB answered that another request created the database at the same time.
    pub(super) fn lost_race(&self) -> Option<&Death> {
        let mut deaths = self.attempts.iter().filter_map(Outcome::death);
        deaths.find(|death| death.lost_race())
    }
}

/// Adds how to see whether the database exists before anything is tried again.
pub(super) fn existing(case: &Case<'_>, finding: Finding) -> Finding {
    match case.database() {
        Some(database) => finding
            .step("See first whether the database exists:")
            .command(["kubectl", "skvs", "databases", &database]),
        None => finding,
    }
}
