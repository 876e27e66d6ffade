//! The onboardings of the cluster, from one list: for what several of them share, and for the names that a user typed.

use super::answer::{Item, Named};
use super::helm_releases::Query;
use super::{Cluster, ClusterError};
use crate::model::helm_release::HelmRelease;
use crate::snapshot::{Read, Why};
use crate::text::count;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

/// The onboardings of the cluster, for what several of them share.
#[derive(Clone, Debug)]
pub struct Onboardings {
    /// Those of all namespaces or, where that is forbidden, of one.
    pub read: Arc<Read<Vec<HelmRelease>>>,
    /// Set where only one namespace could be read: why.
    pub not_elsewhere: Option<Why>,
}

impl Onboardings {
    /// Takes them from a list.
    pub fn new(listed: Result<Listed, ClusterError>, not_elsewhere: Option<Why>) -> Self {
        let read = match listed {
            Ok(listed) => match Unreadable::all(&listed.unreadable) {
                Some(why) => Read::failed(why),
                None => Read::Seen(listed.typed),
            },
            Err(error) => Read::from_result(Err(error)),
        };
        Self {
            read: Arc::new(read),
            not_elsewhere,
        }
    }
}

/// An onboarding known only by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub namespace: String,
    /// `namespace/name`.
    pub id: String,
    why: String,
}

impl Unreadable {
    fn new(object: &RawValue, error: &serde_json::Error) -> Self {
        // These refer to JSON that is never shown.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let why = error.to_string();
        let object: Value = serde_json::from_str(object.get()).unwrap_or_default();
        let text = |path: &str| {
            let text = object.pointer(path).and_then(Value::as_str);
            text.unwrap_or_default()
        };
        let namespace = text("/metadata/namespace").to_owned();
        Self {
            id: format!("{namespace}/{}", text("/metadata/name")),
            namespace,
            why: why.strip_suffix(&place).unwrap_or(&why).to_owned(),
        }
    }

    /// `helmrelease "n/a" cannot be read: invalid type: string "maybe", expected a boolean`.
    pub fn words(&self) -> String {
        format!("helmrelease {:?} cannot be read: {}", self.id, self.why)
    }

    /// The text of the first one and the number of the others; `None` if the list is empty.
    pub fn all<'u>(all: impl IntoIterator<Item = &'u Self>) -> Option<String> {
        let mut all = all.into_iter();
        let first = all.next()?.words();
        Some(match all.count() {
            0 => first,
            n => format!("{first} (and {})", count(n as u64, "other")),
        })
    }
}

/// A list of onboardings, with the objects of those that were to be kept.
#[derive(Debug, Default)]
pub struct Listed {
    /// Those that can be read.
    pub typed: Vec<HelmRelease>,
    /// Those that cannot.
    pub unreadable: Vec<Unreadable>,
    /// As they were sent, by `namespace/name`.
    objects: HashMap<String, Box<RawValue>>,
}

impl Listed {
    /// Returns a kept object as it was sent; `None` for one that was not kept or is not in the list.
    pub fn object(&self, namespace: &str, name: &str) -> Option<Result<Value, ClusterError>> {
        let sent = self.objects.get(&format!("{namespace}/{name}"))?;
        let object = serde_json::from_str(sent.get());
        Some(object.map_err(|e| ClusterError::Malformed(e.to_string())))
    }
}

/// A HelmRelease, typed and as it was sent.
struct Sent {
    name: String,
    typed: Result<HelmRelease, Unreadable>,
    object: Box<RawValue>,
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Box::<RawValue>::deserialize(deserializer)?;
        let typed: Result<HelmRelease, _> = serde_json::from_str(object.get());
        let typed = typed.map_err(|error| Unreadable::new(&object, &error));
        let name = match &typed {
            Ok(hr) => hr.metadata.name.clone(),
            Err(_) => serde_json::from_str(object.get())
                .map(|Named { metadata }| metadata.name)
                .unwrap_or_default(),
        };
        Ok(Self {
            name,
            typed,
            object,
        })
    }
}

