//! The objects of the files, found by what an API path names: group, plural, namespace, name.
//!
//! Owns what is an object and how a kind is called in a path. The version in a path is not looked at: an object is found by
//! its group in whatever version it was saved.

use serde_json::Value;
use std::collections::HashMap;

/// Objects in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Store {
    kinds: HashMap<Resource, Vec<Value>>,
    /// Where each object is in its kind's list: namespace and name.
    places: HashMap<(Resource, String, String), usize>,
}

/// What a path names before the object: API group (empty for core) and plural.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) plural: String,
}

impl Resource {
    pub(super) fn new(group: &str, plural: &str) -> Self {
        Self {
            group: group.to_owned(),
            plural: plural.to_owned(),
        }
    }

    /// Of an object by its `apiVersion` and `kind`.
    fn from_kind(api_version: &str, kind: &str) -> Self {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        Self::new(group, &plural(kind))
    }
}

impl Store {
    /// Adds the objects of a document: one object, or those of a list. Gives how many there were.
    ///
    /// What was added before under the same name is replaced: the later file is taken.
    pub(super) fn add(&mut self, document: Value) -> usize {
        let text = |field: &str| {
            document
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (api_version, kind) = (text("apiVersion").to_owned(), text("kind").to_owned());
        if kind.is_empty() || api_version.is_empty() {
            return 0;
        }
        if kind.ends_with("List") && document.get("items").is_some_and(Value::is_array) {
            return self.add_items(document, &api_version, &kind);
        }
        let name = |field: &str| {
            let path = format!("/metadata/{field}");
            document
                .pointer(&path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (namespace, name) = (name("namespace"), name("name"));
        if name.is_empty() {
            return 0;
        }
        let resource = Resource::from_kind(&api_version, &kind);
        let all = self.kinds.entry(resource.clone()).or_default();
        match self.places.entry((resource, namespace, name)) {
            std::collections::hash_map::Entry::Occupied(place) => all[*place.get()] = document,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(all.len());
                all.push(document);
            }
        }
        1
    }

    /// The items of a list of one kind carry neither kind nor apiVersion as the API server sends them.
    fn add_items(&mut self, mut list: Value, api_version: &str, kind: &str) -> usize {
        let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else {
            return 0;
        };
        let of_one_kind = kind.strip_suffix("List").filter(|k| !k.is_empty());
        let mut added = 0;
        for mut item in items {
            if let (Some(kind), Some(object)) = (of_one_kind, item.as_object_mut()) {
                object.entry("kind").or_insert_with(|| kind.into());
                object
                    .entry("apiVersion")
                    .or_insert_with(|| api_version.into());
            }
            added += self.add(item);
        }
        added
    }

    /// One object; the namespace is empty for one that is in none.
    pub(super) fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Option<&Value> {
        let key = (resource.clone(), namespace.to_owned(), name.to_owned());
        let place = self.places.get(&key)?;
        self.kinds.get(resource)?.get(*place)
    }

    /// Objects of a kind, of all namespaces (`None`) or one.
    pub(super) fn list<'a>(
        &'a self,
        resource: &Resource,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.kinds
            .get(resource)
            .into_iter()
            .flatten()
            .filter(move |object| {
                let at = object
                    .pointer("/metadata/namespace")
                    .and_then(Value::as_str);
                namespace.is_none_or(|n| at == Some(n))
            })
    }
}

/// A kind as it stands in a path, by the rule that Kubernetes' own kinds and those of Flux and Istio follow.
fn plural(kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    if kind == "endpoints" {
        return kind;
    }
    let vowel = |c: char| "aeiou".contains(c);
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(vowel) => format!("{stem}ies"),
        _ if ["s", "x", "z", "ch", "sh"]
            .iter()
            .any(|e| kind.ends_with(e)) =>
        {
            format!("{kind}es")
        }
        _ => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(api_version: &str, kind: &str, name: &str) -> Value {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "n"}})
    }

    #[test]
    fn kinds_are_called_as_in_paths() {
        for (kind, expected) in [
            ("HelmRelease", "helmreleases"),
            ("HelmRepository", "helmrepositories"),
            ("GitRepository", "gitrepositories"),
            ("Bucket", "buckets"),
            ("AuthorizationPolicy", "authorizationpolicies"),
            ("Ingress", "ingresses"),
            ("Gateway", "gateways"),
            ("Endpoints", "endpoints"),
            ("EndpointSlice", "endpointslices"),
            ("StorageClass", "storageclasses"),
        ] {
            assert_eq!(plural(kind), expected);
        }
    }

    #[test]
    fn lists_of_any_form_are_taken_apart() {
        let mut store = Store::default();
        let pods = json!({"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a", "namespace": "n"}}]});
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [pods, object("batch/v1", "Job", "j"), {"kind": "X"}, 7]});
        assert_eq!(store.add(list), 2);
        let pod = store.get(&Resource::new("", "pods"), "n", "a").unwrap();
        assert_eq!(pod["kind"], "Pod");
        assert!(
            store
                .get(&Resource::new("batch", "jobs"), "n", "j")
                .is_some()
        );
        assert!(
            store
                .get(&Resource::new("batch", "jobs"), "m", "j")
                .is_none()
        );
    }

    #[test]
    fn a_later_object_replaces_one_of_the_same_name_in_any_version() {
        let mut store = Store::default();
        let group = "helm.toolkit.fluxcd.io";
        store.add(object(&format!("{group}/v2beta1"), "HelmRelease", "a"));
        store.add(object(&format!("{group}/v2"), "HelmRelease", "a"));
        let all: Vec<&Value> = store
            .list(&Resource::new(group, "helmreleases"), None)
            .collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0]["apiVersion"], format!("{group}/v2"));
    }

    #[test]
    fn what_is_no_object_is_not_added() {
        let mut store = Store::default();
        for document in [
            json!(null),
            json!("text"),
            json!({"kind": "Pod"}),
            json!({"kind": "Pod", "apiVersion": "v1", "metadata": {}}),
            json!({"kind": "List", "apiVersion": "v1", "items": null}),
        ] {
            assert_eq!(store.add(document.clone()), 0, "{document}");
        }
    }
}
