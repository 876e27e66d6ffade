//! Asks CouchDB once for the databases of a run. A CouchDB that cannot be asked is told and ends nothing.

use super::super::couchdb_pods::PodArgs;
use crate::cluster::Cluster;
use crate::couchdb::look::{self, Wanted};
use crate::diagnosis::case::about_the_job;
use crate::model::helm_release::HelmRelease;
use crate::model::names::DatabaseName;
use crate::model::status::{self, Ready};
use crate::snapshot::databases::Databases;
use crate::snapshot::{Read, Why};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest that a report waits for CouchDB.
const LIMIT: Duration = Duration::from_secs(5);

/// The part in words, as it stands in "not run: …".
pub(super) const WHAT: &str = "databases in CouchDB";

/// Under what a bundle keeps the answer.
const NAME: &str = "/couchdb/databases";

/// Flags of what is asked in CouchDB's pods.
#[derive(clap::Args, Clone, Debug)]
pub(in crate::commands) struct AskArgs {
    /// Do not ask CouchDB in its pods whether databases are there
    #[arg(long)]
    no_exec: bool,
    #[command(flatten)]
    pods: PodArgs,
}

/// The databases that checks on these onboardings ask for.
pub(super) fn wanted<'a>(onboardings: impl IntoIterator<Item = &'a HelmRelease>) -> Wanted {
    let mut names: Vec<DatabaseName> = onboardings
        .into_iter()
        .filter(|hr| !hr.is_remote())
        .filter(|hr| status::ready(hr) == Ready::True || about_the_job(hr))
        .filter_map(|hr| DatabaseName::parse(hr.claim().joined()?).ok())
        .collect();
    names.sort();
    names.dedup();
    Wanted { all: false, names }
}

/// Asks for them.
pub(super) async fn ask(
    cluster: &Cluster,
    args: Option<&AskArgs>,
    wanted: &Wanted,
) -> Arc<Read<Databases>> {
    let Some(args) = args else {
        return Arc::new(Read::not_asked("CouchDB was not asked"));
    };
    if args.no_exec {
        return Arc::new(Read::not_asked("left out by --no-exec"));
    }
    if wanted.is_nothing() {
        return Arc::new(Read::not_asked("no check asks for one"));
    }
    Arc::new(
        cluster
            .aside(NAME, in_a_pod(cluster, &args.pods, wanted))
            .await,
    )
}

/// Asks in a pod, a few seconds at most.
async fn in_a_pod(cluster: &Cluster, pods: &PodArgs, wanted: &Wanted) -> Read<Databases> {
    let near = cluster.within(LIMIT);
    let started = Instant::now();
    let read = async {
        match pods.found(&near).await {
            Err(error) => Read::Unknown(Why::from(&error)),
            Ok(Err(none)) => Read::failed(none.clause(&pods.couchdb_namespace)),
            Ok(Ok(found)) => match pods.settled(&near, found).await {
                Err(error) => Read::failed(error.message().to_owned()),
                Ok(target) => {
                    let left = LIMIT.saturating_sub(started.elapsed());
                    look::databases(&near, &target, wanted, left).await
                }
            },
        }
    };
    // A moment more than its parts: what has come by then still counts.
    let limit = LIMIT + Duration::from_millis(500);
    let answer = tokio::time::timeout(limit, read).await;
    answer.unwrap_or_else(|_| Read::failed(format!("no answer in {}s", LIMIT.as_secs())))
}

/// For the onboardings of a run: `asked` already where picking them took it.
pub(in crate::commands) async fn of(
    cluster: &Cluster,
    args: Option<&AskArgs>,
    asked: Option<Arc<Read<Databases>>>,
    objects: &[Value],
) -> Arc<Read<Databases>> {
    if let Some(asked) = asked {
        return asked;
    }
    let known: Vec<HelmRelease> = objects
        .iter()
        .filter_map(|o| HelmRelease::from_value(o).ok())
        .collect();
    ask(cluster, args, &wanted(&known)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;

    #[test]
    fn only_what_a_check_asks_for_is_asked() {
        let names = |case: &str| -> Vec<String> {
            let snapshot = fixture::snapshot(case);
            let wanted = wanted([&snapshot.helm_release]);
            wanted.names.iter().map(ToString::to_string).collect()
        };
        assert_eq!(names("ready").len(), 1);
        assert_eq!(names("database-exists"), ["pds_database"]);
        assert!(names("repository-unreachable").is_empty());
        assert!(names("no-answer").is_empty());
    }
}
