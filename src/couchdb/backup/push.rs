//! Puts a file into a database, as it was: every revision under its own name (`new_edits=false`), so that a batch that is sent twice
//! changes nothing the second time. Then asks the database which revisions it lacks (`check.rs`).
//!
//! Design documents come last: their validation may refuse what was written before they were. Only [`super::super::session`]'s `write`
//! and `write_several` change anything, and only for a [`Restore`] that the user has confirmed.

mod check;

use super::answers;
use super::format::Meta;
use super::group::{self, Group};
use super::items::{Item, Items};
use super::lane::refused;
use super::link::Link;
use super::multipart;
use super::pull::{PAUSES, Progress, Tries, Watch};
use super::source::Trouble;
use super::whole::Whole;
use super::writer::Mark;
use crate::couchdb::existence::Existence;
use crate::couchdb::request::Path;
use crate::couchdb::response::Response;
use crate::couchdb::session::{Body, Method};
use crate::private_file::Reader;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io;
use tokio::io::AsyncReadExt;

/// What is written at once, in bytes of text and in revisions.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
const BATCH: usize = 2000;

/// What is there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    Nothing,
    /// A database with so many documents.
    Database {
        documents: u64,
        partitioned: bool,
    },
}

/// Why a restore ended before its end.
#[derive(Debug)]
pub struct NotRestored {
    pub why: String,
    /// Something may have been written.
    pub begun: bool,
}

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Documents that the database has now.
    pub documents: u64,
    /// Revisions of the file, all of which the database has.
    pub revisions: u64,
    /// What the database has beside its documents and the file says otherwise. Only of a database that was there before.
    pub other: Vec<&'static str>,
}

/// Which documents are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Documents,
    Designs,
}

/// A restore of one file into one database.
pub struct Restore<'a, 'l> {
    link: &'a mut Link<'l>,
    whole: &'a Whole,
    /// The database was there before: its security object stays.
    merged: bool,
    tries: Tries<'static>,
    begun: bool,
    /// Revisions with attachments are written one by one: several at once failed before.
    apart: bool,
}

impl<'a, 'l> Restore<'a, 'l> {
    pub fn new(link: &'a mut Link<'l>, whole: &'a Whole) -> Self {
        Self {
            link,
            whole,
            merged: false,
            tries: Tries::new(&PAUSES),
            begun: false,
            apart: false,
        }
    }

    /// What is there now.
    ///
    /// # Errors
    /// It could not be read.
    pub async fn look(&mut self, watch: &mut Watch<'_>) -> Result<Present, String> {
        self.retried(watch, async |restore, _| restore.there().await)
            .await
    }

