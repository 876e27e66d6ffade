//! What a failure is about beyond the objects that every onboarding has: the APIService behind an API that does not answer, the volumes
//! and claims of a pod that no node takes, the StatefulSet of one that does not serve, the Service that the API server refuses to change,
//! and CouchDB's pods where its Service selects none. Each is read only where the failure, or an object that was read for it, names it.

use super::{events, nodes, serving};
use crate::cluster::{Cluster, ListOf, segment};
use crate::model::api_service::ApiService;
use crate::model::claim::{Claim, StorageClass};
use crate::model::failure::{Cause, Failure, split_trailer};
use crate::model::helm_log::awaited;
use crate::model::kubelet;
use crate::model::namespace::Namespace;
use crate::model::placement::Volume;
use crate::model::pod::Pod;
use crate::model::service::Service;
use crate::model::stateful_set::StatefulSet;
use crate::snapshot::{
    Claimed, CouchPods, CouchService, IfRead, Listing, OwnerSet, Part, Read, Related, Snapshot,
    WaitedClaim, Why,
};
use futures::future::join_all;
use serde_json::Value;

/// APIServices that are read.
const APIS_MAX: usize = 3;
/// Claims whose volumes are read.
const CLAIMS_MAX: usize = 3;
/// Claims of pods that are read: of a cluster of five, all are needed before one may go.
const HELD_MAX: usize = 5;
/// StatefulSets that are read.
const SETS_MAX: usize = 2;
/// StorageClasses, and PersistentVolumes, that are listed.
const LISTED_MAX: usize = 500;
/// The kind of a claim.
const CLAIM: &str = "PersistentVolumeClaim";
/// Pods of CouchDB's namespace that are listed.
const PODS_MAX: usize = 250;

/// Most requests: each claim and its volume, each claim that Helm waits for or that holds a pod with its events, its class and its volume,
/// the StatefulSets, a Service, and the lists of pods, classes and volumes beside the APIs.
pub(super) const REQUESTS_MAX: u64 =
    (APIS_MAX + 2 * CLAIMS_MAX + 4 * (CLAIMS_MAX + HELD_MAX) + SETS_MAX) as u64 + 4;

/// Reads what the failure is about.
pub(super) async fn related(
    cluster: &Cluster,
    snapshot: &Snapshot,
    failure: Option<&Failure<'_>>,
    pods: &nodes::Pods<'_>,
    own: &[&Pod],
    (service, couchdb): (&Read<CouchService>, &Read<CouchPods>),
) -> Read<Related> {
    let all = pods.with_job(snapshot);
    // The pods of the target namespace come last: they may be other people's, and the claims that are read are few.
    let held: Vec<&Pod> = own.iter().copied().chain(all.iter().copied()).collect();
    let serving = pods.serving.iter().map(|found| &found.pod);
    let (apis, volumes, held, sets, service, couchdb) = futures::join!(
        apis(cluster, snapshot),
        volumes(cluster, &all),
        held_claims(cluster, snapshot, failure, &held),
        sets(cluster, serving),
        refused(cluster, snapshot, failure),
        unselected(cluster, service, couchdb),
    );
    let HeldClaims {
        claims,
        classes,
        released,
    } = held;
    let is_nothing = apis.is_empty()
        && volumes.is_empty()
        && claims.is_empty()
        && sets.is_empty()
        && matches!(service.unknown(), Some(Why::NotNeeded(_)))
        && matches!(couchdb.unknown(), Some(Why::NotNeeded(_)));
    if is_nothing {
        return Read::not_needed("the failure leads to no other object");
    }
    Read::Seen(Related {
        apis,
        volumes,
        claims,
        classes: classes.into(),
        released: released.into(),
        sets,
        service: service.into(),
        couchdb: couchdb.into(),
    })
}

async fn read<T>(cluster: &Cluster, path: &str, parse: fn(&Value) -> T) -> Read<T> {
    let object = cluster.get::<Value>(path).await;
    Read::from_result(object).map(|object| parse(&object))
}

/// Who answers for the APIs that keep the target namespace from being gone.
async fn apis(cluster: &Cluster, snapshot: &Snapshot) -> Vec<(String, Part<ApiService>)> {
    let namespace = snapshot.target_namespace().if_read();
    let versions = namespace.map(Namespace::unserved).unwrap_or_default();
    let names = versions.into_iter().filter_map(|version| {
        let (group, version) = version.split_once('/')?;
        Some(format!("{version}.{group}"))
    });
    let read = names.take(APIS_MAX).map(|name| async move {
        let base = "/apis/apiregistration.k8s.io/v1/apiservices";
        let path = format!("{base}/{}", segment(&name));
        let found = read(cluster, &path, ApiService::from_value).await;
        (name, found.into())
    });
    join_all(read).await
}

