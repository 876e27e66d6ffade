//! Objects that can lead a request elsewhere, take its identity or change what a proxy enforces. They are not evaluated: where one may
//! concern the request, it is named.

use crate::model::field::{Fields, Meta};
use serde_json::Value;

/// A kind of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    DestinationRule,
    EnvoyFilter,
    GrpcRoute,
    HttpRoute,
    ServiceEntry,
    Sidecar,
    TcpRoute,
    TlsRoute,
    VirtualService,
    WasmPlugin,
    WorkloadEntry,
}

/// Every kind.
pub const KINDS: [Kind; 11] = [
    Kind::DestinationRule,
    Kind::EnvoyFilter,
    Kind::GrpcRoute,
    Kind::HttpRoute,
    Kind::ServiceEntry,
    Kind::Sidecar,
    Kind::TcpRoute,
    Kind::TlsRoute,
    Kind::VirtualService,
    Kind::WasmPlugin,
    Kind::WorkloadEntry,
];

impl Kind {
    /// API group and plural.
    pub fn resource(self) -> (&'static str, &'static str) {
        match self {
            Kind::DestinationRule => ("networking.istio.io", "destinationrules"),
            Kind::EnvoyFilter => ("networking.istio.io", "envoyfilters"),
            Kind::GrpcRoute => ("gateway.networking.k8s.io", "grpcroutes"),
            Kind::HttpRoute => ("gateway.networking.k8s.io", "httproutes"),
            Kind::ServiceEntry => ("networking.istio.io", "serviceentries"),
            Kind::Sidecar => ("networking.istio.io", "sidecars"),
            Kind::TcpRoute => ("gateway.networking.k8s.io", "tcproutes"),
            Kind::TlsRoute => ("gateway.networking.k8s.io", "tlsroutes"),
            Kind::VirtualService => ("networking.istio.io", "virtualservices"),
            Kind::WasmPlugin => ("extensions.istio.io", "wasmplugins"),
            Kind::WorkloadEntry => ("networking.istio.io", "workloadentries"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::DestinationRule => "DestinationRule",
            Kind::EnvoyFilter => "EnvoyFilter",
            Kind::GrpcRoute => "GRPCRoute",
            Kind::HttpRoute => "HTTPRoute",
            Kind::ServiceEntry => "ServiceEntry",
            Kind::Sidecar => "Sidecar",
            Kind::TcpRoute => "TCPRoute",
            Kind::TlsRoute => "TLSRoute",
            Kind::VirtualService => "VirtualService",
            Kind::WasmPlugin => "WasmPlugin",
            Kind::WorkloadEntry => "WorkloadEntry",
        }
    }
}

/// One object.
#[derive(Clone, Debug)]
pub struct Detour {
    kind: Kind,
    meta: Meta,
    /// The hosts that it is for; `None` for all of them, and where they cannot be read.
    hosts: Option<Vec<String>>,
    /// A DestinationRule that leaves mutual TLS to Istio.
    keeps_identity: bool,
    /// A ServiceEntry that opens ports at pods, or whose spec cannot be read.
    selects_pods: bool,
}

/// The request's way.
#[derive(Clone, Copy, Debug)]
pub struct RequestScope<'w> {
    pub service: &'w str,
    /// The client's, CouchDB's and the mesh's root.
    pub namespaces: [&'w str; 3],
}

impl Detour {
    /// Reads one object.
    pub fn from_value(kind: Kind, object: &Value) -> Self {
        let spec = object.get("spec");
        let hosts = match kind {
            Kind::DestinationRule => spec
                .and_then(|s| text(s.get("host")?))
                .map(|host| vec![host]),
            Kind::VirtualService | Kind::ServiceEntry => spec.and_then(|s| {
                let all = s.get("hosts")?.as_array()?.iter();
                all.map(text).collect()
            }),
            Kind::GrpcRoute | Kind::HttpRoute | Kind::TcpRoute | Kind::TlsRoute => {
                spec.and_then(services_routed)
            }
            Kind::EnvoyFilter | Kind::Sidecar | Kind::WasmPlugin | Kind::WorkloadEntry => None,
        };
        let keeps_identity = spec.is_some_and(|s| s.is_object() && keeps_identity(s));
        let selects_pods =
            spec.is_none_or(|s| !s.is_object() || s.get("workloadSelector").is_some());
        Self {
            selects_pods,
            kind,
            meta: Fields::new(object).meta(kind.name()),
            hosts,
            keeps_identity,
        }
    }

    /// Why the request may not arrive as it was sent, because of this object.
    pub fn concerns(&self, way: RequestScope<'_>) -> Option<String> {
        let own = self.meta.namespace.as_str();
        let is_near = own.is_empty() || way.namespaces.contains(&own);
        let is_for = self
            .hosts
            .as_ref()
            .is_none_or(|hosts| hosts.iter().any(|host| may_name(host, way.service)));
        let concerns = match self.kind {
            // These are taken from the namespaces of the request alone.
            Kind::EnvoyFilter | Kind::Sidecar | Kind::WasmPlugin | Kind::WorkloadEntry => is_near,
            Kind::DestinationRule => is_near && is_for && !self.keeps_identity,
            // These are seen from every namespace.
            Kind::VirtualService
            | Kind::GrpcRoute
            | Kind::HttpRoute
            | Kind::TcpRoute
            | Kind::TlsRoute => is_for,
            Kind::ServiceEntry => is_for || (is_near && self.selects_pods),
        };
        let (kind, id) = (self.kind.name(), self.meta.id());
        concerns.then(|| {
            format!("{kind} {id} is not evaluated, and may change what becomes of a request")
        })
    }
}

/// The Services that a route of the Gateway API is for; `None` where they cannot be read. Those for a gateway leave requests within
/// the mesh as they are.
fn services_routed(spec: &Value) -> Option<Vec<String>> {
    let mut services = Vec::new();
    for parent in spec.get("parentRefs")?.as_array()? {
        let parent = parent.as_object()?;
        match parent.get("kind").map(Value::as_str) {
            None | Some(Some("Gateway")) => {}
            Some(Some("Service")) => services.push(text(parent.get("name")?)?),
            Some(_) => return None,
        }
    }
    Some(services)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|t| !t.is_empty()).map(str::to_owned)
}

