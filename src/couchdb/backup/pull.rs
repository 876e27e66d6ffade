//! Takes a database into a file: batch after batch of the changes feed, until no changes are left and the counts match.
//!
//! The changes feed, not `_all_docs`: it has all leaves, deleted ones too, it can be resumed after a broken connection, and
//! what is written in the meantime comes at its end. The backup ends at a page that ends before its limit: all that was there when it
//! was asked for is in the file, and what is written later is not. A batch is one gzip member, ended by a checkpoint; whatever fails before that takes
//! the batch back and begins it again. Memory is bounded by the answers, and these by `batch.rs`.

use super::answers::Changes;
use super::batch::{self, Batch, Size};
use super::format::{FORMAT, Header, Properties, Row, Totals, Trailer};
use super::items::Broken;
use super::part::{NoFile, Place};
use super::source::{Source, Trouble, Window};
use super::tally::{self, Leaves, Tally, Written};
use super::writer::{Finish, Mark, Writer};
use crate::private_file::Reader;
use k8s_openapi::jiff::Timestamp;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};

/// Rows of a page of changes, at first.
const PAGE: usize = 1000;
/// Rows of the largest page: some ten megabytes.
const PAGE_MAX: usize = 64_000;
/// Rows of a page of changes that are listed only.
const LISTED: usize = 25_000;

/// Pauses before a broken connection is opened again; after the last one the backup ends. Each finished batch resets them.
pub const PAUSES: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
];

/// Least share of the documents, in percent, whose leaf revisions are to be compared with the database's.
const COMPARED: u8 = 95;
/// How often it is shown how far a check is.
const SHOWN: Duration = Duration::from_millis(100);
/// How often the file and the database are compared before they are said to differ.
const ROUNDS: usize = 10;

/// A backup that is whole and on the disk.
#[derive(Clone, Debug)]
pub struct Taken {
    pub file: PathBuf,
    pub header: Header,
    pub trailer: Trailer,
    /// Length of the file.
    pub size: u64,
}

const ABSENT: &str = "the database does not exist";

/// Why there is none.
#[derive(Debug)]
pub enum NotTaken {
    /// Nothing was begun.
    NoFile(NoFile),
    /// The database does not exist.
    Absent,
    /// What is whole is kept, and the same command goes on from there.
    Stopped { why: String, part: Option<PathBuf> },
}

impl NotTaken {
    /// A clause for an error.
    pub fn clause(&self) -> String {
        match self {
            Self::NoFile(no) => no.to_string(),
            Self::Absent => ABSENT.to_owned(),
            Self::Stopped { why, .. } => why.clone(),
        }
    }
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Rows, of about so many, and bytes of text.
    Reading { rows: u64, of: u64, bytes: u64 },
    /// The connection was lost and is opened again in so many seconds.
    Waiting { why: String, seconds: u64 },
    /// A part of an earlier run is gone on with.
    Resumed { rows: u64 },
    /// A file is read back: bytes of it, of so many.
    Checking { read: u64, of: u64 },
    /// The database is asked whether it has everything.
    Comparing,
    /// A restore; the same as reading.
    Writing { rows: u64, of: u64, bytes: u64 },
}

/// Takes progress.
pub type Watch<'a> = dyn FnMut(Progress) + 'a;

