//! What the cluster has installed of the onboardings in a repository, for `lint --installed`.
//!
//! One list of HelmReleases and one of release Secrets for each namespace, and one request for each onboarding that is installed.

use super::SIDE_BY_SIDE;
use crate::cluster::Cluster;
use crate::cluster::helm_releases::Query;
use crate::diagnosis::lint::installed::{Installation, Installations, Installed, is_for};
use crate::diagnosis::lint::{Onboarding, Repository};
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{self, Creation, Revision, creation};
use crate::model::status::{Ready, headline};
use futures::StreamExt;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// A namespace's part, or why it was not read.
type PerNamespace<T> = HashMap<String, Result<HashMap<String, T>, String>>;

/// Reads what is installed of the manifests that are for the cluster of this folder; without one, of all.
pub(crate) async fn read(
    cluster: &Cluster,
    repository: &Repository<'_>,
    folder: Option<&str>,
) -> Installed {
    let own = repository.onboardings.iter();
    let own: Vec<&Onboarding<'_>> = own.filter(|o| is_for(o, folder) == Ok(true)).collect();
    let namespaces: BTreeSet<&str> = own
        .iter()
        .map(|o| o.id().0)
        .filter(|n| !n.is_empty())
        .collect();
    let mut present: PerNamespace<HelmRelease> = HashMap::new();
    for namespace in namespaces {
        present.insert(
            namespace.to_owned(),
            helm_releases(cluster, namespace).await,
        );
    }
    // Where each keeps its release.
    let places: Vec<(&Onboarding<'_>, Result<Place, String>)> = own
        .into_iter()
        .map(|onboarding| (onboarding, place(onboarding, &present)))
        .collect();
    let storages: BTreeSet<&str> = places
        .iter()
        .filter_map(|(_, place)| Some(place.as_ref().ok()?.namespace.as_str()))
        .collect();
    let mut stored: PerNamespace<Vec<Revision>> = HashMap::new();
    for namespace in storages {
        let all = cluster.all_revisions(namespace).await;
        stored.insert(namespace.to_owned(), all.map_err(|e| e.clause()));
    }
    let stored = &stored;
    let all = places.into_iter().map(async |(onboarding, place)| {
        let installation = match place {
            Ok(place) => installation(cluster, &place, stored).await,
            Err(why) => Err(why),
        };
        (std::ptr::from_ref(onboarding.manifest), installation)
    });
    let all: Installations = futures::stream::iter(all)
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let context = cluster.origin().context().map(str::to_owned);
    Installed::new(context, folder.map(str::to_owned), all)
}

async fn helm_releases(
    cluster: &Cluster,
    namespace: &str,
) -> Result<HashMap<String, HelmRelease>, String> {
    let query = Query {
        namespace: Some(namespace.to_owned()),
        selector: String::new(),
    };
    let all = cluster.all_helm_releases::<HelmRelease>(&query).await;
    let all = all.map_err(|error| error.clause())?.into_items();
    Ok(all
        .into_iter()
        .map(|hr| (hr.metadata.name.clone(), hr))
        .collect())
}

/// Where Helm stores a release.
struct Place {
    namespace: String,
    release: String,
    /// What the HelmRelease's status says was installed.
    status: Told,
}

/// What a status says of the release.
enum Told {
    Nothing,
    /// That there is one.
    Something,
    Revision(i64),
}

impl Told {
    fn by(hr: &HelmRelease) -> Self {
        let ready = headline(hr).ready == Ready::True;
        match hr.revision() {
            Some(revision) => Self::Revision(revision),
            None if ready || hr.status.last_applied_revision.is_some() => Self::Something,
            None => Self::Nothing,
        }
    }
}

/// By the HelmRelease on the cluster; without one by the manifest, as Flux would.
fn place(
    onboarding: &Onboarding<'_>,
    present: &PerNamespace<HelmRelease>,
) -> Result<Place, String> {
    let (namespace, name) = onboarding.id();
    let not_known = |e: crate::model::not_read::NotRead| format!("{}: {}", e.what, e.why);
    for path in [&["metadata", "namespace"][..], &["metadata", "name"]] {
        onboarding.field(path).map_err(not_known)?;
    }
    let listed = match present.get(namespace) {
        Some(Ok(all)) => all,
        Some(Err(why)) => return Err(format!("the HelmReleases of {namespace}: {why}")),
        None => return Err("its manifest names no namespace".to_owned()),
    };
    let hr = match listed.get(name) {
        Some(hr) => hr,
        None => {
            for field in [
                "releaseName",
                "targetNamespace",
                "storageNamespace",
                "kubeConfig",
            ] {
                onboarding.field(&["spec", field]).map_err(not_known)?;
            }
            onboarding
                .hr()
                .ok_or("its manifest is not a HelmRelease's")?
        }
    };
    if hr.is_remote() {
        return Err("spec.kubeConfig: it is installed on another cluster".to_owned());
    }
    Ok(Place {
        namespace: hr.storage_namespace().to_owned(),
        release: hr.release_name(),
        status: Told::by(hr),
    })
}

/// The revision that installed it, or the oldest that is stored.
async fn installation(
    cluster: &Cluster,
    place: &Place,
    stored: &PerNamespace<Vec<Revision>>,
) -> Result<Option<Installation>, String> {
    let Place {
        namespace,
        release,
        status,
    } = place;
    let revisions = match stored.get(namespace) {
        Some(Ok(all)) => all.get(release).map_or(&[][..], Vec::as_slice),
        Some(Err(why)) => return Err(format!("Helm's storage in {namespace}: {why}")),
        None => return Err(format!("Helm's storage in {namespace} was not read")),
    };
    let newest = revisions.last().map(|r| r.revision);
    // The history may be in ConfigMaps, or was removed.
    match *status {
        Told::Revision(n) if newest < Some(n) => {
            return Err(format!(
                "the status names revision {n} of the release {release}, which is not among the Secrets of {namespace}"
            ));
        }
        Told::Something if newest.is_none() => {
            return Err(format!(
                "the status says that it is installed, and {namespace} has no Secret of the release {release}"
            ));
        }
        _ => {}
    }
    let (current, is_whole) = since_uninstalled(revisions);
    let Some(oldest) = current.first() else {
        return Ok(None);
    };
    let secret = cluster.release_secret(namespace, &oldest.secret).await;
    let secret = secret.map_err(|error| error.clause())?;
    let stored: helm_storage::Installation = secret
        .decode()
        .map_err(|why| format!("Secret {namespace}/{}: {why}", oldest.secret))?;
    if (stored.name.as_str(), stored.version) != (release.as_str(), oldest.revision) {
        return Err(format!(
            "Secret {namespace}/{} holds revision {} of {}",
            oldest.secret, stored.version, stored.name
        ));
    }
    match creation(&stored.hooks) {
        Creation::Succeeded | Creation::None => {}
        // An upgrade has the Jobs too, and does not run them.
        _ if !is_whole => {}
        Creation::NotRun if current.len() == 1 && oldest.status == "failed" => return Ok(None),
        Creation::NotRun | Creation::Failed | Creation::Unknown => {
            return Err(format!(
                "whether the creation Job of revision {} created the database is not known",
                oldest.revision
            ));
        }
    }
    Ok(Some(Installation {
        revision: oldest.revision,
        is_first: is_whole,
        values: over(stored.chart.values, stored.config),
    }))
}

/// The user's values over the chart's own. Without any, what is in the storage is not values.
fn over(chart: Value, user: Value) -> Value {
    match (chart, user) {
        (Value::Object(mut all), Value::Object(user)) => {
            all.extend(user);
            Value::Object(all)
        }
        (chart, Value::Null) => chart,
        (_, user) => user,
    }
}

/// The revisions since the last one that was uninstalled, and whether the first of them is the installation itself.
fn since_uninstalled(revisions: &[Revision]) -> (&[Revision], bool) {
    let uninstalled = revisions.iter().rposition(|r| r.status == "uninstalled");
    let current = &revisions[uninstalled.map_or(0, |at| at + 1)..];
    let is_first = current.first().is_some_and(|r| r.revision == 1);
    (current, uninstalled.is_some() || is_first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_uninstalled_is_not_what_is_installed() {
        let revision = |revision, status: &str| Revision {
            revision,
            status: status.to_owned(),
            created: None,
            secret: String::new(),
        };
        let told = |all: &[Revision]| {
            let (current, is_whole) = since_uninstalled(all);
            (current.first().map(|r| r.revision), is_whole)
        };
        let two = [revision(1, "superseded"), revision(2, "deployed")];
        assert_eq!(told(&two), (Some(1), true));
        assert_eq!(told(&two[1..]), (Some(2), false));
        let kept = [
            revision(1, "superseded"),
            revision(2, "uninstalled"),
            revision(3, "deployed"),
        ];
        assert_eq!(told(&kept), (Some(3), true));
        assert_eq!(told(&kept[..2]), (None, true));
    }

    #[test]
    fn values_are_the_users_over_the_charts() {
        let told = |chart, user| over(chart, user).to_string();
        assert_eq!(
            told(json!({"encryption": true, "a": 1}), json!({"a": 2})),
            r#"{"a":2,"encryption":true}"#
        );
        assert_eq!(told(json!({"a": 1}), json!(null)), r#"{"a":1}"#);
        assert_eq!(told(json!(null), json!({"a": 1})), r#"{"a":1}"#);
        assert_eq!(told(json!({"a": 1}), json!("text")), r#""text""#);
    }
}
