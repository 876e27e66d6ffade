//! The names of all databases and their figures, over one session. Reads only.
//!
//! A hundred databases a question. A first 401 or 403 ends it, as with every read in a pod: a few more would lock the account. What was
//! not told is unknown, with the reason, and never nothing.

use super::Target;
use super::request::{Path, Query};
use super::response::{Response, ShardMap};
use super::session::{Lost, Session};
use crate::error::{Error, Result};
use crate::model::names::DatabaseName;
use crate::snapshot::Read;
use crate::snapshot::databases::Figures;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Databases in one question: CouchDB refuses more.
const BATCH: usize = 100;
/// Databases that are asked for one by one, at most.
const ONE_BY_ONE: usize = 100;
/// Shard maps that are asked for one by one; where there are more, all are read at once.
const MAPS: usize = 10;

/// The names of all databases.
///
/// # Errors
/// CouchDB did not tell them.
pub async fn names(session: &mut Session, target: &Target) -> Result<BTreeSet<String>> {
    let path = Path::databases();
    let failed = |why: String| {
        Error::new(format!(
            "CouchDB in {target} did not answer GET {}: {why}",
            path.as_str()
        ))
    };
    let response = match session.get(&path).await {
        Ok(response) => response,
        Err(lost) => return Err(failed(lost.clause())),
    };
    if is_lockout(&response) {
        return Err(Error::new(format!(
            "CouchDB in {target} refused the credentials: {}",
            response.clause()
        ))
        .hint("it was asked once and is not asked again: from 3.4 on a few failures lock the account for five minutes, for the pod's probes too"));
    }
    if response.status != 200 {
        return Err(failed(response.clause()));
    }
    serde_json::from_value(response.body)
        .map_err(|e| failed(format!("its answer cannot be read: {e}")))
}

/// The figures of these databases; absent: gone since its name was read.
pub async fn of(session: &mut Session, names: &[&str]) -> BTreeMap<String, Read<Figures>> {
    let mut all = BTreeMap::new();
    for batch in names.chunks(BATCH) {
        match asked(session, batch).await {
            Asked::Rows(rows) => all.extend(rows),
            Asked::NotTold(why) => all.extend(not_told(batch, &why)),
            Asked::NotServed => {
                if one_by_one(session, names, &mut all).await {
                    break;
                }
                return all;
            }
            Asked::Over(why) => {
                let rest = names.iter().filter(|n| !all.contains_key(**n));
                let rest: Vec<&str> = rest.copied().collect();
                all.extend(not_told(&rest, &why));
                return all;
            }
        }
    }
    creations(session, &mut all).await;
    all
}

/// What a question gave.
enum Asked {
    Rows(BTreeMap<String, Read<Figures>>),
    NotTold(String),
    /// An old server, which tells of one database at a time.
    NotServed,
    /// Nothing more can be asked.
    Over(String),
}

async fn asked(session: &mut Session, batch: &[&str]) -> Asked {
    let body = json!({ "keys": batch }).to_string();
    match session
        .query(&Query::databases_info(), body.as_bytes())
        .await
    {
        Ok(response) if response.status == 200 => Asked::Rows(rows(batch, &response.body)),
        Ok(response) if is_lockout(&response) => Asked::Over(clause(&response)),
        Ok(response) if matches!(response.status, 404 | 405) => Asked::NotServed,
        Ok(response) => Asked::NotTold(clause(&response)),
        Err(lost) => after(lost),
    }
}

fn after(lost: Lost) -> Asked {
    if lost.ends_session() {
        Asked::Over(lost.clause())
    } else {
        Asked::NotTold(lost.clause())
    }
}

/// Reads the rows; a name that has none is not told.
fn rows(batch: &[&str], body: &Value) -> BTreeMap<String, Read<Figures>> {
    let mut all: BTreeMap<String, Read<Figures>> = not_told(batch, "CouchDB left it out").collect();
    for row in body.as_array().into_iter().flatten() {
        let key = row.get("key").and_then(Value::as_str).unwrap_or_default();
        if let Some(told) = all.get_mut(key) {
            *told = figures(row);
        }
    }
    all
}

fn figures(row: &Value) -> Read<Figures> {
    match row.get("error").and_then(Value::as_str) {
        Some("not_found") => return Read::Absent,
        Some(error) => {
            return Read::failed(format!("CouchDB answered {}", crate::text::one_line(error)));
        }
        None => {}
    }
    info(row.get("info").unwrap_or(&Value::Null))
}

/// `GET /{db}`, as far as it is read.
#[derive(Deserialize)]
struct Info {
    doc_count: u64,
    #[serde(default)]
    doc_del_count: u64,
    sizes: Sizes,
    #[serde(default)]
    instance_start_time: String,
}

