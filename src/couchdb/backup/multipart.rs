//! A revision with its large attachments as one `multipart/related` body: read from the file while it is sent, never held.
//!
//! CouchDB takes the parts in the order in which the document names its attachments; here that is the order of their names.

use super::format::Meta;
use super::items::{Item, Items};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};

/// A body that is read from a file which stands behind its document's line.
pub(super) struct Body<'a, R> {
    items: &'a mut Items<R>,
    boundary: String,
    /// Attachments that are still to come: their type.
    types: Vec<(String, String)>,
    /// Bytes that are ready, and how many of them are taken.
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
    length: u64,
}

#[derive(Deserialize)]
struct Stub {
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    length: u64,
    #[serde(default)]
    revpos: Option<u64>,
}

impl<'a, R> Body<'a, R> {
    /// `boundary` must not stand in any of the attachments: 128 random bits do not.
    ///
    /// # Errors
    /// The document's attachments cannot be read.
    pub(super) fn new(
        document: &RawValue,
        meta: &Meta,
        items: &'a mut Items<R>,
        boundary: String,
    ) -> Result<Self, serde_json::Error> {
        let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(document.get())?;
        let stubs: BTreeMap<String, Stub> = match fields.get("_attachments") {
            Some(raw) => serde_json::from_str(raw.get())?,
            None => BTreeMap::new(),
        };
        let mut types = Vec::new();
        // Written out by hand: a map's order is not to be relied on.
        let mut follows = String::from("{");
        for (name, stub) in &stubs {
            let kind = kind(stub.content_type.as_deref());
            let mut told = json!({"content_type": kind, "follows": true, "length": stub.length});
            if let Some(revpos) = stub.revpos {
                told["revpos"] = revpos.into();
            }
            if follows.len() > 1 {
                follows.push(',');
            }
            follows.push_str(&format!("{}:{told}", Value::from(name.as_str())));
            types.push((name.clone(), kind));
        }
        follows.push('}');
        let follows = RawValue::from_string(follows)?;
        fields.insert("_attachments".to_owned(), &follows);
        let document = serde_json::to_string(&fields)?;
        let first = format!("--{boundary}\r\nContent-Type: application/json\r\n\r\n{document}");
        let mut length = first.len() as u64 + end(&boundary).len() as u64;
        for stub in meta.stubs() {
            let kind = types.iter().find(|(name, _)| *name == stub.name);
            let kind = kind.map_or("", |(_, kind)| kind);
            length += head(&boundary, &stub.name, kind, stub.length).len() as u64 + stub.length;
        }
        types.reverse();
        Ok(Self {
            items,
            boundary,
            types,
            ready: first.into_bytes(),
            taken: 0,
            ended: false,
            length,
        })
    }

    /// Its type, as a header says it.
    pub(super) fn content_type(&self) -> String {
        format!("multipart/related; boundary=\"{}\"", self.boundary)
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

impl<R: Read> Body<'_, R> {
    /// Makes the next bytes ready.
    fn advance(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        // Only what belongs to this document is read: behind its last attachment stands another line.
        if self.types.is_empty() && !self.items.is_within_attachment() {
            self.ready = end(&self.boundary).into_bytes();
            self.ended = true;
            return Ok(());
        }
        match self.items.next_item().map_err(io::Error::other)? {
            Some(Item::Attachment(attachment)) => {
                let kind = self.types.pop().map_or_else(String::new, |(_, kind)| kind);
                let head = head(&self.boundary, &attachment.name, &kind, attachment.length);
                self.ready = head.into_bytes();
                Ok(())
            }
            Some(Item::Content(bytes)) => {
                self.ready = bytes;
                Ok(())
            }
            other => Err(io::Error::other(format!(
                "an attachment was to follow, not {other:?}"
            ))),
        }
    }
}

impl<R: Read + Unpin> AsyncRead for Body<'_, R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.taken == this.ready.len() {
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            this.advance()?;
        }
        let some = (this.ready.len() - this.taken).min(into.remaining());
        into.put_slice(&this.ready[this.taken..this.taken + some]);
        this.taken += some;
        Poll::Ready(Ok(()))
    }
}

/// What stands before an attachment.
fn head(boundary: &str, name: &str, kind: &str, length: u64) -> String {
    let quoted: String = name
        .chars()
        .filter(|c| !c.is_control())
        .flat_map(|c| {
            matches!(c, '"' | '\\')
                .then_some('\\')
                .into_iter()
                .chain([c])
        })
        .collect();
    format!(
        "\r\n--{boundary}\r\nContent-Disposition: attachment; filename=\"{quoted}\"\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn end(boundary: &str) -> String {
    format!("\r\n--{boundary}--")
}

/// A type that is one line of a header; CouchDB's own where it is none.
fn kind(given: Option<&str>) -> String {
    match given {
        Some(kind) if !kind.is_empty() && kind.chars().all(|c| c.is_ascii() && !c.is_control()) => {
            kind.to_owned()
        }
        _ => "application/octet-stream".to_owned(),
    }
}
