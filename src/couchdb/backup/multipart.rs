//! A revision with its large attachments as one `multipart/related` body: read from the file while it is sent, never held.
//!
//! CouchDB takes the parts in the order in which the document names its attachments; here that is the order of their names.

use super::format::{Attachment, Encoding, Meta};
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
    /// The types of the attachments that are still to come, as headers say them.
    types: Vec<String>,
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
    #[serde(default)]
    encoding: Option<Encoding>,
    #[serde(default)]
    encoded_length: Option<u64>,
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
            // CouchDB takes the type from here, whatever characters it has, and the header's is not read.
            let given = stub.content_type.as_deref().unwrap_or(&kind);
            let mut told = json!({"content_type": given, "follows": true, "length": stub.length});
            if let Some(encoding) = stub.encoding {
                told["encoding"] = encoding.name().into();
                told["encoded_length"] = stub.encoded_length.unwrap_or(stub.length).into();
            }
            if let Some(revpos) = stub.revpos {
                told["revpos"] = revpos.into();
            }
            if follows.len() > 1 {
                follows.push(',');
            }
            follows.push_str(&format!("{}:{told}", Value::from(name.as_str())));
            types.push(kind);
        }
        follows.push('}');
        let follows = RawValue::from_string(follows)?;
        fields.insert("_attachments".to_owned(), &follows);
        let document = serde_json::to_string(&fields)?;
        let first = format!("--{boundary}\r\nContent-Type: application/json\r\n\r\n{document}");
        let mut length = first.len() as u64 + end(&boundary).len() as u64;
        for (stub, kind) in meta.stubs().zip(&types) {
            length += head(&boundary, &stub, kind).len() as u64 + stub.length;
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
        content_type(&self.boundary)
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
                let kind = self.types.pop().unwrap_or_default();
                let head = head(&self.boundary, &attachment, &kind);
                self.ready = head.into_bytes();
                Ok(())
            }
            Some(Item::Content(bytes)) => {
                self.ready = bytes;
                Ok(())
            }
            other => Err(io::Error::other(format!(
                "expected an attachment, not {other:?}"
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
fn head(boundary: &str, attachment: &Attachment, kind: &str) -> String {
    let name = attachment.name.chars();
    let quoted: String = name
        .filter(|c| !c.is_control())
        .flat_map(|c| {
            matches!(c, '"' | '\\')
                .then_some('\\')
                .into_iter()
                .chain([c])
        })
        .collect();
    let length = attachment.length;
    let encoding = match attachment.encoding {
        Some(encoding) => format!("Content-Encoding: {}\r\n", encoding.name()),
        None => String::new(),
    };
    format!(
        "\r\n--{boundary}\r\nContent-Disposition: attachment; filename=\"{quoted}\"\r\nContent-Type: {kind}\r\n{encoding}Content-Length: {length}\r\n\r\n"
    )
}

/// The type of a body with this boundary, without a blank.
pub(super) fn content_type(boundary: &str) -> String {
    format!("multipart/related;boundary=\"{boundary}\"")
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

#[cfg(test)]
mod tests {
    use super::super::format::{Header, Row, Server};
    use super::super::writer::Writer;
    use super::*;
    use crate::private_file::Reader;
    use tokio::io::AsyncReadExt;

    /// A file with one document and the bytes of its attachments, in the order of their names.
    fn file(document: &RawValue, contents: &[&[u8]]) -> std::fs::File {
        let file = tempfile::tempfile().unwrap();
        let header = Header {
            format: super::super::format::FORMAT,
            plugin: "0.1.0".into(),
            taken: "2026-11-24T00:00:00Z".into(),
            server: Server {
                uuid: "u".into(),
                version: "3.5.0".into(),
            },
            database: "a_b".into(),
            identity: ".1".into(),
            partitioned: false,
            shards: None,
            stale: Vec::new(),
            shard_map: Value::Null,
        };
        let mut writer = Writer::create(file.try_clone().unwrap(), &header).unwrap();
        let meta = Meta::parse(document).unwrap();
        let row = Row {
            id: meta.id.clone(),
            leaves: vec![meta.rev.clone()],
            deleted: false,
        };
        writer.row(&row).unwrap();
        writer.document(document, &meta).unwrap();
        for (attachment, content) in meta.stubs().zip(contents) {
            writer.attachment(&attachment).unwrap();
            writer.content(content).unwrap();
            writer.end_attachment().unwrap();
        }
        writer.checkpoint("1".into()).unwrap();
        file
    }

    #[tokio::test]
    async fn attachments_go_as_they_are_stored() {
        let document = json!({"_id": "a", "_rev": "2-b", "_attachments": {
            "plain": {"stub": true, "content_type": "", "length": 3, "revpos": 1},
            "text \"x\"": {"stub": true, "content_type": "text/plain; name=\u{e9}", "length": 100, "encoding": "gzip", "encoded_length": 5},
        }});
        let document = serde_json::value::to_raw_value(&document).unwrap();
        let mut items = Items::new(Reader::new(&file(&document, &[b"abc", b"12345"]), 0).unwrap());
        let meta = loop {
            if let Some(Item::Document(_, meta)) = items.next_item().unwrap() {
                break meta;
            }
        };
        let mut body = Body::new(&document, &meta, &mut items, "BOUNDARY".into()).unwrap();
        let length = body.length();
        let mut sent = Vec::new();
        body.read_to_end(&mut sent).await.unwrap();
        assert_eq!(sent.len() as u64, length);
        insta::assert_snapshot!(String::from_utf8(sent).unwrap().replace('\r', ""), @r#"
        --BOUNDARY
        Content-Type: application/json

        {"_attachments":{"plain":{"content_type":"","follows":true,"length":3,"revpos":1},"text \"x\"":{"content_type":"text/plain; name=é","encoded_length":5,"encoding":"gzip","follows":true,"length":100}},"_id":"a","_rev":"2-b"}
        --BOUNDARY
        Content-Disposition: attachment; filename="plain"
        Content-Type: application/octet-stream
        Content-Length: 3

        abc
        --BOUNDARY
        Content-Disposition: attachment; filename="text \"x\""
        Content-Type: application/octet-stream
        Content-Encoding: gzip
        Content-Length: 5

        12345
        --BOUNDARY--
        "#);
    }
}
