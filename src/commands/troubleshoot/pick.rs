//! Which onboardings are looked into when none is named: those that are not well, from one list.

use super::super::first_install::first_install;
use super::{Args, SIDE_BY_SIDE};
use crate::cli::App;
use crate::cluster::gather::Onboardings;
use crate::cluster::helm_releases::Query;
use crate::cluster::{All, Cluster, ClusterError};
use crate::error::{Error, Result};
use crate::model::claims::Claims;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::Creation;
use crate::model::status::{self, Ready};
use crate::snapshot::{Read, Why};
use crate::view::report::{Considered, NotRun};
use futures::StreamExt;
use serde_json::Value;
use std::sync::Arc;

/// What is to be looked into.
pub(super) struct Picked {
    pub(super) objects: Vec<Value>,
    pub(super) others: Onboardings,
    /// Absent when they were named.
    pub(super) considered: Option<Considered>,
    /// Of the others: what could not be looked at.
    pub(super) not_run: Option<NotRun>,
    /// What could not be had; it does not keep the rest from being looked into.
    pub(super) errors: Vec<Error>,
    /// The list's pages are from different moments.
    pub(super) inconsistent: bool,
}

/// The onboardings that are not well. One list of all namespaces tells which, and who shares a database; only a further
/// selector, or a refusal of all namespaces, takes a second one.
pub(super) async fn unwell(app: &App, cluster: &Cluster, args: &Args) -> Result<Picked> {
    let product = app.global.onboarding_selector.trim();
    let namespace = (!args.all_namespaces).then(|| app.global.namespace.clone());
    let (all, not_elsewhere) = match list(cluster, None, product).await {
        Err(error) if error.is_forbidden() && namespace.is_some() => (
            list(cluster, namespace.clone(), product).await?,
            Some(Why::from(&error)),
        ),
        other => (other?, None),
    };
    let mut errors = Vec::new();
    let mut known = Vec::new();
    let mut objects = Vec::new();
    for object in all.items {
        match HelmRelease::from_value(&object) {
            Ok(hr) => {
                known.push(hr);
                objects.push(object);
            }
            Err(error) => errors.push(unreadable(&object, &error)),
        }
    }
    let selected = match args
        .selector
        .as_deref()
        .map(str::trim)
        .filter(|s| !s.is_empty())
    {
        None => None,
        Some(selector) => {
            let both = [product, selector]
                .into_iter()
                .filter(|s| !s.is_empty())
                .collect::<Vec<_>>();
            let chosen = list(cluster, namespace.clone(), &both.join(",")).await?;
            Some(chosen.items.iter().map(id).collect::<Vec<_>>())
        }
    };
    let claims = Claims::of(&known);
    let mut considered = 0;
    let chosen: Vec<(&HelmRelease, Value)> = known
        .iter()
        .zip(objects)
        .filter(|(hr, object)| {
            let here = namespace
                .as_ref()
                .is_none_or(|n| hr.metadata.namespace == *n);
            let chosen = here && selected.as_ref().is_none_or(|s| s.contains(&id(object)));
            considered += u64::from(chosen);
            chosen
        })
        .collect();
    let well: Vec<&HelmRelease> = chosen
        .iter()
        .map(|(hr, _)| *hr)
        .filter(|hr| !is_unwell(hr, &claims))
        .collect();
    let (hollow, not_run) = hollow(cluster, &well).await;
    let objects = chosen
        .into_iter()
        .filter(|(hr, _)| is_unwell(hr, &claims) || hollow.contains(&hr.id()))
        .map(|(_, object)| object)
        .collect();
    Ok(Picked {
        objects,
        not_run,
        others: Onboardings {
            read: Arc::new(Read::Seen(known)),
            not_elsewhere,
        },
        considered: Some(Considered {
            onboardings: considered,
            namespace,
        }),
        errors,
        inconsistent: all.inconsistent,
    })
}

/// First revisions that are read, at most.
const FIRST_MAX: usize = 200;

/// Ready onboardings whose first revision did not create the database. Their status does not tell: those that were upgraded
/// since cost a request each.
async fn hollow(cluster: &Cluster, well: &[&HelmRelease]) -> (Vec<String>, Option<NotRun>) {
    let upgraded: Vec<&HelmRelease> = well
        .iter()
        .copied()
        .filter(|hr| hr.revision() > Some(1) && !hr.is_remote())
        .collect();
    let not_run = |why: String| NotRun {
        codes: vec!["SKVS310"],
        what: "first revisions of upgraded onboardings".to_owned(),
        why: crate::text::one_line(&why),
    };
    let mut found = Vec::new();
    let mut read = futures::stream::iter(upgraded.iter().take(FIRST_MAX))
        .map(|hr| async { (hr.id(), first_install(cluster, hr).await) })
        .buffered(SIDE_BY_SIDE);
    while let Some((id, first)) = read.next().await {
        match first {
            Ok(Some(Creation::Failed | Creation::NotRun)) => found.push(id),
            Ok(_) => {}
            Err(why) => return (found, Some(not_run(why))),
        }
    }
    let rest = upgraded.len().saturating_sub(FIRST_MAX);
    let told = (rest > 0).then(|| not_run(format!("{rest} of {} were left out", upgraded.len())));
    (found, told)
}

async fn list(
    cluster: &Cluster,
    namespace: Option<String>,
    selector: &str,
) -> Result<All<Value>, ClusterError> {
    let query = Query {
        namespace,
        selector: selector.to_owned(),
    };
    cluster.all_helm_releases(&query).await
}

/// `namespace/name`.
fn id(object: &Value) -> String {
    let text = |path: &str| {
        object
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    format!("{}/{}", text("/metadata/namespace"), text("/metadata/name"))
}

fn unreadable(object: &Value, error: &serde_json::Error) -> Error {
    Error::new(format!(
        "helmrelease {:?} cannot be read: {error}",
        id(object)
    ))
}

/// Whether there is something to look into.
fn is_unwell(hr: &HelmRelease, claims: &Claims) -> bool {
    claims.is_shared(hr)
        || status::ready(hr) != Ready::True
        || hr.spec.suspend
        || hr.metadata.deletion_timestamp.is_some()
        || status::is_stale(hr)
        || status::is_unanswered(hr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;

    #[test]
    fn every_case_with_a_finding_that_the_list_can_tell_is_picked() {
        for name in fixture::names() {
            let snapshot = fixture::snapshot(&name);
            let known = snapshot.others.seen().cloned().unwrap_or_default();
            // A green release whose source fails is found only when it is named: the list does not hold sources.
            let told = name != "ready" && !name.starts_with("ready-and-");
            assert_eq!(
                is_unwell(&snapshot.helm_release, &Claims::of(&known)),
                told,
                "{name}"
            );
        }
    }
}
