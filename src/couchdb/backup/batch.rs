//! One batch: rows of the changes with their revisions and attachments, into the file.
//!
//! Owns what is asked for at once, so that memory stays bounded: documents come first with stubs in the place of attachments; small
//! attachments are then asked for a few at a time, large ones one by one and never held.

use super::answers::{self, Change};
use super::format::{LINE_MAX, Meta, Row};
use super::source::{Source, Trouble};
use super::writer::Writer;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Attachments of a document that stand in it, together, in bytes.
const INLINE_MAX: u64 = 1024 * 1024;
/// Attachment bytes that are asked for at once.
const INLINE_BATCH: u64 = 4 * 1024 * 1024;
/// Longest answer for more than one revision.
const ANSWER_MAX: usize = 16 * 1024 * 1024;
/// What an answer should be, about: the number of revisions follows.
const ANSWER: usize = 4 * 1024 * 1024;
/// Most revisions at once.
const REVISIONS_MAX: usize = 1000;

/// How many revisions are asked for at once: learnt from the answers.
#[derive(Debug)]
pub(super) struct Size {
    revisions: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { revisions: 200 }
    }
}

impl Size {
    /// How many of these rows make a batch: one at least.
    pub(super) fn rows(&self, rows: &[Change]) -> usize {
        let mut revisions = 0;
        let fit = rows.iter().take_while(|change| {
            revisions += change.row.leaves.len();
            revisions <= self.revisions
        });
        fit.count().max(1).min(rows.len())
    }

    fn answered(&mut self, asked: usize, bytes: usize) {
        if bytes > 2 * ANSWER {
            self.shrink(2);
        } else if asked >= self.revisions && bytes < ANSWER / 2 {
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
}

impl Unit<'_> {
    /// Its attachments are asked for with it.
    fn is_inline(&self) -> bool {
        self.attached <= INLINE_MAX && self.meta.stubs().next().is_some()
    }

    fn key(&self) -> (String, String) {
        (self.id.to_owned(), self.rev.to_owned())
    }
}

impl<S: Source> Batch<'_, S> {
    /// Writes the rows. The size may have shrunk when there is too much at once.
    pub(super) async fn take(mut self, rows: &[&Row]) -> Result<(), Trouble> {
        let revisions = |rows: &[&Row]| -> usize { rows.iter().map(|row| row.leaves.len()).sum() };
        let many = revisions(rows);
        if many == 1 || (rows.len() == 1 && many > self.size.revisions) {
            return self.one_by_one(rows[0]).await;
        }
        let wanted = pairs(rows);
        let body = match self.source.documents(&wanted, false, ANSWER_MAX).await {
            Err(Trouble::TooLarge) => {
                self.size.shrink(4);
                if rows.len() == 1 {
                    return self.one_by_one(rows[0]).await;
                }
                return Err(Trouble::TooLarge);
            }
            other => other?,
        };
        self.size.answered(many, body.len());
        self.write(rows, &body).await
    }

    /// A document's leaves, each asked for alone.
    async fn one_by_one(&mut self, row: &Row) -> Result<(), Trouble> {
        self.writer.row(row)?;
        for rev in &row.leaves {
            let wanted = [(row.id.as_str(), rev.as_str())];
            let body = match self.source.documents(&wanted, false, LINE_MAX).await {
                Err(Trouble::TooLarge) => return Err(too_large(&row.id)),
                other => other?,
            };
            self.size.answered(1, body.len());
            let units = units(&[row], &body)?;
            self.documents(&units, &mut None, &[row]).await?;
        }
        Ok(())
    }

