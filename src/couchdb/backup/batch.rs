//! One batch: rows of the changes with their revisions and attachments, into the file.
//!
//! Owns what is asked for at once, so that memory stays bounded: documents come first with stubs in the place of attachments; small
//! attachments are then asked for a few at a time, large ones one by one and never held.

use super::answers::{self, Change, Changes, Documents};
use super::attachments::{self, Contents};
use super::format::{LINE_MAX, Meta, Row};
use super::source::{Source, Trouble, Window};
use super::writer::Writer;
use crate::couchdb::request::Copies;
use bytes::Bytes;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Attachments of a document that are small, together, in bytes.
const SMALL_MAX: u64 = 1024 * 1024;
/// Attachment bytes that are asked for at once.
const SMALL_BATCH: u64 = 4 * 1024 * 1024;
/// Longest answer for more than one revision.
const ANSWER_MAX: usize = 16 * 1024 * 1024;
/// What an answer should be, about: the number of revisions follows.
const ANSWER: usize = 4 * 1024 * 1024;
/// Most revisions at once.
const REVISIONS_MAX: usize = 4000;

/// Largest page of changes with documents, in bytes.
pub(super) const PAGE: usize = 16 * 1024 * 1024;
/// Most rows of such a page.
const ROWS_MAX: usize = 10_000;
/// An answer may be so many times as large as the one before it.
const GROWTH: usize = 8;

/// How many rows and revisions are asked for at once: learnt from the answers.
#[derive(Debug)]
pub(super) struct Size {
    revisions: usize,
    rows: usize,
    /// Most documents of the last page came with it.
    came: bool,
    /// The server gives attachments of several revisions in one answer.
    parts: bool,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            revisions: 200,
            rows: 500,
            came: true,
            parts: true,
        }
    }
}

impl Size {
    /// The next page of changes, of `list` rows or as many as were learnt. Every batch can end at a row that has a sequence.
    pub(super) fn window(&self, list: Option<usize>) -> Window {
        Window {
            limit: list.unwrap_or(self.rows),
            every: (self.revisions / 4).max(1),
        }
    }

    /// Whether it is to come with documents: of those that have a history they are of no use.
    pub(super) fn with_documents(&self) -> bool {
        self.came
    }

    /// A page has come.
    pub(super) fn paged(&mut self, page: &Changes) {
        let rows = page.rows.len();
        if rows < self.rows {
            // The last one.
            return;
        }
        let first = |change: &&Change| {
            let leaf = change.row.leaves.first();
            leaf.is_some_and(|leaf| leaf.starts_with("1-"))
        };
        self.came = page.rows.iter().filter(first).count() * 2 >= rows;
        if page.bytes > 2 * ANSWER {
            self.rows = (self.rows / 2).max(1);
        } else {
            let fit = ANSWER / (page.bytes / rows).max(1);
            let most = (self.rows * GROWTH).min(ROWS_MAX);
            self.rows = fit.clamp(self.rows, most.max(self.rows));
        }
    }

    /// A page was too long; `false` when one of a single row was.
    pub(super) fn shorten_page(&mut self) -> bool {
        let was = self.rows;
        self.rows = (was / 8).max(1);
        was > 1
    }

    /// How many of these rows make a batch: one at least, up to a row with a sequence if one has it.
    pub(super) fn rows(&self, rows: &[Change]) -> usize {
        let mut revisions = 0;
        let fit = rows.iter().take_while(|change| {
            if change.document.is_none() {
                revisions += change.row.leaves.len();
            }
            revisions <= self.revisions
        });
        let most = fit.count().max(1).min(rows.len());
        if most == rows.len() {
            return most;
        }
        let last = rows[..most].iter().rposition(|change| change.seq.is_some());
        last.map_or(most, |last| last + 1)
    }

    fn answered(&mut self, asked: usize, bytes: usize) {
        if bytes > 2 * ANSWER {
            self.shrink(2);
        } else if asked * 2 > self.revisions && bytes < ANSWER / 2 {
            self.revisions = (self.revisions * 2).min(REVISIONS_MAX);
        }
    }

    fn shrink(&mut self, by: usize) {
        self.revisions = (self.revisions / by).max(1);
    }
}

/// One batch.
pub(super) struct Batch<'a, S> {
    pub(super) source: &'a mut S,
    pub(super) writer: &'a mut Writer,
    pub(super) size: &'a mut Size,
}

