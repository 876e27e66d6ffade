//! What else is at work on the database: replications that run or will run, and tasks. Read from CouchDB's own lists.
//!
//! Replications are told apart by the database's name alone: the same server has many addresses, so a URL's host proves nothing,
//! and a name too many is a question too many. What a list does not tell is not known, never "nothing". URLs lose their credentials
//! here; nothing else of a replication (headers, options) is kept.

use crate::couchdb::request::ROWS;
use crate::model::names::DatabaseName;
use crate::text::one_line;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What is at work, and each list that could not be read, with why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub replications: Vec<Replication>,
    pub tasks: Vec<Task>,
    /// Lists that held nothing at all, so that the last look can tell whether they still do.
    pub empty: Vec<List>,
    pub unread: Vec<(String, String)>,
}

/// What a replication does with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It writes into it, and may create it again.
    Target,
    Source,
    /// It tells neither source nor target.
    NotTold,
}

/// One replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replication {
    /// CouchDB's id of it, where there is one yet.
    pub id: Option<String>,
    /// `_replicator/name`, where a document asks for it: it outlives a restart.
    pub document: Option<String>,
    /// As CouchDB calls it: running, pending, crashing, …
    pub state: String,
    pub role: Role,
    /// Without credentials.
    pub source: Option<String>,
    pub target: Option<String>,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Task {
    /// indexer, database_compaction, view_compaction, reshard, …
    pub kind: String,
    pub member: Option<String>,
}

/// CouchDB's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    ActiveTasks,
    ReplicationDocuments,
    ReplicationJobs,
    ReshardJobs,
}

impl List {
    /// What is in it, for a sentence.
    pub fn what(self) -> &'static str {
        match self {
            Self::ActiveTasks => "the tasks on CouchDB (_active_tasks)",
            Self::ReplicationDocuments => "the replication documents (_scheduler/docs)",
            Self::ReplicationJobs => "the replications (_scheduler/jobs)",
            Self::ReshardJobs => "the splitting of shards (_reshard/jobs)",
        }
    }
}

impl Work {
    /// No list has anything of the database.
    pub fn is_none(&self) -> bool {
        self.replications.is_empty() && self.tasks.is_empty()
    }

    /// Takes one list in: its body (`None` where CouchDB has nothing to list), or why there is none.
    pub fn take(&mut self, list: List, body: Result<Option<&Value>, String>, name: &DatabaseName) {
        let Some(body) = body.transpose() else {
            return;
        };
        let read = body.and_then(|body| match list {
            List::ActiveTasks => rows(Some(body), usize::MAX),
            List::ReplicationDocuments => rows(body.get("docs"), ROWS),
            List::ReplicationJobs => rows(body.get("jobs"), ROWS),
            List::ReshardJobs => rows(body.get("jobs"), usize::MAX),
        });
        let rows = match read {
            Ok(rows) => rows,
            Err(why) => return self.unread.push((list.what().to_owned(), why)),
        };
        if rows.is_empty() {
            self.empty.push(list);
        }
        for row in rows {
            match list {
                List::ActiveTasks if text(row, "type").as_deref() != Some("replication") => {
                    self.task(row, text(row, "type"), name);
                }
                List::ReshardJobs if is_over(row, "job_state") => {}
                List::ReshardJobs => self.task(row, Some("reshard".to_owned()), name),
                List::ReplicationDocuments if is_over(row, "state") => {}
                _ => self.replication(row, list, name),
            }
        }
    }

    fn task(&mut self, row: &Value, kind: Option<String>, name: &DatabaseName) {
        let targets = row.get("targets").and_then(Value::as_array);
        let touches = ["database", "source", "target"]
            .iter()
            .filter_map(|key| row.get(key))
            .chain(targets.into_iter().flatten())
            .filter_map(Endpoint::parse)
            .any(|e| e.is(name));
        if touches {
            self.tasks.push(Task {
                kind: kind.unwrap_or_else(|| "task".to_owned()),
                member: text(row, "node"),
            });
            self.tasks.sort();
        }
    }

