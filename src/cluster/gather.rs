//! Everything that is read of one onboarding, side by side, as one [`Snapshot`].
//!
//! Owns which objects belong to an onboarding and how they are found. It judges nothing: a 404 is absent, any other error is
//! unknown with its reason, and what nothing names is not asked for. Text stays as it came; views clean it.
//!
//! The number of requests is bounded: see [`REQUESTS_MAX`]. A healthy onboarding takes about 14.

mod events;
mod hook_jobs;
mod hook_pods;
mod job;
mod log_end;
mod mesh;
mod network_policies;
mod nodes;
mod on_demand;
mod related;
mod release;
mod serving;
mod source;
mod webhook;

use super::onboardings::Onboardings;
use super::{Cluster, ClusterError, segment};
use crate::model::condition::Stated;
use crate::model::failure::failure;
use crate::model::field::{Fields, Meta};
use crate::model::helm_release::{HelmRelease, ObjectRef};
use crate::model::namespace::Namespace;
use crate::model::pod::Pod;
use crate::model::policy::{self, Policy};
use crate::model::status::{self, Ready};
use crate::snapshot::{
    Dependency, IfRead, Listing, LostJob, OnDemand, Parts, Read, ServingPod, Snapshot, Webhook,
};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Entries of `spec.dependsOn` that are followed.
const DEPENDENCIES_MAX: usize = 5;

/// Most requests that one snapshot sends: chart and source (4: an old cluster is asked in a second version), revisions (1),
/// release (3), policy (1), namespace (1), service account (1), events (1), dependencies, and what [`job`] needs. Retries of a
/// busy server are not counted.
pub const REQUESTS_MAX: u64 = 12 + DEPENDENCIES_MAX as u64 + job::REQUESTS_MAX;

/// The same with what checks ask for beyond it.
pub const ON_DEMAND_REQUESTS_MAX: u64 = REQUESTS_MAX
    + on_demand::REQUESTS_MAX
    + nodes::REQUESTS_MAX
    + webhook::REQUESTS_MAX
    + mesh::REQUESTS_MAX
    + network_policies::REQUESTS_MAX
    + hook_jobs::REQUESTS_MAX
    + hook_pods::REQUESTS_MAX
    + events::REQUESTS_MAX
    + related::REQUESTS_MAX;

/// Longest wait for one part: a list that hangs must not hold the others. A given `--request-timeout` counts instead.
const PART: Duration = Duration::from_secs(5);

/// Why objects of a release on another cluster are not read.
const REMOTE: &str =
    "the release is on another cluster (spec.kubeConfig), which this command does not read";

impl Cluster {
    /// Reads what belongs to the HelmRelease `object`. Sends [`REQUESTS_MAX`] requests at most.
    ///
    /// # Errors
    /// The object is no HelmRelease: a field has another type than the CRD gives it.
    pub async fn snapshot(
        &self,
        object: Value,
        others: &Onboardings,
    ) -> Result<Snapshot, ClusterError> {
        let hr = parsed(&object)?;
        Ok(self.read_snapshot(object, hr, others).await)
    }

    async fn read_snapshot(
        &self,
        object: Value,
        hr: HelmRelease,
        others: &Onboardings,
    ) -> Snapshot {
        let near = &self.within(PART);
        let (sources, installed, events, target_namespace, service_account, dependencies) = futures::join!(
            source::chain(near, &hr),
            installed(near, &hr, &object),
            events::about(
                near,
                &hr.metadata.namespace,
                "HelmRelease",
                &hr.metadata.name,
                Some(&hr.metadata.uid)
            ),
            target_namespace(near, &hr),
            service_account(near, &hr),
            dependencies(near, &hr),
        );
        let Installed {
            stored,
            policy,
            job,
            gone_job,
        } = installed;
        Snapshot::new(Parts {
            origin: self.origin().clone(),
            object,
            helm_release: hr,
            chart: sources.chart,
            source: sources.source,
            revisions: stored.revisions,
            release: stored.release,
            first_release: stored.first,
            release_secret: stored.secret,
            creation_job: job.job,
            lost_job: job.lost,
            gone_job,
            events,
            target_namespace,
            service_account,
            policy,
            dependencies,
            others: others.read.clone(),
            not_elsewhere: others.not_elsewhere.clone(),
            on_demand: OnDemand::default(),
        })
    }

