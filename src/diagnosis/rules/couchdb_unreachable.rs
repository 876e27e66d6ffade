//! SKVS304: the creation Job gets no answer from CouchDB.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::couchdb;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::job::{Job, Outcome, existing};
use crate::diagnosis::mesh::{late, pod_of, strict, uninjected};
use crate::diagnosis::network_policies;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::creation_log::{
    Mesh, Unresolved, explained, is_unconnected, may_have_created, mesh, unresolved,
    unresolved_host,
};
use crate::model::endpoint::{self, COUCHDB_NAMESPACE, Known};
use crate::model::istio::mutual_tls::PeerAuthentication;
use crate::model::job_values::JobValues;
use crate::model::network_policy::DNS_NAMESPACE;
use crate::snapshot::IfRead;
use crate::text::{few, one_line};
use std::ops::ControlFlow;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS304",
    slug: "couchdb-unreachable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the creation Job gets no answer from CouchDB",
    explanation: r#"The Job's pod asks CouchDB to create the database and gets no answer: the Service's name does not resolve, nothing listens,
the connection drops, or the mesh has no healthy pod behind it (502, 503, 504)."#,
    fix: r#"See it: `kubectl get pods,endpoints -n secure-kvs`, then `kubectl skvs describe NAME` for the endpoint.

- The name does not resolve: check the NetworkPolicies of the target namespace, which must let the Job's pod out to DNS, and the
  cluster's DNS (`kubectl get pods -n kube-system -l k8s-app=kube-dns`). Correct `values.couchdb.serviceName` if it is wrong.
- Nothing listens: start CouchDB.
- CouchDB is running: check the NetworkPolicies and the mesh's authorization policies between the target namespace and
  `secure-kvs`."#,
    example: r#"curl: (6) Could not resolve host: db-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc"#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Outcome::Unreachable(death)) = case.outcome_by_log()? else {
        return Ok(None);
    };
    let lines = death.said();
    let mesh_says = mesh(&lines);
    let unresolved = unresolved(&lines);
    let is_reset = death.has_sidecar == Some(false) && mesh_says == Some(Mesh::Reset);
    let strict = is_reset.then(|| strict(case, &death.pod)).flatten();
    // A proxy that demands mutual TLS lets no request through without it.
    let created = may_have_created(&lines) && !strict.is_some_and(|(_, is_sure)| is_sure);
    let known = Known {
        release: None,
        job: None,
        log: &lines,
    };
    let namespace = endpoint::find(case.hr(), known)
        .map_or(COUCHDB_NAMESPACE.to_owned(), |endpoint| endpoint.namespace);
    let sent = created.then_some(
        "The request was sent, so the database may exist: the next attempt then fails with 412 (SKVS301).",
    );
    let finding = Job::died(case, death, "the creation Job gets no answer from CouchDB")
        .why(match unresolved {
            Some(_) => "The Job creates the database through CouchDB's Service, and could not resolve its name: CouchDB was not asked.",
            None => "The Job creates the database through CouchDB's Service, and got no answer there.",
        })
        .whys(explained(&lines))
        .whys(sent);
    let finding = match created {
        true => existing(case, finding),
        false => finding,
    };
    let finding = match death.has_sidecar {
        // Where the proxy answered, it was ready.
        Some(true) if !matches!(mesh_says, Some(Mesh::NoPod | Mesh::Distrusts)) => {
            match late(case, finding, death) {
                ControlFlow::Break(finding) => {
                    return finding.then(then(case, Fixes::Elsewhere)).into();
                }
                ControlFlow::Continue(finding) => finding,
            }
        }
        _ => finding,
    };
    let finding = match is_unconnected(&lines) {
        true => network_policies::of_job(case, finding, &death.pod, unresolved),
        false => finding,
    };
    let finding = match unresolved {
        Some(how) => {
            let finding = search_domains(case, finding, &death.pod, unresolved_host(&lines));
            dns(case, finding, how, &namespace)
        }
        None => finding,
    };
    let mesh = mesh_says;
    let values = JobValues::within(&case.hr().spec.values);
    let (finding, is_explained) = match death.has_sidecar {
        Some(false) if is_reset => (
            demanded(case, finding, strict, &death.pod)
                .steps(values.is_outside_the_mesh().then(|| "If CouchDB is in the mesh, set values.databaseCreationJob.runInIstioServiceMesh.enabled to true in the manifest".to_owned()))
                .step("If CouchDB is in the mesh, have the sidecar injected into the Job's pod; look at the labels of its namespace:")
                .command(["kubectl", "get", "namespace", &death.pod.namespace, "--show-labels"]),
            true,
        ),
        Some(true) if values.is_outside_the_mesh() => (
            finding
                .why("The Job's pod has a mesh sidecar (istio-proxy), but values.databaseCreationJob.runInIstioServiceMesh.enabled is false: the Job neither waits until the sidecar is ready nor ends it.")
                .step("Set values.databaseCreationJob.runInIstioServiceMesh.enabled to true in the manifest"),
            true,
        ),
        _ => (finding, false),
    };
    let by_hand = |finding: Finding| {
        if mesh == Some(Mesh::Distrusts) {
            return finding
                .step("Compare the mesh's root certificates, and restart the pods whose proxy is older than istiod's present one:")
                .command(["kubectl", "get", "configmaps,pods", "-n", "istio-system"]);
        }
        let finding = finding
            .step("Check that CouchDB is running and the Service has endpoints:")
            .command([
                "kubectl",
                "get",
                "pods,services,endpointslices",
                "-n",
                &namespace,
            ]);
        match mesh {
            _ if is_explained => finding,
            Some(Mesh::NoPod) => finding.step(
                "If it is, check the mesh: its proxies do not know a healthy pod of CouchDB.",
            ),
            _ => finding
                .step("If it is, check network policies and the mesh between the two namespaces."),
        }
    };
    couchdb::shown(case, finding, by_hand)
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// Adds that the pod's own search domains may hide the name.
fn search_domains(case: &Case<'_>, finding: Finding, pod: &Subject, host: Option<&str>) -> Finding {
    let Some((host, found)) = host.zip(pod_of(case, pod)) else {
        return finding;
    };
    let domains = found.pod.searched_first(host);
    if domains.is_empty() {
        return finding;
    }
    let domains = one_line(&few(domains, ", ", DOMAINS));
    finding
        .why(format!(
            "The pod's dnsConfig has search domains of its own ({domains}). {host} has fewer dots than ndots, so the resolver asks for it there first. If a server there answers for every name, it may never ask for {host} itself."
        ))
        .step(format!(
            "See whether the cluster's DNS was asked for {host} itself. If it was not, remove the search domain from the pod's dnsConfig, set its option ndots to 1, or write the host with a dot at its end"
        ))
}

