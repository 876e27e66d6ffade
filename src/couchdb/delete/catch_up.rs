//! Whether the copies of the database are level. A member that was away is brought up by internal replication, and is stale until then.
//!
//! Pure: [`super::read`] asks. The number of internal replication jobs says little alone. It is above 0 on any busy cluster, so it counts
//! only together with a member that was started a short while ago; and it can be 0 through a whole catch-up, since a push is counted after
//! its first round. So the copies themselves are compared too. Only a member's own shard files tell them apart: `GET /{db}` adds up one
//! copy of each shard, whichever answers first. Numbers of documents are compared and not sequences, which each member counts on its own.
//! Equal numbers do not prove equal copies (a changed document counts as before), which is why a member that was just started counts
//! without them.

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
}

/// A member's own copy of a shard: range, member, and its numbers; `None` where the member has no such file.
pub type Held = (String, String, Result<Option<Copy>, String>);

/// Why a copy may be stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    /// This member was started less than ten minutes ago, and shards wait for internal replication.
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
                    "the copies of shard {} on {} differ: one of them may be stale",
                    one_line(range),
                    members.join(", ")
                )
            }
        }
    }
}

impl CatchUp {
    /// By what each member that holds a copy says of itself, and by its copies.
    pub fn compare(systems: &[(String, Result<System, String>)], copies: Vec<Held>) -> Self {
        let mut found = Self::default();
        let mut jobs = 0_u64;
        for (member, system) in systems {
            match system {
                Ok(system) => jobs = jobs.saturating_add(system.internal_replication_jobs),
                Err(why) => found.not_read(member, why),
            }
        }
        let waits = jobs > 0;
        let young = |system: &Result<System, String>| matches!(system, Ok(s) if s.uptime < YOUNG);
        let started = systems.iter().filter(|(_, s)| waits && young(s));
        found.behind = started
            .map(|(member, _)| Behind::Started(member.clone()))
            .collect();
        let mut ranges: BTreeMap<String, Vec<(String, Option<Copy>)>> = BTreeMap::new();
        for (range, member, copy) in copies {
            match copy {
                Ok(copy) => ranges.entry(range).or_default().push((member, copy)),
                // The number of jobs stays 0 through many a catch-up, so it proves nothing of a copy that was not seen.
                Err(why) => found.not_read(&member, &why),
            }
        }
        for (range, copies) in ranges {
            if copies.windows(2).any(|pair| pair[0].1 != pair[1].1) {
                let members = copies.into_iter().map(|(member, _)| member).collect();
                found.behind.push(Behind::Differs { range, members });
            }
        }
        found
    }

    /// What to wait for, if anything: a member that has just been started does not even tell its uptime.
    pub fn waits_for(&self) -> Option<String> {
        let behind = self.behind.first().map(Behind::sentence);
        behind.or_else(|| {
            self.unread
                .first()
                .map(|(what, why)| format!("{what}: {why}"))
        })
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

    fn copy(range: &str, member: &str, doc_count: u64) -> Held {
        let copy = Copy {
            doc_count,
            doc_del_count: 0,
        };
        (range.to_owned(), member.to_owned(), Ok(Some(copy)))
    }

    fn unread(member: &str) -> Held {
        ("0-7".to_owned(), member.to_owned(), Err("cut".to_owned()))
    }

    #[test]
    fn the_number_of_jobs_alone_is_nothing() {
        let level = || vec![copy("0-7", "db-0", 5), copy("0-7", "db-1", 5)];
        let busy = systems(&[(90_000, 7), (600, 0)]);
        assert_eq!(CatchUp::compare(&busy, level()), CatchUp::default());
        // Nothing waits: a member may be as young as it likes.
        let young = systems(&[(3, 0), (90_000, 0)]);
        assert_eq!(CatchUp::compare(&young, level()), CatchUp::default());
    }

    #[test]
    fn a_member_that_was_just_started_is_behind_while_any_shard_waits() {
        for jobs in [[0, 2], [2, 0]] {
            let systems = systems(&[(599, jobs[0]), (90_000, jobs[1])]);
            let found = CatchUp::compare(&systems, Vec::new());
            assert_eq!(found.behind, [Behind::Started("db-0".into())]);
        }
    }

    #[test]
    fn copies_that_differ_are_behind_whatever_the_jobs() {
        for jobs in [0, 1] {
            let systems = systems(&[(90_000, jobs), (90_000, 0)]);
            let copies = vec![
                copy("0-7", "db-0", 5),
                copy("8-f", "db-0", 9),
                copy("0-7", "db-1", 4),
                copy("8-f", "db-1", 9),
            ];
            let members = || vec!["db-0".to_owned(), "db-1".to_owned()];
            let differs = |range: &str| Behind::Differs {
                range: range.to_owned(),
                members: members(),
            };
            assert_eq!(CatchUp::compare(&systems, copies).behind, [differs("0-7")]);
            // A file that is not there is a copy that differs.
            let absent = ("8-f".to_owned(), "db-1".to_owned(), Ok(None));
            let copies = vec![copy("8-f", "db-0", 0), absent];
            assert_eq!(CatchUp::compare(&systems, copies).behind, [differs("8-f")]);
        }
    }

    #[test]
    fn what_was_not_read_is_not_level() {
        for jobs in [0, 1] {
            let systems = systems(&[(90_000, jobs), (90_000, 0)]);
            let found = CatchUp::compare(&systems, vec![unread("db-1"), unread("db-1")]);
            let what = "whether member db-1 has caught up".to_owned();
            assert_eq!(found.unread, [(what, "cut".to_owned())]);
        }
        let starting = CatchUp::compare(
            &[("db-0".into(), Err("CouchDB answered 500".into()))],
            Vec::new(),
        );
        assert_eq!(
            starting.waits_for().as_deref(),
            Some("whether member db-0 has caught up: CouchDB answered 500")
        );
    }
}