#[derive(Deserialize)]
struct Sizes {
    file: u64,
    active: Option<u64>,
}

fn info(body: &Value) -> Read<Figures> {
    match Info::deserialize(body) {
        Ok(info) => Read::Seen(Figures {
            documents: info.doc_count,
            deleted: info.doc_del_count,
            bytes: info.sizes.file,
            active: info.sizes.active,
            // Before 3.3 it is always "0".
            created: info.instance_start_time.parse().ok().filter(|t| *t > 0),
        }),
        Err(error) => Read::failed(format!("its figures cannot be read: {error}")),
    }
}

/// For a server that knows no other way: some of them. Says whether more can be asked.
async fn one_by_one(
    session: &mut Session,
    names: &[&str],
    all: &mut BTreeMap<String, Read<Figures>>,
) -> bool {
    let bound =
        format!("this CouchDB tells of one database at a time, and {ONE_BY_ONE} were asked for");
    all.extend(not_told(names, &bound));
    // Only a checked name makes a path.
    let checked = names.iter().filter_map(|n| DatabaseName::parse(n).ok());
    for name in checked.take(ONE_BY_ONE) {
        let (told, over) = match session.get(&Path::database(&name)).await {
            Ok(response) if response.status == 200 => (info(&response.body), false),
            Ok(response) if response.is_absent("Database does not exist.") => (Read::Absent, false),
            Ok(response) => (Read::failed(clause(&response)), is_lockout(&response)),
            Err(lost) => (Read::failed(lost.clause()), lost.ends_session()),
        };
        all.insert(name.to_string(), told);
        if over {
            return false;
        }
    }
    true
}

/// Adds when each was created, where its figures do not tell: from the shard map, as far as it can be read.
async fn creations(session: &mut Session, all: &mut BTreeMap<String, Read<Figures>>) {
    let open: Vec<DatabaseName> = all
        .iter()
        .filter(|(_, told)| told.seen().is_some_and(|f| f.created.is_none()))
        .filter_map(|(name, _)| DatabaseName::parse(name).ok())
        .collect();
    let mut epochs = BTreeMap::new();
    if open.len() > MAPS {
        if let Ok(response) = session.get(&Path::shard_maps()).await {
            epochs = maps(&response.body);
        }
    } else {
        for name in open {
            match session.get(&Path::shard_map("_local", &name)).await {
                Ok(response) if is_lockout(&response) => return,
                Ok(response) => epochs.extend(epoch(&response.body).map(|e| (name.to_string(), e))),
                Err(lost) if lost.ends_session() => break,
                Err(_) => {}
            }
        }
    }
    for (name, told) in all {
        if let Read::Seen(figures) = told
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

fn not_told<'n>(
    names: &'n [&str],
    why: &str,
) -> impl Iterator<Item = (String, Read<Figures>)> + 'n {
    let why = why.to_owned();
    names
        .iter()
        .map(move |name| ((*name).to_owned(), Read::failed(why.clone())))
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
    fn rows_are_figures_absent_or_not_told() {
        let body = json!([
            {"key": "a_b", "info": {"db_name": "a_b", "doc_count": 7, "doc_del_count": 2,
                "sizes": {"file": 8192, "external": 5, "active": 640}, "instance_start_time": "1700000000"}},
            {"key": "a_c", "error": "not_found"},
            {"key": "a_d", "error": "timeout"},
            {"key": "a_e", "info": {"doc_count": "many"}},
            {"key": "not_asked", "info": {}},
        ]);
        let all = rows(&["a_b", "a_c", "a_d", "a_e", "a_f"], &body);
        assert_eq!(all.len(), 5);
        let figures = Figures {
            documents: 7,
            deleted: 2,
            bytes: 8192,
            active: Some(640),
            created: Some(1_700_000_000),
        };
        assert_eq!(all["a_b"], Read::Seen(figures));
        assert!(all["a_c"].is_absent());
        let why = |name: &str| {
            all[name]
                .unknown()
                .map(crate::snapshot::Why::clause)
                .unwrap()
        };
        assert_eq!(why("a_d"), "CouchDB answered timeout");
        assert!(why("a_e").starts_with("its figures cannot be read"));
        assert_eq!(why("a_f"), "CouchDB left it out");
    }

    #[test]
    fn an_old_server_tells_no_creation() {
        let old = json!({"doc_count": 1, "sizes": {"file": 1}, "instance_start_time": "0"});
        assert_eq!(info(&old).seen().unwrap().created, None);
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
