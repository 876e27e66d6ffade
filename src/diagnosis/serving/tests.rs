use super::*;
use crate::diagnosis::fixture;
use serde_json::{Value, json};

/// What is said of a pod with this status, these events (reason and message) and this log.
fn told(status: &Value, events: &[(&str, &str)], log: Read<String>) -> String {
    let object = json!({"metadata": {"name": "db-0", "namespace": "n"}, "status": status,
        "spec": {"containers": [{"name": "c", "resources": {"limits": {"memory": "512Mi"}}}]}});
    let events = events.iter().map(|(reason, message)| {
        Event::from_value(&json!({"type": "Warning", "reason": reason, "message": message}))
    });
    let found = ServingPod {
        pod: Pod::from_value(&object),
        events: Read::Seen(Listing::whole(events.collect())),
        log,
    };
    let Some(pod) = of_serving(&found) else {
        return "it serves".to_owned();
    };
    let mut finding = shown(Finding::new(pod.subject.clone(), ""), &[pod]);
    finding.sentence = finding.why.join("\n");
    fixture::lines(finding)
}

fn no_log() -> Read<String> {
    Read::not_needed("no container ended by itself")
}

fn container(is_ready: bool, state: Value, last: Value) -> Value {
    json!({"phase": "Running", "conditions": [{"type": "Ready", "status": if is_ready { "True" } else { "False" }}],
        "containerStatuses": [{"name": "c", "ready": is_ready, "state": state, "lastState": last}]})
}

fn crash_loop(code: i64, reason: &str) -> Value {
    container(
        false,
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}),
        json!({"terminated": {"exitCode": code, "reason": reason}}),
    )
}

fn running() -> Value {
    container(false, json!({"running": {}}), json!({}))
}

#[test]
fn one_that_is_ready_or_goes_serves() {
    let ready = container(
        true,
        json!({"running": {}}),
        json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
    );
    let probe = ("Unhealthy", "Readiness probe failed: x");
    assert_eq!(told(&ready, &[probe], no_log()), "it serves");
}

