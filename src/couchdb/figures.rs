//! The names of all databases and their figures, over one session. Reads only.
//!
//! A hundred databases a question. What the answer leaves out is only a hint: the database's own GET says whether it exists. A first
//! 401 or 403 ends the reading, as with every read in a pod: a few more would lock the account. What was not read is unknown, with the
//! reason, and never nothing.

use super::Target;
use super::existence::{Absence, Existence};
use super::request::{Path, Query};
use super::response::{DatabaseInfo, NoResponse, Response, ShardMap};
use super::session::{Lost, Session};
use super::trouble;
use crate::cluster::Cluster;
use crate::error::Result;
use crate::model::names::DatabaseName;
use crate::snapshot::Read;
use crate::snapshot::databases::Figures;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Longest silence of CouchDB within an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Databases in one question: CouchDB refuses more.
const BATCH: usize = 100;
/// Databases that are asked for one by one, at most.
const ONE_BY_ONE: usize = 100;
/// Databases that gave no answer in time before no more are asked for one by one.
const SILENT: usize = 3;
/// Shard maps that are asked for one by one; where there are more, all are read at once.
const MAPS: usize = 10;

/// What CouchDB says of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serving {
    Served(Figures),
    /// Its own GET says that it does not exist.
    Absent(Absence),
    /// It exists, and CouchDB fails to answer for it: why.
    Unserved(String),
    /// Something hints that it does not exist, and its own GET could not tell: why.
    Unknown(String),
    /// Its figures were not read: why. Nothing hints that it does not exist.
    NotRead(String),
}

/// Where the names come from that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// CouchDB's own list, which is made of the shard map.
    AllDatabases,
    /// Objects of the API server.
    Claims,
}

/// A session that is read from. The first 401 or 403 is its last answer: everything after it fails with that, and CouchDB is not asked.
pub struct Reader {
    session: Session,
    until: Option<Instant>,
    /// The answer that ended the reading.
    over: Option<String>,
}

impl Reader {
    /// Reads without an end.
    pub fn new(session: Session) -> Self {
        Self {
            session,
            until: None,
            over: None,
        }
    }

    /// What is not answered by then is not read. The session cannot be used after that.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// Whether CouchDB refused the credentials, so that it must not be asked again.
    pub fn is_locked_out(&self) -> bool {
        self.over.is_some()
    }

    /// A document about CouchDB itself.
    pub async fn document<T: DeserializeOwned>(&mut self, path: &Path) -> Read<T> {
        match self.get(path).await {
            Ok(response) if response.status == 200 => {
                let read = serde_json::from_value(response.body);
                read.map_or_else(
                    |e| Read::failed(format!("its answer cannot be read: {e}")),
                    Read::Seen,
                )
            }
            Ok(response) => Read::failed(clause(&response)),
            Err(lost) => Read::failed(lost.clause()),
        }
    }

    /// Ends the session.
    pub async fn close(self) {
        self.session.close().await;
    }

    async fn get(&mut self, path: &Path) -> Result<Response, Lost> {
        self.is_open()?;
        let answer = within(self.until, self.session.get(path)).await;
        self.heard(answer)
    }

    async fn query(&mut self, query: &Query, body: &[u8]) -> Result<Response, Lost> {
        self.is_open()?;
        let answer = within(self.until, self.session.query(query, body)).await;
        self.heard(answer)
    }

    fn is_open(&self) -> Result<(), Lost> {
        match &self.over {
            Some(why) => Err(Lost::Session(why.clone())),
            None => Ok(()),
        }
    }

    fn heard(&mut self, answer: Result<Response, Lost>) -> Result<Response, Lost> {
        if let Ok(response) = &answer
            && is_lockout(response)
        {
            self.over = Some(clause(response));
        }
        answer
    }
}

async fn within(
    until: Option<Instant>,
    answer: impl Future<Output = Result<Response, Lost>>,
) -> Result<Response, Lost> {
    match until {
        None => answer.await,
        Some(until) => tokio::time::timeout_at(until, answer)
            .await
            .unwrap_or_else(|_| Err(Lost::Session("CouchDB did not answer in time".to_owned()))),
    }
}

/// Opens a session, and reads the names of all databases.
///
/// # Errors
/// CouchDB did not list them.
pub async fn open(cluster: &Cluster, target: &Target) -> Result<(Reader, BTreeSet<String>)> {
    let opened = Session::open(cluster, target, PATIENCE).await;
    let session = opened.map_err(|failure| failure.into_error(target))?;
    let mut reader = Reader::new(session);
    let names = names(&mut reader, target).await?;
    Ok((reader, names))
}

