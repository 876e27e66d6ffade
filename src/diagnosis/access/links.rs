//! The links between the account's pods and CouchDB's. Each type is only made by the check that proves it.

use super::{Doubt, Facts, INSTALLED, endpoint};
use crate::model::endpoint::Endpoint;
use crate::model::field::Meta;
use crate::model::istio::Pairs;
use crate::model::istio::decision::{Decision, Place, decide};
use crate::model::istio::detour::RequestScope;
use crate::model::istio::matching::Match;
use crate::model::istio::mesh::Mesh;
use crate::model::istio::policy::AuthorizationPolicy;
use crate::model::istio::port::{Http, Service, http};
use crate::model::istio::request::{Asked, Request};
use crate::model::istio::workload::{Meshed, Workload, is_plain};
use crate::snapshot::Read;

/// All onboardings of the database are known, and one endpoint was installed.
#[derive(Clone, Debug)]
pub(super) struct Installed(());

/// Where requests to the endpoint arrive: at least one pod.
#[derive(Clone, Debug)]
pub(super) struct Route {
    service: Service,
    stops: Vec<Stop>,
}

/// One pod, with the port of it that is asked.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) workload: Workload,
    pub(super) labels: Pairs,
    pub(super) port: u16,
}

/// At each of the pods a proxy enforces policies for HTTP, and nothing leads around it.
#[derive(Clone, Debug)]
pub(super) struct Enforced {
    _each: Vec<(Meshed, Http)>,
}

/// The mesh's settings are known.
#[derive(Clone, Debug)]
pub(super) struct Settings(());

/// The account and its namespace exist.
#[derive(Clone, Debug)]
pub(super) struct Exists(());

/// The account has pods, and each of them sends through a proxy.
#[derive(Clone, Debug)]
pub(super) struct Sends {
    _each: Vec<Meshed>,
}

/// No PeerAuthentication takes the identity away.
#[derive(Clone, Debug)]
pub(super) struct Identity(());

/// Nothing else concerns the request.
#[derive(Clone, Debug)]
pub(super) struct Undisturbed(());

/// What was read, or why it was not.
fn read<'f, T>(read: &'f Read<T>, what: &'static str, absent: &str) -> Result<&'f T, Doubt> {
    match read {
        Read::Seen(value) => Ok(value),
        Read::Absent => Err(Doubt::new(what, absent)),
        Read::Unknown(why) => Err(Doubt::new(what, why.clause())),
    }
}

fn plain(namespace: &Read<Meta>, what: &'static str) -> Result<(), Doubt> {
    let namespace = read(namespace, what, "it does not exist")?;
    is_plain(namespace).map_err(|why| Doubt::new(what, why))
}

impl Installed {
    pub(super) fn check(facts: &Facts) -> Result<Self, Doubt> {
        endpoint(&facts.claimants, &facts.database)?;
        match facts.claimants.not_all() {
            Some(why) => Err(Doubt::new(
                INSTALLED,
                format!("others may claim it: {}", why.clause()),
            )),
            None => Ok(Self(())),
        }
    }
}

const PODS: &str = "the pods behind the endpoint";

impl Route {
    pub(super) fn find(facts: &Facts, endpoint: &Endpoint) -> Result<Self, Doubt> {
        let doubt = |why: String| Doubt::new(PODS, why);
        let Endpoint {
            namespace,
            name,
            port,
            ..
        } = endpoint;
        let port = port.ok_or_else(|| doubt("the endpoint names no port".to_owned()))?;
        let services = read(
            &facts.server.services,
            "the Services of CouchDB's namespace",
            "they do not exist",
        )?;
        let service = services
            .iter()
            .find(|s| s.meta.name == *name && s.meta.namespace == *namespace);
        let service =
            service.ok_or_else(|| doubt(format!("Service {namespace}/{name} does not exist")))?;
        let pods = read(&facts.server.pods, PODS, "they do not exist")?;
        let mut stops = Vec::new();
        for pod in pods.iter().filter(|pod| !pod.is_over()) {
            let labels = pod.labels().map_err(doubt)?;
            if service.selects(&labels).map_err(doubt)? {
                stops.push(Stop {
                    port: service.leads_to(port, pod).map_err(doubt)?,
                    workload: pod.clone(),
                    labels,
                });
            }
        }
        match stops.is_empty() {
            true => Err(doubt(format!(
                "Service {namespace}/{name} selects no pod that runs"
            ))),
            false => Ok(Self {
                service: service.clone(),
                stops,
            }),
        }
    }

    pub(super) fn pods(&self) -> impl Iterator<Item = String> {
        self.stops.iter().map(|stop| stop.workload.meta.id())
    }

    pub(super) fn stops(&self) -> &[Stop] {
        &self.stops
    }

    /// What becomes of one kind of request, the same at each pod.
    pub(super) fn decide(
        &self,
        facts: &Facts,
        policies: &[AuthorizationPolicy],
        asked: Asked,
    ) -> Decision {
        let mut all = self.stops.iter().map(|stop| {
            let (place, request) = stop.request(facts, asked);
            decide(policies, place, &request)
        });
        let first = all.next().expect("a route has a stop");
        all.fold(first, |one, other| match (one, other) {
            (Decision::Allowed, Decision::Allowed) => Decision::Allowed,
            (Decision::Denied(why), Decision::Denied(_)) => Decision::Denied(why),
            (unknown @ Decision::Unknown(_), _) | (_, unknown @ Decision::Unknown(_)) => unknown,
            _ => Decision::Unknown("some of the pods let it in and others do not".to_owned()),
        })
    }
}

