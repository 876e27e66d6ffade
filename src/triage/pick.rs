//! Which onboardings are looked into when none is named: those that are not well, from one list.

mod first;
mod policies;
mod sources;
mod unlabelled;

use super::{Which, databases};
use crate::app::App;
use crate::cluster::helm_releases::Query;
use crate::cluster::onboardings::Onboardings;
use crate::cluster::{Cluster, ClusterError};
use crate::couchdb::look::Wanted;
use crate::diagnosis::NotRun;
use crate::error::{Error, Result};
use crate::model::condition::Stated;
use crate::model::convention::{Naming, naming};
use crate::model::helm_release::HelmRelease;
use crate::model::onboarding::Claim;
use crate::model::ownership::HelmReleases;
use crate::model::status::{self, Ready};
use crate::snapshot::Read;
use crate::snapshot::databases::{Databases, Found};
use crate::view::report::Considered;
use serde_json::Value;
use std::sync::Arc;

/// What is to be looked into.
pub(crate) struct Picked {
    pub(crate) objects: Vec<Value>,
    pub(crate) others: Onboardings,
    /// The onboardings that these were picked from; empty when they were named.
    pub(crate) chosen: Chosen,
    /// What CouchDB said, where it was asked already.
    pub(crate) databases: Option<Arc<Read<Databases>>>,
    /// Absent when they were named.
    pub(crate) considered: Option<Considered>,
    /// Of the others: what could not be looked at.
    pub(crate) not_run: Vec<NotRun>,
    /// Of each name whether it means something; empty where none is named.
    pub(crate) answers: Vec<Result<()>>,
    /// What else could not be had; it does not keep the rest from being looked into.
    pub(crate) errors: Vec<Error>,
}

impl Picked {
    /// Whether something could not be had.
    pub(crate) fn has_errors(&self) -> bool {
        self.answers.iter().any(Result::is_err) || !self.errors.is_empty()
    }

    /// What could not be had: names that mean nothing, then the rest.
    pub(crate) fn take_errors(&mut self) -> Vec<Error> {
        let answers = std::mem::take(&mut self.answers);
        let names = answers.into_iter().filter_map(Result::err);
        names.chain(std::mem::take(&mut self.errors)).collect()
    }
}

/// The onboardings of the namespace, or of all.
#[derive(Default)]
pub(crate) struct Chosen {
    pub(crate) readable: Vec<HelmRelease>,
    /// How many cannot be read.
    pub(crate) unreadable: u64,
}

/// The onboardings that are not well. One list of all namespaces tells which, and who shares a database; only a further
/// selector, or a refusal of all namespaces, takes a second one.
///
/// `ask` asks CouchDB for the databases that the checks want; it gets all onboardings that were read, too.
pub(crate) async fn unwell(
    app: &App,
    cluster: &Cluster,
    which: Which<'_>,
    ask: impl AsyncFnOnce(&[HelmRelease], &Wanted) -> Arc<Read<Databases>>,
) -> Result<Picked> {
    let product = app.global.onboarding_selector.trim();
    let namespace = (!which.all_namespaces).then(|| app.global.namespace.clone());
    let here = |n: &str| namespace.as_ref().is_none_or(|namespace| n == namespace);
    let keep = |hr: &HelmRelease| here(&hr.metadata.namespace);
    let (listed, not_elsewhere) = cluster
        .onboardings_around(namespace.as_deref(), product, keep)
        .await;
    let listed = listed?;
    let selected = selected(cluster, namespace.as_ref(), which.selector, product).await?;
    let is_selected = |id: &String| selected.as_ref().is_none_or(|s| s.contains(id));
    let mut chosen: Vec<(&HelmRelease, Value)> = Vec::new();
    for hr in listed.typed.iter().filter(|hr| is_selected(&hr.id())) {
        if let Some(object) = listed.object(&hr.metadata.namespace, &hr.metadata.name) {
            chosen.push((hr, object?));
        }
    }
    let unreadable = listed.unreadable.iter();
    let unreadable = unreadable.filter(|u| here(&u.namespace) && is_selected(&u.id));
    let unreadable = unreadable.count() as u64;
    let considered = chosen.len() as u64 + unreadable;
    // One that was saved alone is meant, well or not.
    let only = cluster.archive().is_some() && considered == 1;
    let claims = HelmReleases::of_onboardings(&listed.typed);
    let well: Vec<(&HelmRelease, &Value)> = chosen
        .iter()
        .filter(|(hr, _)| !is_unwell(hr, &claims))
        .map(|(hr, object)| (*hr, object))
        .collect();
    let wanted = databases::wanted(chosen.iter().map(|(hr, _)| *hr));
    // What the list does not show.
    let (installed, gone, unlabelled, stale, databases) = futures::join!(
        first::not_as_installed(cluster, &well),
        policies::gone(cluster, &well),
        unlabelled::onboardings(cluster, namespace.clone(), which, product),
        sources::failing(cluster, &well),
        ask(&listed.typed, &wanted),
    );
    let not_asked = databases::not_run(&databases, well.iter().map(|(hr, _)| *hr));
    let not_run = [installed.1, gone.1, unlabelled.1, not_asked];
    let unwell = [installed.0, gone.0, stale.0].concat();
    let readable = chosen.iter().map(|(hr, _)| (*hr).clone()).collect();
    let objects = chosen
        .into_iter()
        .filter(|(hr, _)| {
            only || is_unwell(hr, &claims)
                || unwell.contains(&hr.id())
                || (status::shown(hr) == Ready::True && lacks_database(&databases, hr))
        })
        .map(|(_, object)| object)
        .chain(unlabelled.0)
        .collect();
    Ok(Picked {
        objects,
        not_run: not_run.into_iter().flatten().chain(stale.1).collect(),
        chosen: Chosen {
            readable,
            unreadable,
        },
        answers: Vec::new(),
        errors: listed
            .unreadable
            .iter()
            .map(|u| Error::new(u.words()))
            .collect(),
        others: Onboardings::new(Ok(listed), not_elsewhere),
        databases: Some(databases),
        considered: Some(Considered {
            onboardings: considered,
            namespace,
        }),
    })
}