/// The names of all databases.
///
/// # Errors
/// CouchDB did not list them.
pub(super) async fn names(reader: &mut Reader, target: &Target) -> Result<BTreeSet<String>> {
    let path = Path::databases();
    let response = match reader.get(&path).await {
        Ok(response) => response,
        Err(lost) => return Err(trouble::unanswered(target, &path, &lost.clause())),
    };
    if is_lockout(&response) {
        return Err(trouble::refused(target, &response));
    }
    if response.status != 200 {
        return Err(trouble::answered(target, &path, &response));
    }
    serde_json::from_value(response.body)
        .map_err(|e| trouble::unanswered(target, &path, &format!("its answer cannot be read: {e}")))
}

/// What CouchDB says of each of these databases, without when it was created where its figures do not say.
pub async fn serving(
    reader: &mut Reader,
    names: &[&str],
    source: Source,
) -> BTreeMap<String, Serving> {
    let mut all: BTreeMap<String, Serving> = BTreeMap::new();
    let mut open = Vec::new();
    for (at, batch) in names.chunks(BATCH).enumerate() {
        match batched(reader, batch).await {
            Batch::Rows(rows) => {
                for (name, row) in rows {
                    match row {
                        Row::Figures(figures) => {
                            all.insert(name, Serving::Served(figures));
                        }
                        Row::NeedsGet(hint) => open.push(Open::hole(name, hint)),
                    }
                }
            }
            Batch::NotRead(why) => all.extend(not_read(batch, &why)),
            Batch::OneByOne => {
                let rest = &names[at * BATCH..];
                open.extend(rest.iter().map(|name| Open::unasked(name)));
                break;
            }
            Batch::Over(why) => {
                let rest = &names[at * BATCH..];
                all.extend(not_read(rest, &why));
                all.extend(open.into_iter().map(|open| open.untold(&why)));
                return all;
            }
        }
    }
    one_by_one(reader, open, source, &mut all).await;
    all
}

/// The same for databases that CouchDB's own list does not have: each is asked for alone.
pub async fn unlisted(reader: &mut Reader, names: &[&str]) -> BTreeMap<String, Serving> {
    let mut all = BTreeMap::new();
    let hint = "CouchDB does not list it";
    let open = names
        .iter()
        .map(|name| Open::hole((*name).to_owned(), hint));
    one_by_one(reader, open.collect(), Source::Claims, &mut all).await;
    all
}

/// What CouchDB says of each of these databases, which it has in its own list.
pub async fn listed(reader: &mut Reader, names: &[&str]) -> BTreeMap<String, Serving> {
    let mut all = serving(reader, names, Source::AllDatabases).await;
    creations(reader, names, &mut all).await;
    all
}

/// A database that is to be asked for alone.
struct Open {
    name: String,
    /// What hints that it does not exist.
    hint: Option<String>,
}

impl Open {
    fn hole(name: String, hint: impl Into<String>) -> Self {
        Self {
            name,
            hint: Some(hint.into()),
        }
    }

    fn unasked(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            hint: None,
        }
    }

    /// Its own GET did not tell: why.
    fn untold(self, why: &str) -> (String, Serving) {
        let serving = match self.hint {
            Some(hint) => Serving::Unknown(format!("{hint}; asked for it alone: {why}")),
            None => Serving::NotRead(why.to_owned()),
        };
        (self.name, serving)
    }
}

/// What a question for many gave.
enum Batch {
    Rows(BTreeMap<String, Row>),
    NotRead(String),
    /// An old server, which answers for one database at a time.
    OneByOne,
    /// Nothing more can be asked.
    Over(String),
}

/// What a question for many says of one database. It cannot say that one is absent: CouchDB has the same word for those that it cannot
/// serve.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    Figures(Figures),
    NeedsGet(String),
}

async fn batched(reader: &mut Reader, batch: &[&str]) -> Batch {
    let body = json!({ "keys": batch }).to_string();
    match reader
        .query(&Query::databases_info(), body.as_bytes())
        .await
    {
        Ok(response) if response.status == 200 => Batch::Rows(rows(batch, &response.body)),
        Ok(response) if is_lockout(&response) => Batch::Over(clause(&response)),
        Ok(response) if matches!(response.status, 404 | 405) => Batch::OneByOne,
        Ok(response) => Batch::NotRead(clause(&response)),
        Err(lost) if lost.ends_session() => Batch::Over(lost.clause()),
        Err(lost) => Batch::NotRead(lost.clause()),
    }
}

