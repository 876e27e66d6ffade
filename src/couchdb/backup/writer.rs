//! Writes a backup: gzip members, each ended by a checkpoint, so that a broken connection loses one member and no more.
//!
//! Owns the file's bytes, the counts and the checksum. Knows nothing of a server.

use super::format::{
    Attachment, CHUNK, Checkpoint, Header, LINE_MAX, Line, Lines, Meta, Properties, Row, Totals,
    Trailer, hex,
};
use super::member::Member;
use crate::private_file::Reader;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA256};
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};

/// A place between two members: all that is needed to go on from it.
#[derive(Clone)]
pub struct Mark {
    /// Bytes of the file before it.
    pub offset: u64,
    pub seq: String,
    pub lines: Lines,
    /// The checksum so far.
    pub digest: Context,
}

impl Mark {
    /// The beginning of a file.
    pub fn start() -> Self {
        Self {
            offset: 0,
            seq: "0".to_owned(),
            lines: Lines::default(),
            digest: Context::new(&SHA256),
        }
    }
}

/// The rest of what the last line tells.
#[derive(Clone, Debug)]
pub struct Finish {
    pub finished: String,
    pub update_seq: String,
    pub totals: Totals,
    pub compared: Option<u8>,
    pub properties: Properties,
    pub stale: Vec<String>,
}

/// A backup that is being written.
pub struct Writer {
    file: File,
    /// The last end of a member.
    mark: Mark,
    lines: Lines,
    digest: Context,
    /// The member that is open.
    member: Option<Member>,
    /// Bytes of an attachment that do not fill a chunk yet.
    pending: Vec<u8>,
}

impl Writer {
    /// Begins a file with its header.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(file: File, header: &Header) -> io::Result<Self> {
        let mut writer = Self::resume(file, Mark::start())?;
        writer.line(&Line::Header(Box::new(header.clone())))?;
        writer.end_member("0".to_owned())?;
        Ok(writer)
    }

    /// Goes on from a mark; what stands behind it is cut off.
    ///
    /// # Errors
    /// The file cannot be cut.
    pub fn resume(file: File, mark: Mark) -> io::Result<Self> {
        let mut writer = Self {
            file,
            lines: mark.lines,
            digest: mark.digest.clone(),
            mark,
            member: None,
            pending: Vec::new(),
        };
        writer.roll_back()?;
        Ok(writer)
    }

    /// The last checkpoint.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Reads what is whole, through the same handle that writes it.
    ///
    /// # Errors
    /// The handle cannot be copied.
    pub(super) fn reader(&self) -> io::Result<Reader> {
        Reader::new(&self.file, 0)
    }

    /// Lines of each kind, those of the open member too.
    pub fn lines(&self) -> Lines {
        self.lines
    }

    /// Takes everything away that came after the last checkpoint.
    ///
    /// # Errors
    /// The file cannot be cut.
    pub fn roll_back(&mut self) -> io::Result<()> {
        // What it still holds goes where the cut below takes it away.
        self.member = None;
        self.pending.clear();
        self.lines = self.mark.lines;
        self.digest = self.mark.digest.clone();
        self.file.set_len(self.mark.offset)?;
        self.file.seek(SeekFrom::Start(self.mark.offset))?;
        Ok(())
    }

    /// A document of the changes; its revisions follow.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.lines.rows += 1;
        self.line(&Line::Row(row.clone()))
    }

    /// One revision.
    ///
    /// # Errors
    /// The file cannot be written, or the document is too large for a line.
    pub fn document(&mut self, document: &RawValue, meta: &Meta) -> io::Result<()> {
        self.lines.revisions += 1;
        self.lines.attachments += meta.attachments() as u64;
        self.line(&Line::Doc(document))
    }

    /// Begins an attachment of the last document.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn attachment(&mut self, attachment: &Attachment) -> io::Result<()> {
        self.line(&Line::Attachment(attachment.clone()))
    }

    /// Bytes of the attachment that was begun.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn content(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.pending.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if self.pending.len() == CHUNK {
                self.chunk()?;
            }
        }
        Ok(())
    }

    /// Ends an attachment.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end_attachment(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.chunk()
    }

    fn chunk(&mut self) -> io::Result<()> {
        let text = STANDARD.encode(&self.pending);
        self.pending.clear();
        self.line(&Line::Chunk(text.into()))
    }

    /// Ends the member: the changes up to `seq` are in the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn checkpoint(&mut self, seq: String) -> io::Result<()> {
        let lines = self.lines;
        let checkpoint = Checkpoint {
            seq: seq.clone(),
            lines,
        };
        self.line(&Line::Checkpoint(checkpoint))?;
        self.end_member(seq)
    }

    /// Writes the last line and has the file on the disk. What was written since the last checkpoint must be nothing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self, finish: Finish) -> io::Result<(File, Trailer)> {
        let trailer = Trailer {
            finished: finish.finished,
            seq: self.mark.seq.clone(),
            update_seq: finish.update_seq,
            totals: finish.totals,
            compared: finish.compared,
            lines: self.lines,
            properties: finish.properties,
            stale: finish.stale,
            sha256: hex(self.digest.clone().finish().as_ref()),
        };
        let seq = self.mark.seq.clone();
        self.line(&Line::Trailer(Box::new(trailer.clone())))?;
        self.end_member(seq)?;
        self.file.sync_all()?;
        Ok((self.file, trailer))
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        // Between two tokens of a document's JSON a line may end; within them it cannot.
        text.iter_mut()
            .filter(|b| matches!(**b, b'\n' | b'\r'))
            .for_each(|b| *b = b' ');
        if text.len() > LINE_MAX {
            let why = format!("a document of {} bytes is too large", text.len());
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        text.push(b'\n');
        self.lines.bytes += text.len() as u64;
        self.digest.update(&text);
        let member = match &mut self.member {
            Some(member) => member,
            none => none.insert(Member::begin(self.file.try_clone()?)?),
        };
        member.write(&text)
    }

    fn end_member(&mut self, seq: String) -> io::Result<()> {
        if let Some(member) = self.member.take() {
            member.end()?;
        }
        self.mark = Mark {
            offset: self.file.stream_position()?,
            seq,
            lines: self.lines,
            digest: self.digest.clone(),
        };
        Ok(())
    }
}
