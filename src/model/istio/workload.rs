//! A pod and its proxy: whether the proxy is there and all traffic goes through it.
//!
//! A label or an annotation of Istio's that is not known to be harmless here leaves it open.

use super::{Pairs, pairs};
use crate::model::field::{Entries, Field, Fields, Meta, Parsed};
use serde::Deserialize;
use serde_json::Value;

/// The proxy's container, and the image that it is made of.
const PROXY: &str = "istio-proxy";
const PROXY_IMAGE: &str = "proxyv2";

/// Labels and annotations with one value, or any, that leave the traffic as it is.
const HARMLESS: [(&str, Option<&str>); 15] = [
    ("istio.io/dataplane-mode", Some("none")),
    ("istio.io/rev", Some("default")),
    ("istio.io/use-waypoint", Some("none")),
    ("prometheus.istio.io/merge-metrics", None),
    ("security.istio.io/tlsMode", Some("istio")),
    ("service.istio.io/canonical-name", None),
    ("service.istio.io/canonical-revision", None),
    ("sidecar.istio.io/inject", Some("true")),
    ("sidecar.istio.io/logLevel", None),
    ("sidecar.istio.io/proxyCPU", None),
    ("sidecar.istio.io/proxyCPULimit", None),
    ("sidecar.istio.io/proxyMemory", None),
    ("sidecar.istio.io/proxyMemoryLimit", None),
    ("sidecar.istio.io/rewriteAppHTTPProbers", None),
    ("sidecar.istio.io/status", None),
];

/// A pod, as far as its traffic is concerned.
#[derive(Clone, Debug)]
pub struct Workload {
    pub meta: Meta,
    phase: Field<String>,
    host_network: Field<bool>,
    service_account: Field<String>,
    containers: Entries<Container>,
    /// A proxy can be one of them since Kubernetes 1.29.
    init_containers: Entries<Container>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: String,
    image: Field<String>,
    restart_policy: Field<String>,
    args: Field<Vec<String>>,
    ports: Entries<Port>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    name: Field<String>,
    container_port: u16,
}

/// All traffic of a pod goes through its proxy. Only [`Workload::meshed`] makes one.
#[derive(Clone, Debug)]
pub struct Meshed(());