/// Takes a backup of `database` into `place`.
///
/// # Errors
/// There is no whole file; nothing stands under its name.
pub(crate) async fn pull(
    source: &mut impl Source,
    place: &Place,
    pauses: &[Duration],
    watch: &mut Watch<'_>,
) -> Result<Taken, NotTaken> {
    let mut tries = Tries::new(pauses);
    let state = loop {
        match source.state().await {
            Ok(state) => break state,
            Err(Trouble::Absent) => return Err(NotTaken::Absent),
            Err(trouble) => tries
                .again(trouble, watch)
                .await
                .map_err(|why| NotTaken::Stopped { why, part: None })?,
        }
    };
    let header = Header {
        format: FORMAT,
        plugin: env!("CARGO_PKG_VERSION").to_owned(),
        taken: now(),
        server: state.server,
        database: state.figures.db_name.clone(),
        identity: state.identity,
        partitioned: state.figures.is_partitioned(),
        shards: state.figures.shards(),
        stale: source.stale().to_vec(),
        shard_map: state.shard_map,
    };
    let (writer, resumed) = place.open(&header).map_err(NotTaken::NoFile)?;
    if resumed {
        let rows = writer.mark().lines.rows;
        watch(Progress::Resumed { rows });
    }
    let mut run = Run {
        source,
        writer,
        part: place.part(),
        identity: header.identity.clone(),
        of: state.figures.doc_count + state.figures.doc_del_count,
        size: Size::default(),
        tries,
        watch,
    };
    let stopped = |why| NotTaken::Stopped {
        why,
        part: Some(place.part().to_owned()),
    };
    let finish = run.until_done().await.map_err(stopped)?;
    let Run { writer, .. } = run;
    let seam = writer.mark().clone();
    let (file, trailer) = writer
        .finish(finish)
        .map_err(|e| stopped(cannot_write(place.part(), &e)))?;
    // The rest has been read back; so is the last line.
    let reread = seal(&file, seam).map_err(|e| stopped(e.to_string()))?;
    if reread != trailer {
        return Err(stopped("its last line reads back differently".to_owned()));
    }
    let size = file.metadata().map_or(0, |m| m.len());
    place.finish(&file).map_err(|no| stopped(no.to_string()))?;
    Ok(Taken {
        file: place.file().to_owned(),
        header,
        trailer,
        size,
    })
}

/// Reads the last member.
fn seal(file: &File, seam: Mark) -> Result<Trailer, Broken> {
    let file = Reader::new(file, seam.offset).map_err(Broken::Io)?;
    tally::partial_from(file, seam).map_err(|partial| partial.why)
}

/// What a page of changes was.
struct Page {
    rows: usize,
    /// It ended before its limit: there was no more.
    ended: bool,
}

struct Run<'a, 'w, S> {
    source: &'a mut S,
    writer: Writer,
    part: &'a Path,
    identity: String,
    of: u64,
    size: Size,
    tries: Tries<'a>,
    watch: &'a mut Watch<'w>,
}

impl<S: Source> Run<'_, '_, S> {
    /// Reads until everything that was there at one moment is in the file and the database agrees. Later writes are ignored.
    async fn until_done(&mut self) -> Result<Finish, String> {
        let mut counted: Option<(u64, Tally)> = None;
        let mut differs = String::new();
        let mut differed = false;
        for round in 0..ROUNDS {
            if round > 1 {
                // Copies of a shard agree after a moment.
                let pause = self.tries.pauses.first().copied().unwrap_or_default();
                tokio::time::sleep(pause).await;
            }
            self.catch_up().await?;
            let rows = self.writer.mark().lines.rows;
            let counting = match counted.take() {
                Some((upto, tally)) if upto == rows => Counting::Done(Box::new(tally)),
                _ => self.count(rows)?,
            };
            // The database lists them while the file is read. That is waited for in any case: it holds the file's lock.
            let leaves = self.leaves().await;
            let tally = counting.tally(self.watch).await?;
            let leaves = leaves?;
            let end = self.end().await?;
            if end.identity != self.identity {
                return Err(
                    "the database has been deleted and created again in the meantime".to_owned(),
                );
            }
            let totals = tally.totals;
            let compared = end.since.compared();
            if let Some(short) = short(&end, totals) {
                differs = short;
            } else if compared < COMPARED && round + 1 < ROUNDS {
                // So much was written since that the comparison says little.
                continue;
            } else if !leaves.is_same(&tally.leaves, &end.since) {
                differs = format!(
                    "the revisions in {} are not those of the database; remove it to start over",
                    self.part.display()
                );
                if differed {
                    break;
                }
                differed = true;
            } else {
                return Ok(Finish {
                    finished: now(),
                    update_seq: end.update_seq,
                    totals,
                    compared: (compared < COMPARED).then_some(compared),
                    properties: end.properties,
                    stale: self.source.stale().to_vec(),
                });
            }
            counted = Some((rows, tally));
        }
        Err(differs)
    }

    /// Changes into the file, until a page ends before its limit: then all that there was when it was asked for is in the file. While the
    /// database is written to nearly as fast as it is read the pages grow, so that one gets there.
    async fn catch_up(&mut self) -> Result<(), String> {
        let mut list = PAGE;
        let mut read = 0;
        loop {
            // What there was at first has been read: only lists of what was written since may grow.
            let growing = read > self.of;
            match self.page(growing.then_some(list)).await {
                Ok(Page { ended: true, .. }) => return Ok(()),
                Ok(page) => {
                    read += page.rows as u64;
                    if growing {
                        list = (list * 2).min(PAGE_MAX);
                    }
                }
                Err(trouble) => self.back(trouble).await?,
            }
        }
    }