/// Search domains that are named at most.
const DOMAINS: usize = 3;

/// Adds what DNS did, and how to see why.
fn dns(case: &Case<'_>, finding: Finding, how: Unresolved, namespace: &str) -> Finding {
    let service = case.service().if_read();
    if let Some(found) = service.filter(|found| matches!(found.service(), Ok(None))) {
        let service = Subject::new("Service", &found.namespace, &found.name);
        return finding.why(format!(
            "{service} does not exist, so its name cannot be resolved."
        ));
    }
    let exists = service.filter(|found| found.service().if_read().is_some());
    let said = match how {
        Unresolved::NoAnswer => {
            Some("The cluster's DNS did not answer, or answered with an error.")
        }
        Unresolved::NoName => Some("DNS answered that the name does not exist."),
        Unresolved::Either => None,
    };
    let exists = exists.map(|found| {
        let service = Subject::new("Service", &found.namespace, &found.name);
        format!("{service} exists.")
    });
    let finding = finding
        .whys(said)
        .whys(exists.as_deref())
        .step("Check the cluster's DNS; its pods have to be ready:")
        .command([
            "kubectl",
            "get",
            "pods",
            "-n",
            DNS_NAMESPACE,
            "-l",
            "k8s-app=kube-dns",
        ]);
    match exists {
        Some(_) => finding,
        None => finding
            .step("Check that the name in the log is that of CouchDB's Service. Existing Services:")
            .command(["kubectl", "get", "services", "-n", namespace]),
    }
}

