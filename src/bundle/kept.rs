//! The one door into a bundle: what is kept of an answer, of a request and of every text around them.
//!
//! Owns what may be in a bundle: the fields that are in the table ([`fields`]), free text without credentials ([`scrub`]). A [`Kept`] and
//! an [`Asked`] are made here alone, so nothing else can be recorded. An object is cut down as what its path names, whatever it
//! says of itself.

mod fields;
#[cfg(test)]
mod page;
mod reduce;
mod release;

use super::request::{Accept, Key, Named, Status, named, split};
use super::store::Resource;
use crate::model::helm_release::{HelmRelease, PLURAL};
use crate::model::ownership::loose;
use crate::text::scrub;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// What became of a request, as the transport saw it.
#[derive(Clone, Debug)]
pub enum Heard<'a> {
    /// The answer's body.
    Body(&'a [u8]),
    /// The API server refused: absent, forbidden, …
    Refused(Status),
    /// There was no answer.
    Failed(String),
}

/// What is kept of an answer.
#[derive(Debug)]
pub(super) struct Kept {
    content: Content,
    tally: Tally,
    /// What it is of.
    kind: Kind,
}

/// A kind, and what several of it are called.
pub(super) type Kind = (&'static str, &'static str);

/// How it is written.
#[derive(Debug)]
pub(super) enum Content {
    Document(Value),
    Log(String),
    Refused(Status),
    Failed(String),
}

/// What is kept of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Path and query, without paging.
    path: String,
    #[serde(default)]
    accept: Accept,
    /// What was sent, for a review that is POSTed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

/// Texts that were scrubbed, and places in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub texts: u64,
    pub places: u64,
}