    /// Does `step` again while what hinders it may pass.
    async fn retried<T>(
        &mut self,
        watch: &mut Watch<'_>,
        mut step: impl AsyncFnMut(&mut Self, &mut Watch<'_>) -> Result<T, Trouble>,
    ) -> Result<T, String> {
        loop {
            match step(self, watch).await {
                Ok(done) => return Ok(done),
                Err(trouble) => self.tries.again(trouble, watch).await?,
            }
        }
    }

    /// Writes all of it and asks for all of it.
    ///
    /// # Errors
    /// It ended before that.
    pub async fn run(
        &mut self,
        there: Present,
        watch: &mut Watch<'_>,
    ) -> Result<Restored, NotRestored> {
        let done = self.steps(there, watch).await;
        done.map_err(|why| NotRestored {
            why,
            begun: self.begun,
        })
    }

    async fn steps(&mut self, there: Present, watch: &mut Watch<'_>) -> Result<Restored, String> {
        self.merged = there != Present::Nothing;
        if !self.merged {
            self.create(watch).await?;
            self.settle(watch).await?;
        }
        self.documents(Pass::Documents, watch).await?;
        self.documents(Pass::Designs, watch).await?;
        self.verify(watch).await
    }

    async fn there(&mut self) -> Result<Present, Trouble> {
        let path = Path::database(self.link.name());
        let response = self.link.database().await?;
        if let Existence::Absent(_) = Existence::judge(&response) {
            return Ok(Present::Nothing);
        }
        if response.status != 200 {
            return Err(refused(&path, &response));
        }
        let figures: answers::Figures = serde_json::from_value(response.body)
            .map_err(|e| Trouble::Final(format!("the database's figures cannot be read: {e}")))?;
        Ok(Present::Database {
            documents: figures.doc_count,
            partitioned: figures.is_partitioned(),
        })
    }

    /// Creates the database. One that was created in the meantime is somebody else's. So it may be where the answer to the creation was
    /// lost: CouchDB takes no mark of who creates a database, and its identity tells the second alone.
    async fn create(&mut self, watch: &mut Watch<'_>) -> Result<(), String> {
        let header = &self.whole.header;
        let path = Path::creation(self.link.name(), header.partitioned, header.shards);
        self.begun = true;
        let mut lost = false;
        loop {
            let answer = self.put(&path, b"{}").await;
            let trouble = match answer {
                Ok(Response {
                    status: 201 | 202, ..
                }) => break,
                Ok(Response { status: 412, .. }) => {
                    self.begun = false;
                    return Err(if lost {
                        "the answer to the creation was lost, and the database exists now: it may be somebody else's, so nothing was written into it"
                    } else {
                        "the database was created in the meantime"
                    }
                    .to_owned());
                }
                Ok(response) => refused(&path, &response),
                Err(trouble) => trouble,
            };
            lost |= matches!(trouble, Trouble::Lost(_));
            self.tries.again(trouble, watch).await?;
        }
        match self.look(watch).await? {
            Present::Database {
                documents: 0,
                partitioned,
            } if partitioned == header.partitioned => Ok(()),
            Present::Database { documents: 0, .. } => Err(format!(
                "the database had partitioned={}, but CouchDB created it differently",
                header.partitioned
            )),
            Present::Database { documents, .. } => Err(format!(
                "the new database already has {documents} documents"
            )),
            Present::Nothing => Err("the new database does not exist".to_owned()),
        }
    }

    /// Gives the database what it has beside its documents. Before these: a history longer than the limit would be cut.
    async fn settle(&mut self, watch: &mut Watch<'_>) -> Result<(), String> {
        let name = self.link.name();
        let properties = &self.whole.trailer.properties;
        let limits = [
            (Path::revs_limit(name), properties.revs_limit),
            (
                Path::purged_infos_limit(name),
                properties.purged_infos_limit,
            ),
        ];
        let security = (Path::security(name), properties.security.to_string());
        let limits = limits
            .into_iter()
            .filter_map(|(path, limit)| Some((path, limit?.to_string())));
        for (path, value) in limits.chain([security]).collect::<Vec<_>>() {
            self.set(&path, &value, watch).await?;
        }
        Ok(())
    }

    async fn set(&mut self, path: &Path, body: &str, watch: &mut Watch<'_>) -> Result<(), String> {
        self.retried(watch, async |restore, _| {
            let response = restore.put(path, body.as_bytes()).await?;
            match response.status {
                200..=202 => Ok(()),
                _ => Err(refused(path, &response)),
            }
        })
        .await
    }

    async fn put(&mut self, path: &Path, body: &[u8]) -> Result<Response, Trouble> {
        let body = Body::Bytes(body);
        self.link.write(Method::Put, path, JSON, body).await
    }

    /// Writes the documents of a pass, from the last whole member on where the connection broke.
    async fn documents(&mut self, pass: Pass, watch: &mut Watch<'_>) -> Result<(), String> {
        let mut mark = Mark::start();
        self.retried(watch, async |restore, watch| {
            restore.members(pass, &mut mark, watch).await
        })
        .await
    }

    /// From `mark` to the end; `mark` goes along.
    async fn members(
        &mut self,
        pass: Pass,
        mark: &mut Mark,
        watch: &mut Watch<'_>,
    ) -> Result<(), Trouble> {
        let mut items = self.open(mark)?;
        let mut row = mark.lines.rows;
        let mut skipped = false;
        let mut batch: Vec<Box<RawValue>> = Vec::new();
        let mut size = 0;
        let mut group = Group::default();
        while let Some(item) = next(&mut items)? {
            match item {
                Item::Row(found) => {
                    let design = found.id.starts_with("_design/");
                    skipped = self.is_superseded(row) || design != (pass == Pass::Designs);
                    row += 1;
                }
                Item::Document(..) if skipped => {}
                Item::Document(raw, meta) if meta.stubs().next().is_some() => {
                    self.attached(&raw, &meta, &mut items, &mut group).await?;
                }
                Item::Document(raw, _) => {
                    if size + raw.get().len() > BATCH_BYTES || batch.len() == BATCH {
                        self.send(&mut batch).await?;
                        size = 0;
                    }
                    size += raw.get().len();
                    batch.push(raw);
                }
                Item::Checkpoint(_) => {
                    self.send(&mut batch).await?;
                    size = 0;
                    self.send_group(&mut group).await?;
                    self.tries.progress();
                    if pass == Pass::Documents {
                        watch(Progress::Writing {
                            rows: row,
                            of: self.whole.trailer.lines.rows,
                            bytes: items.lines().bytes,
                        });
                    }
                }
                Item::Header(_) | Item::Attachment(_) | Item::Content(_) | Item::Trailer(_) => {}
            }
            if batch.is_empty() && group.is_empty() && items.mark().offset > mark.offset {
                *mark = items.mark().clone();
            }
        }
        Ok(())
    }

    /// Writes a batch; CouchDB names those that it refuses.
    async fn send(&mut self, batch: &mut Vec<Box<RawValue>>) -> Result<(), Trouble> {
        if batch.is_empty() {
            return Ok(());
        }
        let path = Path::bulk_documents(self.link.name());
        let mut body = String::from("{\"new_edits\":false,\"docs\":[");
        for (at, raw) in batch.iter().enumerate() {
            if at > 0 {
                body.push(',');
            }
            body.push_str(raw.get());
        }
        body.push_str("]}");
        batch.clear();
        let sent = Body::Bytes(body.as_bytes());
        let response = self.link.write(Method::Post, &path, JSON, sent).await?;
        match response.status {
            201 | 202 => {}
            // What CouchDB says of a batch some of whose documents it does not take.
            417 => {}
            _ => return Err(refused(&path, &response)),
        }
        let refusal = response
            .body
            .as_array()
            .into_iter()
            .flatten()
            .find(|told| told.get("error").is_some());
        match refusal {
            None if response.status == 417 => Err(refused(&path, &response)),
            None => Ok(()),
            Some(told) => {
                let word = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default();
                Err(Trouble::Final(format!(
                    "CouchDB rejects document {:?}: {} {}",
                    word("id"),
                    word("error"),
                    word("reason")
                )))
            }
        }
    }

    /// Writes a revision whose attachments stand behind it, or puts it into the group.
    async fn attached(
        &mut self,
        raw: &RawValue,
        meta: &Meta,
        items: &mut Items<Reader>,
        group: &mut Group,
    ) -> Result<(), Trouble> {
        let Some(path) = Path::revision(self.link.name(), &meta.id) else {
            let why = format!("document {:?} cannot be written by a path", meta.id);
            return Err(Trouble::Final(why));
        };
        let boundary = group.boundary().to_owned();
        let mut body = multipart::Body::new(raw, meta, items, boundary)
            .map_err(|e| Trouble::Final(format!("document {:?} cannot be read: {e}", meta.id)))?;
        if body.length() <= group::SMALL {
            let mut held = Vec::new();
            body.read_to_end(&mut held)
                .await
                .map_err(|e| Trouble::Final(format!("the file has changed: {e}")))?;
            group.push(path, held);
            return match group.is_full() {
                true => self.send_group(group).await,
                false => Ok(()),
            };
        }
        let content_type = body.content_type();
        let sent = Body::Stream {
            length: body.length(),
            from: &mut body,
        };
        self.revision(&path, &content_type, sent).await
    }

    /// Writes a group in one go, or one by one where that fails: which of them were written does not matter, and a refusal has its path.
    async fn send_group(&mut self, group: &mut Group) -> Result<(), Trouble> {
        let group = std::mem::take(group);
        let (content_type, puts) = (group.content_type(), group.puts());
        if puts.len() > 1 && !self.apart {
            if self.link.write_several(&content_type, puts).await? {
                return Ok(());
            }
            self.apart = true;
        }
        for (path, body) in puts {
            self.revision(path, &content_type, Body::Bytes(body))
                .await?;
        }
        Ok(())
    }

    async fn revision(
        &mut self,
        path: &Path,
        content_type: &str,
        body: Body<'_>,
    ) -> Result<(), Trouble> {
        let sent = self.link.write(Method::Put, path, content_type, body);
        let response = sent.await?;
        match response.status {
            200..=202 => Ok(()),
            _ => Err(refused(path, &response)),
        }
    }

    fn is_superseded(&self, row: u64) -> bool {
        self.whole.superseded.binary_search(&row).is_ok()
    }

    /// The file from `mark` on.
    fn open(&self, mark: &Mark) -> io::Result<Items<Reader>> {
        let reader = Reader::new(&self.whole.file, mark.offset)?;
        Ok(Items::at(reader, mark.clone()))
    }
}

const JSON: &str = "application/json";

/// The file was whole when it was read first.
fn next(items: &mut Items<Reader>) -> Result<Option<Item>, Trouble> {
    items
        .next_item()
        .map_err(|broken| Trouble::Final(format!("the file has changed: {broken}")))
}
