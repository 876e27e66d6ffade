//! What became of a deletion: from the answer to the DELETE ([`super::sent`]) and what the members say afterwards.
//!
//! Only a 200 says that every member let go of its copy. A 202 has the same body and says that one did not; after a lost answer the
//! members' word alone cannot tell the two apart, since a member that was away forgets the name and keeps the files. So a lost answer
//! stays unknown, whatever is seen later: that is told as evidence.

use super::plan::{Member, Plan};
use super::refusal::Refusal;
use super::sent::Sent;
use crate::couchdb::response::ShardMap;
use crate::exit::Code;

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
            if read_back.is_ok_and(|members| members.iter().any(|(_, m)| keeps(plan, m))) {
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
    if members.iter().any(|(_, m)| keeps(plan, m)) {
        return incomplete("CouchDB answered 200, and a member still has it", seen);
    }
    let later = members.iter().find_map(|(_, m)| match m {
        Member::Has(map) if is_later(plan, map) => Some(map.epoch()),
        _ => None,
    });
    if let Some(created) = later {
        return Outcome::CameBack { created };
    }
    if members.iter().any(|(_, m)| matches!(m, Member::Has(_))) {
        let why = "CouchDB answered 200, and a member has an earlier database of this name";
        return incomplete(why, seen);
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

/// Ctrl-C while the members were asked; what had been seen by then. A 202 tells enough without them.
pub fn interrupted(plan: &Plan, sent: Sent, read_back: ReadBack) -> Outcome {
    let (answered, why) = match sent {
        Sent::Not(_) | Sent::Accepted => return conclude(plan, sent, read_back),
        Sent::Done => (true, "CouchDB answered 200".to_owned()),
        Sent::Absent => (true, "CouchDB answered 404".to_owned()),
        Sent::Unknown { answered, why } => (answered, why),
    };
    Outcome::Unknown {
        answered,
        why: format!("{why}; interrupted while its members were asked"),
        seen: seen(plan, &read_back),
    }
}

/// Whether another answer of this member can be hoped for: it lets go late, or could not be asked. One that was away before, or did
/// not take part, forgets the name when it is back, which may be never.
pub fn may_still(plan: &Plan, sent: &Sent, name: &str, member: &Member) -> bool {
    match member {
        Member::Has(map) => plan.is_same(map),
        Member::NotRead(_) => true,
        Member::Down => {
            let was_there = plan
                .facts()
                .members
                .iter()
                .any(|(n, m)| n == name && matches!(m, Member::Has(_)));
            was_there && *sent != Sent::Accepted
        }
        Member::Deleted | Member::Never => false,
    }
}

fn keeps(plan: &Plan, member: &Member) -> bool {
    matches!(member, Member::Has(map) if plan.is_same(map))
}

/// Created after the database that was planned for.
fn is_later(plan: &Plan, map: &ShardMap) -> bool {
    !plan.is_same(map) && map.epoch() > plan.facts().shard_map.epoch()
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

/// `couchdb@db-2 still has it`.
pub fn line(plan: &Plan, name: &str, member: &Member) -> String {
    let says = match member {
        Member::Has(map) if plan.is_same(map) => "still has it".to_owned(),
        Member::Has(map) if is_later(plan, map) => "has a later database of this name".to_owned(),
        Member::Has(_) => "has an earlier database of this name".to_owned(),
        Member::Deleted => "says it is deleted".to_owned(),
        Member::Never => "says it never had it".to_owned(),
        Member::Down => "is down".to_owned(),
        Member::NotRead(why) => format!("did not tell: {why}"),
    };
    format!("{} {says}", crate::text::one_line(name))
}

#[cfg(test)]
mod tests;
