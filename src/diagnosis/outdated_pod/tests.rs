use super::*;
use crate::diagnosis::fixture;
use crate::model::event::Event;
use crate::snapshot::{Listing, OwnerSet, Read, Related, ServingPod};
use serde_json::{Value, json};

fn pod(claim: &Value) -> ServingPod {
    let owner = json!([{"kind": "StatefulSet", "name": "db", "uid": "u", "controller": true}]);
    let waiting = json!({"reason": "ImagePullBackOff", "message": "db:2: not found"});
    let pod = json!({"metadata": {"namespace": "n", "name": "db-0", "ownerReferences": owner, "labels": {"controller-revision-hash": "db-1"}},
        "spec": {"containers": [{"name": "c", "image": "db:2"}], "volumes": [{"name": "d", "persistentVolumeClaim": claim}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "c", "image": "db:2", "ready": false, "state": {"waiting": waiting}}]}});
    ServingPod {
        pod: Pod::from_value(&pod),
        events: Read::Seen(Listing::default()).into(),
        log: Read::not_needed("x").into(),
    }
}

fn set(revision: &Value, image: &str, uid: &str) -> Read<StatefulSet> {
    let template = json!({"spec": {"containers": [{"name": "c", "image": image}]}});
    Read::Seen(StatefulSet::from_value(
        &json!({"metadata": {"namespace": "n", "name": "db", "uid": uid},
        "spec": {"replicas": 3, "template": template}, "status": {"updateRevision": revision}}),
    ))
}

fn told(pod: &ServingPod, set: Read<StatefulSet>) -> String {
    let name = "couchdb-unreachable";
    let mut snapshot = fixture::snapshot(name);
    let set = OwnerSet {
        namespace: "n".to_owned(),
        name: "db".to_owned(),
        set: set.into(),
    };
    snapshot.on_demand.related = Read::Seen(Related {
        sets: vec![set],
        ..Related::none()
    });
    let now = fixture::meta(name).now;
    let case = Case::new(&snapshot, now);
    let finding = Finding::new(case.subject(), "x");
    let unserving = serving::unserving([pod], now);
    let finding = shown(&case, finding, std::iter::once(&pod.pod), &unserving);
    fixture::reasoned(finding)
}

