//! A Service and the EndpointSlices behind it.

use super::field::{Entries, Field, Fields, Meta, Parsed};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A Service, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub meta: Meta,
    pub ports: Entries<Port>,
    /// `ClusterIP`, …, or `ExternalName`, which leads out of the cluster.
    kind: Field<String>,
    /// Without one it may lead out of the cluster.
    pub selector: Field<BTreeMap<String, String>>,
    address: Field<String>,
}

/// One entry of `spec.ports`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Port {
    #[serde(default)]
    pub name: String,
    pub port: u16,
}

/// Some of the pods behind a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointSlice {
    pub meta: Meta,
    pub endpoints: Entries<Endpoint>,
}

/// One entry of `endpoints`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Endpoint {
    conditions: Field<Conditions>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Conditions {
    ready: Field<bool>,
}

impl Service {
    /// Its selector as a query has it; `None` where it has none or it cannot be read.
    pub fn label_selector(&self) -> Option<String> {
        let labels = self.selector.set().filter(|labels| !labels.is_empty())?;
        let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
        Some(labels.collect::<Vec<_>>().join(","))
    }

    /// The address that leads to its pods; a headless one has none.
    pub fn address(&self) -> Option<IpAddr> {
        self.address.text().parse().ok()
    }

    /// It has surely no selector and is to lead to pods all the same: only EndpointSlices written by hand do that.
    pub fn is_without_selector(&self) -> bool {
        let none = self.selector.is_absent() || self.selector.is(&BTreeMap::new());
        none && self.meta.malformed.is_empty() && self.kind.text() != "ExternalName"
    }

    /// The labels that it selects, each with the value that a pod has instead where it is another.
    pub fn unmatched<'a>(&'a self, pod: &'a Meta) -> Vec<(&'a str, &'a str, Option<&'a str>)> {
        let own = match &pod.labels {
            Field::Set(labels) => Some(labels),
            Field::Absent => None,
            Field::Malformed => return Vec::new(),
        };
        let wanted = self.selector.set().into_iter().flatten();
        let each = wanted.map(|(key, value)| {
            let has = own.and_then(|own| own.get(key)).map(String::as_str);
            (key.as_str(), value.as_str(), has)
        });
        each.filter(|(_, value, has)| *has != Some(*value))
            .collect()
    }

    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            kind: fields.at("/spec/type"),
            ports: fields.list("/spec/ports"),
            selector: fields.at("/spec/selector"),
            address: fields.at("/spec/clusterIP"),
            meta: fields.meta("Service"),
        }
    }
}

impl EndpointSlice {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        let endpoints: Entries<Endpoint> = fields.list("/endpoints");
        if endpoints.known.iter().any(|e| e.is_ready().is_none()) {
            fields.note("/endpoints");
        }
        Self {
            endpoints,
            meta: fields.meta("EndpointSlice"),
        }
    }
}

impl Endpoint {
    /// Whether it takes requests; a condition that is not there counts as ready, as Kubernetes has it. `None` where it cannot be read.
    pub fn is_ready(&self) -> Option<bool> {
        match &self.conditions {
            Field::Set(Conditions {
                ready: Field::Set(ready),
            }) => Some(*ready),
            Field::Absent
            | Field::Set(Conditions {
                ready: Field::Absent,
            }) => Some(true),
            Field::Malformed | Field::Set(_) => None,
        }
    }
}

impl Parsed for Service {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

impl Parsed for EndpointSlice {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_endpoint_is_ready_unless_it_says_otherwise() {
        let of = |endpoint: Value| {
            let slice = EndpointSlice::from_value(&json!({"endpoints": [endpoint]}));
            let ready = slice.endpoints.known.first().and_then(Endpoint::is_ready);
            (ready, slice.meta.malformed.join(" "))
        };
        let whole = |ready| (Some(ready), String::new());
        assert_eq!(of(json!({})), whole(true));
        assert_eq!(of(json!({"conditions": {"ready": null}})), whole(true));
        assert_eq!(of(json!({"conditions": {"ready": false}})), whole(false));
        for odd in [
            json!({"conditions": {"ready": "no"}}),
            json!({"conditions": 7}),
            json!(7),
        ] {
            assert_eq!(of(odd), (None, "endpoints".to_owned()));
        }
    }
}
