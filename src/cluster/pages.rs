//! Lists, page by page: the only way to one.
//!
//! Owns `limit`, `continue` and the rules that make pages a list: each is checked, all are of one moment, and the last one is
//! reached. A token that is too old (410) begins the list again from its start, never from a later moment, so that an object
//! that was there all the while is in the list.

use super::answer::{Asked, Fault, Item, Page};
use super::{Cluster, ClusterError, transport::Transport};
use crate::bundle::request::Accept;
use crate::snapshot::{Listing, Why};
use bytes::Bytes;
use std::collections::HashSet;
use std::marker::PhantomData;
use tokio::task::JoinHandle;

/// Turns of the runtime in which a request is on its way: the client's layers, the connection, TLS.
const TURNS: usize = 8;

/// Objects in a page, as kubectl asks for them.
const LIMIT: usize = 500;
/// How often a list begins again because its token was too old.
const RESTARTS_MAX: usize = 2;
/// Most pages of a list: five million objects.
const PAGES_MAX: usize = 10_000;
/// Most pages without an object in a row: a server that filters may send some.
const EMPTY_MAX: usize = 20;

/// Which list is meant: its path, with a query or without, and the form of its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOf {
    path: String,
    accept: Accept,
}

impl ListOf {
    /// The objects themselves.
    pub fn objects(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            accept: Accept::Json,
        }
    }

    /// The objects' metadata alone: what is in them (a Secret's payload) is not sent.
    pub fn metadata(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            accept: Accept::Metadata,
        }
    }

    /// Why its first objects are not all.
    fn cut(&self, number: usize) -> Why {
        let asked = Asked::parse(&self.path);
        let plural = asked.map_or("objects".to_owned(), |asked| asked.plural);
        Why::NotAsked(format!("only the first {number} {plural} were read"))
    }
}

/// One page of a list. Only an answer that was checked makes one.
#[derive(Debug)]
pub struct List<T> {
    items: Vec<T>,
    last: bool,
}

impl<T: Item> List<T> {
    fn parse(page: &Page<'_>) -> Result<Self, Fault> {
        let mut items = Vec::with_capacity(page.len());
        page.each(|item| items.push(item))?;
        Ok(Self {
            items,
            last: page.token.is_empty(),
        })
    }
}

impl<T> List<T> {
    pub fn items(&self) -> &[T] {
        &self.items
    }

    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Whether no page follows.
    pub fn is_last(&self) -> bool {
        self.last
    }
}

/// A whole list, of one moment.
#[derive(Debug)]
pub struct All<T> {
    items: Vec<T>,
    resource_version: String,
}

impl<T> All<T> {
    pub fn items(&self) -> &[T] {
        &self.items
    }

    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Its moment: a watch from there misses nothing.
    pub fn resource_version(&self) -> &str {
        &self.resource_version
    }
}

/// The pages of a list, for who shows them as they come.
pub struct Pages<T> {
    cursor: Cursor,
    item: PhantomData<fn() -> T>,
}

/// A page after the first.
#[derive(Debug)]
pub enum Step<T> {
    Page(List<T>),
    /// The first page again: the list was restarted, and earlier pages no longer count.
    Again(List<T>),
}

impl<T: Item> Pages<T> {
    /// Reads the first page.
    pub(super) async fn open(
        transport: Transport,
        list: &ListOf,
    ) -> Result<(List<T>, Self), ClusterError> {
        let mut pages = Self {
            cursor: Cursor::new(transport, list.clone(), LIMIT),
            item: PhantomData,
        };
        match pages.next().await? {
            Some(Step::Page(first) | Step::Again(first)) => Ok((first, pages)),
            None => Err(ClusterError::Other("a list without a page".to_owned())),
        }
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// What the API server or the connection said. After an error there is no further page.
    pub async fn next(&mut self) -> Result<Option<Step<T>>, ClusterError> {
        let mut again = false;
        while let Some(fetched) = self.cursor.fetch().await? {
            again |= fetched.again;
            let Some(page) = self.cursor.page(&fetched.body)? else {
                continue;
            };
            self.cursor.turn(&page).await?;
            let list = List::parse(&page).map_err(|fault| self.cursor.fault(fault))?;
            return Ok(Some(if again {
                Step::Again(list)
            } else {
                Step::Page(list)
            }));
        }
        Ok(None)
    }
}

impl Cluster {
    /// A list page by page, for a screen: the first page, and those after it.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn pages<T: Item>(&self, list: &ListOf) -> Result<(List<T>, Pages<T>), ClusterError> {
        Pages::open(self.transport.clone(), list).await
    }