/// The volumes of the pods that no node fits because of them.
async fn volumes(cluster: &Cluster, pods: &[&Pod]) -> Vec<Claimed> {
    let held = pods.iter().filter(|pod| pod.is_held_by_volumes());
    let claims = held.flat_map(|pod| pod.claims().map(|claim| (&pod.meta, claim)));
    let read = claims.enumerate().map(|(number, (pod, claim))| async move {
        let namespace = &pod.namespace;
        Claimed {
            pod: pod.id(),
            namespace: namespace.clone(),
            claim: claim.to_owned(),
            volume: match number < CLAIMS_MAX {
                true => volume(cluster, namespace, claim).await,
                false => Read::not_asked(format!("only {CLAIMS_MAX} volumes were read")),
            }
            .into(),
        }
    });
    join_all(read).await
}

async fn volume(cluster: &Cluster, namespace: &str, claim: &str) -> Read<Volume> {
    let path = format!(
        "/api/v1/namespaces/{}/persistentvolumeclaims/{}",
        segment(namespace),
        segment(claim)
    );
    let bound = match read(cluster, &path, Volume::bound_to).await {
        Read::Seen(bound) => bound,
        Read::Absent => return Read::Absent,
        Read::Unknown(why) => return Read::Unknown(why),
    };
    let Some(name) = bound.as_str() else {
        let why = match bound.is_absent() {
            true => "the claim is not bound to a volume",
            false => "spec.volumeName of the claim is malformed",
        };
        return Read::Unknown(Why::Broken(why.to_owned()));
    };
    named_volume(cluster, name).await
}

async fn named_volume(cluster: &Cluster, name: &str) -> Read<Volume> {
    let path = format!("/api/v1/persistentvolumes/{}", segment(name));
    read(cluster, &path, Volume::from_value).await
}

/// Claims, with what says why they have no volume.
struct HeldClaims {
    claims: Vec<WaitedClaim>,
    classes: Read<Listing<StorageClass>>,
    released: Read<Listing<Volume>>,
}

/// The claims that Helm waited for in vain, and those because of which no node takes a pod.
async fn held_claims(
    cluster: &Cluster,
    snapshot: &Snapshot,
    failure: Option<&Failure<'_>>,
    pods: &[&Pod],
) -> HeldClaims {
    let home = snapshot.helm_release().release_namespace();
    let named = failure.map_or_else(Vec::new, |failure| waited_claims(snapshot, failure, home));
    let named: Vec<(String, String)> = named.into_iter().take(CLAIMS_MAX).collect();
    let mut held: Vec<(String, String)> = Vec::new();
    for pod in pods.iter().filter(|pod| pod.is_held_by_claims()) {
        let namespace = &pod.meta.namespace;
        let own = pod
            .claims()
            .map(|claim| (namespace.clone(), claim.to_owned()));
        held.extend(own);
    }
    let mut all = named.clone();
    for claim in held.iter().cloned() {
        if !all.contains(&claim) {
            all.push(claim);
        }
    }
    let most = named.len() + HELD_MAX;
    let read = all.into_iter().enumerate();
    let read = read.map(|(number, (namespace, name))| async move {
        match number < most {
            true => waited_claim(cluster, namespace, name).await,
            false => unread_claim(namespace, name),
        }
    });
    let claims = join_all(read).await;
    let is_held = |waited: &&WaitedClaim| {
        let mut held = held.iter();
        held.any(|(namespace, name)| (namespace, name) == (&waited.namespace, &waited.name))
    };
    let pending = |waited: &&WaitedClaim| waited.claim().if_read().is_some_and(Claim::is_pending);
    let lacking: Vec<&WaitedClaim> = claims.iter().filter(is_held).filter(pending).collect();
    let is_unclassed =
        |waited: &&WaitedClaim| waited.claim().if_read().is_some_and(Claim::names_no_class);
    let lacks_free = pods.iter().any(|pod| {
        let said = pod.unscheduled();
        said.is_some_and(kubelet::lacks_free_volume)
    });
    // A class that makes volumes says in the claim's events why it does not.
    let is_by_hand = |waited: &&WaitedClaim| {
        let claim = waited.claim().if_read();
        let asks_for_none = claim.is_some_and(|claim| claim.class.is(&String::new()));
        let class = waited.class().if_read();
        asks_for_none
            || matches!(waited.class(), Ok(None))
            || class.is_some_and(StorageClass::is_by_hand)
    };
    let wants_classes = lacking.iter().any(is_unclassed);
    let wants_released = !lacking.is_empty() && (lacks_free || lacking.iter().any(is_by_hand));
    let (classes, released) = futures::join!(
        async {
            match wants_classes {
                true => classes(cluster).await,
                false => Read::not_needed("no claim lacks a class"),
            }
        },
        async {
            match wants_released {
                true => released(cluster).await,
                false => Read::not_needed("no claim lacks a volume that nothing makes"),
            }
        }
    );
    HeldClaims {
        claims,
        classes,
        released,
    }
}

