//! What every member says after the DELETE, asked again until none knows the database or the time is over. Reads only.

use super::outcome::{ReadBack, line, may_still};
use super::plan::{Member, Plan};
use super::read;
use super::sent::Sent;
use crate::cluster::Cluster;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The first pause between two reads; each is twice as long as the one before, up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long members that have the database are waited for where it is not known whether they were told to let go of it.
const UNKNOWN: Duration = Duration::from_secs(5);

/// How long is waited, and who hears of it meanwhile.
pub struct Patience<'a> {
    pub limit: Duration,
    pub tell: &'a mut (dyn FnMut(&str) + 'a),
}

/// Asks into `last`, so that what was seen outlives an interrupt. The first read has the time that it needs.
pub(super) async fn read_back(
    cluster: &Cluster,
    plan: &Plan,
    sent: &Sent,
    patience: &mut Patience<'_>,
    last: &mut ReadBack,
) {
    let limit = match sent {
        Sent::Unknown { .. } => patience.limit.min(UNKNOWN),
        _ => patience.limit,
    };
    *last = ask(cluster, plan).await;
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
        let Ok(again) = timeout(left.max(PAUSE), ask(cluster, plan)).await else {
            return;
        };
        // What a member said stays known when it cannot be asked again.
        if again.is_ok() || last.is_err() {
            *last = again;
        }
    }
}

/// What is waited for, if anything is.
fn open(plan: &Plan, sent: &Sent, last: &ReadBack) -> Option<String> {
    match last {
        Err(why) => Some(why.clone()),
        Ok(members) => members
            .iter()
            .find(|(name, m)| may_still(plan, sent, name, m))
            .map(|(name, m)| line(plan, name, m)),
    }
}

async fn ask(cluster: &Cluster, plan: &Plan) -> Result<Vec<(String, Member)>, String> {
    read::members(cluster, plan.target(), plan.members(), plan.name())
        .await
        .map_err(|failure| failure.clause())
}