/// Reads the rows.
fn rows(batch: &[&str], body: &Value) -> BTreeMap<String, Row> {
    let left_out = || Row::NeedsGet("asked for many databases, CouchDB left it out".to_owned());
    let mut all: BTreeMap<String, Row> = batch
        .iter()
        .map(|name| ((*name).to_owned(), left_out()))
        .collect();
    for row in body.as_array().into_iter().flatten() {
        let key = row.get("key").and_then(Value::as_str).unwrap_or_default();
        if let Some(told) = all.get_mut(key) {
            *told = figures(key, row);
        }
    }
    all
}

fn figures(name: &str, row: &Value) -> Row {
    if let Some(error) = row.get("error").and_then(Value::as_str) {
        let error = crate::text::one_line(error);
        return Row::NeedsGet(format!(
            "asked for many databases, CouchDB answered {error} for it"
        ));
    }
    match info(name, row.get("info").unwrap_or(&Value::Null)) {
        Ok(figures) => Row::Figures(figures),
        Err(why) => Row::NeedsGet(why),
    }
}

fn info(name: &str, body: &Value) -> Result<Figures, String> {
    let info = DatabaseInfo::deserialize(body)
        .map_err(|error| format!("its figures cannot be read: {error}"))?;
    if info.db_name != name {
        return Err("CouchDB answered for another database".to_owned());
    }
    Ok(Figures {
        documents: info.doc_count,
        deleted: info.doc_del_count.unwrap_or_default(),
        bytes: info.sizes.file,
        active: info.sizes.active,
        created: info.created(),
    })
}

/// Asks for each alone, [`ONE_BY_ONE`] at most.
async fn one_by_one(
    reader: &mut Reader,
    open: Vec<Open>,
    source: Source,
    all: &mut BTreeMap<String, Serving>,
) {
    let mut over: Option<String> = None;
    let mut silent = 0;
    for (at, database) in open.into_iter().enumerate() {
        if at == ONE_BY_ONE && over.is_none() {
            over = Some(format!(
                "only {ONE_BY_ONE} databases are asked for one by one"
            ));
        }
        if let Some(why) = &over {
            all.extend([database.untold(why)]);
            continue;
        }
        let Some(path) = Path::listed(&database.name) else {
            all.extend([database.untold("its name cannot appear in a path")]);
            continue;
        };
        let told = match reader.get(&path).await {
            Ok(response) => alone(reader, database, &response, source).await,
            Err(lost) => {
                silent += usize::from(matches!(lost, Lost::Answer(NoResponse::TimedOut)));
                let why = lost.clause();
                if lost.ends_session() {
                    over = Some(why.clone());
                } else if silent == SILENT {
                    over = Some(format!(
                        "{SILENT} databases did not answer in time, so the others were not asked for"
                    ));
                }
                database.untold(&why)
            }
        };
        all.extend([told]);
    }
}

/// Judges the answer to a database's own GET.
async fn alone(
    reader: &mut Reader,
    database: Open,
    response: &Response,
    source: Source,
) -> (String, Serving) {
    let serving = match Existence::judge(response) {
        Existence::Served(body) if body["db_name"] != database.name.as_str() => {
            return database.untold("CouchDB answered for another database");
        }
        Existence::Served(body) => match info(&database.name, body) {
            Ok(figures) => Serving::Served(figures),
            Err(why) => Serving::NotRead(why),
        },
        Existence::Absent(absence) => Serving::Absent(absence),
        Existence::Unserved(why) => match source {
            Source::Claims if !is_mapped(reader, &database.name).await => {
                return database.untold(&why);
            }
            Source::Claims | Source::AllDatabases => Serving::Unserved(why),
        },
        Existence::Unknown(why) => return database.untold(&why),
    };
    (database.name, serving)
}

/// Whether the shard map has the database.
async fn is_mapped(reader: &mut Reader, name: &str) -> bool {
    let Ok(name) = DatabaseName::parse(name) else {
        return false;
    };
    let entry = reader.get(&Path::shard_map("_local", &name)).await;
    entry.is_ok_and(|response| {
        response.status == 200 && ShardMap::deserialize(&response.body).is_ok()
    })
}

/// Adds when each of these was created, where its figures do not say: from the shard map, as far as it can be read.
pub async fn creations(reader: &mut Reader, names: &[&str], all: &mut BTreeMap<String, Serving>) {
    let is_open =
        |name: &&&str| matches!(all.get(**name), Some(Serving::Served(f)) if f.created.is_none());
    let open: Vec<DatabaseName> = names
        .iter()
        .filter(is_open)
        .filter_map(|name| DatabaseName::parse(name).ok())
        .collect();
    let mut epochs = BTreeMap::new();
    if open.len() > MAPS {
        if let Ok(response) = reader.get(&Path::shard_maps()).await {
            epochs = maps(&response.body);
        }
    } else {
        for name in open {
            match reader.get(&Path::shard_map("_local", &name)).await {
                Ok(response) => epochs.extend(epoch(&response.body).map(|e| (name.to_string(), e))),
                Err(lost) if lost.ends_session() => break,
                Err(_) => {}
            }
        }
    }
    for (name, told) in all {
        if let Serving::Served(figures) = told
            && figures.created.is_none()
        {
            figures.created = epochs.get(name).copied();
        }
    }
}

