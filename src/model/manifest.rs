//! The objects that Helm rendered, by their names: from a release's manifest or a hook's.
//!
//! Reads names alone. A manifest can hold secrets, and nothing of it is kept here.

use crate::text::document::embedded;
use serde::Deserialize;

/// Which object a document makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectId {
    pub api_version: String,
    pub kind: String,
    pub metadata: ObjectName,
}

/// `.metadata` of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ObjectName {
    pub name: String,
    /// `None`: the release's namespace.
    pub namespace: Option<String>,
}

/// The objects of a manifest in their order. A document that is no object is skipped: Helm has applied the others.
pub fn objects(manifest: &str) -> Vec<ObjectId> {
    documents(manifest)
        .into_iter()
        .filter_map(|text| embedded::<ObjectId>(&text))
        .filter(|o| !o.kind.is_empty() && !o.metadata.name.is_empty())
        .collect()
}

/// The parts between lines that start with `---`.
pub(crate) fn documents(manifest: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in manifest.lines() {
        if line.starts_with("---") {
            documents.push(String::new());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    documents.retain(|d| !d.trim().is_empty());
    documents
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_object_is_named() {
        let manifest = "---\n# Source: c/templates/policy.yaml\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: core-a-policy\n  namespace: secure-kvs\nspec:\n  action: ALLOW\n---\n# nothing\n---\n{broken\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n";
        let found = objects(manifest);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (
                found[0].kind.as_str(),
                found[0].metadata.namespace.as_deref()
            ),
            ("AuthorizationPolicy", Some("secure-kvs"))
        );
        assert_eq!(found[1].metadata.name, "b");
    }

    proptest! {
        #[test]
        fn no_manifest_panics(text in "(---\n|kind: [a-z:&*!]{0,4}\n|metadata: ?\n?|  name: [\\[{\"'a]{0,3}\n|\\PC{0,8}\n){0,8}") {
            for object in objects(&text) {
                prop_assert!(!object.metadata.name.is_empty());
            }
        }
    }
}
