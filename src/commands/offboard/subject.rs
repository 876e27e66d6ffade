//! Which onboarding a name means: one on the cluster or, where that is gone, what the repository, Helm's storage, policies or CouchDB
//! still show of it.

use super::Args;
use crate::advice::Command;
use crate::cluster::Cluster;
use crate::cluster::offboarding::Survey;
use crate::couchdb::figures;
use crate::diagnosis::lint::Repository;
use crate::diagnosis::lint::onboarding::Cluster as Folder;
use crate::diagnosis::offboarding::{Id, Subject};
use crate::error::{Error, Result};
use crate::model::convention::{PREFIX, is_named_for, name_for};
use crate::model::helm_release::HelmRelease;
use crate::model::lookup::{Found, find, typed};
use crate::model::names::DatabaseName;
use crate::text::one_line;
use std::collections::BTreeSet;

/// Finds it.
///
/// # Errors
/// The name means nothing or several, or it is not known which database it has.
pub(super) async fn resolve(
    args: &Args,
    cluster: &Cluster,
    namespace: &str,
    survey: &Survey,
    repository: Option<&Repository<'_>>,
) -> Result<Subject> {
    let name = typed(&args.name);
    let (place, name) = match name.split_once('/') {
        Some((place, name)) => (Some(place), name),
        None => (None, name),
    };
    // A team's own HelmRelease may have the same values; it is not removed with the onboarding.
    let unfiltered: Vec<&HelmRelease> = survey.helm_releases.known().iter().collect();
    let all: Vec<&HelmRelease> = unfiltered
        .iter()
        .copied()
        .filter(|hr| survey.ownership.has_onboarding(&hr.id()))
        .collect();
    let of = |namespace: &str| -> Vec<&HelmRelease> {
        let all = all.iter().copied();
        all.filter(|hr| hr.metadata.namespace == namespace)
            .collect()
    };
    let namespace = place.unwrap_or(namespace);
    let found = match (find(name, &of(namespace)), place) {
        (Found::None(_), None) => find(name, &all),
        (found, _) => found,
    };
    let near = match found {
        Found::One(hr) => return live(survey, hr),
        Found::Several(several) => {
            let ids = several.iter().map(|hr| hr.id());
            return Err(ambiguous(name, ids.collect()));
        }
        Found::None(near) => near,
    };
    if let Some(subject) = declared(args, name, namespace, survey, repository)? {
        return Ok(subject);
    }
    let is_named = |hr: &&HelmRelease| {
        let own = hr.metadata.name.as_str();
        (own == name || own.strip_prefix(PREFIX) == Some(name))
            && place.is_none_or(|place| hr.metadata.namespace == place)
    };
    if let Some(hr) = unfiltered.into_iter().find(is_named) {
        let id = one_line(&hr.id());
        let error = Error::new(format!(
            "HelmRelease {id} is not recognised as an onboarding: it has neither the label nor the chart of one"
        ));
        return Err(error.hint("if it is one, give its database's name instead"));
    }
    let database = match DatabaseName::parse(name) {
        Ok(database) => database,
        Err(_) => match left_behind(args, cluster, name, survey).await? {
            Some(database) => database,
            None => return Err(not_found(name, survey, &near)),
        },
    };
    // Flux's labels on its policy say which HelmRelease it was.
    let policies = survey.ownership.policies_of(database.as_str()).known;
    let makers: BTreeSet<String> = policies.into_iter().filter_map(|p| p.made_by).collect();
    let gone = makers
        .iter()
        .filter(|id| !all.iter().any(|hr| hr.id() == **id));
    let gone: Vec<&String> = gone.collect();
    if let [id] = gone[..]
        && let Some((namespace, name)) = id.split_once('/')
    {
        return Ok(Subject {
            database,
            id: Id::new(namespace, name),
            certain: true,
        });
    }
    Ok(Subject {
        id: Id::new(namespace, name_for(&database)),
        database,
        certain: false,
    })
}

/// One that is on the cluster.
fn live(survey: &Survey, hr: &HelmRelease) -> Result<Subject> {
    let claim = hr.claim();
    let database = match claim.joined() {
        Some(joined) => Some(joined.to_owned()),
        // Its values are elsewhere; what was installed with them says it.
        None => one(survey.ownership.databases_of(&hr.metadata.name))?,
    };
    let id = one_line(&hr.id());
    let database = database.ok_or_else(|| {
        let error = Error::new(format!(
            "it is not known which database HelmRelease {id} has"
        ));
        error.hint("its values do not say it; give the database's name in its place")
    })?;
    let database = DatabaseName::parse(&database).map_err(|why| {
        let database = one_line(&database);
        Error::new(format!(
            "HelmRelease {id} claims {database}, which no database can be called: {why}"
        ))
        .hint("remove its manifest; a database of that name cannot exist")
    })?;
    let Id { namespace, name } = Id::new(&hr.metadata.namespace, &hr.metadata.name);
    Ok(Subject {
        database,
        id: Id { namespace, name },
        certain: true,
    })
}

