use super::*;
use crate::diagnosis::fixture;
use crate::model::event::Event;
use crate::model::pod::Pod;
use crate::model::service::{EndpointSlice, Service};
use crate::snapshot::{Listing, Read, ServingPod, Snapshot, Why};
use serde_json::{Value, json};

fn pod(name: &str, is_ready: bool) -> ServingPod {
    let (status, state) = match is_ready {
        true => ("True", json!({"running": {}})),
        false => (
            "False",
            json!({"waiting": {"reason": "ErrImagePull", "message": "m"}}),
        ),
    };
    let object = json!({"metadata": {"name": name, "namespace": "n"}, "status": {"phase": "Running",
        "conditions": [{"type": "Ready", "status": status}],
        "containerStatuses": [{"name": "couchdb", "ready": is_ready, "state": state}]}});
    ServingPod {
        pod: Pod::from_value(&object),
        events: Read::Seen(Listing::<Event>::default()).into(),
        log: Read::not_needed("no container ended by itself").into(),
    }
}

fn service(read: Read<Value>, is_ready: bool) -> CouchService {
    let slice = json!({"endpoints": [{"conditions": {"ready": is_ready}}]});
    CouchService {
        namespace: "n".to_owned(),
        name: "s".to_owned(),
        port: None,
        named_by: "x".to_owned(),
        service: read.map(|object| Service::from_value(&object)).into(),
        slices: Read::Seen(Listing::whole(vec![EndpointSlice::from_value(&slice)])).into(),
    }
}

fn selected() -> Read<Value> {
    Read::Seen(json!({"spec": {"selector": {"a": "b"}}}))
}

/// What is added to a finding about the snapshot.
fn added(snapshot: &Snapshot, name: &str) -> String {
    let case = Case::new(snapshot, fixture::meta(name).now);
    let otherwise = |finding: Finding| finding.step("Start CouchDB:");
    let mut finding = shown(&case, Finding::new(case.subject(), ""), otherwise);
    finding.sentence = finding.why.join("\n");
    fixture::lines(finding)
}

/// The Why and Do of CouchDB's pods behind this Service.
fn told(pods: Vec<ServingPod>, of_service: bool, service: Read<CouchService>) -> String {
    let name = "couchdb-pod-out-of-memory";
    let mut snapshot = fixture::snapshot(name);
    snapshot.on_demand.service = service;
    snapshot.on_demand.couch_pods = Read::Seen(CouchPods {
        of_service,
        namespace: "n".to_owned(),
        pods: Listing::whole(pods),
    });
    added(&snapshot, name)
}

