//! What is read of one cluster, and the report on it.

use super::Args;
use crate::advice::Origin;
use crate::cluster::Cluster;
use crate::diagnosis::NotRun;
use crate::diagnosis::ignore::Ignores;
use crate::error::Error;
use crate::triage::{self, Looked, Picked, databases};
use crate::view::report::{Considered, Report};
use k8s_openapi::jiff::Timestamp;

/// What was read.
pub(super) struct Examination {
    looked: Vec<Looked>,
    considered: Option<Considered>,
    unseen: Vec<NotRun>,
    /// What could not be read at all.
    pub(super) errors: Vec<Error>,
}

impl Examination {
    /// Looks into what was picked.
    pub(super) async fn run(
        cluster: &Cluster,
        args: &Args,
        mut picked: Picked,
        now: Timestamp,
    ) -> Self {
        let mut errors = picked.take_errors();
        let Picked {
            objects,
            others,
            databases,
            considered,
            not_run,
            ..
        } = picked;
        let asked = databases::answers(cluster, Some(&args.couchdb), databases, &objects);
        let named = match args.names.is_empty() {
            true => &[],
            false => objects.as_slice(),
        };
        let applied = triage::applied(cluster, named);
        let (looked, failed) =
            triage::look_into(cluster, &objects, &others, asked, applied, now).await;
        errors.extend(failed);
        let mut unseen = triage::elsewhere(&others);
        unseen.extend(not_run);
        unseen.extend(super::unsaved(cluster));
        Self {
            looked,
            considered,
            unseen,
            errors,
        }
    }

    /// Nothing was looked into, since nothing could be read.
    pub(super) fn is_void(&self) -> bool {
        self.looked.is_empty() && !self.errors.is_empty()
    }

    /// The list that the onboardings were chosen from, if it holds no onboarding.
    pub(super) fn none_considered(&self) -> Option<&Considered> {
        self.considered.as_ref().filter(|c| c.onboardings == 0)
    }

    /// The report, and whether it makes the run fail.
    pub(super) fn report(
        self,
        args: &Args,
        ignores: &mut Ignores,
        origin: &Origin,
        time: Option<Timestamp>,
    ) -> (Report, bool) {
        let onboardings = self.looked.into_iter().map(|mut looked| {
            looked.ignore(ignores);
            looked.onboarding
        });
        let report = Report::new(onboardings.collect(), self.considered, self.unseen);
        let mut report = report.seen_at(origin, time);
        report.show(args.gate.severity);
        let fails = args.gate.fails(report.totals.worst());
        (report, fails)
    }
}
