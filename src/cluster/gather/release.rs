//! What Helm stores about a release: its revisions, the newest one decoded, the objects it names.

use super::super::{Cluster, ClusterError, ListOf, Named, ObjectMeta, segment};
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{self, Release, ReleaseSecret, Revision};
use crate::model::manifest;
use crate::model::names::release_secret;
use crate::model::policy::{Policy, PolicyId};
use crate::snapshot::{Read, Why};
use std::collections::{HashMap, HashSet};

/// Helm's storage of one release.
pub(super) struct Stored {
    pub(super) revisions: Read<Vec<Revision>>,
    pub(super) release: Read<Release>,
    /// The oldest revision, where it is not the newest.
    pub(super) first: Read<Release>,
    pub(super) secret: Option<String>,
}

impl Stored {
    pub(super) fn not_asked(why: &str) -> Self {
        Self {
            revisions: Read::not_asked(why),
            release: Read::not_asked(why),
            first: Read::not_asked(why),
            secret: None,
        }
    }
}

impl Cluster {
    /// The revisions of a release by the labels of their Secrets, newest first; no payload is sent.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn revisions(
        &self,
        namespace: &str,
        release: &str,
    ) -> Result<Vec<Revision>, ClusterError> {
        let labels = format!("owner=helm,name={release}");
        let secrets = self.release_secrets(namespace, &labels).await?;
        let revisions = secrets.into_iter().map(revision);
        // A skipped revision could be the deployed one.
        let revisions: Option<Vec<Revision>> = revisions.collect();
        let mut revisions = revisions.ok_or_else(|| {
            let what = format!("a Secret of the release {release} has no revision number");
            ClusterError::Malformed(what)
        })?;
        revisions.sort_by_key(|r| std::cmp::Reverse(r.revision));
        Ok(revisions)
    }

    /// The revisions of every release that has Secrets in a namespace, oldest first; no payload is sent.
    ///
    /// # Errors
    /// As [`Cluster::revisions`].
    pub async fn all_revisions(
        &self,
        namespace: &str,
    ) -> Result<HashMap<String, Vec<Revision>>, ClusterError> {
        let mut all: HashMap<String, Vec<Revision>> = HashMap::new();
        for secret in self.release_secrets(namespace, "owner=helm").await? {
            let name = secret.metadata.name.clone();
            let release = secret.metadata.labels.get("name").cloned();
            let (Some(release), Some(revision)) = (release, revision(secret)) else {
                let what =
                    format!("Secret {namespace}/{name} does not say its release and revision");
                return Err(ClusterError::Malformed(what));
            };
            all.entry(release).or_default().push(revision);
        }
        for revisions in all.values_mut() {
            revisions.sort_by_key(|r| r.revision);
        }
        Ok(all)
    }

    async fn release_secrets(
        &self,
        namespace: &str,
        labels: &str,
    ) -> Result<Vec<Named>, ClusterError> {
        let path = format!(
            "/api/v1/namespaces/{}/secrets?labelSelector={}&fieldSelector={}",
            segment(namespace),
            segment(labels),
            segment(&format!("type={}", helm_storage::SECRET_TYPE))
        );
        let list = self.all::<Named>(&ListOf::metadata(path)).await?;
        Ok(list.into_items())
    }

    /// Names of the AuthorizationPolicies of a namespace; what is in them is not sent.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn policy_names(
        &self,
        group_version: &str,
        namespace: &str,
    ) -> Result<HashSet<String>, ClusterError> {
        let path = format!(
            "/apis/{group_version}/namespaces/{}/authorizationpolicies",
            segment(namespace)
        );
        let list = self.all::<Named>(&ListOf::metadata(path)).await?;
        let names = list.into_items().into_iter().map(|o| o.metadata.name);
        Ok(names.collect())
    }

    /// A release Secret, as it is stored.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn release_secret(
        &self,
        namespace: &str,
        secret: &str,
    ) -> Result<ReleaseSecret, ClusterError> {
        let path = format!(
            "/api/v1/namespaces/{}/secrets/{}",
            segment(namespace),
            segment(secret)
        );
        self.get(&path).await
    }
}