#[test]
fn one_unready_pod_does_not_replace_the_steps_where_couchdb_may_be_reachable() {
    let down = || Read::Seen(service(selected(), false));
    insta::assert_snapshot!(told(vec![pod("db-0", false)], true, down()), @"
    Pod n/db-0 is not serving: container couchdb: ErrImagePull: m.
    Find out why it is not ready, and fix it:
    $ kubectl describe -n n pod db-0
    ");
    let both = || vec![pod("db-0", false), pod("db-1", true)];
    insta::assert_snapshot!(told(both(), true, down()), @"
    Pod n/db-0 is not serving: container couchdb: ErrImagePull: m.
    Start CouchDB:
    Find out why it is not ready, and fix it:
    $ kubectl describe -n n pod db-0
    ");
    let answers = Read::Seen(service(selected(), true));
    let said = told(vec![pod("db-0", false)], true, answers);
    assert!(said.contains("Start CouchDB:"), "{said}");
    let mut unread = service(selected(), false);
    unread.slices = Read::failed("no answer").into();
    let said = told(vec![pod("db-0", false)], true, Read::Seen(unread));
    assert!(said.contains("Start CouchDB:"), "{said}");
}

#[test]
fn pods_that_may_be_another_couchdbs_are_said_to_be_no_more() {
    let of = |service| told(vec![pod("db-0", false)], false, service);
    insta::assert_snapshot!(of(Read::not_asked("nothing names it")), @"
    It is not known which Service the Job uses. This pod is in namespace n and may belong to another CouchDB.
    Pod n/db-0 is not serving: container couchdb: ErrImagePull: m.
    Start CouchDB:
    Find out why it is not ready, and fix it:
    $ kubectl describe -n n pod db-0
    ");
    let doubt = |read: Read<Value>| {
        let said = of(Read::Seen(service(read, false)));
        said.lines().next().unwrap_or_default().to_owned()
    };
    let refused = Why::Forbidden("get services in n".to_owned());
    insta::assert_snapshot!(doubt(Read::Unknown(refused)), @"It is not known which pods are behind Service n/s: it was not read: forbidden (get services in n). This pod is in namespace n and may belong to another CouchDB.");
    insta::assert_snapshot!(doubt(Read::Seen(json!({"spec": {"selector": "odd"}}))), @"It is not known which pods are behind Service n/s: its selector is malformed. This pod is in namespace n and may belong to another CouchDB.");
    insta::assert_snapshot!(doubt(Read::Absent), @"It is not known which pods are behind Service n/s: it does not exist. This pod is in namespace n and may belong to another CouchDB.");
    insta::assert_snapshot!(doubt(Read::Seen(json!({"spec": {}}))), @"It is not known which pods are behind Service n/s: it has no selector. This pod is in namespace n and may belong to another CouchDB.");
    insta::assert_snapshot!(told(Vec::new(), false, Read::not_asked("x")), @"
    No pod in n is known to be CouchDB's.
    Start CouchDB:
    ");
    assert_eq!(
        told(Vec::new(), true, Read::not_asked("x")),
        "\nStart CouchDB:"
    );
}

/// What is said where the Service selects app=db and these labels are on a pod that looks like CouchDB's.
fn told_unselected(labels: &[Value], spec: Value) -> String {
    told_of_pods(labels, spec, ("True", Read::Seen(Listing::default())))
}

/// The same, where these pods are ready or not, and these are the Service's slices.
fn told_of_pods(
    labels: &[Value],
    spec: Value,
    (ready, slices): (&str, Read<Listing<EndpointSlice>>),
) -> String {
    let name = "couchdb-pod-out-of-memory";
    let mut snapshot = fixture::snapshot(name);
    let mut found = service(
        Read::Seen(json!({"metadata": {"name": "s"}, "spec": spec})),
        false,
    );
    found.slices = slices.into();
    snapshot.on_demand.service = Read::Seen(found);
    snapshot.on_demand.couch_pods = Read::not_asked("not in the saved files");
    let pods = labels.iter().enumerate().map(|(n, labels)| {
        Pod::from_value(
            &json!({"metadata": {"namespace": "n", "name": format!("db-{n}"), "labels": labels},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}}),
        )
    });
    snapshot.on_demand.related = Read::Seen(crate::snapshot::Related {
        couchdb: Read::Seen(Listing::whole(pods.collect())).into(),
        ..crate::snapshot::Related::none()
    });
    added(&snapshot, name)
}

#[test]
fn a_service_that_selects_other_labels_or_none_is_what_is_wrong() {
    let selects = json!({"selector": {"app": "db", "type": "x"}});
    let pod = json!({"app": "other"});
    insta::assert_snapshot!(told_unselected(&[pod], selects.clone()), @"
    Pod n/db-0 is ready, but Service n/s does not select it: it selects app=db, and the pod has app=other; type=x, and the pod does not have that label.
    Make the Service's selector and the labels of CouchDB's pods agree, in the chart or manifest that they come from. If these pods belong to another CouchDB, bring back those of this one. The labels:
    $ kubectl get services,pods -n n --show-labels
    ");
    // Labels that cannot be read, and a pod that is selected, prove nothing.
    for labels in [json!(7), json!({"app": "db", "type": "x"})] {
        let said = told_unselected(&[labels, json!({"app": "other"})], selects.clone());
        assert!(said.ends_with("Start CouchDB:"), "{said}");
    }
    // A pod that is not ready has another fault first, or is none of CouchDB's.
    let listed = || Read::Seen(Listing::default());
    let down = [json!({"app": "other"})];
    insta::assert_snapshot!(told_of_pods(&down, selects.clone(), ("False", listed())), @"
    It is not known why CouchDB is not serving, because its pods were not read: not in the saved files.
    Pod n/db-0 looks like CouchDB's, but it is not ready, and Service n/s does not select it.
    Start CouchDB:
    ");
    insta::assert_snapshot!(told_of_pods(&[], json!({}), ("True", Read::Unknown(Why::Forbidden("list endpointslices in n".to_owned())))), @"
    Service n/s has no selector, so Kubernetes gives it no endpoints: it leads only to the addresses of EndpointSlices that somebody has written.
    Whether it has any is not known, because they were not read: forbidden (list endpointslices in n).
    Unless it has an EndpointSlice with CouchDB's present addresses, give the Service a selector that fits the labels of CouchDB's pods, in the chart or manifest that it comes from; or, if CouchDB runs elsewhere, write an EndpointSlice with its present addresses. What the Service has:
    $ kubectl get services,endpointslices,pods -n n --show-labels
    ");
    insta::assert_snapshot!(told_unselected(&[], json!({})), @"
    Service n/s has no selector, so Kubernetes gives it no endpoints: it leads only to the addresses of EndpointSlices that somebody has written.
    Give the Service a selector that fits the labels of CouchDB's pods, in the chart or manifest that it comes from; or, if CouchDB runs elsewhere, write an EndpointSlice with its present addresses. What the Service has:
    $ kubectl get services,endpointslices,pods -n n --show-labels
    ");
    let outside = told_unselected(&[], json!({"type": "ExternalName", "externalName": "a"}));
    assert!(outside.ends_with("Start CouchDB:"), "{outside}");
}

#[test]
fn pods_that_were_not_read_may_run_where_the_service_selects_none() {
    let of = |couchdb: Read<Listing<Pod>>| {
        let name = "couchdb-pod-out-of-memory";
        let mut snapshot = fixture::snapshot(name);
        snapshot.on_demand.service = Read::Seen(service(selected(), false));
        snapshot.on_demand.couch_pods = Read::Seen(CouchPods {
            of_service: true,
            namespace: "n".to_owned(),
            pods: Listing::default(),
        });
        snapshot.on_demand.related = Read::Seen(crate::snapshot::Related {
            couchdb: couchdb.into(),
            ..crate::snapshot::Related::none()
        });
        added(&snapshot, name)
    };
    let cut = Listing::new(Vec::new(), Some(Why::Failed("timeout".to_owned())));
    for unread in [Read::failed("timeout"), Read::Seen(cut)] {
        assert_eq!(
            of(unread),
            "Whether CouchDB runs in pods that its Service does not select is unknown: timeout.\nStart CouchDB:"
        );
    }
    for none in [Read::Seen(Listing::default()), Read::not_needed("x")] {
        assert_eq!(of(none), "\nStart CouchDB:");
    }
}
