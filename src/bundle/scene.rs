//! Test bundles: the answers that an API server with a given set of objects would give to the requests of a run.
//!
//! Owns what such a server says; what it is asked comes from the run itself. What the test tells nothing about is not in the
//! bundle. Test code only.

use super::answer::Answer;
use super::archive::Archive;
use super::files::{Entry, Tree};
use super::kept::Asked;
use super::manifest;
use super::record::Recording;
use super::request::{Accept, Key, Named, Status, named, split};
use crate::model::forbidden::Forbidden;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

/// What is there, and what of it may be read.
#[derive(Debug)]
pub(crate) struct Scene {
    objects: Archive,
    plain: [(String, Vec<u8>); 2],
    /// Answers without an object: by the path and, for a review, its `spec`.
    asides: Vec<(String, Value, Value)>,
    /// Plurals of kinds whose objects are all given.
    pub(crate) complete: Vec<String>,
    /// Plurals of kinds that have no objects.
    pub(crate) absent: Vec<String>,
    /// What the user may not do: `get jobs in core`.
    pub(crate) forbidden: Vec<String>,
    /// Of `absent` and `forbidden`: what was asked for.
    used: BTreeSet<String>,
    asked: HashSet<Key>,
    requests: Vec<Value>,
    files: Vec<(String, Vec<u8>)>,
}

