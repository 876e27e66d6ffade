//! Attachments of several revisions in one answer, as they are stored: `_bulk_get` as `multipart/mixed`, held in memory.
//!
//! CouchDB writes names and types into the headers as they are, whatever characters they have. So headers are not parsed: the question
//! and the document say what must stand there, to the byte. The first part of another form ends the reading, and what was not found
//! is asked for in another way.

use super::format::Encoding;
use bytes::Bytes;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The attachments of a revision by name.
pub(super) type Contents = BTreeMap<String, Bytes>;

/// Those of several, by id and revision.
pub(super) type Found = HashMap<(String, String), Contents>;

/// Whether a revision can be asked for in this way. Its id becomes part of a header and must not be able to end one. Ids that are only
/// dots are left out: a restore has no path to write them to.
pub(super) fn can_be_asked(id: &str) -> bool {
    let name = id.strip_prefix("_design/").unwrap_or(id);
    !id.contains(['\r', '\n']) && !name.bytes().all(|b| b == b'.')
}

/// Reads the answer to a question for these revisions; `None` when it is of no such form at all.
pub(super) fn parse(answer: &Bytes, wanted: &[(&str, &str)]) -> Option<Found> {
    let mut at = Cursor { answer, at: 0 };
    at.skip(b"\r\n--")?;
    let outer = [b"\r\n--", at.line()?].concat();
    let mut found = Found::new();
    for (id, rev) in wanted {
        let Some(contents) = at.revision(id, rev, &outer) else {
            break;
        };
        found.insert(((*id).to_owned(), (*rev).to_owned()), contents);
    }
    Some(found)
}

/// A place in the answer.
struct Cursor<'a> {
    answer: &'a Bytes,
    at: usize,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_rev")]
    rev: String,
    #[serde(rename = "_attachments", default)]
    attachments: BTreeMap<String, Attachment>,
}

#[derive(Deserialize)]
struct Attachment {
    content_type: String,
    length: u64,
    follows: bool,
    encoding: Option<Encoding>,
    encoded_length: Option<u64>,
}

impl Attachment {
    /// What stands before its content.
    fn head(&self, name: &str) -> String {
        let length = self.stored();
        let encoding = self
            .encoding
            .map(|encoding| format!("\r\nContent-Encoding: {}", encoding.name()));
        format!(
            "\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Type: {}\r\nContent-Length: {length}{}\r\n\r\n",
            self.content_type,
            encoding.unwrap_or_default()
        )
    }

