//! SKVS326: the mesh refuses the creation Job's request.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::job::{Job, Outcome};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::job_values::JobValues;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS326",
    slug: "mesh-denies-job",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the mesh refuses the creation Job's request",
    explanation: r#"`RBAC: access denied` is the answer of CouchDB's mesh proxy, not of CouchDB: no AuthorizationPolicy lets the Job in, or one
keeps it out. The proxy knows the Job by the ServiceAccount in its sidecar's certificate. Without a sidecar it has no identity, and
no policy that names accounts can match. The admin's password has nothing to do with it."#,
    fix: r#"See it: `kubectl get authorizationpolicies -A`, and whether the Job's pod has a container `istio-proxy`.

- Without a sidecar: have it injected (label of the namespace, `values.databaseCreationJob.runInIstioServiceMesh.enabled`).
- With one: an ALLOW policy for CouchDB's pods has to name the Job's account; look for DENY policies too, also in the mesh's root
  namespace (`istio-system`)."#,
    example: r#"RBAC: access denied
curl: (22) The requested URL returned error: 403"#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Outcome::Denied(death)) = case.outcome_by_log()? else {
        return Ok(None);
    };
    let account = JobValues::within(&case.hr().spec.values).service_account();
    let principal = format!(
        "ns/{}/sa/{}",
        death.pod.namespace,
        account.unwrap_or("agora-kvs")
    );
    let whose = match account {
        Some(_) => principal,
        None if case.hr().spec.values_from.is_empty() => {
            format!("{principal} (the chart's default)")
        }
        None => format!("{principal} (the chart's default; spec.valuesFrom may name another)"),
    };
    let outside = JobValues::within(&case.hr().spec.values).is_outside_the_mesh();
    let finding = Job::died(case, death, "the mesh refuses the request of the creation Job")
        .why("The answer is that of the mesh's proxy before CouchDB. CouchDB has not seen the request, and the database was not created by it.");
    let finding = match death.has_sidecar {
        Some(false) => finding
            .why("The Job's pod has no sidecar (istio-proxy), so it has no identity that an AuthorizationPolicy could let in.")
            .steps(outside.then(|| "Set values.databaseCreationJob.runInIstioServiceMesh.enabled to true in the manifest".to_owned()))
            .step("Have the sidecar injected into the Job's pod; look at the labels of the namespace:")
            .command(["kubectl", "get", "namespace", &death.pod.namespace, "--show-labels"]),
        has => finding
            .whys(has.is_none().then_some("Whether the Job's pod has a sidecar (istio-proxy) is not known; without one no policy that names accounts can match."))
            .step(format!("Find the AuthorizationPolicy that lets account {whose} in, or the one that keeps it out; those in istio-system hold for every namespace:"))
            .command(["kubectl", "get", "authorizationpolicies", "-A"]),
    };
    finding.then(then(case, Fixes::Elsewhere)).into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::{diagnose, fixture};

    /// The first step for a Job whose log ends so, in a pod with these further containers.
    fn step(sidecar: bool) -> String {
        let name = "mesh-denies-job";
        let snapshot = fixture::snapshot_of(name, &|object| {
            if object["kind"] == "Pod" && sidecar {
                let running = serde_json::json!({"name": "istio-proxy", "ready": true, "state": {"running": {}}});
                object["status"]["containerStatuses"]
                    .as_array_mut()
                    .unwrap()
                    .push(running);
            }
        });
        let case = Case::new(&snapshot, fixture::meta(name).now);
        fixture::lines(fixture::of_code(diagnose(&case), "SKVS326"))
    }

    #[test]
    fn without_a_sidecar_no_policy_can_match() {
        assert!(step(false).contains("Have the sidecar injected into the Job"));
        assert!(step(true).contains("account ns/core/sa/agora-kvs"));
    }
}