impl Workload {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        let containers: Entries<Container> = fields.list("/spec/containers");
        let init_containers: Entries<Container> = fields.list("/spec/initContainers");
        let odd = |c: &Container| {
            !c.ports.all || c.image.is_malformed() || c.restart_policy.is_malformed()
        };
        if containers
            .known
            .iter()
            .chain(&init_containers.known)
            .any(odd)
        {
            fields.note("/spec/containers");
        }
        Self {
            containers,
            init_containers,
            phase: fields.at("/status/phase"),
            host_network: fields.at("/spec/hostNetwork"),
            service_account: fields.at("/spec/serviceAccountName"),
            meta: fields.meta("Pod"),
        }
    }

    /// Whether it has ended and takes no part in anything any more.
    pub fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), Some("Succeeded" | "Failed"))
    }

    /// Whether it runs, or may run, under a service account of its namespace.
    pub fn may_be(&self, account: &str) -> bool {
        match &self.service_account {
            Field::Set(name) if !name.is_empty() => name == account,
            Field::Set(_) | Field::Absent => account == "default",
            Field::Malformed => true,
        }
    }

    /// # Errors
    /// They cannot be read.
    pub fn labels(&self) -> Result<Pairs, String> {
        pairs(&self.meta.labels, "labels", &self.meta)
    }

    /// The number of a port that a container names.
    ///
    /// # Errors
    /// No container names it, or several do with different numbers.
    pub fn port_named(&self, name: &str) -> Result<u16, String> {
        let ports = self.containers.known.iter().flat_map(|c| &c.ports.known);
        let mut numbers: Vec<u16> = ports
            .filter(|port| port.name.as_str() == Some(name))
            .map(|port| port.container_port)
            .collect();
        numbers.dedup();
        match numbers[..] {
            [number] if self.meta.malformed.is_empty() => Ok(number),
            _ => Err(format!(
                "pod {} does not have one port {name:?}",
                self.meta.id()
            )),
        }
    }

    /// Proves that all its traffic goes through its proxy.
    ///
    /// # Errors
    /// Why it does not, or is not known to.
    pub fn meshed(&self) -> Result<Meshed, String> {
        let id = self.meta.id();
        if let Some(field) = self.meta.malformed.first() {
            return Err(format!("{field} of pod {id} is malformed"));
        }
        let labels = self.labels()?;
        let annotations = pairs(&self.meta.annotations, "annotations", &self.meta)?;
        let ambient = labels
            .get("istio.io/dataplane-mode")
            .or(annotations.get("ambient.istio.io/redirection"));
        if ambient.is_some_and(|mode| mode != "none" && mode != "disabled") {
            return Err(format!(
                "pod {id} is in ambient mode, where the paths of policies are not enforced at the pod"
            ));
        }
        if !self.has_proxy() {
            return Err(format!(
                "pod {id} has no sidecar ({PROXY}): no policy is enforced there"
            ));
        }
        let redirects =
            |c: &&Container| ["istio-init", "istio-validation"].contains(&c.name.as_str());
        let mut redirecting = self.init_containers.known.iter().filter(redirects);
        if redirecting.any(|c| !redirects_all(&c.args)) {
            return Err(format!(
                "the init container of pod {id} may leave some traffic out of its sidecar"
            ));
        }
        if self.host_network.is(&true) {
            return Err(format!(
                "pod {id} uses the node's network, past the sidecar"
            ));
        }
        if let Some((key, value)) = labels
            .iter()
            .chain(&annotations)
            .find(|(k, v)| !is_harmless(k, v))
        {
            return Err(format!(
                "{key}={value:?} of pod {id} may lead traffic around its sidecar"
            ));
        }
        Ok(Meshed(()))
    }

    fn has_proxy(&self) -> bool {
        let is_proxy = |c: &Container| {
            let image = c.image.as_str().unwrap_or_default();
            let name = image.rsplit('/').next().unwrap_or_default();
            let name = name.split([':', '@']).next().unwrap_or_default();
            c.name == PROXY && name == PROXY_IMAGE
        };
        let stays = |c: &Container| c.restart_policy.as_str() == Some("Always");
        self.containers.known.iter().any(is_proxy)
            || self
                .init_containers
                .known
                .iter()
                .any(|c| is_proxy(c) && stays(c))
    }
}

/// Whether these are the usual arguments of Istio's init container: all traffic goes through the proxy but that of its own ports.
fn redirects_all(args: &Field<Vec<String>>) -> bool {
    let args = match args {
        Field::Set(args) => args.as_slice(),
        Field::Absent => &[],
        Field::Malformed => return false,
    };
    let mut rest = args.iter().map(String::as_str);
    while let Some(flag) = rest.next() {
        let is_usual = match flag {
            "istio-iptables" | "--run-validation" | "--skip-rule-apply" => true,
            "-p" | "-z" | "-u" | "-m" | "-w" => rest.next().is_some(),
            "-i" | "-b" => rest.next() == Some("*"),
            "-x" | "-o" | "-c" | "-q" | "-k" => rest.next() == Some(""),
            "-d" => rest.next().is_some_and(|ports| {
                let mut ports = ports.split(',');
                ports.all(|port| ["", "15090", "15021", "15020"].contains(&port))
            }),
            other => other.starts_with("--log_output_level="),
        };
        if !is_usual {
            return false;
        }
    }
    true
}

/// Whether a label or an annotation leaves the traffic as it is.
pub(super) fn is_harmless(key: &str, value: &str) -> bool {
    // Other programs' own.
    if !key.contains("istio") {
        return true;
    }
    let known = HARMLESS.iter().find(|(known, _)| *known == key);
    known.is_some_and(|(_, only)| only.is_none_or(|only| only == value))
}

