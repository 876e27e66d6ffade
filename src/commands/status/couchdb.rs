//! Asks CouchDB, once for each status. One that refuses the credentials is not asked again.

use crate::cluster::Cluster;
use crate::couchdb::look::Wanted;
use crate::couchdb::pods::PodState;
use crate::couchdb::survey::{self, NoSurvey, Survey};
use crate::flags::couchdb_pods::{AskArgs, Found};
use crate::model::helm_release::HelmRelease;
use crate::model::names::DatabaseName;
use crate::model::not_read::NotRead;
use crate::snapshot::databases::Databases;
use crate::snapshot::{Read, Why};
use crate::triage::databases::NO_EXEC;
use std::time::{Duration, Instant};

/// Longest that a status waits for CouchDB.
const LIMIT: Duration = Duration::from_secs(10);

/// What is asked for, with each database that one of these onboardings claims: whether it exists is known from its own GET only.
pub(super) fn with_claims(onboardings: &[HelmRelease], wanted: &Wanted) -> Wanted {
    let claims = onboardings.iter().map(|hr| hr.claim());
    let claims = claims.filter_map(|claim| DatabaseName::parse(claim.joined()?).ok());
    let mut names: Vec<DatabaseName> = wanted.names.iter().cloned().chain(claims).collect();
    names.sort();
    names.dedup();
    Wanted {
        names,
        aged: wanted.aged.clone(),
    }
}

/// The last answer of CouchDB, and whether it may be asked for another one.
pub(super) struct Asking {
    /// Or why they are not known, if the survey does not say so.
    pods: Result<Vec<PodState>, Option<Why>>,
    survey: Result<Survey, NoSurvey>,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            pods: Err(None),
            survey: Err(Why::NotAsked("CouchDB was not asked".to_owned()).into()),
        }
    }
}

impl Asking {
    /// Asks for everything. The pods are read each time.
    pub(super) async fn ask(&mut self, cluster: &Cluster, args: &AskArgs, wanted: &Wanted) {
        self.pods = Err(None);
        if args.no_exec {
            self.survey = Err(Why::NotAsked(NO_EXEC.to_owned()).into());
            return;
        }
        let near = cluster.within(LIMIT);
        let started = Instant::now();
        let found = match args.pods.found(&near).await {
            Err(error) => Err(Why::from(&error)),
            Ok(Err(none)) => Err(Why::Failed(none.clause(&args.pods.place.couchdb_namespace))),
            Ok(Ok(found)) => Ok(found),
        };
        let is_locked_out = self.survey.as_ref().is_err_and(|none| none.locked_out);
        match found {
            Err(why) if is_locked_out => self.pods = Err(Some(why)),
            Err(why) => self.survey = Err(why.into()),
            Ok(found) => {
                self.pods = Ok(found.cluster());
                if !is_locked_out {
                    self.survey = in_a_pod(&near, args, found, wanted, started).await;
                }
            }
        }
    }

    /// What the checks ask for.
    pub(super) fn databases(&self, wanted: &Wanted) -> Read<Databases> {
        match &self.survey {
            Ok(survey) => survey.databases(wanted),
            Err(none) => Read::Unknown(none.why.clone()),
        }
    }

    pub(super) fn survey(&self) -> Option<&Survey> {
        self.survey.as_ref().ok()
    }

    pub(super) fn pods(&self) -> Option<&[PodState]> {
        self.pods.as_deref().ok()
    }

    /// Why CouchDB was not surveyed.
    pub(super) fn why(&self) -> String {
        let none = self.survey.as_ref().err();
        none.map_or(String::new(), |none| none.why.clause())
    }

    pub(super) fn not_read(&self) -> Vec<NotRead> {
        let survey = self.survey.as_ref().err().map(|none| {
            let again = match none.locked_out {
                true => "; it is not asked again, since a few more refusals lock the account",
                false => "",
            };
            let why = format!("{}{again}", none.why.clause());
            NotRead::new("CouchDB's databases and members", why)
        });
        let pods = self.pods.as_ref().err().and_then(Option::as_ref);
        let pods = pods.map(|why| NotRead::new("CouchDB's pods", why.clause()));
        survey.into_iter().chain(pods).collect()
    }
}

async fn in_a_pod(
    near: &Cluster,
    args: &AskArgs,
    found: Found,
    wanted: &Wanted,
    started: Instant,
) -> Result<Survey, NoSurvey> {
    let target = args.pods.settled(near, found).await;
    let target = target.map_err(|error| Why::Failed(error.message().to_owned()))?;
    let left = LIMIT.saturating_sub(started.elapsed());
    survey::survey(near, &target, wanted, left).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;

    #[test]
    fn every_claim_is_asked_for_once() {
        let failing = fixture::snapshot("repository-unreachable")
            .helm_release
            .clone();
        let ready = fixture::snapshot("ready").helm_release.clone();
        let wanted = Wanted::default();
        let names = |all: &[HelmRelease]| -> Vec<String> {
            let wanted = with_claims(all, &wanted);
            wanted.names.iter().map(ToString::to_string).collect()
        };
        assert_eq!(names(&[failing, ready]), ["pds_database"]);
        assert_eq!(names(&[]), [""; 0]);
    }

    #[tokio::test]
    async fn a_couchdb_that_refuses_is_not_asked_again() {
        use crate::cluster::ConnectionArgs;
        let connection = ConnectionArgs {
            server: Some("http://127.0.0.1:9".to_owned()),
            ..ConnectionArgs::default()
        };
        let cluster = Cluster::connect(&connection, false).await.unwrap();
        let args = <crate::cli::Cli as clap::Parser>::try_parse_from(["kubectl-skvs", "status"]);
        let crate::commands::Command::Status(args) = args.unwrap().command else {
            panic!("status");
        };
        let mut asking = Asking::default();
        let refused = NoSurvey {
            why: Why::Failed("CouchDB refused the password".to_owned()),
            locked_out: true,
        };
        asking.survey = Err(refused.clone());
        // These are from the last round, and must not be shown as this one's.
        asking.pods = Ok(Vec::new());
        asking
            .ask(&cluster, &args.couchdb, &Wanted::default())
            .await;
        assert_eq!(asking.survey.as_ref().unwrap_err(), &refused);
        assert_eq!((cluster.requests(), asking.pods()), (1, None));
        let lines = asking.not_read();
        assert!(lines[0].why.contains("it is not asked again"), "{lines:?}");
        assert_eq!(lines[1].what, "CouchDB's pods");
    }
}
