//! ValidatingWebhookConfigurations and MutatingWebhookConfigurations: the webhooks that the API server asks, their Services, and the objects
//! that they are asked about.

use super::field::{Entries, Field, Fields, Meta, Parsed};
use super::label_selector::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

/// A configuration, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookConfiguration {
    pub meta: Meta,
    hooks: Entries<Hook>,
}

/// One webhook of it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
struct Hook {
    name: String,
    client_config: Field<ClientConfig>,
    namespace_selector: Field<LabelSelector>,
    object_selector: Field<LabelSelector>,
    rules: Entries<HookRule>,
    timeout_seconds: Field<i64>,
}

/// Which requests a webhook is asked about.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
struct HookRule {
    api_groups: Entries<String>,
    operations: Entries<String>,
    resources: Entries<String>,
}

/// The webhooks of a configuration that are asked about new pods, whatever their selectors leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfPods {
    pub hooks: u64,
    /// How long they may take: mutating webhooks are asked one after another, validating ones at once.
    pub seconds: i64,
    /// Something of one of them cannot be read.
    pub is_cut: bool,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct ClientConfig {
    service: Field<ServiceName>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct ServiceName {
    namespace: String,
    name: String,
}

/// Labels by which injectors select. A bundle does not keep others, so a selector with another label has an unknown result.
const KNOWN: [&str; 5] = [
    "istio-injection",
    "istio.io/rev",
    "sidecar.istio.io/inject",
    "kubernetes.io/metadata.name",
    "topology.istio.io/network",
];

impl WebhookConfiguration {
    /// Reads one object; `kind` where it does not say its kind, as in a list.
    pub fn from_value(object: &Value, kind: &str) -> Self {
        let mut fields = Fields::new(object);
        Self {
            hooks: fields.list("/webhooks"),
            meta: fields.meta(kind),
        }
    }

    /// Whether it has a webhook of that name or, where no name is given, one of that Service.
    pub fn has(&self, name: Option<&str>, service: Option<(&str, &str)>) -> bool {
        self.hooks.known.iter().any(|hook| {
            let of_service = hook.service().zip(service);
            let is_other = of_service.is_some_and(|(own, asked)| own != asked);
            match name {
                Some(name) => hook.name == name && !is_other,
                None => of_service.is_some_and(|(own, asked)| own == asked),
            }
        })
    }

    /// Namespace and name of the Service of its webhook of that name.
    pub fn service_of(&self, name: &str) -> Option<(&str, &str)> {
        let mut hooks = self.hooks.known.iter();
        hooks.find(|hook| hook.name == name)?.service()
    }

    /// Whether it puts Istio's sidecar into pods, or may do so because not all of its webhooks can be read.
    pub fn may_be_injector(&self) -> bool {
        let mut hooks = self.hooks.known.iter();
        let is_injector = hooks.any(|hook| hook.name.contains("sidecar-injector.istio.io"));
        is_injector || !self.hooks.all
    }

    /// Whether one of its webhooks is asked about this pod in this namespace; `None` where that is not known.
    pub fn takes(&self, namespace: &Meta, pod: &Meta) -> Option<bool> {
        let of_hook = |hook: &Hook| {
            let of_namespace = selects(&hook.namespace_selector, namespace);
            match (of_namespace, selects(&hook.object_selector, pod)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }
        };
        let found: Vec<Option<bool>> = self.hooks.known.iter().map(of_hook).collect();
        match () {
            () if found.contains(&Some(true)) => Some(true),
            () if found.contains(&None) || !self.hooks.all => None,
            () => Some(false),
        }
    }

    /// Its webhooks that are asked about new pods.
    pub fn of_pods(&self) -> OfPods {
        let none = OfPods {
            is_cut: !self.hooks.all,
            ..OfPods::default()
        };
        let are_parallel = self.meta.kind == "ValidatingWebhookConfiguration";
        self.hooks.known.iter().fold(none, |found, hook| {
            // The API's default.
            let seconds = match hook.timeout_seconds {
                Field::Set(seconds) => Some(seconds),
                Field::Absent => Some(10),
                Field::Malformed => None,
            };
            match hook.is_of_pods() {
                Some(false) => found,
                is => OfPods {
                    hooks: found.hooks + u64::from(is == Some(true)),
                    seconds: match seconds.filter(|_| is == Some(true)) {
                        Some(seconds) if are_parallel => found.seconds.max(seconds),
                        Some(seconds) => found.seconds.saturating_add(seconds),
                        None => found.seconds,
                    },
                    is_cut: found.is_cut || is.is_none() || seconds.is_none(),
                },
            }
        })
    }

    /// The values of the label `istio.io/rev` that it asks namespaces for, and whether it asks for `istio-injection: enabled`.
    pub fn asked_labels(&self) -> Vec<String> {
        let mut asked = Vec::new();
        for selector in self
            .hooks
            .known
            .iter()
            .filter_map(|h| h.namespace_selector.set())
        {
            for (key, value) in selector.asked() {
                let label = format!("{key}={value}");
                if KNOWN[..2].contains(&key) && !asked.contains(&label) {
                    asked.push(label);
                }
            }
        }
        asked
    }
}

impl Hook {
    /// Whether one of its rules takes new pods; `None` where that is not known.
    fn is_of_pods(&self) -> Option<bool> {
        let has = |list: &Entries<String>, wanted: &[&str]| {
            let is = list.known.iter().any(|one| wanted.contains(&one.as_str()));
            (is || list.all).then_some(is)
        };
        let of_rule = |rule: &HookRule| {
            let parts = [
                has(&rule.api_groups, &["", "*"]),
                has(&rule.operations, &["CREATE", "*"]),
                has(&rule.resources, &["pods", "*", "*/*"]),
            ];
            match () {
                () if parts.contains(&Some(false)) => Some(false),
                () if parts.contains(&None) => None,
                () => Some(true),
            }
        };
        let found: Vec<Option<bool>> = self.rules.known.iter().map(of_rule).collect();
        match () {
            () if found.contains(&Some(true)) => Some(true),
            () if found.contains(&None) || !self.rules.all => None,
            () => Some(false),
        }
    }

    fn service(&self) -> Option<(&str, &str)> {
        let service = self.client_config.set()?.service.set()?;
        Some((service.namespace.as_str(), service.name.as_str()))
    }
}

/// Whether labels meet a selector; `None` where it is not known. An absent selector takes all.
fn selects(selector: &Field<LabelSelector>, meta: &Meta) -> Option<bool> {
    match selector {
        Field::Absent => Some(true),
        Field::Malformed => None,
        Field::Set(selector) => selector.takes(|key| value_of(key, meta)),
    }
}

/// The value of a label; the outer `None` where it is not known.
fn value_of<'m>(key: &str, meta: &'m Meta) -> Option<Option<&'m str>> {
    match meta.label(key) {
        Field::Set(value) => Some(Some(value)),
        Field::Absent if KNOWN.contains(&key) => Some(None),
        Field::Absent | Field::Malformed => None,
    }
}

