//! The NetworkPolicies of the creation Job's namespace and of CouchDB's: read only where the Job had no connection, or where pods of CouchDB
//! run and are not ready.

use crate::cluster::{Cluster, ListOf, segment};
use crate::model::creation_log::{is_unconnected, unresolved};
use crate::model::namespace::Namespace;
use crate::model::network_policy::{DNS_NAMESPACE, NetworkPolicy};
use crate::snapshot::{
    CouchPods, CouchService, IfRead, JobPod, Listing, NetworkPolicies, Part, Read, Snapshot,
};
use serde_json::Value;

/// Policies of a namespace that are listed.
const LISTED: usize = 250;

/// Most requests: a list of each namespace, and the namespaces that rules select by labels.
pub(super) const REQUESTS_MAX: u64 = 2 + 2;

/// Reads the policies of the namespaces between which a connection was not made.
pub(super) async fn network_policies(
    cluster: &Cluster,
    snapshot: &Snapshot,
    (service, couchdb): (&Read<CouchService>, &Read<CouchPods>),
) -> Read<NetworkPolicies> {
    let job = snapshot.creation_job().if_read();
    let job = job.filter(|found| found.job.is_complete() != Some(true));
    let pods = job.and_then(|found| found.pods.if_read());
    let words = pods
        .into_iter()
        .flat_map(Listing::known)
        .flat_map(JobPod::words);
    let unconnected: Vec<&str> = words.filter(|said| is_unconnected(said)).collect();
    let had_address = unconnected.iter().any(|said| unresolved(said).is_none());
    let couch_pods = couchdb.if_read();
    let waits = couch_pods.is_some_and(|found| {
        let mut pods = found.pods.known().iter().map(|found| &found.pod);
        pods.any(|pod| pod.runs_unready())
    });
    let of_job = job
        .filter(|_| !unconnected.is_empty())
        .map(|found| found.job.meta.namespace.as_str());
    let home = couch_pods.map(|found| found.namespace.as_str());
    let home = home.or_else(|| Some(service.if_read()?.namespace.as_str()));
    let is_needed = had_address || waits;
    if of_job.is_none() && !is_needed {
        return Read::not_needed("no connection failed");
    }
    let of_couchdb = home.filter(|_| is_needed);
    let is_same = of_job.is_some() && of_job == of_couchdb;
    let (of_job, of_couchdb) = futures::join!(list_of(cluster, of_job), async {
        match of_couchdb {
            // Read as the Job's.
            Some(_) if is_same => Read::not_needed("nothing points to it"),
            None if is_needed => Read::not_asked("the namespace of CouchDB is not known"),
            other => list_of(cluster, other).await,
        }
    });
    let of_couchdb = match is_same {
        true => of_job.clone(),
        false => of_couchdb,
    };
    let lists = [&of_job, &of_couchdb].map(Read::if_read);
    let mut policies = lists.into_iter().flatten().flat_map(Listing::known);
    let asks = policies.any(NetworkPolicy::asks_for_labels);
    drop(policies);
    let namespaces = match asks {
        true => namespaces(cluster, home).await,
        false => Vec::new(),
    };
    Read::Seen(NetworkPolicies {
        of_job: of_job.into(),
        of_couchdb: of_couchdb.into(),
        namespaces,
    })
}

/// The namespaces of DNS and of CouchDB.
async fn namespaces(cluster: &Cluster, home: Option<&str>) -> Vec<(String, Part<Namespace>)> {
    let mut names = vec![DNS_NAMESPACE];
    names.extend(home.filter(|home| *home != DNS_NAMESPACE));
    let read = names.into_iter().map(|name| async move {
        let path = format!("/api/v1/namespaces/{}", segment(name));
        let object = cluster.get::<Value>(&path).await;
        let object = Read::from_result(object).map(|object| Namespace::from_value(&object));
        (name.to_owned(), object.into())
    });
    futures::future::join_all(read).await
}

async fn list_of(cluster: &Cluster, namespace: Option<&str>) -> Read<Listing<NetworkPolicy>> {
    match namespace {
        Some(namespace) => list(cluster, namespace).await,
        None => Read::not_needed("nothing points to it"),
    }
}

