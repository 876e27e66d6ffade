//! What the saved files answer to a request: what was recorded, an object, a list of objects, or that it is not saved.
//!
//! Owns the order in which these are looked for. Nothing that is not in the files is ever absent or an empty list: only a
//! recorded request can say so.

use super::archive::{Archive, Recorded};
use super::logs;
use super::request::{Accept, Key, Named, Status, decoded, named, split};
use super::store::Resource;
use crate::advice::Command;
use crate::model::helm_release::{GROUP, KIND, PLURAL};
use crate::model::owner::{Belongs, is_named_by};
use crate::model::pod::Pod;
use crate::model::selector::{Fields, Labels};
use serde_json::{Value, json};

/// In the place of a token: the list goes on, and its next page is not saved.
pub(super) const MORE: &str = "more";

/// What the files say.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The body, as the API server would send it.
    Found(Vec<u8>),
    /// The API server's refusal, as it was recorded.
    Refused(Status),
    /// No answer was had when it was recorded, and why.
    Failed(String),
    /// The files do not say.
    NotSaved(NotSaved),
}

/// What is not in the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSaved {
    /// `secrets "a" in namespace core`.
    pub what: String,
    /// kubectl's words for what would have to be saved too.
    pub get: Option<Command>,
}

impl Archive {
    /// The answer to a GET or, with a body, to a review that is POSTed.
    pub fn answer(&self, path: &str, accept: Accept, body: Option<&Value>) -> Answer {
        let (bare, query) = split(path);
        let parameter = |wanted: &str| {
            let found = query.iter().find(|(name, _)| name == wanted);
            found.map_or("", |(_, value)| value.as_str())
        };
        let not_saved = || Answer::NotSaved(NotSaved::at(path));
        // A saved list has one page, and its changes were not saved.
        if !parameter("continue").is_empty() || !parameter("watch").is_empty() {
            return not_saved();
        }
        if let Some(recorded) = self.recorded.get(&Key::new(path, accept, body)) {
            let answer = match recorded {
                Recorded::Document(document) => match of_kubectl(document) {
                    Some(items) if matches!(named(&bare), Named::List { .. }) => {
                        found(&list(&items, &bare, accept))
                    }
                    _ => found(document),
                },
                Recorded::Text(text) => Answer::Found(text.clone().into_bytes()),
                Recorded::Status(status) => Answer::Refused(status.clone()),
                Recorded::Failed(why) => Answer::Failed(why.clone()),
            };
            return match (&answer, named(&bare)) {
                // What was not readable then may have been laid beside since. Not so a list: nothing tells that one is whole.
                (
                    Answer::Refused(Status {
                        code: 401 | 403, ..
                    })
                    | Answer::Failed(_),
                    Named::Object {
                        resource,
                        namespace,
                        name,
                    },
                ) => self
                    .store
                    .get(&resource, &namespace, &name)
                    .map_or(answer, found),
                _ => answer,
            };
        }
        if body.is_some() {
            return not_saved();
        }
        if accept == Accept::Text {
            let (container, lines) = (parameter("container"), parameter("tailLines"));
            let is_previous = !parameter("previous").is_empty();
            return match self.log(&bare, container, lines, is_previous) {
                Some(text) => Answer::Found(text.as_bytes().to_vec()),
                None => not_saved(),
            };
        }
        match named(&bare) {
            Named::Object {
                resource,
                namespace,
                name,
            } => match self.store.get(&resource, &namespace, &name) {
                Some(object) => found(object),
                None => not_saved(),
            },
            Named::List {
                resource,
                namespace,
            } => {
                let (labels, fields) = (parameter("labelSelector"), parameter("fieldSelector"));
                let selectors = Labels::parse(labels).and_then(|l| Ok((l, Fields::parse(fields)?)));
                let (labels, fields) = match selectors {
                    Ok(selectors) => selectors,
                    Err(part) => return Answer::Refused(unparsable(&part)),
                };
                let is_wanted = |o: &&Value| {
                    let own = o.pointer("/metadata/labels");
                    labels.matches(|key| own?.get(key)?.as_str()) && fields.matches(o)
                };
                let items: Vec<&Value> = self
                    .store
                    .list(&resource, namespace.as_deref())
                    .filter(is_wanted)
                    .collect();
                // Which HelmReleases there are is what the files are for: the others are told to be unknown elsewhere.
                // A bundle knows only those that it was captured with.
                let those_here = resource == Resource::new(GROUP, PLURAL)
                    && self.bundles().is_empty()
                    && self.store.list(&resource, None).next().is_some();
                if items.is_empty() && !those_here {
                    return not_saved();
                }
                let mut list = list(&items, &bare, accept);
                if self.is_cut(&resource, namespace.as_deref()) {
                    list["metadata"]["continue"] = json!(MORE);
                }
                found(&list)
            }
            Named::Log { .. } | Named::Other => not_saved(),
        }
    }

    /// A log by the path that asks for it: recorded, or saved whole, of which the last lines are taken.
    fn log(&self, path: &str, container: &str, lines: &str, is_previous: bool) -> Option<&str> {
        let recorded = (path.to_owned(), container.to_owned());
        if let Some(text) = self.logs.get(&recorded) {
            return Some(text);
        }
        let Named::Log { pod, .. } = named(path) else {
            return None;
        };
        // kubectl does not write of which run a log is: that of a container that runs may be the present one.
        if is_previous {
            return None;
        }
        let whole = self.pod_logs.get(&(pod, container.to_owned()))?;
        let lines = lines.parse().ok();
        Some(lines.map_or(whole, |lines| logs::tail(whole, lines)))
    }

