//! One database over sessions in a pod: a session that is lost is opened anew with the next question.
//!
//! Judges which failures may pass. A 401 or 403 never does: asked again it would lock the account.

use super::answers::{self, Changes, State};
use super::format::{Attachment, Encoding, Properties};
use super::source::{Source, Trouble};
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::existence::Existence;
use crate::couchdb::request::{Path, Query};
use crate::couchdb::response::{self, Response};
use crate::couchdb::session::{Body, Lost, Method, Session, Taker};
use crate::couchdb::transport::Failure;
use crate::model::names::DatabaseName;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// How long CouchDB may be silent within an answer: a member that hangs is given up by CouchDB itself after 60 s.
const IDLE: Duration = Duration::from_secs(75);
/// Largest page of changes, in bytes.
const PAGE_MAX: usize = 64 * 1024 * 1024;

/// A database of a CouchDB.
pub struct Link<'a> {
    cluster: &'a Cluster,
    target: &'a Target,
    name: &'a DatabaseName,
    /// Why what is read may be stale.
    stale: Vec<String>,
    session: Option<Session>,
    /// A session has been open: what is not there now may be there again in a moment.
    opened: bool,
}

impl<'a> Link<'a> {
    pub fn new(cluster: &'a Cluster, target: &'a Target, name: &'a DatabaseName) -> Self {
        Self {
            cluster,
            target,
            name,
            stale: Vec::new(),
            session: None,
            opened: false,
        }
    }

    /// The same link, with the reasons why its data may be stale.
    #[must_use]
    pub fn stale(mut self, stale: Vec<String>) -> Self {
        self.stale = stale;
        self
    }

    /// The database.
    pub fn name(&self) -> &'a DatabaseName {
        self.name
    }

    /// Ends the session that is open.
    pub async fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    /// A GET, refusals too.
    pub(super) async fn get(&mut self, path: &Path) -> Result<Response, Trouble> {
        let answer = self.session().await?.get(path).await;
        self.judge(answer)
    }

    /// A POST that reads.
    pub(super) async fn query(&mut self, query: &Query, body: &[u8]) -> Result<Response, Trouble> {
        let answer = self.session().await?.query(query, body).await;
        self.judge(answer)
    }

    /// Writes; whether a lost one was carried out is not known.
    pub(super) async fn write(
        &mut self,
        method: Method,
        path: &Path,
        content_type: &str,
        body: Body<'_>,
    ) -> Result<Response, Trouble> {
        let session = self.session().await?;
        #[expect(clippy::disallowed_methods, reason = "a restore's writes")]
        let answer = session.write(method, path, content_type, body).await;
        self.judge(answer)
    }

    /// The answer to the database's own GET. One that CouchDB cannot serve now may be served again in a moment.
    pub(super) async fn database(&mut self) -> Result<Response, Trouble> {
        let path = Path::database(self.name);
        let answer = self.session().await?.get(&path).await;
        if let Ok(response) = &answer
            && let Existence::Unserved(why) = Existence::of(response)
        {
            let name = self.name;
            let why = format!("CouchDB cannot serve the database {name} at present: {why}");
            return Err(Trouble::Lost(why));
        }
        self.judge(answer)
    }

    /// The body of a 200.
    pub(super) async fn good<T: DeserializeOwned>(&mut self, path: &Path) -> Result<T, Trouble> {
        let response = self.get(path).await?;
        if response.status != 200 {
            return Err(refused(path, &response));
        }
        serde_json::from_value(response.body).map_err(|e| garbled(path, &e))
    }

    async fn session(&mut self) -> Result<&mut Session, Trouble> {
        if self.session.is_none() {
            let opened = Session::open(self.cluster, self.target, IDLE).await;
            let session = opened.map_err(|failure| self.not_opened(failure))?;
            self.opened = true;
            self.session = Some(session);
        }
        Ok(self.session.as_mut().expect("it has been opened above"))
    }

    /// A pod that is restarted is not found, or not ready, for a moment.
    fn not_opened(&self, failure: Failure) -> Trouble {
        let code = match &failure {
            Failure::Exec(error) => error.http_code(),
            Failure::Unfit(_) => return Trouble::Final(failure.clause()),
            Failure::Broken(_) => None,
        };
        match code {
            Some(401 | 403) => Trouble::Final(failure.clause()),
            Some(400..500) if !self.opened => Trouble::Final(failure.clause()),
            _ => Trouble::Lost(failure.clause()),
        }
    }

    fn judge(&mut self, answer: Result<Response, Lost>) -> Result<Response, Trouble> {
        match answer {
            Ok(response) => judged(response),
            Err(lost) => {
                if lost.ends_session() {
                    self.session = None;
                }
                Err(match lost {
                    Lost::Taker(error) => Trouble::File(error),
                    lost => Trouble::Lost(lost.clause()),
                })
            }
        }
    }

    /// An answer's bytes, `max` at most.
    async fn body(&mut self, ask: Ask<'_>, max: usize) -> Result<Vec<u8>, Trouble> {
        let mut all = Vec::new();
        let mut too_large = false;
        let mut take = |bytes: bytes::Bytes| {
            if all.len() + bytes.len() > max {
                too_large = true;
                return Err(std::io::Error::other("the answer is too long"));
            }
            all.extend_from_slice(&bytes);
            Ok(())
        };
        let session = self.session().await?;
        let (path, answer) = match ask {
            Ask::Get(path) => (path, session.stream(path, None, &mut take).await),
            Ask::Query(query, body) => {
                let answer = session.stream_query(query, body, &mut take).await;
                (query.path(), answer)
            }
        };
        match self.judge(answer) {
            Err(Trouble::File(_)) if too_large => Err(Trouble::TooLarge),
            Err(trouble) => Err(trouble),
            Ok(response) if (200..300).contains(&response.status) => Ok(all),
            Ok(response) => Err(refused(path, &response)),
        }
    }
}

