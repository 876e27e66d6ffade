//! What a file holds when each document is counted once.
//!
//! A document that was written to while the backup ran stands in the file again: the last row counts. To know it in bounded memory the
//! file is read in slices of the documents' hashes, so often that a slice's rows fit: a file of half a million rows is read once.

use super::format::{Header, Row, Totals, Trailer};
use super::items::{Broken, Item, Items};
use super::writer::Mark;
use ring::digest::{SHA256, digest};
use std::collections::HashMap;
use std::io::{self, Read};

/// Rows of a slice, about; each takes some 70 bytes.
const SLICE: u64 = 500_000;

/// What a file holds.
#[derive(Debug)]
pub struct Tally {
    pub header: Header,
    pub totals: Totals,
    /// Which leaf revisions each document has, all documents together.
    pub leaves: Leaves,
    /// Numbers of the rows that a later one replaces, from 0, in order.
    pub superseded: Vec<u64>,
    /// `None` while the file is being written.
    pub trailer: Option<Trailer>,
}

/// Documents with their leaf revisions, in whatever order they came: a sum for each bucket of documents, so that what was written
/// since leaves the other buckets comparable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaves(Vec<u128>);

/// A mebibyte of sums; with a few hundred documents written since, nearly all others are compared.
const BUCKETS: usize = 1 << 16;

impl Default for Leaves {
    fn default() -> Self {
        Self(vec![0; BUCKETS])
    }
}

impl Leaves {
    /// Takes a document in.
    pub fn add(&mut self, row: &Row) {
        self.put(hash(row.id.as_bytes()), leaves(row));
    }

    fn put(&mut self, id: u128, leaves: u128) {
        let sum = &mut self.0[bucket(id)];
        *sum = sum.wrapping_add(leaves);
    }

    fn join(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            *sum = sum.wrapping_add(*more);
        }
    }

    /// Whether both hold the same, as far as nothing was written since.
    pub fn is_same(&self, other: &Self, since: &Written) -> bool {
        let all = self.0.iter().zip(&other.0).zip(&since.buckets);
        all.filter(|(_, written)| !**written)
            .all(|((a, b), _)| a == b)
    }
}

/// Documents that were written after the end of a backup.
#[derive(Clone, Debug)]
pub struct Written {
    buckets: Vec<bool>,
    /// Rows of the changes: a document that was written in between counts twice.
    pub rows: u64,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            buckets: vec![false; BUCKETS],
            rows: 0,
        }
    }
}

impl Written {
    /// The share of documents that can be compared all the same, in percent.
    pub fn compared(&self) -> u8 {
        let free = self.buckets.iter().filter(|written| !**written).count();
        u8::try_from(free * 100 / BUCKETS).unwrap_or(0)
    }

    /// Takes a document in.
    pub fn add(&mut self, row: &Row) {
        self.buckets[bucket(hash(row.id.as_bytes()))] = true;
        self.rows += 1;
    }
}

/// Which bucket a document is in, by the hash of its id.
fn bucket(id: u128) -> usize {
    // The remainder is less than the number of buckets.
    (id % BUCKETS as u128) as usize
}

/// A file that is not finished: what is whole of it, and why it ends there.
pub struct Partial {
    pub header: Option<Header>,
    pub mark: Mark,
    pub why: Broken,
}

/// Reads all that is whole of a file that is to be gone on with; its trailer makes it a finished one, which is no partial file.
pub fn partial(file: impl Read) -> Result<Trailer, Box<Partial>> {
    partial_from(file, Mark::start())
}

/// The same of a file that stands at `mark`.
pub fn partial_from(file: impl Read, mark: Mark) -> Result<Trailer, Box<Partial>> {
    let mut items = Items::at(file, mark);
    let mut header = None;
    let mut trailer = None;
    loop {
        match items.next_item() {
            Ok(Some(Item::Header(found))) => header = Some(*found),
            Ok(Some(Item::Trailer(found))) => trailer = Some(*found),
            Ok(Some(_)) => {}
            Ok(None) => {
                return trailer.ok_or_else(|| {
                    let why = Broken::Damaged("it ends without its last line".to_owned());
                    let mark = Mark::start();
                    Box::new(Partial { header, mark, why })
                });
            }
            Err(why) => {
                let mark = items.mark().clone();
                return Err(Box::new(Partial { header, mark, why }));
            }
        }
    }
}

