use super::*;
use crate::couchdb::Target;
use crate::couchdb::pods::PodState;
use crate::couchdb::response::{Membership, Server};
use crate::couchdb::survey::Survey;
use crate::diagnosis::{Case, diagnose, fixture};
use crate::model::inventory::{Entry, State};
use crate::model::ownership::Claimant;
use crate::model::source;
use crate::snapshot::{Read, Why};
use crate::view::contexts::{Documents, InContext, Unread};
use crate::view::json_schema::faults;
use crate::view::report::Onboarding;
use crate::view::schema::{is_in_docs, strict};
use serde_json::{Value, json};

/// A report on the cases of these names.
pub(crate) fn report(cases: &[&str]) -> Report {
    let looked = cases.iter().map(|name| {
        let snapshot = fixture::snapshot(name);
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let mut onboarding = Onboarding::new(&case, diagnose(&case));
        // What a fixture does not hold is not what is tested here.
        onboarding.not_run.clear();
        onboarding
    });
    Report::new(looked.collect(), None, Vec::new())
}

fn survey(up: &[&str], members: &[&str]) -> Survey {
    let names = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect();
    Survey {
        target: Target::example(5984),
        server: Read::Seen(Server {
            couchdb: "Welcome".to_owned(),
            version: "3.3.3".to_owned(),
            uuid: String::new(),
        }),
        membership: Read::Seen(Membership {
            all_nodes: names(up),
            cluster_nodes: names(members),
        }),
        names: Default::default(),
        serving: Default::default(),
    }
}

fn pods(ready: &[bool]) -> Vec<PodState> {
    let pod = |(at, ready): (usize, &bool)| PodState {
        name: format!("db-{at}"),
        uid: format!("u{at}"),
        ready: *ready,
    };
    ready.iter().enumerate().map(pod).collect()
}

pub(crate) fn entry(name: &str, state: State, claimants: &[&str]) -> Entry {
    let claimant = |id: &&str| Claimant::HelmRelease {
        id: (*id).to_owned(),
        suspended: false,
        deployed: None,
    };
    Entry {
        name: name.to_owned(),
        state,
        claimants: claimants.iter().map(claimant).collect(),
        settled: true,
        why: None,
    }
}

pub(crate) fn databases() -> Databases {
    let two = ["flux-system/a", "flux-system/b"];
    Databases::new(
        &[
            entry("orphan_db", State::Orphan, &[]),
            entry("pds_database", State::Shared, &two),
            entry("kilo_orders", State::InUse, &["flux-system/a"]),
            entry("lima_events", State::InUse, &["flux-system/b"]),
            entry("_users", State::System, &[]),
        ],
        true,
    )
}

pub(crate) fn couchdb() -> CouchDb {
    let all = ["n0", "n1", "n2"];
    let pods = pods(&[true, true, true]);
    CouchDb::new("secure-kvs", Some(&pods), Some(&survey(&all, &all))).0
}

