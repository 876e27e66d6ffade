//! A session in a pod: one that is lost is opened again with the next question.
//!
//! Judges which failures may pass. A 401 or 403 never does: asked again it would lock the account.

use super::source::Trouble;
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::request::{Path, Query};
use crate::couchdb::response::Response;
use crate::couchdb::session::{Lost, Session};
use crate::couchdb::transport::Failure;
use std::time::Duration;

/// How long CouchDB may be silent within an answer: a member that hangs is given up by CouchDB itself after 60 s.
const IDLE: Duration = Duration::from_secs(75);

/// A session, or the place of one.
pub(super) struct Lane<'a> {
    cluster: &'a Cluster,
    target: &'a Target,
    session: Option<Session>,
    /// A session has been open: what is not there now may be there again in a moment.
    opened: bool,
}

/// A question whose answer is taken as bytes.
pub(super) enum Ask<'q> {
    Get(&'q Path),
    Query(&'q Query, &'q [u8]),
}

impl<'a> Lane<'a> {
    pub(super) fn new(cluster: &'a Cluster, target: &'a Target) -> Self {
        Self {
            cluster,
            target,
            session: None,
            opened: false,
        }
    }

    /// One more to the same container.
    pub(super) fn beside(&self) -> Self {
        Self::new(self.cluster, self.target)
    }

    pub(super) async fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    pub(super) async fn session(&mut self) -> Result<&mut Session, Trouble> {
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

    /// Several answers at once; `None` where each is to be asked for alone.
    pub(super) fn judge_several<T>(
        &mut self,
        answers: Result<Option<T>, Lost>,
    ) -> Result<Option<T>, Trouble> {
        answers.map_err(|lost| {
            self.session = None;
            Trouble::Lost(lost.clause())
        })
    }

    pub(super) fn judge(&mut self, answer: Result<Response, Lost>) -> Result<Response, Trouble> {
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
    pub(super) async fn body(&mut self, ask: Ask<'_>, max: usize) -> Result<Vec<u8>, Trouble> {
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
    let why = format!("CouchDB answered {}", response.clause());
    sent_to(path, Trouble::Final(why))
}

/// A refusal says what it refused.
pub(super) fn sent_to(path: &Path, trouble: Trouble) -> Trouble {
    let what = path.as_str().split('?').next().unwrap_or_default();
    match trouble {
        Trouble::Final(why) => Trouble::Final(format!("{why} to {what}")),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::DatabaseName;

    #[test]
    fn a_revision_that_is_refused_is_named() {
        let name = DatabaseName::parse("a_b").unwrap();
        let path = Path::revision(&name, "x y").unwrap();
        let response = |status| Response {
            status,
            request_id: None,
            body: serde_json::json!({"error": "forbidden", "reason": "not this one"}),
        };
        for status in [401, 403, 400] {
            let trouble = match judged(response(status)) {
                Ok(response) => refused(&path, &response),
                Err(trouble) => sent_to(&path, trouble),
            };
            let Trouble::Final(why) = trouble else {
                panic!("{trouble:?}");
            };
            let told = format!("CouchDB answered {status} forbidden not this one to /a_b/x%20y");
            assert_eq!(why, told);
        }
    }
}
