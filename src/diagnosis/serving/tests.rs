use super::*;
use crate::diagnosis::fixture;
use crate::snapshot::{LogEnd, Read, Unread};
use serde_json::{Value, json};

/// The Why and Do of a pod with this status, these events and this log.
fn told_of(object: &Value, events: &[Value], log: Read<LogEnd>) -> String {
    let found = ServingPod {
        pod: Pod::from_value(object),
        events: Read::Seen(Listing::whole(
            events.iter().map(Event::from_value).collect(),
        ))
        .into(),
        log: log.into(),
    };
    let now = "2026-11-27T05:01:00Z".parse().unwrap();
    let pods = unserving([&found], now);
    if pods.is_empty() {
        return "it serves".to_owned();
    }
    let mut finding = shown(Finding::new(pods[0].subject.clone(), ""), &pods);
    finding.sentence = finding.why.join("\n");
    fixture::lines(finding)
}

fn object(status: &Value) -> Value {
    json!({"metadata": {"name": "db-0", "namespace": "n"}, "status": status,
        "spec": {"containers": [{"name": "c", "resources": {"limits": {"memory": "512Mi"}}}]}})
}

/// An event at this time of the hour in which the pod was read.
fn event(reason: &str, message: &str, time: &str) -> Value {
    let kind = if reason == "Killing" || reason.ends_with("ed") && !reason.starts_with("Failed") {
        "Normal"
    } else {
        "Warning"
    };
    json!({"type": kind, "reason": reason, "message": message, "lastTimestamp": format!("2026-11-27T{time}Z")})
}

/// The Why and Do of a pod with this status and these events, which were seen just now.
fn told(status: &Value, events: &[(&str, &str)], log: Read<LogEnd>) -> String {
    let events = events
        .iter()
        .map(|(reason, message)| event(reason, message, "05:00:50"));
    told_of(&object(status), &events.collect::<Vec<_>>(), log)
}

/// The first line of the Why.
fn why(status: &Value, events: &[Value]) -> String {
    let said = told_of(&object(status), events, no_log());
    said.lines().next().unwrap_or_default().to_owned()
}

fn log(text: &str) -> Read<LogEnd> {
    Read::Seen(LogEnd {
        container: "c".to_owned(),
        text: text.to_owned(),
    })
}

fn no_log() -> Read<LogEnd> {
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

const STARTED: &str = "2026-11-27T04:55:08Z";

fn running() -> Value {
    running_after(json!({}))
}

fn running_after(last: Value) -> Value {
    container(false, json!({"running": {"startedAt": STARTED}}), last)
}

fn ended(code: i64, reason: &str, time: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "finishedAt": time}})
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
    // Its own Ready counts before a container's state.
    let mut sidecar = crash_loop(1, "Error");
    sidecar["conditions"][0]["status"] = json!("True");
    assert_eq!(told(&sidecar, &[], no_log()), "it serves");
    let mut going = object(&crash_loop(1, "Error"));
    assert_ne!(told_of(&going, &[], no_log()), "it serves");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-27T05:01:20Z");
    assert_eq!(told_of(&going, &[], no_log()), "it serves");
}

