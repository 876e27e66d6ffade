use super::deleted::RETAIN;
use super::*;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::fixture;
use crate::model::claim::StorageClass;
use crate::model::event::Event;
use crate::model::field::Field;
use crate::model::placement::Volume;
use crate::snapshot::{CouchPods, Read, ServingPod, Why};
use serde_json::{Value, json};

fn waited(name: &str, claim: Read<Value>) -> WaitedClaim {
    let why = "a test does not need it";
    WaitedClaim {
        namespace: "n".to_owned(),
        name: name.to_owned(),
        claim: claim.map(|claim| Claim::from_value(&claim)).into(),
        events: Read::Seen(Listing::default()).into(),
        class: Read::not_needed(why).into(),
        volume: Read::not_needed(why).into(),
    }
}

fn forbidden<T>() -> Read<T> {
    Read::Unknown(Why::Forbidden("as a test has it".to_owned()))
}

const WHEN: &str = "2026-11-27T04:12:44Z";

/// A claim that is being deleted, with its volume.
fn deleted(name: &str, bound: &Value, volume: Read<Value>) -> WaitedClaim {
    let claim = json!({"metadata": {"name": name, "namespace": "n", "deletionTimestamp": WHEN},
        "spec": {"volumeName": bound}, "status": {"phase": "Bound"}});
    WaitedClaim {
        volume: volume.map(|volume| Volume::from_value(&volume)).into(),
        ..waited(name, Read::Seen(claim))
    }
}

fn volume(policy: &Value) -> Read<Value> {
    Read::Seen(
        json!({"metadata": {"name": "pv"}, "spec": {"persistentVolumeReclaimPolicy": policy}}),
    )
}

fn pending(name: &str, class: &Value) -> WaitedClaim {
    let claim = json!({"metadata": {"name": name, "namespace": "n", "uid": "new"},
        "spec": {"storageClassName": class}, "status": {"phase": "Pending"}});
    waited(name, Read::Seen(claim))
}

fn told_of(claims: &[WaitedClaim], related: &Related) -> String {
    let claims: Vec<&WaitedClaim> = claims.iter().collect();
    let finding = Finding::new(Subject::new("Pod", "n", "db-0"), "x");
    fixture::reasoned(of_claims(finding, &claims, related))
}

fn told(claims: &[WaitedClaim]) -> String {
    told_of(claims, &Related::none())
}

