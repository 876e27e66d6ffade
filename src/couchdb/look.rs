//! What CouchDB says of the databases of a run: one exec, reads only, within a few seconds.
//!
//! A first 401 or 403 ends it, as with every read in a pod: a few more would lock the account.

use super::Target;
use super::request::Path;
use super::response::{DatabaseInfo, Response, ShardMap};
use super::script::Job;
use super::transport::{self, Answers};
use crate::cluster::Cluster;
use crate::model::names::DatabaseName;
use crate::snapshot::Read;
use crate::snapshot::databases::{Answer, Database, Databases};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Databases that are asked for one by one, at most: each takes two reads.
const ONE_BY_ONE: usize = 10;

/// Which databases are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The names of all.
    pub all: bool,
    /// Those whose size and age matter.
    pub names: Vec<DatabaseName>,
}

impl Wanted {
    /// Nothing is asked for.
    pub fn is_nothing(&self) -> bool {
        !self.all && self.names.is_empty()
    }

    fn paths(&self) -> Vec<Path> {
        let all = self.all.then(Path::databases);
        let each = self.names.iter().take(ONE_BY_ONE);
        all.into_iter()
            .chain(each.flat_map(|n| [Path::database(n), Path::shard_map("_local", n)]))
            .collect()
    }
}

/// Asks for them, `limit` at most. What has come by then counts.
pub async fn databases(
    cluster: &Cluster,
    target: &Target,
    wanted: &Wanted,
    limit: Duration,
) -> Read<Databases> {
    let job = Job::Look(wanted.paths());
    match transport::run_within(cluster, target, &job, limit).await {
        Err(transport::Failure::Exec(error)) => Read::Unknown((&error).into()),
        Err(failure) => Read::failed(failure.clause()),
        Ok(answers) => read(target, wanted, &answers),
    }
}

fn read(target: &Target, wanted: &Wanted, answers: &Answers) -> Read<Databases> {
    if let Some(refusal) = answers.locked_out() {
        return Read::failed(format!(
            "CouchDB in {target} refused {}: {}",
            target.credentials.whose(),
            refusal.clause()
        ));
    }
    let names = wanted
        .all
        .then(|| good(answers, &Path::databases()))
        .flatten()
        .and_then(|body| serde_json::from_value(body.clone()).ok());
    let asked: BTreeMap<String, Answer> = wanted
        .names
        .iter()
        .map(|name| (name.to_string(), answer(answers, name)))
        .collect();
    // One complaint for all where nothing came.
    let nothing = names.is_none() && asked.values().all(|a| matches!(a, Answer::NotRead { .. }));
    if nothing {
        let first = asked.values().find_map(|a| match a {
            Answer::NotRead { why } => Some(why.clone()),
            _ => None,
        });
        let path = Path::databases();
        return Read::failed(first.unwrap_or_else(|| complaint(answers, &path)));
    }
    Read::Seen(Databases {
        namespace: target.namespace.clone(),
        pod: target.pod.clone(),
        names,
        asked,
    })
}

/// The body of a 200.
fn good<'a>(answers: &'a Answers, path: &Path) -> Option<&'a Value> {
    match answers.get(path) {
        Some(Ok(Response {
            status: 200, body, ..
        })) => Some(body),
        _ => None,
    }
}

/// Why there is no 200.
fn complaint(answers: &Answers, path: &Path) -> String {
    match answers.get(path) {
        Some(Ok(response)) => format!("CouchDB answered {}", response.clause()),
        Some(Err(none)) => none.clause(),
        None => answers
            .lost
            .clone()
            .unwrap_or_else(|| "CouchDB was not asked for it".to_owned()),
    }
}

