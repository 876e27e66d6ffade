//! The Namespace that a release is installed into.

use super::condition::{Condition, Conditions};
use super::field::{Field, Fields, Meta, Parsed};
use serde_json::Value;

/// A Namespace, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    pub meta: Meta,
    /// `Active` or `Terminating`.
    pub phase: Field<String>,
    conditions: Conditions,
}

impl Namespace {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            phase: fields.at("/status/phase"),
            conditions: fields.list::<Condition>("/status/conditions").into(),
            meta: fields.meta("Namespace"),
        }
    }

    /// The resources of which objects remain, as kubectl takes them: `pods`, `cephclusters.ceph.rook.io`.
    pub fn remaining(&self) -> Vec<&str> {
        let listed = self.said(
            "NamespaceContentRemaining",
            "Some resources are remaining: ",
        );
        listed
            .filter_map(|item| item.split_once(" has "))
            .map(|(resource, _)| resource.trim_end_matches('.'))
            .filter(|resource| is_name(resource))
            .collect()
    }

    /// The finalizers of what remains.
    pub fn finalizers(&self) -> Vec<&str> {
        let listed = self.said(
            "NamespaceFinalizersRemaining",
            "Some content in the namespace has finalizers remaining: ",
        );
        listed
            .filter_map(|item| item.rsplit_once(" in "))
            .map(|(finalizer, _)| finalizer)
            .collect()
    }

    /// The versions of API groups that do not answer, so that nobody knows what it holds: `metrics.k8s.io/v1beta1`.
    pub fn unserved(&self) -> Vec<&str> {
        let conditions = self.conditions.of_untracked();
        let failed = conditions.present("NamespaceDeletionDiscoveryFailure");
        let said = failed.filter(|c| c.is_true()).map(|c| c.message.as_str());
        let listed = said.and_then(|said| {
            let (_, listed) = said.split_once("the complete list of server APIs: ")?;
            Some(listed)
        });
        let listed = listed.into_iter().flat_map(|listed| listed.split(", "));
        listed
            .filter_map(|item| item.split(": ").next())
            .filter(|version| {
                let parts = version.split_once('/');
                parts.is_some_and(|(group, version)| is_name(group) && is_name(version))
            })
            .collect()
    }

    /// The items of a list in the message of a condition.
    fn said(&self, kind: &str, lead: &'static str) -> impl Iterator<Item = &str> {
        let condition = self.conditions.of_untracked().present(kind);
        let said = condition.filter(|c| c.is_true());
        let listed = said.and_then(|c| c.message.strip_prefix(lead));
        listed.into_iter().flat_map(|listed| listed.split(", "))
    }

    /// What keeps it from being gone.
    pub fn remains(&self) -> impl Iterator<Item = &str> {
        let all = self.conditions.of_untracked().all_present();
        all.filter(|c| c.is_true()).map(|c| c.message.as_str())
    }
}

/// A name of the API: what else stands there is not taken for one.
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    !text.is_empty() && text.chars().all(inner)
}

impl Parsed for Namespace {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_remains_is_read_from_the_words_of_the_namespace_controller() {
        let of = |kind: &str, status: &str, message: &str| {
            Namespace::from_value(
                &json!({"metadata": {"name": "core"}, "status": {"conditions": [
                {"type": kind, "status": status, "reason": "R", "message": message}]}}),
            )
        };
        let content = "Some resources are remaining: cephclusters.ceph.rook.io has 1 resource instances, pods. has 2 resource instances, odd$(x). has 1 resource instances";
        let named = of("NamespaceContentRemaining", "True", content);
        assert_eq!(named.remaining(), ["cephclusters.ceph.rook.io", "pods"]);
        assert!(
            of("NamespaceContentRemaining", "False", content)
                .remaining()
                .is_empty()
        );
        let finalizers = "Some content in the namespace has finalizers remaining: a.b/c in 1 resource instances, kubernetes.io/pvc-protection in 2 resource instances";
        let named = of("NamespaceFinalizersRemaining", "True", finalizers);
        assert_eq!(
            named.finalizers(),
            ["a.b/c", "kubernetes.io/pvc-protection"]
        );
        let discovery = "Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: custom.metrics.k8s.io/v1beta1: the server is currently unable to handle the request, metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1";
        let named = of("NamespaceDeletionDiscoveryFailure", "True", discovery);
        assert_eq!(
            named.unserved(),
            ["custom.metrics.k8s.io/v1beta1", "metrics.k8s.io/v1beta1"]
        );
        assert!(
            of("NamespaceDeletionDiscoveryFailure", "True", "other")
                .unserved()
                .is_empty()
        );
    }
}
