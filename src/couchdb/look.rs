//! What CouchDB says of the databases of a run: one exec, reads only, within a few seconds.

use super::Target;
use super::figures::{self, Reader, Serving, Source};
use super::session::Session;
use super::transport::Failure;
use crate::cluster::Cluster;
use crate::model::names::DatabaseName;
use crate::snapshot::databases::{Answer, Database, Databases};
use crate::snapshot::{Read, Why};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The databases that a run asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub names: Vec<DatabaseName>,
    /// Those of them whose age matters.
    pub aged: Vec<DatabaseName>,
}

impl Wanted {
    /// Nothing is asked for.
    pub fn is_nothing(&self) -> bool {
        self.names.is_empty()
    }
}

/// Asks for them, `limit` at most. What has come by then counts.
pub async fn databases(
    cluster: &Cluster,
    target: &Target,
    wanted: &Wanted,
    limit: Duration,
) -> Read<Databases> {
    let until = Instant::now() + limit;
    let mut reader = match reader(cluster, target, limit, until).await {
        Ok(reader) => reader,
        Err(why) => return Read::Unknown(why),
    };
    let (names, aged) = (texts(&wanted.names), texts(&wanted.aged));
    let mut told = figures::serving(&mut reader, &names, Source::Claims).await;
    figures::creations(&mut reader, &aged, &mut told).await;
    close(reader, until).await;
    gathered(target, told)
}

/// Opens a session that is read from `until` then.
///
/// # Errors
/// Why CouchDB cannot be asked.
pub(super) async fn reader(
    cluster: &Cluster,
    target: &Target,
    limit: Duration,
    until: Instant,
) -> Result<Reader, Why> {
    let opened = Session::open(cluster, target, limit);
    match tokio::time::timeout_at(until, opened).await {
        Ok(Ok(session)) => Ok(Reader::new(session).until(until)),
        Ok(Err(Failure::Exec(error))) => Err((&error).into()),
        Ok(Err(failure)) => Err(Why::Failed(failure.clause())),
        Err(_) => Err(Why::Failed("CouchDB was not reached in time".to_owned())),
    }
}

/// Ends the session, unless its time is over.
pub(super) async fn close(reader: Reader, until: Instant) {
    if Instant::now() < until {
        let _ = tokio::time::timeout_at(until, reader.close()).await;
    }
}

pub(super) fn texts(names: &[DatabaseName]) -> Vec<&str> {
    names.iter().map(DatabaseName::as_str).collect()
}

/// What CouchDB said of each database, as the checks take it.
pub(super) fn gathered(target: &Target, told: BTreeMap<String, Serving>) -> Read<Databases> {
    let asked: BTreeMap<String, Answer> = told
        .into_iter()
        .map(|(name, serving)| (name, answer(serving)))
        .collect();
    // One complaint for all where nothing came.
    let mut reasons = asked.values().map(|answer| match answer {
        Answer::NotRead { why } => Some(why),
        Answer::There(_) | Answer::Absent | Answer::Unserved { .. } => None,
    });
    if let Some(first) = reasons.next().flatten()
        && reasons.all(|why| why.is_some())
    {
        return Read::failed(first);
    }
    Read::Seen(Databases {
        namespace: target.namespace.clone(),
        pod: target.pod.clone(),
        asked,
    })
}

fn answer(serving: Serving) -> Answer {
    match serving {
        Serving::Served(figures) => Answer::There(Database {
            documents: Some(figures.documents),
            bytes: Some(figures.bytes),
            created: figures.created,
        }),
        Serving::Absent(_) => Answer::Absent,
        Serving::Unserved(why) => Answer::Unserved { why },
        Serving::Unknown(why) | Serving::NotRead(why) => Answer::NotRead { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::databases::{Figures, Found};

    fn look(told: &[(&str, Serving)]) -> Read<Databases> {
        let told = told.iter().map(|(n, s)| ((*n).to_owned(), s.clone()));
        gathered(&Target::example(5984), told.collect())
    }

    #[test]
    fn each_answer_stays_apart_from_the_others() {
        let figures = Figures {
            documents: 7,
            bytes: 8192,
            created: Some(1_700_000_000),
            ..Figures::default()
        };
        let read = look(&[
            ("a_b", Serving::Served(figures)),
            ("a_c", Serving::Unserved("500".to_owned())),
            ("a_d", Serving::Unknown("left out".to_owned())),
            ("a_e", Serving::NotRead("timeout".to_owned())),
        ]);
        let all = read.if_read().unwrap();
        let database = Database {
            documents: Some(7),
            bytes: Some(8192),
            created: Some(1_700_000_000),
        };
        assert_eq!(all.of("a_b"), Read::Seen(Found::Served(database)));
        assert_eq!(all.of("a_c"), Read::Seen(Found::Unserved("500".to_owned())));
        assert_eq!(all.of("a_d"), Read::failed("left out"));
        assert_eq!(all.of("a_e"), Read::failed("timeout"));
        assert!(all.of("a_f").unknown().is_some());
        assert_eq!(
            (all.namespace.as_str(), all.pod.as_str()),
            ("secure-kvs", "db-0")
        );
    }

    #[test]
    fn where_nothing_was_answered_there_is_one_reason() {
        let refused = "CouchDB answered 401 unauthorized Name or password is incorrect.";
        let not_read = || Serving::NotRead(refused.to_owned());
        assert_eq!(
            look(&[("a_b", not_read()), ("a_c", not_read())]),
            Read::failed(refused)
        );
        assert!(look(&[]).if_read().is_some());
    }
}
