use super::*;
use crate::diagnosis::unread::PARTS;
use crate::diagnosis::{diagnose, fixture};
use crate::model::condition::{Condition, Conditions};
use crate::model::field::Field;
use crate::model::job::Job;
use crate::snapshot::databases::{Answer, Database, Databases};
use crate::snapshot::{Read, Snapshot, Why};
use std::collections::BTreeMap;
use std::sync::Arc;

fn chain(snapshot: &Snapshot, name: &str) -> Chain {
    let case = Case::new(snapshot, fixture::meta(name).now);
    Chain::judge(&case, &diagnose(&case).roots)
}

/// One line for each link: its state and what says so.
fn lines(chain: &Chain) -> String {
    let line = |link: &Link| match &link.state {
        State::Good(evidence) => format!("{} good: {}", link.place.word(), evidence.observed),
        State::Broken { code, .. } => format!("{} broken: {code}", link.place.word()),
        State::NotKnown(why) => format!("{} not known: {why}", link.place.word()),
    };
    chain
        .links()
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_good(snapshot: &Snapshot, name: &str, place: Place) -> bool {
    seen(&Case::new(snapshot, fixture::meta(name).now), place).is_ok()
}

/// A case that is well but for the answer of CouchDB.
const HEALTHY: &str = "ready-and-database-missing";

/// The same with the database.
fn ready() -> Snapshot {
    let mut snapshot = fixture::snapshot(HEALTHY);
    let served = Answer::There(Database::default());
    snapshot.on_demand.databases = Arc::new(Read::Seen(Databases {
        namespace: "secure-kvs".to_owned(),
        pod: "db-agora-kvs-secure-kvs-agora-couchdb-0".to_owned(),
        asked: [("pds_database".to_owned(), served)].into(),
    }));
    snapshot
}

#[test]
fn a_healthy_chain_has_its_evidence() {
    insta::assert_snapshot!(lines(&chain(&ready(), HEALTHY)), @"
    Source good: Ready=True Succeeded: stored artifact: revision 'sha256:ab'
    Chart good: Ready=True ChartPullSucceeded: pulled 'secure-kvs-onboarding' chart with version '0.1.2'
    Release good: revision 1 is deployed
    Job good: creation Job of revision 1: Succeeded
    Database good: CouchDB serves the database
    ");
}

#[test]
fn the_link_of_the_cause_is_broken_and_nothing_behind_it_is_good() {
    let name = "database-exists";
    insta::assert_snapshot!(lines(&chain(&fixture::snapshot(name), name)), @r"
    Source good: Ready=True Succeeded: stored artifact: revision 'sha256:ab'
    Chart good: Ready=True ChartPullSucceeded: pulled 'secure-kvs-onboarding' chart with version '0.1.2'
    Release not known: not read: not in the saved files
    Job broken: SKVS301
    Database not known: it comes after a broken link
    ");
    let mut broken: BTreeMap<Place, usize> = BTreeMap::new();
    for name in fixture::names() {
        let chain = chain(&fixture::snapshot(&name), &name);
        let mut links = chain.links().iter();
        let first = links.find(|link| matches!(link.state, State::Broken { .. }));
        if let Some(link) = first {
            *broken.entry(link.place).or_default() += 1;
        }
        assert!(
            links.all(|link| !matches!(link.state, State::Good(_))),
            "{name}"
        );
    }
    assert_eq!(broken.len(), 5, "{broken:?}");
}

#[test]
fn what_was_not_read_is_never_good() {
    for name in fixture::names() {
        let whole = if name == HEALTHY {
            ready()
        } else {
            fixture::snapshot(&name)
        };
        for (part, take) in PARTS {
            let mut less = whole.clone();
            if !take(&mut less) {
                continue;
            }
            for place in Place::ALL {
                let (before, now) = (is_good(&whole, &name, place), is_good(&less, &name, place));
                assert!(before || !now, "{name} without {part}: {place:?}");
            }
        }
    }
    // What a link is judged by, taken away from the healthy case.
    for (parts, place) in [
        (&["source"][..], Place::Source),
        (&["chart"], Place::Chart),
        (&["revisions"], Place::Release),
        (&["creation Job", "release", "first release"], Place::Job),
        (&["databases"], Place::Database),
        // The notes are in it.
        (&["release"], Place::Database),
    ] {
        let mut less = ready();
        for (part, take) in PARTS {
            if parts.contains(part) {
                take(&mut less);
            }
        }
        assert!(!is_good(&less, HEALTHY, place), "{parts:?}");
        assert!(is_good(&ready(), HEALTHY, place), "{place:?}");
    }
}

#[test]
fn what_is_malformed_old_or_on_its_way_is_not_good() {
    type Change = fn(&mut Snapshot);
    let changes: [(Place, Change); 13] = [
        (Place::Source, |s| {
            s.source
                .seen_mut()
                .unwrap()
                .meta
                .malformed
                .push("spec.url".to_owned());
        }),
        (Place::Source, |s| {
            s.source.seen_mut().unwrap().suspend = Field::Set(true)
        }),
        (Place::Source, |s| s.source = Read::Absent),
        (Place::Chart, |s| {
            s.chart.seen_mut().unwrap().observed_generation = Field::Set(0);
        }),
        (Place::Chart, |s| {
            s.chart.seen_mut().unwrap().version = Field::Set(">=9".to_owned())
        }),
        (Place::Release, |s| {
            s.revisions.seen_mut().unwrap()[0].status = "pending-upgrade".to_owned();
        }),
        (Place::Release, |s| s.helm_release.metadata.generation += 1),
        (Place::Release, |s| s.helm_release.spec.suspend = true),
        (Place::Release, |s| {
            s.revisions.seen_mut().unwrap()[0].revision += 1;
        }),
        (Place::Release, |s| {
            let time = "2026-11-23T20:20:00Z".to_owned();
            s.helm_release.metadata.deletion_timestamp = Some(time);
        }),
        (Place::Release, |s| {
            s.revisions = Read::Seen(Vec::new());
            s.helm_release.status.history.clear();
        }),
        (Place::Job, |s| {
            s.creation_job = Read::Unknown(Why::Failed("timeout".to_owned()));
            s.release.seen_mut().unwrap().hooks.clear();
        }),
        (Place::Database, |s| {
            s.release.seen_mut().unwrap().info.notes.clear();
        }),
    ];
    for (at, (place, change)) in changes.into_iter().enumerate() {
        assert!(is_good(&ready(), HEALTHY, place), "{place:?}");
        let mut changed = ready();
        change(&mut changed);
        assert!(!is_good(&changed, HEALTHY, place), "{at}: {place:?}");
    }
}

#[test]
fn a_job_is_good_only_where_all_of_it_could_be_read() {
    let name = "hook-job-failed";
    let is_job_good = |change: &dyn Fn(&mut Job)| {
        let mut snapshot = fixture::snapshot(name);
        let job = &mut snapshot.creation_job.seen_mut().unwrap().job;
        job.conditions = Conditions::from(vec![Condition {
            kind: "Complete".to_owned(),
            status: "True".to_owned(),
            ..Condition::default()
        }]);
        change(job);
        is_good(&snapshot, name, Place::Job)
    };
    assert!(is_job_good(&|_| {}));
    assert!(!is_job_good(
        &|job| job.conditions.edit()[0].status = "Unknown".to_owned()
    ));
    assert!(!is_job_good(&|job| job
        .meta
        .malformed
        .push("status.active".to_owned())));
}

#[test]
fn a_database_is_good_only_by_couchdbs_answer() {
    for (answer, why) in [
        (Answer::Absent, "CouchDB does not have it"),
        (
            Answer::Unserved {
                why: "500".to_owned(),
            },
            "CouchDB cannot serve it: 500",
        ),
        (
            Answer::NotRead {
                why: "timeout".to_owned(),
            },
            "not read: timeout",
        ),
    ] {
        let mut snapshot = ready();
        let Read::Seen(mut all) = snapshot.on_demand.databases.as_ref().clone() else {
            panic!("CouchDB was asked");
        };
        all.asked.insert("pds_database".to_owned(), answer);
        snapshot.on_demand.databases = Arc::new(Read::Seen(all));
        let case = Case::new(&snapshot, fixture::meta(HEALTHY).now);
        assert_eq!(database(&case), Err(why.to_owned()));
    }
}

#[test]
fn a_code_without_a_place_leaves_the_whole_chain_open() {
    use crate::diagnosis::Finding;
    use crate::diagnosis::rule::Rule;
    use crate::diagnosis::rules::creation_job_failed;
    const STRANGE: Rule = Rule {
        code: "SKVS999",
        ..creation_job_failed::RULE
    };
    static RULE: Rule = STRANGE;
    let snapshot = ready();
    let case = Case::new(&snapshot, fixture::meta(HEALTHY).now);
    let root = Root {
        rule: &RULE,
        finding: Finding::new(case.subject(), "something new"),
        follows: Vec::new(),
    };
    let chain = Chain::judge(&case, &[root]);
    let open = |link: &Link| link.state == State::NotKnown("SKVS999 may break it".to_owned());
    assert!(chain.links().iter().all(open), "{}", lines(&chain));
}