    /// As [`Cluster::snapshot`], with what checks ask for beyond it. Sends [`ON_DEMAND_REQUESTS_MAX`] requests at most.
    ///
    /// # Errors
    /// As [`Cluster::snapshot`].
    pub async fn snapshot_with_on_demand(
        &self,
        object: Value,
        others: &Onboardings,
        now: Timestamp,
    ) -> Result<Snapshot, ClusterError> {
        let near = &self.within(PART);
        let hr = parsed(&object)?;
        let failure = failure(&hr).map(Stated::of_any_spec);
        let failure = failure.as_ref();
        let (rights, (controllers, controller_pods), snapshot) = futures::join!(
            on_demand::rights(near, failure),
            on_demand::controllers(near, &hr, failure, now),
            self.read_snapshot(object, hr.clone(), others)
        );
        let ((service, couch_pods), pods, former_events) = futures::join!(
            on_demand::couchdb(near, &snapshot),
            on_demand::pods(near, &hr, failure),
            events::of_former(near, &snapshot)
        );
        let (nodes, webhook, mesh, network_policies, hook_jobs, hook_pods, related) = match is_well(
            &hr,
        ) {
            true => {
                let well = match hr.is_remote() {
                    true => REMOTE,
                    false => "it is Ready",
                };
                (
                    Read::not_needed(well),
                    Read::not_needed(well),
                    Read::not_needed(well),
                    Read::not_needed(well),
                    Read::not_needed(well),
                    Read::not_needed(well),
                    Read::not_needed(well),
                )
            }
            false => {
                let pods = unready(
                    &controller_pods,
                    couch_pods.as_ref().map(|found| &found.pods),
                    &pods,
                );
                let webhook = webhook::webhook(near, &snapshot, failure).await;
                let of_webhook = webhook_pods(&webhook);
                let (nodes, mesh, network_policies, hook_jobs, hook_pods, related) = futures::join!(
                    nodes::nodes(near, &snapshot, &pods),
                    mesh::mesh(near, &snapshot),
                    network_policies::network_policies(near, &snapshot, (&service, &couch_pods)),
                    hook_jobs::hook_jobs(near, &hr, failure),
                    hook_pods::hook_pods(near, &hr, failure),
                    related::related(
                        near,
                        &snapshot,
                        failure,
                        &pods,
                        &of_webhook,
                        (&service, &couch_pods)
                    )
                );
                (
                    nodes,
                    webhook,
                    mesh,
                    network_policies,
                    hook_jobs,
                    hook_pods,
                    related,
                )
            }
        };
        Ok(snapshot.with_on_demand(OnDemand {
            former_events,
            nodes,
            webhook,
            mesh,
            network_policies,
            hook_jobs,
            hook_pods,
            related,
            rights,
            controllers,
            service,
            controller_pods,
            couch_pods,
            controller_log: on_demand::controller_log(near, &hr),
            pods,
            ..OnDemand::default()
        }))
    }

    /// The pods of a namespace by their labels, with why some are not serving.
    pub async fn serving_pods(&self, namespace: &str, selector: &str) -> Read<Listing<ServingPod>> {
        serving::pods(&self.within(PART), namespace, selector).await
    }

    /// Whether a ServiceAccount exists.
    pub async fn has_service_account(&self, namespace: &str, name: &str) -> Read<()> {
        let object = self.object("v1", namespace, "serviceaccounts", name);
        Read::from_result(object.await).map(|_| ())
    }

    /// One object by the parts of its path; the group is empty for core objects.
    async fn object(
        &self,
        group_version: &str,
        namespace: &str,
        plural: &str,
        name: &str,
    ) -> Result<Value, ClusterError> {
        let root = if group_version.contains('/') {
            format!("/apis/{group_version}")
        } else {
            format!("/api/{group_version}")
        };
        self.get(&format!(
            "{root}/namespaces/{}/{plural}/{}",
            segment(namespace),
            segment(name)
        ))
        .await
    }
}

/// Nothing around it can be at fault, or is of this cluster.
fn is_well(hr: &HelmRelease) -> bool {
    hr.is_remote() || status::shown(hr) == Ready::True
}