impl Stop {
    pub(super) fn request<'r>(
        &'r self,
        facts: &'r Facts,
        asked: Asked,
    ) -> (Place<'r>, Request<'r>) {
        let place = Place {
            namespace: &self.workload.meta.namespace,
            labels: &self.labels,
            root: facts.root(),
        };
        let request = Request {
            account: &facts.account,
            trust_domain: facts.trust_domain(),
            database: facts.database.as_str(),
            port: self.port,
            asked,
        };
        (place, request)
    }
}

impl Enforced {
    pub(super) fn check(facts: &Facts, route: &Route) -> Result<Self, Doubt> {
        let doubt = |why: String| Doubt::new("whether policies are enforced", why);
        plain(&facts.server.namespace, "the endpoint's namespace")?;
        route.service.is_plain().map_err(doubt)?;
        let services = read(
            &facts.server.services,
            "the Services of CouchDB's namespace",
            "they do not exist",
        )?;
        let each = route.stops.iter().map(|stop| {
            let meshed = stop.workload.meshed()?;
            Ok((
                meshed,
                http(services, &stop.workload, &stop.labels, stop.port)?,
            ))
        });
        let each: Result<Vec<_>, String> = each.collect();
        Ok(Self {
            _each: each.map_err(doubt)?,
        })
    }
}

impl Settings {
    pub(super) fn check(mesh: &Read<Mesh>) -> Result<Self, Doubt> {
        const WHAT: &str = "Istio's settings";
        read(mesh, WHAT, "ConfigMap istio-system/istio does not exist")
            .map(|_| Self(()))
            .map_err(|doubt| Doubt::new(WHAT, format!(
                "{}; the trust domain cluster.local and the root namespace istio-system are assumed", doubt.why
            )))
    }
}

impl Exists {
    pub(super) fn check(facts: &Facts) -> Result<Self, Doubt> {
        let client = &facts.client;
        read(
            &client.namespace,
            "the account's namespace",
            "it does not exist",
        )?;
        read(
            &client.service_account,
            "the service account",
            "it does not exist",
        )?;
        Ok(Self(()))
    }
}

impl Sends {
    pub(super) fn check(facts: &Facts) -> Result<Self, Doubt> {
        let doubt = |why: String| Doubt::new("the identity of the account's requests", why);
        plain(&facts.client.namespace, "the account's namespace")?;
        let pods = read(
            &facts.client.pods,
            "the account's pods",
            "they do not exist",
        )?;
        let own = pods
            .iter()
            .filter(|pod| !pod.is_over() && pod.may_be(&facts.account.name));
        let each: Result<Vec<Meshed>, String> = own.map(Workload::meshed).collect();
        let each = each.map_err(doubt)?;
        match each.is_empty() {
            true => Err(doubt(format!(
                "no pod runs as {}: whether its pods have a sidecar is not known",
                facts.account
            ))),
            false => Ok(Self { _each: each }),
        }
    }
}

/// By this label of a pod the proxies of clients know that it takes mutual TLS. The injection of a sidecar sets it.
const TLS_MODE: &str = "security.istio.io/tlsMode";

impl Identity {
    pub(super) fn check(facts: &Facts, route: &Route) -> Result<Self, Doubt> {
        const WHAT: &str = "mutual TLS at CouchDB's pods";
        let all = read(&facts.peer_authentications, WHAT, "they do not exist")?;
        for stop in &route.stops {
            if stop.labels.get(TLS_MODE).is_none_or(|mode| mode != "istio") {
                let id = stop.workload.meta.id();
                let why = format!(
                    "pod {id} has no label {TLS_MODE}=istio: clients send it no identity then"
                );
                return Err(Doubt::new(WHAT, why));
            }
            for one in all {
                match one.disables(&stop.workload.meta.namespace, facts.root(), &stop.labels) {
                    Match::No => {}
                    Match::Yes => {
                        return Err(Doubt::new(
                            WHAT,
                            format!(
                                "PeerAuthentication {} switches it off, and without it no client has an identity",
                                one.meta.id()
                            ),
                        ));
                    }
                    Match::Unknown(why) => {
                        return Err(Doubt::new(
                            WHAT,
                            format!("a PeerAuthentication is not understood: {why}"),
                        ));
                    }
                }
            }
        }
        Ok(Self(()))
    }
}

impl Undisturbed {
    pub(super) fn check(facts: &Facts, endpoint: &Endpoint) -> Result<Self, Doubt> {
        const WHAT: &str = "the way of the request";
        let way = RequestScope {
            service: &endpoint.name,
            namespaces: [&facts.account.namespace, &endpoint.namespace, facts.root()],
        };
        if facts.detours.len() != crate::model::istio::detour::KINDS.len() {
            return Err(Doubt::new(WHAT, "not all kinds of objects were read"));
        }
        for (plural, objects) in &facts.detours {
            let all = read(objects, plural, "they do not exist")?;
            if let Some(why) = all.iter().find_map(|one| one.concerns(way)) {
                return Err(Doubt::new(WHAT, why));
            }
        }
        Ok(Self(()))
    }
}