/// Proves that a namespace does not take its pods out of the sidecars' hands.
///
/// # Errors
/// It may.
pub fn is_plain(namespace: &Meta) -> Result<(), String> {
    let name = &namespace.name;
    let labels = pairs(&namespace.labels, "labels", namespace)?;
    match labels.get("istio.io/dataplane-mode").map(String::as_str) {
        None | Some("none") => {}
        Some(mode) => {
            return Err(format!(
                "namespace {name} is in {mode} mode, where the paths of policies are not enforced at the pod"
            ));
        }
    }
    let is_known = |key: &str, value: &str| key == "istio-injection" || is_harmless(key, value);
    match labels.iter().find(|(key, value)| !is_known(key, value)) {
        Some((key, value)) => Err(format!(
            "{key}={value:?} of namespace {name} is not evaluated"
        )),
        None => Ok(()),
    }
}

impl Parsed for Workload {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> Value {
        json!({"metadata": {"namespace": "secure-kvs", "name": "db-0", "labels": {"app": "db"}}, "spec": {"containers": [
            {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.20.0@sha256:0"},
            {"name": "couchdb", "image": "couchdb:3", "ports": [{"name": "http", "containerPort": 5984}]}]}})
    }

    fn why(change: impl FnOnce(&mut Value)) -> Option<String> {
        let mut pod = pod();
        change(&mut pod);
        Workload::from_value(&pod).meshed().err()
    }

    #[test]
    fn a_pod_with_a_sidecar_is_in_the_mesh() {
        assert_eq!(why(|_| {}), None);
        let native = why(|pod| {
            let mut proxy = pod["spec"]["containers"][0].take();
            proxy["restartPolicy"] = json!("Always");
            pod["spec"]["containers"] = json!([]);
            pod["spec"]["initContainers"] = json!([proxy]);
        });
        assert_eq!(native, None);
        assert_eq!(Workload::from_value(&pod()).port_named("http"), Ok(5984));
        assert!(Workload::from_value(&pod()).port_named("couchdb").is_err());
    }

    #[test]
    fn anything_that_leads_around_it_is_named() {
        let annotated = |key: &str, value: Value| {
            why(|pod| pod["metadata"]["annotations"] = json!({key: value})).unwrap()
        };
        for (key, value) in [
            ("traffic.sidecar.istio.io/excludeInboundPorts", "8000"),
            ("traffic.sidecar.istio.io/stranger", ""),
            ("sidecar.istio.io/inject", "false"),
            ("sidecar.istio.io/interceptionMode", "NONE"),
            ("proxy.istio.io/config", "{}"),
            ("istio.io/rev", "canary"),
        ] {
            let why = annotated(key, json!(value));
            assert!(why.contains(key) && why.contains("around"), "{why}");
        }
        assert!(annotated("a", json!(7)).contains("malformed"));
        let ambient =
            why(|pod| pod["metadata"]["labels"]["istio.io/dataplane-mode"] = json!("ambient"));
        assert!(ambient.unwrap().contains("ambient mode"));
        let without = why(|pod| pod["spec"]["containers"][0]["name"] = json!("proxy"));
        assert!(without.unwrap().contains("has no sidecar"));
        let another = why(|pod| pod["spec"]["containers"][0]["image"] = json!("nginx"));
        assert!(another.unwrap().contains("has no sidecar"));
        let host = why(|pod| pod["spec"]["hostNetwork"] = json!(true));
        assert!(host.unwrap().contains("node's network"));
        for (key, odd) in [
            ("hostNetwork", json!("no")),
            ("containers", json!([7])),
            ("initContainers", json!(7)),
        ] {
            let why = why(|pod| pod["spec"][key] = odd).unwrap();
            assert!(why.contains("malformed"), "{why}");
        }
    }

    #[test]
    fn a_namespace_in_another_mode_is_not_plain() {
        let of = |labels: Value| {
            let namespace = json!({"metadata": {"name": "secure-kvs", "labels": labels}});
            is_plain(&Fields::new(&namespace).meta("Namespace"))
        };
        assert!(of(json!({"istio-injection": "enabled", "team": "kvs"})).is_ok());
        assert!(of(json!({"istio.io/dataplane-mode": "none"})).is_ok());
        for labels in [
            json!({"istio.io/dataplane-mode": "ambient"}),
            json!({"istio.io/use-waypoint": "w"}),
            json!({"istio.io/rev": "canary"}),
            json!({"a": 7}),
        ] {
            assert!(of(labels.clone()).is_err(), "{labels}");
        }
    }
}
