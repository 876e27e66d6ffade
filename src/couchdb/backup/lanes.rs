//! Revisions over several sessions at once, where CouchDB is slow to find them.
//!
//! A `_bulk_get` works through its revisions one by one, and CouchDB 3.2 asks every copy of the shard for each: most of that is
//! waiting. Sessions beside the first are a convenience: where one cannot be opened or is lost, the first one is asked instead.

use super::lane::{Ask, Lane};
use super::source::Trouble;
use crate::couchdb::request::Query;
use futures::future::join_all;
use std::time::{Duration, Instant};

/// Sessions at once.
const MOST: usize = 4;
/// A session is opened for this many revisions at least.
const LEAST: usize = 32;
/// CouchDB is slow when a revision takes longer.
const SLOW: Duration = Duration::from_micros(500);
/// So long it is watched before it is called slow.
const WATCHED: Duration = Duration::from_millis(300);

/// The sessions beside the first one.
#[derive(Default)]
pub(super) struct Lanes<'a> {
    beside: Vec<Lane<'a>>,
    pace: Pace,
    /// One of them failed: there are to be no more.
    given_up: bool,
}

impl<'a> Lanes<'a> {
    /// The answers to a question for each part of the revisions, in their order, of `max` bytes at most together.
    pub(super) async fn ask(
        &mut self,
        first: &mut Lane<'a>,
        query: &Query,
        revisions: &[(&str, &str)],
        max: usize,
    ) -> Result<Vec<Vec<u8>>, Trouble> {
        let many = match self.pace.is_slow() && !self.given_up {
            true => (revisions.len() / LEAST).clamp(1, MOST),
            false => 1,
        };
        let parts: Vec<Vec<u8>> = revisions
            .chunks(revisions.len().div_ceil(many).max(1))
            .map(super::answers::wanted)
            .collect();
        let max = max / many;
        let Some((own, others)) = parts.split_first() else {
            return Ok(Vec::new());
        };
        if others.is_empty() {
            let began = Instant::now();
            let answer = first.body(Ask::Query(query, own), max).await?;
            self.pace.took(revisions.len(), began.elapsed());
            return Ok(vec![answer]);
        }
        self.beside.resize_with(MOST - 1, || first.beside());
        let beside = self.beside.iter_mut().zip(others);
        let beside = beside.map(|(lane, part)| aside(lane, query, part, max));
        let (own, beside) =
            futures::join!(first.body(Ask::Query(query, own), max), join_all(beside));
        let mut answers = vec![own?];
        for (answer, part) in beside.into_iter().zip(others) {
            answers.push(match answer? {
                Some(answer) => answer,
                None => {
                    self.given_up = true;
                    first.body(Ask::Query(query, part), max).await?
                }
            });
        }
        if self.given_up {
            self.close().await;
        }
        Ok(answers)
    }

    pub(super) async fn close(&mut self) {
        for mut lane in self.beside.drain(..) {
            lane.close().await;
        }
    }
}

/// An answer of a session beside the first; `None` where the first one is to be asked. What CouchDB refuses it refuses there too.
async fn aside(
    lane: &mut Lane<'_>,
    query: &Query,
    part: &[u8],
    max: usize,
) -> Result<Option<Vec<u8>>, Trouble> {
    if lane.session().await.is_err() {
        return Ok(None);
    }
    match lane.body(Ask::Query(query, part), max).await {
        Err(Trouble::Lost(_)) => Ok(None),
        other => other.map(Some),
    }
}

/// How fast one session is answered.
#[derive(Debug, Default)]
struct Pace {
    revisions: u32,
    time: Duration,
}

impl Pace {
    fn took(&mut self, revisions: usize, time: Duration) {
        self.revisions += u32::try_from(revisions).unwrap_or(u32::MAX);
        self.time += time;
    }

    fn is_slow(&self) -> bool {
        self.time > WATCHED && self.time > SLOW * self.revisions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_couchdb_that_stays_slow_is_asked_over_several_sessions() {
        let mut pace = Pace::default();
        assert!(!pace.is_slow());
        pace.took(200, Duration::from_millis(290));
        assert!(!pace.is_slow(), "it may have been the first answer");
        pace.took(200, Duration::from_millis(200));
        assert!(pace.is_slow());
        pace.took(4000, Duration::from_millis(500));
        assert!(!pace.is_slow());
    }
}