async fn classes(cluster: &Cluster) -> Read<Listing<StorageClass>> {
    let path = "/apis/storage.k8s.io/v1/storageclasses";
    list(cluster, path, StorageClass::from_value).await
}

/// The PersistentVolumes whose claim is gone.
async fn released(cluster: &Cluster) -> Read<Listing<Volume>> {
    let all = list(cluster, "/api/v1/persistentvolumes", Volume::from_value).await;
    all.map(|mut all| {
        if all.known().iter().any(|v| !v.meta.malformed.is_empty()) {
            let why = "a PersistentVolume is malformed".to_owned();
            all.lacks(Some(Why::Broken(why)));
        }
        all.filter(Volume::is_released)
    })
}

async fn list<T>(cluster: &Cluster, path: &str, parse: fn(&Value) -> T) -> Read<Listing<T>> {
    let saved = cluster.not_all_of(path);
    let listed = ListOf::objects(path.to_owned());
    let listed = cluster.page(&listed, LISTED_MAX).await;
    Read::from_result(listed).map(|all: Listing<Value>| {
        let mut all = all.map(|object| parse(&object));
        all.lacks(saved);
        all
    })
}

/// The StatefulSets of these pods, as far as they do not serve.
async fn sets<'p>(cluster: &Cluster, pods: impl Iterator<Item = &'p Pod>) -> Vec<OwnerSet> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for pod in pods.filter(|pod| !pod.is_ready() && pod.meta.deleted.is_absent()) {
        let own = pod.stateful_set();
        let own = own.map(|set| (pod.meta.namespace.as_str(), set));
        names.extend(own.filter(|own| !names.contains(own)));
    }
    let names = names.into_iter().enumerate();
    let sets = names.map(|(number, (namespace, name))| async move {
        let set = match number < SETS_MAX {
            true => {
                let namespace = segment(namespace);
                let base = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets");
                let path = format!("{base}/{}", segment(name));
                read(cluster, &path, StatefulSet::from_value).await
            }
            false => Read::not_asked(format!("only {SETS_MAX} StatefulSets were read")),
        };
        OwnerSet {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            set: set.into(),
        }
    });
    join_all(sets).await
}

/// Namespace and name of the claims that the failure names, or Helm's log that came with it.
fn waited_claims(snapshot: &Snapshot, failure: &Failure<'_>, home: &str) -> Vec<(String, String)> {
    let Cause::Wait(wait) = &failure.text.cause else {
        return Vec::new();
    };
    let named = wait.objects.iter();
    let named = named.map(|w| (w.kind.as_str(), w.home(home), w.name.as_str()));
    let mut named: Vec<(&str, &str, &str)> = named.collect();
    if named.is_empty() {
        let events = snapshot.events().if_read();
        let events = events.into_iter().flat_map(Listing::known).rev();
        let mut of_failure = events.filter(|event| event.reason == failure.condition.reason);
        let of_event = of_failure
            .next()
            .and_then(|event| split_trailer(&event.message).1);
        let log = failure.text.trailer.or(of_event);
        let one = log.and_then(awaited);
        named.extend(one.map(|one| (one.kind, one.namespace, one.name)));
    }
    let claims = named.into_iter().filter(|(kind, ..)| *kind == CLAIM);
    let claims = claims.map(|(_, namespace, name)| (namespace.to_owned(), name.to_owned()));
    claims.collect()
}

async fn waited_claim(cluster: &Cluster, namespace: String, name: String) -> WaitedClaim {
    let path = format!(
        "/api/v1/namespaces/{}/persistentvolumeclaims/{}",
        segment(&namespace),
        segment(&name)
    );
    let claim = read(cluster, &path, Claim::from_value).await;
    let pending = claim.if_read().filter(|claim| claim.is_pending());
    let (events, class) = match pending {
        Some(found) => {
            let uid = Some(found.meta.uid.as_str());
            futures::join!(
                events::about(cluster, &namespace, CLAIM, &name, uid),
                class(cluster, found)
            )
        }
        None => {
            let why = "the claim is not known to wait for a volume";
            (Read::not_needed(why), Read::not_needed(why))
        }
    };
    let going = claim.if_read().filter(|claim| claim.deleted().is_some());
    let volume = match going.and_then(|claim| claim.volume.as_str()) {
        Some(volume) => named_volume(cluster, volume).await,
        None => Read::not_needed("the claim is not known to be deleted, or names no volume"),
    };
    WaitedClaim {
        namespace,
        name,
        claim: claim.into(),
        events: events.into(),
        class: class.into(),
        volume: volume.into(),
    }
}