    /// The lists overlap: the one that was seen first stays.
    fn replication(&mut self, row: &Value, list: List, name: &DatabaseName) {
        let end = |key: &str| row.get(key).and_then(Endpoint::parse);
        let (source, target) = (end("source"), end("target"));
        let is = |end: &Option<Endpoint>| end.as_ref().is_some_and(|e| e.is(name));
        let role = match (&source, &target) {
            (None, None) => Role::NotTold,
            (_, target) if is(target) => Role::Target,
            (source, _) if is(source) => Role::Source,
            _ => return,
        };
        let document = text(row, "doc_id").map(|id| match text(row, "database") {
            Some(database) => format!("{}/{id}", bare(&database)),
            None => format!("_replicator/{id}"),
        });
        let id = text(row, "id").or_else(|| text(row, "replication_id"));
        let state = match list {
            List::ActiveTasks => "running".to_owned(),
            List::ReplicationJobs => last_event(row).unwrap_or_else(|| "scheduled".to_owned()),
            _ => text(row, "state").unwrap_or_else(|| "in an unknown state".to_owned()),
        };
        let same = |other: &Replication| {
            (id.is_some() && other.id == id) || (document.is_some() && other.document == document)
        };
        if !self.replications.iter().any(same) {
            self.replications.push(Replication {
                id,
                document,
                state,
                role,
                source: source.map(|e| e.shown),
                target: target.map(|e| e.shown),
            });
        }
    }
}

/// The rows of a list; one that is as long as it may be can go on.
fn rows(list: Option<&Value>, most: usize) -> Result<&[Value], String> {
    let rows = list
        .and_then(Value::as_array)
        .ok_or_else(|| "its answer is not the list that it should be".to_owned())?;
    if rows.iter().any(|row| !row.is_object()) {
        return Err("an entry of its answer cannot be read".to_owned());
    }
    if rows.len() >= most {
        return Err(format!(
            "there are {most} or more, and no more are asked for"
        ));
    }
    Ok(rows)
}

/// Whether a job or document will do nothing any more.
fn is_over(row: &Value, key: &str) -> bool {
    matches!(
        row.get(key).and_then(Value::as_str),
        Some("completed" | "failed")
    )
}

/// The newest entry of a job's history.
fn last_event(row: &Value) -> Option<String> {
    match text(row.get("history")?.get(0)?, "type")?.as_str() {
        "started" => Some("running".to_owned()),
        "crashed" => Some("crashing".to_owned()),
        "added" | "stopped" => Some("pending".to_owned()),
        other => Some(other.to_owned()),
    }
}

fn text(row: &Value, key: &str) -> Option<String> {
    let text = row.get(key)?.as_str()?;
    (!text.is_empty()).then(|| one_line(text))
}

/// A replicator database's name: a shard's path ends with it.
fn bare(database: &str) -> &str {
    if database.ends_with("_replicator") {
        return database;
    }
    let end = database.rfind("_replicator.");
    match (database.starts_with("shards/"), end) {
        (true, Some(end)) => {
            let name = &database[..end + "_replicator".len()];
            name.splitn(3, '/').nth(2).unwrap_or(name)
        }
        _ => database,
    }
}

/// One end of a replication, or the shard that a task works on.
struct Endpoint {
    /// Without credentials, query and fragment.
    shown: String,
    /// The parts of its path, decoded.
    parts: Vec<String>,
}

impl Endpoint {
    /// A URL, a name, a shard's path, or an object that holds one as `url`.
    fn parse(value: &Value) -> Option<Self> {
        let text = value
            .as_str()
            .or_else(|| value.get("url").and_then(Value::as_str))?;
        if text.is_empty() {
            return None;
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text),
        };
        // A password may hold any character: all before the last @ is taken for it.
        let rest = rest.rsplit('@').next().unwrap_or_default();
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let parts = rest
            .split('/')
            .skip(usize::from(scheme.is_some()))
            .map(decode);
        let shown = match scheme {
            // What stands before it is no scheme, so it may be anything.
            Some(scheme) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                format!("{scheme}://{rest}")
            }
            _ => rest.to_owned(),
        };
        Some(Self {
            shown: one_line(&shown),
            parts: parts.collect(),
        })
    }

    /// Whether a part of the path is the database, or a shard of it (`name.1709251200`).
    fn is(&self, name: &DatabaseName) -> bool {
        self.parts
            .iter()
            .any(|part| part.split('.').next() == Some(name.as_str()))
    }
}

#[cfg(test)]
mod tests;