pub(crate) fn repository() -> Value {
    json!({"kind": "HelmRepository", "metadata": {"namespace": "flux-system", "name": "r", "generation": 2},
        "spec": {"url": "https://charts"},
        "status": {"observedGeneration": 2, "artifact": {"lastUpdateTime": "2026-11-20T12:00:00Z"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored"}]}})
}

fn source(object: &Value) -> Source {
    Source::new(
        "HelmRepository flux-system/r".to_owned(),
        2,
        &Read::Seen(source::Source::from_value(object, "HelmRepository")),
    )
}

/// A status that nothing is wrong with, as `change` leaves it.
pub(crate) fn status(cases: &[&str], change: impl FnOnce(&mut Parts)) -> Status {
    let mut parts = Parts {
        namespace: Some("flux-system".to_owned()),
        onboardings: Counts {
            ready: 2,
            ..Counts::default()
        },
        report: report(cases),
        databases: databases(),
        couchdb: couchdb(),
        sources: vec![source(&repository())],
        not_read: Vec::new(),
    };
    change(&mut parts);
    Status::from(parts)
}

#[test]
fn only_what_was_read_whole_and_is_well_is_fine() {
    let code = |cases: &[&str], change: fn(&mut Parts)| status(cases, change).code();
    assert_eq!(code(&[], |_| {}), Code::Ok);
    // A warning is not an error, as for troubleshoot.
    assert_eq!(code(&["suspended"], |_| {}), Code::Ok);
    assert_eq!(code(&["database-exists"], |_| {}), Code::Findings);
    let unread: fn(&mut Parts) = |parts| parts.not_read.push(NotRead::new("Secrets", "forbidden"));
    assert_eq!(code(&[], unread), Code::Failed);
    assert_eq!(code(&["database-exists"], unread), Code::Findings);
    let not_run: fn(&mut Parts) = |parts| {
        parts.report.not_run.push(crate::diagnosis::NotRun {
            codes: vec!["SKVS302"],
            what: "other namespaces".to_owned(),
            why: "forbidden".to_owned(),
        });
    };
    assert_eq!(code(&[], not_run), Code::Failed);
    let unknown: fn(&mut Parts) = |parts| {
        let read = Read::Unknown(Why::Forbidden("get helmrepositories".to_owned()));
        parts.sources = vec![Source::new("HelmRepository n/r".to_owned(), 1, &read)];
    };
    assert_eq!(code(&[], unknown), Code::Failed);
    let down: fn(&mut Parts) = |parts| parts.couchdb.members.as_mut().unwrap()[1].up = false;
    assert_eq!(code(&[], down), Code::Findings);
    let failing: fn(&mut Parts) = |parts| {
        let mut object = repository();
        object["status"]["conditions"][0]["status"] = json!("False");
        parts.sources = vec![source(&object)];
    };
    assert_eq!(code(&[], failing), Code::Findings);
    let gone: fn(&mut Parts) = |parts| {
        parts.sources = vec![Source::new(
            "HelmRepository n/r".to_owned(),
            1,
            &Read::Absent,
        )];
    };
    assert_eq!(code(&[], gone), Code::Findings);
    let unserved: fn(&mut Parts) = |parts| {
        parts.databases = Databases::new(&[entry("a_b", State::Unserved, &[])], true);
    };
    assert_eq!(code(&[], unserved), Code::Findings);
}

#[test]
fn members_are_up_as_the_one_that_was_asked_sees_them() {
    let of = |up: &[&str], members: &[&str], ready: &[bool]| {
        CouchDb::new("secure-kvs", Some(&pods(ready)), Some(&survey(up, members)))
    };
    let all = ["n0", "n1", "n2"];
    let (well, why) = of(&all, &all, &[true; 3]);
    assert_eq!(
        (well.words().as_str(), why),
        ("3.3.3, 3 of 3 members up, 3 of 3 pods ready", None)
    );
    assert!(!well.has_error());
    let (down, _) = of(&["n0", "n2", "stranger"], &all, &[true, false, true]);
    assert_eq!(
        down.words(),
        "3.3.3, 2 of 3 members up (not up: n1), 2 of 3 pods ready (not ready: db-1)"
    );
    assert!(down.has_error());
    let (none, why) = of(&all, &[], &[true; 3]);
    assert_eq!(none.members, None);
    assert_eq!(why.unwrap(), "CouchDB names no member of its cluster");
    let (unread, _) = CouchDb::new("secure-kvs", None, None);
    assert_eq!(unread.words(), "members not known, pods not known");
    assert!(!unread.has_error());
}

#[test]
fn databases_are_counted_and_named_by_state() {
    let all = databases();
    assert_eq!(all.words(), "4: 1 orphan, 1 shared, 2 in-use");
    let names: Vec<&str> = all.attention.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["orphan_db", "pds_database"]);
    assert_eq!(
        all.attention[1].claimed_by,
        ["HelmRelease flux-system/a", "HelmRelease flux-system/b"]
    );
    // Without CouchDB's list there are no counts, and what is shared is still known.
    let shared = entry("pds_database", State::Shared, &["n/a", "n/b"]);
    let claimed = Databases::new(&[shared], false);
    assert_eq!(
        (claimed.words().as_str(), claimed.attention.len()),
        ("not known", 1)
    );
    assert_eq!(Databases::new(&[], true).words(), "none");
}

#[test]
fn a_source_is_ready_only_if_flux_says_so_of_its_present_spec() {
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let words = |change: fn(&mut Value)| {
        let mut object = repository();
        change(&mut object);
        let source = source(&object);
        let words = source.words(now);
        let words = words
            .strip_prefix("HelmRepository flux-system/r: ")
            .unwrap();
        (words.to_owned(), source.not_read().is_some())
    };
    let said = |words: &str, unread: bool| (words.to_owned(), unread);
    assert_eq!(words(|_| {}), said("Ready, last changed 4d ago", false));
    assert_eq!(
        words(|o| o["status"]["artifact"] = json!({})),
        said("Ready, when its last changed is not known", false)
    );
    assert_eq!(
        words(|o| o["status"]["artifact"] = Value::Null),
        said("not read: it is Ready and has no artifact", true)
    );
    assert_eq!(
        words(|o| o["spec"]["suspend"] = json!(true)),
        said(
            "suspended, so no new chart arrives, last changed 4d ago",
            false
        )
    );
    let failing: fn(&mut Value) = |o| {
        let failed = json!({"type": "FetchFailed", "status": "True", "reason": "Failed", "message": "401\u{1b}[2J"});
        o["status"]["conditions"] = json!([failed]);
    };
    assert_eq!(
        words(failing),
        said("not ready, last changed 4d ago: 401^[[2J", false)
    );
    for change in [
        (|o| o["metadata"]["generation"] = json!(3)) as fn(&mut Value),
        |o| o["status"]["conditions"] = json!([]),
        // Of an older spec, such as a URL that has been mended since.
        |o| {
            o["status"]["conditions"] =
                json!([{"type": "FetchFailed", "status": "True", "observedGeneration": 1}])
        },
        |o| o["status"]["conditions"][0]["observedGeneration"] = json!(1),
        |o| o["status"]["conditions"][0]["status"] = json!("Unknown"),
    ] {
        let (words, unread) = words(change);
        assert!(words.starts_with("not looked at by Flux yet"), "{words}");
        assert!(unread);
    }
    assert_eq!(
        words(|o| o["status"]["conditions"] = json!("Ready")),
        said("not read: malformed: status.conditions", true)
    );
    assert_eq!(
        words(|o| {
            o["spec"]["type"] = json!("oci");
            o["status"] = json!({});
        }),
        said("an OCI registry, of which Flux keeps no state", false)
    );
    let absent = Source::new("HelmRepository n/r".to_owned(), 1, &Read::Absent);
    assert_eq!(absent.words(now), "HelmRepository n/r: does not exist");
}

#[test]
fn docs_schema_is_that_of_the_types() {
    is_in_docs("status", &strict::<Status>("Status", "status"));
    is_in_docs("status-list", &status_list());
}

fn status_list() -> Value {
    strict::<Documents<Status>>("StatusList", "status-list")
}

#[test]
fn the_statuses_of_several_clusters_fit_the_schema_and_a_stranger_does_not() {
    let item = InContext {
        context: "prod".to_owned(),
        document: status(&["suspended"], |_| {}),
    };
    let unread = vec![Unread::new("lab", "refused")];
    let mut value = json!(Documents::new("StatusList", vec![item], unread));
    assert_eq!(faults(&status_list(), &value), [""; 0]);
    value["items"][0]["stranger"] = json!(1);
    assert!(!faults(&status_list(), &value).is_empty());
}

#[test]
fn every_status_fits_the_schema_and_a_stranger_does_not() {
    let schema = strict::<Status>("Status", "status");
    let unread = |parts: &mut Parts| {
        parts.namespace = None;
        parts.couchdb = CouchDb::new("secure-kvs", None, None).0;
        parts.databases = Databases::new(&[], false);
        parts.sources = vec![Source::new(
            "HelmRepository n/r".to_owned(),
            1,
            &Read::Absent,
        )];
        parts.not_read = vec![NotRead::new("CouchDB", "forbidden")];
    };
    for status in [
        status(&["database-exists", "suspended"], |_| {}),
        status(&[], unread),
    ] {
        let value = serde_json::to_value(&status).unwrap();
        assert_eq!(faults(&schema, &value), [""; 0]);
    }
    for place in ["", "/databases", "/couchdb", "/sources/0", "/causes/0"] {
        let mut value = serde_json::to_value(status(&["database-exists"], |_| {})).unwrap();
        let object = value.pointer_mut(place).and_then(Value::as_object_mut);
        object.unwrap().insert("stranger".to_owned(), json!(1));
        assert!(!faults(&schema, &value).is_empty(), "{place}");
    }
}
