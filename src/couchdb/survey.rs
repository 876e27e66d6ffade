//! All of CouchDB at once: its version, its members, every database and whether it is served. One exec, reads only, in bounded time.

use super::Target;
use super::figures::{self, Serving, Source};
use super::look::{self, Wanted};
use super::request::Path;
use super::response::{Membership, Server};
use crate::cluster::Cluster;
use crate::snapshot::databases::Databases;
use crate::snapshot::{Read, Why};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// What one of CouchDB's pods says.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The pod that was asked.
    pub target: Target,
    pub server: Read<Server>,
    /// As the member that was asked sees the others.
    pub membership: Read<Membership>,
    /// Every database.
    pub names: BTreeSet<String>,
    /// What CouchDB says of each of them, and of each that was asked for.
    pub serving: BTreeMap<String, Serving>,
}

/// CouchDB could not be surveyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSurvey {
    pub why: Why,
    /// CouchDB refused the credentials: a few more tries would lock the account.
    pub locked_out: bool,
}

impl From<Why> for NoSurvey {
    fn from(why: Why) -> Self {
        Self {
            why,
            locked_out: false,
        }
    }
}

impl Survey {
    /// What the checks ask for.
    pub fn databases(&self, wanted: &Wanted) -> Read<Databases> {
        let names = look::texts(&wanted.names);
        let of = |name: &str| {
            let not_read = || Serving::NotRead("CouchDB was not asked for it".to_owned());
            self.serving.get(name).cloned().unwrap_or_else(not_read)
        };
        let told = names.iter().map(|name| ((*name).to_owned(), of(name)));
        look::gathered(&self.target, told.collect())
    }
}

/// Asks, `limit` at most. What has not come by then is not known.
///
/// # Errors
/// CouchDB cannot be asked, or does not name its databases.
pub async fn survey(
    cluster: &Cluster,
    target: &Target,
    wanted: &Wanted,
    limit: Duration,
) -> Result<Survey, NoSurvey> {
    let until = Instant::now() + limit;
    let mut reader = look::reader(cluster, target, limit, until).await?;
    let names = match figures::names(&mut reader, target).await {
        Ok(names) => names,
        Err(error) => {
            let none = NoSurvey {
                why: Why::Failed(error.message().to_owned()),
                locked_out: reader.is_locked_out(),
            };
            look::close(reader, until).await;
            return Err(none);
        }
    };
    let server = reader.document(&Path::root()).await;
    let membership = reader.document(&Path::membership()).await;
    let listed: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut serving = figures::serving(&mut reader, &listed, Source::AllDatabases).await;
    let unlisted = look::texts(&wanted.names);
    let unlisted: Vec<&str> = unlisted
        .into_iter()
        .filter(|n| !names.contains(*n))
        .collect();
    serving.extend(figures::unlisted(&mut reader, &unlisted).await);
    figures::creations(&mut reader, &look::texts(&wanted.aged), &mut serving).await;
    look::close(reader, until).await;
    Ok(Survey {
        target: target.clone(),
        server,
        membership,
        names,
        serving,
    })
}
