//! CouchDB's pods: whether they are found, and how many are ready. None of them is asked.

use crate::cluster::Cluster;
use crate::couchdb::pods::{Choice, PodState};
use crate::flags::couchdb_pods::{PlaceArgs, no_container};
use crate::text::few;
use crate::view::doctor::{Area, Check, State};

const SUBJECT: &str = "CouchDB's pods";

/// Most pods that are named.
const NAMED: usize = 3;

pub(super) async fn check(cluster: &Cluster, place: &PlaceArgs) -> Check {
    let namespace = &place.couchdb_namespace;
    match place.found(cluster, Choice::default()).await {
        Err(error) => Check::new(Area::Couchdb, SUBJECT, State::NotKnown, error.clause()),
        Ok(Ok(found)) => of_pods(&found.cluster(), namespace),
        Ok(Err(none)) => {
            let error = no_container(namespace, false, none);
            let check = Check::new(Area::Couchdb, SUBJECT, State::Failed, error.message());
            match error.hints().first() {
                Some(hint) => check.next(hint.clone(), cluster.origin()),
                None => check,
            }
        }
    }
}

fn of_pods(pods: &[PodState], namespace: &str) -> Check {
    let down: Vec<&str> = pods
        .iter()
        .filter(|pod| !pod.ready)
        .map(|pod| pod.name.as_str())
        .collect();
    let ready = format!(
        "{} of {} ready in {namespace}",
        pods.len() - down.len(),
        pods.len()
    );
    if pods.is_empty() {
        let message = format!("none is known in {namespace}");
        return Check::new(Area::Couchdb, SUBJECT, State::NotKnown, message);
    }
    if down.is_empty() {
        return Check::new(Area::Couchdb, SUBJECT, State::Ok, ready);
    }
    let message = format!("{ready}; not ready: {}", few(&down, ", ", NAMED));
    Check::new(Area::Couchdb, SUBJECT, State::Failed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_is_not_ready_is_named() {
        let pod = |name: &str, ready| PodState {
            name: name.to_owned(),
            uid: String::new(),
            ready,
        };
        let told = |ready: &[bool]| {
            let pods = ready.iter().zip(["a", "b", "c", "d"]);
            let pods: Vec<PodState> = pods.map(|(ready, name)| pod(name, *ready)).collect();
            let check = of_pods(&pods, "kvs");
            (check.state, check.message)
        };
        assert_eq!(
            told(&[true, true]),
            (State::Ok, "2 of 2 ready in kvs".to_owned())
        );
        let one = "1 of 2 ready in kvs; not ready: b".to_owned();
        assert_eq!(told(&[true, false]), (State::Failed, one));
        let none = "0 of 4 ready in kvs; not ready: a, b, c and 1 more".to_owned();
        assert_eq!(told(&[false; 4]), (State::Failed, none));
    }
}
