//! What the creation Job needs in the namespace that it runs in, by name: as the hook that Helm stored says.

use super::case::Case;
use crate::model::helm_storage::creation_jobs;
use crate::model::job::Job;
use crate::model::job_values::JobValues;
use crate::model::manifest;
use crate::snapshot::IfRead;
use crate::text::document::embedded;
use crate::text::one_line;
use serde_json::Value;

/// The ServiceAccount of the chart's creation Job where the values name none.
const ACCOUNT: &str = "agora-kvs";

/// Names of objects that have to be there before the Job runs.
pub(super) struct Needs {
    pub(super) account: String,
    /// `Secret a`, `ConfigMap b`.
    pub(super) others: Vec<String>,
}

/// Of the newest stored revision; without one what the chart is known to need.
pub(super) fn needs(case: &Case<'_>) -> Needs {
    let values = JobValues::within(&case.hr().spec.values);
    let mut needs = Needs {
        account: one_line(values.service_account().unwrap_or(ACCOUNT)),
        others: Vec::new(),
    };
    let hooks = case.release().if_read().map(|r| r.hooks.as_slice());
    for hook in creation_jobs(hooks.unwrap_or_default()) {
        let documents = manifest::documents(&hook.manifest).into_iter();
        let jobs = documents.filter_map(|text| embedded::<Value>(&text));
        for job in jobs.map(|object| Job::from_value(&object)) {
            let Some(pod) = job.template.set() else {
                continue;
            };
            if let Some(account) = pod.service_account_name.as_str() {
                needs.account = one_line(account);
            }
            let named = pod.needed();
            needs.others.extend(named.iter().map(|name| one_line(name)));
        }
    }
    needs.others.sort();
    needs.others.dedup();
    needs
}
