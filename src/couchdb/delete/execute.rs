//! The act: a last look, one DELETE, and the read-back. The only file that sends a DELETE.
//!
//! Nothing is repeated but reads. Ctrl-C before the DELETE leaves all as it was; after it, what is known is told.

use super::confirm::Confirmed;
use super::outcome::{self, Outcome, ReadBack};
use super::plan::{self, Plan};
pub use super::read::Patience;
use super::read::{self, CATCH_UP, Look};
use super::read_back::read_back;
use super::refusal::Refusal;
use super::risk::RiskKind;
use super::sent::{self, Sent};
use crate::cluster::Cluster;
use crate::couchdb::transport;
use std::pin::Pin;
use std::time::Duration;

/// Ctrl-C, as the caller waits for it.
pub type Interrupt<'a> = Pin<&'a mut (dyn Future<Output = ()> + 'a)>;

/// Ctrl-C, seen before the work was started or while it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    Before,
    During,
}

/// Does `work` until Ctrl-C. One that has come by now starts nothing; an answer that has come beside one is kept.
async fn until<T>(
    interrupt: &mut Interrupt<'_>,
    work: impl Future<Output = T>,
) -> Result<T, Stopped> {
    // A turn of the runtime, so that a signal that the process has is seen.
    tokio::task::yield_now().await;
    tokio::select! {
        biased;
        () = interrupt.as_mut() => return Err(Stopped::Before),
        () = std::future::ready(()) => {}
    }
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = interrupt.as_mut() => Err(Stopped::During),
    }
}

/// Deletes what was confirmed.
pub async fn execute(
    cluster: &Cluster,
    confirmed: Confirmed,
    mut interrupt: Interrupt<'_>,
    mut patience: Patience<'_>,
) -> Outcome {
    let plan = confirmed.plan();
    match until(&mut interrupt, last_look(cluster, plan, &mut patience)).await {
        Ok(Ok(())) => {}
        Ok(Err(refusals)) => return Outcome::Refused(refusals),
        Err(_) => return Outcome::Interrupted,
    }
    #[expect(clippy::disallowed_methods, reason = "the one DELETE")]
    let job = confirmed.deletion();
    (patience.tell)(&format!("Deleting {} …", plan.name()));
    let run = match until(&mut interrupt, transport::run(cluster, plan.target(), &job)).await {
        Ok(run) => run,
        Err(Stopped::Before) => return Outcome::Interrupted,
        Err(Stopped::During) => {
            let why =
                "interrupted after the DELETE was handed to the pod, before its answer".to_owned();
            return Outcome::Unknown {
                answered: false,
                why,
                seen: Vec::new(),
            };
        }
    };
    let sent = sent::sent(run);
    let mut seen: ReadBack = Err("none had answered".to_owned());
    if matches!(sent, Sent::Not(_)) {
        return outcome::conclude(plan, sent, seen);
    }
    let asked = read_back(cluster, plan, &sent, &mut patience, &mut seen);
    match until(&mut interrupt, asked).await {
        Ok(()) => outcome::conclude(plan, sent, seen),
        Err(_) => outcome::interrupted(plan, sent, seen),
    }
}

/// Everything once more, and who claims the database last of all.
///
/// The same facts are read three times, each time for another reason. The plan is what a person reviews. This last look finds what has
/// changed since, because the question may have been open for an hour and a backup may have taken a day; it can read the API server, which the
/// pod cannot. The guards in the pod find what CouchDB changes between this look and the DELETE; they run beside CouchDB, in the same exec
/// as the DELETE, so nothing comes between the two.
///
/// Claims only exist on the API server, so no guard can hold them. They are read when everything else has been, and nothing is awaited
/// between their last answer and the exec: a CouchDB that is slow to answer must not make that window longer.
async fn last_look(
    cluster: &Cluster,
    plan: &Plan,
    patience: &mut Patience<'_>,
) -> Result<(), Vec<Refusal>> {
    let target = plan.target();
    let not_read = |what: &str, why: String| {
        vec![Refusal::NotRead {
            what: what.to_owned(),
            why,
        }]
    };
    let here = format!("pod {}/{}", target.namespace, target.pod);
    let pods = match read::pods(cluster, target).await {
        Ok(pods) => pods,
        Err(error) => return Err(not_read(&here, error.message().to_owned())),
    };
    // Before anything is run in it: it may be another pod under the same name.
    if !pods.iter().any(|p| p.uid == target.uid && p.ready) {
        return Err(vec![Refusal::Changed {
            what: format!("{here} has been replaced or is not ready"),
        }]);
    }
    // What was taken on is not waited for.
    let limit = match plan.accepted().takes_kind(RiskKind::CatchingUp) {
        true => Duration::ZERO,
        false => CATCH_UP,
    };
    let mut patience = Patience {
        limit,
        tell: &mut *patience.tell,
    };
    let targets = std::slice::from_ref(target);
    let look = read::couchdb(cluster, targets, plan.name(), &mut patience).await;
    let unjudged = match look {
        Ok(Look::Facts(unjudged)) => unjudged,
        Ok(Look::Hung(refusals) | Look::Unserved(refusals)) => return Err(refusals),
        Ok(Look::NotFound { .. }) => {
            return Err(vec![Refusal::Changed {
                what: "the database has gone".to_owned(),
            }]);
        }
        Err(error) => {
            let why = error.message().to_owned();
            return Err(not_read("the last look into CouchDB", why));
        }
    };
    let unclaimed = match read::claims(cluster, plan.name()).await {
        Ok(judged) => judged?,
        Err(error) => {
            let why = error.message().to_owned();
            return Err(not_read("the claims on the database", why));
        }
    };
    plan.still_holds(plan::plan(unjudged.with(unclaimed))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How it ended, and whether the work was started.
    async fn run(
        interrupt: impl Future<Output = ()>,
        work: impl Future<Output = ()>,
    ) -> (Result<(), Stopped>, bool) {
        let started = Cell::new(false);
        let mut interrupt: Interrupt<'_> = std::pin::pin!(interrupt);
        let work = async {
            started.set(true);
            work.await;
        };
        let done = until(&mut interrupt, work).await;
        (done, started.get())
    }

    #[tokio::test]
    async fn an_interrupt_that_has_come_starts_nothing() {
        let (now, never) = (std::future::ready, std::future::pending);
        assert_eq!(run(now(()), now(())).await, (Err(Stopped::Before), false));
        let later = async {
            tokio::task::yield_now().await;
        };
        assert_eq!(run(later, never()).await, (Err(Stopped::During), true));
        assert_eq!(run(never(), now(())).await, (Ok(()), true));
    }
}