/// One more than are read.
fn unread_claim(namespace: String, name: String) -> WaitedClaim {
    let why = format!("only {HELD_MAX} claims were read");
    WaitedClaim {
        namespace,
        name,
        claim: Read::not_asked(why.clone()).into(),
        events: Read::not_asked(why.clone()).into(),
        class: Read::not_asked(why.clone()).into(),
        volume: Read::not_asked(why).into(),
    }
}

async fn class(cluster: &Cluster, claim: &Claim) -> Read<StorageClass> {
    match claim.class() {
        Some(name) => {
            let path = format!("/apis/storage.k8s.io/v1/storageclasses/{}", segment(name));
            read(cluster, &path, StorageClass::from_value).await
        }
        None => Read::not_needed("the claim names no class"),
    }
}

/// The Service of the release that the API server refuses to change because of an entry that it has twice.
async fn refused(
    cluster: &Cluster,
    snapshot: &Snapshot,
    failure: Option<&Failure<'_>>,
) -> Read<Service> {
    let text = failure.map(|failure| &failure.text);
    let error = text.and_then(|text| match &text.cause {
        Cause::Field(error) => Some(error),
        _ => None,
    });
    let name = error
        .filter(|error| error.is_duplicate())
        .and_then(|error| error.patched(text?.raw))
        .and_then(|(kind, name)| (kind == "Service").then_some(name));
    let Some(name) = name else {
        return Read::not_needed("the API server does not refuse to change a Service");
    };
    let namespace = segment(snapshot.helm_release().release_namespace());
    let path = format!("/api/v1/namespaces/{namespace}/services/{}", segment(name));
    read(cluster, &path, Service::from_value).await
}