/// Whether a host may be the Service, whatever namespace follows.
fn may_name(host: &str, service: &str) -> bool {
    let is_plain = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    !is_plain
        || host
            .split('.')
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case(service))
}

/// Whether no part of a DestinationRule sets another TLS than Istio's own, or a tunnel.
fn keeps_identity(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().all(|(key, value)| match key.as_str() {
            "tls" => value.as_object().is_some_and(|tls| {
                tls.len() == 1 && tls.get("mode").and_then(Value::as_str) == Some("ISTIO_MUTUAL")
            }),
            "tunnel" | "proxyProtocol" => false,
            _ => keeps_identity(value),
        }),
        Value::Array(all) => all.iter().all(keeps_identity),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn concerns(kind: Kind, namespace: &str, spec: Value) -> bool {
        let object = json!({"metadata": {"namespace": namespace, "name": "o"}, "spec": spec});
        let way = RequestScope {
            service: "steelcouch",
            namespaces: ["pds", "secure-kvs", "istio-system"],
        };
        Detour::from_value(kind, &object).concerns(way).is_some()
    }

    #[test]
    fn what_may_concern_the_request_is_named() {
        let off = json!({"tls": {"mode": "DISABLE"}});
        for (kind, namespace, spec) in [
            (Kind::EnvoyFilter, "secure-kvs", json!({})),
            (Kind::WorkloadEntry, "secure-kvs", json!({})),
            (
                Kind::HttpRoute,
                "elsewhere",
                json!({"parentRefs": [{"kind": "Service", "name": "steelcouch"}]}),
            ),
            (Kind::HttpRoute, "elsewhere", json!({})),
            (
                Kind::GrpcRoute,
                "elsewhere",
                json!({"parentRefs": [{"kind": "XService", "name": "a"}]}),
            ),
            (Kind::Sidecar, "pds", json!({})),
            (Kind::WasmPlugin, "istio-system", json!({})),
            (
                Kind::VirtualService,
                "elsewhere",
                json!({"hosts": ["steelcouch.secure-kvs.svc.cluster.local"]}),
            ),
            (Kind::VirtualService, "elsewhere", json!({"hosts": ["*"]})),
            (Kind::VirtualService, "elsewhere", json!({"hosts": [7]})),
            (Kind::VirtualService, "elsewhere", json!({})),
            (
                Kind::ServiceEntry,
                "elsewhere",
                json!({"hosts": ["Steelcouch.secure-kvs.svc"]}),
            ),
            (
                Kind::ServiceEntry,
                "secure-kvs",
                json!({"hosts": ["other.example"], "workloadSelector": {"labels": {"a": "b"}}}),
            ),
            (
                Kind::DestinationRule,
                "pds",
                json!({"host": "steelcouch.secure-kvs.svc", "trafficPolicy": off}),
            ),
            (
                Kind::DestinationRule,
                "pds",
                json!({"host": "*.local", "subsets": [{"trafficPolicy": off}]}),
            ),
            (
                Kind::DestinationRule,
                "pds",
                json!({"host": "steelcouch", "trafficPolicy": {"tls": 7}}),
            ),
            (Kind::DestinationRule, "pds", json!(7)),
        ] {
            assert!(concerns(kind, namespace, spec.clone()), "{kind:?} {spec}");
        }
        for (kind, namespace, spec) in [
            (Kind::EnvoyFilter, "elsewhere", json!({})),
            (Kind::WorkloadEntry, "elsewhere", json!({})),
            (
                Kind::HttpRoute,
                "elsewhere",
                json!({"parentRefs": [{"name": "ingress"}, {"kind": "Service", "name": "shop"}]}),
            ),
            (Kind::Sidecar, "elsewhere", json!({})),
            (
                Kind::VirtualService,
                "pds",
                json!({"hosts": ["shop.example"]}),
            ),
            (
                Kind::DestinationRule,
                "elsewhere",
                json!({"host": "steelcouch", "trafficPolicy": off}),
            ),
            (
                Kind::DestinationRule,
                "pds",
                json!({"host": "shop", "trafficPolicy": off}),
            ),
            (
                Kind::DestinationRule,
                "pds",
                json!({"host": "steelcouch", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}),
            ),
            (
                Kind::DestinationRule,
                "pds",
                json!({"host": "steelcouch", "trafficPolicy": {"connectionPool": {}}}),
            ),
        ] {
            assert!(!concerns(kind, namespace, spec.clone()), "{kind:?} {spec}");
        }
    }
}
