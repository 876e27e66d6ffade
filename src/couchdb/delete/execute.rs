//! The act: a last look, one DELETE, and the read-back. The only file that sends a DELETE.
//!
//! Nothing is repeated but reads. Ctrl-C before the DELETE leaves all as it was; after it, what is known is told.

use super::confirm::Confirmed;
use super::outcome::{self, Outcome, ReadBack, Sent};
use super::plan::{Member, Plan};
use super::read;
use super::refusal::Refusal;
use crate::cluster::{Cluster, segment};
use crate::couchdb::{pods, transport};
use k8s_openapi::api::core::v1::Pod;
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

/// How often the members are asked while one of them still has the database, and the pause between.
const READS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Deletes what was confirmed.
pub async fn execute(
    cluster: &Cluster,
    confirmed: Confirmed,
    mut interrupt: Interrupt<'_>,
) -> Outcome {
    let plan = confirmed.plan();
    match until(&mut interrupt, last_look(cluster, plan)).await {
        Ok(Ok(())) => {}
        Ok(Err(refusals)) => return Outcome::Refused(refusals),
        Err(_) => return Outcome::Interrupted,
    }
    let job = plan.deletion();
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
    let sent = outcome::sent(run);
    if matches!(sent, Sent::Not(_)) {
        return outcome::conclude(plan, sent, Ok(Vec::new()));
    }
    match until(&mut interrupt, read_back(cluster, plan)).await {
        Ok(read_back) => outcome::conclude(plan, sent, read_back),
        Err(_) => interrupted(&sent),
    }
}

/// Ctrl-C while the members were asked.
fn interrupted(sent: &Sent) -> Outcome {
    let (answered, why) = match sent {
        Sent::Done => (true, "CouchDB answered 200"),
        Sent::Accepted => (true, "CouchDB answered 202"),
        Sent::Absent => (true, "CouchDB answered 404"),
        Sent::Unknown { answered, why } => (*answered, why.as_str()),
        Sent::Not(_) => (false, "nothing was sent"),
    };
    Outcome::Unknown {
        answered,
        why: format!("{why}; interrupted before its members were asked"),
        seen: Vec::new(),
    }
}

/// Claims and pod once more: the question may have stood open for an hour.
async fn last_look(cluster: &Cluster, plan: &Plan) -> Result<(), Vec<Refusal>> {
    let target = plan.target();
    let not_read = |what: &str, why: String| {
        vec![Refusal::NotRead {
            what: what.to_owned(),
            why,
        }]
    };
    let path = format!(
        "/api/v1/namespaces/{}/pods/{}",
        segment(&target.namespace),
        segment(&target.pod)
    );
    let pod: Pod = match cluster.get(&path).await {
        Ok(pod) => pod,
        Err(error) => {
            return Err(not_read(
                &format!("pod {}/{}", target.namespace, target.pod),
                error.clause(),
            ));
        }
    };
    if !pods::still_there(&pod, target) {
        return Err(vec![Refusal::Changed {
            what: format!(
                "pod {}/{} has been replaced or is not ready",
                target.namespace, target.pod
            ),
        }]);
    }
    match read::claims(cluster, plan.name()).await {
        Ok(judged) => judged.map(|_| ()),
        Err(error) => Err(not_read(
            "what claims the database",
            error.message().to_owned(),
        )),
    }
}

/// What every member says, asked again for a moment while one still has the database that was deleted.
async fn read_back(cluster: &Cluster, plan: &Plan) -> ReadBack {
    let mut asked = 0;
    loop {
        asked += 1;
        let members = read::members(cluster, plan.target(), plan.members(), plan.name())
            .await
            .map_err(|failure| failure.clause())?;
        let lags = members
            .iter()
            .any(|(_, m)| matches!(m, Member::Has(map) if plan.is_same(map)));
        if !lags || asked == READS {
            return Ok(members);
        }
        tokio::time::sleep(PAUSE).await;
    }
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