/// Ids of what the user's own selector selects; `None` without one.
async fn selected(
    cluster: &Cluster,
    namespace: Option<&String>,
    selector: Option<&str>,
    product: &str,
) -> Result<Option<Vec<String>>, ClusterError> {
    let Some(selector) = selector.map(str::trim).filter(|s| !s.is_empty()) else {
        return Ok(None);
    };
    let both = [product, selector].into_iter().filter(|s| !s.is_empty());
    let both = both.collect::<Vec<_>>().join(",");
    let query = Query {
        namespace: namespace.cloned(),
        selector: both,
    };
    let chosen = cluster.onboardings(&query, |_| false).await?;
    let unreadable = chosen.unreadable.into_iter().map(|u| u.id);
    let ids = chosen.typed.iter().map(HelmRelease::id).chain(unreadable);
    Ok(Some(ids.collect()))
}

/// CouchDB does not have the database, or cannot serve it.
fn lacks_database(databases: &Read<Databases>, hr: &HelmRelease) -> bool {
    match databases::of_onboarding(databases, hr) {
        Read::Absent | Read::Seen(Found::Unserved(_)) => true,
        Read::Seen(Found::Served(_)) | Read::Unknown(_) => false,
    }
}

/// Whether there is something to look into.
fn is_unwell(hr: &HelmRelease, claims: &HelmReleases) -> bool {
    claims.is_shared(hr)
        || !claims.of_same_release(hr).is_empty()
        || status::ready(hr) != Stated::Present(Ready::True)
        || hr.spec.suspend
        || hr.metadata.deletion_timestamp.is_some()
        || status::is_unanswered(hr)
        // Of whichever spec: the checks judge.
        || hr
            .conditions()
            .get("Drifted")
            .is_some_and(|c| c.of_any_spec().is_true())
        || contradicts_its_name(hr)
}

/// Of a name that only does not follow the convention nothing is said unless the onboarding is named.
fn contradicts_its_name(hr: &HelmRelease) -> bool {
    match hr.claim() {
        Claim::Database(database) => naming(&hr.metadata.name, &database) == Naming::Contradicts,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;

    #[test]
    fn every_case_with_a_finding_that_the_list_can_tell_is_picked() {
        for name in fixture::names() {
            let snapshot = fixture::snapshot(&name);
            let known = snapshot.others.if_read().cloned().unwrap_or_default();
            // A green release whose source fails is found only when it is named: the list does not hold sources.
            // Nor one without the label; a name that is merely unusual is no reason.
            let told = (!name.starts_with("ready") || name == "ready-and-database-changed")
                && !["label-missing", "name-without-prefix"].contains(&name.as_str());
            assert_eq!(
                is_unwell(
                    &snapshot.helm_release,
                    &HelmReleases::of_onboardings(&known)
                ),
                told,
                "{name}"
            );
        }
    }
}
