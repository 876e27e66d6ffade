//! Which pod and container CouchDB is in: found by evidence, then chosen by the user's flags among what was found.
//!
//! Names and labels differ between the generations of Secure KVS, so no single one of them is trusted. Steelcouch holds CouchDB's
//! credentials and is no CouchDB; sidecars share its pod. Neither is ever a candidate, whatever the flags say.

use super::Target;
use super::credentials::Credentials;
use k8s_openapi::api::core::v1::{Container, Pod};
use std::collections::BTreeMap;

/// CouchDB's port where a container names none.
const DEFAULT_PORT: u16 = 5984;

/// What the user's flags choose. A label selector has been applied by the API server.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// That selector, to be named.
    pub selector: Option<String>,
    pub pod: Option<String>,
    pub container: Option<String>,
    pub port: Option<u16>,
}

/// Why there is no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTarget {
    /// No pod looks like CouchDB; how many were looked at, and by which selector.
    None {
        looked_at: usize,
        selector: Option<String>,
    },
    /// More than one cluster: name and pods of each.
    Clusters(Vec<(String, Vec<String>)>),
    /// The pod that was named is not among those found.
    PodNotFound { pod: String, found: Vec<String> },
    /// More than one container of the pod looks like CouchDB.
    Containers { pod: String, found: Vec<String> },
    /// The container that was named does not look like CouchDB.
    ContainerNotFound {
        pod: String,
        container: String,
        found: Vec<String>,
    },
    /// CouchDB is there and no pod of it is ready.
    NotReady(Vec<String>),
}

impl NoTarget {
    /// A clause that names the namespace.
    pub fn clause(&self, namespace: &str) -> String {
        match self {
            Self::None {
                looked_at,
                selector,
            } => {
                let by = selector
                    .as_ref()
                    .map(|s| format!(" by --pod-selector {}", crate::text::shell_quote(s)));
                format!(
                    "no CouchDB pod in namespace {namespace} ({looked_at} pods looked at{})",
                    by.unwrap_or_default()
                )
            }
            Self::Clusters(clusters) => {
                let all: Vec<String> = clusters
                    .iter()
                    .map(|(cluster, pods)| format!("{cluster} ({})", pods.join(", ")))
                    .collect();
                format!(
                    "more than one CouchDB cluster in namespace {namespace}: {}",
                    all.join("; ")
                )
            }
            Self::PodNotFound { pod, .. } => {
                format!("{pod:?} is not one of CouchDB's pods in namespace {namespace}")
            }
            Self::Containers { pod, found } => format!(
                "more than one container of pod {namespace}/{pod} looks like CouchDB: {}",
                found.join(", ")
            ),
            Self::ContainerNotFound { pod, container, .. } => format!(
                "container {container:?} of pod {namespace}/{pod} does not look like CouchDB"
            ),
            Self::NotReady(pods) => format!(
                "no CouchDB pod in namespace {namespace} is ready: {}",
                pods.join(", ")
            ),
        }
    }
}

/// A pod of CouchDB with its containers that look like it.
struct Found<'a> {
    pod: &'a Pod,
    containers: Vec<&'a Container>,
}

impl Found<'_> {
    fn name(&self) -> &str {
        self.pod.metadata.name.as_deref().unwrap_or_default()
    }

    fn container_names(&self) -> Vec<String> {
        self.containers.iter().map(|c| c.name.clone()).collect()
    }

    /// Running, not on its way out, and `container` is ready.
    fn is_ready(&self, container: &str) -> bool {
        let Some(status) = &self.pod.status else {
            return false;
        };
        self.pod.metadata.deletion_timestamp.is_none()
            && status.phase.as_deref() == Some("Running")
            && status
                .container_statuses
                .iter()
                .flatten()
                .any(|s| s.name == container && s.ready)
    }

    /// What holds the pods of one cluster together: their StatefulSet, else the release label, else the name without its number.
    fn cluster(&self) -> String {
        let owner = self
            .pod
            .metadata
            .owner_references
            .iter()
            .flatten()
            .find(|o| o.controller == Some(true));
        let label = self
            .pod
            .metadata
            .labels
            .as_ref()
            .and_then(|l| l.get("release"));
        match (owner, label) {
            (Some(owner), _) => owner.name.clone(),
            (None, Some(release)) => release.clone(),
            (None, None) => {
                let name = self.name();
                match name.rsplit_once('-') {
                    Some((stem, number)) if number.bytes().all(|b| b.is_ascii_digit()) => {
                        stem.to_owned()
                    }
                    _ => name.to_owned(),
                }
            }
        }
    }
}

/// Finds the one container to ask.
///
/// # Errors
/// Why there is none, or no single one.
pub fn target(pods: &[Pod], choice: &Choice) -> Result<Target, NoTarget> {
    targets(pods, choice).map(|(first, _)| first)
}