impl Parsed for WebhookConfiguration {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn configuration(selectors: Value) -> WebhookConfiguration {
        let mut hook = json!({"name": "namespace.sidecar-injector.istio.io", "clientConfig": {"service": {"namespace": "istio-system", "name": "istiod"}}});
        for (key, value) in selectors.as_object().unwrap() {
            hook[key] = value.clone();
        }
        let object = json!({"metadata": {"name": "c"}, "webhooks": [hook]});
        WebhookConfiguration::from_value(&object, "MutatingWebhookConfiguration")
    }

    fn takes(selectors: Value, namespace: &[(&str, &str)], pod: &[(&str, &str)]) -> Option<bool> {
        let meta = |labels: &[(&str, &str)]| {
            let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
            Fields::new(&json!({"metadata": {"name": "x", "labels": labels}})).meta("x")
        };
        configuration(selectors).takes(&meta(namespace), &meta(pod))
    }

    #[test]
    fn webhooks_for_new_pods_add_up() {
        let of_kind = |kind: &str, hooks: Value| {
            let object = json!({"metadata": {"name": "c"}, "webhooks": hooks});
            let found = WebhookConfiguration::from_value(&object, kind).of_pods();
            (found.hooks, found.seconds, found.is_cut)
        };
        let of = |hooks: Value| of_kind("MutatingWebhookConfiguration", hooks);
        let rule = |groups: &[&str], operations: &[&str], resources: &[&str]| json!([{"apiGroups": groups, "operations": operations, "resources": resources}]);
        let pods = rule(&[""], &["CREATE", "UPDATE"], &["pods"]);
        let all = rule(&["*"], &["*"], &["*"]);
        assert_eq!(
            of(
                json!([{"name": "a", "rules": pods, "timeoutSeconds": 4}, {"name": "b", "rules": all}])
            ),
            (2, 14, false)
        );
        let two =
            json!([{"name": "a", "rules": pods, "timeoutSeconds": 4}, {"name": "b", "rules": all}]);
        assert_eq!(
            of_kind("ValidatingWebhookConfiguration", two),
            (2, 10, false)
        );
        for other in [
            rule(&["apps"], &["CREATE"], &["pods"]),
            rule(&[""], &["UPDATE"], &["pods"]),
            rule(&[""], &["CREATE"], &["pods/exec", "configmaps"]),
            json!([]),
        ] {
            assert_eq!(
                of(json!([{"name": "a", "rules": other}])),
                (0, 0, false),
                "{other}"
            );
        }
        for odd in [
            json!(7),
            json!([{"name": "a", "rules": 7}]),
            json!([{"name": "a", "rules": [{"apiGroups": [""], "operations": 7, "resources": ["pods"]}]}]),
        ] {
            assert_eq!(of(odd.clone()), (0, 0, true), "{odd}");
        }
        assert_eq!(
            of(json!([{"name": "a", "rules": pods, "timeoutSeconds": "x"}])),
            (1, 0, true)
        );
    }

