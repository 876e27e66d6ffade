//! The mesh's settings: its trust domain and the namespace whose policies apply everywhere.
//!
//! A setting that is not known to be harmless here makes the whole unknown: it may change which identity a client has.

use crate::text::document::embedded;
use crate::text::one_line;
use serde_json::{Map, Value};

/// The ConfigMap of the settings, in Istio's namespace.
pub const CONFIG_MAP: &str = "istio";

/// What Istio takes where the settings do not say it.
pub const TRUST_DOMAIN: &str = "cluster.local";
pub const ROOT_NAMESPACE: &str = super::ISTIO_NAMESPACE;

/// Settings that have nothing to do with identities, policies or the way of a request.
const HARMLESS: [&str; 18] = [
    "accessLogEncoding",
    "accessLogFile",
    "accessLogFormat",
    "connectTimeout",
    "defaultProviders",
    "dnsRefreshRate",
    "enableEnvoyAccessLogService",
    "enablePrometheusMerge",
    "enableTracing",
    "extensionProviders",
    "ingressClass",
    "ingressControllerMode",
    "ingressSelector",
    "ingressService",
    "localityLbSetting",
    "outboundTrafficPolicy",
    "tcpKeepalive",
    "verifyCertificateAtClient",
];

/// The same of `defaultConfig`.
const HARMLESS_FOR_PROXIES: [&str; 8] = [
    "concurrency",
    "discoveryAddress",
    "drainDuration",
    "holdApplicationUntilProxyStarts",
    "image",
    "proxyStatsMatcher",
    "terminationDrainDuration",
    "tracing",
];

/// The settings of a mesh, all known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    trust_domain: String,
    root_namespace: String,
}

impl Mesh {
    /// Reads the ConfigMap.
    ///
    /// # Errors
    /// Why the settings are not known.
    pub fn from_value(config_map: &Value) -> Result<Self, String> {
        let text = config_map.pointer("/data/mesh").and_then(Value::as_str);
        let text = text.ok_or("it has no text data.mesh")?;
        let Some(Value::Object(settings)) = embedded(text) else {
            return Err("its data.mesh is not a map in YAML".to_owned());
        };
        let mut mesh = Self {
            trust_domain: TRUST_DOMAIN.to_owned(),
            root_namespace: ROOT_NAMESPACE.to_owned(),
        };
        for (key, value) in &settings {
            match (key.as_str(), value) {
                ("trustDomain", Value::String(text)) if is_name(text) => {
                    mesh.trust_domain.clone_from(text);
                }
                ("rootNamespace", Value::String(text)) if is_name(text) => {
                    mesh.root_namespace.clone_from(text);
                }
                ("enableAutoMtls", Value::Bool(true)) => {}
                ("trustDomainAliases", Value::Array(all)) if all.is_empty() => {}
                ("defaultConfig", Value::Object(own)) => is_harmless(own)?,
                (key, _) if HARMLESS.contains(&key) => {}
                (key, _) => return Err(unknown(key)),
            }
        }
        Ok(mesh)
    }

    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    pub fn root_namespace(&self) -> &str {
        &self.root_namespace
    }
}

fn unknown(key: &str) -> String {
    let key = one_line(key);
    format!(
        "its setting {key} is not evaluated, and may change who a client is or which policies apply"
    )
}

fn is_harmless(own: &Map<String, Value>) -> Result<(), String> {
    for (key, value) in own {
        let is_empty = value.as_object().is_some_and(Map::is_empty);
        let is_known = HARMLESS_FOR_PROXIES.contains(&key.as_str());
        let is_known = is_known || (key == "proxyMetadata" && is_empty);
        if !is_known {
            return Err(unknown(&format!("defaultConfig.{key}")));
        }
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    !text.is_empty() && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mesh(text: &str) -> Result<Mesh, String> {
        Mesh::from_value(&json!({"data": {"mesh": text}}))
    }

    #[test]
    fn what_istio_installs_by_default_is_known() {
        let text = "accessLogFile: /dev/stdout\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n  proxyMetadata: {}\n  tracing:\n    zipkin:\n      address: zipkin.istio-system:9411\nenablePrometheusMerge: true\nrootNamespace: istio-config\ntrustDomain: prod.example\n";
        let mesh = mesh(text).unwrap();
        assert_eq!(
            (mesh.trust_domain(), mesh.root_namespace()),
            ("prod.example", "istio-config")
        );
        let mesh = super::tests::mesh("{}").unwrap();
        assert_eq!(
            (mesh.trust_domain(), mesh.root_namespace()),
            (TRUST_DOMAIN, ROOT_NAMESPACE)
        );
    }

    #[test]
    fn a_setting_that_is_not_known_makes_the_whole_unknown() {
        for text in [
            "",
            "a",
            "[]",
            "trustDomain: 7",
            "trustDomain: ''",
            "trustDomain: a/b",
            "trustDomain: null",
            "trustDomainAliases: [old]",
            "enableAutoMtls: false",
            "discoverySelectors: []",
            "pathNormalization: {normalization: NONE}",
            "defaultServiceExportTo: ['.']",
            "defaultConfig: {interceptionMode: NONE}",
            "defaultConfig: {proxyMetadata: {A: b}}",
            "defaultConfig: 7",
            "stranger: 1",
        ] {
            assert!(mesh(text).is_err(), "{text}");
        }
        for config_map in [json!({}), json!({"data": {"mesh": 7}}), json!(7)] {
            assert!(Mesh::from_value(&config_map).is_err(), "{config_map}");
        }
    }
}