/// A revision of the batch.
struct Unit<'r> {
    row: usize,
    id: &'r str,
    rev: &'r str,
    raw: &'r RawValue,
    meta: Meta,
    /// Bytes of its attachments.
    attached: u64,
    /// One of them is stored in an encoding, which is lost in a document.
    encoded: bool,
}

/// How the attachments of a revision are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetch {
    /// It has none, or they are large: one by one.
    Alone,
    /// In the document, with others.
    Inline,
    /// As they are stored, with others.
    Stored,
}

impl Unit<'_> {
    fn way(&self) -> Fetch {
        if self.attached > SMALL_MAX || self.meta.stubs().next().is_none() {
            Fetch::Alone
        } else if !self.encoded {
            Fetch::Inline
        } else if attachments::can_be_asked(self.id) {
            Fetch::Stored
        } else {
            Fetch::Alone
        }
    }

    fn key(&self) -> (String, String) {
        (self.id.to_owned(), self.rev.to_owned())
    }
}

/// Small attachments that were asked for ahead.
#[derive(Default)]
struct Ahead {
    inline: HashMap<(String, String), Box<RawValue>>,
    /// The first revision that was not asked for so.
    inline_upto: usize,
    stored: attachments::Found,
    stored_upto: usize,
}

impl<S: Source> Batch<'_, S> {
    /// Writes the rows. The size may have shrunk when there is too much at once.
    pub(super) async fn take(mut self, changes: &[Change]) -> Result<(), Trouble> {
        let rows: Vec<&Row> = changes.iter().map(|change| &change.row).collect();
        let unknown = changes.iter().filter(|change| change.document.is_none());
        let unknown: Vec<&Row> = unknown.map(|change| &change.row).collect();
        let wanted = pairs(&unknown);
        if let ([row], true) = (&rows[..], wanted.len() > self.size.revisions) {
            return self.one_by_one(row).await;
        }
        let max = if wanted.len() == 1 {
            LINE_MAX
        } else {
            ANSWER_MAX
        };
        let answers = match &wanted[..] {
            [] => Vec::new(),
            _ => match self.first(&wanted, false, max).await {
                Err(Trouble::TooLarge) if wanted.len() == 1 => return Err(too_large(wanted[0].0)),
                Err(Trouble::TooLarge) => {
                    self.size.shrink(4);
                    return match rows[..] {
                        [row] => self.one_by_one(row).await,
                        _ => Err(Trouble::TooLarge),
                    };
                }
                other => other?,
            },
        };
        if !answers.is_empty() {
            self.size.answered(wanted.len(), bytes(&answers));
        }
        let mut found = documents(&answers)?;
        let rest = self.rest(&wanted, &found, false).await?;
        found.extend(documents(&rest)?);
        for change in changes {
            if let (Some(document), [rev]) = (&change.document, &change.row.leaves[..]) {
                found.insert((change.row.id.clone(), rev.clone()), document);
            }
        }
        self.write(&rows, &found).await
    }

    /// Revisions from the copies that answer first.
    async fn first(
        &mut self,
        wanted: &[(&str, &str)],
        attachments: bool,
        max: usize,
    ) -> Result<Vec<Vec<u8>>, Trouble> {
        let first = Copies::First;
        self.source.documents(wanted, attachments, first, max).await
    }

    /// Those that the first copies lacked, from the others.
    async fn rest(
        &mut self,
        wanted: &[(&str, &str)],
        found: &Documents<'_>,
        attachments: bool,
    ) -> Result<Vec<Vec<u8>>, Trouble> {
        let lacks =
            |(id, rev): &(&str, &str)| !found.contains_key(&((*id).to_owned(), (*rev).to_owned()));
        let lacking: Vec<_> = wanted.iter().copied().filter(lacks).collect();
        let Some((id, _)) = lacking.first() else {
            return Ok(Vec::new());
        };
        let quorum = Copies::Quorum;
        let answer = self
            .source
            .documents(&lacking, attachments, quorum, LINE_MAX);
        answer.await.map_err(|trouble| match trouble {
            Trouble::TooLarge => too_large(id),
            other => other,
        })
    }

    /// A document's leaves, each asked for alone.
    async fn one_by_one(&mut self, row: &Row) -> Result<(), Trouble> {
        self.writer.row(row)?;
        for rev in &row.leaves {
            let wanted = [(row.id.as_str(), rev.as_str())];
            let answers = match self.first(&wanted, false, LINE_MAX).await {
                Err(Trouble::TooLarge) => return Err(too_large(&row.id)),
                other => other?,
            };
            self.size.answered(1, bytes(&answers));
            let mut found = documents(&answers)?;
            let rest = self.rest(&wanted, &found, false).await?;
            found.extend(documents(&rest)?);
            let one = Row {
                leaves: vec![rev.clone()],
                ..row.clone()
            };
            let units = units(&[&one], &found)?;
            self.documents(&units, &mut None, &[row]).await?;
        }
        Ok(())
    }

    async fn write(&mut self, rows: &[&Row], found: &Documents<'_>) -> Result<(), Trouble> {
        let units = units(rows, found)?;
        let mut next = Some(0);
        self.documents(&units, &mut next, rows).await?;
        self.rows_up_to(rows, &mut next, rows.len())
    }

    /// Writes the rows before number `upto` that are not written yet.
    fn rows_up_to(
        &mut self,
        rows: &[&Row],
        next: &mut Option<usize>,
        upto: usize,
    ) -> Result<(), Trouble> {
        if let Some(next) = next {
            for row in &rows[*next..upto] {
                self.writer.row(row)?;
            }
            *next = upto;
        }
        Ok(())
    }

    /// Writes revisions, each after its row; `next` is the row that is not written yet.
    async fn documents(
        &mut self,
        units: &[Unit<'_>],
        next: &mut Option<usize>,
        rows: &[&Row],
    ) -> Result<(), Trouble> {
        let mut ahead = Ahead::default();
        for (at, unit) in units.iter().enumerate() {
            let upto = unit.row + 1;
            if next.is_some_and(|n| n < upto) {
                self.rows_up_to(rows, next, upto)?;
            }
            let way = unit.way();
            match way {
                Fetch::Inline if at >= ahead.inline_upto => {
                    ahead.inline_upto = at + some(&units[at..], way);
                    ahead.inline = self.inline(&units[at..ahead.inline_upto]).await?;
                }
                Fetch::Stored if at >= ahead.stored_upto => {
                    ahead.stored_upto = at + some(&units[at..], way);
                    ahead.stored = self.stored(&units[at..ahead.stored_upto]).await?;
                }
                Fetch::Alone | Fetch::Inline | Fetch::Stored => {}
            }
            if way != Fetch::Inline {
                let contents = ahead.stored.remove(&unit.key());
                self.document(unit, &contents.unwrap_or_default()).await?;
                continue;
            }
            let raw = ahead.inline.remove(&unit.key());
            let raw = raw.ok_or_else(|| gone(unit.id, unit.rev))?;
            let meta = Meta::parse(&raw).map_err(|e| garbled(unit.id, &e))?;
            if meta.stubs().next().is_some() {
                let why = format!("an attachment of document {:?} did not come", unit.id);
                return Err(Trouble::Lost(why));
            }
            self.writer.document(&raw, &meta)?;
        }
        Ok(())
    }

    /// Attachments as they are stored. Those that do not come are asked for alone.
    async fn stored(&mut self, units: &[Unit<'_>]) -> Result<attachments::Found, Trouble> {
        let stored: Vec<&Unit<'_>> = units.iter().filter(|u| u.way() == Fetch::Stored).collect();
        if !self.size.parts {
            return Ok(attachments::Found::new());
        }
        let wanted: Vec<(&str, &str)> = stored.iter().map(|u| (u.id, u.rev)).collect();
        let answer = match self.source.attachments(&wanted, ANSWER_MAX).await {
            Err(Trouble::TooLarge) => return Ok(attachments::Found::new()),
            other => Bytes::from(other?),
        };
        let found = attachments::parse(&answer, &wanted);
        self.size.parts = found.is_some();
        Ok(found.unwrap_or_default())
    }

    /// Revisions with their attachments in them.
    async fn inline(
        &mut self,
        units: &[Unit<'_>],
    ) -> Result<HashMap<(String, String), Box<RawValue>>, Trouble> {
        let inline: Vec<&Unit<'_>> = units.iter().filter(|u| u.way() == Fetch::Inline).collect();
        let wanted: Vec<(&str, &str)> = inline.iter().map(|u| (u.id, u.rev)).collect();
        let answers = match self.first(&wanted, true, LINE_MAX).await {
            Err(Trouble::TooLarge) => return Err(too_large(units[0].id)),
            other => other?,
        };
        let mut found = documents(&answers)?;
        let rest = self.rest(&wanted, &found, true).await?;
        found.extend(documents(&rest)?);
        Ok(found
            .into_iter()
            .map(|(key, raw)| (key, raw.to_owned()))
            .collect())
    }

    /// A revision that is written as it came, and its attachments behind it: those at hand, and the others as they come.
    async fn document(&mut self, unit: &Unit<'_>, contents: &Contents) -> Result<(), Trouble> {
        self.writer.document(unit.raw, &unit.meta)?;
        for stub in unit.meta.stubs() {
            self.writer.attachment(&stub)?;
            let writer = &mut *self.writer;
            let at_hand = contents.get(&stub.name);
            if let Some(content) = at_hand.filter(|bytes| bytes.len() as u64 == stub.length) {
                writer.content(content)?;
                writer.end_attachment()?;
                continue;
            }
            let mut length = 0;
            let mut take = |bytes: Bytes| {
                length += bytes.len() as u64;
                writer.content(&bytes)
            };
            let taken = self
                .source
                .attachment(unit.id, unit.rev, &stub, &mut take)
                .await?;
            if taken.is_none() {
                let why = format!(
                    "attachment {:?} of document {:?} cannot be fetched: its name cannot appear in a path, and it is too large to be read with others",
                    stub.name, unit.id
                );
                return Err(Trouble::Final(why));
            }
            if length != stub.length {
                let why = format!(
                    "attachment {:?} of document {:?} came with {length} bytes of {}",
                    stub.name, unit.id, stub.length
                );
                // What was cut may come whole the next time.
                return Err(match length < stub.length {
                    true => Trouble::Lost(why),
                    false => Trouble::Final(why),
                });
            }
            self.writer.end_attachment()?;
        }
        Ok(())
    }
}

/// How many of the first units have as many bytes that come this way as are asked for at once; one at least.
fn some(units: &[Unit<'_>], way: Fetch) -> usize {
    let mut bytes = 0;
    let fit = units.iter().take_while(|unit| {
        if unit.way() == way {
            bytes += unit.attached + unit.raw.get().len() as u64;
        }
        bytes <= SMALL_BATCH
    });
    fit.count().max(1)
}

fn pairs<'r>(rows: &[&'r Row]) -> Vec<(&'r str, &'r str)> {
    let of = |row: &'r Row| row.leaves.iter().map(|rev| (row.id.as_str(), rev.as_str()));
    rows.iter().flat_map(|row| of(row)).collect()
}

/// The revisions of an answer, in the order of the rows.
fn units<'r>(rows: &[&'r Row], found: &Documents<'r>) -> Result<Vec<Unit<'r>>, Trouble> {
    let mut units = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        for rev in &row.leaves {
            let raw = found.get(&(row.id.clone(), rev.clone()));
            let raw = raw.ok_or_else(|| gone(&row.id, rev))?;
            let meta = Meta::parse(raw).map_err(|e| garbled(&row.id, &e))?;
            let encoded = meta.stubs().any(|stub| stub.encoding.is_some());
            units.push(Unit {
                row: number,
                id: &row.id,
                rev,
                raw,
                attached: meta.stubs().map(|stub| stub.length).sum(),
                encoded,

                meta,
            });
        }
    }
    Ok(units)
}

/// A leaf that was told of and is not there any more: the changes, asked again, have its document with what came after it.
fn gone(id: &str, rev: &str) -> Trouble {
    Trouble::Lost(format!(
        "revision {rev:?} of document {id:?} cannot be read"
    ))
}

fn too_large(id: &str) -> Trouble {
    Trouble::Final(format!(
        "document {id:?} is larger than {} MiB",
        LINE_MAX / 1024 / 1024
    ))
}

/// The revisions of answers.
fn documents(answers: &[Vec<u8>]) -> Result<Documents<'_>, Trouble> {
    let mut found = Documents::new();
    for answer in answers {
        found.extend(answers::documents(answer).map_err(|e| garbled("", &e))?);
    }
    Ok(found)
}

fn bytes(answers: &[Vec<u8>]) -> usize {
    answers.iter().map(Vec::len).sum()
}

fn garbled(id: &str, error: &serde_json::Error) -> Trouble {
    Trouble::Lost(format!("documents came garbled {id:?}: {error}"))
}
