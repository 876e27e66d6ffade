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
    let looked = tokio::select! {
        biased;
        looked = last_look(cluster, plan) => looked,
        () = &mut interrupt => return Outcome::Interrupted,
    };
    if let Err(refusals) = looked {
        return Outcome::Refused(refusals);
    }
    let job = plan.deletion();
    let run = tokio::select! {
        biased;
        run = transport::run(cluster, plan.target(), &job) => run,
        () = &mut interrupt => {
            let why = "interrupted after the DELETE was handed to the pod, before its answer".to_owned();
            return Outcome::Unknown { why, seen: Vec::new() };
        }
    };
    let sent = outcome::sent(run);
    if matches!(sent, Sent::Not(_) | Sent::Absent) {
        return outcome::conclude(plan, sent, Ok(Vec::new()));
    }
    let read_back = tokio::select! {
        biased;
        read_back = read_back(cluster, plan) => read_back,
        () = &mut interrupt => return interrupted(&sent),
    };
    outcome::conclude(plan, sent, read_back)
}

/// Ctrl-C while the members were asked.
fn interrupted(sent: &Sent) -> Outcome {
    let why = match sent {
        Sent::Done => "CouchDB answered 200; interrupted before its members were asked".to_owned(),
        Sent::Accepted => {
            "CouchDB answered 202; interrupted before its members were asked".to_owned()
        }
        Sent::Unknown(why) => format!("{why}; interrupted before the members were asked"),
        Sent::Not(_) | Sent::Absent => "interrupted".to_owned(),
    };
    Outcome::Unknown {
        why,
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
        let lags = members.iter().any(|(_, m)| {
            matches!(m, Member::Has(map) if map.shard_suffix == plan.shard_map().shard_suffix)
        });
        if !lags || asked == READS {
            return Ok(members);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
