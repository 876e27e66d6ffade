//! What every member says after the DELETE, asked again until none knows the database or the time is over. Reads only.

use super::outcome::{ReadBack, line, may_still};
use super::plan::{Member, Plan};
use super::read::{self, Patience};
use super::sent::Sent;
use crate::cluster::Cluster;
use crate::couchdb::script::Job;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The first pause between two reads; each is twice as long as the one before, up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long members that have the database are waited for where it is not known whether they were told to let go of it.
const UNKNOWN: Duration = Duration::from_secs(5);

/// Asks into `last`, so that what was seen outlives an interrupt. The first read has the time that it needs.
pub(super) async fn read_back(
    cluster: &Cluster,
    plan: &Plan,
    sent: &Sent,
    patience: &mut Patience<'_>,
    last: &mut ReadBack,
) {
    let unknown = matches!(sent, Sent::Unknown { .. });
    let limit = if unknown {
        patience.limit.min(UNKNOWN)
    } else {
        patience.limit
    };
    *last = ask(cluster, plan, sent).await;
    let (started, mut pause) = (Instant::now(), PAUSE);
    while let Some(waits_for) = open(plan, sent, last) {
        let waited = started.elapsed();
        let left = limit.saturating_sub(waited);
        if left.is_zero() {
            return;
        }
        (patience.tell)(&format!(
            "Waiting for every member to let go of {}, {}s of {}s: {waits_for}",
            plan.name(),
            waited.as_secs(),
            limit.as_secs()
        ));
        sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        let Ok(again) = timeout(left.max(PAUSE), ask(cluster, plan, sent)).await else {
            return;
        };
        *last = joined(last, again, unknown);
    }
}

/// What is known after one read more. What a member said stays known when it cannot be asked again. After a lost answer one that was down
/// stays down for good: when it is back it says "deleted" and keeps its files.
fn joined(before: &ReadBack, now: ReadBack, unknown: bool) -> ReadBack {
    match (before, now) {
        (Ok(before), Err(_)) => Ok(before.clone()),
        (Ok(before), Ok(now)) if unknown => {
            let was_down = |name: &String| {
                let view = before.iter().find(|(n, _)| n == name).map(|(_, m)| m);
                view == Some(&Member::Down)
            };
            let stays = |(name, view): (String, Member)| match view {
                Member::Deleted if was_down(&name) => (name, Member::Down),
                view => (name, view),
            };
            Ok(now.into_iter().map(stays).collect())
        }
        (_, now) => now,
    }
}

/// What is waited for, if anything is.
fn open(plan: &Plan, sent: &Sent, last: &ReadBack) -> Option<String> {
    match last {
        // Nothing is under way, and credentials that failed must not fail again.
        _ if matches!(sent, Sent::Refused(_)) => None,
        Err(why) => Some(why.clone()),
        Ok(members) => members
            .iter()
            .find(|(name, m)| may_still(plan, sent, name, m))
            .map(|(name, m)| line(plan, name, m)),
    }
}

async fn ask(cluster: &Cluster, plan: &Plan, sent: &Sent) -> Result<Vec<(String, Member)>, String> {
    let (target, name) = (plan.target(), plan.name());
    let read = read::members(cluster, target, &plan.members(), name, &Job::Read).await;
    let mut members = read.map_err(|failure| failure.clause())?;
    // After a 200 every member took part. Without one, "deleted" is also what a member says that was away and keeps the files.
    if *sent != Sent::Done {
        let map = &plan.facts().shard_map;
        // What cannot be looked for is neither there nor gone.
        let _ = read::erased(cluster, target, map, name, &mut members).await;
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(views: [Member; 2]) -> ReadBack {
        let names = ["couchdb@db-0", "couchdb@db-1"].map(str::to_owned);
        Ok(names.into_iter().zip(views).collect())
    }

    #[test]
    fn a_member_that_was_down_after_a_lost_answer_is_not_believed_when_it_is_back() {
        let before = members([Member::Deleted, Member::Down]);
        let now = || members([Member::Deleted, Member::Deleted]);
        assert_eq!(joined(&before, now(), true), before);
        // A 200 says that it took part.
        assert_eq!(joined(&before, now(), false), now());
    }

    #[test]
    fn what_was_seen_outlives_a_read_that_fails() {
        let before = members([Member::Deleted, Member::Silent]);
        let failed = || Err("the exec failed".to_owned());
        for unknown in [true, false] {
            assert_eq!(joined(&before, failed(), unknown), before);
            assert_eq!(joined(&failed(), before.clone(), unknown), before);
        }
    }
}