impl Item for Sent {
    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

impl Cluster {
    /// Reads the labelled onboardings of all namespaces; where that is forbidden, of `namespace`.
    pub async fn other_onboardings(&self, namespace: &str, selector: &str) -> Onboardings {
        let (listed, not_elsewhere) = self
            .onboardings_around(Some(namespace), selector, |_| false)
            .await;
        Onboardings::new(listed, not_elsewhere)
    }

    /// The same as a list, with the objects that `keep` takes, and why the other namespaces were not read. Without a namespace, nothing is
    /// left to fall back to.
    pub async fn onboardings_around(
        &self,
        namespace: Option<&str>,
        selector: &str,
        keep: impl Fn(&HelmRelease) -> bool,
    ) -> (Result<Listed, ClusterError>, Option<Why>) {
        let mut query = Query {
            namespace: None,
            selector: selector.to_owned(),
        };
        match self.onboardings(&query, &keep).await {
            Err(error) if error.is_forbidden() && namespace.is_some() => {
                query.namespace = namespace.map(str::to_owned);
                (self.onboardings(&query, keep).await, Some((&error).into()))
            }
            all => (all, self.not_all_saved(&query)),
        }
    }

    /// Reads the onboardings of one namespace or all, with the objects that `keep` takes.
    ///
    /// # Errors
    /// As [`Cluster::helm_releases`].
    pub async fn onboardings(
        &self,
        query: &Query,
        keep: impl Fn(&HelmRelease) -> bool,
    ) -> Result<Listed, ClusterError> {
        let take = |listed: &mut Listed, sent: Sent| match sent.typed {
            Ok(hr) => {
                if keep(&hr) {
                    listed.objects.insert(hr.id(), sent.object);
                }
                listed.typed.push(hr);
            }
            Err(unreadable) => listed.unreadable.push(unreadable),
        };
        self.whole_helm_releases(query, Listed::default, take).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Archive;
    use serde_json::json;

    fn helm_release(name: &str, namespace: &str) -> Value {
        json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": name, "namespace": namespace}, "spec": {"interval": "1h", "unknown": {"to": "us"}}})
    }

    fn cluster(objects: &[Value]) -> Cluster {
        let texts: Vec<String> = objects.iter().map(ToString::to_string).collect();
        let text = texts.join("\n");
        let archive = Archive::load(&["-".into()], false, &mut text.as_bytes()).unwrap();
        Cluster::saved(archive, 0)
    }

    #[tokio::test]
    async fn a_kept_object_is_given_out_as_it_was_sent() {
        let (one, other) = (helm_release("a", "n"), helm_release("a", "m"));
        let cluster = cluster(&[one.clone(), other]);
        let keep = |hr: &HelmRelease| hr.metadata.namespace == "n";
        let listed = cluster.onboardings(&Query::default(), keep).await.unwrap();
        assert_eq!(
            (listed.typed.len(), listed.object("n", "a")),
            (2, Some(Ok(one)))
        );
        assert_eq!(
            (listed.object("m", "a"), listed.object("n", "b")),
            (None, None)
        );
    }

    /// Who else claims a database is then not known, and the others can still be found by their names.
    #[tokio::test]
    async fn one_that_cannot_be_read_leaves_the_rest_known_by_name_alone() {
        let mut broken = helm_release("b", "n");
        broken["spec"]["suspend"] = json!("maybe");
        let cluster = cluster(&[helm_release("a", "n"), broken]);
        let listed = cluster
            .onboardings(&Query::default(), |_| true)
            .await
            .unwrap();
        assert_eq!(listed.typed.len(), 1);
        assert!(listed.object("n", "a").is_some() && listed.object("n", "b").is_none());
        let why = listed.unreadable[0].words();
        assert_eq!(
            why,
            "helmrelease \"n/b\" cannot be read: invalid type: string \"maybe\", expected a boolean"
        );
        let others = Onboardings::new(Ok(listed), None);
        assert_eq!(others.read.unknown().unwrap().clause(), why);
    }
}