    async fn write(&mut self, rows: &[&Row], body: &[u8]) -> Result<(), Trouble> {
        let units = units(rows, body)?;
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
        let mut inline: HashMap<(String, String), Box<RawValue>> = HashMap::new();
        let mut asked = 0;
        for (at, unit) in units.iter().enumerate() {
            let upto = unit.row + 1;
            if next.is_some_and(|n| n < upto) {
                self.rows_up_to(rows, next, upto)?;
            }
            if !unit.is_inline() {
                self.document(unit).await?;
                continue;
            }
            if at >= asked {
                let few = some(&units[at..]);
                asked = at + few;
                inline = self.inline(&units[at..asked]).await?;
            }
            let raw = inline.remove(&unit.key());
            let raw = raw.ok_or_else(|| gone(unit.id, unit.rev))?;
            let meta = Meta::read(&raw).map_err(|e| garbled(unit.id, &e))?;
            if meta.stubs().next().is_some() {
                let why = format!("an attachment of document {:?} did not come", unit.id);
                return Err(Trouble::Lost(why));
            }
            self.writer.document(&raw, &meta)?;
        }
        Ok(())
    }

    /// Revisions with their attachments in them.
    async fn inline(
        &mut self,
        units: &[Unit<'_>],
    ) -> Result<HashMap<(String, String), Box<RawValue>>, Trouble> {
        let inline: Vec<&Unit<'_>> = units.iter().filter(|u| u.is_inline()).collect();
        let wanted: Vec<(&str, &str)> = inline.iter().map(|u| (u.id, u.rev)).collect();
        let body = match self.source.documents(&wanted, true, LINE_MAX).await {
            Err(Trouble::TooLarge) => return Err(too_large(units[0].id)),
            other => other?,
        };
        let found = answers::documents(&body).map_err(|e| garbled("", &e))?;
        Ok(found
            .into_iter()
            .map(|(key, raw)| (key, raw.to_owned()))
            .collect())
    }

    /// A revision that is written as it came, and its large attachments behind it.
    async fn document(&mut self, unit: &Unit<'_>) -> Result<(), Trouble> {
        self.writer.document(unit.raw, &unit.meta)?;
        for stub in unit.meta.stubs() {
            self.writer.attachment(&stub)?;
            let writer = &mut *self.writer;
            let mut length = 0;
            let mut take = |bytes: bytes::Bytes| {
                length += bytes.len() as u64;
                writer.content(&bytes)
            };
            let taken = self
                .source
                .attachment(unit.id, unit.rev, &stub.name, &mut take)
                .await?;
            if taken.is_none() {
                let why = format!(
                    "attachment {:?} of document {:?} cannot be asked for by a path and is too large to be asked for otherwise",
                    stub.name, unit.id
                );
                return Err(Trouble::Final(why));
            }
            if length != stub.length {
                return Err(Trouble::Lost(format!(
                    "attachment {:?} of document {:?} came with {length} bytes of {}",
                    stub.name, unit.id, stub.length
                )));
            }
            self.writer.end_attachment()?;
        }
        Ok(())
    }
}

/// How many of the first units have as many attachment bytes as are asked for at once; one at least.
fn some(units: &[Unit<'_>]) -> usize {
    let mut bytes = 0;
    let fit = units.iter().take_while(|unit| {
        if unit.is_inline() {
            bytes += unit.attached + unit.raw.get().len() as u64;
        }
        bytes <= INLINE_BATCH
    });
    fit.count().max(1)
}

fn pairs<'r>(rows: &[&'r Row]) -> Vec<(&'r str, &'r str)> {
    let of = |row: &'r Row| row.leaves.iter().map(|rev| (row.id.as_str(), rev.as_str()));
    rows.iter().flat_map(|row| of(row)).collect()
}

/// The revisions of an answer, in the order of the rows.
fn units<'r>(rows: &[&'r Row], body: &'r [u8]) -> Result<Vec<Unit<'r>>, Trouble> {
    let found = answers::documents(body).map_err(|e| garbled("", &e))?;
    let mut units = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        for rev in &row.leaves {
            let raw = found.get(&(row.id.clone(), rev.clone()));
            let raw = raw.ok_or_else(|| gone(&row.id, rev))?;
            let meta = Meta::read(raw).map_err(|e| garbled(&row.id, &e))?;
            units.push(Unit {
                row: number,
                id: &row.id,
                rev,
                raw,
                attached: meta.stubs().map(|stub| stub.length).sum(),
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

fn garbled(id: &str, error: &serde_json::Error) -> Trouble {
    Trouble::Lost(format!("documents came garbled {id:?}: {error}"))
}
