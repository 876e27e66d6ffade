//! Saved files in a cluster's place: what is not in them is not known, and the diagnosis says so.

use super::super::exec::Place;
use super::super::helm_releases::Query;
use super::super::{Cluster, ClusterError};
use crate::bundle::Archive;
use crate::diagnosis::{Case, Diagnosis, diagnose, fixture};
use crate::snapshot::{Read, Snapshot, Why};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;

const NOT_SAVED: &str = "not in the saved files";

fn cluster(texts: &[String]) -> Cluster {
    let folder = tempfile::TempDir::new().unwrap();
    for (number, text) in texts.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number}.log")), text).unwrap();
    }
    // Named one by one: how a file's name ends is of no matter then.
    let paths: Vec<_> = (0..texts.len())
        .map(|n| folder.path().join(format!("{n}.log")))
        .collect();
    let archive = Archive::load(&paths, false, &mut std::io::empty()).unwrap();
    Cluster::saved(archive, 0)
}

async fn snapshot(cluster: &Cluster, object: &Value) -> Result<Snapshot, ClusterError> {
    let selector = crate::model::helm_release::ONBOARDING_SELECTOR;
    let others = cluster.other_onboardings("flux-system", selector).await;
    cluster.snapshot(object.clone(), &others).await
}

#[tokio::test]
async fn kustomizations_that_are_not_saved_are_not_known() {
    let (object, texts) = saved("ready");
    let read = cluster(&texts).read_kustomizations().await;
    let why = Why::NotAsked(NOT_SAVED.to_owned());
    assert_eq!(read, Read::Unknown(why), "{object}");
}

/// The parts of a snapshot that one request each brings.
fn parts(snapshot: &Snapshot) -> Vec<(&'static str, Read<()>)> {
    fn told<T: Clone>(read: &Read<T>) -> Read<()> {
        read.clone().map(|_| ())
    }
    vec![
        ("chart", told(&snapshot.chart)),
        ("source", told(&snapshot.source)),
        ("revisions", told(&snapshot.revisions)),
        ("release", told(&snapshot.release)),
        ("creation job", told(&snapshot.creation_job)),
        ("events", told(&snapshot.events)),
        ("target namespace", told(&snapshot.target_namespace)),
        ("service account", told(&snapshot.service_account)),
        ("policy", told(&snapshot.policy)),
    ]
}

/// The onboarding of a fixture, and what kubectl would have saved: every object and every log.
fn saved(case: &str) -> (Value, Vec<String>) {
    let documents = fixture::documents(case);
    let saved = documents
        .iter()
        .filter_map(|document| match document["kind"].as_str() {
            // The bundle keeps neither CouchDB's answers nor reviews among the objects.
            Some("Databases" | "SubjectAccessReview") => None,
            Some("PodLog") => Some(fixture::prefixed(document)),
            _ => Some(document.to_string()),
        });
    (documents[0].clone(), saved.collect())
}

fn look(snapshot: &Snapshot, case: &str) -> Diagnosis {
    diagnose(&Case::new(snapshot, fixture::meta(case).now))
}

#[tokio::test]
async fn what_is_not_saved_is_not_known_and_never_absent() {
    let (onboarding, _) = saved("database-exists-recorded");
    let cluster = cluster(&[onboarding.to_string()]);
    let snapshot = snapshot(&cluster, &onboarding).await.unwrap();
    for (part, read) in parts(&snapshot) {
        let Read::Unknown(Why::NotAsked(why)) = read else {
            panic!("{part}: {read:?}");
        };
        let indirect = part == "policy" && why.starts_with("the release");
        assert!(why == NOT_SAVED || indirect, "{part}: {why}");
    }
    assert_eq!(snapshot.others.if_read().map(Vec::len), Some(1));
    let elsewhere = snapshot.not_elsewhere.as_ref().map(Why::clause);
    assert_eq!(elsewhere.as_deref(), Some("only the saved files were read"));
    let empty = super::super::helm_releases::is_not_installed;
    let none = cluster.helm_release::<Value>("flux-system", "other").await;
    assert!(none.is_err_and(|e| e.is_not_saved() && !empty(&e)));
}

#[tokio::test]
async fn what_files_cannot_do_is_refused() {
    let (onboarding, _) = saved("database-exists-recorded");
    let cluster = cluster(&[onboarding.to_string()]);
    let place = Place {
        namespace: "secure-kvs",
        pod: "db-0",
        container: "couchdb",
    };
    let command = ["true".to_owned()];
    #[expect(clippy::disallowed_methods, reason = "there is no cluster")]
    let ran = cluster.exec(&place, &command, b"", Duration::from_secs(1));
    assert!(ran.await.is_err_and(|e| e.is_not_saved()));
    let mut watch = cluster.watch_helm_releases(&Query::default(), "1");
    assert!(watch.next().await.is_err_and(|e| e.is_not_saved()));
}

#[tokio::test]
async fn a_fixture_that_has_a_finding_is_never_told_as_fine() {
    for case in fixture::names() {
        let (onboarding, texts) = saved(&case);
        let cluster = cluster(&texts);
        let snapshot = snapshot(&cluster, &onboarding).await.unwrap();
        let diagnosis = look(&snapshot, &case);
        let told = !diagnosis.roots.is_empty() || !diagnosis.not_run.is_empty();
        assert!(told || fixture::meta(&case).expect.is_empty(), "{case}");
        for (part, read) in parts(&snapshot) {
            assert!(!read.is_absent(), "{case}: {part} is told to be absent");
        }
    }
}

#[tokio::test]
async fn the_log_that_kubectl_saved_names_the_cause() {
    let case = "database-exists-recorded";
    let (onboarding, texts) = saved(case);
    let snapshot = snapshot(&cluster(&texts), &onboarding).await.unwrap();
    let codes: Vec<&str> = look(&snapshot, case)
        .roots
        .iter()
        .map(|r| r.rule.code)
        .collect();
    assert_eq!(codes, fixture::meta(case).expect);
}

/// All places in a value, as JSON pointers.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{at}/{key}"), all);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                places(value, &format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn objects_that_are_half_missing_panic_nowhere(
        holes in proptest::collection::vec((any::<prop::sample::Index>(), 0..5usize), 1..6),
        dropped in any::<prop::sample::Index>(),
    ) {
        let case = "database-exists-recorded";
        let (onboarding, mut texts) = saved(case);
        texts.remove(dropped.index(texts.len()));
        let mut broken = Vec::new();
        for text in texts {
            let Ok(mut object) = serde_json::from_str::<Value>(&text) else {
                broken.push(text);
                continue;
            };
            let mut all = Vec::new();
            places(&object, "", &mut all);
            for (hole, filled) in &holes {
                let with = [json!(null), json!("\u{1b}[31m"), json!([]), json!({}), json!(-1)];
                if let Some(place) = object.pointer_mut(&all[hole.index(all.len())]) {
                    *place = with[*filled].clone();
                }
            }
            broken.push(object.to_string());
        }
        broken.push(onboarding.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (logs, objects): (Vec<_>, Vec<_>) =
                broken.into_iter().partition(|t| t.starts_with("[pod/"));
            let objects: Vec<_> = objects.into_iter().filter(|t| t.starts_with('{')).collect();
            let files: Vec<String> = [objects.join("\n")].into_iter().chain(logs).collect();
            let cluster = cluster(&files);
            let list = cluster.all_helm_releases::<Value>(&Query::default()).await.unwrap();
            for object in list.into_items() {
                if let Ok(snapshot) = snapshot(&cluster, &object).await {
                    look(&snapshot, case);
                }
            }
        });
    }
}
