use super::*;
use crate::diagnosis::fixture;
use crate::snapshot::{Read, Why};
use serde_json::{Value, json};

/// Its attempt: from 20:20:10 to 20:20:15 on 2026-11-23.
const CASE: &str = "upgrade-hook-failed-middle";
const HOOK: &str = "post-upgrade";

fn at(second: u8) -> String {
    format!("2026-11-23T20:20:{second}Z")
}

/// A Job of that hook that was created in the attempt and ended so, with `change` laid over it.
fn job(name: &str, end: Option<(&str, u8)>, change: Value) -> Job {
    let conditions: Vec<Value> = end
        .map(|(kind, second)| json!({"type": kind, "status": "True", "lastTransitionTime": at(second)}))
        .into_iter()
        .collect();
    let mut object = json!({
        "metadata": {"namespace": "core", "name": name, "creationTimestamp": at(11), "annotations": {"helm.sh/hook": HOOK}},
        "status": {"conditions": conditions},
    });
    fixture::case::merge(&mut object, &change);
    Job::from_value(&object)
}

/// The name of the Job that is found among these.
fn found(jobs: Listing<Job>, timed_out: bool) -> Option<String> {
    let mut snapshot = fixture::snapshot(CASE);
    snapshot.on_demand.hook_jobs = Read::Seen(jobs);
    let case = Case::new(&snapshot, fixture::meta(CASE).now);
    of_attempt(&case, HOOK, timed_out).map(|job| job.name)
}

fn failed(change: Value) -> Job {
    job("pds-database-index", Some(("Failed", 14)), change)
}

#[test]
fn the_only_failed_job_of_the_hook_and_the_time_is_named() {
    let one = |job: Job| found(Listing::whole(vec![job]), false);
    assert_eq!(
        one(failed(json!({}))).as_deref(),
        Some("pds-database-index")
    );
    for other in [
        json!({"metadata": {"annotations": {"helm.sh/hook": "pre-upgrade"}}}),
        json!({"metadata": {"creationTimestamp": at(16)}}),
        json!({"metadata": {"creationTimestamp": "2026-11-22T20:20:11Z"}}),
        json!({"status": {"conditions": [{"type": "Failed", "status": "True", "lastTransitionTime": at(20)}]}}),
        json!({"status": {"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": at(14)}]}}),
        json!({"status": {"conditions": []}}),
    ] {
        assert_eq!(one(failed(other.clone())), None, "{other}");
    }
    let two = vec![
        failed(json!({})),
        failed(json!({"metadata": {"name": "b"}})),
    ];
    assert_eq!(found(Listing::whole(two), false), None);
    let cut = Why::NotAsked("only the first 1 jobs were read".to_owned());
    assert_eq!(
        found(Listing::new(vec![failed(json!({}))], Some(cut)), false),
        None
    );
}

#[test]
fn a_job_of_another_release_is_not_named() {
    let one = |change: Value| found(Listing::whole(vec![failed(change)]), false);
    let own = "core-skvs-onboarding-pds--database";
    let labelled = |key: &str, value: &Value| {
        let mut object = json!({"metadata": {"labels": {}}});
        object["metadata"]["labels"][key] = value.clone();
        one(object)
    };
    for key in RELEASE {
        assert!(labelled(key, &json!(own)).is_some(), "{key}");
        assert_eq!(labelled(key, &json!("billing")), None, "{key}");
        assert_eq!(labelled(key, &json!(7)), None, "{key}");
    }
    let made_by = json!({"helm.toolkit.fluxcd.io/name": "billing", "helm.toolkit.fluxcd.io/namespace": "flux-system"});
    assert_eq!(one(json!({"metadata": {"labels": made_by}})), None);
}

#[test]
fn a_job_that_another_onboarding_explains_is_not_named() {
    let other = json!({"metadata": {"namespace": "flux-system", "name": "other"}, "spec": {"targetNamespace": "core",
        "values": {"namespace": "pds", "database": "database_old"}}});
    let find = |name: &str, others: Read<Vec<HelmRelease>>| {
        let mut snapshot = fixture::snapshot(CASE);
        let job = failed(json!({"metadata": {"name": name}}));
        snapshot.on_demand.hook_jobs = Read::Seen(Listing::whole(vec![job]));
        snapshot.others = std::sync::Arc::new(others);
        let case = Case::new(&snapshot, fixture::meta(CASE).now);
        of_attempt(&case, HOOK, false).is_some()
    };
    let others = || Read::Seen(vec![HelmRelease::from_value(&other).unwrap()]);
    assert!(!find("pds-database-old-index", others()));
    assert!(!find("core-other-index", others()));
    assert!(find("pds-database-index", others()));
    assert!(find("index", others()));
    // An onboarding that was not read may explain it.
    assert!(!find("index", Read::failed("timeout")));
    assert!(find("pds-database-index", Read::failed("timeout")));
}

#[test]
fn a_job_that_ended_before_helm_gave_up_is_not_what_was_too_slow() {
    let one = |end: Option<(&str, u8)>, change: Value| {
        found(
            Listing::whole(vec![job("pds-database-index", end, change)]),
            true,
        )
        .is_some()
    };
    assert!(one(None, json!({})));
    assert!(one(Some(("Complete", 40)), json!({})));
    assert!(one(Some(("Failed", 40)), json!({})));
    assert!(!one(Some(("Complete", 14)), json!({})));
    assert!(!one(Some(("Failed", 14)), json!({})));
    // When it was complete is not known.
    assert!(!one(None, json!({"status": {"succeeded": 1}})));
    assert!(!one(None, json!({"status": {"succeeded": "1"}})));
}

#[test]
fn beside_a_job_that_cannot_be_judged_none_is_named() {
    let doubtful = |change: Value| {
        let other = failed(change);
        found(Listing::whole(vec![failed(json!({})), other]), false)
    };
    assert_eq!(doubtful(json!({"metadata": {"annotations": 7}})), None);
    assert_eq!(
        doubtful(json!({"metadata": {"creationTimestamp": 7}})),
        None
    );
    assert_eq!(doubtful(json!({"metadata": {"labels": 7}})), None);
    let of_another = json!({"metadata": {"labels": {"release": "billing"}}});
    assert!(doubtful(of_another).is_some());
}
