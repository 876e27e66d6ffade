//! Objects that an interrupted uninstall may leave behind: Helm removes its record although an object could not be deleted, and the next
//! time it finds nothing to delete.

use super::case::Case;
use super::finding::{Finding, Subject};
use crate::snapshot::IfRead;

const POLICIES: &str = "authorizationpolicies.security.istio.io";

/// Adds the objects to look for once the HelmRelease is gone: by name if that is known. Those of a whole namespace are other onboardings' too,
/// so nothing is said of deleting them.
pub(super) fn shown(case: &Case<'_>, finding: Finding) -> Finding {
    let mut finding = finding.why("An interrupted uninstall can remove Helm's record and leave objects behind: the next attempt finds no release and stops.");
    let policy = case.policy().if_read().map(|policy| &policy.meta);
    let policy = policy.map(|meta| [POLICIES, &meta.namespace, &meta.name]);
    let job = case.job_as_far_as_read().subject.as_ref();
    let job = job.map(
        |Subject {
             namespace, name, ..
         }| ["jobs", namespace, name],
    );
    let named: Vec<_> = policy.into_iter().chain(job).collect();
    if !named.is_empty() {
        finding = finding.step("Once the HelmRelease is gone, and has not been created again, see whether these are gone too, and delete any that are left:");
    }
    for [kind, namespace, name] in named {
        finding = finding.command(["kubectl", "get", kind, "-n", namespace, name]);
    }
    let couchdb = case.couchdb_namespace();
    let unnamed = [
        (
            policy.is_none(),
            "AuthorizationPolicy",
            POLICIES,
            couchdb.as_str(),
        ),
        (job.is_none(), "Job", "jobs", case.hr().release_namespace()),
    ];
    let unnamed: Vec<_> = unnamed.into_iter().filter(|(is_so, ..)| *is_so).collect();
    let words: Vec<&str> = unnamed.iter().map(|(_, words, ..)| *words).collect();
    if !words.is_empty() {
        let what = words.join(" or ");
        finding = finding.step(format!("Once the HelmRelease is gone, check for a leftover {what}. Its name is not known, and other onboardings' objects are listed too:"));
    }
    for (_, _, kind, namespace) in unnamed {
        finding = finding.command(["kubectl", "get", kind, "-n", namespace]);
    }
    finding
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::model::policy::Policy;
    use crate::snapshot::{Read, Snapshot};
    use serde_json::json;

    fn lines(snapshot: &Snapshot, code: &str) -> String {
        let case = Case::new(snapshot, fixture::meta("deletion-hook-old").now);
        fixture::lines(fixture::of_code(diagnose(&case), code))
    }

    #[test]
    fn what_may_stay_is_looked_for_by_name_where_that_is_known() {
        let mut snapshot = fixture::snapshot("deletion-hook-old");
        insta::assert_snapshot!(lines(&snapshot, "SKVS109"), @"
        its deletion has been stuck for 20m: uninstallation completed with 1 error(s): timed out waiting for the condition
        Remove the obstacle to the uninstall. The release's objects:
        $ helm get manifest -n flux-system core-skvs-onboarding-pds--database
        Once the HelmRelease is gone, check for a leftover AuthorizationPolicy or Job. Its name is not known, and other onboardings' objects are listed too:
        $ kubectl get authorizationpolicies.security.istio.io -n secure-kvs
        $ kubectl get jobs -n core
        Once it is gone, check whether its database can be deleted too, and how much is in it. This deletes nothing:
        $ kubectl skvs delete-db pds_database --dry-run
        ");
        let policy =
            json!({"metadata": {"name": "pds-database", "namespace": "secure-kvs-eu"}, "spec": {}});
        snapshot.policy = Read::Seen(Policy::from_value(&policy));
        let said = lines(&snapshot, "SKVS109");
        let about: Vec<&str> = said
            .lines()
            .skip_while(|line| !line.starts_with("Once the HelmRelease"))
            .take(4)
            .collect();
        assert_eq!(
            about,
            [
                "Once the HelmRelease is gone, and has not been created again, see whether these are gone too, and delete any that are left:",
                "$ kubectl get authorizationpolicies.security.istio.io -n secure-kvs-eu pds-database",
                "Once the HelmRelease is gone, check for a leftover Job. Its name is not known, and other onboardings' objects are listed too:",
                "$ kubectl get jobs -n core",
            ]
        );
    }

    #[test]
    fn only_an_uninstall_that_ended_in_part_may_leave_something() {
        let mut snapshot = fixture::snapshot("deletion-hook-old");
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = "Helm uninstall failed: timed out waiting for the condition".into();
        }
        let told = lines(&snapshot, "SKVS109");
        assert!(!told.contains("authorizationpolicies"), "{told}");
        // The API server may go away in the middle of one.
        let lost = "Get \"https://10.96.0.1:443/version\": dial tcp 10.96.0.1:443: connect: connection refused";
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = format!("Helm uninstall failed: {lost}");
        }
        let told = lines(&snapshot, "SKVS113");
        assert!(told.contains("authorizationpolicies"), "{told}");
        snapshot.helm_release.metadata.deletion_timestamp = None;
        let told = lines(&snapshot, "SKVS113");
        assert!(!told.contains("authorizationpolicies"), "{told}");
    }
}