/// Counts a file. `open` gives it from its beginning, once for each slice; `upto` is the length of what is whole while the
/// trailer is missing.
///
/// # Errors
/// The file is cut, damaged, or does not hold what it says.
pub fn tally<R: Read>(
    mut open: impl FnMut() -> io::Result<R>,
    rows: u64,
    upto: Option<u64>,
) -> Result<Tally, Broken> {
    let slices = rows.div_ceil(SLICE).max(1);
    let mut whole: Option<Tally> = None;
    for slice in 0..slices {
        let file = open().map_err(Broken::Io)?;
        let tally = match upto {
            Some(length) => one(Items::new(file.take(length)), slice, slices, true)?,
            None => one(Items::new(file), slice, slices, false)?,
        };
        match &mut whole {
            None => whole = Some(tally),
            Some(whole) => whole.add(tally),
        }
    }
    let mut whole = whole.expect("there is a slice at least");
    whole.superseded.sort_unstable();
    whole.totals.superseded = whole.superseded.len() as u64;
    if let Some(trailer) = &whole.trailer
        && trailer.totals != whole.totals
    {
        return Err(Broken::Damaged(
            "its last line counts a different number of documents".to_owned(),
        ));
    }
    Ok(whole)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.totals.documents += other.totals.documents;
        self.totals.deleted += other.totals.deleted;
        self.leaves.join(&other.leaves);
        self.superseded.extend(other.superseded);
    }
}

/// One slice. An open file ends between two members, without a trailer.
fn one<R: Read>(mut items: Items<R>, slice: u64, slices: u64, open: bool) -> Result<Tally, Broken> {
    let mut header = None;
    let mut trailer = None;
    let mut number = 0;
    // The last row of each document: its number, whether only deletions are left, and its leaves.
    let mut seen: HashMap<u128, (u64, bool, u128)> = HashMap::new();
    let mut superseded = Vec::new();
    loop {
        let item = match items.next_item() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(Broken::Cut(_)) if open && items.mark().offset > 0 => break,
            Err(broken) => return Err(broken),
        };
        match item {
            Item::Header(found) => header = Some(*found),
            Item::Row(row) => {
                let hash = hash(row.id.as_bytes());
                let last = (number, row.deleted, leaves(&row));
                if hash % u128::from(slices) == u128::from(slice)
                    && let Some((before, ..)) = seen.insert(hash, last)
                {
                    superseded.push(before);
                }
                number += 1;
            }
            Item::Trailer(found) => trailer = Some(*found),
            Item::Document(..) | Item::Attachment(_) | Item::Content(_) | Item::Checkpoint(_) => {}
        }
    }
    let deleted = seen.values().filter(|(_, deleted, _)| *deleted).count() as u64;
    let mut all = Leaves::default();
    for (id, (.., leaves)) in &seen {
        all.put(*id, *leaves);
    }
    Ok(Tally {
        leaves: all,
        header: header.ok_or_else(|| Broken::Cut(" within its first line".to_owned()))?,
        totals: Totals {
            documents: seen.len() as u64 - deleted,
            deleted,
            superseded: 0,
        },
        superseded,
        trailer,
    })
}

/// A document's id and leaves, whatever the order of these.
fn leaves(row: &Row) -> u128 {
    let mut revisions: Vec<&str> = row.leaves.iter().map(String::as_str).collect();
    revisions.sort_unstable();
    // No revision holds a line's end, and an id is told by its length.
    let text = format!("{} {}\n{}", row.id.len(), row.id, revisions.join("\n"));
    hash(text.as_bytes())
}

/// Half of the SHA-256.
fn hash(bytes: &[u8]) -> u128 {
    let digest = digest(&SHA256, bytes);
    let mut half = [0; 16];
    half.copy_from_slice(&digest.as_ref()[..16]);
    u128::from_be_bytes(half)
}
