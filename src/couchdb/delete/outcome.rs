//! What became of a deletion: from the answer to the DELETE and what the members say afterwards.
//!
//! Only a 200 says that every member let go of its copy. A 202 has the same body and says that one did not; after a lost answer the
//! members' word alone cannot tell the two apart, since a member that was away forgets the name and keeps the files. So a lost answer
//! stays unknown, whatever is seen later: that is told as evidence.

use super::plan::{Member, Plan};
use super::refusal::Refusal;
use crate::couchdb::response::{NoResponse, Response};
use crate::couchdb::transport::{Answers, Failure};
use crate::exit::Code;

/// What is known of the one DELETE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was not sent, or CouchDB refused it: the database is as it was.
    Not(Refusal),
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
            return Sent::Not(Refusal::NotRead {
                what: "the last look into CouchDB".to_owned(),
                why: failure.clause(),
            });
        }
        Err(failure) => return unanswered(failure.clause()),
    };
    // After a guard that did not hold the script sends nothing, however its output ended.
    if let (Some(guard), false) = (&answers.differs, answers.sending) {
        return Sent::Not(Refusal::Changed {
            what: changed(guard, &answers.responses),
        });
    }
    if let Some(why) = answers.lost {
        let answered = matches!(answers.deletion, Some(Ok(_)));
        return Sent::Unknown { answered, why };
    }
    match answers.deletion {
        Some(Ok(response)) => answered(&response),
        Some(Err(NoResponse::NotConnected)) => Sent::Not(Refusal::Changed {
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
        400 | 401 | 403 | 405 => Sent::Not(Refusal::ByCouchDb {
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
        _ => {
            let (path, held) = guard.split_once(' ').unwrap_or((guard, ""));
            format!("{path} does not hold {held} any more")
        }
    }
}

/// What each member says afterwards, or why none was asked.
pub type ReadBack = Result<Vec<(String, Member)>, String>;

/// How a deletion ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Gone on every member; members that could not be read back, with why.
    Deleted {
        gone: usize,
        of: usize,
        unread: Vec<String>,
    },
    /// Deleted, and there again: created anew at this time, in seconds since 1970.
    CameBack { created: Option<i64> },
    /// It was gone before.
    AlreadyGone,
    /// The database is as it was.
    Refused(Vec<Refusal>),
    /// A member still holds data: what each says, and the files to look for on its disk.
    Incomplete {
        why: String,
        seen: Vec<String>,
        files: String,
    },
    /// Not known: whether CouchDB answered the DELETE, what is known of it, and what was seen.
    Unknown {
        answered: bool,
        why: String,
        seen: Vec<String>,
    },
    /// Ctrl-C before the DELETE was sent.
    Interrupted,
}

impl Outcome {
    /// The exit code.
    pub fn code(&self) -> Code {
        match self {
            Self::Deleted { .. } => Code::Ok,
            Self::CameBack { .. } | Self::AlreadyGone => Code::Failed,
            Self::Refused(_) => Code::Refused,
            Self::Incomplete { .. } => Code::Incomplete,
            Self::Unknown { .. } => Code::Unknown,
            Self::Interrupted => Code::Interrupted,
        }
    }
}

/// Draws the conclusion.
pub fn conclude(plan: &Plan, sent: Sent, read_back: ReadBack) -> Outcome {
    let seen = seen(plan, &read_back);
    let incomplete = |why: &str, seen| Outcome::Incomplete {
        why: why.to_owned(),
        seen,
        files: plan.files(),
    };
    match sent {
        Sent::Not(refusal) => return Outcome::Refused(vec![refusal]),
        Sent::Absent => {
            let left = read_back.is_ok_and(|members| {
                members
                    .iter()
                    .any(|(_, m)| matches!(m, Member::Has(map) if plan.is_same(map)))
            });
            if left {
                let why =
                    "CouchDB answered 404, as if another had deleted it, and a member still has it";
                return incomplete(why, seen);
            }
            return Outcome::AlreadyGone;
        }
        Sent::Unknown { answered, why } => {
            return Outcome::Unknown {
                answered,
                why,
                seen,
            };
        }
        Sent::Accepted => {
            let why = "CouchDB answered 202: a member did not take part and keeps its files";
            return incomplete(why, seen);
        }
        Sent::Done => {}
    }
    let of = plan.members().len();
    let Ok(members) = read_back else {
        return Outcome::Deleted {
            gone: 0,
            of,
            unread: seen,
        };
    };
    let later = members.iter().find_map(|(_, m)| match m {
        Member::Has(map) if !plan.is_same(map) => Some(map),
        _ => None,
    });
    if let Some(map) = later {
        return Outcome::CameBack {
            created: map.epoch(),
        };
    }
    if members.iter().any(|(_, m)| matches!(m, Member::Has(_))) {
        return incomplete("CouchDB answered 200, and a member still has it", seen);
    }
    let gone = members
        .iter()
        .filter(|(_, m)| *m == Member::Deleted)
        .count();
    let unread = members
        .iter()
        .filter(|(_, m)| *m != Member::Deleted)
        .map(|(name, m)| line(plan, name, m))
        .collect();
    Outcome::Deleted { gone, of, unread }
}

/// One line a member, or why there is none.
fn seen(plan: &Plan, read_back: &ReadBack) -> Vec<String> {
    match read_back {
        Ok(members) => members
            .iter()
            .map(|(name, m)| line(plan, name, m))
            .collect(),
        Err(why) => vec![format!("the members were not asked: {why}")],
    }
}

fn line(plan: &Plan, name: &str, member: &Member) -> String {
    let says = match member {
        Member::Has(map) if plan.is_same(map) => "still has it".to_owned(),
        Member::Has(_) => "has a later database of this name".to_owned(),
        Member::Deleted => "says it is deleted".to_owned(),
        Member::Never => "says it never had it".to_owned(),
        Member::Down => "is down".to_owned(),
        Member::NotRead(why) => format!("did not tell: {why}"),
    };
    format!("{} {says}", crate::text::one_line(name))
}

#[cfg(test)]
mod tests;