/// A question whose answer is taken as bytes.
enum Ask<'q> {
    Get(&'q Path),
    Query(&'q Query, &'q [u8]),
}

impl Source for Link<'_> {
    fn stale(&self) -> &[String] {
        &self.stale
    }

    async fn state(&mut self) -> Result<State, Trouble> {
        let server: response::Server = self.good(&Path::root()).await?;
        if server.couchdb != "Welcome" {
            return Err(Trouble::Final(
                "the server does not say that it is CouchDB".into(),
            ));
        }
        let path = Path::database(self.name);
        let response = self.database().await?;
        if matches!(Existence::of(&response), Existence::Absent(_)) {
            return Err(Trouble::Absent);
        }
        if response.status != 200 {
            return Err(refused(&path, &response));
        }
        let figures: answers::Figures =
            serde_json::from_value(response.body).map_err(|e| garbled(&path, &e))?;
        if figures.db_name != self.name.as_str() {
            let why = format!("CouchDB calls the database {:?}", figures.db_name);
            return Err(Trouble::Final(why));
        }
        let path = Path::shard_map("_local", self.name);
        let shard_map: Value = self.good(&path).await?;
        let entry: response::ShardMap =
            serde_json::from_value(shard_map.clone()).map_err(|e| garbled(&path, &e))?;
        Ok(State {
            server: server.into(),
            identity: super::format::identity(&entry),
            shard_map,
            figures,
        })
    }

    async fn changes(&mut self, since: &str, limit: usize) -> Result<Changes, Trouble> {
        let path = Path::changes(self.name, since, limit);
        let body = self.body(Ask::Get(&path), PAGE_MAX).await?;
        answers::changes(&body).map_err(|e| garbled(&path, &e))
    }

    async fn documents_since(
        &mut self,
        since: &str,
        limit: usize,
        max: usize,
    ) -> Result<Changes, Trouble> {
        let path = Path::changes_with_documents(self.name, since, limit);
        let body = self.body(Ask::Get(&path), max).await?;
        answers::changes(&body).map_err(|e| garbled(&path, &e))
    }

    async fn documents(
        &mut self,
        revisions: &[(&str, &str)],
        attachments: bool,
        max: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let query = Query::documents(self.name, attachments);
        let wanted = answers::wanted(revisions);
        self.body(Ask::Query(&query, &wanted), max).await
    }

    async fn attachment(
        &mut self,
        id: &str,
        rev: &str,
        attachment: &Attachment,
        take: &mut Taker<'_>,
    ) -> Result<Option<()>, Trouble> {
        let Some(path) = Path::attachment(self.name, id, rev, &attachment.name) else {
            return Ok(None);
        };
        let encoding = attachment.encoding.map(Encoding::name);
        let session = self.session().await?;
        let answer = session.stream(&path, encoding, take).await;
        let response = self.judge(answer)?;
        match response.status {
            200 => Ok(Some(())),
            // Its revision is gone since it was told of: the changes tell what came after it.
            404 => Err(Trouble::Lost(format!("an attachment of {id:?} is gone"))),
            _ => Err(refused(&path, &response)),
        }
    }

    async fn properties(&mut self) -> Result<Properties, Trouble> {
        Ok(Properties {
            security: self.good(&Path::security(self.name)).await?,
            revs_limit: Some(self.good(&Path::revs_limit(self.name)).await?),
            purged_infos_limit: Some(self.good(&Path::purged_infos_limit(self.name)).await?),
        })
    }
}

/// Server errors may pass; what is forbidden is final.
fn judged(response: Response) -> Result<Response, Trouble> {
    let said = || format!("CouchDB answered {}", response.clause());
    match response.status {
        401 | 403 => Err(Trouble::Final(said())),
        429 | 500..600 => Err(Trouble::Lost(said())),
        _ => Ok(response),
    }
}

/// A status that is not what was asked for.
pub(super) fn refused(path: &Path, response: &Response) -> Trouble {
    let what = path.as_str().split('?').next().unwrap_or_default();
    Trouble::Final(format!("CouchDB answered {} to {what}", response.clause()))
}

fn garbled(path: &Path, error: &serde_json::Error) -> Trouble {
    let what = path.as_str().split('?').next().unwrap_or_default();
    // An answer that was cut is not whole JSON either.
    Trouble::Lost(format!("the answer to {what} cannot be read: {error}"))
}
