//! From the names that a user typed to the HelmReleases that they mean.
//!
//! A HelmRelease's own name takes one request. Only a name that is none is looked for among all onboardings of the
//! namespace, which takes one list, however many names there are. Where a command reads a list anyway, a name in it takes no request.

pub(crate) mod database_name;
pub(crate) mod empty;
pub(crate) mod first_install;
pub(crate) mod nowhere;
pub(crate) mod release_notes;
pub(crate) mod sources;

use crate::advice::{Command, Hint};
use crate::app::App;
use crate::cluster::error::NOT_SAVED;
use crate::cluster::helm_releases::Query;
use crate::cluster::onboardings::{Listed, Onboardings, Unreadable};
use crate::cluster::{Cluster, ClusterError};
use crate::diagnosis::catalogue;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::saved;
use crate::model::helm_release::{GROUP, HelmRelease, PLURAL};
use crate::model::lookup::{Found, answers, can_be_an_object, find, typed};
use crate::model::names::DatabaseName;
use crate::text::one_line;
use serde_json::Value;

/// What one typed name means, or why it means nothing.
pub(crate) type Answer = Result<Value>;

/// The only onboarding that answers to a name. Several are an error.
pub(crate) fn only(name: &str, answer: Result<Vec<Value>>) -> Answer {
    let mut objects = answer?;
    match objects.len() {
        1 => Ok(objects.remove(0)),
        _ => Err(ambiguous(typed(name), &objects)),
    }
}

/// Reads the onboardings of all namespaces, looks every name up among them, and gives out both.
///
/// # Errors
/// As [`every`].
pub(crate) async fn among_all(
    app: &App,
    cluster: &Cluster,
    names: &[String],
) -> Result<(Vec<Result<Vec<Value>>>, Onboardings)> {
    let (namespace, selector) = (&app.global.namespace, &app.global.onboarding_selector);
    let keep = |hr: &HelmRelease| is_meant(names, hr);
    let (listed, not_elsewhere) = cluster
        .onboardings_around(Some(namespace), selector, keep)
        .await;
    let answers = every(app, cluster, names, Some(&listed)).await?;
    Ok((answers, Onboardings::new(listed, not_elsewhere)))
}

/// Whether one of the names is the onboarding's.
pub(crate) fn is_meant(names: &[String], hr: &HelmRelease) -> bool {
    names.iter().any(|name| answers(hr, typed(name)))
}

/// Looks every name up, answers in their order: all onboardings that answer to it, one at least. `listed` is the list that was read
/// anyway, where one was.
///
/// # Errors
/// Only what makes asking for anything else useless: no connection, no credentials.
pub(crate) async fn every(
    app: &App,
    cluster: &Cluster,
    names: &[String],
    listed: Option<&Result<Listed, ClusterError>>,
) -> Result<Vec<Result<Vec<Value>>>> {
    let namespace = app.namespace();
    let place = namespace.as_deref();
    let listed_object = |name: &str| match listed? {
        Ok(listed) => listed.object(place?, name),
        Err(_) => None,
    };
    if let Some(Err(error)) = listed
        && error.is_fatal()
    {
        return Err(error.clone().into());
    }
    let asked = names.iter().map(|name| async move {
        let name = typed(name);
        if !can_be_an_object(name) {
            return None;
        }
        Some(match listed_object(name) {
            Some(object) => object.map(|object| vec![object]),
            None => cluster.helm_releases_named(place, name).await,
        })
    });
    let got = futures::future::join_all(asked).await;
    let absent = |answer: &Option<Result<Vec<Value>, ClusterError>>| match answer {
        None => true,
        Some(Err(error)) => error.is_no_such_name() && !not_installed(error),
        Some(Ok(_)) => false,
    };
    let read;
    let known = match (got.iter().any(absent), listed) {
        (false, _) => None,
        (true, Some(listed)) => Some(listed),
        (true, None) => {
            let query = Query {
                namespace: namespace.clone(),
                selector: app.global.onboarding_selector.clone(),
            };
            let keep = |hr: &HelmRelease| is_meant(names, hr);
            read = cluster.onboardings(&query, keep).await;
            Some(&read)
        }
    };
    let known = known.map(|read| read.as_ref().map(|listed| Known { listed, place }));
    let none_there = match &known {
        Some(Ok(known)) if known.here().is_empty() && known.unread().is_none() => {
            empty::why(app, cluster, place).await
        }
        _ => None,
    };
    let mut answers = Vec::new();
    for (name, answer) in names.iter().zip(got) {
        answers.push(match (answer, &known) {
            (Some(Ok(objects)), _) => Ok(objects),
            (Some(Err(error)), _) if error.is_fatal() => return Err(error.into()),
            (Some(Err(error)), _) if !error.is_no_such_name() || not_installed(&error) => {
                Err(error.into())
            }
            (_, Some(Ok(known))) => {
                among(cluster, typed(name), known).map_err(|e| match &none_there {
                    Some(why) => e.hint(why),
                    None => e,
                })
            }
            (_, Some(Err(error))) if error.is_fatal() => return Err((*error).clone().into()),
            // A name that can be no object's was asked for in the list alone: what the list said is the answer.
            (None, Some(Err(error))) => Err((*error).clone().into()),
            (_, Some(Err(error))) => {
                let why = format!(
                    "it was not looked for among releases and databases: {}",
                    error.clause()
                );
                Err(not_found(cluster, typed(name)).hint(why).in_doubt())
            }
            (_, None) => Err(not_found(cluster, typed(name))),
        });
    }
    Ok(answers)
}

