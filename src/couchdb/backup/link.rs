//! One database over sessions in a pod.

use super::answers::{self, Changes, Figures, State};
use super::format::{Attachment, Encoding, Properties};
use super::lane::{Ask, Lane, refused, sent_to};
use super::lanes::Lanes;
use super::source::{Last, Source, Trouble, Window};
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::existence::Existence;
use crate::couchdb::request::{Copies, Path, Query};
use crate::couchdb::response::{self, Response};
use crate::couchdb::session::{Body, Method, Taker};
use crate::model::names::DatabaseName;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Largest page of changes, in bytes.
const PAGE_MAX: usize = 64 * 1024 * 1024;

/// A database of a CouchDB.
pub struct Link<'a> {
    name: &'a DatabaseName,
    /// Why what is read may be stale.
    stale: Vec<String>,
    lane: Lane<'a>,
    lanes: Lanes<'a>,
}

impl<'a> Link<'a> {
    pub fn new(cluster: &'a Cluster, target: &'a Target, name: &'a DatabaseName) -> Self {
        Self {
            name,
            stale: Vec::new(),
            lane: Lane::new(cluster, target),
            lanes: Lanes::default(),
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

    /// Ends the sessions that are open.
    pub async fn close(&mut self) {
        self.lanes.close().await;
        self.lane.close().await;
    }

    /// A GET, refusals too.
    pub(super) async fn get(&mut self, path: &Path) -> Result<Response, Trouble> {
        let answer = self.lane.session().await?.get(path).await;
        self.lane.judge(answer)
    }

    /// A POST that reads.
    pub(super) async fn query(&mut self, query: &Query, body: &[u8]) -> Result<Response, Trouble> {
        let answer = self.lane.session().await?.query(query, body).await;
        self.lane.judge(answer)
    }

    /// Writes; whether a lost one was carried out is not known.
    pub(super) async fn write(
        &mut self,
        method: Method,
        path: &Path,
        content_type: &str,
        body: Body<'_>,
    ) -> Result<Response, Trouble> {
        let session = self.lane.session().await?;
        #[expect(clippy::disallowed_methods, reason = "a restore's writes")]
        let answer = session.write(method, path, content_type, body).await;
        self.lane.judge(answer).map_err(|t| sent_to(path, t))
    }

    /// Writes several in one go; `false` where each is to be written alone.
    pub(super) async fn write_several(
        &mut self,
        content_type: &str,
        puts: &[(Path, Vec<u8>)],
    ) -> Result<bool, Trouble> {
        let database = Path::database(self.name);
        let session = self.lane.session().await?;
        #[expect(clippy::disallowed_methods, reason = "a restore's writes")]
        let written = session.write_several(&database, content_type, puts).await;
        let written = written.map(|all| all.then_some(()));
        Ok(self.lane.judge_several(written)?.is_some())
    }

    /// The answer to the database's own GET. One that CouchDB cannot serve now may be served again in a moment.
    pub(super) async fn database(&mut self) -> Result<Response, Trouble> {
        let path = Path::database(self.name);
        let answer = self.lane.session().await?.get(&path).await;
        if let Ok(response) = &answer
            && let Existence::Unserved(why) = Existence::judge(response)
        {
            let name = self.name;
            let why = format!("CouchDB cannot serve the database {name} at present: {why}");
            return Err(Trouble::Lost(why));
        }
        self.lane.judge(answer)
    }

    /// The body of a 200.
    pub(super) async fn good<T: DeserializeOwned>(&mut self, path: &Path) -> Result<T, Trouble> {
        let response = self.get(path).await?;
        if response.status != 200 {
            return Err(refused(path, &response));
        }
        parse(path, response.body)
    }

    /// What the database has beside its documents.
    pub(super) async fn properties(&mut self) -> Result<Properties, Trouble> {
        Ok(Properties {
            security: self.good(&Path::security(self.name)).await?,
            revs_limit: Some(self.good(&Path::revs_limit(self.name)).await?),
            purged_infos_limit: Some(self.good(&Path::purged_infos_limit(self.name)).await?),
        })
    }

    async fn figures(&mut self) -> Result<Figures, Trouble> {
        let path = Path::database(self.name);
        let response = self.database().await?;
        if matches!(Existence::judge(&response), Existence::Absent(_)) {
            return Err(Trouble::Absent);
        }
        if response.status != 200 {
            return Err(refused(&path, &response));
        }
        parse(&path, response.body)
    }

    /// Figures that are this database's.
    fn named(&self, figures: Figures) -> Result<Figures, Trouble> {
        if figures.db_name != self.name.as_str() {
            let why = format!("CouchDB calls the database {:?}", figures.db_name);
            return Err(Trouble::Final(why));
        }
        Ok(figures)
    }
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
        let figures = self.figures().await?;
        let figures = self.named(figures)?;
        let path = Path::shard_map("_local", self.name);
        let shard_map: Value = self.good(&path).await?;
        let entry: response::ShardMap = parse(&path, shard_map.clone())?;
        Ok(State {
            server: server.into(),
            identity: super::format::identity(&entry),
            shard_map,
            figures,
        })
    }

    async fn changes(&mut self, since: &str, window: Window) -> Result<Changes, Trouble> {
        let Window { limit, every } = window;
        let path = Path::changes_sparse(self.name, since, limit, every);
        let body = self.lane.body(Ask::Get(&path), PAGE_MAX).await?;
        answers::changes(&body).map_err(|e| garbled(&path, &e))
    }

    async fn documents_since(
        &mut self,
        since: &str,
        window: Window,
        max: usize,
    ) -> Result<Changes, Trouble> {
        let Window { limit, every } = window;
        let path = Path::changes_with_documents(self.name, since, limit, every);
        let body = self.lane.body(Ask::Get(&path), max).await?;
        answers::changes(&body).map_err(|e| garbled(&path, &e))
    }

    async fn documents(
        &mut self,
        revisions: &[(&str, &str)],
        attachments: bool,
        copies: Copies,
        max: usize,
    ) -> Result<Vec<Vec<u8>>, Trouble> {
        let query = Query::documents(self.name, attachments, copies);
        if attachments {
            // How long that takes says nothing of the revisions.
            let wanted = answers::wanted(revisions);
            let answer = self.lane.body(Ask::Query(&query, &wanted), max).await?;
            return Ok(vec![answer]);
        }
        self.lanes.ask(&mut self.lane, &query, revisions, max).await
    }

    async fn attachments(
        &mut self,
        revisions: &[(&str, &str)],
        max: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let query = Query::attachments(self.name);
        let wanted = answers::wanted(revisions);
        self.lane.body(Ask::Query(&query, &wanted), max).await
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
        let session = self.lane.session().await?;
        let answer = session.stream(&path, encoding, take).await;
        let response = self.lane.judge(answer)?;
        match response.status {
            200 => Ok(Some(())),
            // Its revision is gone since it was told of: the changes tell what came after it.
            404 => Err(Trouble::Lost(format!("an attachment of {id:?} is gone"))),
            _ => Err(refused(&path, &response)),
        }
    }

    async fn end(&mut self) -> Result<Last, Trouble> {
        let paths = [
            Path::security(self.name),
            Path::revs_limit(self.name),
            Path::purged_infos_limit(self.name),
            Path::shard_map("_local", self.name),
            Path::database(self.name),
        ];
        let session = self.lane.session().await?;
        let answers = session.get_several(&paths).await;
        let answers = self.lane.judge_several(answers)?;
        let [_, revs_limit, purged_infos_limit, map, database] = &paths;
        let (properties, entry, figures) = match answers.map(<[Value; 5]>::try_from) {
            Some(Ok([s, r, p, m, d])) => {
                let properties = Properties {
                    security: s,
                    revs_limit: Some(parse(revs_limit, r)?),
                    purged_infos_limit: Some(parse(purged_infos_limit, p)?),
                };
                (properties, parse(map, m)?, parse(database, d)?)
            }
            _ => {
                let properties = self.properties().await?;
                (properties, self.good(map).await?, self.figures().await?)
            }
        };
        let entry: response::ShardMap = entry;
        Ok(Last {
            identity: super::format::identity(&entry),
            figures: self.named(figures)?,
            properties,
        })
    }
}

fn parse<T: DeserializeOwned>(path: &Path, body: Value) -> Result<T, Trouble> {
    serde_json::from_value(body).map_err(|e| garbled(path, &e))
}

fn garbled(path: &Path, error: &serde_json::Error) -> Trouble {
    let what = path.as_str().split('?').next().unwrap_or_default();
    // An answer that was cut is not whole JSON either.
    Trouble::Lost(format!("the answer to {what} cannot be read: {error}"))
}