    #[test]
    fn an_injector_takes_the_pods_that_its_selectors_choose() {
        let of_revision = json!({"namespaceSelector": {"matchExpressions": [
            {"key": "istio-injection", "operator": "DoesNotExist"}, {"key": "istio.io/rev", "operator": "In", "values": ["1-9-4"]}]}});
        let rev = ("istio.io/rev", "1-9-4");
        let enabled = ("istio-injection", "enabled");
        assert_eq!(takes(of_revision.clone(), &[rev], &[]), Some(true));
        assert_eq!(takes(of_revision.clone(), &[enabled], &[]), Some(false));
        assert_eq!(
            takes(of_revision.clone(), &[rev, enabled], &[]),
            Some(false)
        );
        assert_eq!(takes(of_revision, &[], &[]), Some(false));
        let both = json!({"namespaceSelector": {"matchLabels": {"istio-injection": "enabled"}},
            "objectSelector": {"matchExpressions": [{"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}]}});
        assert_eq!(takes(both.clone(), &[enabled], &[]), Some(true));
        assert_eq!(
            takes(both, &[enabled], &[("sidecar.istio.io/inject", "false")]),
            Some(false)
        );
        for odd in [
            json!({"namespaceSelector": 7}),
            json!({"namespaceSelector": {"matchExpressions": [{"key": "istio-injection", "operator": "Near"}]}}),
            json!({"namespaceSelector": {"matchLabels": {"team": "x"}}}),
            json!({"namespaceSelector": {"matchExpressions": [7]}}),
        ] {
            assert_eq!(takes(odd.clone(), &[enabled], &[]), None, "{odd}");
        }
    }

    #[test]
    fn a_webhook_is_found_by_its_name_and_its_service() {
        let own = configuration(json!({}));
        let name = "namespace.sidecar-injector.istio.io";
        let (istiod, other) = (("istio-system", "istiod"), ("istio-system", "istiod-1"));
        assert!(own.has(Some(name), Some(istiod)));
        assert!(own.has(Some(name), None));
        assert!(!own.has(Some(name), Some(other)));
        assert!(!own.has(Some("x"), Some(istiod)));
        assert!(own.has(None, Some(istiod)));
        assert!(!own.has(None, None));
        assert_eq!(own.service_of(name), Some(istiod));
        assert_eq!(own.service_of("x"), None);
        assert!(own.may_be_injector());
    }

    #[test]
    fn the_labels_that_an_injector_asks_for_are_named() {
        let asks = configuration(
            json!({"namespaceSelector": {"matchLabels": {"istio-injection": "enabled", "team": "x"},
            "matchExpressions": [{"key": "istio.io/rev", "operator": "In", "values": ["a", "b"]},
                {"key": "istio.io/rev", "operator": "NotIn", "values": ["c"]}]}}),
        );
        assert_eq!(
            asks.asked_labels(),
            [
                "istio-injection=enabled",
                "istio.io/rev=a",
                "istio.io/rev=b"
            ]
        );
    }
}