/// The pods that were read beyond the creation Job's.
fn unready<'a>(
    controllers: &'a Read<Listing<ServingPod>>,
    couchdb: Read<&'a Listing<ServingPod>>,
    target: &'a Read<Listing<Pod>>,
) -> nodes::Pods<'a> {
    let couchdb = match couchdb {
        Read::Seen(pods) => Some(pods),
        _ => None,
    };
    let serving = controllers.if_read().into_iter().chain(couchdb);
    nodes::Pods {
        serving: serving.flat_map(Listing::known).collect(),
        others: target
            .if_read()
            .into_iter()
            .flat_map(Listing::known)
            .collect(),
    }
}

/// The pods of the webhook that did not answer.
fn webhook_pods(webhook: &Read<Webhook>) -> Vec<&Pod> {
    let found = webhook.if_read();
    let found = found.and_then(|found| found.pods().if_read());
    let pods = found.into_iter().flat_map(Listing::known);
    pods.map(|found| &found.pod).collect()
}

fn parsed(object: &Value) -> Result<HelmRelease, ClusterError> {
    HelmRelease::from_value(object).map_err(|e| {
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        ClusterError::Malformed(format!("helmrelease {:?}: {e}", name.unwrap_or("?")))
    })
}

/// What Helm keeps, and what is found by it.
struct Installed {
    stored: release::Stored,
    policy: Read<Policy>,
    job: job::Found,
    gone_job: Option<LostJob>,
}

async fn installed(cluster: &Cluster, hr: &HelmRelease, object: &Value) -> Installed {
    if hr.is_remote() {
        return Installed {
            stored: release::Stored::not_asked(REMOTE),
            policy: Read::not_asked(REMOTE),
            job: job::Found::not_asked(REMOTE),
            gone_job: None,
        };
    }
    // A failure that names its Job, and an inventory that names the policy, need not wait for the release.
    let (job_ahead, policy_ahead) = (job::of_failure(hr), policy::of_inventory(object));
    let (stored, gone_job, job, policy) = futures::join!(
        release::stored(cluster, hr),
        job::gone(cluster, hr),
        async {
            match &job_ahead {
                Some(id) => Some(job::named(cluster, hr, id).await),
                None => None,
            }
        },
        async {
            match &policy_ahead {
                Some(id) => Some(release::policy(cluster, id).await),
                None => None,
            }
        },
    );
    let (job, policy) = futures::join!(
        async {
            match job {
                Some(found) => found,
                None => job::of_release(cluster, hr, &stored.release).await,
            }
        },
        async {
            match policy {
                Some(found) => found,
                None => release::policy_of_manifest(cluster, hr, &stored.release).await,
            }
        },
    );
    Installed {
        stored,
        policy,
        job,
        gone_job,
    }
}

async fn target_namespace(cluster: &Cluster, hr: &HelmRelease) -> Read<Namespace> {
    if hr.is_remote() {
        return Read::not_asked(REMOTE);
    }
    let path = format!("/api/v1/namespaces/{}", segment(hr.release_namespace()));
    let object = Read::from_result(cluster.get::<Value>(&path).await);
    object.map(|object| Namespace::from_value(&object))
}

async fn service_account(cluster: &Cluster, hr: &HelmRelease) -> Read<Meta> {
    if hr.is_remote() {
        return Read::not_asked(REMOTE);
    }
    match hr.spec.service_account_name.as_deref() {
        None | Some("") => {
            Read::not_asked("spec.serviceAccountName is not set: Flux uses its controller's own")
        }
        Some(name) => {
            let namespace = &hr.metadata.namespace;
            let object = cluster.object("v1", namespace, "serviceaccounts", name);
            let object = Read::from_result(object.await);
            object.map(|object| Fields::new(&object).meta("ServiceAccount"))
        }
    }
}

async fn dependencies(cluster: &Cluster, hr: &HelmRelease) -> Vec<Dependency> {
    let read = |(number, reference): (usize, &ObjectRef)| {
        let namespace = reference.namespace.as_deref().filter(|n| !n.is_empty());
        let namespace = namespace.unwrap_or(&hr.metadata.namespace).to_owned();
        let name = reference.name.clone();
        async move {
            let helm_release = if number < DEPENDENCIES_MAX {
                Read::from_result(cluster.helm_release(&namespace, &name).await)
            } else {
                Read::not_asked(format!(
                    "only the first {DEPENDENCIES_MAX} dependencies are read"
                ))
            };
            Dependency {
                id: format!("{namespace}/{name}"),
                helm_release: helm_release.into(),
            }
        }
    };
    futures::future::join_all(hr.spec.depends_on.iter().enumerate().map(read)).await
}
