//! What was not read is never taken for fine: every case with one part after the other taken away. Test code only.

use super::{Case, Diagnosis, Severity, diagnose, fixture};
use crate::snapshot::{Events, Read, Snapshot, Why};
use k8s_openapi::jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
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
    ("rights", |s| take(&mut s.on_demand.rights)),
    ("controllers", |s| take(&mut s.on_demand.controllers)),
    ("service", |s| take(&mut s.on_demand.service)),
    ("databases", |s| take_shared(&mut s.on_demand.databases)),
];

fn look(snapshot: &Snapshot, now: Timestamp) -> Diagnosis {
    diagnose(&Case::new(snapshot, now))
}

/// The codes of everything that was found.
fn found(diagnosis: &Diagnosis) -> BTreeMap<&'static str, Severity> {
    let all = diagnosis.roots.iter().flat_map(|root| {
        let follows = root.follows.iter().map(|(rule, finding)| (*rule, finding));
        std::iter::once((root.rule, &root.finding)).chain(follows)
    });
    all.map(|(rule, finding)| (rule.code, finding.severity.unwrap_or(rule.severity)))
        .collect()
}

/// What a report says of `less`, a snapshot with a part of `whole` taken away, that it must not: a finding that is gone, or
/// milder, and not listed as not run.
fn silent_losses(whole: &Diagnosis, less: &Diagnosis) -> Vec<String> {
    let not_run: BTreeSet<&str> = less
        .not_run
        .iter()
        .flat_map(|n| n.codes.iter().copied())
        .collect();
    let left = found(less);
    let lost = found(whole).into_iter().filter_map(|(code, severity)| {
        let now = left.get(code).copied();
        let is_fallback = code == FALLBACK;
        let fine = now >= Some(severity) || not_run.contains(code) || is_fallback;
        (!fine).then(|| match now {
            Some(_) => format!("{code} is milder"),
            None => format!("{code} is gone"),
        })
    });
    lost.collect()
}

/// The code of a failure that no rule knows: it is gone once a rule cannot tell whether it knows it.
const FALLBACK: &str = "SKVS900";

#[test]
fn a_finding_that_is_lost_with_a_part_is_listed_as_not_run() {
    let (mut wrong, mut pairs) = (Vec::new(), 0);
    for name in fixture::names() {
        let (seen, now) = (fixture::snapshot(&name), fixture::meta(&name).now);
        let whole = look(&seen, now);
        for (part, take) in PARTS {
            let mut snapshot = seen.clone();
            if !take(&mut snapshot) {
                continue;
            }
            pairs += found(&whole).len();
            let losses = silent_losses(&whole, &look(&snapshot, now));
            wrong.extend(
                losses
                    .iter()
                    .map(|loss| format!("{name} without {part}: {loss}")),
            );
        }
        let mut snapshot = seen.clone();
        for (_, take) in PARTS {
            take(&mut snapshot);
        }
        let losses = silent_losses(&whole, &look(&snapshot, now));
        wrong.extend(
            losses
                .iter()
                .map(|loss| format!("{name} with nothing: {loss}")),
        );
    }
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
    assert!(pairs > 2000, "only {pairs} findings could be lost");
}
