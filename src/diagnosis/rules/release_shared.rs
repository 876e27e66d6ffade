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

Suspend both, so that nothing more is deleted. Leave the release to one, and give the other its own `spec.releaseName`. A new
name is a new installation: where the database exists already, set `values.databaseCreationJob.enabled: false`. Keep
`namespace` and `database` as they are."#,
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
        return Ok(None);
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
    .step("Suspend both HelmReleases, so that nothing more is deleted. See whose values the stored revisions have:")
    .command(["helm", "history", "-n", storage, &release])
    .command(["helm", "get", "values", "-n", storage, &release])
    .step("Leave the release to that one, and give the other its own spec.releaseName. That is a new installation: if its database exists already, set values.databaseCreationJob.enabled: false. Do not change namespace or database.")
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_other_is_named_and_the_databases_stay_as_they_are() {
        assert_eq!(
            fixture::sentence("release-shared", "SKVS153"),
            "it has the same Helm release as skvs-onboarding-pds--orders: shared in flux-system"
        );
        assert_eq!(fixture::followers("release-shared"), ["SKVS330"]);
    }
}