/// The pods of CouchDB's namespace that look like CouchDB's, if its Service is not known to select any and has no address.
async fn unselected(
    cluster: &Cluster,
    service: &Read<CouchService>,
    couchdb: &Read<CouchPods>,
) -> Read<Listing<Pod>> {
    let not_needed = || Read::not_needed("CouchDB's Service selects pods, or is not known");
    let Some(found) = service.if_read() else {
        return not_needed();
    };
    let selects = found.service.if_read().and_then(Service::label_selector);
    let is_none = match couchdb {
        Read::Seen(pods) => pods.of_service && pods.pods.is_empty() == Ok(true),
        // Saved files do not say that a list is empty. What was refused would be refused again.
        Read::Unknown(Why::NotAsked(_)) => true,
        Read::Absent | Read::Unknown(_) => false,
    };
    if selects.is_none() || !is_none || found.may_have_ready_endpoint() {
        return not_needed();
    }
    let path = format!("/api/v1/namespaces/{}/pods", segment(&found.namespace));
    let listed = cluster.page(&ListOf::objects(path), PODS_MAX).await;
    Read::from_result(listed).map(|all: Listing<Value>| {
        let all = all
            .map(|pod| Pod::from_value(&pod))
            .filter(|pod| serving::is_couchdb(pod) && pod.meta.deleted.is_absent());
        let (pods, not_all) = all.into_parts();
        // The pod of a backup has CouchDB's image too.
        Listing::new(serving::without_leftovers(pods), not_all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::{self, page};
    use crate::diagnosis::fixture;
    use crate::model::condition::Stated;
    use crate::model::failure::failure;
    use crate::model::service::EndpointSlice;
    use serde_json::json;

    const NO_PODS: nodes::Pods<'static> = nodes::Pods {
        serving: Vec::new(),
        others: Vec::new(),
    };

    fn no_couchdb() -> (Read<CouchService>, Read<CouchPods>) {
        (Read::not_needed("x"), Read::not_needed("x"))
    }

    /// What is read of this snapshot where the cluster gives these answers, and the paths that are asked for.
    async fn look(snapshot: &Snapshot, answers: &[(u16, Value)]) -> (Read<Related>, Vec<String>) {
        let (cluster, asked) = test_server::answering(answers);
        let hr = snapshot.helm_release();
        let failure = failure(hr).map(Stated::of_any_spec);
        let (service, pods) = no_couchdb();
        let found = related(
            &cluster,
            snapshot,
            failure.as_ref(),
            &NO_PODS,
            &[],
            (&service, &pods),
        )
        .await;
        (found, asked.paths())
    }

    fn refused(what: &str) -> (u16, Value) {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
            "reason": "Forbidden", "message": what, "metadata": {}});
        (403, status)
    }

    #[tokio::test]
    async fn nothing_is_asked_where_the_failure_names_nothing() {
        for case in ["couchdb-unreachable", "field-refused", "image-not-pulled"] {
            let (found, asked) = look(&fixture::snapshot(case), &[]).await;
            assert_eq!(asked, Vec::<String>::new(), "{case}");
            assert!(matches!(found.unknown(), Some(Why::NotNeeded(_))), "{case}");
        }
    }

    #[tokio::test]
    async fn an_api_that_holds_the_namespace_is_read_and_one_that_is_refused_is_not_known() {
        let mut snapshot = fixture::snapshot("target-namespace-terminating");
        let said = "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1";
        let condition = json!({"type": "NamespaceDeletionDiscoveryFailure", "status": "True", "reason": "R", "message": said});
        let namespace =
            json!({"metadata": {"name": "core"}, "status": {"conditions": [condition]}});
        snapshot.target_namespace = Read::Seen(Namespace::from_value(&namespace));
        let api = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {"service": {"namespace": "n", "name": "s"}}});
        let (found, asked) = look(&snapshot, &[(200, api)]).await;
        let found = found.if_read().unwrap();
        assert_eq!(
            asked,
            ["/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"]
        );
        let [(name, Ok(Some(api)))] = found.apis().collect::<Vec<_>>()[..] else {
            panic!("{found:?}");
        };
        assert_eq!(
            (name, api.service.set().unwrap().name.as_str()),
            ("v1beta1.metrics.k8s.io", "s")
        );
        let (found, _) = look(&snapshot, &[refused("no")]).await;
        let found = found.if_read().unwrap();
        assert!(matches!(found.apis[0].1.unknown(), Some(Why::Forbidden(_))));
    }

    fn held(phase: &Value) -> Pod {
        Pod::from_value(&json!({"metadata": {"namespace": "n", "name": "db-0"},
            "spec": {"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]},
            "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": phase}]}}))
    }

    #[tokio::test]
    async fn the_volume_of_a_claim_is_read_only_where_no_node_fits_because_of_it() {
        let conflict = held(&json!(
            "0/3 nodes are available: 3 node(s) had volume node affinity conflict."
        ));
        let ask = async |pod: &Pod, answers: &[(u16, Value)]| {
            let (cluster, asked) = test_server::answering(answers);
            (volumes(&cluster, &[pod]).await, asked.paths())
        };
        let claim = |name: Value| {
            (
                200,
                json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-0"}, "spec": {"volumeName": name}}),
            )
        };
        let volume = (
            200,
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"}, "spec": {}}),
        );
        let (found, asked) = ask(&conflict, &[claim(json!("pv-1")), volume]).await;
        assert_eq!(
            asked,
            [
                "/api/v1/namespaces/n/persistentvolumeclaims/data-0",
                "/api/v1/persistentvolumes/pv-1"
            ]
        );
        assert_eq!(found[0].volume.if_read().unwrap().meta.name, "pv-1");
        for (name, part) in [(json!(null), "not bound"), (json!(7), "malformed")] {
            let (found, _) = ask(&conflict, &[claim(name)]).await;
            assert!(found[0].volume.unknown().unwrap().clause().contains(part));
        }
        for answers in [vec![refused("a")], vec![claim(json!("pv-1")), refused("b")]] {
            let (found, _) = ask(&conflict, &answers).await;
            assert!(
                matches!(found[0].volume.unknown(), Some(Why::Forbidden(_))),
                "{found:?}"
            );
        }
        let full = held(&json!("0/3 nodes are available: 3 Insufficient cpu."));
        let (found, asked) = ask(&full, &[]).await;
        assert!(found.is_empty() && asked.is_empty());
        // One more than are read is not left out in silence.
        let many = vec![&conflict; CLAIMS_MAX + 1];
        let (cluster, asked) = test_server::answering(&vec![refused("a"); CLAIMS_MAX]);
        let found = volumes(&cluster, &many).await;
        assert_eq!(
            (found.len(), asked.paths().len()),
            (CLAIMS_MAX + 1, CLAIMS_MAX)
        );
        let last = found.last().and_then(|claimed| claimed.volume.unknown());
        assert!(last.unwrap().clause().contains("only"), "{last:?}");
    }

    /// What is read of the claims of these pods, and the paths that are asked for.
    async fn look_at_claims(pods: &[Pod], answers: &[(u16, Value)]) -> (HeldClaims, Vec<String>) {
        let (cluster, asked) = test_server::answering(answers);
        let pods: Vec<&Pod> = pods.iter().collect();
        let snapshot = fixture::snapshot("couchdb-unreachable");
        let found = held_claims(&cluster, &snapshot, None, &pods).await;
        (found, asked.paths())
    }

    fn claim_of(metadata: Value, spec: Value, phase: &str) -> (u16, Value) {
        let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec, "status": {"phase": phase}});
        claim["metadata"]["name"] = json!("data-0");
        (200, claim)
    }

    const CLAIM_PATH: &str = "/api/v1/namespaces/n/persistentvolumeclaims/data-0";

    #[tokio::test]
    async fn a_claim_that_is_being_deleted_is_read_with_its_volume() {
        let going = held(&json!(
            "0/3 nodes are available: persistentvolumeclaim \"data-0\" is being deleted."
        ));
        let deleted = json!({"deletionTimestamp": "2026-11-27T04:12:44Z"});
        let claim = claim_of(deleted, json!({"volumeName": "pv-1"}), "Bound");
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"}, "spec": {"persistentVolumeReclaimPolicy": "Retain"}});
        // Two pods may share it.
        let pods = [going.clone(), going];
        let (found, asked) = look_at_claims(&pods, &[claim, (200, volume)]).await;
        assert_eq!(asked, [CLAIM_PATH, "/api/v1/persistentvolumes/pv-1"]);
        assert!(found.claims[0].volume.if_read().unwrap().is_kept());
        for part in [found.classes.unknown(), found.released.unknown()] {
            assert!(matches!(part, Some(Why::NotNeeded(_))), "{part:?}");
        }
        let full = held(&json!("0/3 nodes are available: 3 Insufficient cpu."));
        let (found, asked) = look_at_claims(&[full], &[]).await;
        assert!(found.claims.is_empty() && asked.is_empty());
    }

    #[tokio::test]
    async fn of_many_claims_those_that_were_not_read_are_said() {
        let said =
            json!("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.");
        let many: Vec<Pod> = (0..=HELD_MAX)
            .map(|number| {
                let claim = json!({"claimName": format!("data-{number}")});
                let mut pod = held(&said);
                let own = json!({"metadata": {"namespace": "n", "name": "db"}, "spec": {"volumes": [{"name": "d", "persistentVolumeClaim": claim}]},
                    "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": said}]}});
                pod.clone_from(&Pod::from_value(&own));
                pod
            })
            .collect();
        let (found, asked) = look_at_claims(&many, &vec![refused("a"); HELD_MAX]).await;
        assert_eq!((found.claims.len(), asked.len()), (HELD_MAX + 1, HELD_MAX));
        let last = found.claims.last().and_then(|claim| claim.claim.unknown());
        assert!(last.unwrap().clause().contains("only 5 claims"), "{last:?}");
    }

    #[tokio::test]
    async fn pods_of_the_target_namespace_do_not_crowd_out_those_that_are_asked_for() {
        let said = "0/3 nodes are available: persistentvolumeclaim \"x\" is being deleted.";
        let pod = |claim: &str| {
            let volume = json!({"name": "d", "persistentVolumeClaim": {"claimName": claim}});
            let unscheduled = json!({"type": "PodScheduled", "status": "False", "message": said});
            Pod::from_value(
                &json!({"metadata": {"namespace": "n", "name": claim}, "spec": {"volumes": [volume]},
                "status": {"conditions": [unscheduled]}}),
            )
        };
        let others: Vec<Pod> = (0..HELD_MAX).map(|n| pod(&format!("other-{n}"))).collect();
        let own = pod("own");
        let (cluster, asked) = test_server::answering(&vec![refused("a"); HELD_MAX]);
        let pods = nodes::Pods {
            serving: Vec::new(),
            others: others.iter().collect(),
        };
        let (service, couchdb) = no_couchdb();
        let snapshot = fixture::snapshot("couchdb-unreachable");
        let near = (&service, &couchdb);
        related(&cluster, &snapshot, None, &pods, &[&own], near).await;
        let path = "/api/v1/namespaces/n/persistentvolumeclaims/own".to_owned();
        let asked = asked.paths();
        assert!(
            asked.len() == HELD_MAX && asked.contains(&path),
            "{asked:?}"
        );
    }

    #[tokio::test]
    async fn classes_and_volumes_are_listed_only_for_a_claim_that_lacks_them() {
        let unbound = || {
            held(&json!(
                "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."
            ))
        };
        let none_free = || {
            held(&json!(
                "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind."
            ))
        };
        let no_events = || (200, page("v1", "Event", &[], ""));
        let class = |provisioner: &str| {
            (
                200,
                json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "ssd"}, "provisioner": provisioner}),
            )
        };
        let (classes, volumes) = (
            "/apis/storage.k8s.io/v1/storageclasses",
            "/api/v1/persistentvolumes",
        );
        let one = json!({"metadata": {"name": "ssd"}});
        let listed = (200, page("storage.k8s.io/v1", "StorageClass", &[one], ""));
        let unclassed = claim_of(json!({}), json!({}), "Pending");
        let (found, asked) = look_at_claims(&[unbound()], &[unclassed, no_events(), listed]).await;
        assert_eq!(asked.last().unwrap(), classes);
        let found = found.classes.if_read().unwrap();
        assert_eq!((found.known().len(), found.not_all()), (1, None));

        let named = || claim_of(json!({}), json!({"storageClassName": "ssd"}), "Pending");
        let volume = |phase: Value| json!({"metadata": {"name": "pv"}, "status": {"phase": phase}});
        let all = [
            volume(json!("Released")),
            volume(json!("Bound")),
            volume(json!(7)),
        ];
        let listed = || (200, page("v1", "PersistentVolume", &all, ""));
        for (pod, provisioner) in [
            (none_free(), "csi.example"),
            (unbound(), "kubernetes.io/no-provisioner"),
        ] {
            let answers = [named(), no_events(), class(provisioner), listed()];
            let (found, asked) = look_at_claims(&[pod], &answers).await;
            assert_eq!(asked.last().unwrap(), volumes);
            let found = found.released.if_read().unwrap();
            assert_eq!(found.known().len(), 1);
            let not_all = found.not_all().map(Why::clause).unwrap();
            assert!(not_all.contains("malformed"), "{not_all}");
        }
        // The driver's own events say why it made no volume.
        let (found, asked) =
            look_at_claims(&[unbound()], &[named(), no_events(), class("csi.example")]).await;
        assert_eq!(asked.len(), 3);
        assert!(matches!(found.released.unknown(), Some(Why::NotNeeded(_))));
        let (found, _) = look_at_claims(
            &[none_free()],
            &[named(), no_events(), class("x"), refused("no")],
        )
        .await;
        assert!(matches!(found.released.unknown(), Some(Why::Forbidden(_))));
    }

    #[tokio::test]
    async fn the_statefulset_of_a_pod_that_does_not_serve_is_read_once() {
        let pod = |kind: &str, ready: &str| {
            Pod::from_value(
                &json!({"metadata": {"namespace": "n", "name": "db-0", "ownerReferences": [{"kind": kind, "name": "db", "controller": true}]},
                "status": {"conditions": [{"type": "Ready", "status": ready}]}}),
            )
        };
        let ask = async |pods: &[Pod]| {
            let set =
                json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}});
            let (cluster, asked) = test_server::answering(&[(200, set)]);
            (sets(&cluster, pods.iter()).await, asked.paths())
        };
        let unready = pod("StatefulSet", "False");
        let (found, asked) = ask(&[unready.clone(), unready]).await;
        assert_eq!(asked, ["/apis/apps/v1/namespaces/n/statefulsets/db"]);
        assert!(found[0].set.if_read().is_some());
        let others = [pod("StatefulSet", "True"), pod("ReplicaSet", "False")];
        assert!(ask(&others).await.1.is_empty());
    }

    #[tokio::test]
    async fn a_claim_that_helm_waits_for_is_read_with_its_events_and_its_class() {
        let mut snapshot = fixture::snapshot("wait-timed-out");
        fixture::reword(
            &mut snapshot,
            "Deployment/core/gate",
            "PersistentVolumeClaim/core/dumps",
        );
        let claim = |phase: &str| {
            let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "dumps", "namespace": "core", "uid": "u"},
                "spec": {"storageClassName": "ssd"}, "status": {"phase": phase}});
            (200, claim)
        };
        let event = json!({"metadata": {"name": "e", "namespace": "core"}, "reason": "WaitForFirstConsumer", "message": "m"});
        let events = (200, page("v1", "Event", &[event], ""));
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "ssd"}, "volumeBindingMode": "WaitForFirstConsumer"});
        let (found, asked) = look(&snapshot, &[claim("Pending"), events, (200, class)]).await;
        let base = "/api/v1/namespaces/core";
        assert_eq!(
            asked,
            [
                &format!("{base}/persistentvolumeclaims/dumps"),
                &format!("{base}/events"),
                "/apis/storage.k8s.io/v1/storageclasses/ssd"
            ]
        );
        let found = found.if_read().unwrap();
        let [waited] = found.claims.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(waited.events.if_read().unwrap().known()[0].message, "m");
        assert!(waited.class.if_read().unwrap().binds_late());
        // One that has its volume says nothing else.
        let (found, asked) = look(&snapshot, &[claim("Bound")]).await;
        assert_eq!(asked.len(), 1);
        let found = found.if_read().unwrap();
        assert!(matches!(
            found.claims[0].events.unknown(),
            Some(Why::NotNeeded(_))
        ));
        let (found, _) = look(&snapshot, &[refused("no")]).await;
        let found = found.if_read().unwrap();
        assert!(matches!(
            found.claims[0].claim.unknown(),
            Some(Why::Forbidden(_))
        ));
    }

    #[test]
    fn a_claim_is_named_by_the_failure_or_by_helm_s_log() {
        let of = |text: &str| {
            let mut snapshot = fixture::snapshot("wait-timed-out");
            fixture::reword(
                &mut snapshot,
                "timeout waiting for: [Deployment/core/gate status: 'InProgress']",
                text,
            );
            let hr = snapshot.helm_release();
            let failure = failure(hr).map(Stated::of_any_spec).unwrap();
            let found = waited_claims(&snapshot, &failure, "core").into_iter();
            found
                .map(|(namespace, name)| format!("{namespace}/{name}"))
                .collect::<Vec<_>>()
        };
        let log = "timed out waiting for the condition\n\nLast Helm logs:\n\nPersistentVolumeClaim is not bound: core/dumps";
        assert_eq!(of(log), ["core/dumps"]);
        assert!(
            of(&log.replace(
                "PersistentVolumeClaim is not bound",
                "Deployment is not ready"
            ))
            .is_empty()
        );
        assert!(of("timed out waiting for the condition").is_empty());
    }

    #[tokio::test]
    async fn the_service_that_cannot_be_changed_is_read() {
        let mut snapshot = fixture::snapshot("field-refused");
        let text = "Helm upgrade failed for release core/a with chart secure-kvs-onboarding@0.1.2: cannot patch \"db\" with kind Service: Service \"db\" is invalid: spec.ports[1].name: Duplicate value: \"http\"";
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = text.to_owned();
        }
        let object = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": {"ports": [{"name": "http", "port": 1}]}});
        let (found, asked) = look(&snapshot, &[(200, object)]).await;
        let found = found.if_read().unwrap();
        assert_eq!(asked, ["/api/v1/namespaces/core/services/db"]);
        assert_eq!(found.service.if_read().unwrap().ports.known[0].name, "http");
        let (found, _) = look(&snapshot, &[refused("no")]).await;
        let found = found.if_read().unwrap();
        assert!(matches!(found.service.unknown(), Some(Why::Forbidden(_))));
    }

    #[tokio::test]
    async fn pods_that_look_like_couchdbs_are_listed_where_its_service_selects_none() {
        let pod = json!({"metadata": {"namespace": "n", "name": "db-0"}, "spec": {"containers": [{"name": "couchdb", "image": "couchdb:3"}]}});
        let other = json!({"metadata": {"namespace": "n", "name": "x"}, "spec": {"containers": [{"name": "x", "image": "x"}]}});
        // The pod of a backup's Job, which has ended.
        let mut backup = pod.clone();
        backup["metadata"]["ownerReferences"] =
            json!([{"kind": "Job", "name": "backup", "controller": true}]);
        backup["status"] = json!({"phase": "Succeeded"});
        let ask = async |selector: Value, ready: bool, pods: Read<CouchPods>| {
            let all = [pod.clone(), other.clone(), backup.clone()];
            let (cluster, asked) = test_server::cluster(&[page("v1", "Pod", &all, "")]);
            let slice = json!({"endpoints": [{"conditions": {"ready": ready}}]});
            let service = Read::Seen(CouchService {
                namespace: "n".to_owned(),
                name: "s".to_owned(),
                port: None,
                named_by: "x".to_owned(),
                service: Read::Seen(Service::from_value(
                    &json!({"spec": {"selector": selector}}),
                ))
                .into(),
                slices: Read::Seen(Listing::whole(vec![EndpointSlice::from_value(&slice)])).into(),
            });
            let found = unselected(&cluster, &service, &pods).await;
            let names = found.if_read().map(|found| found.known().len());
            (names, asked.paths().len())
        };
        let none = || {
            Read::Seen(CouchPods {
                of_service: true,
                namespace: "n".to_owned(),
                pods: Listing::default(),
            })
        };
        let labels = json!({"app": "db"});
        assert_eq!(ask(labels.clone(), false, none()).await, (Some(1), 1));
        assert_eq!(
            ask(
                labels.clone(),
                false,
                Read::not_asked("not in the saved files")
            )
            .await,
            (Some(1), 1)
        );
        assert_eq!(ask(labels.clone(), true, none()).await, (None, 0));
        assert_eq!(ask(json!(null), false, none()).await, (None, 0));
        let forbidden = Read::Unknown(Why::Forbidden("list pods in n".to_owned()));
        assert_eq!(ask(labels, false, forbidden).await, (None, 0));
    }
}
