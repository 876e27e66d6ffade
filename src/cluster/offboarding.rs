//! Reads what is left of an onboarding beside its database. What it means is judged in [`crate::diagnosis::offboarding`].

use super::{Cluster, ListOf, Named, ownership, segment};
use crate::cluster::helm_releases::is_not_installed;
use crate::cluster::kustomizations::GROUP as KUSTOMIZE;
use crate::cluster::onboardings::Unreadable;
use crate::diagnosis::offboarding::{Id, LeftJob, Pods, Subject};
use crate::error::Result;
use crate::model::helm_release::{GROUP, HelmRelease};
use crate::model::istio::request::Account;
use crate::model::istio::workload::Workload;
use crate::model::kustomization::Kustomization;
use crate::model::onboarding::Claim;
use crate::model::ownership::Ownership;
use crate::snapshot::{Listing, Read, Why};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is read before it is known which onboarding is meant.
#[derive(Debug)]
pub struct Survey {
    /// Of all namespaces, onboardings or not; of `namespace` alone where the others are forbidden.
    pub helm_releases: Listing<HelmRelease>,
    pub ownership: Ownership,
    /// Absent: the kind is not served.
    pub kustomizations: Read<Vec<Kustomization>>,
}

/// Reads it. A part that could not be read is one of the result.
///
/// # Errors
/// The cluster cannot be asked at all, or knows no HelmReleases.
pub async fn survey(cluster: &Cluster, namespace: &str) -> Result<Survey> {
    let (ownership, kustomizations, helm_releases) = futures::join!(
        ownership::gather(cluster),
        kustomizations(cluster),
        helm_releases(cluster, namespace)
    );
    Ok(Survey {
        helm_releases: helm_releases?,
        ownership: ownership?,
        kustomizations,
    })
}

async fn helm_releases(cluster: &Cluster, namespace: &str) -> Result<Listing<HelmRelease>> {
    let (listed, mut not_all) = cluster
        .onboardings_around(Some(namespace), "", |_| false)
        .await;
    match listed {
        Ok(listed) => {
            if let Some(why) = Unreadable::all(&listed.unreadable) {
                not_all.get_or_insert(Why::Failed(why));
            }
            Ok(Listing::new(listed.typed, not_all))
        }
        Err(error) if error.is_fatal() || is_not_installed(&error) => Err(error.into()),
        Err(error) => Ok(Listing::new(Vec::new(), Some(Why::from(&error)))),
    }
}

async fn kustomizations(cluster: &Cluster) -> Read<Vec<Kustomization>> {
    let take = |all: &mut Vec<Kustomization>, object: Value| {
        all.push(Kustomization::from_value(&object));
    };
    let read = cluster.whole_if_served(KUSTOMIZE, "kustomizations", Vec::new, take);
    match read.await {
        Ok(Some(all)) => Read::Seen(all),
        Ok(None) => Read::Absent,
        Err(error) => Read::Unknown(Why::from(&error)),
    }
}

/// The Jobs of all namespaces that carry the HelmRelease's labels or the name that the chart gives the creation Job.
pub async fn jobs(cluster: &Cluster, subject: &Subject, survey: &Survey) -> Listing<LeftJob> {
    let helm_releases = &survey.helm_releases;
    let dashed = |name: &str| name.replace('_', "-");
    let own = dashed(subject.database.as_str());
    let mut others = survey.ownership.expected();
    let other = others.find(|name| *name != subject.database.as_str() && dashed(name) == own);
    // A name without labels says less: `pds-a-b-create` is of pds_a-b and of pds-a_b.
    let mut open = helm_releases.known().iter();
    let open = open.find(|hr| matches!(hr.claim(), Claim::Unresolved(_)));
    let doubt = match (other, helm_releases.not_all(), open) {
        (Some(other), ..) => Some(format!("its name fits {other} too")),
        (None, Some(why), _) => Some(format!("not every HelmRelease was read: {}", why.clause())),
        (None, None, Some(open)) => Some(format!(
            "which database HelmRelease {} has is not known",
            open.id()
        )),
        (None, None, None) => None,
    };
    let take = |all: &mut Vec<LeftJob>, Named { metadata }: Named| {
        let labels = ["namespace", "name"].map(|key| {
            let label = metadata.labels.get(&format!("{GROUP}/{key}"));
            label.map(String::as_str)
        });
        let is_named = is_named(subject, &metadata.name);
        let own = &subject.id;
        let doubt = match labels {
            [Some(namespace), Some(name)] => {
                // One of a live HelmRelease is that one's, whatever it is called.
                let mut live = helm_releases.known().iter().map(|hr| &hr.metadata);
                let lives = live.any(|hr| hr.namespace == namespace && hr.name == name);
                match own.namespace == namespace && own.name == name {
                    true if subject.certain || !lives => None,
                    false if is_named && !lives => {
                        Some(format!("its labels name HelmRelease {namespace}/{name}"))
                    }
                    _ => return,
                }
            }
            [None, None] if is_named => doubt.clone(),
            [None, None] => return,
            _ if is_named => Some("its labels say half of whose it is".to_owned()),
            _ => return,
        };
        all.push(LeftJob {
            id: Id::new(metadata.namespace, metadata.name),
            doubt,
        });
    };
    let list = ListOf::metadata("/apis/batch/v1/jobs");
    match cluster.whole(&list, Vec::new, take).await {
        Ok(all) => Listing::whole(all),
        Err(error) => Listing::new(Vec::new(), Some(Why::from(&error))),
    }
}

/// As the chart and the one before it name the Job.
fn is_named(subject: &Subject, name: &str) -> bool {
    let dashed = subject.database.as_str().replace('_', "-");
    name == format!("{dashed}-create")
        || name == format!("securekvs-onboarding-{dashed}-database-creation")
}

/// The pods of the accounts' namespaces.
pub async fn pods(cluster: &Cluster, accounts: &[Account]) -> Vec<Pods> {
    let namespaces: BTreeSet<&String> = accounts.iter().map(|a| &a.namespace).collect();
    let read = namespaces.into_iter().map(|namespace| async move {
        let path = format!("/api/v1/namespaces/{}/pods", segment(namespace));
        let pods = match cluster.all::<Value>(&ListOf::objects(path)).await {
            Ok(all) => Read::Seen(all.items().iter().map(Workload::from_value).collect()),
            Err(error) => Read::Unknown(Why::from(&error)),
        };
        Pods {
            namespace: namespace.clone(),
            pods,
        }
    });
    futures::future::join_all(read).await
}