    /// The first `limit` objects of a list; where others follow, the answer is not all.
    ///
    /// # Errors
    /// As [`Cluster::pages`].
    pub async fn page<T: Item>(
        &self,
        list: &ListOf,
        limit: usize,
    ) -> Result<Listing<T>, ClusterError> {
        let mut cursor = Cursor::new(self.transport.clone(), list.clone(), limit);
        while let Some(fetched) = cursor.fetch().await? {
            if let Some(page) = cursor.page(&fetched.body)? {
                let read = List::parse(&page).map_err(|fault| cursor.fault(fault))?;
                let number = read.items.len();
                let not_all = (!read.last).then(|| list.cut(number));
                return Ok(Listing::new(read.items, not_all));
            }
        }
        Err(ClusterError::Other("a list without a page".to_owned()))
    }

    /// Folds a whole list: every page is valid, all are of one moment, and the last one is reached. For whoever concludes that
    /// something is absent.
    ///
    /// Items are handed out one by one and can be dropped. Where the list begins again (its token was too old, or a page was
    /// malformed, which is read again once), what was taken is thrown away and `start` called for a fresh state.
    ///
    /// # Errors
    /// As [`Cluster::pages`]; nothing that was taken is given out then.
    pub async fn whole<T: Item, S>(
        &self,
        list: &ListOf,
        start: impl Fn() -> S,
        take: impl FnMut(&mut S, T),
    ) -> Result<S, ClusterError> {
        let (state, _) = self.whole_at(list, start, take).await?;
        Ok(state)
    }

    /// A whole list, of one moment, kept.
    ///
    /// # Errors
    /// As [`Cluster::whole`].
    pub async fn all<T: Item>(&self, list: &ListOf) -> Result<All<T>, ClusterError> {
        let (items, resource_version) = self.whole_at(list, Vec::new, Vec::push).await?;
        Ok(All {
            items,
            resource_version,
        })
    }

    async fn whole_at<T: Item, S>(
        &self,
        list: &ListOf,
        start: impl Fn() -> S,
        mut take: impl FnMut(&mut S, T),
    ) -> Result<(S, String), ClusterError> {
        match self.fold(list, &start, &mut take).await {
            // What stands between may have answered in the API server's place, this once.
            Err(error) if error.is_malformed() => self.fold(list, &start, &mut take).await,
            other => other,
        }
    }

    async fn fold<T: Item, S>(
        &self,
        list: &ListOf,
        start: &impl Fn() -> S,
        take: &mut impl FnMut(&mut S, T),
    ) -> Result<(S, String), ClusterError> {
        let mut cursor = Cursor::new(self.transport.clone(), list.clone(), LIMIT);
        let mut state = start();
        while let Some(fetched) = cursor.fetch().await? {
            if fetched.again {
                state = start();
            }
            let Some(page) = cursor.page(&fetched.body)? else {
                continue;
            };
            cursor.turn(&page).await?;
            let taken = page.each(|item| take(&mut state, item));
            taken.map_err(|fault| cursor.fault(fault))?;
        }
        Ok((state, std::mem::take(&mut cursor.moment)))
    }
}

/// A place in a list.
struct Cursor {
    transport: Transport,
    list: ListOf,
    /// Halved where a page is too large.
    limit: usize,
    next: Next,
    /// Token of the page that was fetched last; empty for the first.
    at: String,
    moment: String,
    /// Tokens that were followed since the list began.
    followed: HashSet<String>,
    pages: usize,
    empty: usize,
    restarts: usize,
}

/// What is asked for next.
enum Next {
    /// The page of this token (empty: the first one), which may be on its way.
    Page(String, Option<Ahead>),
    End,
}

