//! A Service as the way to pods: which pods it selects, to which port of theirs it leads, and whether Istio takes that for HTTP.
//!
//! Only HTTP has paths and methods. A port whose protocol is not declared is guessed by Istio from each connection: not known here.

use super::policy::is_selected;
use super::workload::{Workload, is_harmless};
use super::{Pairs, pairs};
use crate::model::field::{Entries, Field, Fields, Meta};
use serde::Deserialize;
use serde_json::Value;

/// A Service, as far as it leads to pods.
#[derive(Clone, Debug)]
pub struct Service {
    pub meta: Meta,
    kind: Field<String>,
    cluster_ip: Field<String>,
    selector: Field<Pairs>,
    ports: Entries<Port>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    name: Field<String>,
    port: u16,
    target_port: Field<Target>,
    protocol: Field<String>,
    app_protocol: Field<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Target {
    Number(u16),
    Name(String),
}

/// A port of a pod that Istio surely takes for HTTP. Only [`http()`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Http(());

impl Service {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        let ports: Entries<Port> = fields.list("/spec/ports");
        let is_odd = |p: &Port| {
            p.port == 0
                || p.name.is_malformed()
                || p.target_port.is_malformed()
                || p.protocol.is_malformed()
                || p.app_protocol.is_malformed()
        };
        if ports.known.iter().any(is_odd) {
            fields.note("/spec/ports");
        }
        Self {
            ports,
            kind: fields.at("/spec/type"),
            cluster_ip: fields.at("/spec/clusterIP"),
            selector: fields.at("/spec/selector"),
            meta: fields.meta("Service"),
        }
    }

    /// Whether it selects a pod with these labels.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn selects(&self, labels: &Pairs) -> Result<bool, String> {
        self.whole()?;
        let selector = self.selector.set().filter(|s| !s.is_empty());
        Ok(selector.is_some_and(|selector| is_selected(selector, labels)))
    }

    /// The port of a pod that a port of this Service leads to.
    ///
    /// # Errors
    /// It does not lead to one, or this is not known.
    pub fn leads_to(&self, port: u16, pod: &Workload) -> Result<u16, String> {
        self.whole()?;
        let mut ports = self.ports.known.iter().filter(|p| p.port == port);
        match (ports.next(), ports.next()) {
            (Some(port), None) => port.target(pod),
            _ => Err(format!(
                "Service {} does not have one port {port}",
                self.meta.id()
            )),
        }
    }

    /// Proves that nothing about it leads elsewhere than to the pods that it selects.
    ///
    /// # Errors
    /// Something does, or may.
    pub fn is_plain(&self) -> Result<(), String> {
        let id = self.meta.id();
        self.whole()?;
        if !matches!(self.kind.as_str(), None | Some("ClusterIP")) {
            return Err(format!("Service {id} is of type {}", self.kind.text()));
        }
        if self.cluster_ip.as_str() == Some("None") {
            return Err(format!(
                "Service {id} is headless: how its pods are reached is not evaluated"
            ));
        }
        if self.selector.set().is_none_or(Pairs::is_empty) {
            return Err(format!("Service {id} selects no pods"));
        }
        let labels = pairs(&self.meta.labels, "labels", &self.meta)?;
        let annotations = pairs(&self.meta.annotations, "annotations", &self.meta)?;
        let mut all = labels.iter().chain(&annotations);
        match all.find(|(key, value)| !is_harmless(key, value)) {
            Some((key, value)) => Err(format!("{key}={value:?} of Service {id} is not evaluated")),
            None => Ok(()),
        }
    }

    fn whole(&self) -> Result<(), String> {
        match self.meta.malformed.first() {
            Some(field) => Err(format!(
                "{field} of Service {} is malformed",
                self.meta.id()
            )),
            None => Ok(()),
        }
    }
}

impl Port {
    fn target(&self, pod: &Workload) -> Result<u16, String> {
        match &self.target_port {
            Field::Set(Target::Number(number)) if *number > 0 => Ok(*number),
            Field::Set(Target::Name(name)) => pod.port_named(name),
            Field::Set(Target::Number(_)) | Field::Absent => Ok(self.port),
            Field::Malformed => Err("targetPort is malformed".to_owned()),
        }
    }

    /// `appProtocol` wins over the name.
    fn is_http(&self) -> bool {
        let name = match &self.app_protocol {
            Field::Set(protocol) => return matches!(protocol.as_str(), "http" | "http2"),
            Field::Absent => self.name.text(),
            Field::Malformed => return false,
        };
        let is_tcp = matches!(self.protocol.as_str(), None | Some("TCP"));
        let protocol = name.split('-').next().unwrap_or_default();
        is_tcp && matches!(protocol, "http" | "http2")
    }
}

