//! Whether the copies of the database are level. A member that was away is brought up by internal replication, and is stale until then.
//!
//! Pure: [`super::read`] asks. The number of internal replication jobs alone says little, since it is above 0 on any busy cluster. It
//! counts together with a member that was started a short while ago, or with copies that differ. Only a member's own shard files tell
//! its copies apart: `GET /{db}` adds up one copy of each shard, and not always the same one. Their numbers of documents are compared,
//! since each member numbers its own sequences. Equal numbers do not prove equal copies (a document that was only changed counts as
//! before), so a member that was just started counts without them.

use crate::couchdb::response::{Copy, System};
use crate::text::one_line;
use std::collections::BTreeMap;

/// How long a member counts as just started, in seconds.
const YOUNG: u64 = 600;

/// What is behind, and what is not known of it, with why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatchUp {
    pub behind: Vec<Behind>,
    pub unread: Vec<(String, String)>,
    /// Shards wait for internal replication, and nothing is known of the copies yet.
    undecided: bool,
}

/// Why a copy may be stale, while shards wait for internal replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    /// This member was started less than ten minutes ago.
    Started(String),
    /// These members have different numbers of documents in a shard.
    Differs { range: String, members: Vec<String> },
}

impl Behind {
    /// A sentence without figures: a plan token must hold while they change.
    pub fn sentence(&self) -> String {
        match self {
            Self::Started(member) => format!(
                "member {} was started less than ten minutes ago and internal replication has not finished: a copy may be stale",
                one_line(member)
            ),
            Self::Differs { range, members } => {
                let members: Vec<String> = members.iter().map(|m| one_line(m)).collect();
                format!(
                    "the copies of shard {} on {} differ and internal replication has not finished: a copy may be stale",
                    one_line(range),
                    members.join(", ")
                )
            }
        }
    }
}

impl CatchUp {
    /// By what each member that holds a copy says of itself.
    pub fn of(systems: &[(String, Result<System, String>)]) -> Self {
        let mut found = Self::default();
        let mut jobs = 0_u64;
        for (member, system) in systems {
            match system {
                Ok(system) => jobs = jobs.saturating_add(system.internal_replication_jobs),
                Err(why) => found.not_read(member, why),
            }
        }
        if jobs == 0 {
            return found;
        }
        let young = |system: &Result<System, String>| matches!(system, Ok(s) if s.uptime < YOUNG);
        found.behind = systems
            .iter()
            .filter(|(_, system)| young(system))
            .map(|(member, _)| Behind::Started(member.clone()))
            .collect();
        found.undecided = found.behind.is_empty();
        found
    }

    /// Whether the copies must be compared.
    pub fn is_undecided(&self) -> bool {
        self.undecided
    }

    /// Compares the copies: by range, each member's own.
    pub fn compare(&mut self, copies: Vec<(String, String, Result<Copy, String>)>) {
        self.undecided = false;
        let mut ranges: BTreeMap<String, Vec<(String, Copy)>> = BTreeMap::new();
        for (range, member, copy) in copies {
            match copy {
                Ok(copy) => ranges.entry(range).or_default().push((member, copy)),
                Err(why) => self.not_read(&member, &why),
            }
        }
        for (range, copies) in ranges {
            if copies.windows(2).any(|pair| pair[0].1 != pair[1].1) {
                let members = copies.into_iter().map(|(member, _)| member).collect();
                self.behind.push(Behind::Differs { range, members });
            }
        }
    }

    fn not_read(&mut self, member: &str, why: &str) {
        let what = format!("whether member {} has caught up", one_line(member));
        if !self.unread.iter().any(|(known, _)| *known == what) {
            self.unread.push((what, why.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn systems(members: &[(u64, u64)]) -> Vec<(String, Result<System, String>)> {
        let system = |(at, (uptime, jobs)): (usize, &(u64, u64))| {
            let system = System {
                uptime: *uptime,
                internal_replication_jobs: *jobs,
            };
            (format!("db-{at}"), Ok(system))
        };
        members.iter().enumerate().map(system).collect()
    }

    fn copy(range: &str, member: &str, doc_count: u64) -> (String, String, Result<Copy, String>) {
        let copy = Copy {
            doc_count,
            doc_del_count: 0,
        };
        (range.to_owned(), member.to_owned(), Ok(copy))
    }

    #[test]
    fn the_number_of_jobs_alone_is_nothing() {
        let mut busy = CatchUp::of(&systems(&[(90_000, 7), (90_000, 0)]));
        assert!(busy.behind.is_empty() && busy.is_undecided());
        busy.compare(vec![copy("0-7", "db-0", 5), copy("0-7", "db-1", 5)]);
        assert_eq!(busy, CatchUp::default());
        // Nothing waits: a member may be as young as it likes.
        assert_eq!(
            CatchUp::of(&systems(&[(3, 0), (90_000, 0)])),
            CatchUp::default()
        );
    }

    #[test]
    fn a_member_that_was_just_started_is_behind_while_any_shard_waits() {
        for jobs in [[0, 2], [2, 0]] {
            let found = CatchUp::of(&systems(&[(599, jobs[0]), (90_000, jobs[1])]));
            assert_eq!(found.behind, [Behind::Started("db-0".into())]);
            assert!(!found.is_undecided());
        }
        assert!(CatchUp::of(&systems(&[(600, 1)])).behind.is_empty());
    }

    #[test]
    fn copies_that_differ_are_behind_range_by_range() {
        let mut found = CatchUp::of(&systems(&[(90_000, 1), (90_000, 0)]));
        found.compare(vec![
            copy("0-7", "db-0", 5),
            copy("8-f", "db-0", 9),
            copy("0-7", "db-1", 4),
            copy("8-f", "db-1", 9),
        ]);
        let members = vec!["db-0".to_owned(), "db-1".to_owned()];
        let range = "0-7".to_owned();
        assert_eq!(found.behind, [Behind::Differs { range, members }]);
    }

    #[test]
    fn what_was_not_read_is_not_level() {
        let mut found = CatchUp::of(&[("db-0".into(), Err("CouchDB answered 500".into()))]);
        assert_eq!(
            found.unread,
            [(
                "whether member db-0 has caught up".into(),
                "CouchDB answered 500".into()
            )]
        );
        found.compare(vec![("0-7".into(), "db-1".into(), Err("cut".into()))]);
        assert_eq!(found.unread.len(), 2);
    }
}
