//! What became of a deletion: from the answer to the DELETE ([`super::sent`]) and what the members say afterwards.
//!
//! Only a 200 says that every member let go of its copy. A 202 has the same body and says that one did not. After any other answer, or
//! none, the members of the shard map decide: it is deleted where each of them says so. A member that was away forgets the name and keeps
//! the files, so its word counts only if it was there all along. While one still has the database a cut-off exec may still delete it,
//! which leaves the outcome unknown, unless CouchDB itself refused in a whole answer.

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
    /// Gone on every member; members that could not be read back, with why; and what the DELETE itself gave where the members alone
    /// say that it is gone.
    Deleted {
        gone: usize,
        of: usize,
        unread: Vec<String>,
        despite: Option<String>,
    },
    /// Deleted, and there again: created again at this time, in seconds since 1970.
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
    let gone = Gone::judge(plan, &read_back);
    match sent {
        Sent::Not(refusal) => return Outcome::Refused(vec![refusal]),
        Sent::Refused(refusal) => return refused(plan, refusal, gone, &read_back),
        Sent::Absent => {
            return match gone {
                Gone::Everywhere | Gone::Replaced => Outcome::AlreadyGone,
                Gone::FilesLeft => left(plan, "CouchDB answered 404", seen),
                Gone::InPart | Gone::Nowhere => incomplete(
                    "CouchDB answered 404, as if another had deleted it, and a member still has it",
                    seen,
                ),
                Gone::NotKnown => Outcome::Unknown {
                    answered: true,
                    why: "CouchDB answered 404 and not every member could be asked".to_owned(),
                    seen,
                },
            };
        }
        Sent::Unknown { why, .. } if gone == Gone::Everywhere => {
            return despite(plan, why, &read_back);
        }
        Sent::Unknown { why, .. } if gone == Gone::FilesLeft => return left(plan, &why, seen),
        Sent::Unknown { answered, why } => {
            return Outcome::Unknown {
                answered,
                why,
                seen,
            };
        }
        Sent::Accepted => return accepted(plan, &read_back),
        Sent::Done => {}
    }
    if let [first, ..] = plan.facts().foreign().collect::<Vec<_>>()[..] {
        let why = format!(
            "{}, which its shard map names, is not a member of the cluster and keeps its files",
            crate::text::one_line(first)
        );
        return incomplete(&why, seen);
    }
    let of = plan.members().len();
    let Ok(members) = read_back else {
        return Outcome::Deleted {
            gone: 0,
            of,
            unread: seen,
            despite: None,
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
    let gone = members.iter().filter(|(_, m)| deleted(m)).count();
    let unread = members
        .iter()
        .filter(|(_, m)| !deleted(m))
        .map(|(name, m)| line(plan, name, m))
        .collect();
    Outcome::Deleted {
        gone,
        of,
        unread,
        despite: None,
    }
}

/// What the members that hold a copy say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    /// Each says that it is deleted.
    Everywhere,
    /// None has it, and not all by a deletion: one never had it, or has a later one of its name.
    Replaced,
    /// One still has it, another says that it is deleted.
    InPart,
    /// One still has it, and none says that it is deleted.
    Nowhere,
    /// None has it any more, and one still has its files.
    FilesLeft,
    /// None has it, as far as they could be asked.
    NotKnown,
}

impl Gone {
    fn judge(plan: &Plan, read_back: &ReadBack) -> Self {
        let Ok(members) = read_back else {
            return Self::NotKnown;
        };
        let holders = plan.members();
        let view = |name: &String| members.iter().find(|(n, _)| n == name).map(|(_, m)| m);
        let all = |says: &dyn Fn(&Member) -> bool| {
            !holders.is_empty() && holders.iter().all(|name| view(name).is_some_and(says))
        };
        let any = |says: &dyn Fn(&Member) -> bool| members.iter().any(|(_, m)| says(m));
        let let_go = |m: &Member| match m {
            Member::Deleted | Member::Erased | Member::Never => true,
            Member::Has(map) => is_later(plan, map),
            Member::Kept | Member::Down | Member::Silent | Member::NotRead(_) => false,
        };
        match any(&|m| keeps(plan, m)) {
            true if any(&deleted) => Self::InPart,
            true => Self::Nowhere,
            false if any(&|m| *m == Member::Kept) => Self::FilesLeft,
            false if all(&deleted) => Self::Everywhere,
            false if all(&let_go) => Self::Replaced,
            false => Self::NotKnown,
        }
    }
}

/// It says that it is deleted.
fn deleted(member: &Member) -> bool {
    matches!(member, Member::Deleted | Member::Erased | Member::Kept)
}