    fn stored(&self) -> u64 {
        self.encoding
            .and(self.encoded_length)
            .unwrap_or(self.length)
    }
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        &self.answer[self.at..]
    }

    /// Passes over what must be next.
    fn skip(&mut self, expected: &[u8]) -> Option<()> {
        self.rest()
            .starts_with(expected)
            .then(|| self.at += expected.len())
    }

    /// The rest of the line; its end is passed over too.
    fn line(&mut self) -> Option<&[u8]> {
        let start = self.at;
        let end = start + self.rest().windows(2).position(|w| w == b"\r\n")?;
        self.at = end + 2;
        Some(&self.answer[start..end])
    }

    /// One part, from behind its boundary's line to behind the next one's.
    fn revision(&mut self, id: &str, rev: &str, outer: &[u8]) -> Option<Contents> {
        let head = format!(
            "X-Doc-Id: {id}\r\nX-Rev-Id: {rev}\r\nContent-Type: multipart/related; boundary="
        );
        self.skip(head.as_bytes())?;
        let inner = [b"\r\n--", self.line()?].concat();
        // The first boundary has no line before it but the empty one that ends the head.
        self.skip(&inner)?;
        self.skip(b"\r\nContent-Type: application/json\r\n\r\n")?;
        let document: Document = serde_json::from_slice(self.json()?).ok()?;
        let mut lacking = document.attachments;
        if document.id != id || document.rev != rev || !lacking.values().all(|a| a.follows) {
            return None;
        }
        let mut contents = Contents::new();
        while !lacking.is_empty() {
            self.skip(&inner)?;
            let named = |(name, attachment): &(&String, &Attachment)| {
                self.rest().starts_with(attachment.head(name).as_bytes())
            };
            let name = lacking.iter().find(named)?.0.clone();
            let attachment = lacking.remove(&name)?;
            self.at += attachment.head(&name).len();
            let length = usize::try_from(attachment.stored()).ok()?;
            let end = self
                .at
                .checked_add(length)
                .filter(|end| *end <= self.answer.len())?;
            contents.insert(name, self.answer.slice(self.at..end));
            self.at = end;
        }
        self.skip(&inner)?;
        self.skip(b"--")?;
        self.skip(outer)?;
        self.skip(b"\r\n").or_else(|| self.skip(b"--"))?;
        Some(contents)
    }

    /// A document: CouchDB's JSON has no line's end.
    fn json(&mut self) -> Option<&[u8]> {
        let start = self.at;
        self.line()?;
        // The line's end belongs to the boundary.
        self.at -= 2;
        Some(&self.answer[start..self.at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As CouchDB 3.2 and 3.5 write it: a document with two attachments, one without any, and one that is not there.
    const ANSWER: &str = "\r\n----out\r\nX-Doc-Id: atts\r\nX-Rev-Id: 2-a\r\nContent-Type: multipart/related; boundary=--in1\r\n\r\n\
        ----in1\r\nContent-Type: application/json\r\n\r\n\
        {\"_id\":\"atts\",\"_rev\":\"2-a\",\"_attachments\":{\"text.txt\":{\"content_type\":\"text/plain\",\"revpos\":2,\"digest\":\"md5-x\",\"length\":30000,\"follows\":true,\"encoding\":\"gzip\",\"encoded_length\":9},\"a \\\"b\\\"\":{\"content_type\":\"x/y\",\"length\":0,\"follows\":true}}}\r\n\
        ----in1\r\nContent-Disposition: attachment; filename=\"text.txt\"\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n\
        \r\n----in1\r\n----in1\r\nContent-Disposition: attachment; filename=\"a \"b\"\"\r\nContent-Type: x/y\r\nContent-Length: 0\r\n\r\n\
        \r\n----in1--\
        \r\n----out\r\nX-Doc-Id: other\r\nX-Rev-Id: 1-b\r\nContent-Type: multipart/related; boundary=--in2\r\n\r\n\
        ----in2\r\nContent-Type: application/json\r\n\r\n\
        {\"_id\":\"other\",\"_rev\":\"1-b\",\"_attachments\":{\"n\":{\"content_type\":\"x/y\",\"length\":3,\"follows\":true}}}\r\n\
        ----in2\r\nContent-Disposition: attachment; filename=\"n\"\r\nContent-Type: x/y\r\nContent-Length: 3\r\n\r\nabc\
        \r\n----in2--\
        \r\n----out\r\nContent-Type: application/json; error=\"true\"\r\n\r\n{\"rev\":\"9-c\",\"error\":\"not_found\",\"reason\":\"missing\"}\
        \r\n----out--";
    const WANTED: [(&str, &str); 3] = [("atts", "2-a"), ("other", "1-b"), ("gone", "9-c")];

    fn names(found: &Found) -> Vec<String> {
        let mut names: Vec<String> = found
            .iter()
            .map(|((id, rev), contents)| format!("{id} {rev} {contents:?}"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn attachments_are_the_bytes_that_their_document_announces() {
        let found = parse(&Bytes::from_static(ANSWER.as_bytes()), &WANTED).unwrap();
        // A boundary within the content ends nothing.
        insta::assert_snapshot!(names(&found).join("\n"), @r#"
        atts 2-a {"a \"b\"": b"", "text.txt": b"\r\n----in1"}
        other 1-b {"n": b"abc"}
        "#);
        assert!(parse(&Bytes::from_static(b"{\"results\":[]}"), &WANTED).is_none());
    }

    #[test]
    fn what_is_not_announced_is_not_taken() {
        let all = names(&parse(&Bytes::from_static(ANSWER.as_bytes()), &WANTED).unwrap());
        for (was, is) in [
            // Another document, and one whose attachments do not come.
            ("X-Doc-Id: atts", "X-Doc-Id: attz"),
            ("X-Rev-Id: 2-a", "X-Rev-Id: 2-b"),
            ("{\"_id\":\"atts\"", "{\"_id\":\"attz\""),
            ("\"_rev\":\"2-a\"", "\"_rev\":\"2-b\""),
            (
                "\"length\":0,\"follows\":true",
                "\"length\":0,\"follows\":false",
            ),
            // Other headers and lengths than announced.
            ("filename=\"text.txt\"", "filename=\"text.txu\""),
            ("Content-Encoding: gzip", "Content-Encoding: br"),
            ("\"encoded_length\":9", "\"encoded_length\":10"),
            ("Content-Length: 0", "Content-Length: 1"),
            ("----in1--", "----in1"),
        ] {
            assert!(ANSWER.contains(was), "{was}");
            let answer = Bytes::from(ANSWER.replacen(was, is, 1));
            assert!(parse(&answer, &WANTED).unwrap().is_empty(), "{was}");
        }
        let other = ANSWER.replacen("length\":3,", "length\":4,", 1);
        let found = parse(&Bytes::from(other), &WANTED).unwrap();
        assert_eq!(names(&found), all[..1]);
        assert!(!can_be_asked("a\r\nX-Rev-Id: 1-a") && can_be_asked("a \"b\" \u{e9}"));
        assert!(!can_be_asked("..") && !can_be_asked("_design/.") && can_be_asked("..a"));
    }

    proptest! {
        #[test]
        fn a_cut_answer_gives_whole_attachments_or_none(at in 0..ANSWER.len()) {
            let whole = parse(&Bytes::from_static(ANSWER.as_bytes()), &WANTED).unwrap();
            let cut = parse(&Bytes::from_static(&ANSWER.as_bytes()[..at]), &WANTED);
            for (key, contents) in cut.unwrap_or_default() {
                prop_assert_eq!(&whole[&key], &contents);
            }
        }
    }
}
