use super::*;
use crate::cluster::test_server::{self, page};
use serde_json::{Value, json};

const NAME: &str = "pds-database-create";

/// A pod with the Job's label, made by the Job of this UID.
fn pod(name: &str, by: &str) -> Value {
    let owner = json!({"kind": "Job", "name": NAME, "uid": by, "controller": true});
    json!({"metadata": {"name": name, "namespace": "core", "ownerReferences": [owner]}})
}

/// What is read of the Job with UID `1-a` where the server answers so.
async fn found(answers: &[Value]) -> CreationJob {
    let (cluster, _) = test_server::cluster(answers);
    let job = json!({"metadata": {"name": NAME, "namespace": "core", "uid": "1-a"}});
    let id = JobId {
        namespace: "core".to_owned(),
        name: NAME.to_owned(),
    };
    let found = with_pods(&cluster, &id, Job::from_value(&job)).await;
    found.job.if_read().unwrap().clone()
}

#[tokio::test]
async fn the_older_pods_of_a_job_are_not_forgotten() {
    let none = || page("v1", "Event", &[], "");
    let pod = |n: u8| {
        let mut pod = pod(&format!("p{n}"), "1-a");
        pod["metadata"]["creationTimestamp"] = json!(format!("2026-11-23T20:1{n}:00Z"));
        pod
    };
    let listed = |number: u8, token: &str| {
        let pods: Vec<Value> = (0..number).map(pod).collect();
        page("v1", "Pod", &pods, token)
    };
    let read = async |pods: Value| {
        let found = found(&[pods, none(), none(), none(), none()]).await;
        let pods = found.pods.if_read().unwrap().clone();
        let (known, not_all) = pods.into_parts();
        let names: Vec<String> = known.into_iter().map(|p| p.pod.meta.name).collect();
        (names.join(" "), not_all.map(|why| why.clause()))
    };
    let newest = |names: &str, why: &str| (names.to_owned(), Some(why.to_owned()));
    assert_eq!(read(listed(3, "")).await, ("p2 p1 p0".to_owned(), None));
    assert_eq!(
        read(listed(5, "")).await,
        newest("p4 p3 p2", "only the newest 3 of its 5 pods were read")
    );
    assert_eq!(
        read(listed(2, "more")).await,
        newest("p1 p0", "only the first 2 pods were read")
    );
    assert_eq!(
        read(listed(0, "more")).await,
        newest("", "only the first 0 pods were read")
    );
}

#[tokio::test]
async fn the_newest_job_is_not_known_in_a_list_that_was_cut() {
    let hr = HelmRelease::from_value(&json!({"metadata": {"name": "a", "namespace": "n"}}));
    let job = json!({"metadata": {"name": NAME, "namespace": "n", "annotations": {"helm.sh/hook": "pre-install"}}});
    let of = async |jobs: &[Value], token: &str| {
        let none = page("v1", "Event", &[], "");
        let pods = page("v1", "Pod", &[], "");
        let jobs = page("batch/v1", "Job", jobs, token);
        let (cluster, _) = test_server::cluster(&[jobs, pods, none]);
        of_release(&cluster, hr.as_ref().unwrap(), &Read::Absent)
            .await
            .job
    };
    let jobs = [job];
    assert_eq!(of(&jobs, "").await.if_read().unwrap().job.meta.name, NAME);
    for (jobs, why) in [
        (&jobs[..], "only the first 1 jobs were read"),
        (&[], "only the first 0 jobs were read"),
    ] {
        let cut = of(jobs, "more").await;
        assert_eq!(cut.unknown().map(Why::clause).as_deref(), Some(why));
    }
    let none = of(&[], "").await;
    assert_eq!(
        none.unknown().unwrap().clause(),
        "no release, failure, label or name leads to a Job"
    );
}

#[tokio::test]
async fn the_pods_of_a_former_job_of_that_name_are_not_this_ones() {
    let none = page("v1", "Event", &[], "");
    let pods = [pod("own", "1-a"), pod("former", "2-b")];
    let found = found(&[page("v1", "Pod", &pods, ""), none.clone(), none]).await;
    let pods = found.pods.if_read().unwrap();
    let pods = pods.all().unwrap().iter();
    let names: Vec<&str> = pods.map(|p| p.pod.meta.name.as_str()).collect();
    assert_eq!(names, ["own"]);
}

#[test]
fn a_job_found_by_its_name_alone_is_a_hook_and_not_older_than_the_onboarding() {
    let hr = |made: Value| {
        HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "flux-system", "creationTimestamp": made}
        }))
        .unwrap()
    };
    let job = |hook: &str, made: &str| {
        let metadata = json!({"annotations": {hook: "pre-install"}, "creationTimestamp": made});
        Job::from_value(&json!({"metadata": metadata}))
    };
    let (early, late) = ("2026-11-23T20:14:00Z", "2026-11-23T20:15:00Z");
    let onboarding = hr(json!(early));
    assert!(may_be_of(&job("helm.sh/hook", late), &onboarding));
    assert!(may_be_of(&job("helm.sh/hook", early), &onboarding));
    assert!(
        !may_be_of(&job("helm.sh/hook", early), &hr(json!(late))),
        "older"
    );
    assert!(!may_be_of(&job("other", late), &onboarding), "not a hook");
    assert!(
        !may_be_of(&job("helm.sh/hook", "soon"), &onboarding),
        "malformed"
    );
    assert!(
        !may_be_of(&job("helm.sh/hook", late), &hr(json!(null))),
        "missing"
    );
    assert!(!may_be_of(&Job::from_value(&json!(7)), &onboarding));
}

#[test]
fn the_failure_names_the_job() {
    let message = "Helm install failed for release core/core-a with chart c@0.1.2: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']";
    let hr = HelmRelease::from_value(&json!({
        "metadata": {"name": "a", "namespace": "flux-system"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "InstallFailed", "message": message},
            {"type": "Released", "status": "False", "reason": "InstallFailed", "message": message}]}
    }))
    .unwrap();
    let id = of_failure(&hr).unwrap();
    assert_eq!(
        (id.namespace.as_str(), id.name.as_str()),
        ("core", "pds-database-create")
    );
}

#[test]
fn the_hook_that_failed_is_the_one() {
    let hook = |name: &str, phase: &str, manifest: &str| {
        serde_json::from_value::<Hook>(
            json!({"name": name, "kind": "Job", "events": ["pre-install"],
            "manifest": manifest, "last_run": {"phase": phase}}),
        )
        .unwrap()
    };
    let hooks = [
        hook("first", "Succeeded", ""),
        hook(
            "x",
            "Failed",
            "kind: Job\nmetadata:\n  name: second\n  namespace: other\n",
        ),
    ];
    let id = of_hooks(&hooks, "core").unwrap();
    assert_eq!(
        (id.namespace.as_str(), id.name.as_str()),
        ("other", "second")
    );
    let id = of_hooks(&hooks[..1], "core").unwrap();
    assert_eq!((id.namespace.as_str(), id.name.as_str()), ("core", "first"));
    assert!(of_hooks(&[], "core").is_none());
}
