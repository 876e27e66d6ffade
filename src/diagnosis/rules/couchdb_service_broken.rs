//! SKVS320: CouchDB's Service leads nowhere.

use crate::diagnosis::case::Case;
use crate::diagnosis::couchdb;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::field::Meta;
use crate::snapshot::{CouchService, Unread, Why};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS320",
    slug: "couchdb-service-broken",
    severity: Severity::Error,
    role: Role::Cause,
    title: "CouchDB's Service leads nowhere",
    explanation: r#"The creation Job reaches CouchDB through a Service. That Service does not exist, has no ready pod behind it, or lacks the
requested port. It is only checked if the Job got no answer (SKVS304) or still waits for one."#,
    fix: r#"See it: `kubectl get services,endpointslices,pods -n secure-kvs`

- Missing: correct `values.couchdb.serviceName`.
- No ready pod: start CouchDB. If it is running, compare its labels with the Service's selector, and check that the NetworkPolicies
  of its namespace let its members reach each other (ports 4369 and 9100) and DNS.
- Another port: correct `values.couchdb.port`."#,
    example: r#"endpointslice of db-agora-kvs-secure-kvs-agora-couchdb: conditions.ready false"#,
    explains: &["SKVS304", "SKVS308", "SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if !case.is_about_the_job() {
        return Ok(None);
    }
    let Some(found) = case.service()? else {
        return Ok(None);
    };
    let subject = Subject::new("Service", &found.namespace, &found.name);
    let (wrong, observed, step) = match wrong(found) {
        Ok(Some(wrong)) => wrong,
        Ok(None) => return Ok(None),
        Err(why) => return Err(Unread::new(subject.to_string(), why)),
    };
    let finding = Finding::new(subject.clone(), format!("{subject} {wrong}"))
        .why(format!(
            "The creation Job reaches CouchDB through it, according to {}.",
            found.named_by
        ))
        .seen(case.seen_failure())
        .seen([Evidence::new(subject.clone(), "", &observed)]);
    let by_hand = |finding: Finding| {
        finding.step(step).command([
            "kubectl",
            "get",
            "services,endpointslices,pods",
            "-n",
            &subject.namespace,
        ])
    };
    let finding = match step {
        NO_POD => couchdb::shown(case, finding, by_hand),
        _ => by_hand(finding),
    };
    finding.then(then(case, Fixes::Elsewhere)).into()
}

/// The step where no pod says why it is not ready.
const NO_POD: &str = "Start CouchDB:";