/// One that only the repository has.
fn declared(
    args: &Args,
    name: &str,
    namespace: &str,
    survey: &Survey,
    repository: Option<&Repository<'_>>,
) -> Result<Option<Subject>> {
    let onboardings = repository.map(|r| r.onboardings.as_slice());
    let mut found: BTreeSet<(Id, String)> = BTreeSet::new();
    for onboarding in onboardings.unwrap_or_default() {
        let is_here = match (&args.for_cluster, onboarding.cluster) {
            (Some(wanted), Folder::Named(is)) => wanted == is,
            _ => true,
        };
        if !is_here
            || !onboarding
                .called_itself()
                .iter()
                .any(|called| called == name)
        {
            continue;
        }
        let (own, object) = onboarding.id();
        let own = if own.is_empty() { namespace } else { own };
        let Ok(Some(names)) = onboarding.names() else {
            let file = one_line(&onboarding.manifest.file);
            let error = Error::new(format!("it is not known which database {file} declares"));
            return Err(error.hint("give the database's name"));
        };
        found.insert((Id::new(own, object), names.joined()));
    }
    let mut found = found.into_iter();
    let (Some((id, database)), other) = (found.next(), found.next()) else {
        return Ok(None);
    };
    if let Some((other, _)) = other {
        return Err(ambiguous(name, vec![id.to_string(), other.to_string()]));
    }
    let mut live = survey.helm_releases.known().iter();
    if let Some(hr) = live.find(|hr| hr.id() == id.to_string())
        && hr.claim().joined() != Some(&database)
    {
        let id = one_line(&id.to_string());
        let error = Error::new(format!(
            "the manifest of HelmRelease {id} says {}, and the HelmRelease on this cluster says another database",
            one_line(&database)
        ));
        return Err(error
            .hint("name the database that is meant, or the cluster's folder with --for-cluster"));
    }
    let database = DatabaseName::parse(&database).map_err(|why| {
        let database = one_line(&database);
        Error::new(format!("{database} is not the name of a database: {why}"))
    })?;
    Ok(Some(Subject {
        database,
        id,
        certain: true,
    }))
}

/// The database of a HelmRelease that is gone, by what is left of it: revisions, policies, or a database that it is named after.
async fn left_behind(
    args: &Args,
    cluster: &Cluster,
    name: &str,
    survey: &Survey,
) -> Result<Option<DatabaseName>> {
    let whole = format!("{PREFIX}{name}");
    let ownership = &survey.ownership;
    let mut databases = ownership.databases_of(name);
    databases.extend(ownership.databases_of(&whole));
    if databases.is_empty() && !args.couchdb.no_exec {
        let named = |database: &DatabaseName| {
            is_named_for(name, database) || is_named_for(&whole, database)
        };
        // Where CouchDB cannot be asked, nothing is found by it; the error then says what to give in place of the name.
        if let Ok(target) = args.couchdb.pods.container(cluster).await
            && let Ok((reader, names)) = figures::open(cluster, &target).await
        {
            reader.close().await;
            let names = names.iter().filter_map(|n| DatabaseName::parse(n).ok());
            databases.extend(names.filter(named).map(|n| n.to_string()));
        }
    }
    let database = one(databases)?;
    Ok(database.and_then(|database| DatabaseName::parse(&database).ok()))
}

/// The only one of these databases.
fn one(databases: BTreeSet<String>) -> Result<Option<String>> {
    let mut all = databases.iter();
    match (all.next(), all.next()) {
        (Some(_), Some(_)) => {
            let all: Vec<String> = databases.iter().map(|d| one_line(d)).collect();
            let error = Error::usage(format!("it may be one of {}", all.join(", ")));
            Err(error.hint("name the database"))
        }
        (one, _) => Ok(one.cloned()),
    }
}

fn ambiguous(name: &str, ids: Vec<String>) -> Error {
    let all: Vec<String> = ids.iter().map(|id| one_line(id)).collect();
    let number = all.len();
    let error = Error::usage(format!(
        "{name:?} means {number} onboardings: {}",
        all.join(", ")
    ));
    error.hint("name one of these HelmReleases instead")
}

fn not_found(name: &str, survey: &Survey, near: &[String]) -> Error {
    let error = Error::new(format!("nothing is left by which {name:?} could be found"));
    let error = match survey.helm_releases.not_all() {
        Some(why) => error.hint(format!("not every HelmRelease was read: {}", why.clause())),
        None => error,
    };
    match near {
        [] => error.hint(Command::skvs(["databases"]).after("name its database, as in:")),
        near => error.hint(format!("did you mean {}?", one_line(&near.join(", ")))),
    }
}
