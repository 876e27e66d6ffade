//! Checks that an answer is the object or list its path asks for, and who sent it.
//!
//! A gateway, a login page and a cut-off answer look like nothing found to a lenient parser. Here they are faults, which the
//! transport turns into an error that names who answered. Owns the bounds on what is parsed.

use crate::bundle::request::Accept;
use crate::model::helm_release::HelmRelease;
use crate::model::json_values;
use crate::model::nullable::nullable;
use crate::text::one_line;
use bytes::Bytes;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Pod;
use kube::client::Body;
use kube::core::Status;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Largest answer, in bytes, once it is unpacked.
pub(super) const RESPONSE_MAX: usize = 64 * 1024 * 1024;
/// Largest object, in bytes. etcd takes 1.5 MiB.
pub(super) const OBJECT_MAX: usize = 4 * 1024 * 1024;
/// Most JSON values in a page: a small one such as `{"a":0}` takes a hundred times its size in memory.
const PAGE_VALUES_MAX: usize = 2_000_000;
/// Longest text that is repeated from an answer, in characters.
const SHOWN: usize = 200;
/// Largest foreign answer that is looked into, in bytes.
const LOOKED_INTO: usize = 64 * 1024;

/// Why a body does not count as the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not of the form that was asked for.
    Form(String),
    /// The form is right, a field has an unexpected type.
    Field(String),
    /// It is beyond the bounds.
    Large,
}

/// What a list may hold: objects, which have a name.
pub trait Item: DeserializeOwned {
    /// `.metadata.name`; without one the list is malformed.
    fn name(&self) -> Option<&str>;
}

impl Item for Value {
    fn name(&self) -> Option<&str> {
        self.pointer("/metadata/name")?.as_str()
    }
}

impl Item for HelmRelease {
    fn name(&self) -> Option<&str> {
        Some(&self.metadata.name)
    }
}

impl Item for Pod {
    fn name(&self) -> Option<&str> {
        self.metadata.name.as_deref()
    }
}

/// An object's metadata, where the rest is not wanted.
#[derive(Clone, Debug, Deserialize)]
pub struct Named {
    pub metadata: ObjectMeta,
}

/// `.metadata`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub resource_version: String,
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    pub creation_timestamp: Option<String>,
}

impl Item for Named {
    fn name(&self) -> Option<&str> {
        Some(&self.metadata.name)
    }
}

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// `v1`, `apps/v1`.
    pub(super) api_version: String,
    /// `secrets`.
    pub(super) plural: String,
    /// Of an object; `None` for a list.
    pub(super) name: Option<String>,
}

impl Asked {
    /// Reads a path, with a query or without; `None` where it is neither an object's nor a list's.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let (api_version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => (decoded(version), rest),
            ["apis", group, version, rest @ ..] => {
                (format!("{}/{}", decoded(group), decoded(version)), rest)
            }
            _ => return None,
        };
        let (plural, name) = match rest {
            [plural] | ["namespaces", _, plural] => (plural, None),
            [plural, name] | ["namespaces", _, plural, name] => (plural, Some(decoded(name))),
            _ => return None,
        };
        Some(Self {
            api_version,
            plural: decoded(plural),
            name,
        })
    }

    fn group(&self) -> &str {
        group(&self.api_version)
    }
}

