//! Takes a database into a file: batch after batch of the changes feed, until there is nothing more to tell and the counts match.
//!
//! The changes feed, not `_all_docs`: it has all leaves, deleted ones too, it can be gone on with after a broken connection, and
//! what is written meanwhile comes at its end. A batch is one gzip member, ended by a checkpoint; whatever fails before that takes
//! the batch back and begins it again. Memory is bounded by the answers, and these by [`batch`](super::batch).

use super::batch::{Batch, Size};
use super::format::{FORMAT, Header, Trailer};
use super::items::Broken;
use super::part::{NoFile, Place};
use super::source::{Source, Trouble};
use super::tally::{self, Leaves, Tally};
use super::writer::{Finish, Mark, Writer};
use k8s_openapi::jiff::Timestamp;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Rows of a page of changes.
const PAGE: usize = 1000;

/// Pauses before a broken connection is opened again; after the last one the backup ends. A batch that is done begins anew.
pub const PAUSES: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
];

/// How often the end is looked for while the database is written to.
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

/// Why there is none.
#[derive(Debug)]
pub enum NotTaken {
    /// Nothing was begun.
    NoFile(NoFile),
    /// What is whole is kept, and the same command goes on from there.
    Stopped { why: String, part: Option<PathBuf> },
}

impl NotTaken {
    /// A clause for an error.
    pub fn clause(&self) -> String {
        match self {
            Self::NoFile(no) => no.to_string(),
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
    /// The file is read back, or what it was restored to.
    Checking,
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
    let reread = seal(place.part(), seam).map_err(|e| stopped(e.to_string()))?;
    if reread != trailer {
        return Err(stopped(
            "its last line does not come back as it was written".to_owned(),
        ));
    }
    let size = file.metadata().map_or(0, |m| m.len());
    place.finish().map_err(|no| stopped(no.to_string()))?;
    Ok(Taken {
        file: place.file().to_owned(),
        header,
        trailer,
        size,
    })
}

/// Reads the last member.
fn seal(part: &Path, seam: super::writer::Mark) -> Result<Trailer, Broken> {
    use std::io::Seek;
    let mut file = File::open(part).map_err(Broken::Io)?;
    file.seek(std::io::SeekFrom::Start(seam.offset))
        .map_err(Broken::Io)?;
    tally::partial_from(file, seam).map_err(|partial| partial.why)
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
    /// Until nothing has changed and the counts match.
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
            let tally = match counted.take() {
                Some((upto, tally)) if upto == rows => tally,
                _ => self.count(rows).await?,
            };
            // Before the look at the end, which then tells of anything that was written meanwhile.
            let same = self.leaves().await? == tally.leaves;
            let end = self.end().await?;
            if end.rows != rows {
                differs = "it is written to faster than it can be read".to_owned();
                continue;
            }
            if end.identity != self.identity {
                return Err("the database has been deleted and created again meanwhile".to_owned());
            }
            if end.documents != tally.totals.documents {
                differs = format!(
                    "short: CouchDB counts {} documents, the file has {}",
                    end.documents, tally.totals.documents
                );
            } else if !same {
                differs = format!(
                    "the revisions in {} are not those of the database; remove it to begin anew",
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
                    totals: tally.totals,
                    security: end.security,
                    stale: self.source.stale().to_vec(),
                });
            }
            counted = Some((rows, tally));
        }
        Err(differs)
    }

    /// All changes that there are, into the file.
    async fn catch_up(&mut self) -> Result<(), String> {
        loop {
            match self.page().await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(trouble) => self.back(trouble).await?,
            }
        }
    }

    /// One page of changes; whether there was one.
    async fn page(&mut self) -> Result<bool, Trouble> {
        let since = self.writer.mark().seq.clone();
        let page = self.source.changes(&since, PAGE).await?;
        let mut rest = &page.rows[..];
        if rest.is_empty() {
            return Ok(false);
        }
        while !rest.is_empty() {
            let many = self.size.rows(rest);
            let (now, later) = rest.split_at(many);
            let rows: Vec<_> = now.iter().map(|change| &change.row).collect();
            let batch = Batch {
                source: self.source,
                writer: &mut self.writer,
                size: &mut self.size,
            };
            match batch.take(&rows).await {
                Ok(()) => {}
                // The size has shrunk.
                Err(Trouble::TooLarge) if many > 1 => {
                    self.writer.roll_back()?;
                    continue;
                }
                Err(trouble) => return Err(trouble),
            }
            let seq = now.last().map(|change| change.seq.clone());
            self.writer.checkpoint(seq.unwrap_or(since.clone()))?;
            self.tries.progress();
            let lines = self.writer.lines();
            (self.watch)(Progress::Reading {
                rows: lines.rows,
                of: self.of,
                bytes: lines.bytes,
            });
            rest = later;
        }
        Ok(true)
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

    /// What documents and leaves the database has now, told from the beginning: an earlier run's part may be of a server that has been
    /// set back since, and an answer may have left a document out.
    async fn leaves(&mut self) -> Result<Leaves, String> {
        let mut leaves = Leaves::default();
        let mut since = Mark::start().seq;
        loop {
            let page = match self.source.changes(&since, PAGE).await {
                Ok(page) => page,
                Err(trouble) => {
                    self.back(trouble).await?;
                    continue;
                }
            };
            let Some(last) = page.rows.last() else {
                return Ok(leaves);
            };
            since.clone_from(&last.seq);
            page.rows.iter().for_each(|change| leaves.add(&change.row));
        }
    }

    async fn count(&mut self, rows: u64) -> Result<Tally, String> {
        (self.watch)(Progress::Checking);
        let part = self.part.to_owned();
        let upto = self.writer.mark().offset;
        let counted = tokio::task::spawn_blocking(move || {
            tally::tally(|| File::open(&part), rows, Some(upto))
        });
        match counted.await {
            Ok(Ok(tally)) => Ok(tally),
            Ok(Err(broken)) => Err(format!(
                "the file does not come back as it was written: {broken}"
            )),
            Err(error) => Err(format!("the file could not be read back: {error}")),
        }
    }

    /// What the database is at the end: its figures between two looks at the changes, the second of which has nothing new.
    async fn end(&mut self) -> Result<End, String> {
        loop {
            match self.look().await {
                Ok(end) => return Ok(end),
                Err(trouble) => self.back(trouble).await?,
            }
        }
    }

    async fn look(&mut self) -> Result<End, Trouble> {
        let security = self.source.security().await?;
        let state = self.source.state().await?;
        let since = self.writer.mark().seq.clone();
        let news = self.source.changes(&since, 1).await?.rows.len() as u64;
        Ok(End {
            rows: self.writer.mark().lines.rows + news,
            identity: state.identity,
            documents: state.figures.doc_count,
            update_seq: state.figures.update_seq(),
            security,
        })
    }
}

struct End {
    /// Rows of the file, and one more when there is news.
    rows: u64,
    identity: String,
    documents: u64,
    update_seq: String,
    security: serde_json::Value,
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