/// Reads revisions and the newest release, the Secret that the status names at once.
pub(super) async fn stored(cluster: &Cluster, hr: &HelmRelease) -> Stored {
    let namespace = hr.storage_namespace();
    let name = hr.release_name();
    let expected = hr.revision().map(|n| release_secret(&name, n));
    let (revisions, ahead) = futures::join!(cluster.revisions(namespace, &name), async {
        match &expected {
            Some(secret) => Some(decoded(cluster, namespace, secret).await),
            None => None,
        }
    });
    let revisions = Read::from_result(revisions);
    let newest = revisions
        .if_read()
        .and_then(|all| all.first())
        .map(|r| r.secret.clone());
    let oldest = match revisions.if_read().map(Vec::as_slice) {
        Some([_, .., oldest]) => Some(&oldest.secret),
        _ => None,
    };
    let first = async {
        match oldest {
            Some(secret) => decoded(cluster, namespace, secret).await,
            None => Read::not_asked("no revision but the newest is known"),
        }
    };
    let newest = async {
        match (newest, expected, ahead) {
            // A list that lacks the revision that the status names is not whole: of saved files.
            (Some(listed), Some(expected), Some(Read::Unknown(why @ Why::NotAsked(_))))
                if older(&listed, &revisions, hr) =>
            {
                (Some(expected), Read::Unknown(why))
            }
            // The list knows better than the status, which is written after the attempt.
            (Some(newest), expected, ahead) => {
                let release = match ahead {
                    Some(release) if expected.as_ref() == Some(&newest) => release,
                    _ => decoded(cluster, namespace, &newest).await,
                };
                (Some(newest), release)
            }
            (None, Some(expected), Some(release)) => (Some(expected), release),
            (None, _, _) => {
                let release = match &revisions {
                    Read::Unknown(why) => Read::Unknown(why.clone()),
                    _ => Read::Absent,
                };
                (None, release)
            }
        }
    };
    let ((secret, release), first) = futures::join!(newest, first);
    Stored {
        revisions,
        release,
        first,
        secret: secret.map(|s| format!("{namespace}/{s}")),
    }
}

/// Whether the newest that is listed is older than the revision that the status names.
fn older(listed: &str, revisions: &Read<Vec<Revision>>, hr: &HelmRelease) -> bool {
    let all = revisions.if_read().map_or(&[][..], Vec::as_slice);
    let newest = all.iter().find(|r| r.secret == listed).map(|r| r.revision);
    newest < hr.revision()
}

async fn decoded(cluster: &Cluster, namespace: &str, name: &str) -> Read<Release> {
    match cluster.release_secret(namespace, name).await {
        Err(error) => Read::from_result(Err(error)),
        Ok(secret) => match secret.decode() {
            Ok(release) => Read::Seen(release),
            Err(why) => Read::Unknown(Why::Broken(format!("Secret {namespace}/{name}: {why}"))),
        },
    }
}

fn revision(secret: Named) -> Option<Revision> {
    let ObjectMeta {
        name,
        labels,
        creation_timestamp,
        ..
    } = secret.metadata;
    let number = labels
        .get("version")
        .and_then(|v| v.parse().ok())
        .or_else(|| name.rsplit_once(".v")?.1.parse().ok())
        .filter(|number| *number > 0)?;
    Some(Revision {
        revision: number,
        status: labels.get("status").cloned().unwrap_or_default(),
        created: creation_timestamp,
        secret: name,
    })
}

/// Reads the policy.
pub(super) async fn policy(cluster: &Cluster, id: &PolicyId) -> Read<Policy> {
    let object = cluster.object(
        &id.group_version,
        &id.namespace,
        "authorizationpolicies",
        &id.name,
    );
    let object = Read::from_result(object.await);
    object.map(|object| Policy::from_value(&object))
}

/// Reads the policy that the release's manifest names.
pub(super) async fn policy_of_manifest(
    cluster: &Cluster,
    hr: &HelmRelease,
    release: &Read<Release>,
) -> Read<Policy> {
    let release = match release {
        Read::Seen(release) => release,
        Read::Absent => return Read::not_asked("no release names one"),
        Read::Unknown(_) => {
            return Read::not_asked("the release, which names the policy, was not read");
        }
    };
    let found = manifest::objects(&release.manifest)
        .into_iter()
        .find(|o| o.kind == "AuthorizationPolicy" && o.api_version.contains('/'));
    match found {
        None => Read::not_asked("the release's manifest names no AuthorizationPolicy"),
        Some(object) => {
            let id = PolicyId {
                group_version: object.api_version,
                namespace: object
                    .metadata
                    .namespace
                    .unwrap_or_else(|| hr.release_namespace().to_owned()),
                name: object.metadata.name,
            };
            policy(cluster, &id).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn revisions_are_read_from_labels() {
        let meta = |json: Value| revision(serde_json::from_value(json).unwrap());
        let read = meta(json!({"metadata": {"name": "sh.helm.release.v1.a.v10", "labels": {"version": "10", "status": "deployed"}}})).unwrap();
        assert_eq!((read.revision, read.status.as_str()), (10, "deployed"));
        assert_eq!(
            meta(json!({"metadata": {"name": "sh.helm.release.v1.a.v3"}}))
                .unwrap()
                .revision,
            3
        );
        assert!(meta(json!({"metadata": {"name": "other"}})).is_none());
    }
}