#[test]
fn memory_that_ran_out_has_its_limit() {
    insta::assert_snapshot!(told(&crash_loop(137, "OOMKilled"), &[], no_log()), @"
    Pod n/db-0 does not serve: container c: CrashLoopBackOff: back-off; exited 137 (OOMKilled, memory limit 512Mi).
    Raise the memory limit of container c, or find out what it needs so much for:
    $ kubectl describe -n n pod db-0
    ");
}

#[test]
fn a_probe_says_what_it_got_and_who_ends_the_container() {
    let restarted = container(
        false,
        json!({"running": {}}),
        json!({"terminated": {"exitCode": 137, "reason": "Error"}}),
    );
    let answer = |probe: &str, said: &str| ("Unhealthy", format!("{probe} probe failed: {said}"));
    let killing = (
        "Killing",
        "Container c failed liveness probe, will be restarted",
    );
    let (reason, refused) = answer("Liveness", "HTTP probe failed with statuscode: 401");
    insta::assert_snapshot!(told(&restarted, &[(reason, &refused), killing], no_log()), @"
    Pod n/db-0 does not serve: container c: exited 137; the kubelet restarts it, because its liveness probe fails: HTTP probe failed with statuscode: 401.
    Give the probe credentials that are accepted, or have it ask a path that needs none:
    $ kubectl describe -n n pod db-0
    ");
    let (reason, late) = answer("Liveness", "context deadline exceeded");
    insta::assert_snapshot!(told(&restarted, &[(reason, &late), killing], no_log()), @"
    Pod n/db-0 does not serve: container c: exited 137; the kubelet restarts it, because its liveness probe fails: context deadline exceeded.
    Find out why it does not answer, or give it more time if it is only slow: a startupProbe, or a larger failureThreshold or timeoutSeconds of that probe:
    $ kubectl describe -n n pod db-0
    ");
    let (reason, late) = answer("Readiness", "context deadline exceeded");
    insta::assert_snapshot!(told(&running(), &[(reason, &late)], no_log()), @"
    Pod n/db-0 does not serve: it runs and is not ready: its readiness probe fails: context deadline exceeded.
    Find out in its log why it does not answer its probe; restart it if it hangs:
    $ kubectl logs -n n db-0 -c c --tail=50
    ");
    // Another container of the pod is restarted.
    let other = (
        "Killing",
        "Container proxy failed liveness probe, will be restarted",
    );
    let said = told(&restarted, &[other], no_log());
    assert!(said.contains("container c: exited 137."), "{said}");
}

#[test]
fn a_crash_has_the_end_of_its_log() {
    let of = |log: &str| told(&crash_loop(1, "Error"), &[], Read::Seen(log.to_owned()));
    insta::assert_snapshot!(of("panic: nil pointer\n\ngoroutine 1 [running]:\n"), @"
    Pod n/db-0 does not serve: container c: CrashLoopBackOff: back-off; exited 1.
    Its log says why: panic: nil pointer
    A panic is an error in the program itself: update it, or go back to the version before. Its last log:
    $ kubectl logs -n n db-0 -c c --previous
    ");
    let unserved = r#"{"level":"error","msg":"m","error":"no matches for kind \"A\" in version \"b.example.io/v1\""}"#;
    insta::assert_snapshot!(of(unserved), @r#"
    Pod n/db-0 does not serve: container c: CrashLoopBackOff: back-off; exited 1.
    Its log ends with an error: m: no matches for kind "A" in version "b.example.io/v1"
    It asks for a version that the cluster's CRDs do not have yet. Apply the CRDs of its own release, or go back to the release before. The versions that are served:
    $ kubectl api-resources --api-group=b.example.io
    Read its container's last log, and fix the error in it:
    $ kubectl logs -n n db-0 -c c --previous
    "#);
    insta::assert_snapshot!(of("starting\nbye \u{1b}[31m\u{202e}now\n"), @"
    Pod n/db-0 does not serve: container c: CrashLoopBackOff: back-off; exited 1.
    The last line of its log: bye ^[[31mnow
    Read its container's last log, and fix the error in it:
    $ kubectl logs -n n db-0 -c c --previous
    ");
}

#[test]
fn a_log_or_events_that_were_not_read_are_not_empty() {
    let refused = || Read::Unknown(Why::Forbidden("get pods/log in n".to_owned()));
    let said = told(&crash_loop(1, "Error"), &[], refused());
    let unknown = "Its log was not read: forbidden (get pods/log in n).";
    assert!(said.contains(unknown), "{said}");
    // Memory that ran out is not explained by a log.
    assert!(!told(&crash_loop(137, "OOMKilled"), &[], refused()).contains("not read"));
    let object = json!({"metadata": {"name": "db-0", "namespace": "n"}, "status": running()});
    let found = ServingPod {
        pod: Pod::from_value(&object),
        events: Read::Unknown(Why::Forbidden("list events in n".to_owned())),
        log: no_log(),
    };
    let whys: Vec<String> = of_serving(&found).unwrap().reason.whys().collect();
    assert_eq!(
        whys,
        ["Its events were not read: forbidden (list events in n)."]
    );
}

#[test]
fn a_pod_that_does_not_start_says_why() {
    let why = |status: Value, events: &[(&str, &str)]| {
        let said = told(&status, events, no_log());
        said.lines().next().unwrap_or_default().to_owned()
    };
    let pending = json!({"phase": "Pending", "containerStatuses": [{"name": "c", "ready": false,
        "state": {"waiting": {"reason": "ContainerCreating"}}}]});
    let mount = ("FailedMount", "MountVolume.SetUp failed for volume \"x\"");
    insta::assert_snapshot!(why(pending.clone(), &[mount]), @r#"Pod n/db-0 does not serve: FailedMount: MountVolume.SetUp failed for volume "x"."#);
    // It starts.
    assert_eq!(why(pending, &[]), "it serves");
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]});
    insta::assert_snapshot!(why(unscheduled, &[]), @"Pod n/db-0 does not serve: no node takes it: 0/3 nodes.");
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    insta::assert_snapshot!(why(evicted, &[]), @"Pod n/db-0 does not serve: Evicted: low on memory.");
    let image = container(
        false,
        json!({"waiting": {"reason": "ErrImagePull", "message": "m"}}),
        json!({}),
    );
    insta::assert_snapshot!(why(image, &[]), @"Pod n/db-0 does not serve: container c: ErrImagePull: m.");
}
