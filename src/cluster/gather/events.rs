//! The events of one object.

use crate::cluster::{Cluster, ListOf, segment};
use crate::model::creation_log::{CouchFailure, couch_failure};
use crate::model::event::{self, Event};
use crate::snapshot::{Events, IfRead, JobPod, Listing, Read, Snapshot, Why};
use serde_json::Value;

/// Most events of one object that are asked for; controllers send far fewer in the hour that they are kept.
const LIMIT: usize = 200;

/// Events about the object. Without a uid those of former objects of that name count too.
///
/// The API version is left out: it changes with the version in which a controller reads the object.
pub(super) async fn about(
    cluster: &Cluster,
    namespace: &str,
    kind: &str,
    name: &str,
    uid: Option<&str>,
) -> Read<Events> {
    let mut selector = format!("involvedObject.kind={kind},involvedObject.name={name}");
    if let Some(uid) = uid.filter(|u| !u.is_empty()) {
        selector.push_str(",involvedObject.uid=");
        selector.push_str(uid);
    }
    let path = format!(
        "/api/v1/namespaces/{}/events?fieldSelector={}",
        segment(namespace),
        segment(&selector)
    );
    let page = cluster.page(&ListOf::objects(path), LIMIT).await;
    Read::from_result(page).map(sorted)
}

/// Most requests for the events of a former object.
pub(super) const REQUESTS_MAX: u64 = 1;

/// The events of former HelmReleases of the same name, where the database of this one existed before its creation Job.
pub(super) async fn of_former(cluster: &Cluster, snapshot: &Snapshot) -> Read<Events> {
    let job = snapshot.creation_job().if_read();
    let pods = job.and_then(|job| job.pods.if_read());
    let pods = pods.map_or(&[][..], Listing::known).iter();
    let mut words = pods.flat_map(JobPod::words);
    if !words.any(|said| couch_failure(said) == Some(CouchFailure::Exists)) {
        return Read::not_needed("no creation Job has met an existing database");
    }
    let hr = snapshot.helm_release();
    let own = hr.metadata.uid.as_str();
    if own.is_empty() {
        return Read::not_asked("the HelmRelease has no UID");
    }
    let (namespace, name) = (&hr.metadata.namespace, &hr.metadata.name);
    let all = about(cluster, namespace, "HelmRelease", name, None).await;
    all.map(|all| all.filter(|event| !event.uid.is_empty() && event.uid != own))
}

/// Events of controllers that could not create a pod in the namespace.
pub(super) async fn refused_pods(cluster: &Cluster, namespace: &str) -> Read<Events> {
    let path = format!(
        "/api/v1/namespaces/{}/events?fieldSelector={}",
        segment(namespace),
        segment("reason=FailedCreate")
    );
    let page = cluster.page(&ListOf::objects(path), LIMIT).await;
    Read::from_result(page).map(sorted)
}

/// Newest last. The server orders by name, so what it kept back may be the newest.
fn sorted(objects: Listing<Value>) -> Events {
    let mut events = objects.map(|object| Event::from_value(&object));
    event::sort(events.known_mut());
    let odd = events.known().iter().any(|event| !event.is_whole);
    events.lacks(odd.then(|| Why::Broken("one of them has a malformed field".to_owned())));
    events
}

/// The events of an object and of its parts as one. Where those of a part are not known, the whole is not all.
pub(super) fn joined(own: Read<Events>, parts: Vec<Read<Events>>) -> Read<Events> {
    if own.if_read().is_none() && parts.iter().all(|part| part.if_read().is_none()) {
        return own;
    }
    let mut all = Listing::whole(Vec::new());
    for part in std::iter::once(own).chain(parts) {
        match part {
            Read::Seen(part) => all.extend(part),
            Read::Absent => {}
            Read::Unknown(why) => all.lacks(Some(why)),
        }
    }
    event::sort(all.known_mut());
    Read::Seen(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listed(not_all: Option<Why>) -> Events {
        let events = vec![
            json!({"reason": "late", "lastTimestamp": "2026-11-23T20:21:00Z"}),
            json!({"reason": "early", "lastTimestamp": "2026-11-23T20:20:00Z"}),
        ];
        sorted(Listing::new(events, not_all))
    }

    #[tokio::test]
    async fn events_of_former_objects_are_read_where_the_database_existed_before() {
        use crate::cluster::test_server::{answering, page};
        use crate::diagnosis::fixture;
        use serde_json::json;
        let event = |uid: &str| json!({"metadata": {"name": "e"}, "reason": "R", "involvedObject": {"kind": "HelmRelease", "name": "a", "uid": uid}});
        let read = async |case: &str, uid: &str| {
            let mut snapshot = fixture::snapshot(case);
            snapshot.helm_release.metadata.uid = uid.to_owned();
            let list = page(
                "v1",
                "Event",
                &[event("own"), event("former"), event("")],
                "",
            );
            let (cluster, asked) = answering(&[(200, list)]);
            let found = of_former(&cluster, &snapshot).await;
            let uids = found.if_read().map(|all| {
                all.known()
                    .iter()
                    .map(|e| e.uid.clone())
                    .collect::<Vec<_>>()
            });
            (uids, asked.queries().len())
        };
        let former = Some(vec!["former".to_owned()]);
        assert_eq!(read("database-left-behind", "own").await, (former, 1));
        assert_eq!(read("database-left-behind", "").await, (None, 0));
        assert_eq!(read("couchdb-unreachable", "own").await, (None, 0));
    }

    #[test]
    fn a_list_that_goes_on_is_not_all() {
        let all = listed(None);
        assert_eq!(
            (all.known()[1].reason.as_str(), all.not_all()),
            ("late", None)
        );
        let cut = Why::NotAsked("only the first 2 events were read".to_owned());
        assert_eq!(listed(Some(cut.clone())).not_all(), Some(&cut));
    }

    #[test]
    fn an_event_that_cannot_be_read_may_be_the_one_that_is_looked_for() {
        let events = vec![json!({"reason": "InstallFailed"}), json!({"reason": 7})];
        let read = sorted(Listing::whole(events));
        assert_eq!(read.known().len(), 2);
        let why = read.not_all().unwrap();
        assert_eq!(why.clause(), "one of them has a malformed field");
    }

    #[test]
    fn a_pods_events_that_were_refused_are_told() {
        let refused = || Read::Unknown(Why::Forbidden("list events in core".to_owned()));
        let own = || Read::Seen(listed(None));
        let all = joined(own(), vec![own(), refused(), Read::Absent]);
        let all = all.if_read().unwrap();
        let reasons: Vec<&str> = all
            .known()
            .iter()
            .map(|event| event.reason.as_str())
            .collect();
        assert_eq!(reasons, ["early", "early", "late", "late"]);
        assert_eq!(
            all.not_all().map(Why::clause).as_deref(),
            Some("forbidden (list events in core)")
        );
        assert_eq!(joined(refused(), vec![refused()]), refused());
        let of_pod = joined(refused(), vec![own()]);
        let of_pod = of_pod.if_read().unwrap();
        assert_eq!((of_pod.known().len(), of_pod.all().is_err()), (2, true));
    }
}