impl Scene {
    /// A scene of objects and, as `kubectl logs --prefix` writes them, logs.
    pub(crate) fn new(objects: &[&Value], logs: &str) -> Self {
        let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
        let plain = [
            ("objects.json", objects.join("\n")),
            ("pods.log", logs.to_owned()),
        ]
        .map(|(path, text)| (path.to_owned(), text.into_bytes()));
        Self {
            objects: archive(&plain),
            plain,
            asides: Vec::new(),
            complete: Vec::new(),
            absent: Vec::new(),
            forbidden: Vec::new(),
            used: BTreeSet::new(),
            asked: HashSet::new(),
            requests: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The objects and logs alone, as kubectl would have saved them.
    pub(crate) fn plain(&self) -> Archive {
        archive(&self.plain)
    }

    /// An answer without an object: to a review with this `spec`, or to another kind of request.
    pub(crate) fn aside(&mut self, path: &str, spec: &Value, answer: &Value) {
        let aside = (path.to_owned(), spec.clone(), answer.clone());
        self.asides.push(aside);
    }

    /// Of what is absent or forbidden: what no run asked for.
    pub(crate) fn unused(&self) -> Vec<&str> {
        let all = self.absent.iter().chain(&self.forbidden);
        all.map(String::as_str)
            .filter(|told| !self.used.contains(*told))
            .collect()
    }

    /// The bundle as far as questions are known.
    pub(crate) fn bundle(&self) -> Archive {
        let manifest = json!({"apiVersion": manifest::API_VERSION, "kind": manifest::KIND, "capturedAt": "2026-11-24T01:02:03Z",
            "context": "prod-east", "server": "https://10.20.0.1:6443", "requests": self.requests});
        let manifest = (manifest::FILE.to_owned(), manifest.to_string().into_bytes());
        let files = std::iter::once(manifest).chain(self.files.iter().cloned());
        archive(&files.collect::<Vec<_>>())
    }

    /// Answers what a run asked for; gives whether the bundle has grown by it.
    pub(crate) fn hear(&mut self, recording: &Recording) -> bool {
        let before = self.requests.len();
        for asked in recording.asked() {
            if self.asked.insert(asked.key()) {
                match self.answer(asked) {
                    Some(Answer::Found(body)) => self.seen(asked, body),
                    Some(Answer::Refused(status)) => {
                        self.add(asked, &json!({"outcome": "refused", "status": status}))
                    }
                    Some(Answer::Failed(_) | Answer::NotSaved(_)) | None => {}
                }
            }
        }
        self.requests.len() > before
    }

    fn seen(&mut self, asked: &Asked, bytes: Vec<u8>) {
        let path = format!("{}/{:04}.json", manifest::ANSWERS, self.files.len());
        self.add(asked, &json!({"outcome": "seen", "file": path}));
        self.files.push((path, bytes));
    }

    fn add(&mut self, asked: &Asked, outcome: &Value) {
        let mut request = serde_json::to_value(asked).unwrap();
        let outcome = outcome.as_object().unwrap().clone();
        request.as_object_mut().unwrap().extend(outcome);
        self.requests.push(request);
    }

    /// What the server says; `None` where the scene does not tell.
    fn answer(&mut self, asked: &Asked) -> Option<Answer> {
        let (path, body) = (asked.path(), asked.body());
        let target = Target::parse(path);
        if let Some(target) = &target {
            let refusal = target.refusal();
            let clause = Forbidden::parse(&refusal)?.to_string();
            if self.forbidden.contains(&clause) {
                self.used.insert(clause);
                return Some(status(403, "Forbidden", refusal, &target.name));
            }
            if self.absent.contains(&target.plural) {
                self.used.insert(target.plural.clone());
                return Some(target.nothing(path, asked.accept()));
            }
        }
        let spec = body.map_or(&Value::Null, |body| &body["spec"]);
        let aside = self.asides.iter().find(|(p, s, _)| p == path && s == spec);
        if let Some((_, _, answer)) = aside {
            return Some(Answer::Found(answer.to_string().into_bytes()));
        }
        match (self.objects.answer(path, asked.accept(), body), target) {
            (Answer::NotSaved(_), Some(target)) if self.complete.contains(&target.plural) => {
                Some(target.nothing(path, asked.accept()))
            }
            (Answer::NotSaved(_), _) => None,
            (answer, _) => Some(answer),
        }
    }
}

/// What is in these files.
fn archive(files: &[(String, Vec<u8>)]) -> Archive {
    let entry = |(path, bytes): &(String, Vec<u8>)| Entry {
        path: path.clone(),
        bytes: bytes.clone(),
    };
    let tree = Tree {
        shown: "scene".to_owned(),
        entries: files.iter().map(entry).collect(),
        many: true,
    };
    Archive::from_tree(&tree).unwrap()
}

fn status(code: u16, reason: &str, message: String, name: &str) -> Answer {
    Answer::Refused(Status {
        code,
        reason: reason.to_owned(),
        message,
        name: name.to_owned(),
    })
}

/// What a request is about, in the words of the API server.
#[derive(Debug)]
struct Target {
    verb: &'static str,
    group: String,
    /// `pods`, `pods/log`.
    plural: String,
    namespace: Option<String>,
    /// Empty for a list.
    name: String,
}

impl Target {
    fn parse(path: &str) -> Option<Self> {
        let (bare, _) = split(path);
        let (verb, group, plural, namespace, name) = match named(&bare) {
            Named::Object {
                resource,
                namespace,
                name,
            } => {
                // A Namespace is in itself, as the API server tells it.
                let own = resource.plural == "namespaces";
                let namespace = if own { name.clone() } else { namespace };
                let namespace = Some(namespace).filter(|n| !n.is_empty());
                ("get", resource.group, resource.plural, namespace, name)
            }
            Named::List {
                resource,
                namespace,
            } => {
                let nobody = String::new();
                ("list", resource.group, resource.plural, namespace, nobody)
            }
            Named::Log { namespace, pod } => {
                let plural = "pods/log".to_owned();
                ("get", String::new(), plural, Some(namespace), pod)
            }
            Named::Other => return None,
        };
        Some(Self {
            verb,
            group,
            plural,
            namespace,
            name,
        })
    }

    fn qualified(&self) -> String {
        let qualified = match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        };
        match self.name.as_str() {
            "" => qualified,
            name => format!("{qualified} {name:?}"),
        }
    }

    /// The sentence of a refusal.
    fn refusal(&self) -> String {
        let place = match &self.namespace {
            Some(namespace) => format!("in the namespace {namespace:?}"),
            None => "at the cluster scope".to_owned(),
        };
        format!(
            "{} is forbidden: User \"dev\" cannot {} resource {:?} in API group {:?} {place}",
            self.qualified(),
            self.verb,
            self.plural,
            self.group
        )
    }

    /// The answer where there is none: a 404, or an empty list.
    fn nothing(&self, path: &str, accept: Accept) -> Answer {
        if !self.name.is_empty() {
            let message = format!("{} not found", self.qualified());
            return status(404, "NotFound", message, &self.name);
        }
        let version = path
            .split('/')
            .nth(if self.group.is_empty() { 2 } else { 3 });
        let version = version.unwrap_or_default();
        let (api_version, kind) = match (accept, self.group.as_str()) {
            (Accept::Metadata, _) => ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadata"),
            (_, "") => (version.to_owned(), self.plural.trim_end_matches('s')),
            (_, group) => (
                format!("{group}/{version}"),
                self.plural.trim_end_matches('s'),
            ),
        };
        let list = json!({"apiVersion": api_version, "kind": format!("{kind}List"),
            "metadata": {"resourceVersion": "1"}, "items": []});
        Answer::Found(list.to_string().into_bytes())
    }
}
