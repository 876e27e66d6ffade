//! What the pod of a hook or a test that failed says of it.

use super::case::Case;
use super::finding::Finding;
use super::serving;
use crate::snapshot::Listing;

/// The finding with how the pod ended and the end of its log, or why that is not known, and whether the log was read.
pub(super) fn explained(case: &Case<'_>, finding: Finding) -> (Finding, bool) {
    let pods = match case.hook_pods() {
        Ok(Some(pods)) => pods,
        Ok(None) => return (finding, false),
        Err(unread) if unread.is_not_needed() => return (finding, false),
        Err(unread) => {
            let why = unread.why.clause();
            return (
                finding.why(format!("Its pods were not read: {why}.")),
                false,
            );
        }
    };
    let newest = pods.known().first();
    let Some((pod, found)) = newest.and_then(|pod| Some((pod, serving::of_serving(pod)?))) else {
        let none = match Listing::not_all(pods) {
            Some(why) => format!("Not all of its pods were read: {}.", why.clause()),
            None => "None of its pods that exist now has failed.".to_owned(),
        };
        return (finding.why(none), false);
    };
    let why = found.reason.why.trim_end_matches('.');
    let finding = found.reason.whys().fold(
        finding.why(format!("{}: {why}.", found.subject)),
        Finding::why,
    );
    let is_read = pod.log.if_read().is_some();
    (
        finding.seen([found.reason.evidence(&found.subject, "")]),
        is_read,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::model::pod::Pod;
    use crate::snapshot::{LogEnd, Read, ServingPod, Why};
    use serde_json::json;

    fn told(pods: Read<Listing<ServingPod>>) -> (String, bool) {
        let name = "tests-failed-middle";
        let mut snapshot = fixture::snapshot(name);
        snapshot.on_demand.hook_pods = pods;
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let (finding, is_read) = explained(&case, Finding::new(case.subject(), "x"));
        (fixture::reasoned(finding), is_read)
    }

    fn failed(log: Read<LogEnd>) -> Read<Listing<ServingPod>> {
        let ended = json!({"terminated": {"exitCode": 7, "reason": "Error", "startedAt": "2026-11-27T04:00:00Z", "finishedAt": "2026-11-27T04:00:01Z"}});
        let pod = Pod::from_value(&json!({"metadata": {"namespace": "core", "name": "t"},
            "status": {"phase": "Failed", "containerStatuses": [{"name": "curl", "ready": false, "state": ended}]}}));
        let events = Read::Seen(Listing::default());
        Read::Seen(Listing::whole(vec![ServingPod {
            pod,
            events: events.into(),
            log: log.into(),
        }]))
    }

    #[test]
    fn the_end_of_its_log_is_shown() {
        let log = LogEnd {
            container: "curl".to_owned(),
            text: "curl: (7) Failed to connect to steelcouch.secure-kvs.svc port 5984\n".to_owned(),
        };
        let (said, is_read) = told(failed(Read::Seen(log)));
        insta::assert_snapshot!(said, @"
        Pod core/t: container curl: exited 7.
        The last line of its log: curl: (7) Failed to connect to steelcouch.secure-kvs.svc port 5984
        x
        ");
        assert!(is_read);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let (said, is_read) = told(failed(Read::failed("timeout")));
        assert!(said.contains("Its log was not read: timeout."), "{said}");
        assert!(!is_read);
        let (said, _) = told(Read::Unknown(Why::Forbidden(
            "list pods in core".to_owned(),
        )));
        assert!(said.contains("Its pods were not read: forbidden"), "{said}");
        let cut = Why::NotAsked("only the first 50 pods were read".to_owned());
        let (said, _) = told(Read::Seen(Listing::new(Vec::new(), Some(cut))));
        assert!(said.contains("Not all of its pods were read"), "{said}");
        for none in [Read::Absent, Read::not_needed("x")] {
            assert_eq!(told(none).0, "\nx");
        }
        let (said, _) = told(Read::Seen(Listing::default()));
        assert_eq!(said, "None of its pods that exist now has failed.\nx");
    }
}