    /// Reads the next changes, with documents or `list` rows without, and whether they are the last.
    async fn next(&mut self, since: &str, list: Option<usize>) -> Result<(Changes, bool), Trouble> {
        loop {
            let window = self.size.window(list);
            let page = match list {
                Some(_) => return self.listed(since, window).await,
                None if !self.size.with_documents() => {
                    let listed = self.listed(since, window).await?;
                    self.size.paged(&listed.0);
                    return Ok(listed);
                }
                None => {
                    let page = self.source.documents_since(since, window, batch::PAGE);
                    match page.await {
                        Err(Trouble::TooLarge) if self.size.shorten_page() => continue,
                        // One document alone is too long for a page.
                        Err(Trouble::TooLarge) => return self.listed(since, window).await,
                        page => page?,
                    }
                }
            };
            self.size.paged(&page);
            let ended = page.rows.len() < window.limit;
            return Ok((page, ended));
        }
    }

    /// One page of changes into the file.
    async fn page(&mut self, list: Option<usize>) -> Result<Page, Trouble> {
        let mut seq = self.writer.mark().seq.clone();
        let (page, ended) = self.next(&seq, list).await?;
        let mut rest = &page.rows[..];
        while !rest.is_empty() {
            let many = self.size.rows(rest);
            let (now, later) = rest.split_at(many);
            let batch = Batch {
                source: self.source,
                writer: &mut self.writer,
                size: &mut self.size,
            };
            match batch.take(now).await {
                Ok(()) => {}
                // The size has shrunk.
                Err(Trouble::TooLarge) if many > 1 => {
                    self.writer.roll_back()?;
                    continue;
                }
                Err(trouble) => return Err(trouble),
            }
            // Where the batch's last row has no sequence, one before it: what is asked for again from there is in the file twice.
            let known = now.iter().rev().find_map(|change| change.seq.as_ref());
            if later.is_empty() {
                seq.clone_from(&page.last_seq);
            } else if let Some(known) = known {
                seq.clone_from(known);
            }
            self.writer.checkpoint(seq.clone())?;
            self.tries.progress();
            let lines = self.writer.lines();
            (self.watch)(Progress::Reading {
                rows: lines.rows,
                of: self.of,
                bytes: lines.bytes,
            });
            rest = later;
        }
        Ok(Page {
            rows: page.rows.len(),
            ended,
        })
    }

    /// Takes an unfinished batch back, and waits where it may go on.
    async fn back(&mut self, trouble: Trouble) -> Result<(), String> {
        if let Trouble::File(error) = trouble {
            // What is whole stays; a full disk may refuse the cut too.
            let _ = self.writer.roll_back();
            return Err(cannot_write(self.part, &error));
        }
        let rolled = self.writer.roll_back();
        rolled.map_err(|e| cannot_write(self.part, &e))?;
        self.tries.again(trouble, self.watch).await
    }

    /// What documents and leaves the database has now, listed from the beginning: an earlier run's part may be of a server that has been
    /// set back since, and an answer may have left a document out.
    async fn leaves(&mut self) -> Result<Leaves, String> {
        let mut leaves = Leaves::default();
        let start = Mark::start().seq;
        self.list(&start, &mut |row| leaves.add(row)).await?;
        Ok(leaves)
    }

    /// The changes since `since`, until a page ends before its limit.
    async fn list(&mut self, since: &str, take: &mut impl FnMut(&Row)) -> Result<(), String> {
        let mut since = since.to_owned();
        loop {
            let (page, ended) = match self.listed(&since, Window::whole(LISTED)).await {
                Ok(page) => page,
                Err(trouble) => {
                    self.back(trouble).await?;
                    continue;
                }
            };
            self.tries.progress();
            page.rows.iter().for_each(|change| take(&change.row));
            if ended {
                return Ok(());
            }
            since = page.last_seq;
        }
    }

