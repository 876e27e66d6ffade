//! Reads a backup, item by item, and checks on the way all that can be checked without holding more than one line: the order of the
//! lines, the counts, the lengths of attachments, the checksum.
//!
//! A file is untrusted: no input makes it panic or hold more than [`LINE_MAX`] and a few buffers.

use super::format::{
    Attachment, Checkpoint, FORMAT, Header, LINE_MAX, Line, Lines, Meta, OLDEST, Row, Trailer, hex,
};
use super::members::{Members, Next};
use super::writer::Mark;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA256};
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::io::{self, Read};

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("it is not a backup of a database: {0}")]
    Foreign(String),
    #[error("its format is {0}, this version of the plugin reads {OLDEST} to {FORMAT}")]
    Format(u32),
    #[error("it is cut{0}")]
    Cut(String),
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it cannot be read: {0}")]
    Io(io::Error),
}

/// One thing of a file. The trailer is the last one of a whole file.
#[derive(Debug)]
pub enum Item {
    Header(Box<Header>),
    Row(Row),
    Document(Box<RawValue>, Meta),
    Attachment(Attachment),
    Content(Vec<u8>),
    Checkpoint(Checkpoint),
    Trailer(Box<Trailer>),
}

/// A file that is being read.
pub struct Items<R> {
    members: Members<R>,
    line: Vec<u8>,
    lines: Lines,
    digest: Context,
    /// The last end of a member.
    mark: Mark,
    /// Where in the file the reading began.
    base: u64,
    seq: String,
    header: bool,
    trailer: bool,
    row: Option<Row>,
    /// Leaves of that row that are still to come.
    lacking: Vec<String>,
    /// Attachments of the last document that are still to come.
    due: VecDeque<Attachment>,
    /// Bytes that the attachment that was begun still lacks.
    lacks: u64,
}

impl<R: Read> Items<R> {
    pub fn new(file: R) -> Self {
        Self {
            members: Members::new(file),
            line: Vec::new(),
            lines: Lines::default(),
            digest: Context::new(&SHA256),
            mark: Mark::start(),
            base: 0,
            seq: "0".to_owned(),
            header: false,
            trailer: false,
            row: None,
            lacking: Vec::new(),
            due: VecDeque::new(),
            lacks: 0,
        }
    }

    /// Goes on in a file that stands at `mark`.
    pub fn at(file: R, mark: Mark) -> Self {
        Self {
            lines: mark.lines,
            digest: mark.digest.clone(),
            seq: mark.seq.clone(),
            header: mark.offset > 0,
            base: mark.offset,
            mark,
            ..Self::new(file)
        }
    }

    /// The last whole member's end.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// How many lines of each kind have been read.
    pub fn lines(&self) -> Lines {
        self.lines
    }

    /// Whether the attachment that was begun goes on.
    pub fn is_within_attachment(&self) -> bool {
        self.lacks > 0
    }

    /// The next item; `None` behind the trailer. Behind an error there is nothing.
    ///
    /// # Errors
    /// The file is cut, damaged or none of this plugin's.
    pub fn next_item(&mut self) -> Result<Option<Item>, Broken> {
        loop {
            let next = self.members.next(&mut self.line, LINE_MAX + 1);
            return match next {
                Ok(Next::Line) if self.trailer => Err(damaged("it continues after its last line")),
                Ok(Next::Line) => self.item().map(Some),
                Ok(Next::MemberEnd) => {
                    if !self.between() {
                        return Err(damaged("a part of it ends without a checkpoint"));
                    }
                    self.mark = Mark {
                        offset: self.base + self.members.offset(),
                        seq: self.seq.clone(),
                        lines: self.lines,
                        digest: self.digest.clone(),
                    };
                    continue;
                }
                Ok(Next::End) if self.trailer => Ok(None),
                Ok(Next::End) => Err(self.cut()),
                Err(error) => Err(self.broken(error)),
            };
        }
    }

    /// Whether a checkpoint (or nothing) was the last line.
    fn between(&self) -> bool {
        self.row.is_none() && self.due.is_empty() && self.lacks == 0
    }

    fn cut(&self) -> Broken {
        if !self.header {
            return Broken::Cut(" within its first line".to_owned());
        }
        let rows = self.mark.lines.rows;
        Broken::Cut(format!(
            ": its end is missing; it is complete up to row {rows}"
        ))
    }

    fn broken(&self, error: io::Error) -> Broken {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.cut(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if !self.header => {
                Broken::Foreign(error.to_string())
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                let rows = self.mark.lines.rows;
                damaged(&format!("{error}, behind row {rows}"))
            }
            _ => Broken::Io(error),
        }
    }