/// Looks one name up.
///
/// # Errors
/// It means nothing or several onboardings, or what the cluster said.
pub(crate) async fn one(app: &App, cluster: &Cluster, name: &str) -> Answer {
    let mut answers = every(app, cluster, &[name.to_owned()], None).await?;
    only(name, answers.pop().expect("one name has one answer"))
}

/// Ends a run over several names: prints each error; one error makes the run fail.
///
/// # Errors
/// At least one error was printed.
pub(crate) fn tell(app: &mut App, errors: &[Error]) -> Result<Code> {
    errors.iter().for_each(|error| app.ui.error(error));
    match errors {
        [] => Ok(Code::Ok),
        _ => Err(Error::silent(Code::Failed)),
    }
}

fn not_installed(error: &ClusterError) -> bool {
    crate::cluster::helm_releases::is_not_installed(error)
}

/// The onboardings of a list that are in one namespace, or all.
struct Known<'l> {
    listed: &'l Listed,
    place: Option<&'l str>,
}

impl<'l> Known<'l> {
    fn here(&self) -> Vec<&'l HelmRelease> {
        let is_here = |hr: &&HelmRelease| self.place.is_none_or(|p| hr.metadata.namespace == p);
        self.listed.typed.iter().filter(is_here).collect()
    }

    /// Onboardings that cannot be read; the name may belong to one of them.
    fn unread(&self) -> Option<String> {
        let is_here = |u: &&Unreadable| self.place.is_none_or(|p| u.namespace == p);
        Unreadable::all(self.listed.unreadable.iter().filter(is_here))
    }

    fn object(&self, hr: &HelmRelease) -> Result<Value> {
        let object = self
            .listed
            .object(&hr.metadata.namespace, &hr.metadata.name);
        Ok(object.expect("an onboarding that answers to a name is kept")?)
    }
}

fn among(cluster: &Cluster, name: &str, known: &Known<'_>) -> Result<Vec<Value>> {
    let near = match find(name, &known.here()) {
        Found::One(hr) => return Ok(vec![known.object(hr)?]),
        Found::Several(several) => return several.into_iter().map(|hr| known.object(hr)).collect(),
        Found::None(near) => near,
    };
    let error = not_found(cluster, name);
    let error = match known.unread() {
        Some(why) => error.hint(format!("one was skipped: {why}")).in_doubt(),
        None => error,
    };
    Err(if catalogue::find(name).is_some() {
        let explain = Command::skvs(["explain", name]);
        error.hint(explain.after("that is a code of troubleshoot:"))
    } else if !near.is_empty() {
        let near = one_line(&near.join(", "));
        error.hint(format!("did you mean {near}?"))
    } else if cluster.archive().is_none() && DatabaseName::parse(name).is_ok() {
        let databases = Command::skvs(["databases", name]);
        error.hint(databases.after(match known.unread() {
            Some(_) => "none that can be read claims it; see:",
            None if known.place.is_some() => "no onboarding of this namespace claims it; see:",
            None => "no onboarding claims it; see:",
        }))
    } else {
        let all = saved::held(cluster);
        error.hint(all.map_or_else(
            || Command::skvs(["list", "-A"]).after("list all of them:"),
            Hint::from,
        ))
    })
}

fn ambiguous(name: &str, objects: &[Value]) -> Error {
    let candidates: Vec<&str> = objects
        .iter()
        .filter_map(|o| o.pointer("/metadata/name")?.as_str())
        .collect();
    Error::new(format!(
        "{name:?} means {} onboardings: {}",
        candidates.len(),
        one_line(&candidates.join(", "))
    ))
    .hint("name one of these HelmReleases instead")
}

fn not_found(cluster: &Cluster, name: &str) -> Error {
    if cluster.archive().is_some() {
        return Error::not_saved(format!("{NOT_SAVED}: {PLURAL}.{GROUP} {name:?}"));
    }
    Error::server("NotFound", format!("{PLURAL}.{GROUP} {name:?} not found"))
}