fn answer(answers: &Answers, name: &DatabaseName) -> Answer {
    let path = Path::database(name);
    if let Some(Ok(response)) = answers.get(&path)
        && response.is_absent("Database does not exist.")
    {
        return Answer::Absent;
    }
    let info = good(answers, &path)
        .and_then(|body| serde_json::from_value::<DatabaseInfo>(body.clone()).ok())
        .filter(|info| info.db_name == name.as_str());
    let Some(info) = info else {
        return Answer::NotRead {
            why: complaint(answers, &path),
        };
    };
    let map = good(answers, &Path::shard_map("_local", name))
        .and_then(|body| serde_json::from_value::<ShardMap>(body.clone()).ok());
    let created = map
        .and_then(|m| m.epoch())
        .or_else(|| info.instance_start_time.parse().ok())
        .filter(|epoch| *epoch > 0);
    Answer::There(Database {
        documents: Some(info.doc_count),
        bytes: Some(info.sizes.file),
        created,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::couchdb::response::NoResponse;
    use serde_json::json;

    fn name() -> DatabaseName {
        DatabaseName::parse("pds_database").unwrap()
    }

    fn target() -> Target {
        Target::example(5984)
    }

    type Told = Result<(u16, Value), NoResponse>;

    fn told(responses: Vec<(&str, Told)>) -> Answers {
        Answers {
            responses: responses
                .into_iter()
                .map(|(path, answer)| {
                    let response = answer.map(|(status, body)| Response {
                        status,
                        request_id: None,
                        body,
                    });
                    (path.to_owned(), response)
                })
                .collect(),
            ..Answers::default()
        }
    }

    fn look(answers: &Answers, all: bool) -> Read<Databases> {
        let names = vec![name()];
        read(&target(), &Wanted { all, names }, answers)
    }

    const INFO: &str = r#"{"db_name":"pds_database","doc_count":7,"sizes":{"file":8192},"instance_start_time":"0"}"#;

    #[test]
    fn size_and_age_are_read() {
        let suffix: Vec<u8> = b".1700000000".to_vec();
        let answers = told(vec![
            ("/_all_dbs", Ok((200, json!(["_users", "pds_database"])))),
            (
                "/pds_database",
                Ok((200, serde_json::from_str(INFO).unwrap())),
            ),
            (
                "/_node/_local/_dbs/pds_database",
                Ok((200, json!({"_rev": "1-a", "shard_suffix": suffix}))),
            ),
        ]);
        let seen = look(&answers, true);
        let all = seen.seen().unwrap();
        let database = Database {
            documents: Some(7),
            bytes: Some(8192),
            created: Some(1_700_000_000),
        };
        assert_eq!(all.of("pds_database"), Read::Seen(database));
        assert!(all.of("other_one").is_absent());
        assert_eq!(
            (all.namespace.as_str(), all.pod.as_str()),
            ("secure-kvs", "db-0")
        );
    }

    #[test]
    fn only_couchdbs_own_404_is_absent() {
        let absent = json!({"error": "not_found", "reason": "Database does not exist."});
        let answers = told(vec![("/pds_database", Ok((404, absent)))]);
        assert!(
            look(&answers, false)
                .seen()
                .unwrap()
                .of("pds_database")
                .is_absent()
        );
        let other = told(vec![(
            "/pds_database",
            Ok((404, json!({"reason": "missing"}))),
        )]);
        assert_eq!(
            look(&other, false),
            Read::failed("CouchDB answered 404 missing")
        );
    }

    #[test]
    fn a_refusal_tells_nothing_of_the_database() {
        let refused = json!({"error": "unauthorized", "reason": "Name or password is incorrect."});
        let answers = told(vec![("/_all_dbs", Ok((401, refused)))]);
        let why = look(&answers, true).unknown().unwrap().clause();
        assert!(
            why.ends_with("401 unauthorized Name or password is incorrect."),
            "{why}"
        );
        let lost = Answers {
            lost: Some("the exec was lost: no end within 5s".to_owned()),
            ..Answers::default()
        };
        assert_eq!(
            look(&lost, false),
            Read::failed("the exec was lost: no end within 5s")
        );
    }

    #[test]
    fn only_so_many_are_asked_for_one_by_one() {
        let wanted = Wanted {
            all: true,
            names: vec![name(); ONE_BY_ONE + 5],
        };
        assert_eq!(wanted.paths().len(), 1 + 2 * ONE_BY_ONE);
        assert!(Wanted::default().is_nothing());
    }
}
