//! What is known of the one DELETE, by the run that was to send it.
//!
//! Once the exec was attempted, only the API server's own 401, 403 or 404 says that nothing ran. Of all else the members are asked
//! afterwards. Only a status that CouchDB gave, in an output that is whole, is known. Where the output was cut, at whatever byte, the
//! script may have gone on in the pod: then it may have been sent.

use super::refusal::Refusal;
use crate::couchdb::response::{NoResponse, Response};
use crate::couchdb::transport::{Answers, Failure};

/// What is known of the one DELETE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The API server turned the exec away: nothing ran.
    Not(Refusal),
    /// By a whole output it was not sent, or CouchDB refused it ([`Refusal::ByCouchDb`]).
    Refused(Refusal),
    /// 200: every member answered.
    Done,
    /// 202: some member did not.
    Accepted,
    /// 404: it was gone when the DELETE came.
    Absent,
    /// Anything else: whether CouchDB answered, so that it was sent for certain, and why it is not known.
    Unknown { answered: bool, why: String },
}

/// Reads the run that was to delete.
pub fn sent(run: Result<Answers, Failure>) -> Sent {
    let answers = match run {
        Ok(answers) => answers,
        Err(failure) if failure.is_before_anything() => {
            let refusal = Refusal::NotRead {
                what: "the last look into CouchDB".to_owned(),
                why: failure.clause(),
            };
            return match failure {
                Failure::Exec(_) => Sent::Not(refusal),
                Failure::Unfit(_) | Failure::Broken(_) => Sent::Refused(refusal),
            };
        }
        Err(failure) => return unanswered(failure.clause()),
    };
    // After a guard that did not hold the script sends nothing, however its output ended.
    if let (Some(guard), false) = (&answers.differs, answers.sending) {
        let read = matches!(answers.responses.last(), Some((_, Ok(r))) if r.status == 200);
        if let Some(written) = Refusal::written(guard).filter(|_| read) {
            return Sent::Refused(written);
        }
        return Sent::Refused(Refusal::Changed {
            what: changed(guard, &answers.responses),
        });
    }
    if let Some(why) = answers.lost {
        let answered = matches!(answers.deletion, Some(Ok(_)));
        return Sent::Unknown { answered, why };
    }
    match answers.deletion {
        Some(Ok(response)) => answered(&response),
        Some(Err(NoResponse::NotConnected)) => Sent::Refused(Refusal::Changed {
            what: format!("{}: nothing was sent", NoResponse::NotConnected.clause()),
        }),
        Some(Err(broken)) => unanswered(broken.clause()),
        // Without a guard that did not hold it was sent, also when the word of it got lost on the way.
        None => unanswered("its answer is missing".to_owned()),
    }
}

fn unanswered(why: String) -> Sent {
    Sent::Unknown {
        answered: false,
        why,
    }
}

fn answered(response: &Response) -> Sent {
    let ok = response.body.get("ok").and_then(serde_json::Value::as_bool) == Some(true);
    match response.status {
        200 if ok => Sent::Done,
        202 if ok => Sent::Accepted,
        404 if response.reason() == "Database does not exist." => Sent::Absent,
        400 | 401 | 403 | 405 => Sent::Refused(Refusal::ByCouchDb {
            answer: response.clause(),
        }),
        _ => Sent::Unknown {
            answered: true,
            why: format!("CouchDB answered {}", response.clause()),
        },
    }
}

/// What the guard that did not hold tells.
fn changed(guard: &str, responses: &[(String, Result<Response, NoResponse>)]) -> String {
    match responses.last().map(|(_, r)| r) {
        Some(Err(none)) => format!("CouchDB cannot be asked any more: {}", none.clause()),
        Some(Ok(response)) if response.status != 200 => {
            format!("CouchDB answers {}", response.clause())
        }
        _ if guard.contains("/_changes?") => {
            "the database was written to after it was backed up".to_owned()
        }
        _ => {
            let (path, held) = guard.split_once(' ').unwrap_or((guard, ""));
            format!("{path} does not hold {held} any more")
        }
    }
}

#[cfg(test)]
mod tests;