async fn list(cluster: &Cluster, namespace: &str) -> Read<Listing<NetworkPolicy>> {
    let namespace = segment(namespace);
    let path = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies");
    let saved = cluster.not_all_of(&path);
    let listed = cluster.page(&ListOf::objects(path), LISTED).await;
    Read::from_result(listed).map(|all: Listing<Value>| {
        let mut all = all.map(|object| NetworkPolicy::from_value(&object));
        all.lacks(saved);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::{answering, forbidden, page};
    use crate::diagnosis::fixture;
    use crate::model::pod::Pod;
    use crate::snapshot::{ServingPod, Why};
    use serde_json::json;

    const OF_CORE: &str = "/apis/networking.k8s.io/v1/namespaces/core/networkpolicies";
    const OF_COUCHDB: &str = "/apis/networking.k8s.io/v1/namespaces/secure-kvs/networkpolicies";
    const NO_CONNECTION: &str = "curl: (7) Failed to connect to db.secure-kvs.svc port 5984";

    fn policies(token: &str) -> (u16, Value) {
        let policy = json!({"metadata": {"namespace": "core", "name": "p"}, "spec": 7});
        let items = std::slice::from_ref(&policy);
        (
            200,
            page("networking.k8s.io/v1", "NetworkPolicy", items, token),
        )
    }

    fn couchdb(pods: &[Value]) -> Read<CouchPods> {
        let pods = pods.iter().map(|status| ServingPod {
            pod: Pod::from_value(
                &json!({"metadata": {"namespace": "secure-kvs", "name": "db"}, "status": status}),
            ),
            events: Read::not_needed("x").into(),
            log: Read::not_needed("x").into(),
        });
        Read::Seen(CouchPods {
            of_service: true,
            namespace: "secure-kvs".to_owned(),
            pods: Listing::whole(pods.collect()),
        })
    }

    /// What is read where the Job's log says so, and the paths that are asked for.
    async fn look(
        log: &str,
        couchdb: Read<CouchPods>,
        answers: &[(u16, Value)],
    ) -> (Read<NetworkPolicies>, Vec<String>) {
        let mut snapshot = fixture::snapshot("couchdb-unreachable");
        let pods = snapshot.creation_job.seen_mut().unwrap().pods.seen_mut();
        for (_, own) in pods
            .unwrap()
            .known_mut()
            .iter_mut()
            .flat_map(|pod| &mut pod.logs)
        {
            *own = Read::Seen(log.to_owned()).into();
        }
        let (cluster, asked) = answering(answers);
        let service = Read::not_needed("x");
        let found = network_policies(&cluster, &snapshot, (&service, &couchdb)).await;
        (found, asked.paths())
    }

    #[tokio::test]
    async fn policies_are_read_only_where_a_connection_was_not_made() {
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        let unready = json!({"conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [{"name": "couchdb", "ready": false, "state": {"running": {}}}]});
        let crashed = json!({"conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [{"name": "couchdb", "ready": false, "state": {"terminated": {"exitCode": 1}}}]});
        let unresolved = "curl: (6) Could not resolve host: db.secure-kvs.svc";
        let both = [policies(""), policies("")];
        for (log, pods, paths) in [
            (
                unresolved,
                couchdb(std::slice::from_ref(&ready)),
                vec![OF_CORE],
            ),
            (
                unresolved,
                couchdb(&[ready.clone(), unready.clone()]),
                vec![OF_CORE, OF_COUCHDB],
            ),
            (
                unresolved,
                couchdb(std::slice::from_ref(&crashed)),
                vec![OF_CORE],
            ),
            (
                NO_CONNECTION,
                couchdb(std::slice::from_ref(&ready)),
                vec![OF_CORE, OF_COUCHDB],
            ),
            ("waiting", couchdb(&[unready]), vec![OF_COUCHDB]),
            ("waiting", couchdb(&[crashed]), vec![]),
            (
                "curl: (52) Empty reply from server",
                couchdb(&[ready]),
                vec![],
            ),
        ] {
            let (found, mut asked) = look(log, pods, &both).await;
            asked.sort();
            assert_eq!(asked, paths, "{log}");
            let is_needed = !matches!(found.unknown(), Some(Why::NotNeeded(_)));
            assert_eq!(is_needed, !paths.is_empty(), "{log}");
        }
    }

    #[tokio::test]
    async fn namespaces_are_read_where_a_rule_asks_for_their_labels() {
        let rule = json!({"to": [{"namespaceSelector": {"matchLabels": {"team": "x"}}}]});
        let policy =
            json!({"metadata": {"namespace": "core", "name": "p"}, "spec": {"egress": [rule]}});
        let listed = page("networking.k8s.io/v1", "NetworkPolicy", &[policy], "");
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}});
        let unresolved = "curl: (6) Could not resolve host: db.secure-kvs.svc";
        let answers = [(200, listed), (200, namespace), (403, forbidden())];
        let (found, asked) = look(unresolved, couchdb(&[]), &answers).await;
        assert_eq!(asked[0], OF_CORE);
        assert_eq!(
            asked[1..],
            [
                "/api/v1/namespaces/kube-system",
                "/api/v1/namespaces/secure-kvs"
            ]
        );
        let found = found.if_read().unwrap();
        assert!(found.namespace("kube-system").is_ok());
        let refused = found.namespace("secure-kvs").unwrap_err();
        assert!(matches!(refused.why, Why::Forbidden(_)));
    }

    #[tokio::test]
    async fn policies_that_were_not_all_read_are_not_all() {
        let none = || Read::not_asked("x");
        let of = async |answer: (u16, Value)| {
            let (found, _) = look(NO_CONNECTION, none(), &[answer]).await;
            found.if_read().unwrap().clone()
        };
        let whole = of(policies("")).await;
        let whole_job = whole.of_job.if_read().unwrap();
        assert_eq!(whole_job.all().map(<[_]>::len), Ok(1));
        assert!(!whole_job.known()[0].meta.malformed.is_empty());
        assert!(matches!(whole.of_couchdb.unknown(), Some(Why::NotAsked(_))));
        let cut = of(policies("more")).await;
        assert!(cut.of_job.if_read().unwrap().all().is_err());
        let refused = of((403, forbidden())).await;
        assert!(matches!(refused.of_job.unknown(), Some(Why::Forbidden(_))));
    }
}
