//! Asks CouchDB once for the databases of a run. A CouchDB that cannot be asked is told and ends nothing.

use crate::cluster::Cluster;
use crate::couchdb::look::{self, Wanted};
use crate::diagnosis::{NotRun, registry};
use crate::flags::couchdb_pods::{AskArgs, PodArgs};
use crate::model::helm_release::HelmRelease;
use crate::model::names::DatabaseName;
use crate::model::status::{self, Ready};
use crate::snapshot::databases::{Databases, Found};
use crate::snapshot::{Read, Why};
use crate::text::count;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest that a report waits for CouchDB.
const LIMIT: Duration = Duration::from_secs(5);

/// The part in words, as it stands in "not run: …".
pub(super) const WHAT: &str = "databases in CouchDB";

/// Why CouchDB was not asked.
pub(crate) const NO_EXEC: &str = "left out by --no-exec";

/// Under what a bundle keeps the answer.
const NAME: &str = "/couchdb/databases";

/// The databases that checks on these onboardings ask for.
pub(super) fn wanted<'a>(onboardings: impl IntoIterator<Item = &'a HelmRelease>) -> Wanted {
    let mut wanted = Wanted::default();
    for hr in onboardings.into_iter().filter(|hr| !hr.is_remote()) {
        let by_the_job = status::is_about_creation_job(hr);
        let claim = hr.claim();
        let name = claim.joined().and_then(|n| DatabaseName::parse(n).ok());
        if let Some(name) = name.filter(|_| by_the_job || status::shown(hr) == Ready::True) {
            wanted.aged.extend(by_the_job.then(|| name.clone()));
            wanted.names.push(name);
        }
    }
    for names in [&mut wanted.names, &mut wanted.aged] {
        names.sort();
        names.dedup();
    }
    wanted
}

/// What is known of an onboarding's database.
pub(super) fn of_onboarding(databases: &Read<Databases>, hr: &HelmRelease) -> Read<Found> {
    match (databases, hr.claim().joined()) {
        (Read::Seen(known), Some(database)) => known.of(database),
        (Read::Unknown(why), Some(_)) => Read::Unknown(why.clone()),
        (Read::Absent, _) | (_, None) => Read::not_asked("CouchDB was not asked for it"),
    }
}

/// The checks that could not be run on onboardings that are left out of the report as well: their databases were asked for, and CouchDB's
/// answer does not say whether they exist.
pub(super) fn not_run<'a>(
    databases: &Read<Databases>,
    well: impl IntoIterator<Item = &'a HelmRelease>,
) -> Option<NotRun> {
    let (mut open, mut first) = (0_u64, None);
    for hr in well {
        if !wanted([hr]).is_nothing()
            && let Read::Unknown(why) = of_onboarding(databases, hr)
        {
            open += 1;
            first = first.or(Some(why.clause()));
        }
    }
    let why = first?;
    let why = match databases {
        Read::Seen(_) => format!("{}: {why}", count(open, "onboarding")),
        Read::Absent | Read::Unknown(_) => why,
    };
    Some(NotRun::new(registry::BY_DATABASES, WHAT, &why))
}

/// Nobody asked.
pub(super) fn not_asked() -> Arc<Read<Databases>> {
    Arc::new(Read::not_asked("CouchDB was not asked"))
}

/// Asks for them.
pub(crate) async fn ask(
    cluster: &Cluster,
    args: Option<&AskArgs>,
    wanted: &Wanted,
) -> Arc<Read<Databases>> {
    let Some(args) = args else {
        return not_asked();
    };
    if args.no_exec {
        return Arc::new(Read::not_asked(NO_EXEC));
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
    // Of a bundle the answer alone is read.
    let near = cluster.unrecorded().within(LIMIT);
    let started = Instant::now();
    let read = async {
        match pods.found(&near).await {
            Err(error) => Read::Unknown(Why::from(&error)),
            Ok(Err(none)) => Read::failed(none.clause(&pods.place.couchdb_namespace)),
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
pub(crate) async fn answers(
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
    use crate::snapshot::databases::Answer;

    #[test]
    fn a_database_of_which_couchdb_does_not_tell_is_not_run_and_not_fine() {
        let ready = fixture::snapshot("ready").helm_release.clone();
        let not_run = |answer: Option<Answer>| {
            let mut databases = Databases::default();
            let answer = answer.map(|answer| ("pds_database".to_owned(), answer));
            databases.asked.extend(answer);
            not_run(&Read::Seen(databases), [&ready])
        };
        let timeout = Answer::NotRead {
            why: "timeout".to_owned(),
        };
        let told = not_run(Some(timeout)).unwrap();
        assert_eq!(told.codes, ["SKVS323", "SKVS324"]);
        assert_eq!(told.why, "1 onboarding: timeout");
        let told = not_run(None).unwrap();
        assert_eq!(told.why, "1 onboarding: CouchDB was not asked for it");
        let why = "CouchDB answered 500".to_owned();
        for answer in [Answer::Absent, Answer::Unserved { why }] {
            assert!(not_run(Some(answer)).is_none());
        }
        let refused = super::not_run(&Read::failed("forbidden"), [&ready]).unwrap();
        assert_eq!(refused.why, "forbidden");
        let failing = fixture::snapshot("no-answer").helm_release.clone();
        assert!(super::not_run(&Read::failed("forbidden"), [&failing]).is_none());
    }

    #[test]
    fn only_what_a_check_asks_for_is_asked() {
        let wanted = |case: &str| -> (Vec<String>, usize) {
            let snapshot = fixture::snapshot(case);
            let wanted = wanted([&snapshot.helm_release]);
            let names = wanted.names.iter().map(ToString::to_string);
            (names.collect(), wanted.aged.len())
        };
        let one = || vec!["pds_database".to_owned()];
        assert_eq!(wanted("ready"), (one(), 0));
        assert_eq!(wanted("database-exists"), (one(), 1));
        assert_eq!(wanted("repository-unreachable"), (Vec::new(), 0));
        assert_eq!(wanted("no-answer"), (Vec::new(), 0));
    }
}