    /// Reads changes without documents, fewer where `limit` makes an answer too long, and whether they are the last.
    async fn listed(
        &mut self,
        since: &str,
        mut window: Window,
    ) -> Result<(Changes, bool), Trouble> {
        loop {
            match self.source.changes(since, window).await {
                Ok(page) => {
                    let ended = page.rows.len() < window.limit;
                    return Ok((page, ended));
                }
                Err(Trouble::TooLarge) if window.limit > 1 => window.limit /= 2,
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// Begins to read the file back.
    fn count(&self, rows: u64) -> Result<Counting, String> {
        let upto = self.writer.mark().offset;
        let file = self.writer.reader().map_err(|e| e.to_string())?;
        let read = file.counter();
        let thread =
            tokio::task::spawn_blocking(move || tally::tally(|| file.again(), rows, Some(upto)));
        Ok(Counting::Running { thread, read, upto })
    }

    /// What the database is at the end, and what was written to it since: asked for last, so that nothing is missing.
    async fn end(&mut self) -> Result<End, String> {
        let last = loop {
            match self.source.end().await {
                Ok(last) => break last,
                Err(trouble) => self.back(trouble).await?,
            }
        };
        let seq = self.writer.mark().seq.clone();
        let mut since = Written::default();
        self.list(&seq, &mut |row| since.add(row)).await?;
        Ok(End {
            identity: last.identity,
            documents: last.figures.doc_count,
            deleted: last.figures.doc_del_count,
            update_seq: last.figures.update_seq(),
            properties: last.properties,
            since,
        })
    }
}

/// A file that is being read back, or has been.
enum Counting {
    Running {
        thread: JoinHandle<Result<Tally, Broken>>,
        read: Arc<AtomicU64>,
        upto: u64,
    },
    Done(Box<Tally>),
}

impl Counting {
    async fn tally(self, watch: &mut Watch<'_>) -> Result<Tally, String> {
        let (thread, read, upto) = match self {
            Self::Running { thread, read, upto } => (thread, read, upto),
            Self::Done(tally) => return Ok(*tally),
        };
        match watched(thread, &read, upto, watch).await {
            Ok(Ok(tally)) => Ok(tally),
            Ok(Err(broken)) => Err(format!("the file reads back differently: {broken}")),
            Err(error) => Err(format!("the file could not be read back: {error}")),
        }
    }
}

/// What the server counts otherwise than the file, as far as nothing was written since.
fn short(end: &End, totals: Totals) -> Option<String> {
    let all = [
        ("documents", end.documents, totals.documents),
        ("deleted documents", end.deleted, totals.deleted),
    ];
    let other = all
        .into_iter()
        .find(|(_, counted, held)| counted.abs_diff(*held) > end.since.rows);
    other.map(|(what, counted, held)| {
        format!("short: CouchDB counts {counted} {what}, the file has {held}")
    })
}

struct End {
    identity: String,
    documents: u64,
    deleted: u64,
    update_seq: String,
    properties: Properties,
    since: Written,
}

/// Waits for a thread that reads a file, and shows how far it is.
pub(super) async fn watched<T>(
    mut thread: JoinHandle<T>,
    read: &AtomicU64,
    of: u64,
    watch: &mut Watch<'_>,
) -> Result<T, JoinError> {
    loop {
        watch(Progress::Checking {
            read: read.load(Ordering::Relaxed).min(of),
            of,
        });
        tokio::select! {
            biased;
            done = &mut thread => return done,
            () = tokio::time::sleep(SHOWN) => {}
        }
    }
}

/// How often something was tried without getting on.
pub(super) struct Tries<'a> {
    pauses: &'a [Duration],
    failed: usize,
}

impl<'a> Tries<'a> {
    pub(super) fn new(pauses: &'a [Duration]) -> Self {
        Self { pauses, failed: 0 }
    }

    /// Something was done: the pauses begin anew.
    pub(super) fn progress(&mut self) {
        self.failed = 0;
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// There is to be none.
    pub(super) async fn again(
        &mut self,
        trouble: Trouble,
        watch: &mut Watch<'_>,
    ) -> Result<(), String> {
        let why = match trouble {
            Trouble::Lost(why) => why,
            Trouble::Absent => return Err(ABSENT.to_owned()),
            Trouble::Final(why) => return Err(why),
            Trouble::TooLarge => return Err("an answer of CouchDB is too long".to_owned()),
            Trouble::File(error) => return Err(error.to_string()),
        };
        let Some(pause) = self.pauses.get(self.failed) else {
            return Err(format!("{why} ({} attempts)", self.failed + 1));
        };
        self.failed += 1;
        watch(Progress::Waiting {
            why,
            seconds: pause.as_secs(),
        });
        tokio::time::sleep(*pause).await;
        Ok(())
    }
}

fn cannot_write(part: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be written: {error}", part.display())
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