#[test]
fn a_pod_of_an_older_template_is_deleted_once_if_its_claims_stay() {
    let claim = json!({"claimName": "data-db-0"});
    insta::assert_snapshot!(told(&pod(&claim), set(&json!("db-2"), "db:1", "u")), @"
    Pod n/db-0 is not serving: container c: ImagePullBackOff: db:2: not found.
    Pod n/db-0 was made from an older template (revision db-1) of StatefulSet n/db, which now has a newer one (db-2). There, container c has image db:1.
    It does not replace a pod that is not ready (podManagementPolicy OrderedReady), so the pod keeps the older template until it is ready or deleted.
    x
    Have the pod made from the present template: delete it once. Its claims and their data stay, unless a claim is being deleted (STATUS Terminating): then keep the pod. See that first:
    $ kubectl get -n n persistentvolumeclaims data-db-0
    If none is being deleted:
    $ kubectl delete -n n pod db-0
    If the new pod is not ready either, its events say why:
    $ kubectl describe -n n pod db-0
    ");
    let bare = told(&pod(&json!(null)), set(&json!("db-2"), "db:1", "u"));
    assert!(
        bare.contains("delete it only if that is not needed") && !bare.contains("kubectl delete"),
        "{bare}"
    );
    for odd in [json!(7), json!({"claimName": "--all"})] {
        let all = told(&pod(&odd), set(&json!("db-2"), "db:1", "u"));
        assert!(
            all.contains("\n$ kubectl get -n n persistentvolumeclaims\n"),
            "{odd}: {all}"
        );
    }
}

#[test]
fn no_pod_is_deleted_in_vain() {
    let claim = json!({"claimName": "data-db-0"});
    for (set, said) in [
        // The present template has the same image, or is the pod's own, or is another StatefulSet's.
        (set(&json!("db-2"), "db:2", "u"), None),
        (set(&json!("db-1"), "db:1", "u"), None),
        (set(&json!("db-2"), "db:1", "v"), None),
        (Read::Absent, None),
        (
            set(&json!(7), "db:1", "u"),
            Some("Whether StatefulSet n/db now has a newer template is unknown: it does not say."),
        ),
        (
            Read::Unknown(Why::Forbidden("get statefulsets".to_owned())),
            Some(
                "Whether StatefulSet n/db now has a newer template is unknown: forbidden (get statefulsets).",
            ),
        ),
    ] {
        let all = told(&pod(&claim), set);
        assert!(
            !all.contains("kubectl delete") && all.contains("or push it"),
            "{all}"
        );
        assert_eq!(all.lines().find(|line| line.contains("unknown")), said);
    }
}

/// A pod of the older template, whose present one has another image.
fn with_status(status: &Value, events: &[Value]) -> ServingPod {
    let mut found = pod(&json!(null));
    let owner = json!([{"kind": "StatefulSet", "name": "db", "uid": "u", "controller": true}]);
    let object = json!({"metadata": {"namespace": "n", "name": "db-0", "ownerReferences": owner, "labels": {"controller-revision-hash": "db-1"}},
        "spec": {"nodeName": "w", "containers": [{"name": "c", "image": "db:2"}]}, "status": status});
    found.pod = Pod::from_value(&object);
    let events = events.iter().map(Event::from_value).collect();
    found.events = Read::Seen(Listing::whole(events)).into();
    found
}

#[test]
fn a_pod_whose_fault_a_new_one_would_have_too_keeps_its_own_step() {
    let waiting = |reason: &str| {
        let state = json!({"waiting": {"reason": reason}});
        json!([{"name": "c", "image": "db:2", "ready": false, "state": state}])
    };
    let ready =
        |status: &str, reason: &str| json!([{"type": "Ready", "status": status, "reason": reason}]);
    let running = json!([{"name": "c", "image": "db:2", "ready": false, "state": {"running": {"startedAt": "2026-11-27T04:12:44Z"}}}]);
    let group = json!({"metadata": {"name": "e", "namespace": "n"}, "type": "Warning", "reason": "VolumePermissionChangeInProgress",
        "message": "Setting volume ownership for u/volumes/kubernetes.io~csi/pv/mount, processed 4100000 files."});
    let probe = json!({"metadata": {"name": "e", "namespace": "n"}, "type": "Warning", "reason": "Unhealthy",
        "message": "Readiness probe failed: HTTP probe failed with statuscode: 401"});
    let unscheduled = json!([{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient cpu."}]);
    for (status, events, said) in [
        // A deletion would begin again with the files.
        (
            json!({"phase": "Pending", "containerStatuses": waiting("ContainerCreating")}),
            vec![group],
            "Do not delete the pod",
        ),
        (
            json!({"phase": "Pending", "containerStatuses": waiting("ContainerCreating")}),
            vec![],
            "it is starting",
        ),
        // On a lost node it would stay in deletion.
        (
            json!({"phase": "Running", "containerStatuses": waiting("CrashLoopBackOff"), "conditions": ready("Unknown", "NodeStatusUnknown")}),
            vec![],
            "CrashLoopBackOff",
        ),
        (
            json!({"phase": "Running", "containerStatuses": running, "conditions": ready("False", "ContainersNotReady")}),
            vec![probe],
            "its readiness probe fails",
        ),
        (
            json!({"phase": "Pending", "conditions": unscheduled}),
            vec![],
            "it cannot be scheduled",
        ),
    ] {
        let all = told(
            &with_status(&status, &events),
            set(&json!("db-2"), "db:1", "u"),
        );
        assert!(
            all.contains(said) && !all.contains("kubectl delete"),
            "{said}: {all}"
        );
        let kept = "so the pod keeps the older template until it is ready or deleted.";
        assert!(
            all.contains("now has a newer one (db-2)") && all.contains(kept),
            "{all}"
        );
    }
    let crash = json!({"phase": "Running", "containerStatuses": waiting("CrashLoopBackOff")});
    let all = told(&with_status(&crash, &[]), set(&json!("db-2"), "db:1", "u"));
    assert!(all.contains("A pod that is deleted is made again"), "{all}");
    // The images are the same, or that of the template is not known: what else was changed was not read.
    for image in [json!("db:2"), json!(7)] {
        let template = json!({"spec": {"containers": [{"name": "c", "image": image}]}});
        let set = json!({"metadata": {"namespace": "n", "name": "db", "uid": "u"}, "spec": {"template": template}, "status": {"updateRevision": "db-2"}});
        let all = told(
            &with_status(&crash, &[]),
            Read::Seen(StatefulSet::from_value(&set)),
        );
        assert!(
            !all.contains("kubectl delete") && all.contains("now has a newer one"),
            "{image}: {all}"
        );
    }
}

#[test]
fn a_pod_whose_claim_is_being_deleted_is_never_deleted() {
    let mut pod = pod(&json!({"claimName": "data-db-0"}));
    let said = "0/3 nodes are available: persistentvolumeclaim \"data-db-0\" is being deleted.";
    let object = json!({"metadata": {"namespace": "n", "name": "db-0", "labels": {"controller-revision-hash": "db-1"},
        "ownerReferences": [{"kind": "StatefulSet", "name": "db", "uid": "u", "controller": true}]},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": said}]}});
    pod.pod = Pod::from_value(&object);
    let all = told(&pod, set(&json!("db-2"), "db:1", "u"));
    assert!(
        !all.contains("kubectl delete") && all.contains("Retain"),
        "{all}"
    );
}
