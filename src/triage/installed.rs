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
use futures::StreamExt;
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
        let (namespace, name) = onboarding.id();
        let installation = match place {
            Ok(place) => installation(cluster, &place, stored).await,
            Err(why) => Err(why),
        };
        ((namespace.to_owned(), name.to_owned()), installation)
    });
    let all: Installations = futures::stream::iter(all)
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    Installed::new(folder.map(str::to_owned), all)
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
    /// The revision that the HelmRelease's status names.
    revision: Option<i64>,
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
        revision: hr.revision(),
    })
}

/// The oldest stored revision, unless it is an installation that failed before it created the database.
async fn installation(
    cluster: &Cluster,
    place: &Place,
    stored: &PerNamespace<Vec<Revision>>,
) -> Result<Option<Installation>, String> {
    let Place {
        namespace,
        release,
        revision,
    } = place;
    let revisions = match stored.get(namespace) {
        Some(Ok(all)) => all.get(release).map(Vec::as_slice),
        Some(Err(why)) => return Err(format!("Helm's storage in {namespace}: {why}")),
        None => return Err(format!("Helm's storage in {namespace} was not read")),
    };
    let Some(revisions) = revisions else {
        return match revision {
            // The history may be in ConfigMaps, or was removed.
            Some(n) => Err(format!(
                "the status names revision {n}, and {namespace} has no Secret of the release {release}"
            )),
            None => Ok(None),
        };
    };
    let Some((oldest, is_first)) = since_installation(revisions) else {
        return Ok(None);
    };
    let secret = cluster.release_secret(namespace, &oldest.secret).await;
    let secret = secret.map_err(|error| error.clause())?;
    let first: helm_storage::Installation = secret
        .decode()
        .map_err(|why| format!("Secret {namespace}/{}: {why}", oldest.secret))?;
    let created = creation(&first.hooks);
    // An upgrade has the Jobs too, and does not run them.
    if created == Creation::Failed || (is_first && created == Creation::NotRun) {
        return Ok(None);
    }
    Ok(Some(Installation {
        revision: oldest.revision,
        values: first.config,
    }))
}

/// The oldest revision since the last one that was uninstalled, and whether it is the installation itself.
fn since_installation(revisions: &[Revision]) -> Option<(&Revision, bool)> {
    let uninstalled = revisions.iter().rposition(|r| r.status == "uninstalled");
    let oldest = revisions.get(uninstalled.map_or(0, |at| at + 1))?;
    Some((oldest, uninstalled.is_some() || oldest.revision == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_uninstalled_is_not_what_is_installed() {
        let revision = |revision, status: &str| Revision {
            revision,
            status: status.to_owned(),
            created: None,
            secret: String::new(),
        };
        let told = |all: &[Revision]| since_installation(all).map(|(r, first)| (r.revision, first));
        assert_eq!(
            told(&[revision(1, "superseded"), revision(2, "deployed")]),
            Some((1, true))
        );
        assert_eq!(
            told(&[revision(4, "superseded"), revision(5, "deployed")]),
            Some((4, false))
        );
        let kept = [
            revision(1, "superseded"),
            revision(2, "uninstalled"),
            revision(3, "deployed"),
        ];
        assert_eq!(told(&kept), Some((3, true)));
        assert_eq!(told(&kept[..2]), None);
    }
}
