//! What was not read is never taken for fine: every case with one part after the other taken away. Test code only.

use super::{Case, Diagnosis, Severity, diagnose, fixture};
use crate::snapshot::{Events, Read, Snapshot, Why};
use k8s_openapi::jiff::Timestamp;
use std::sync::Arc;

/// Takes one part away; gives whether it was there.
type Take = fn(&mut Snapshot) -> bool;

fn why() -> Why {
    Why::Forbidden("as a test has it".to_owned())
}

fn take<T>(part: &mut Read<T>) -> bool {
    let there = part.unknown().is_none();
    *part = Read::Unknown(why());
    there
}

fn take_shared<T>(part: &mut Arc<Read<T>>) -> bool {
    let there = part.unknown().is_none();
    *part = Arc::new(Read::Unknown(why()));
    there
}

/// What may not be readable for someone, by its name.
const PARTS: &[(&str, Take)] = &[
    ("chart", |s| take(&mut s.chart)),
    ("source", |s| take(&mut s.source)),
    ("revisions", |s| take(&mut s.revisions)),
    ("release", |s| take(&mut s.release)),
    ("first release", |s| take(&mut s.first_release)),
    ("creation Job", |s| {
        s.lost_job = None;
        take(&mut s.creation_job)
    }),
    ("pods", |s| match &mut s.creation_job {
        Read::Seen(job) => take(&mut job.pods),
        _ => false,
    }),
    ("logs", |s| {
        let Read::Seen(job) = &mut s.creation_job else {
            return false;
        };
        let Read::Seen(pods) = &mut job.pods else {
            return false;
        };
        let logs = pods.iter_mut().flat_map(|pod| &mut pod.logs);
        logs.map(|(_, log)| take(log)).max().unwrap_or(false)
    }),
    ("events of the Job", |s| match &mut s.creation_job {
        Read::Seen(job) => take(&mut job.events),
        _ => s.lost_job.as_mut().is_some_and(|job| take(&mut job.events)),
    }),
    ("events", |s| take(&mut s.events)),
    ("some of the events", |s| {
        s.events = Read::Seen(Events {
            known: Vec::new(),
            not_all: Some(why()),
        });
        true
    }),
    ("target namespace", |s| take(&mut s.target_namespace)),
    ("service account", |s| take(&mut s.service_account)),
    ("policy", |s| take(&mut s.policy)),
    ("dependencies", |s| {
        let all = s.dependencies.iter_mut();
        all.map(|d| take(&mut d.helm_release))
            .max()
            .unwrap_or(false)
    }),
    ("others", |s| take_shared(&mut s.others)),
    ("other namespaces", |s| {
        s.not_elsewhere = Some(why());
        true
    }),
    ("rights", |s| take(&mut s.further.rights)),
    ("controllers", |s| take(&mut s.further.controllers)),
    ("service", |s| take(&mut s.further.service)),
    ("databases", |s| take_shared(&mut s.further.databases)),
];

fn look(snapshot: &Snapshot, now: Timestamp) -> Diagnosis {
    diagnose(&Case::new(snapshot, now))
}

fn worst(diagnosis: &Diagnosis) -> Option<Severity> {
    diagnosis.roots.iter().map(super::Root::severity).max()
}

#[test]
fn a_part_that_is_not_read_never_makes_a_case_fine() {
    let (mut wrong, mut taken) = (Vec::new(), 0);
    for name in fixture::names() {
        let (seen, now) = (fixture::snapshot(&name), fixture::meta(&name).now);
        let whole = worst(&look(&seen, now));
        for (part, take) in PARTS {
            let mut snapshot = seen.clone();
            if !take(&mut snapshot) {
                continue;
            }
            taken += 1;
            let diagnosis = look(&snapshot, now);
            if worst(&diagnosis) < whole && diagnosis.not_run.is_empty() {
                wrong.push(format!("{name} without {part}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(taken > 1000, "{taken}");
}

#[test]
fn with_nothing_but_the_helm_release_every_failure_is_still_one() {
    for name in fixture::names() {
        let (mut snapshot, now) = (fixture::snapshot(&name), fixture::meta(&name).now);
        let whole = worst(&look(&snapshot, now));
        for (_, take) in PARTS {
            take(&mut snapshot);
        }
        let diagnosis = look(&snapshot, now);
        let told = !diagnosis.not_run.is_empty() || worst(&diagnosis) >= whole;
        assert!(told, "{name}");
    }
}