/// A request that was sent before its answer is wanted.
struct Ahead(JoinHandle<Result<Bytes, ClusterError>>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A page's body.
struct Fetched {
    body: Bytes,
    /// The list has begun again with it.
    again: bool,
}

impl Cursor {
    fn new(transport: Transport, list: ListOf, limit: usize) -> Self {
        Self {
            transport,
            list,
            limit,
            next: Next::Page(String::new(), None),
            at: String::new(),
            moment: String::new(),
            followed: HashSet::new(),
            pages: 0,
            empty: 0,
            restarts: 0,
        }
    }

    /// The next page's body; `None` after the last page.
    async fn fetch(&mut self) -> Result<Option<Fetched>, ClusterError> {
        let mut again = false;
        loop {
            let (token, ahead) = match std::mem::replace(&mut self.next, Next::End) {
                Next::End => return Ok(None),
                Next::Page(token, ahead) => (token, ahead),
            };
            let answer = match ahead {
                Some(mut ahead) => (&mut ahead.0)
                    .await
                    .map_err(|e| ClusterError::Other(e.to_string()))?,
                None => self.ask(&token).await,
            };
            self.at = token;
            match answer {
                Ok(body) => return Ok(Some(Fetched { body, again })),
                Err(ClusterError::TooLarge) if self.halve() => {}
                Err(error) if error.api_code() == Some(410) && self.restart() => again = true,
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the body that was fetched; `None` where it is too much at once and the page is to be asked for in smaller ones.
    fn page<'a>(&mut self, body: &'a [u8]) -> Result<Option<Page<'a>>, ClusterError> {
        // Saved files have whole lists.
        let limit = match self.transport.archive() {
            Some(_) => usize::MAX,
            None => self.limit,
        };
        match Page::parse(&self.list.path, self.list.accept, limit, body) {
            Ok(page) => Ok(Some(page)),
            Err(Fault::Large) if self.halve() => Ok(None),
            Err(fault) => Err(self.fault(fault)),
        }
    }

    /// Goes past a page: checks that the list goes on as one list, and sends for the next page.
    async fn turn(&mut self, page: &Page<'_>) -> Result<(), ClusterError> {
        self.pages += 1;
        if self.moment.is_empty() {
            self.moment.clone_from(&page.resource_version);
        } else if !page.resource_version.is_empty() && page.resource_version != self.moment {
            return Err(self.form("a list whose pages are of different moments"));
        }
        self.empty = if page.len() == 0 { self.empty + 1 } else { 0 };
        if page.token.is_empty() {
            return Ok(());
        }
        if !self.followed.insert(page.token.clone())
            || self.empty > EMPTY_MAX
            || self.pages >= PAGES_MAX
        {
            return Err(self.form("a list that does not end: its continue tokens lead nowhere"));
        }
        let (transport, accept) = (self.transport.clone(), self.list.accept);
        let path = self.page_path(&page.token);
        let ahead = tokio::spawn(async move { transport.get_bytes_as(&path, accept).await });
        self.next = Next::Page(page.token.clone(), Some(Ahead(ahead)));
        // Lets the request leave before the caller works on this page: it passes through several tasks, each of which needs a turn.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Whether the page can be asked for in smaller ones, which is done next.
    fn halve(&mut self) -> bool {
        if self.limit <= 1 || self.transport.archive().is_some() {
            return false;
        }
        self.limit /= 2;
        self.next = Next::Page(self.at.clone(), None);
        true
    }

    /// Whether the list may begin again after its token was too old, which is done next.
    fn restart(&mut self) -> bool {
        if self.at.is_empty() || self.restarts >= RESTARTS_MAX {
            return false;
        }
        self.restarts += 1;
        self.next = Next::Page(String::new(), None);
        self.moment.clear();
        self.followed.clear();
        self.empty = 0;
        true
    }

    async fn ask(&self, token: &str) -> Result<Bytes, ClusterError> {
        self.transport
            .get_bytes_as(&self.page_path(token), self.list.accept)
            .await
    }

    fn page_path(&self, token: &str) -> String {
        let path = &self.list.path;
        let join = if path.contains('?') { '&' } else { '?' };
        let mut path = format!("{path}{join}limit={}", self.limit);
        if !token.is_empty() {
            path.push_str("&continue=");
            path.push_str(&super::segment(token));
        }
        path
    }

    fn form(&mut self, why: &str) -> ClusterError {
        self.fault(Fault::Form(why.to_owned()))
    }

    /// The error of a page; there is none after it.
    fn fault(&mut self, fault: Fault) -> ClusterError {
        self.next = Next::End;
        self.transport.fault(fault)
    }
}

#[cfg(test)]
mod tests;
