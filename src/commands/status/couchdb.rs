//! Asks CouchDB, once for each status. One that refuses the credentials is not asked again.

use crate::cluster::Cluster;
use crate::commands::troubleshoot::databases::{AskArgs, NO_EXEC};
use crate::couchdb::look::Wanted;
use crate::couchdb::pods::PodState;
use crate::couchdb::survey::{self, NoSurvey, Survey};
use crate::model::helm_release::HelmRelease;
use crate::model::names::DatabaseName;
use crate::snapshot::databases::Databases;
use crate::snapshot::{Read, Why};
use crate::view::status::NotRead;
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
    pods: Option<Vec<PodState>>,
    survey: Result<Survey, NoSurvey>,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            pods: None,
            survey: Err(Why::NotAsked("CouchDB was not asked".to_owned()).into()),
        }
    }
}

impl Asking {
    /// Asks for everything.
    pub(super) async fn ask(&mut self, cluster: &Cluster, args: &AskArgs, wanted: &Wanted) {
        if self.survey.as_ref().is_err_and(|none| none.locked_out) {
            return;
        }
        self.pods = None;
        self.survey = match args.no_exec {
            true => Err(Why::NotAsked(NO_EXEC.to_owned()).into()),
            false => self.in_a_pod(cluster, args, wanted).await,
        };
    }

    async fn in_a_pod(
        &mut self,
        cluster: &Cluster,
        args: &AskArgs,
        wanted: &Wanted,
    ) -> Result<Survey, NoSurvey> {
        let near = cluster.within(LIMIT);
        let started = Instant::now();
        let found = match args.pods.found(&near).await {
            Err(error) => return Err(Why::from(&error).into()),
            Ok(Err(none)) => {
                let why = none.clause(&args.pods.couchdb_namespace);
                return Err(Why::Failed(why).into());
            }
            Ok(Ok(found)) => found,
        };
        self.pods = Some(found.cluster());
        let target = args.pods.settled(&near, found).await;
        let target = target.map_err(|error| Why::Failed(error.message().to_owned()))?;
        let left = LIMIT.saturating_sub(started.elapsed());
        survey::survey(&near, &target, wanted, left).await
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
        self.pods.as_deref()
    }

    /// Why CouchDB was not surveyed.
    pub(super) fn why(&self) -> String {
        let none = self.survey.as_ref().err();
        none.map_or(String::new(), |none| none.why.clause())
    }

    pub(super) fn not_read(&self) -> Option<NotRead> {
        let none = self.survey.as_ref().err()?;
        let again = match none.locked_out {
            true => "; it is not asked again, since a few more refusals lock the account",
            false => "",
        };
        let why = format!("{}{again}", none.why.clause());
        Some(NotRead::new("CouchDB's databases and members", why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;

    #[test]
    fn every_claim_is_asked_for_once() {
        let failing = fixture::snapshot("repository-unreachable").helm_release;
        let ready = fixture::snapshot("ready").helm_release;
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
        asking
            .ask(&cluster, &args.couchdb, &Wanted::default())
            .await;
        assert_eq!(asking.survey.as_ref().unwrap_err(), &refused);
        assert_eq!(cluster.requests(), 0);
        let line = asking.not_read().unwrap().why;
        assert!(line.contains("it is not asked again"), "{line}");
    }
}
