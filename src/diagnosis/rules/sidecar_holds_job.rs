//! SKVS316: the mesh's sidecar keeps the creation Job from finishing.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::job::Sidecar;
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::rules::creation_timed_out::about_the_job;
use crate::model::job_values::{AGENT_PORT, JobValues};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS316",
    slug: "sidecar-holds-job",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the mesh's sidecar keeps the creation Job from finishing",
    explanation: r#"In the mesh the creation Job's pod has a second container, `istio-proxy`. The Job waits until it is ready, does its work, and
stops it through the Envoy port (`values.databaseCreationJob.runInIstioServiceMesh.envoyPort`, 15020). If the sidecar never
becomes ready, the Job does not start; if it is not stopped, the Job does not finish, because a pod is not done while a
container runs.

If the sidecar keeps running after the Job's own container succeeded, the database was created, and Helm still counts a
failure."#,
    fix: r#"See it: `kubectl get pods -n NAMESPACE -l job-name=JOB` shows `1/2` or `NotReady`, and `kubectl logs` of `istio-proxy`.

- Not ready: check istiod and the proxy's log.
- Still running: compare the Envoy port of the values with the mesh's. Outside the mesh set
  `values.databaseCreationJob.runInIstioServiceMesh.enabled` to false."#,
    example: r#"timeout waiting for: [Job/core/pds-database-create status: 'InProgress']; container create completed, istio-proxy runs"#,
    explains: &["SKVS108", "SKVS308", "SKVS303"],
    contradicted_by: &[Fact::JobComplete],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if !about_the_job(case)? {
        return Ok(None);
    }
    let job = case.job_pods()?;
    let finding = match &job.sidecar {
        None => return Ok(None),
        Some(Sidecar::RunsOn { pod, ended }) => {
            let seen = format!(
                "{} succeeded, istio-proxy is still running",
                ended.join(", ")
            );
            Finding::new(pod.clone(), "the creation Job's containers ended well, but the mesh's sidecar keeps running")
                .why("The Job does not finish while istio-proxy runs, so Helm waited in vain. The database was probably created.")
                .seen([Evidence::new(pod.clone(), ".status.containerStatuses", &seen)])
                .whys(never_ended(case).as_deref())
                .step("Check whether the Job could stop it (values.databaseCreationJob.runInIstioServiceMesh.envoyPort):")
                .command(object_commands::logs(pod).args(["--tail=50"]))
        }
        Some(Sidecar::NotReady { pod, state }) => {
            let seen = format!("istio-proxy {state}");
            Finding::new(
                pod.clone(),
                "the creation Job's mesh sidecar does not become ready",
            )
            .why("The Job waits for it before it starts its work.")
            .seen([Evidence::new(
                pod.clone(),
                ".status.containerStatuses[istio-proxy]",
                &seen,
            )])
            .step("Read its log, then check istiod:")
            .command([
                "kubectl",
                "logs",
                "-n",
                &pod.namespace,
                &pod.name,
                "-c",
                "istio-proxy",
                "--tail=50",
            ])
        }
    };
    finding
        .seen(case.seen_failure())
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// Why the Job does not end its sidecar, where the values say so.
fn never_ended(case: &Case<'_>) -> Option<String> {
    let values = JobValues::within(&case.hr().spec.values);
    if values.is_outside_the_mesh() {
        return Some("values.databaseCreationJob.runInIstioServiceMesh.enabled is false, so the Job does not end the sidecar: set it to true.".to_owned());
    }
    let port = values.other_port()?;
    Some(format!(
        "values.databaseCreationJob.runInIstioServiceMesh.envoyPort is {port}; Istio's agent, which ends the sidecar as a whole, listens on {AGENT_PORT}."
    ))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn one_that_runs_on_and_one_that_never_starts_are_told_apart() {
        assert_eq!(
            fixture::sentence("sidecar-runs-on", "SKVS316"),
            "the creation Job's containers ended well, but the mesh's sidecar keeps running"
        );
        assert_eq!(
            fixture::sentence("sidecar-not-ready-old", "SKVS316"),
            "the creation Job's mesh sidecar does not become ready"
        );
    }
}