/// Whether a path's resource is the plural of a kind; a list of no kind may be of any.
fn is_plural(kind: &str, plural: &str) -> bool {
    let kind = kind.to_lowercase();
    let regular = [
        kind.clone(),
        format!("{kind}s"),
        format!("{kind}es"),
        format!("{}ies", kind.strip_suffix('y').unwrap_or(&kind)),
    ];
    kind.is_empty() || regular.iter().any(|word| word == plural)
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// What every object says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    kind: String,
    api_version: String,
    #[serde(default)]
    metadata: HeadMeta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HeadMeta {
    name: Option<String>,
}

/// Checks that a body is the object that `path` names: the API server always writes kind, apiVersion and name.
///
/// The version may be another one: saved files hold objects in the version in which they were saved.
pub(super) fn check_object(path: &str, body: &[u8]) -> Result<(), Fault> {
    let asked = Asked::parse(path);
    let Some((asked, name)) = asked.as_ref().and_then(|a| Some((a, a.name.as_deref()?))) else {
        return Err(Fault::Form(format!("{path} is not the path of an object")));
    };
    let head = head(body)?;
    if head.kind.is_empty() || head.kind == "Status" || head.kind.ends_with("List") {
        return Err(Fault::Form(said(body)));
    }
    if group(&head.api_version) != asked.group() {
        return Err(Fault::Form(format!(
            "its apiVersion is {:?}, not {:?}",
            shown(&head.api_version),
            asked.api_version
        )));
    }
    match head.metadata.name.as_deref() {
        Some(found) if found == name => Ok(()),
        found => Err(Fault::Form(format!(
            "it is the {} {:?}, not {name:?}",
            shown(&head.kind),
            shown(found.unwrap_or_default())
        ))),
    }
}

/// Checks that a body is of this kind: discovery and reviews, which have no name.
pub(super) fn check_kind(api_version: &str, kind: &str, body: &[u8]) -> Result<(), Fault> {
    let head = head(body)?;
    if head.kind == kind && head.api_version == api_version {
        Ok(())
    } else {
        Err(Fault::Form(said(body)))
    }
}

fn head(body: &[u8]) -> Result<Head, Fault> {
    if body.len() > OBJECT_MAX {
        return Err(Fault::Large);
    }
    serde_json::from_slice(body).map_err(|_| Fault::Form(said(body)))
}

/// A page of a list, checked; its items are not parsed yet.
#[derive(Debug)]
pub(super) struct Page<'a> {
    items: Vec<&'a RawValue>,
    /// The moment of the list.
    pub(super) resource_version: String,
    /// Of the next page; empty on the last one.
    pub(super) token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    kind: String,
    api_version: String,
    metadata: ListMeta,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMeta {
    resource_version: Option<String>,
    #[serde(rename = "continue")]
    token: Option<String>,
    remaining_item_count: Option<i64>,
}

impl<'a> Page<'a> {
    /// Reads one page of a list. `limit` is the number of items asked for.
    pub(super) fn parse(
        path: &str,
        accept: Accept,
        limit: usize,
        body: &'a [u8],
    ) -> Result<Self, Fault> {
        let fault = |why: String| Err(Fault::Form(why));
        let Some(Asked {
            api_version,
            plural,
            name: None,
        }) = Asked::parse(path)
        else {
            return fault(format!("{path} is not the path of a list"));
        };
        let written: Written<'a> =
            serde_json::from_slice(body).map_err(|e| Fault::Form(unlike_a_list(body, &e)))?;
        let Some(kind) = written.kind.strip_suffix("List") else {
            return fault(format!("it is {}", said(body)));
        };
        let of_metadata = kind == "PartialObjectMetadata";
        if !of_metadata && !is_plural(kind, &plural) {
            return fault(format!("a {}, not of {plural}", shown(&written.kind)));
        }
        let expected = match (of_metadata, accept) {
            (true, Accept::Metadata) => "meta.k8s.io/v1",
            // A server that does not cut objects down sends them whole.
            _ => api_version.as_str(),
        };
        if written.api_version != expected {
            return fault(format!(
                "a {} of {:?}, not of {expected:?}",
                shown(&written.kind),
                shown(&written.api_version)
            ));
        }
        let items = match written.items {
            Some(items) => items,
            // The API server writes an empty list of metadata this way, and no other list.
            None if of_metadata => Vec::new(),
            None => return fault(format!("a {} whose items are null", shown(&written.kind))),
        };
        let token = written.metadata.token.unwrap_or_default();
        let resource_version = written.metadata.resource_version.unwrap_or_default();
        match written.metadata.remaining_item_count {
            Some(..0) => {
                return fault(format!(
                    "a {} with a negative remainingItemCount",
                    shown(&written.kind)
                ));
            }
            Some(_) if token.is_empty() => {
                return fault(format!(
                    "a {} that has more items and no continue token",
                    shown(&written.kind)
                ));
            }
            _ => {}
        }
        // A full page that lost its metadata would be the end of the list.
        if items.len() >= limit && token.is_empty() && resource_version.is_empty() {
            return fault(format!(
                "a full {} without a resourceVersion",
                shown(&written.kind)
            ));
        }
        if items.iter().any(|item| item.get().len() > OBJECT_MAX)
            || (items.len() > 1 && json_values::exceed(body, PAGE_VALUES_MAX))
        {
            return Err(Fault::Large);
        }
        Ok(Self {
            items,
            resource_version,
            token,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Hands the items out one by one, so that a caller that keeps none needs the memory of one.
    pub(super) fn each<T: Item>(&self, mut take: impl FnMut(T)) -> Result<(), Fault> {
        for (number, raw) in self.items.iter().enumerate() {
            let item: T =
                serde_json::from_str(raw.get()).map_err(|e| Fault::Field(e.to_string()))?;
            if item.name().is_none_or(str::is_empty) {
                return Err(Fault::Form(format!(
                    "a list whose item {} has no name",
                    number + 1
                )));
            }
            take(item);
        }
        Ok(())
    }
}

/// Why a body is not a list, in words that hold nothing of an object.
fn unlike_a_list(body: &[u8], error: &serde_json::Error) -> String {
    match serde_json::from_slice::<Head>(body) {
        Ok(head) if head.kind.ends_with("List") => {
            let why = error.to_string();
            let why = why
                .split_once(" at line ")
                .map_or(why.as_str(), |(why, _)| why);
            format!("a {} with a {}", shown(&head.kind), shown(why))
        }
        _ => said(body),
    }
}

/// The beginning of a `Status`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusHead {
    kind: String,
    api_version: Option<String>,
    status: Option<String>,
}

/// The API server's own word in the body of an error; `None` where something else answered.
pub(super) fn status(code: u16, body: &[u8]) -> Option<Status> {
    let own = |head: &StatusHead| {
        let version = head.api_version.as_ref().is_none_or(|v| v == "v1");
        version && head.status.as_ref().is_none_or(|s| s == "Failure")
    };
    status_if(code, body, own).or_else(|| unserved(code, body))
}

/// The same with everything that the API server writes, where it decides whether something was done.
pub(super) fn whole_status(code: u16, body: &[u8]) -> Option<Status> {
    status_if(code, body, |head| {
        head.api_version.as_deref() == Some("v1") && head.status.as_deref() == Some("Failure")
    })
}

/// A `Status` with the code of the answer: what a body says of its code is not what was answered.
fn status_if(code: u16, body: &[u8], own: impl Fn(&StatusHead) -> bool) -> Option<Status> {
    let head: StatusHead = serde_json::from_slice(body).ok()?;
    if head.kind != "Status" || !own(&head) {
        return None;
    }
    let mut status: Status = serde_json::from_slice(body).ok()?;
    status.code = code;
    if status.message.trim().is_empty() {
        status.message = format!("no reason from the API server (HTTP {code})");
    }
    Some(status)
}

fn unserved(code: u16, body: &[u8]) -> Option<Status> {
    (code == 404 && body.trim_ascii() == UNSERVED.as_bytes()).then(|| Status {
        code,
        reason: "NotFound".to_owned(),
        message: UNSERVED.to_owned(),
        ..Status::default()
    })
}

/// The API server's plain text for a path that it does not serve.
pub(super) const UNSERVED: &str = "404 page not found";

/// What a body that was not expected says, in one short line. Nothing of an object is repeated: it can hold secrets.
pub(super) fn said(body: &[u8]) -> String {
    if body.trim_ascii().is_empty() {
        return "an empty body".to_owned();
    }
    if !matches!(body.trim_ascii_start()[0], b'{' | b'[') {
        let text = String::from_utf8_lossy(&body[..body.len().min(LOOKED_INTO)]);
        return said_by_text(&text);
    }
    if body.len() > LOOKED_INTO {
        return match serde_json::from_slice::<Head>(body) {
            Ok(head) => format!("a {}", shown(&head.kind)),
            Err(e) => format!("{} bytes of JSON: {}", body.len(), place(&e)),
        };
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => said_by_object(&object),
        Ok(_) => "a JSON array".to_owned(),
        Err(e) => format!("broken JSON: {}", place(&e)),
    }
}

/// The first line, of HTML the first that says something.
fn said_by_text(text: &str) -> String {
    let is_html = text.trim_start().starts_with('<');
    let line = text.lines().find_map(|line| {
        let line = if is_html {
            without_tags(line)
        } else {
            line.to_owned()
        };
        Some(shown(line.trim())).filter(|l| !l.is_empty())
    });
    line.unwrap_or_else(|| "HTML".to_owned())
}

fn without_tags(line: &str) -> String {
    let mut text = String::new();
    for piece in line.split('<') {
        match piece.split_once('>') {
            Some((_, rest)) => text.push_str(rest),
            // Before the first tag; else it is one that goes on in the next line.
            None if text.is_empty() && line.starts_with(piece) => text.push_str(piece),
            None => {}
        }
        text.push(' ');
    }
    text
}

fn said_by_object(object: &serde_json::Map<String, Value>) -> String {
    let text = |key: &str| {
        let text = object.get(key).and_then(Value::as_str);
        text.filter(|t| !t.trim().is_empty())
    };
    let message = [
        "message",
        "Message",
        "error_description",
        "error",
        "detail",
        "title",
        "msg",
    ]
    .iter()
    .find_map(|key| text(key));
    match (text("kind"), message) {
        (Some("Status"), Some(message)) => {
            format!("a Status: {}", shown(message))
        }
        (Some(kind), _) if text("apiVersion").is_some() => format!("a {}", shown(kind)),
        (_, Some(message)) => shown(message),
        (Some(kind), _) => format!("a {} without an apiVersion", shown(kind)),
        _ if object.is_empty() => "an empty JSON object".to_owned(),
        _ => {
            let keys: Vec<&str> = object.keys().map(String::as_str).take(8).collect();
            shown(&format!("a JSON object with the keys {}", keys.join(", ")))
        }
    }
}

/// Where a parser failed: its own words could repeat the text.
fn place(error: &serde_json::Error) -> String {
    if error.is_eof() {
        "it ends early".to_owned()
    } else {
        format!("line {}, column {}", error.line(), error.column())
    }
}

fn shown(text: &str) -> String {
    one_line(text).chars().take(SHOWN).collect()
}

/// Why a body was not read to its end.
pub(super) enum Cut {
    Large,
    Connection(kube::Error),
}

/// Reads a body of at most `max` bytes: counted as they are unpacked, so that no small answer becomes a large one.
pub(super) async fn collect(mut body: Body, max: usize) -> Result<Bytes, Cut> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Cut::Connection)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if read.len() + data.len() > max {
            return Err(Cut::Large);
        }
        read.extend_from_slice(&data);
    }
    Ok(read.into())
}

#[cfg(test)]
mod tests;