    fn item(&mut self) -> Result<Item, Broken> {
        let line = std::mem::take(&mut self.line);
        let before = self.lines;
        let item = self.parse(&line);
        self.line = line;
        let item = item?;
        if !matches!(item, Item::Trailer(_)) {
            self.digest.update(&self.line);
            self.lines.bytes = before.bytes + self.line.len() as u64;
        }
        Ok(item)
    }

    fn parse(&mut self, line: &[u8]) -> Result<Item, Broken> {
        let parsed: Line<'_> = match serde_json::from_slice(line) {
            Ok(parsed) => parsed,
            Err(error) if !self.header => return Err(foreign(line, &error)),
            Err(error) => {
                let row = self.lines.rows;
                return Err(damaged(&format!(
                    "a line behind row {row} cannot be read ({error})"
                )));
            }
        };
        match (parsed, self.header) {
            (Line::Header(header), false) => {
                if !(OLDEST..=FORMAT).contains(&header.format) {
                    return Err(Broken::Format(header.format));
                }
                self.header = true;
                Ok(Item::Header(header))
            }
            (_, false) => Err(Broken::Foreign("it does not begin with a header".into())),
            (Line::Header(_), true) => Err(damaged("it has a second header")),
            (parsed, true) => self.inside(parsed),
        }
    }

    fn inside(&mut self, line: Line<'_>) -> Result<Item, Broken> {
        if let Line::Chunk(text) = &line {
            return self.content(text);
        }
        if self.lacks > 0 {
            return Err(damaged("an attachment is shorter than it says"));
        }
        if let Line::Attachment(attachment) = line {
            if self.due.pop_front().as_ref() != Some(&attachment) {
                return Err(damaged("an attachment does not follow its document"));
            }
            self.lacks = attachment.length;
            return Ok(Item::Attachment(attachment));
        }
        if !self.due.is_empty() {
            return Err(damaged("an attachment is missing"));
        }
        if !self.lacking.is_empty() && !matches!(line, Line::Doc(_)) {
            return Err(damaged("a revision is missing"));
        }
        match line {
            Line::Row(row) => {
                self.lines.rows += 1;
                self.lacking.clone_from(&row.leaves);
                self.row = Some(row.clone());
                Ok(Item::Row(row))
            }
            Line::Doc(raw) => {
                let meta = Meta::parse(raw)
                    .map_err(|e| damaged(&format!("a document has no id ({e})")))?;
                let own = self.row.as_ref().is_some_and(|row| row.id == meta.id);
                let leaf = self.lacking.iter().position(|rev| *rev == meta.rev);
                match leaf.filter(|_| own) {
                    Some(leaf) => drop(self.lacking.swap_remove(leaf)),
                    None => return Err(damaged("a revision is in a row that does not list it")),
                }
                self.lines.revisions += 1;
                self.lines.attachments += meta.attachments() as u64;
                self.due = meta.stubs().collect();
                Ok(Item::Document(raw.to_owned(), meta))
            }
            Line::Checkpoint(checkpoint) => {
                if checkpoint.lines != self.lines {
                    return Err(damaged("a checkpoint has the wrong line count"));
                }
                self.row = None;
                self.seq.clone_from(&checkpoint.seq);
                Ok(Item::Checkpoint(checkpoint))
            }
            Line::Trailer(trailer) => {
                if !self.between() || trailer.lines != self.lines {
                    return Err(damaged("its last line has the wrong line count"));
                }
                if trailer.seq != self.seq {
                    return Err(damaged("its last line names another sequence"));
                }
                if trailer.sha256 != hex(self.digest.clone().finish().as_ref()) {
                    return Err(damaged("its checksum does not match its content"));
                }
                self.trailer = true;
                Ok(Item::Trailer(trailer))
            }
            Line::Header(_) | Line::Attachment(_) | Line::Chunk(_) => {
                unreachable!("these three have returned above")
            }
        }
    }

    fn content(&mut self, text: &str) -> Result<Item, Broken> {
        let bytes = STANDARD
            .decode(text)
            .map_err(|e| damaged(&format!("an attachment is not base64 ({e})")))?;
        let length = bytes.len() as u64;
        if length == 0 || length > self.lacks {
            return Err(damaged("an attachment is longer than it says"));
        }
        self.lacks -= length;
        Ok(Item::Content(bytes))
    }
}

fn damaged(why: &str) -> Broken {
    Broken::Damaged(why.to_owned())
}

/// A first line that cannot be read: another format's, or another program's.
fn foreign(line: &[u8], error: &serde_json::Error) -> Broken {
    #[derive(serde::Deserialize)]
    struct Only {
        format: u32,
    }
    #[derive(serde::Deserialize)]
    struct First {
        header: Only,
    }
    match serde_json::from_slice(line) {
        Ok(First { header }) if !(OLDEST..=FORMAT).contains(&header.format) => {
            Broken::Format(header.format)
        }
        _ => Broken::Foreign(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
