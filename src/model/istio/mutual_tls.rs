//! PeerAuthentications: whether the proxies of pods take mutual TLS, without which a client has no identity.

use super::matching::Match;
use super::policy::{Selector, is_selected};
use super::{Object, Pairs, Textual, short};
use crate::model::field::{Fields, Meta};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A PeerAuthentication.
#[derive(Clone, Debug)]
pub struct PeerAuthentication {
    pub meta: Meta,
    content: Result<Object<Spec>, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    selector: Option<Object<Selector>>,
    mtls: Option<Object<MutualTls>>,
    port_level_mtls: Option<BTreeMap<String, Object<MutualTls>>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MutualTls {
    mode: Option<Textual<Mode>>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Mode {
    Unset,
    Disable,
    Permissive,
    Strict,
}

impl PeerAuthentication {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let meta = Fields::new(object).meta("PeerAuthentication");
        let spec = object.get("spec").filter(|spec| !spec.is_null());
        let content = match (spec, meta.malformed.first()) {
            (_, Some(field)) => Err(format!("its {field} is malformed")),
            (None, None) => Err("it has no spec".to_owned()),
            (Some(spec), None) => Object::deserialize(spec).map_err(|e| short(&e)),
        };
        Self { meta, content }
    }

    /// Whether it demands mutual TLS of every client, at each port of each pod of its namespace or, in the root namespace, of the mesh;
    /// `None` where it is about some pods or ports only, says nothing of it, or cannot be read.
    pub fn is_strict(&self) -> Option<bool> {
        let Object(spec) = self.content.as_ref().ok()?;
        if spec.selector.is_some() || spec.port_level_mtls.is_some() {
            return None;
        }
        match spec.mtls.as_ref()?.0.mode?.0 {
            Mode::Strict => Some(true),
            Mode::Permissive | Mode::Disable => Some(false),
            Mode::Unset => None,
        }
    }

    /// Whether it is about each pod and port of its namespace.
    pub fn is_of_all(&self) -> bool {
        let spec = self.content.as_ref().ok();
        spec.is_some_and(|Object(spec)| spec.selector.is_none() && spec.port_level_mtls.is_none())
    }

    /// Whether it switches mutual TLS off, for all ports or one, at a pod of `namespace` with these labels.
    pub fn disables(&self, namespace: &str, root: &str, labels: &Pairs) -> Match {
        let own = &self.meta.namespace;
        if !own.is_empty() && own != namespace && own != root {
            return Match::No;
        }
        let spec = match &self.content {
            Ok(Object(spec)) => spec,
            Err(why) => return Match::Unknown(format!("{}: {why}", self.meta.id())),
        };
        let selector = spec
            .selector
            .as_ref()
            .and_then(|s| s.0.match_labels.as_ref());
        let ports = spec.port_level_mtls.iter().flat_map(BTreeMap::values);
        let mut modes = spec.mtls.iter().chain(ports).map(|m| m.0.mode);
        let is_off = modes.any(|mode| mode.is_some_and(|mode| mode.0 == Mode::Disable));
        Match::known(is_off && selector.is_none_or(|s| is_selected(s, labels)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn disables(namespace: &str, spec: Value) -> Match {
        let object = json!({"metadata": {"namespace": namespace, "name": "p"}, "spec": spec});
        let labels = Pairs::from([("app".to_owned(), "db".to_owned())]);
        PeerAuthentication::from_value(&object).disables("secure-kvs", "istio-system", &labels)
    }

    #[test]
    fn only_one_that_demands_it_of_all_is_strict() {
        let strict = |spec: Value| {
            let object = json!({"metadata": {"namespace": "n", "name": "p"}, "spec": spec});
            PeerAuthentication::from_value(&object).is_strict()
        };
        let on = json!({"mode": "STRICT"});
        assert_eq!(strict(json!({"mtls": on})), Some(true));
        assert_eq!(strict(json!({"mtls": {"mode": "PERMISSIVE"}})), Some(false));
        for odd in [
            json!({"mtls": {"mode": "UNSET"}}),
            json!({}),
            json!({"mtls": on, "selector": {"matchLabels": {"app": "db"}}}),
            json!({"mtls": on, "portLevelMtls": {"5984": {"mode": "DISABLE"}}}),
            json!({"mtls": on, "stranger": 1}),
        ] {
            assert_eq!(strict(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn only_a_mode_that_is_known_and_on_keeps_identities() {
        for mode in ["STRICT", "PERMISSIVE", "UNSET"] {
            let spec = json!({"mtls": {"mode": mode}});
            assert_eq!(disables("secure-kvs", spec), Match::No);
        }
        let off = json!({"mode": "DISABLE"});
        for spec in [
            json!({"mtls": off}),
            json!({"portLevelMtls": {"8000": off}}),
            json!({"selector": {"matchLabels": {"app": "db"}}, "mtls": off}),
        ] {
            assert_eq!(disables("secure-kvs", spec.clone()), Match::Yes, "{spec}");
            assert_eq!(disables("istio-system", spec.clone()), Match::Yes, "{spec}");
            assert_eq!(disables("other", spec), Match::No);
        }
        let elsewhere = json!({"selector": {"matchLabels": {"app": "other"}}, "mtls": off});
        assert_eq!(disables("secure-kvs", elsewhere), Match::No);
        for odd in [
            json!({"mtls": {"mode": "LOOSE"}}),
            json!({"mtls": "DISABLE"}),
            json!({"mtls": ["DISABLE"]}),
            json!({"mtls": {"mode": {"STRICT": null}}}),
            json!({"stranger": 1}),
            json!(null),
            json!(7),
        ] {
            let found = disables("secure-kvs", odd.clone());
            assert!(matches!(found, Match::Unknown(_)), "{odd}: {found:?}");
        }
    }
}