/// What is wrong, what was seen, what to do.
type Wrong = (String, String, &'static str);

fn wrong(found: &CouchService) -> Result<Option<Wrong>, Why> {
    let Some(service) = found.service().map_err(|unread| unread.why)? else {
        return Ok(Some((
            "does not exist".to_owned(),
            "not found".to_owned(),
            "Correct values.couchdb.serviceName in the manifest, or restore the Service. Existing Services:",
        )));
    };
    let malformed = |meta: &Meta| {
        let fields = meta.malformed.join(", ");
        Err(Why::Broken(format!(
            "malformed in its {}: {fields}",
            meta.kind
        )))
    };
    if !service.meta.malformed.is_empty() {
        return malformed(&service.meta);
    }
    let ports = &service.ports.known;
    if let Some(wanted) = found.port
        && !ports.is_empty()
        && ports.iter().all(|port| port.port != wanted)
    {
        let all: Vec<String> = ports.iter().map(|port| port.port.to_string()).collect();
        return Ok(Some((
            format!("has no port {wanted}"),
            format!("ports: {}", all.join(", ")),
            "Correct values.couchdb.port in the manifest, or the Service:",
        )));
    }
    // By a name it leads out of the cluster.
    if service.selector.is_absent() && !service.is_without_selector() {
        return Ok(None);
    }
    let Some(slices) = found.slices().map_err(|unread| unread.why)? else {
        return Ok(None);
    };
    let known = slices.known();
    let endpoints = || known.iter().flat_map(|slice| &slice.endpoints.known);
    if endpoints().any(|endpoint| endpoint.is_ready() == Some(true)) {
        return Ok(None);
    }
    let all = slices.all()?;
    if let Some(odd) = all.iter().find(|s| !s.meta.malformed.is_empty()) {
        return malformed(&odd.meta);
    }
    let wrong = match service.is_without_selector() {
        true => "has neither a selector nor a ready endpoint",
        false => "has no ready pod behind it",
    };
    Ok(Some((
        wrong.to_owned(),
        format!("endpoints: {}, none of them ready", endpoints().count()),
        NO_POD,
    )))
}

#[cfg(test)]
mod tests {
    use super::wrong;
    use crate::diagnosis::{Case, fixture};
    use crate::model::service::{EndpointSlice, Service};
    use crate::snapshot::{CouchPods, CouchService, Listing, Read, Why};
    use serde_json::{Value, json};

    #[test]
    fn one_that_is_not_there_is_found() {
        assert_eq!(
            fixture::sentence("couchdb-service-missing", "SKVS320"),
            "Service secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb does not exist"
        );
    }

    #[test]
    fn the_pods_behind_it_say_why_they_are_not_ready() {
        let name = "couchdb-pod-out-of-memory";
        let finding = fixture::finding(name, "SKVS320");
        let seen: Vec<&str> = finding.evidence[2..]
            .iter()
            .map(|e| e.observed.as_str())
            .collect();
        assert_eq!(
            seen,
            [
                "container couchdb: CrashLoopBackOff: back-off 5m0s restarting failed container=couchdb; exited 137 (OOMKilled, memory limit 512Mi)",
                "container couchdb: CrashLoopBackOff: back-off 5m0s restarting failed container=couchdb; exited 1",
            ]
        );
        let log = "Protocol 'inet_tcp': the name couchdb@db-agora-kvs-couchdb-1 seems to be in use by another Erlang node";
        assert_eq!(finding.evidence[3].lines, [log]);
        insta::assert_snapshot!(fixture::lines(finding), @"
        Service secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb has no ready pod behind it
        Raise the memory limit of container couchdb, or find out why it uses so much memory:
        $ kubectl describe -n secure-kvs pod db-agora-kvs-couchdb-0
        ");
        let step = |pods: Read<CouchPods>| {
            let mut snapshot = fixture::snapshot(name);
            snapshot.on_demand.couch_pods = pods;
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = found.unwrap().unwrap();
            (
                found.why.last().cloned().unwrap_or_default(),
                fixture::lines(found).contains(super::NO_POD),
            )
        };
        let refused = Read::Unknown(Why::Forbidden("list pods in secure-kvs".to_owned()));
        let unknown = "It is not known why CouchDB is not serving, because its pods were not read: forbidden (list pods in secure-kvs).";
        assert_eq!(step(refused), (unknown.to_owned(), true));
        let cut = Why::NotAsked("only the first 250 pods were read".to_owned());
        let none = |not_all| {
            Read::Seen(CouchPods {
                of_service: true,
                namespace: "secure-kvs".to_owned(),
                pods: Listing::new(Vec::new(), not_all),
            })
        };
        let unknown =
            "A CouchDB pod that was not read may be down: only the first 250 pods were read.";
        assert_eq!(step(none(Some(cut))), (unknown.to_owned(), true));
        assert!(
            step(none(None))
                .0
                .starts_with("The creation Job reaches CouchDB")
        );
    }

    fn told(port: u16, selector: Value, endpoints: Value) -> Option<String> {
        told_of(port, selector, endpoints, None)
    }

    fn told_of(
        port: u16,
        selector: Value,
        endpoints: Value,
        not_all: Option<Why>,
    ) -> Option<String> {
        let slice = EndpointSlice::from_value(&json!({"endpoints": endpoints}));
        let service = json!({"spec": {"selector": selector, "ports": [{"port": 5984}]}});
        let found = CouchService {
            namespace: "n".into(),
            name: "s".into(),
            port: Some(port),
            named_by: "x".into(),
            service: Read::Seen(Service::from_value(&service)).into(),
            slices: Read::Seen(Listing::new(vec![slice], not_all)).into(),
        };
        match wrong(&found) {
            Ok(wrong) => wrong.map(|(what, _, _)| what),
            Err(why) => Some(why.clause()),
        }
    }

    #[test]
    fn ports_and_endpoints_are_judged() {
        let some = || json!({"app": "x"});
        let with = |ready: bool| json!([{"conditions": {"ready": ready}}]);
        assert_eq!(told(5984, some(), with(true)), None);
        assert_eq!(told(80, some(), with(true)).unwrap(), "has no port 80");
        let down = "has no ready pod behind it";
        assert_eq!(told(5984, some(), with(false)).unwrap(), down);
        assert_eq!(told(5984, some(), Value::Null).unwrap(), down);
        let none = "has neither a selector nor a ready endpoint";
        assert_eq!(told(5984, Value::Null, Value::Null).unwrap(), none);
        assert_eq!(told(5984, Value::Null, with(false)).unwrap(), none);
        assert_eq!(told(5984, Value::Null, with(true)), None);
        let odd = json!([{"conditions": {"ready": "no"}}]);
        assert_eq!(
            told(5984, some(), odd.clone()).unwrap(),
            "malformed in its EndpointSlice: endpoints"
        );
        let one_is_ready = json!([odd[0], {"conditions": {"ready": true}}]);
        assert_eq!(told(5984, some(), one_is_ready), None);
        assert_eq!(
            told(5984, json!("x"), with(false)).unwrap(),
            "malformed in its Service: spec.selector"
        );
    }

    #[test]
    fn a_ready_pod_may_be_among_the_slices_that_were_not_read() {
        let cut = || {
            Some(Why::NotAsked(
                "only the first 50 endpointslices were read".to_owned(),
            ))
        };
        let with = |ready: bool| json!([{"conditions": {"ready": ready}}]);
        let of = |ready| told_of(5984, json!({"app": "x"}), with(ready), cut());
        assert_eq!(
            of(false).unwrap(),
            "only the first 50 endpointslices were read"
        );
        assert_eq!(of(true), None);
    }

    #[test]
    fn unread_endpoints_are_no_verdict() {
        let refused = || Why::Forbidden("list endpointslices in n".to_owned());
        let found = CouchService {
            namespace: "n".into(),
            name: "s".into(),
            port: None,
            named_by: "x".into(),
            service: Read::Seen(Service::from_value(
                &json!({"spec": {"selector": {"a": "b"}}}),
            ))
            .into(),
            slices: Read::Unknown(refused()).into(),
        };
        assert_eq!(wrong(&found), Err(refused()));
    }
}