#[test]
fn the_data_of_claims_that_are_being_deleted_is_kept_first() {
    let bound = waited(
        "d",
        Read::Seen(json!({"metadata": {"name": "d"}, "status": {"phase": "Bound"}})),
    );
    insta::assert_snapshot!(told(&[
        deleted("a", &json!("pv-a"), volume(&json!("Delete"))),
        deleted("b", &json!("pv-b"), volume(&json!("Retain"))),
        deleted("c", &json!("pv-c"), forbidden()),
        bound,
    ]), @r#"
    PersistentVolumeClaims n/a, n/b, n/c are being deleted (since 2026-11-27T04:12:44Z): no new pod can use such a claim, and Kubernetes removes it as soon as nothing uses it.
    Whether PersistentVolume pv-c of PersistentVolumeClaim n/c stays without it is unknown: forbidden (as a test has it).
    The reclaim policy of PersistentVolume pv-a is Delete: the data is lost with the claim.
    PersistentVolume pv-b stays with the data (reclaim policy Retain).
    x
    Have the volumes stay when their claims go, before anything else is changed:
    $ kubectl patch pv pv-a -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
    $ kubectl patch pv pv-c -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
    Find out who deletes the claims, and stop it: a deletion cannot be taken back. Check that every volume of the workload's claims says Retain, also of those that are not being deleted:
    $ kubectl get pv
    See what still uses the claims (Used By):
    $ kubectl describe -n n persistentvolumeclaim a
    $ kubectl describe -n n persistentvolumeclaim b
    $ kubectl describe -n n persistentvolumeclaim c
    Only once all of these volumes say Retain, let the claims go. Then remove spec.claimRef.uid of the volumes: otherwise new claims of the same names get empty volumes
    "#);
}

#[test]
fn a_claim_that_is_lost_or_bound_by_now_is_said_to_be() {
    let of = |phase: &str| {
        let claim = json!({"metadata": {"name": "d", "namespace": "n"}, "spec": {"volumeName": "pv"}, "status": {"phase": phase}});
        waited("d", Read::Seen(claim))
    };
    insta::assert_snapshot!(told(&[of("Lost")]), @"
    PersistentVolumeClaim n/d is Lost: the volume that such a claim had no longer exists. Its data may still be in the storage system.
    x
    Find out in the storage system whether the disk still exists, before the claim is deleted or created again. Its former volume is in spec.volumeName:
    $ kubectl describe -n n persistentvolumeclaim d
    ");
    insta::assert_snapshot!(told(&[of("Bound")]), @"
    PersistentVolumeClaim n/d is Bound now, and not being deleted: the scheduler's message is older than that.
    x
    ");
    // One of them is not.
    let both = told(&[of("Bound"), waited("e", forbidden())]);
    assert!(!both.contains("older than that"), "{both}");
}

#[test]
fn of_several_default_classes_the_newest_counts() {
    let mut related = classes(&[("old", "true"), ("new", "true")], None);
    let listed = related.classes.seen_mut().unwrap();
    for (class, created) in listed
        .known_mut()
        .iter_mut()
        .zip(["2026-01-05T00:00:00Z", "2026-11-27T00:00:00Z"])
    {
        class.meta.created = Field::Set(created.to_owned());
    }
    let said = told_of(&[pending("d", &json!(null))], &related);
    assert!(
        said.contains("StorageClass new is now the default"),
        "{said}"
    );
}

#[test]
fn no_way_to_let_claims_go_takes_others_along() {
    let all = told(&[deleted("a", &json!("pv-a"), volume(&json!("Delete")))]);
    assert!(!all.contains("scale"), "{all}");
    let (used, go) = (
        "(Used By):\n$ kubectl describe -n n persistentvolumeclaim a\n",
        "Only once all of these volumes say Retain, let the claims go.",
    );
    let places =
        [RETAIN, "of the workload's claims says Retain", used, go].map(|part| all.find(part));
    assert!(
        places.is_sorted() && places[0].is_some(),
        "{places:?} {all}"
    );
}

#[test]
fn a_volume_that_is_deleted_too_or_does_not_exist_is_not_one_that_stays() {
    let going = |policy: &str, deleted: Value| {
        let metadata = json!({"name": "pv", "deletionTimestamp": deleted});
        let spec = json!({"persistentVolumeReclaimPolicy": policy});
        Read::Seen(json!({"metadata": metadata, "spec": spec}))
    };
    insta::assert_snapshot!(told(&[
        deleted("a", &json!("pv-a"), going("Retain", json!(WHEN))),
        deleted("b", &json!("pv-b"), going("Delete", json!(WHEN))),
        deleted("c", &json!("pv-c"), Read::Absent),
        deleted("d", &json!("pv-d"), going("Retain", json!(7))),
    ]), @r#"
    PersistentVolumeClaims n/a, n/b, n/c and 1 more are being deleted (since 2026-11-27T04:12:44Z): no new pod can use such a claim, and Kubernetes removes it as soon as nothing uses it.
    PersistentVolume pv-a of PersistentVolumeClaim n/a is being deleted too (since 2026-11-27T04:12:44Z): Kubernetes removes it once the claim is gone.
    PersistentVolume pv-b of PersistentVolumeClaim n/b is being deleted too (since 2026-11-27T04:12:44Z): Kubernetes removes it once the claim is gone.
    The volume of PersistentVolumeClaim n/c does not exist: PersistentVolume pv-c.
    Whether PersistentVolume pv-d of PersistentVolumeClaim n/d stays without it is unknown: metadata.deletionTimestamp is malformed.
    x
    Have the volumes stay when their claims go, before anything else is changed:
    $ kubectl patch pv pv-b -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
    $ kubectl patch pv pv-d -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
    Keep a copy of each volume that is being deleted: it says which disk has the data. With Retain, that disk stays:
    $ kubectl get pv pv-a -o yaml
    $ kubectl get pv pv-b -o yaml
    Find out in the storage system whether the disk of PersistentVolume pv-c still exists
    Find out who deletes the claims, and stop it: a deletion cannot be taken back. Check that every volume of the workload's claims says Retain, also of those that are not being deleted:
    $ kubectl get pv
    See what still uses the claims (Used By):
    $ kubectl describe -n n persistentvolumeclaim a
    $ kubectl describe -n n persistentvolumeclaim b
    $ kubectl describe -n n persistentvolumeclaim c
    Only once all of these volumes say Retain, let the claims go. Then remove spec.claimRef.uid of the volumes: otherwise new claims of the same names get empty volumes
    "#);
}

#[test]
fn many_claims_are_named_in_a_few_words() {
    let going: Vec<WaitedClaim> = (0..5)
        .map(|number| {
            let name = format!("pv-{number}");
            deleted(
                &format!("d-{number}"),
                &json!(name),
                volume(&json!("Delete")),
            )
        })
        .collect();
    let all = told(&going);
    for said in [
        "PersistentVolumeClaims n/d-0, n/d-1, n/d-2 and 2 more are being deleted",
        "The reclaim policy of PersistentVolumes pv-0, pv-1, pv-2 and 2 more is Delete",
        // The data of each has to be kept.
        "$ kubectl patch pv pv-4 ",
    ] {
        assert!(all.contains(said), "{said}: {all}");
    }
}

#[test]
fn a_claim_without_a_known_volume_is_not_safe() {
    for (claim, said) in [
        (
            deleted("a", &json!(7), Read::not_needed("x")),
            "Which volume PersistentVolumeClaim n/a has is unknown: spec.volumeName is malformed.",
        ),
        (
            waited("a", forbidden()),
            "The state of PersistentVolumeClaim n/a is unknown: forbidden (as a test has it).",
        ),
    ] {
        let all = told(&[
            claim,
            deleted("b", &json!("pv-b"), volume(&json!("Delete"))),
        ]);
        assert!(all.contains(said), "{all}");
        assert!(
            all.contains("$ kubectl get -n n persistentvolumeclaims"),
            "{all}"
        );
    }
    // No policy is not that which keeps the data.
    for policy in [json!(null), json!(7), json!("Recycle")] {
        let all = told(&[deleted("a", &json!("pv-a"), volume(&policy))]);
        assert!(
            all.contains("$ kubectl patch pv pv-a -p"),
            "{policy}: {all}"
        );
    }
    let odd = told(&[deleted("a", &json!("--all"), volume(&json!("Delete")))]);
    assert!(!odd.contains("patch"), "{odd}");
    let kept = told(&[deleted("a", &json!("pv-a"), volume(&json!("Retain")))]);
    assert!(!kept.contains("patch"), "{kept}");
    let none = told(&[deleted("a", &json!(null), Read::not_needed("x"))]);
    assert!(
        none.contains("PersistentVolumeClaim n/a has no volume."),
        "{none}"
    );
}

#[test]
fn what_is_not_known_of_a_claim_is_said() {
    let odd =
        json!({"metadata": {"name": "c", "deletionTimestamp": 7}, "status": {"phase": "Bound"}});
    insta::assert_snapshot!(told(&[
        waited("a", forbidden()),
        waited("b", forbidden()),
        waited("c", Read::Seen(odd)),
        waited("d", Read::Seen(json!({}))),
        waited("e", Read::Absent),
    ]), @"
    The state of PersistentVolumeClaims n/a, n/b is unknown: forbidden (as a test has it).
    The state of PersistentVolumeClaim n/c is unknown: metadata.deletionTimestamp is malformed.
    The state of PersistentVolumeClaim n/d is unknown: it does not say whether it has a volume.
    PersistentVolumeClaim n/e does not exist.
    x
    ");
}

fn classes(classes: &[(&str, &str)], not_all: Option<Why>) -> Related {
    let class = |(name, default): &(&str, &str)| {
        let annotations = json!({"storageclass.kubernetes.io/is-default-class": default});
        StorageClass::from_value(&json!({"metadata": {"name": name, "annotations": annotations}}))
    };
    Related {
        classes: Read::Seen(Listing::new(classes.iter().map(class).collect(), not_all)).into(),
        ..Related::none()
    }
}

#[test]
fn a_claim_without_a_class_needs_a_default_one() {
    let claims = || {
        let said = json!({"reason": "FailedBinding", "message": "no storage class is set."});
        let events = Read::Seen(Listing::whole(vec![Event::from_value(&said)])).into();
        [
            pending("a", &json!(null)),
            WaitedClaim {
                events,
                ..pending("b", &json!(null))
            },
        ]
    };
    insta::assert_snapshot!([
        told_of(&claims(), &classes(&[("ssd", "false")], None)),
        told_of(&claims(), &classes(&[("ssd", "false"), ("hdd", "")], None)),
        told_of(&claims(), &classes(&[("ssd", "false")], Some(Why::NotAsked("cut".to_owned())))),
        told_of(&claims(), &classes(&[("ssd", "true")], None)),
        told_of(&claims(), &classes(&[], None)),
        told_of(&claims(), &Related { classes: forbidden().into(), ..Related::none() }),
    ].join("\n\n"), @r#"
    PersistentVolumeClaim n/b has no volume: no storage class is set.
    PersistentVolumeClaims n/a, n/b name no StorageClass (spec.storageClassName), and no StorageClass is the default (annotation storageclass.kubernetes.io/is-default-class), so nothing makes their volumes.
    x
    Make the StorageClass the default, if its volumes are right for these claims: Kubernetes then gives it to them (since 1.28):
    $ kubectl annotate storageclass ssd --overwrite storageclass.kubernetes.io/is-default-class=true
    Or set storageClassName where the claims are defined. volumeClaimTemplates of a StatefulSet cannot be changed: delete it alone (--cascade=orphan) with those of its claims that are Pending and have no volume, and create it again.

    PersistentVolumeClaim n/b has no volume: no storage class is set.
    PersistentVolumeClaims n/a, n/b name no StorageClass (spec.storageClassName), and no StorageClass is the default (annotation storageclass.kubernetes.io/is-default-class), so nothing makes their volumes.
    x
    Make one StorageClass the default (annotation storageclass.kubernetes.io/is-default-class: "true"): Kubernetes then gives it to the claims (since 1.28). The classes:
    $ kubectl get storageclasses
    Or set storageClassName where the claims are defined. volumeClaimTemplates of a StatefulSet cannot be changed: delete it alone (--cascade=orphan) with those of its claims that are Pending and have no volume, and create it again.

    PersistentVolumeClaim n/b has no volume: no storage class is set.
    PersistentVolumeClaims n/a, n/b name no StorageClass (spec.storageClassName). Whether a StorageClass is the default is unknown: cut. Of those that were read, none is: ssd.
    x
    If no StorageClass is the default, make one the default (annotation storageclass.kubernetes.io/is-default-class: "true"): Kubernetes then gives it to the claims (since 1.28). The classes:
    $ kubectl get storageclasses
    Or set storageClassName where the claims are defined. volumeClaimTemplates of a StatefulSet cannot be changed: delete it alone (--cascade=orphan) with those of its claims that are Pending and have no volume, and create it again.

    PersistentVolumeClaim n/b has no volume: no storage class is set.
    PersistentVolumeClaims n/a, n/b name no StorageClass (spec.storageClassName), and StorageClass ssd is now the default. Kubernetes gives it to a claim without a class (since 1.28).
    x
    See whether the claim now has a class and a volume. If not, set spec.storageClassName where the claim is defined:
    $ kubectl describe -n n persistentvolumeclaim a

    PersistentVolumeClaim n/b has no volume: no storage class is set.
    PersistentVolumeClaims n/a, n/b name no StorageClass (spec.storageClassName), and no StorageClass is the default (annotation storageclass.kubernetes.io/is-default-class), so nothing makes their volumes.
    x
    The cluster has no StorageClass: install a storage driver with one, or make the volumes by hand.
    Or set storageClassName where the claims are defined. volumeClaimTemplates of a StatefulSet cannot be changed: delete it alone (--cascade=orphan) with those of its claims that are Pending and have no volume, and create it again.

    PersistentVolumeClaim n/b has no volume: no storage class is set.
    PersistentVolumeClaims n/a, n/b name no StorageClass (spec.storageClassName). Whether a StorageClass is the default is unknown: forbidden (as a test has it).
    x
    If no StorageClass is the default, make one the default (annotation storageclass.kubernetes.io/is-default-class: "true"): Kubernetes then gives it to the claims (since 1.28). The classes:
    $ kubectl get storageclasses
    Or set storageClassName where the claims are defined. volumeClaimTemplates of a StatefulSet cannot be changed: delete it alone (--cascade=orphan) with those of its claims that are Pending and have no volume, and create it again.
    "#);
}

fn released(volumes: &[Value], not_all: Option<Why>) -> Related {
    let volumes = volumes.iter().map(Volume::from_value).collect();
    Related {
        released: Read::Seen(Listing::new(volumes, not_all)).into(),
        ..Related::none()
    }
}

fn left(uid: &str, policy: &str) -> Value {
    json!({"metadata": {"name": "pv-0", "creationTimestamp": "2026-02-10T08:00:00Z"}, "spec": {"storageClassName": "local", "persistentVolumeReclaimPolicy": policy,
        "claimRef": {"namespace": "n", "name": "a", "uid": uid}}, "status": {"phase": "Released"}})
}

#[test]
fn a_volume_of_an_earlier_claim_can_be_freed() {
    let class =
        json!({"metadata": {"name": "local"}, "provisioner": "kubernetes.io/no-provisioner"});
    let claim = || WaitedClaim {
        class: Read::Seen(StorageClass::from_value(&class)).into(),
        ..pending("a", &json!("local"))
    };
    let mut going = left("old", "Retain");
    going["metadata"]["deletionTimestamp"] = json!(WHEN);
    let cut = || Some(Why::NotAsked("cut".to_owned()));
    insta::assert_snapshot!([
        told_of(&[claim()], &released(&[left("old", "Retain")], cut())),
        told_of(&[claim()], &released(&[left("old", "Delete")], None)),
        told_of(&[claim()], &released(&[going], None)),
        told_of(&[claim()], &released(&[left("new", "Retain")], cut())),
        told_of(&[claim()], &Related { released: forbidden().into(), ..Related::none() }),
    ].join("\n\n"), @r#"
    StorageClass local makes no volumes (kubernetes.io/no-provisioner): an administrator does.
    PersistentVolume pv-0 is Released: its claimRef is an earlier PersistentVolumeClaim n/a, which was deleted, and it is given to no other claim. It stays with its data (reclaim policy Retain).
    Whether more PersistentVolumes of such claims are left is unknown: cut.
    x
    See whether another volume is Released for the same claim. If so, choose the one that has the data, and free only that one:
    $ kubectl get pv
    If the volume holds the data these pods need, and its size, access modes and node affinity fit the new claim, free it for that: remove the old one's uid from its spec.claimRef. Keep the volume and its disk in any case:
    $ kubectl patch pv pv-0 --type=json -p '[{"op":"remove","path":"/spec/claimRef/uid"}]'
    Otherwise give the claim another volume of its StorageClass.

    StorageClass local makes no volumes (kubernetes.io/no-provisioner): an administrator does.
    PersistentVolume pv-0 is Released: its claimRef is an earlier PersistentVolumeClaim n/a, which was deleted, and it is given to no other claim. Its reclaim policy is Delete, so it may be lost with its data.
    x
    Have the volume stay first, whatever becomes of its claim:
    $ kubectl patch pv pv-0 -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
    If the volume holds the data these pods need, and its size, access modes and node affinity fit the new claim, free it for that: remove the old one's uid from its spec.claimRef. Keep the volume and its disk in any case:
    $ kubectl patch pv pv-0 --type=json -p '[{"op":"remove","path":"/spec/claimRef/uid"}]'
    Otherwise give the claim another volume of its StorageClass.

    StorageClass local makes no volumes (kubernetes.io/no-provisioner): an administrator does.
    PersistentVolume pv-0 is Released: its claimRef is an earlier PersistentVolumeClaim n/a, which was deleted, and it is given to no other claim. It is being deleted itself.
    x
    Give the claim another volume of its StorageClass; the claim with its events:
    $ kubectl describe -n n persistentvolumeclaim a

    StorageClass local makes no volumes (kubernetes.io/no-provisioner): an administrator does.
    Whether a PersistentVolume of an earlier claim of the same name is left (Released) is unknown: cut.
    x
    See the claim with its events:
    $ kubectl describe -n n persistentvolumeclaim a

    StorageClass local makes no volumes (kubernetes.io/no-provisioner): an administrator does.
    Whether a PersistentVolume of an earlier claim of the same name is left (Released) is unknown: forbidden (as a test has it).
    x
    See the claim with its events:
    $ kubectl describe -n n persistentvolumeclaim a
    "#);
}

#[test]
fn of_several_volumes_of_one_claim_none_is_freed_unseen() {
    let named = |name: &str, created: Value, policy: &str| {
        let mut volume = left(name, policy);
        volume["metadata"]["name"] = json!(name);
        volume["metadata"]["creationTimestamp"] = created;
        volume
    };
    let mut going = named("pv-2", json!(null), "Retain");
    going["metadata"]["deletionTimestamp"] = json!(WHEN);
    let mut other = named("pv-b", json!("2026-01-01T00:00:00Z"), "Retain");
    other["spec"]["claimRef"]["name"] = json!("b");
    let two = [
        named("pv-0", json!("2026-02-10T08:00:00Z"), "Retain"),
        named("pv-1", json!("2026-05-01T08:00:00Z"), "Delete"),
    ];
    let claim = |name: &str| pending(name, &json!("local"));
    let all = told_of(&[claim("a")], &released(&two, None));
    assert!(!all.contains("/spec/claimRef/uid"), "{all}");
    // One that is being deleted was the claim's too, and the other claim has but one.
    let more = [two[0].clone(), going, other];
    let both = told_of(&[claim("a"), claim("b")], &released(&more, None));
    assert_eq!(both.matches("/spec/claimRef/uid").count(), 1, "{both}");
    insta::assert_snapshot!([all, both].join("\n\n"), @r#"
    2 PersistentVolumes are Released, each of an earlier PersistentVolumeClaim n/a, which was deleted: pv-1 (created 2026-05-01T08:00:00Z, reclaim policy Delete), pv-0 (created 2026-02-10T08:00:00Z, reclaim policy Retain). Which one has the data is not known.
    x
    Have the volume stay first, whatever becomes of its claim:
    $ kubectl patch pv pv-1 -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
    Of the volumes of PersistentVolumeClaim n/a, choose the one that has the data, and free only that one: remove uid from its spec.claimRef. Kubernetes binds any free one. Keep the others and their disks
    Otherwise give the claim another volume of its StorageClass.

    2 PersistentVolumes are Released, each of an earlier PersistentVolumeClaim n/a, which was deleted: pv-0 (created 2026-02-10T08:00:00Z, reclaim policy Retain), pv-2 (creation time unknown, reclaim policy Retain, being deleted). Which one has the data is not known.
    PersistentVolume pv-b is Released: its claimRef is an earlier PersistentVolumeClaim n/b, which was deleted, and it is given to no other claim. It stays with its data (reclaim policy Retain).
    x
    If the volume holds the data these pods need, and its size, access modes and node affinity fit the new claim, free it for that: remove the old one's uid from its spec.claimRef. Keep the volume and its disk in any case:
    $ kubectl patch pv pv-b --type=json -p '[{"op":"remove","path":"/spec/claimRef/uid"}]'
    Of the volumes of PersistentVolumeClaim n/a, choose the one that has the data, and free only that one: remove uid from its spec.claimRef. Kubernetes binds any free one. Keep the others and their disks
    Otherwise give the claim another volume of its StorageClass.
    "#);
}

#[test]
fn the_claims_of_pods_that_are_not_shown_have_to_be_safe_too() {
    let name = "couchdb-unreachable";
    // The last pod is not of their workload.
    let pod = |number: usize, said: &str| {
        let claim = format!("data-{number}");
        let uid = if number == 4 { "other" } else { "u" };
        let owners = json!([{"kind": "StatefulSet", "name": "db", "uid": uid, "controller": true}]);
        let pod = json!({"metadata": {"namespace": "n", "name": format!("db-{number}"), "ownerReferences": owners},
            "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]},
            "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": said}]}});
        ServingPod {
            pod: Pod::from_value(&pod),
            events: Read::Seen(Listing::default()).into(),
            log: Read::not_needed("x").into(),
        }
    };
    let of = |said: &str, shown: &str, related: Read<Related>| {
        let mut snapshot = fixture::snapshot(name);
        snapshot.on_demand.couch_pods = Read::Seen(CouchPods {
            of_service: true,
            namespace: "n".to_owned(),
            pods: Listing::whole((0..5).map(|number| pod(number, said)).collect()),
        });
        snapshot.on_demand.related = related;
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let shown = Evidence::new(Subject::new("Pod", "n", shown), "x", "x");
        fixture::reasoned(also(&case, Finding::new(case.subject(), "x").seen([shown])))
    };
    let related = || {
        let claims = (0..5).map(|number| {
            let name = format!("data-{number}");
            deleted(
                &name,
                &json!(format!("pv-{number}")),
                volume(&json!("Delete")),
            )
        });
        Read::Seen(Related {
            claims: claims.collect(),
            ..Related::none()
        })
    };
    let going = "0/3 nodes are available: persistentvolumeclaim \"data-0\" is being deleted.";
    let all = of(going, "db-0", related());
    assert!(
        all.contains("$ kubectl patch pv pv-3 ") && !all.contains("pv-4"),
        "{all}"
    );
    // Another finding, or another reason, has nothing to do with them.
    assert_eq!(of(going, "other", related()), "\nx");
    assert_eq!(
        of(
            "0/3 nodes are available: 3 Insufficient cpu.",
            "db-0",
            related()
        ),
        "\nx"
    );
    let unread = of(going, "db-0", forbidden());
    assert!(
        unread.contains("The state of the pods' claims is unknown: forbidden (as a test has it)."),
        "{unread}"
    );
}
