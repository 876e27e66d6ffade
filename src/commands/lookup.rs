//! From the names that a user typed to the HelmReleases that they mean.
//!
//! A HelmRelease's own name takes one request. Only a name that is none is looked for among all onboardings of the
//! namespace, which takes one list, however many names there are.

use super::{empty, saved};
use crate::advice::{Command, Hint};
use crate::app::App;
use crate::cluster::error::NOT_SAVED;
use crate::cluster::helm_releases::Query;
use crate::cluster::{Cluster, ClusterError};
use crate::diagnosis::registry;
use crate::error::{Error, Result};
use crate::model::helm_release::{GROUP, HelmRelease, PLURAL};
use crate::model::lookup::{Found, can_be_an_object, find, typed};
use crate::model::names::DatabaseName;
use crate::text::one_line;
use serde_json::Value;

/// What one typed name means, or why it means nothing.
pub(super) type Answer = Result<Value>;

/// Looks every name up, answers in their order. A name that several onboardings answer to is an error.
///
/// # Errors
/// Only what makes asking for anything else useless: no connection, no credentials.
pub(super) async fn all(app: &App, cluster: &Cluster, names: &[String]) -> Result<Vec<Answer>> {
    let answers = every(app, cluster, names).await?;
    let one = |(name, answer): (&String, Result<Vec<Value>>)| match answer {
        Ok(mut objects) if objects.len() == 1 => Ok(objects.remove(0)),
        Ok(objects) => Err(ambiguous(typed(name), &objects)),
        Err(error) => Err(error),
    };
    Ok(names.iter().zip(answers).map(one).collect())
}

/// Looks every name up, answers in their order: all onboardings that answer to it, one at least.
///
/// # Errors
/// As for [`all`].
pub(super) async fn every(
    app: &App,
    cluster: &Cluster,
    names: &[String],
) -> Result<Vec<Result<Vec<Value>>>> {
    let namespace = app.namespace();
    let place = namespace.as_deref();
    let asked = names.iter().map(|name| async move {
        let name = typed(name);
        if !can_be_an_object(name) {
            return None;
        }
        Some(cluster.helm_releases_named(place, name).await)
    });
    let got = futures::future::join_all(asked).await;
    let absent = |answer: &Option<Result<Vec<Value>, ClusterError>>| match answer {
        None => true,
        Some(Err(error)) => error.is_no_such_name() && !not_installed(error),
        Some(Ok(_)) => false,
    };
    let known = if got.iter().any(absent) {
        Some(onboardings(app, cluster).await)
    } else {
        None
    };
    let none_there = match &known {
        Some(Ok((_, known))) if known.is_empty() => empty::why(app, cluster, place).await,
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
            (_, Some(Err(error))) if error.is_fatal() => return Err(error.clone().into()),
            // A name that can be no object's was asked for in the list alone: what the list said is the answer.
            (None, Some(Err(error))) => Err(error.clone().into()),
            (_, Some(Err(error))) => Err(not_found(cluster, typed(name)).hint(format!(
                "it was not looked for among releases and databases: {}",
                error.clause()
            ))),
            (_, None) => Err(not_found(cluster, typed(name))),
        });
    }
    Ok(answers)
}

/// Looks one name up.
///
/// # Errors
/// It means nothing or several onboardings, or what the cluster said.
pub(super) async fn one(app: &App, cluster: &Cluster, name: &str) -> Answer {
    let mut answers = all(app, cluster, &[name.to_owned()]).await?;
    answers.pop().expect("one name has one answer")
}

fn not_installed(error: &ClusterError) -> bool {
    crate::cluster::helm_releases::is_not_installed(error)
}

/// Every onboarding of the namespace, as sent and typed. One that cannot be read is left out: it answers to its name alone.
type Known = (Vec<Value>, Vec<HelmRelease>);

async fn onboardings(app: &App, cluster: &Cluster) -> Result<Known, ClusterError> {
    let query = Query {
        namespace: app.namespace(),
        selector: app.global.onboarding_selector.clone(),
    };
    let all = cluster.all_helm_releases::<Value>(&query).await?;
    Ok(all
        .into_items()
        .into_iter()
        .filter_map(|object| {
            let typed = HelmRelease::from_value(&object).ok()?;
            Some((object, typed))
        })
        .unzip())
}

fn among(cluster: &Cluster, name: &str, (objects, known): &Known) -> Result<Vec<Value>> {
    let object = |hr: &HelmRelease| {
        let at = known.iter().position(|k| std::ptr::eq(k, hr));
        objects[at.expect("the one that was found is among the known")].clone()
    };
    match find(name, known) {
        Found::One(hr) => Ok(vec![object(hr)]),
        Found::Several(several) => Ok(several.into_iter().map(object).collect()),
        Found::None(_) if registry::find(name).is_some() => {
            let explain = Command::skvs(["explain", name]);
            Err(not_found(cluster, name).hint(explain.after("that is a code of troubleshoot:")))
        }
        Found::None(near)
            if near.is_empty()
                && cluster.archive().is_none()
                && DatabaseName::parse(name).is_ok() =>
        {
            let databases = Command::skvs(["databases", name]);
            Err(not_found(cluster, name).hint(databases.after("no onboarding claims it; see:")))
        }
        Found::None(near) if near.is_empty() => {
            let all = saved::held(cluster);
            let all = all.map_or_else(
                || Command::skvs(["list", "-A"]).after("list all of them:"),
                Hint::from,
            );
            Err(not_found(cluster, name).hint(all))
        }
        Found::None(near) => {
            let near = one_line(&near.join(", "));
            Err(not_found(cluster, name).hint(format!("did you mean {near}?")))
        }
    }
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