    /// The whole logs of a Deployment's pods as kubectl saved them. kubectl does not write the namespace: a pod is found by its name,
    /// and judged by its owner references if the files have the pod itself.
    pub fn logs_of(&self, deployment: &str) -> impl Iterator<Item = &str> {
        const KIND: &str = "Deployment";
        let pods = Resource::new("", "pods");
        let is_own = move |name: &str| {
            let saved = self.store.list(&pods, None);
            let saved = saved.filter(|pod| pod.pointer("/metadata/name") == Some(&json!(name)));
            let mut saved = saved.map(Pod::from_value).peekable();
            match saved.peek() {
                Some(_) => saved.any(|pod| pod.belongs_to(KIND, deployment) != Belongs::No),
                None => is_named_by(name, KIND, deployment),
            }
        };
        let logs = self.pod_logs.iter();
        logs.filter(move |((pod, _), _)| is_own(pod))
            .map(|(_, log)| log.as_str())
    }

    /// Whether the answer is what the API server said to this very request, not what files happen to hold.
    pub fn has_recorded(&self, path: &str, accept: Accept) -> bool {
        self.recorded.contains_key(&Key::new(path, accept, None))
    }

    /// The names of the HelmReleases of all namespaces.
    pub fn helm_releases(&self) -> impl Iterator<Item = &str> {
        let resource = Resource::new(GROUP, PLURAL);
        self.store
            .list(&resource, None)
            .filter_map(|o| o.pointer("/metadata/name")?.as_str())
    }
}

fn found(document: &Value) -> Answer {
    Answer::Found(document.to_string().into_bytes())
}

/// The objects of a list that kubectl saved: its kind is its own, and it was read to its end.
fn of_kubectl(document: &Value) -> Option<Vec<&Value>> {
    let own = document["kind"] == "List" && document["apiVersion"] == "v1";
    let items = document["items"].as_array().filter(|_| own)?;
    Some(items.iter().collect())
}

/// A list of the objects, as the API server would write it for `path`.
fn list(items: &[&Value], path: &str, accept: Accept) -> Value {
    let metadata = json!({"resourceVersion": "0"});
    if accept == Accept::Metadata {
        let items = items.iter().map(|o| {
            json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": o["metadata"]})
        });
        return json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": metadata,
            "items": items.collect::<Vec<_>>()});
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let api_version = match segments.as_slice() {
        ["apis", group, version, ..] => format!("{}/{}", decoded(group), decoded(version)),
        [_, version, ..] => decoded(version),
        _ => String::new(),
    };
    // Only of HelmReleases there can be an empty list.
    let kind = items.first().and_then(|o| o["kind"].as_str());
    let kind = format!("{}List", kind.unwrap_or(KIND));
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "items": items})
}

fn unparsable(part: &str) -> Status {
    Status {
        code: 400,
        reason: "BadRequest".to_owned(),
        message: format!("unable to parse requirement: {part:?}"),
        name: String::new(),
    }
}

impl NotSaved {
    /// What a path names.
    pub fn at(path: &str) -> Self {
        let (path, _) = split(path);
        let kind = |r: &Resource| match r.group.as_str() {
            "" => r.plural.clone(),
            group => format!("{}.{group}", r.plural),
        };
        match named(&path) {
            Named::Object {
                resource,
                namespace,
                name,
            } => {
                let kind = kind(&resource);
                let mut words = vec!["kubectl", "get", &kind, &name];
                let mut what = format!("{kind} {name:?}");
                if !namespace.is_empty() {
                    what.push_str(&format!(" in namespace {namespace}"));
                    words.extend(["-n", &namespace]);
                }
                words.extend(["-o", "yaml"]);
                Self {
                    get: Some(Command::new(words)),
                    what,
                }
            }
            Named::List {
                resource,
                namespace,
            } => {
                let kind = kind(&resource);
                let (place, flags) = match &namespace {
                    Some(namespace) => (
                        format!("namespace {namespace}"),
                        vec!["-n", namespace.as_str()],
                    ),
                    None => ("all namespaces".to_owned(), vec!["-A"]),
                };
                let mut words = vec!["kubectl", "get", &kind];
                words.extend(flags);
                if kind == "secrets" {
                    // Helm's own are enough: the others are nobody's business.
                    words.extend(["-l", "owner=helm"]);
                }
                words.extend(["-o", "yaml"]);
                Self {
                    what: format!("{kind} in {place}"),
                    get: Some(Command::new(words)),
                }
            }
            Named::Log { namespace, pod } => {
                let words = ["kubectl", "logs", &pod, "-n", &namespace];
                let flags = ["--all-containers", "--prefix"];
                Self {
                    what: format!("the log of pod {pod:?} in namespace {namespace}"),
                    get: Some(Command::new(words).args(flags)),
                }
            }
            Named::Other => Self {
                what: path,
                get: None,
            },
        }
    }
}

#[cfg(test)]
mod tests;
