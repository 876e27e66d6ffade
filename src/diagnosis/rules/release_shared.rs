//! SKVS153: two onboardings have one Helm release.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::helm_release::HelmRelease;
use crate::model::ownership::HelmReleases;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS153",
    slug: "release-shared",
    severity: Severity::Error,
    role: Role::Cause,
    title: "two onboardings have one Helm release",
    explanation: r#"Two HelmReleases have the same release name (`spec.releaseName`) and storage namespace. Helm knows one release: each HelmRelease
upgrades the other's, and both may say Ready. An upgrade does not create a database, and it deletes what the other's values had
created, such as its authorization policy."#,
    fix: r#"See it: `helm history -n STORAGENAMESPACE RELEASE`, and `helm get values` of its revisions.

Suspend both, so that nothing more is deleted. Leave the release to one of them. Do not change `spec.releaseName` of the other
in place: Flux would uninstall the release that they share. Delete it while it is suspended, which leaves the release alone,
and create it again with a `spec.releaseName` of its own: a new installation. If its database already exists, set
`values.databaseCreationJob.enabled: false`. Keep `namespace` and `database` as they are."#,
    example: r#"spec.releaseName: search, in two manifests"#,
    explains: &[
        "SKVS108", "SKVS116", "SKVS119", "SKVS310", "SKVS330", "SKVS331", "SKVS410", "SKVS411",
    ],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let hr = case.hr();
    let all = case.others()?;
    let same = HelmReleases::of_onboardings(all).of_same_release(hr);
    let Some(other) = all.iter().find(|other| same.contains(&other.id())) else {
        // Another namespace's HelmRelease can have the same release too.
        return case.elsewhere().map(|()| None);
    };
    let (release, storage) = (hr.release_name(), hr.storage_namespace());
    let named = |hr: &HelmRelease| {
        let subject = Subject::new("HelmRelease", &hr.metadata.namespace, &hr.metadata.name);
        let claim = hr.claim();
        let database = claim.joined().unwrap_or("not known");
        let observed = format!("releaseName {release}, database {database}");
        Evidence::new(subject, ".spec.releaseName", &observed)
    };
    Finding::new(
        case.subject(),
        format!("it has the same Helm release as {}: {release} in {storage}", case.name_of(other)),
    )
    .why("Each upgrades the other's release. An upgrade creates no database, and deletes what the other had created. READY may be True for both.")
    .seen([named(hr), named(other)])
    .step("Suspend both HelmReleases, so that nothing more is deleted. See whose values the newest revision has:")
    .command(["helm", "history", "-n", storage, &release])
    .command(["helm", "get", "values", "-n", storage, &release])
    .step("Leave the release to that onboarding. Delete the other HelmRelease while it is suspended: Flux then leaves the release alone. Do not rename its release in place, because Flux would uninstall the one that they share.")
    .step("Create it again with a spec.releaseName of its own, which is a new installation. If its database already exists, also set values.databaseCreationJob.enabled: false. Do not change namespace or database. Then resume both.")
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::snapshot::Why;

    #[test]
    fn the_other_is_named_and_the_databases_stay_as_they_are() {
        assert_eq!(
            fixture::sentence("release-shared", "SKVS153"),
            "it has the same Helm release as skvs-onboarding-pds--orders: shared in flux-system"
        );
        assert_eq!(fixture::followers("release-shared"), ["SKVS330"]);
        let fix = format!("{:?}", fixture::finding("release-shared", "SKVS153").fix);
        for part in [
            "Suspend both",
            "Delete the other HelmRelease while it is suspended",
            "Do not rename its release in place",
            "Do not change namespace or database",
        ] {
            assert!(fix.contains(part), "{part}: {fix}");
        }
    }

    #[test]
    fn it_is_not_clear_where_other_namespaces_were_not_read() {
        let mut snapshot = fixture::snapshot("ready");
        let why = Why::Forbidden("list helmreleases".to_owned());
        snapshot.not_elsewhere = Some(why);
        let now = fixture::meta("ready").now;
        let diagnosis = diagnose(&Case::new(&snapshot, now));
        let codes: Vec<&str> = diagnosis
            .not_run
            .iter()
            .flat_map(|n| n.codes.clone())
            .collect();
        assert!(codes.contains(&"SKVS153"), "{codes:?}");
    }
}