#[test]
fn memory_that_ran_out_has_its_limit() {
    insta::assert_snapshot!(told(&crash_loop(137, "OOMKilled"), &[], no_log()), @"
    Pod n/db-0 is not serving: container c: CrashLoopBackOff: back-off; exited 137 (OOMKilled, memory limit 512Mi).
    Raise the memory limit of container c, or find out why it uses so much memory:
    $ kubectl describe -n n pod db-0
    ");
}

#[test]
fn a_probe_says_what_it_got_and_who_ends_the_container() {
    let restarted = running_after(ended(137, "Error", STARTED));
    let answer = |probe: &str, said: &str| ("Unhealthy", format!("{probe} probe failed: {said}"));
    let killing = (
        "Killing",
        "Container c failed liveness probe, will be restarted",
    );
    let (reason, refused) = answer("Liveness", "HTTP probe failed with statuscode: 401");
    insta::assert_snapshot!(told(&restarted, &[(reason, &refused), killing], no_log()), @"
    Pod n/db-0 is not serving: container c: exited 137; the kubelet keeps restarting it because its liveness probe fails: HTTP probe failed with statuscode: 401.
    Give the probe valid credentials, or point it at a path that needs none:
    $ kubectl describe -n n pod db-0
    ");
    let (reason, late) = answer("Liveness", "context deadline exceeded");
    insta::assert_snapshot!(told(&restarted, &[(reason, &late), killing], no_log()), @"
    Pod n/db-0 is not serving: container c: exited 137; the kubelet keeps restarting it because its liveness probe fails: context deadline exceeded.
    Find out why the probe fails. If the container is only slow, give it more time: a startupProbe, or a larger failureThreshold or timeoutSeconds of that probe:
    $ kubectl describe -n n pod db-0
    ");
    let (reason, late) = answer("Readiness", "context deadline exceeded");
    insta::assert_snapshot!(told(&running(), &[(reason, &late)], no_log()), @"
    Pod n/db-0 is not serving: it is running but not ready: its readiness probe fails: context deadline exceeded.
    The probe gets no answer in time (timeoutSeconds of its readiness probe). See in its log whether it answers later: then raise timeoutSeconds where the container is defined, and find out what slows it down. Restart the pod only if it hangs:
    $ kubectl logs -n n db-0 -c c --tail=50
    ");
    // Another container of the pod is restarted.
    let other = (
        "Killing",
        "Container proxy failed liveness probe, will be restarted",
    );
    let said = told(&restarted, &[other], no_log());
    assert!(
        said.contains("ready.\n") && said.contains("exited 137."),
        "{said}"
    );
}

#[test]
fn a_crash_has_the_end_of_its_log() {
    let of = |text: &str| told(&crash_loop(1, "Error"), &[], log(text));
    insta::assert_snapshot!(of("panic: nil pointer\n\ngoroutine 1 [running]:\n"), @"
    Pod n/db-0 is not serving: container c: CrashLoopBackOff: back-off; exited 1.
    Its log says why: panic: nil pointer
    A panic is a bug in the program: update it, or go back to the previous version. Its last log:
    $ kubectl logs -n n db-0 -c c --previous
    ");
    let unserved = r#"{"level":"error","msg":"m","error":"no matches for kind \"A\" in version \"b.example.io/v1\""}"#;
    insta::assert_snapshot!(of(unserved), @r#"
    Pod n/db-0 is not serving: container c: CrashLoopBackOff: back-off; exited 1.
    The last error in its log: m: no matches for kind "A" in version "b.example.io/v1"
    It uses an API version that the cluster's CRDs do not serve. Apply the CRDs of its release, or go back to the previous release. Served versions:
    $ kubectl api-resources --api-group=b.example.io
    Read the log of the container's last run, and fix the error:
    $ kubectl logs -n n db-0 -c c --previous
    "#);
    insta::assert_snapshot!(of("starting\nbye \u{1b}[31m\u{202e}now\n"), @"
    Pod n/db-0 is not serving: container c: CrashLoopBackOff: back-off; exited 1.
    The last line of its log: bye ^[[31mnow
    Read the log of the container's last run, and fix the error:
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
        events: Read::Unknown(Why::Forbidden("list events in n".to_owned())).into(),
        log: no_log().into(),
    };
    let whys: Vec<String> = of_serving(&found).unwrap().reason.whys().collect();
    assert_eq!(
        whys,
        ["Its events were not read: forbidden (list events in n)."]
    );
}

#[test]
fn a_pod_that_does_not_start_says_why() {
    let pending = json!({"phase": "Pending", "containerStatuses": [{"name": "c", "ready": false,
        "state": {"waiting": {"reason": "ContainerCreating"}}}]});
    let mount = event(
        "FailedMount",
        "MountVolume.SetUp failed for volume \"x\"",
        "04:59:00",
    );
    insta::assert_snapshot!(why(&pending, std::slice::from_ref(&mount)), @r#"Pod n/db-0 is not serving: FailedMount: MountVolume.SetUp failed for volume "x"."#);
    // What was done later does not count.
    let pulled = event("Pulled", "m", "04:59:10");
    insta::assert_snapshot!(why(&pending, &[mount, pulled]), @"Pod n/db-0 is not serving: it is starting: ContainerCreating.");
    insta::assert_snapshot!(why(&pending, &[]), @"Pod n/db-0 is not serving: it is starting: ContainerCreating.");
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]});
    insta::assert_snapshot!(why(&unscheduled, &[]), @"Pod n/db-0 is not serving: it cannot be scheduled: 0/3 nodes.");
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    insta::assert_snapshot!(why(&evicted, &[]), @"Pod n/db-0 is not serving: Evicted: low on memory.");
    let image = container(
        false,
        json!({"waiting": {"reason": "ErrImagePull", "message": "m"}}),
        json!({}),
    );
    insta::assert_snapshot!(why(&image, &[]), @"Pod n/db-0 is not serving: container c: ErrImagePull: m.");
}

#[test]
fn an_earlier_end_is_not_the_present_reason() {
    let not_found = event(
        "Unhealthy",
        "Readiness probe failed: HTTP probe failed with statuscode: 404",
        "05:00:50",
    );
    for (code, reason) in [(137, "OOMKilled"), (1, "Error")] {
        let old = running_after(ended(code, reason, "2026-10-02T00:00:00Z"));
        let said = told_of(&object(&old), std::slice::from_ref(&not_found), no_log());
        assert!(said.starts_with("Pod n/db-0 is not serving: it is running but not ready: its readiness probe fails: HTTP probe failed with statuscode: 404.\n"), "{said}");
        assert!(
            said.contains(&format!(
                "before this one ended at 2026-10-02T00:00:00Z: exited {code}"
            )),
            "{said}"
        );
        assert!(said.ends_with("--tail=50"), "{said}");
    }
    for (waiting, code, reason) in [
        ("ImagePullBackOff", 137, "OOMKilled"),
        ("CreateContainerConfigError", 143, "Error"),
    ] {
        let waits = container(
            false,
            json!({"waiting": {"reason": waiting, "message": "m"}}),
            ended(code, reason, "2026-11-27T04:00:00Z"),
        );
        let killing = event(
            "Killing",
            "Container c failed liveness probe, will be restarted",
            "04:10:00",
        );
        let said = told_of(&object(&waits), &[killing], log("bye"));
        assert_eq!(
            said,
            format!(
                "Pod n/db-0 is not serving: container c: {waiting}: m.\nFind out why it is not ready, and fix it:\n$ kubectl describe -n n pod db-0"
            )
        );
    }
    // A usual start after an end.
    let starts = container(
        false,
        json!({"waiting": {"reason": "ContainerCreating"}}),
        ended(1, "Error", "2026-11-27T04:00:00Z"),
    );
    assert_eq!(
        why(&starts, &[]),
        "Pod n/db-0 is not serving: it is starting: ContainerCreating."
    );
}

#[test]
fn a_probe_counts_if_it_led_to_the_end() {
    let killing = |time: &str| {
        event(
            "Killing",
            "Container c failed liveness probe, will be restarted",
            time,
        )
    };
    let exit = |time: &str| {
        container(
            false,
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}),
            ended(1, "Error", &format!("2026-11-27T{time}Z")),
        )
    };
    let own = "Pod n/db-0 is not serving: container c: CrashLoopBackOff: back-off; exited 1.";
    assert_eq!(why(&exit("04:57:00"), &[killing("04:10:00")]), own);
    assert_eq!(why(&exit("04:57:00"), &[killing("04:56:29")]), own);
    assert!(
        why(&exit("04:57:00"), &[killing("04:56:30")])
            .contains("keeps restarting it because its liveness probe fails")
    );
    // Without a time it is not known.
    assert_eq!(why(&crash_loop(1, "Error"), &[killing("04:56:30")]), own);
    let mut timeless = killing("04:56:30");
    timeless["lastTimestamp"] = json!(null);
    assert_eq!(why(&exit("04:57:00"), &[timeless]), own);
    // The present run has outlived it.
    let late = event("Unhealthy", "Readiness probe failed: x", "05:00:50");
    let runs = running_after(ended(0, "Completed", STARTED));
    let survived = [killing("04:56:00"), late.clone()];
    assert!(why(&runs, &survived).ends_with("its readiness probe fails: x."));
    assert!(why(&runs, &[killing("05:00:30"), late]).contains("liveness probe fails"));
    // Longer to end.
    let mut slow = object(&exit("04:57:00"));
    slow["spec"]["terminationGracePeriodSeconds"] = json!(300);
    assert!(told_of(&slow, &[killing("04:53:00")], no_log()).contains("liveness probe fails"));
}

#[test]
fn a_probe_of_another_container_or_run_or_of_none_says_nothing() {
    let failed = |kind: &str, time: &str, container: &str| {
        let mut event = event("Unhealthy", &format!("{kind} probe failed: x"), time);
        event["involvedObject"] = json!({"fieldPath": format!("spec.containers{{{container}}}")});
        event
    };
    let bare = "Pod n/db-0 is not serving: it is running but not ready.";
    assert_eq!(
        why(&running(), &[failed("Readiness", "05:00:50", "exporter")]),
        bare
    );
    assert_eq!(
        why(&running(), &[failed("Readiness", "04:50:00", "c")]),
        bare
    );
    assert!(
        why(&running(), &[failed("Readiness", "05:00:50", "c")])
            .ends_with("its readiness probe fails: x.")
    );
    let killing = event(
        "Killing",
        "Container c failed liveness probe, will be restarted",
        "05:00:40",
    );
    let restarted = running_after(ended(137, "Error", STARTED));
    let said = why(
        &restarted,
        &[failed("Liveness", "05:00:40", "exporter"), killing],
    );
    assert!(
        said.ends_with(
            "liveness probe fails: Container c failed liveness probe, will be restarted."
        ),
        "{said}"
    );
    // All containers are ready.
    let gate = |conditions: Value| {
        json!({"phase": "Running", "conditions": conditions,
        "containerStatuses": [{"name": "c", "ready": true, "state": {"running": {}}}]})
    };
    let gates = gate(
        json!([{"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": "gate x/y"}]),
    );
    let first = event("Unhealthy", "Readiness probe failed: refused", "03:10:05");
    assert_eq!(
        why(&gates, std::slice::from_ref(&first)),
        "Pod n/db-0 is not serving: it is running but not ready: gate x/y."
    );
    let lost = gate(json!([{"type": "Ready", "status": "False"}]));
    assert_eq!(
        why(&lost, &[first]),
        "Pod n/db-0 is not serving: it is running but not ready; its node may be unreachable."
    );
    let unheard =
        gate(json!([{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]));
    insta::assert_snapshot!(why(&unheard, &[]), @"Pod n/db-0 is not serving: it is not known whether it is ready (NodeStatusUnknown); its node may be unreachable.");
}

#[test]
fn a_pod_that_is_to_be_gone_says_so() {
    let mut going = object(&container(true, json!({"running": {}}), json!({})));
    going["metadata"]["deletionTimestamp"] = json!("2026-11-27T04:00:00Z");
    insta::assert_snapshot!(told_of(&going, &[], no_log()), @"
    Pod n/db-0 is not serving: it is being deleted and should have been gone at 2026-11-27T04:00:00Z.
    Find out why it is not ready, and fix it:
    $ kubectl describe -n n pod db-0
    ");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-27T05:01:20Z");
    assert_eq!(told_of(&going, &[], no_log()), "it serves");
}

#[test]
fn a_malformed_status_gives_no_cause() {
    let mut odd = crash_loop(1, "Error");
    odd["containerStatuses"][0]["ready"] = json!("yes");
    insta::assert_snapshot!(told(&odd, &[], no_log()), @"
    Pod n/db-0 is not serving: it is running but not ready.
    Its status has malformed fields.
    Find out why it is not ready, and fix it:
    $ kubectl describe -n n pod db-0
    ");
    let state = container(false, json!("odd"), json!("odd"));
    insta::assert_snapshot!(told(&state, &[], no_log()), @"
    Pod n/db-0 is not serving: it is running but not ready.
    Its status has malformed fields.
    Find out why it is not ready, and fix it:
    $ kubectl describe -n n pod db-0
    ");
    let conditions = json!({"phase": "Running", "conditions": "odd",
        "containerStatuses": [{"name": "c", "ready": true, "state": {"running": {}}}]});
    insta::assert_snapshot!(told(&conditions, &[("FailedScheduling", "0/3 nodes")], no_log()), @"
    Pod n/db-0 is not serving: it is not known whether it is ready.
    Its status has malformed fields.
    Find out why it is not ready, and fix it:
    $ kubectl describe -n n pod db-0
    ");
}

#[test]
fn the_log_of_another_container_says_nothing() {
    let mut status = container(
        false,
        json!({"terminated": {"exitCode": 1, "reason": "Error"}}),
        json!({}),
    );
    let exporter = json!({"name": "exporter", "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended(2, "Error", STARTED)});
    status["containerStatuses"]
        .as_array_mut()
        .unwrap()
        .push(exporter);
    let of = |container: &str| {
        let log = LogEnd {
            container: container.to_owned(),
            text: "bye".to_owned(),
        };
        told(&status, &[], Read::Seen(log))
    };
    // Its first run: no earlier one has a log.
    insta::assert_snapshot!(of("c"), @"
    Pod n/db-0 is not serving: container c: exited 1.
    The last line of its log: bye
    Read the log of the container's last run, and fix the error:
    $ kubectl logs -n n db-0 -c c --tail=50
    ");
    assert!(!of("exporter").contains("bye"));
}

#[test]
fn a_process_that_never_ran_has_no_log() {
    let status = container(
        false,
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}),
        json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": "exec: \"couchdb\": permission denied, password=hunter2"}}),
    );
    insta::assert_snapshot!(told(&status, &[], no_log()), @r#"
    Pod n/db-0 is not serving: container c: CrashLoopBackOff: back-off; exited 128 (StartError: exec: "couchdb": permission denied, password=<scrubbed>).
    couchdb in its image may not be executed: the file is there, and the user that the container runs as has no execute permission.
    This is about the file's mode, not about rights in Kubernetes or CouchDB.
    Have the image built with the execute permission (chmod +x couchdb), or go back to the tag that worked. Its events say more:
    $ kubectl describe -n n pod db-0
    "#);
}

#[test]
fn memory_without_a_limit_is_the_nodes() {
    let mut pod = object(&crash_loop(137, "OOMKilled"));
    pod["spec"]["containers"][0]["resources"] = json!(null);
    insta::assert_snapshot!(told_of(&pod, &[], no_log()), @"
    Pod n/db-0 is not serving: container c: CrashLoopBackOff: back-off; exited 137 (OOMKilled).
    Check the memory of its node, or whether a limit is set:
    $ kubectl describe -n n pod db-0
    ");
    let own = pod["spec"]["containers"].take();
    pod["spec"]["initContainers"] = own;
    pod["spec"]["initContainers"][0]["resources"] = json!({"limits": {"memory": "1Gi"}});
    assert!(told_of(&pod, &[], no_log()).contains("memory limit 1Gi"));
}

#[test]
fn a_container_says_how_it_ended_or_why_it_waits() {
    let lead = "Pod n/db-0 is not serving: container c: ";
    let none = || json!({});
    for (state, last, said) in [
        (
            json!({"waiting": {"reason": "ErrImagePull"}}),
            none(),
            "ErrImagePull.",
        ),
        (
            json!({"terminated": {"exitCode": 128, "reason": "ContainerCannotRun"}}),
            none(),
            "exited 128 (ContainerCannotRun).",
        ),
        (json!({"terminated": {"exitCode": 3}}), none(), "exited 3."),
    ] {
        let said_of = why(&container(false, state, last), &[]);
        assert_eq!(said_of, format!("{lead}{said}"));
    }
    let mut unlimited = crash_loop(137, "OOMKilled");
    unlimited["containerStatuses"][0]["name"] = json!("other");
    let said = why(&unlimited, &[]);
    assert!(said.ends_with("exited 137 (OOMKilled)."), "{said}");
    // One that waits counts before one that runs again.
    let mut two = container(
        false,
        json!({"running": {}}),
        json!({"terminated": {"exitCode": 1}}),
    );
    let waits = json!({"name": "w", "ready": false, "state": {"waiting": {"reason": "ErrImagePull", "message": "m"}}});
    two["containerStatuses"].as_array_mut().unwrap().push(waits);
    assert_eq!(
        why(&two, &[]),
        "Pod n/db-0 is not serving: container w: ErrImagePull: m."
    );
}

#[test]
fn only_a_container_that_ended_badly_has_a_log_of_its_end() {
    let panic = || log("panic: x");
    let ended = container(false, json!({"terminated": {"exitCode": 3}}), json!({}));
    assert!(told(&ended, &[], panic()).contains("Its log says why: panic: x"));
    let said = told(&crash_loop(0, "Completed"), &[], panic());
    assert!(!said.contains("panic"), "{said}");
    assert!(said.contains("$ kubectl describe"), "{said}");
}

#[test]
fn the_log_is_that_of_the_container_whose_probe_fails() {
    let fails = ("Unhealthy", "Startup probe failed: timeout");
    let status = |name: &str, is_ready: bool, state: Value| json!({"name": name, "ready": is_ready, "state": state});
    let mut many = running();
    many["containerStatuses"] = json!([
        status("ready", true, json!({"running": {}})),
        status("done", false, json!({"terminated": {"exitCode": 0}})),
        status("slow", false, json!({"running": {}})),
    ]);
    insta::assert_snapshot!(told(&many, &[fails], no_log()), @"
    Pod n/db-0 is not serving: it is running but not ready: its startup probe fails: timeout.
    Check its log to see why the probe fails; restart the pod if it hangs:
    $ kubectl logs -n n db-0 -c slow --tail=50
    ");
    // It is not known whose probe it is.
    many["containerStatuses"] = json!([]);
    insta::assert_snapshot!(told(&many, &[fails], no_log()), @"
    Pod n/db-0 is not serving: it is running but not ready.
    Find out why it is not ready, and fix it:
    $ kubectl describe -n n pod db-0
    ");
}

#[test]
fn a_usual_start_is_no_fault() {
    for reason in ["ContainerCreating", "PodInitializing"] {
        let mut starts = container(
            false,
            json!({"waiting": {"reason": reason, "message": "m"}}),
            json!({}),
        );
        starts["phase"] = json!("Pending");
        assert_eq!(
            why(&starts, &[]),
            format!("Pod n/db-0 is not serving: it is starting: {reason}.")
        );
    }
}

#[test]
fn a_probe_that_couchdb_answers_too_late_needs_more_time() {
    let late = "Readiness probe failed: Get \"http://10.0.0.1:5984/_up\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
    let probe = |probe: Value, text: &str| {
        let mut object = object(&running());
        object["spec"]["containers"][0]["readinessProbe"] = probe;
        let events = [event("Unhealthy", late, "05:00:50")];
        told_of(&object, &events, log(text))
    };
    let up = |end: &str| format!("[notice] 2026-11-27T05:00:00Z a GET /_up {end}\n");
    let answered = up("200 ok 2341");
    insta::assert_snapshot!(probe(json!({"timeoutSeconds": 2}), &answered), @r#"
    Pod n/db-0 is not serving: it is running but not ready: its readiness probe fails: Get "http://10.0.0.1:5984/_up": context deadline exceeded (Client.Timeout exceeded while awaiting headers).
    CouchDB answers 200, but only after up to 2,341 ms (timeoutSeconds of its readiness probe is 2). Raise timeoutSeconds where the container is defined, and find out what slows CouchDB down (CPU limit, disk, indexing):
    $ kubectl describe -n n pod db-0
    "#);
    let default = probe(json!({"httpGet": {}}), &answered);
    assert!(default.contains("probe is 1)"), "{default}");
    let fast = probe(json!({"timeoutSeconds": 2}), &up("200 ok 3"));
    assert!(!fast.contains("answers 200"), "{fast}");
    for odd in [json!(7), json!({"timeoutSeconds": "x"})] {
        let said = probe(odd, &up("404 ok 9"));
        assert!(
            said.contains("(timeoutSeconds of its readiness probe)"),
            "{said}"
        );
    }
    // An error in the log says more than the probe.
    let error = probe(
        json!({}),
        "[error] 2026-11-27T05:00:00Z a emulator -------- Too many processes",
    );
    assert!(
        error.contains("+P") && !error.contains("timeoutSeconds"),
        "{error}"
    );
}

#[test]
fn a_member_that_waits_comes_after_those_that_do_not_run() {
    let found = |name: &str, status: &Value, events: &[Value]| ServingPod {
        pod: Pod::from_value(
            &json!({"metadata": {"name": name, "namespace": "n"}, "status": status,
            "spec": {"containers": [{"name": "couchdb"}]}}),
        ),
        events: Read::Seen(Listing::whole(
            events.iter().map(Event::from_value).collect(),
        ))
        .into(),
        log: no_log().into(),
    };
    let mut waits = running();
    waits["containerStatuses"][0]["name"] = json!("couchdb");
    let up = "Readiness probe failed: HTTP probe failed with statuscode: 404";
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/6 nodes are available: 2 node(s) didn't match pod topology spread constraints, 4 node(s) had volume node affinity conflict. preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling."}]});
    let pods = [
        found("db-0", &waits, &[event("Unhealthy", up, "05:00:50")]),
        found("db-1", &unscheduled, &[]),
    ];
    let pods = unserving(&pods, "2026-11-27T05:01:00Z".parse().unwrap());
    let finding = shown(Finding::new(pods[0].subject.clone(), ""), &pods);
    insta::assert_snapshot!(fixture::reasoned(finding), @"
    Pod n/db-1 is not serving: it cannot be scheduled: 0/6 nodes are available: 2 node(s) didn't match pod topology spread constraints, 4 node(s) had volume node affinity conflict. preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.

    Its volume can only be used on some nodes, and the pod's topologySpreadConstraints allow no further pod there: set whenUnsatisfiable: ScheduleAnyway or a larger maxSkew where the pod is defined. Do not delete the claim or the volume, which hold the data. One node that takes it is enough:
    $ kubectl describe -n n pod db-1
    ");
}

#[test]
fn few_pods_are_shown_and_whose_they_are_by_name_alone_is_said() {
    let found = |name: &str| ServingPod {
        pod: Pod::from_value(
            &json!({"metadata": {"name": name, "namespace": "n"}, "status": crash_loop(1, "Error")}),
        ),
        events: Read::Seen(Listing::default()).into(),
        log: no_log().into(),
    };
    let pods = ["a", "b", "c", "d"].map(found);
    let mut all = unserving(&pods, "2026-11-27T05:01:00Z".parse().unwrap());
    assert_eq!(all.len(), SHOWN);
    let said = |pods: &[Unserving<'_>]| {
        let finding = with_reasons(Finding::new(pods[0].subject.clone(), ""), pods);
        assert!(finding.fix.is_empty());
        let observed = finding.evidence.into_iter().map(|e| e.observed);
        (finding.why.concat(), observed.collect::<Vec<_>>())
    };
    let (why, observed) = said(&all);
    assert!(!why.contains("Only its name"), "{why}");
    let sure = "container c: CrashLoopBackOff: back-off; exited 1";
    assert_eq!(observed, [sure; SHOWN]);
    all[0].is_doubtful = true;
    let (why, observed) = said(&all);
    assert!(
        why.ends_with(" Only its name suggests whose it is."),
        "{why}"
    );
    let doubtful = format!("{sure} (by its name; it may be another workload's)");
    assert_eq!(observed, [doubtful.as_str(), sure, sure]);
}

#[test]
fn what_was_not_needed_is_not_unknown() {
    let of = |why: Why| not_read::<()>(Err(Unread::new("its pods", why)), "x");
    assert_eq!(of(Why::NotNeeded("n".to_owned())), None);
    assert!(of(Why::Forbidden("list pods in n".to_owned())).is_some());
    let said = told(&crash_loop(1, "Error"), &[], no_log());
    assert!(!said.contains("not read"), "{said}");
    let cut = Some(Why::NotAsked(
        "only the first 200 events were read".to_owned(),
    ));
    let found = ServingPod {
        pod: Pod::from_value(&json!({"status": running()})),
        events: Read::Seen(Listing::new(Vec::new(), cut)).into(),
        log: no_log().into(),
    };
    let whys: Vec<String> = of_serving(&found).unwrap().reason.whys().collect();
    assert_eq!(
        whys,
        ["Its events were not read: only the first 200 events were read."]
    );
}

#[test]
fn a_pod_whose_files_get_their_group_only_has_to_wait() {
    let of = |context: &Value| {
        let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
        let pod = json!({"metadata": {"name": "db-0", "namespace": "n", "ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": true}]},
            "spec": {"securityContext": context}, "status": {"phase": "Pending", "containerStatuses": [{"name": "c", "ready": false, "state": waiting}]}});
        let summary = "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: context deadline exceeded";
        let change = "Setting volume ownership for a/mount, processed 4100000 files.";
        let events = [
            event("VolumePermissionChangeInProgress", change, "05:00:40"),
            event("FailedMount", summary, "05:00:50"),
        ];
        let found = ServingPod {
            pod: Pod::from_value(&pod),
            events: Read::Seen(Listing::whole(
                events.iter().map(Event::from_value).collect(),
            ))
            .into(),
            log: no_log().into(),
        };
        let pods = unserving([&found], "2026-11-27T05:01:00Z".parse().unwrap());
        fixture::reasoned(shown(Finding::new(pods[0].subject.clone(), ""), &pods))
    };
    insta::assert_snapshot!(of(&json!({"fsGroup": 5984})), @"
    Pod n/db-0 is not serving: the kubelet gives every file of a volume the group 5984 before the pod starts (securityContext.fsGroup): Setting volume ownership for a/mount, processed 4100000 files.

    Wait: the pod starts once the kubelet has changed all files. Do not delete the pod, which would begin again. The number of files in its events should grow:
    $ kubectl describe -n n pod db-0
    So that later starts do not repeat it, set securityContext.fsGroupChangePolicy: OnRootMismatch in the pod template of StatefulSet n/db: the kubelet then changes the files only if the volume's own folder has another group.
    ");
    let step = "fsGroupChangePolicy: OnRootMismatch";
    assert!(of(&json!({"fsGroup": 1, "fsGroupChangePolicy": "Always"})).contains(step));
    for other in [
        json!({"fsGroup": 1, "fsGroupChangePolicy": "OnRootMismatch"}),
        json!({"fsGroup": 1, "fsGroupChangePolicy": 7}),
        json!({"fsGroup": "x"}),
        json!(null),
    ] {
        let all = of(&other);
        assert!(
            all.contains("Wait:") && !all.contains(step),
            "{other}: {all}"
        );
    }
}