/// Whether this member's files are seen to be gone.
fn is_erased(read_back: &ReadBack, name: &str) -> bool {
    let members = read_back.as_deref().unwrap_or_default();
    members
        .iter()
        .any(|(n, m)| n == name && *m == Member::Erased)
}

/// Each member says that it is deleted, and the DELETE itself did not: `why`. One that was away before may still have its files.
fn despite(plan: &Plan, why: String, read_back: &ReadBack) -> Outcome {
    let seen = seen(plan, read_back);
    let away = plan.out_of_reach();
    if let Some(away) = away.iter().find(|name| !is_erased(read_back, name)) {
        let away = crate::text::one_line(away);
        return Outcome::Incomplete {
            why: format!(
                "{why}; every member says that it is deleted, and {away} was away and keeps its files"
            ),
            seen,
            files: plan.files(),
        };
    }
    let of = plan.members().len();
    Outcome::Deleted {
        gone: of,
        of,
        unread: Vec::new(),
        despite: Some(why),
    }
}

/// None has it any more, and one still has its files.
fn left(plan: &Plan, why: &str, seen: Vec<String>) -> Outcome {
    Outcome::Incomplete {
        why: format!("{why}; a member that says it is deleted still has its files"),
        seen,
        files: plan.files(),
    }
}

/// 202: a member did not take part. It may be one that holds no copy and was known to be away; then the others' files decide.
fn accepted(plan: &Plan, read_back: &ReadBack) -> Outcome {
    let facts = plan.facts();
    let bystander = facts.membership.cluster_nodes.iter().find(|node| {
        !facts.holds(node) && matches!(facts.doubt(node), Some(super::facts::Doubt::Away(_)))
    });
    if let Some(node) = bystander
        && plan.members().iter().all(|name| is_erased(read_back, name))
    {
        let node = crate::text::one_line(node);
        let why = format!("CouchDB answered 202, since {node}, which holds no copy, is away");
        return despite(plan, why, read_back);
    }
    Outcome::Incomplete {
        why: "CouchDB answered 202: a member did not take part and keeps its files".to_owned(),
        seen: seen(plan, read_back),
        files: plan.files(),
    }
}

/// It was not sent, or CouchDB refused it. That CouchDB refused is said only where a member that still has the database bears it out.
fn refused(plan: &Plan, refusal: Refusal, gone: Gone, read_back: &ReadBack) -> Outcome {
    let seen = seen(plan, read_back);
    let Refusal::ByCouchDb { answer } = &refusal else {
        return match gone {
            Gone::Everywhere => Outcome::AlreadyGone,
            Gone::Nowhere | Gone::NotKnown => Outcome::Refused(vec![refusal]),
            // A member has let go of it, so something deleted it.
            Gone::Replaced | Gone::InPart | Gone::FilesLeft => Outcome::Unknown {
                answered: false,
                why: refusal.to_string(),
                seen,
            },
        };
    };
    let why = format!("CouchDB answered {answer}");
    match gone {
        Gone::Nowhere => Outcome::Refused(vec![refusal]),
        Gone::Everywhere => despite(plan, why, read_back),
        Gone::FilesLeft => left(plan, &why, seen),
        Gone::Replaced | Gone::InPart | Gone::NotKnown => Outcome::Unknown {
            answered: true,
            why,
            seen,
        },
    }
}

/// Ctrl-C while the members were asked; what had been seen by then. A 202 tells enough without them.
pub fn interrupted(plan: &Plan, sent: Sent, read_back: ReadBack) -> Outcome {
    let (answered, why) = match sent {
        Sent::Not(_) | Sent::Accepted => return conclude(plan, sent, read_back),
        Sent::Refused(Refusal::ByCouchDb { answer }) => {
            (true, format!("CouchDB answered {answer}"))
        }
        Sent::Refused(refusal) => return Outcome::Refused(vec![refusal]),
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
    if plan.facts().foreign().any(|node| node == name) {
        return false;
    }
    match member {
        Member::Has(map) => plan.is_same(map),
        Member::NotRead(_) | Member::Silent => true,
        Member::Down => {
            let was_there = plan
                .facts()
                .members
                .iter()
                .any(|(n, m)| n == name && matches!(m, Member::Has(_)));
            was_there && *sent != Sent::Accepted
        }
        // Files go after the answer.
        Member::Kept => true,
        Member::Deleted | Member::Erased | Member::Never => false,
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
        Member::Erased => "says it is deleted, and its files are gone".to_owned(),
        Member::Kept => "says it is deleted, and still has its files".to_owned(),
        Member::Never => "says it never had it".to_owned(),
        Member::Down => "is down".to_owned(),
        Member::Silent => "does not answer".to_owned(),
        Member::NotRead(why) => format!("did not report: {why}"),
    };
    format!("{} {says}", crate::text::one_line(name))
}

#[cfg(test)]
mod tests;
