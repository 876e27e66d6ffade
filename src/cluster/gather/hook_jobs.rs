//! The Jobs of the target namespace, where a hook's Job failed or was too slow, and neither the failure nor a stored release names it.

use crate::cluster::{Cluster, ListOf, segment};
use crate::model::failure::{Cause, Failure, hook_job};
use crate::model::helm_release::HelmRelease;
use crate::model::job::Job;
use crate::snapshot::{Listing, Read};
use serde_json::Value;

/// Jobs that are listed.
const LISTED: usize = 250;

/// Most requests.
pub(super) const REQUESTS_MAX: u64 = 1;

/// Reads the Jobs among which the hook's is.
pub(super) async fn hook_jobs(
    cluster: &Cluster,
    hr: &HelmRelease,
    failure: Option<&Failure<'_>>,
) -> Read<Listing<Job>> {
    let is_nameless = failure.is_some_and(|failure| match &failure.text.cause {
        Cause::Wait(wait) => {
            failure.text.later_hook().is_some()
                && (wait.job_failed || wait.timed_out)
                && wait.job().is_none()
                && hook_job(failure.text.raw).is_none()
        }
        _ => false,
    });
    if hr.is_remote() || !is_nameless {
        return Read::not_needed("no hook's Job is at fault without its name");
    }
    let namespace = segment(hr.release_namespace());
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    let listed = cluster.page(&ListOf::objects(path), LISTED).await;
    Read::from_result(listed).map(|all: Listing<Value>| all.map(|object| Job::from_value(&object)))
}