impl Tally {
    fn scrub(&mut self, text: &mut String) {
        let (scrubbed, places) = scrub::scrub(text);
        if places > 0 {
            self.texts += 1;
            self.places += places as u64;
            *text = scrubbed.into_owned();
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.texts += other.texts;
        self.places += other.places;
    }
}

/// A text of a manifest without credentials.
pub(super) fn text(text: &str) -> String {
    scrub::scrub(text).0.into_owned()
}

impl Asked {
    pub(super) fn reduce(path: &str, accept: Accept, body: Option<&Value>) -> Self {
        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
        let paging = |part: &&str| !part.starts_with("limit=") && !part.starts_with("continue=");
        let query: Vec<&str> = query
            .split('&')
            .filter(|p| !p.is_empty())
            .filter(paging)
            .collect();
        let path = match query.as_slice() {
            [] => bare.to_owned(),
            all => format!("{bare}?{}", all.join("&")),
        };
        let body = body.map(|body| {
            let mut body = body.clone();
            reduce_as(&resource(bare), &mut body, &mut Tally::default());
            body
        });
        Self {
            path: text(&path),
            accept,
            body,
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn accept(&self) -> Accept {
        self.accept
    }

    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    /// What makes it the same request as another.
    pub(super) fn key(&self) -> Key {
        Key::new(&self.path, self.accept, self.body.as_ref())
    }
}

/// The table's name for what a path asks for.
fn resource(path: &str) -> String {
    let name = |Resource { group, plural }: Resource| match group.as_str() {
        "" => plural,
        group => format!("{plural}.{group}"),
    };
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    match (named(path), segments.as_slice()) {
        (_, ["couchdb", _]) => "couchdb".to_owned(),
        (_, ["api"] | ["api", _] | ["apis"] | ["apis", _] | ["apis", _, _]) => {
            "discovery".to_owned()
        }
        (Named::Object { resource, .. } | Named::List { resource, .. }, _) => name(resource),
        (Named::Log { .. }, _) => "log".to_owned(),
        (Named::Other, _) => String::new(),
    }
}

/// Cuts an object down; `false` where the table has no such resource, and nothing is left of it.
fn reduce_as(resource: &str, object: &mut Value, tally: &mut Tally) -> bool {
    let Some(field) = fields::find(resource) else {
        *object = Value::Null;
        return false;
    };
    let payload = (resource == "secrets")
        .then(|| release::payload(object, tally))
        .flatten();
    reduce::reduce(object, field, tally);
    if let (Some(payload), Some(object)) = (payload, object.as_object_mut()) {
        object.insert("stringData".to_owned(), payload);
    }
    true
}

/// Cuts an answer down by the path that was asked: a list's items, or the document itself.
fn document(path: &str, document: &mut Value, tally: &mut Tally) -> bool {
    let resource = resource(path);
    let is_list = matches!(named(path), Named::List { .. }) && !fields::is_document(&resource);
    let (true, Some(list)) = (is_list, document.as_object_mut()) else {
        return reduce_as(&resource, document, tally);
    };
    let items = list.remove("items");
    let token = list
        .get("metadata")
        .and_then(|m| m.get("continue")?.as_str())
        .map(str::to_owned);
    reduce_as("list", document, tally);
    let (Some(list), Some(items)) = (document.as_object_mut(), items) else {
        return true;
    };
    reduce::shorten_token(list, token);
    let (mut items, mut known) = (items, true);
    for item in items.as_array_mut().into_iter().flatten() {
        known &= reduce_as(&resource, item, tally);
    }
    if !items.is_array() {
        items = Value::Null;
    }
    list.insert("items".to_owned(), items);
    known && fields::find(&resource).is_some()
}

/// A list of HelmReleases without the onboarding label is read for those that install the onboarding chart all the same;
/// the others are other teams', and nothing of them is looked at.
fn leave_others_out(path: &str, list: &mut Value) {
    let (path, query) = split(path);
    let unlabelled = query
        .iter()
        .any(|(name, value)| name == "labelSelector" && value.contains("!="));
    if !unlabelled || !path.ends_with(&format!("/{PLURAL}")) {
        return;
    }
    if let Some(items) = list.get_mut("items").and_then(Value::as_array_mut) {
        items.retain(|item| {
            HelmRelease::from_value(item).is_ok_and(|hr| hr.installs_onboarding_chart())
        });
    }
}

impl Kept {
    pub(super) fn reduce(path: &str, accept: Accept, heard: Heard<'_>) -> Self {
        let mut tally = Tally::default();
        let bare = path.split_once('?').map_or(path, |(path, _)| path);
        let content = match (heard, accept) {
            (Heard::Body(bytes), Accept::Text) if resource(bare) == "log" => {
                let mut log = String::from_utf8_lossy(bytes).into_owned();
                tally.scrub(&mut log);
                Content::Log(log)
            }
            (Heard::Body(_), Accept::Text) => Content::Failed(NOT_KEPT.to_owned()),
            (Heard::Body(bytes), _) => match serde_json::from_slice(bytes) {
                Ok(mut found) => {
                    leave_others_out(path, &mut found);
                    if document(bare, &mut found, &mut tally) {
                        Content::Document(found)
                    } else {
                        Content::Failed(NOT_KEPT.to_owned())
                    }
                }
                Err(_) => Content::Failed("the answer was not JSON".to_owned()),
            },
            (Heard::Refused(mut status), _) => {
                for text in [&mut status.message, &mut status.reason, &mut status.name] {
                    tally.scrub(text);
                }
                Content::Refused(status)
            }
            (Heard::Failed(mut why), _) => {
                tally.scrub(&mut why);
                Content::Failed(why)
            }
        };
        let resource = resource(bare);
        let kind = fields::RESOURCES.iter().find(|r| r.name == resource);
        let kind = kind.map_or(("", ""), |r| (r.kind, r.plural));
        Self {
            content,
            tally,
            kind,
        }
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    pub(super) fn is_seen(&self) -> bool {
        matches!(self.content, Content::Document(_) | Content::Log(_))
    }

    /// A list to its end, or something that has no end.
    pub(super) fn is_complete(&self) -> bool {
        let Content::Document(document) = &self.content else {
            return true;
        };
        let token = document
            .pointer("/metadata/continue")
            .and_then(Value::as_str);
        token.is_none_or(str::is_empty)
    }

    /// The API server answered, or said that the object does not exist.
    pub(super) fn is_answer(&self) -> bool {
        self.is_seen() || matches!(&self.content, Content::Refused(status) if status.code == 404)
    }

    /// A later page of the list: its items join the first ones. If a page could not be read, neither could the list.
    pub(super) fn page(&mut self, page: Self) {
        self.tally.add(page.tally);
        match (&mut self.content, page.content) {
            (Content::Document(all), Content::Document(mut page)) => {
                let more = page.get_mut("items").map(Value::take);
                if let (Some(Value::Array(items)), Some(Value::Array(more))) =
                    (all.get_mut("items"), more)
                {
                    items.extend(more);
                }
                if let (Some(metadata), Some(last)) =
                    (all.get_mut("metadata"), page.get("metadata"))
                {
                    *metadata = last.clone();
                }
            }
            // The token was too old: the reader begins the list again.
            (_, Content::Refused(status)) if status.code == 410 => {}
            (
                content @ Content::Document(_),
                other @ (Content::Refused(_) | Content::Failed(_)),
            ) => *content = other,
            _ => {}
        }
    }

    /// The objects in it, each with its kind, namespace and name; one without a name is the answer itself.
    pub(super) fn objects(&self, path: &str) -> Vec<(Kind, String)> {
        let id = |object: &Value| {
            let text = |key: &str| {
                object
                    .pointer(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            format!("{}/{}", text("/metadata/namespace"), text("/metadata/name"))
        };
        match &self.content {
            Content::Document(list) if list.get("items").is_some() => {
                let items = list.get("items").and_then(Value::as_array);
                items
                    .into_iter()
                    .flatten()
                    .map(|item| (self.kind, id(item)))
                    .collect()
            }
            Content::Document(object) if object.pointer("/metadata/name").is_some() => {
                vec![(self.kind, id(object))]
            }
            Content::Document(_) | Content::Log(_) => vec![(self.kind, path.to_owned())],
            Content::Refused(_) | Content::Failed(_) => Vec::new(),
        }
    }

    /// The databases that it names in the fields that claim one.
    pub(super) fn databases(&self, names: &mut BTreeSet<String>) {
        let Content::Document(document) = &self.content else {
            return;
        };
        let items = document.get("items").and_then(Value::as_array);
        for object in items.into_iter().flatten().chain([document]) {
            let claim = HelmRelease::from_value(object).map(|hr| hr.claim());
            names.extend(claim.ok().and_then(|claim| claim.joined().map(loose)));
        }
    }

    /// As it is written, where of the words that were left out the names of `databases` stay.
    pub(super) fn into_content(self, databases: &BTreeSet<String>) -> Content {
        match self.content {
            Content::Document(mut document) => {
                reduce::settle(&mut document, &|name| databases.contains(name));
                release::encode(&mut document);
                for item in document
                    .get_mut("items")
                    .and_then(Value::as_array_mut)
                    .into_iter()
                    .flatten()
                {
                    release::encode(item);
                }
                Content::Document(document)
            }
            other => other,
        }
    }
}

/// Why an answer is not in a bundle.
const NOT_KEPT: &str = "a bundle holds nothing of this kind";

#[cfg(test)]
mod tests;
