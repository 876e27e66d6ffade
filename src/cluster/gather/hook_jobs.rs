//! The Jobs of the target namespace, where the failure is about a hook's Job and does not name it.

use super::REMOTE;
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

/// Reads the Jobs, which include the hook's.
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
    if hr.is_remote() {
        return Read::not_asked(REMOTE);
    }
    if !is_nameless {
        return Read::not_needed("no hook's Job is at fault without its name");
    }
    let namespace = segment(hr.release_namespace());
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    let listed = cluster.page(&ListOf::objects(path), LISTED).await;
    Read::from_result(listed).map(|all: Listing<Value>| all.map(|object| Job::from_value(&object)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::{answering, forbidden, page};
    use crate::diagnosis::fixture;
    use crate::model::condition::Stated;
    use crate::model::failure::failure;
    use crate::snapshot::Why;
    use serde_json::json;

    /// What is read where the server answers so, and what it was asked.
    async fn read(name: &str, code: u16, answer: Value) -> (Read<Listing<Job>>, Vec<String>) {
        let hr = &fixture::snapshot(name).helm_release;
        let failure = failure(hr).map(Stated::of_any_spec);
        let (cluster, asked) = answering(&[(code, answer)]);
        let found = hook_jobs(&cluster, hr, failure.as_ref()).await;
        (found, asked.paths())
    }

    #[tokio::test]
    async fn jobs_are_read_for_a_hook_without_a_name_only() {
        let job = json!({"metadata": {"namespace": "core", "name": "a", "labels": 7}});
        let jobs = |token: &str| page("batch/v1", "Job", std::slice::from_ref(&job), token);
        let nameless = "upgrade-hook-failed-middle";
        let (found, asked) = read(nameless, 200, jobs("")).await;
        assert_eq!(asked, ["/apis/batch/v1/namespaces/core/jobs"]);
        let found = found.if_read().unwrap();
        assert_eq!(found.not_all(), None);
        assert_eq!(found.known()[0].meta.malformed.len(), 1);
        let (cut, _) = read(nameless, 200, jobs("more")).await;
        let why = cut.if_read().unwrap().not_all().map(Why::clause);
        assert_eq!(why.as_deref(), Some("only the first 1 jobs were read"));
        let (none, asked) = read("upgrade-hook-failed", 200, jobs("")).await;
        assert!(
            matches!(none.unknown(), Some(Why::NotNeeded(_))),
            "{none:?}"
        );
        assert!(asked.is_empty());
    }

    #[tokio::test]
    async fn jobs_that_cannot_be_read_are_not_known() {
        let nameless = "upgrade-hook-failed-middle";
        let (refused, _) = read(nameless, 403, forbidden()).await;
        assert!(
            matches!(refused.unknown(), Some(Why::Forbidden(_))),
            "{refused:?}"
        );
        for odd in [
            json!({}),
            json!({"kind": "JobList", "apiVersion": "batch/v1", "items": 7}),
        ] {
            let (found, _) = read(nameless, 200, odd.clone()).await;
            assert!(matches!(found, Read::Unknown(_)), "{odd}: {found:?}");
        }
    }
}