/// Proves that Istio takes a pod's port for HTTP: every port of a Service that leads there says so.
///
/// # Errors
/// One does not, or this is not known.
pub fn http(
    services: &[Service],
    pod: &Workload,
    labels: &Pairs,
    port: u16,
) -> Result<Http, String> {
    let mut declared = false;
    for service in services {
        if !service.selects(labels)? {
            continue;
        }
        for entry in &service.ports.known {
            match entry.target(pod) {
                Ok(target) if target == port => {}
                Ok(_) => continue,
                Err(why) => return Err(why),
            }
            if !entry.is_http() {
                return Err(format!(
                    "port {} of Service {} is not declared as HTTP (name {:?}), so paths of policies may not be matched",
                    entry.port,
                    service.meta.id(),
                    entry.name.text()
                ));
            }
            declared = true;
        }
    }
    match declared {
        true => Ok(Http(())),
        false => Err(format!(
            "no Service leads to port {port} of pod {}",
            pod.meta.id()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn service(port: Value) -> Service {
        Service::from_value(
            &json!({"metadata": {"namespace": "secure-kvs", "name": "db"},
            "spec": {"selector": {"app": "db"}, "ports": [port]}}),
        )
    }

    fn pod() -> Workload {
        Workload::from_value(
            &json!({"metadata": {"namespace": "secure-kvs", "name": "db-0", "labels": {"app": "db"}},
            "spec": {"containers": [{"name": "db", "ports": [{"name": "couchdb", "containerPort": 5984}]}]}}),
        )
    }

    fn is_http(port: Value) -> bool {
        let pod = pod();
        http(&[service(port)], &pod, &pod.labels().unwrap(), 5984).is_ok()
    }

    #[test]
    fn only_what_is_declared_as_http_is_http() {
        for port in [
            json!({"name": "http", "port": 5984}),
            json!({"name": "http-db", "port": 80, "targetPort": 5984}),
            json!({"name": "http2", "port": 80, "targetPort": "couchdb", "protocol": "TCP"}),
            json!({"name": "db", "port": 5984, "appProtocol": "http"}),
        ] {
            assert!(is_http(port.clone()), "{port}");
        }
        for port in [
            json!({"name": "couchdb", "port": 5984}),
            json!({"port": 5984}),
            json!({"name": "tcp-db", "port": 5984}),
            json!({"name": "https", "port": 5984}),
            json!({"name": "httpdb", "port": 5984}),
            json!({"name": "http", "port": 5984, "appProtocol": "tcp"}),
            json!({"name": "http", "port": 5984, "appProtocol": 7}),
            json!({"name": "http", "port": 5984, "protocol": "UDP"}),
            json!({"name": "http", "port": 5984, "targetPort": "other"}),
            json!({"name": "http", "port": 5984, "targetPort": [5984]}),
            json!({"name": "http", "port": 5985}),
        ] {
            assert!(!is_http(port.clone()), "{port}");
        }
    }

    #[test]
    fn one_service_that_does_not_say_http_is_enough_to_doubt() {
        let pod = pod();
        let labels = pod.labels().unwrap();
        let http_port = service(json!({"name": "http", "port": 5984}));
        let both = [http_port, service(json!({"name": "couchdb", "port": 5984}))];
        let why = http(&both, &pod, &labels, 5984).unwrap_err();
        assert!(why.contains("not declared as HTTP"), "{why}");
    }

    #[test]
    fn a_service_that_leads_elsewhere_is_not_plain() {
        let of = |change: &dyn Fn(&mut Value)| {
            let mut value = json!({"metadata": {"namespace": "n", "name": "s"}, "spec": {"type": "ClusterIP", "selector": {"a": "b"}}});
            change(&mut value);
            Service::from_value(&value).is_plain()
        };
        assert!(of(&|_| {}).is_ok());
        assert!(of(&|s| s["spec"]["type"] = json!("ExternalName")).is_err());
        assert!(of(&|s| s["spec"]["clusterIP"] = json!("None")).is_err());
        assert!(of(&|s| s["spec"]["selector"] = json!({})).is_err());
        assert!(of(&|s| s["spec"]["selector"] = json!(null)).is_err());
        assert!(of(&|s| s["spec"]["ports"] = json!(7)).is_err());
        let exported = json!({"networking.istio.io/exportTo": "."});
        assert!(of(&|s| s["metadata"]["annotations"] = exported.clone()).is_err());
    }
}
