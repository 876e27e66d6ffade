//! SKVS316: the mesh's sidecar keeps the creation Job from finishing.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::job::Sidecar;
use crate::diagnosis::mesh;
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::rules::creation_timed_out::about_the_job;
use crate::model::job_values::{AGENT_PORT, JobValues};
use crate::model::proxy_log::fault;
use crate::snapshot::{Checked, IfRead};

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
            let finding = Finding::new(
                pod.clone(),
                "the creation Job's mesh sidecar does not become ready",
            )
            .why("The Job waits for it before it starts its work.");
            unready(case, finding, pod, &seen)
        }
    };
    finding
        .seen(case.seen_failure())
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// Adds why the sidecar does not become ready, as its log says, and the remedy.
fn unready(case: &Case<'_>, finding: Finding, pod: &Subject, state: &str) -> Finding {
    let evidence = Evidence::new(
        pod.clone(),
        ".status.containerStatuses[istio-proxy], log",
        state,
    );
    let log = mesh::sidecar_log(case, pod);
    let unread = log.clone().and_then(Checked::err);
    let unread = unread.map(|unread| format!("Its log was not read: {}.", unread.why.clause()));
    let fault = log.and_then(IfRead::if_read).and_then(|log| fault(log));
    let own = mesh::sidecar_logs(pod);
    match fault {
        Some((fault, line)) => finding
            .why(fault.meaning())
            .seen([evidence.lines(&[line.to_owned()])])
            .step(format!("{}. Its log and istiod's:", fault.remedy()))
            .command(own)
            .command([
                "kubectl",
                "logs",
                "-n",
                "istio-system",
                "-l",
                "app=istiod",
                "--tail=50",
            ]),
        None => finding
            .whys(unread.as_deref())
            .seen([evidence])
            .step("Read its log, then check istiod:")
            .command(own),
    }
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
    use crate::diagnosis::{Case, fixture};
    use crate::snapshot::Read;

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

    #[test]
    fn the_log_of_a_sidecar_that_is_not_ready_gives_the_reason() {
        let name = "sidecar-not-ready-old";
        let of = |log: Read<String>| {
            let mut snapshot = fixture::snapshot(name);
            let Read::Seen(job) = &mut snapshot.creation_job else {
                panic!("no Job");
            };
            for found in job.pods.seen_mut().unwrap().known_mut() {
                found.logs = vec![("istio-proxy".to_owned(), log.clone().into())];
            }
            let case = Case::new(&snapshot, fixture::meta(name).now);
            let finding = super::check(&case).unwrap().unwrap();
            let why = finding.why.join("\n");
            format!("{why}\n{}", fixture::lines(finding))
        };
        let refused = "error\tsds\tfailed to warm certificate: rpc error: code = Unauthenticated desc = authentication failure";
        let reason = of(Read::Seen(refused.to_owned()));
        assert!(
            reason.contains("istiod does not accept its token (authentication failure)"),
            "{reason}"
        );
        assert!(
            reason.contains("$ kubectl logs -n istio-system -l app=istiod --tail=50"),
            "{reason}"
        );
        let bare = of(Read::Seen("warn\tEnvoy proxy is NOT ready".to_owned()));
        assert!(bare.contains("Read its log, then check istiod:"), "{bare}");
        let unread = of(Read::failed("timeout"));
        assert!(unread.contains("Its log was not read: "), "{unread}");
        assert!(
            unread.contains("Read its log, then check istiod:"),
            "{unread}"
        );
    }
}