/// Creation by name, of all documents of a shard map.
fn maps(body: &Value) -> BTreeMap<String, i64> {
    let rows = body.get("rows").and_then(Value::as_array);
    rows.into_iter()
        .flatten()
        .filter_map(|row| {
            let name = row.get("id").and_then(Value::as_str)?;
            Some((name.to_owned(), epoch(row.get("doc")?)?))
        })
        .collect()
}

fn epoch(map: &Value) -> Option<i64> {
    ShardMap::deserialize(map).ok()?.epoch()
}

fn not_read<'n>(names: &'n [&str], why: &str) -> impl Iterator<Item = (String, Serving)> + 'n {
    let why = why.to_owned();
    names
        .iter()
        .map(move |name| ((*name).to_owned(), Serving::NotRead(why.clone())))
}

fn is_lockout(response: &Response) -> bool {
    matches!(response.status, 401 | 403)
}

fn clause(response: &Response) -> String {
    format!("CouchDB answered {}", response.clause())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_is_figures_or_needs_the_databases_own_get() {
        let body = json!([
            {"key": "a_b", "info": {"db_name": "a_b", "doc_count": 7, "doc_del_count": 2,
                "sizes": {"file": 8192, "external": 5, "active": 640}, "instance_start_time": "1700000000"}},
            {"key": "a_c", "error": "not_found"},
            {"key": "a_d", "error": "timeout"},
            {"key": "a_e", "info": {"doc_count": "many"}},
            {"key": "not_asked", "info": {}},
            {"key": "a_g", "info": {"db_name": "a_b", "doc_count": 7, "sizes": {"file": 8192}, "instance_start_time": "0"}},
        ]);
        let all = rows(&["a_b", "a_c", "a_d", "a_e", "a_f", "a_g"], &body);
        assert_eq!(all.len(), 6);
        let figures = Figures {
            documents: 7,
            deleted: 2,
            bytes: 8192,
            active: Some(640),
            created: Some(1_700_000_000),
        };
        assert_eq!(all["a_b"], Row::Figures(figures));
        let why = |name: &str| match &all[name] {
            Row::NeedsGet(why) => why.clone(),
            Row::Figures(_) => panic!("{name}"),
        };
        assert_eq!(
            why("a_c"),
            "asked for many databases, CouchDB answered not_found for it"
        );
        assert_eq!(
            why("a_d"),
            "asked for many databases, CouchDB answered timeout for it"
        );
        assert!(why("a_e").starts_with("its figures cannot be read"));
        assert_eq!(why("a_f"), "asked for many databases, CouchDB left it out");
        assert_eq!(why("a_g"), "CouchDB answered for another database");
    }

    #[test]
    fn without_an_answer_a_hint_of_absence_leaves_it_open() {
        let hole = Open::hole("a_b".to_owned(), "CouchDB left it out");
        assert_eq!(
            hole.untold("no answer").1,
            Serving::Unknown("CouchDB left it out; asked for it alone: no answer".to_owned())
        );
        assert_eq!(
            Open::unasked("a_b").untold("no answer").1,
            Serving::NotRead("no answer".to_owned())
        );
    }

    #[test]
    fn an_old_server_tells_no_creation() {
        let old = json!({"db_name": "a_b", "doc_count": 1, "sizes": {"file": 1}, "instance_start_time": "0"});
        assert_eq!(info("a_b", &old).unwrap().created, None);
        let suffix: Vec<u8> = b".1700000000".to_vec();
        let body = json!({"rows": [
            {"id": "a_b", "doc": {"_rev": "1-a", "shard_suffix": suffix}},
            {"id": "_design/x", "doc": {"_rev": "1-a"}},
            {"id": "a_c", "doc": null},
        ]});
        assert_eq!(maps(&body), [("a_b".to_owned(), 1_700_000_000)].into());
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in r#"(\[|\{"rows":\[)(\{"(key|id)":("a_b"|1|null),"(info|doc|error)":(null|1|"x"|\{"(doc_count|sizes|shard_suffix)":(null|-1|\[1\]|"x"|\{\})\})\})?\]\}?"#) {
            if let Ok(body) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(rows(&["a_b"], &body).len(), 1);
                let _ = maps(&body);
            }
        }
    }
}
