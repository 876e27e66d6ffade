//! Where the documents come from: what a backup asks of a database, and what can go wrong.

use super::answers::{Changes, Figures, State};
use super::format::{Attachment, Properties};
use crate::couchdb::request::Copies;
use crate::couchdb::session::Taker;
use std::io;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The connection, or CouchDB for a moment: asked again it may answer.
    Lost(String),
    /// The answer is longer than was allowed; a smaller question has a smaller answer.
    TooLarge,
    /// The database does not exist.
    Absent,
    /// Asked again it would say the same.
    Final(String),
    /// The file cannot be written or read.
    File(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// What is asked of the changes feed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Rows at most.
    pub limit: usize,
    /// Every so many rows have a sequence, and the end of the page has one.
    pub every: usize,
}

impl Window {
    /// A page that is read to its end or not at all.
    pub(crate) fn whole(limit: usize) -> Self {
        Self {
            limit,
            every: limit,
        }
    }
}

/// What a database is and has beside its documents.
pub(crate) struct Last {
    pub identity: String,
    pub figures: Figures,
    pub properties: Properties,
}

/// A database that is read. After [`Trouble::Lost`] it can be asked again.
pub(crate) trait Source {
    /// Why what it gives may be stale, in sentences.
    fn stale(&self) -> &[String] {
        &[]
    }

    /// What the database says of itself now.
    async fn state(&mut self) -> Result<State, Trouble>;

    /// The next changes.
    async fn changes(&mut self, since: &str, window: Window) -> Result<Changes, Trouble>;

    /// The same with documents, in an answer of `max` bytes at most.
    async fn documents_since(
        &mut self,
        since: &str,
        window: Window,
        max: usize,
    ) -> Result<Changes, Trouble>;

    /// The answers to a question for revisions (see [`super::answers::documents`]), of `max` bytes at most together.
    async fn documents(
        &mut self,
        revisions: &[(&str, &str)],
        attachments: bool,
        copies: Copies,
        max: usize,
    ) -> Result<Vec<Vec<u8>>, Trouble>;

    /// The answer to a question for the attachments of revisions as they are stored (see [`super::attachments`]), of `max` bytes at most.
    async fn attachments(
        &mut self,
        revisions: &[(&str, &str)],
        max: usize,
    ) -> Result<Vec<u8>, Trouble>;

    /// The content of an attachment as it is stored; `None` when its name cannot be part of a path.
    async fn attachment(
        &mut self,
        id: &str,
        rev: &str,
        attachment: &Attachment,
        take: &mut Taker<'_>,
    ) -> Result<Option<()>, Trouble>;

    /// What the database is and has beside its documents, at the end.
    async fn end(&mut self) -> Result<Last, Trouble>;
}