/// The same, and the others of its cluster that are ready too: the one container of each of their pods.
///
/// # Errors
/// As [`target`].
pub fn targets(pods: &[Pod], choice: &Choice) -> Result<(Target, Vec<Target>), NoTarget> {
    let mut found: Vec<Found<'_>> = pods.iter().filter_map(evidence).collect();
    found.sort_by(|a, b| a.name().cmp(b.name()));
    if found.is_empty() {
        return Err(NoTarget::None {
            looked_at: pods.len(),
            selector: choice.selector.clone(),
        });
    }
    if let Some(pod) = &choice.pod {
        let names = found.iter().map(|f| f.name().to_owned()).collect();
        found.retain(|f| f.name() == pod);
        if found.is_empty() {
            return Err(NoTarget::PodNotFound {
                pod: pod.clone(),
                found: names,
            });
        }
    }
    let mut clusters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for f in &found {
        clusters
            .entry(f.cluster())
            .or_default()
            .push(f.name().to_owned());
    }
    if clusters.len() > 1 {
        return Err(NoTarget::Clusters(clusters.into_iter().collect()));
    }
    let mut unready = Vec::new();
    let mut ready = Vec::new();
    for f in &found {
        let container = match container(f, choice) {
            Ok(container) => container,
            Err(why) if ready.is_empty() => return Err(why),
            Err(_) => continue,
        };
        if f.is_ready(&container.name) {
            ready.push(Target {
                namespace: f.pod.metadata.namespace.clone().unwrap_or_default(),
                pod: f.name().to_owned(),
                uid: f.pod.metadata.uid.clone().unwrap_or_default(),
                container: container.name.clone(),
                port: choice.port.unwrap_or_else(|| port(container)),
                credentials: Credentials::default(),
            });
        } else {
            unready.push(f.name().to_owned());
        }
    }
    if ready.is_empty() {
        return Err(NoTarget::NotReady(unready));
    }
    let first = ready.remove(0);
    Ok((first, ready))
}

/// One pod of CouchDB's cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodState {
    pub name: String,
    pub uid: String,
    /// CouchDB runs in it and is ready.
    pub ready: bool,
}

/// The pods of the cluster that the target is one of, whatever chose the target; sorted by name.
pub fn cluster_of(pods: &[Pod], target: &Target) -> Vec<PodState> {
    let found: Vec<Found<'_>> = pods.iter().filter_map(evidence).collect();
    let Some(cluster) = found
        .iter()
        .find(|f| f.pod.metadata.uid.as_deref() == Some(target.uid.as_str()))
        .map(Found::cluster)
    else {
        return Vec::new();
    };
    let mut all: Vec<PodState> = found
        .iter()
        .filter(|f| f.cluster() == cluster)
        .map(|f| PodState {
            name: f.name().to_owned(),
            uid: f.pod.metadata.uid.clone().unwrap_or_default(),
            ready: f.containers.iter().any(|c| f.is_ready(&c.name)),
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn container<'a>(found: &Found<'a>, choice: &Choice) -> Result<&'a Container, NoTarget> {
    match (&choice.container, &found.containers[..]) {
        (Some(name), all) => all
            .iter()
            .find(|c| c.name == *name)
            .copied()
            .ok_or_else(|| NoTarget::ContainerNotFound {
                pod: found.name().to_owned(),
                container: name.clone(),
                found: found.container_names(),
            }),
        (None, [one]) => Ok(one),
        (None, _) => Err(NoTarget::Containers {
            pod: found.name().to_owned(),
            found: found.container_names(),
        }),
    }
}

/// The pod, if at least one of its containers looks like CouchDB.
fn evidence(pod: &Pod) -> Option<Found<'_>> {
    if is_steelcouch(pod) {
        return None;
    }
    let labelled = is_labelled(pod);
    let containers: Vec<&Container> = pod
        .spec
        .iter()
        .flat_map(|s| &s.containers)
        .filter(|c| looks_like_couchdb(c, labelled))
        .collect();
    (!containers.is_empty()).then_some(Found { pod, containers })
}

/// Two of port, name and environment; or the name alone in a pod that is labelled as CouchDB's.
fn looks_like_couchdb(container: &Container, labelled: bool) -> bool {
    let name = container.name.to_ascii_lowercase();
    let image = container
        .image
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let other = [
        "proxy",
        "exporter",
        "clouseau",
        "nouveau",
        "steelcouch",
        "metrics",
        "backup",
    ];
    if other
        .iter()
        .any(|o| name.contains(o) || repository(&image).contains(o))
    {
        return false;
    }
    let port =
        ports(container).any(|(name, number)| name == Some("couchdb") || number == DEFAULT_PORT);
    let named = name.contains("couchdb") || repository(&image).contains("couchdb");
    let environment = container
        .env
        .iter()
        .flatten()
        .any(|e| e.name.starts_with("COUCHDB_"));
    [port, named, environment].iter().filter(|e| **e).count() >= 2 || (named && labelled)
}

/// The last part of an image's name, without tag and digest.
fn repository(image: &str) -> &str {
    let path = image.split('@').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default()
}

fn is_steelcouch(pod: &Pod) -> bool {
    let says = |text: &str| text.to_ascii_lowercase().contains("steelcouch");
    label(pod, "type").is_some_and(says)
        || says(pod.metadata.name.as_deref().unwrap_or_default())
        || pod
            .spec
            .iter()
            .flat_map(|s| &s.containers)
            .any(|c| says(&c.name) || says(repository(c.image.as_deref().unwrap_or_default())))
}

/// Labels of the generations: Secure KVS's own (`type=db`, `app=agora-kvs-…` or `couchdb-agora-kvs`), the official chart's.
fn is_labelled(pod: &Pod) -> bool {
    label(pod, "type") == Some("db")
        || label(pod, "app").is_some_and(|a| a == "couchdb" || a.contains("agora-kvs"))
        || label(pod, "app.kubernetes.io/name") == Some("couchdb")
}

fn label<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn ports(container: &Container) -> impl Iterator<Item = (Option<&str>, u16)> {
    container
        .ports
        .iter()
        .flatten()
        .filter_map(|p| Some((p.name.as_deref(), u16::try_from(p.container_port).ok()?)))
}

/// The port named `couchdb`, else 5984.
fn port(container: &Container) -> u16 {
    ports(container)
        .find(|(name, _)| *name == Some("couchdb"))
        .map_or(DEFAULT_PORT, |(_, number)| number)
}

#[cfg(test)]
mod tests;