/// Adds what demands the sidecar that the pod does not have, and why it has none.
fn demanded(
    case: &Case<'_>,
    finding: Finding,
    strict: Option<(&PeerAuthentication, bool)>,
    pod: &Subject,
) -> Finding {
    let finding = match strict {
        Some((peer, is_sure)) => {
            let peer = Subject::from(&peer.meta);
            let so = match is_sure {
                true => "reset its connection before CouchDB saw a request, so this attempt created no database",
                false => "resets such a connection",
            };
            finding
                .why(format!("{peer} demands mutual TLS, and the Job's pod has no mesh sidecar (istio-proxy): CouchDB's proxy {so}."))
                .seen([Evidence::new(peer, ".spec.mtls.mode", "STRICT")])
        }
        None => finding.why("The Job's pod has no mesh sidecar (istio-proxy). Where CouchDB's namespace demands mutual TLS, its proxy resets every connection without one."),
    };
    uninjected(case, finding, pod)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::model::event::Event;
    use crate::model::service::Service;
    use crate::snapshot::{CouchPods, CouchService, Listing, Read, Why};
    use serde_json::{Value, json};

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("couchdb-unreachable", "SKVS304"),
            "the creation Job gets no answer from CouchDB"
        );
    }

    #[test]
    fn a_pod_of_couchdb_that_is_not_serving_says_why() {
        let name = "couchdb-unreachable";
        let mut snapshot = fixture::snapshot(name);
        let pod = fixture::without_image("secure-kvs", "db-0", "db");
        snapshot.on_demand.couch_pods = Read::Seen(CouchPods {
            of_service: true,
            namespace: "secure-kvs".to_owned(),
            pods: Listing::whole(vec![pod]),
        });
        let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
        insta::assert_snapshot!(fixture::lines(found.unwrap().unwrap()), @"
        the creation Job gets no answer from CouchDB
        Check the cluster's DNS; its pods have to be ready:
        $ kubectl get pods -n kube-system -l k8s-app=kube-dns
        Check that the name in the log is that of CouchDB's Service. Existing Services:
        $ kubectl get services -n secure-kvs
        Find out why it is not ready, and fix it:
        $ kubectl describe -n secure-kvs pod db-0
        ");
    }

    #[test]
    fn a_name_that_was_not_resolved_leads_to_dns_first() {
        let of = |log: &str, service: Option<Read<Service>>| {
            let name = "couchdb-unreachable";
            let mut snapshot = fixture::snapshot(name);
            let pods = snapshot.creation_job.seen_mut().unwrap().pods.seen_mut();
            let pods = pods.unwrap().known_mut();
            for (_, own) in pods.iter_mut().flat_map(|pod| &mut pod.logs) {
                *own = Read::Seen(log.to_owned()).into();
            }
            if let Some(service) = service {
                snapshot.on_demand.service = Read::Seen(CouchService {
                    namespace: "secure-kvs".to_owned(),
                    name: "db".to_owned(),
                    port: Some(5984),
                    named_by: "x".to_owned(),
                    service: service.into(),
                    slices: Read::not_asked("x").into(),
                });
            }
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            fixture::reasoned(found.unwrap().unwrap())
        };
        let dns = "$ kubectl get pods -n kube-system -l k8s-app=kube-dns";
        let services = "$ kubectl get services -n secure-kvs";
        let no_answer = "Error: getaddrinfo EAI_AGAIN db.secure-kvs.svc";
        let exists = || {
            Some(Read::Seen(Service::from_value(
                &json!({"spec": {"selector": {"app": "db"}}}),
            )))
        };
        let said = of(no_answer, exists());
        assert!(
            said.contains("The cluster's DNS did not answer, or answered with an error."),
            "{said}"
        );
        assert!(said.contains("Service secure-kvs/db exists."), "{said}");
        assert!(said.contains(dns) && !said.contains(services), "{said}");
        assert!(
            said.find(dns) < said.find("Check that CouchDB is running"),
            "{said}"
        );
        let said = of("getaddrinfo ENOTFOUND db.secure-kvs.svc", None);
        assert!(
            said.contains("DNS answered that the name does not exist."),
            "{said}"
        );
        assert!(said.contains(dns) && said.contains(services), "{said}");
        let said = of(no_answer, Some(Read::Absent));
        assert!(
            said.contains("Service secure-kvs/db does not exist, so its name cannot be resolved."),
            "{said}"
        );
        assert!(!said.contains(dns), "{said}");
        let said = of(
            "curl: (7) Failed to connect to db.secure-kvs.svc port 5984",
            exists(),
        );
        assert!(
            !said.contains(dns) && said.contains("got no answer there"),
            "{said}"
        );
    }

    #[test]
    fn a_sidecar_that_was_late_is_to_blame_and_not_couchdb() {
        let name = "couchdb-unreachable";
        let found = |events: Read<Listing<Event>>, proxy: Option<Value>| {
            let mut snapshot = fixture::snapshot_of(name, &|object| {
                if let ("Pod", Some(proxy)) = (object["kind"].as_str().unwrap(), &proxy) {
                    object["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] =
                        json!("2026-11-23T20:00:30Z");
                    object["status"]["containerStatuses"]
                        .as_array_mut()
                        .unwrap()
                        .push(proxy.clone());
                }
            });
            if let Read::Seen(found) = &mut snapshot.creation_job {
                found.events = events.into();
            }
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            found.unwrap().unwrap()
        };
        let with = |event: Value, proxy: Option<Value>| {
            let events = Listing::whole(vec![Event::from_value(&event)]);
            fixture::lines(found(Read::Seen(events), proxy))
        };
        // The kubelet ends the sidecar when its hook has failed.
        let ended = |state: Value| {
            json!({"name": "istio-proxy", "image": "p", "state": state,
                "lastState": {"terminated": {"exitCode": 137, "finishedAt": "2026-11-23T20:00:21Z"}}})
        };
        let runs_since = |time: &str| ended(json!({"running": {"startedAt": time}}));
        let after = runs_since("2026-11-23T20:00:40Z");
        let of = |event: Value, has_sidecar: bool| with(event, has_sidecar.then(|| after.clone()));
        let event = |pod: &str, container: &str| {
            json!({"reason": "FailedPostStartHook", "involvedObject": {"kind": "Pod", "name": pod}, "lastTimestamp": "2026-11-23T20:00:20Z",
                "message": format!("Exec lifecycle hook ([pilot-agent wait]) for Container \"{container}\" in Pod \"x\" failed - error: command 'pilot-agent wait' exited with 255")})
        };
        let own = "pds-database-create-8kk64";
        let said = of(event(own, "istio-proxy"), true);
        assert!(said.contains("$ kubectl logs -n core pds-database-create-8kk64 -c istio-proxy --tail=50 --previous"), "{said}");
        assert!(!said.contains("Check that CouchDB is running"), "{said}");
        for (event, has_sidecar) in [
            (event("other", "istio-proxy"), true),
            (event(own, "create"), true),
            (event(own, "istio-proxy"), false),
            (
                json!({"reason": "Killing", "message": "FailedPostStartHook"}),
                true,
            ),
        ] {
            let said = of(event, has_sidecar);
            assert!(said.contains("Check that CouchDB is running"), "{said}");
        }
        let own = || event(own, "istio-proxy");
        let end = json!({"terminated": {"exitCode": 0, "finishedAt": "2026-11-23T20:00:50Z"}});
        // By then it may have been ready.
        for proxy in [
            runs_since("2026-11-23T20:00:25Z"),
            ended(json!({"running": {}})),
            ended(end.clone()),
        ] {
            let said = with(own(), Some(proxy));
            assert!(said.contains("Check that CouchDB is running"), "{said}");
        }
        // Events that were not read do not say that it was in time.
        let cut = Listing::new(Vec::new(), Some(Why::Failed("timeout".to_owned())));
        let whole = Listing::default();
        let unknown = "was ready in time is unknown: not all of its events were read (timeout).";
        for (events, is_unknown) in [
            (Read::failed("timeout"), true),
            (Read::Seen(cut), true),
            (Read::Seen(whole), false),
        ] {
            let why = found(events, Some(after.clone())).why.join("\n");
            assert_eq!(why.contains(unknown), is_unknown, "{why}");
        }
        let once = json!({"name": "istio-proxy", "image": "p", "state": end});
        let said = with(own(), Some(once));
        assert!(!said.contains("--previous"), "{said}");
        assert!(said.contains("why the sidecar is late"), "{said}");
    }
}
