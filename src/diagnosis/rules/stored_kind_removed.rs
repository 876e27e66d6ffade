//! SKVS121: the stored release has a kind that the cluster no longer serves.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::ObjectError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS121",
    slug: "stored-kind-removed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the stored release has a kind that the cluster no longer serves",
    explanation: r#"The stored release has an object in an API version that a newer Kubernetes dropped, or whose CustomResourceDefinition was removed.
Helm compares the new chart with the stored release, and an uninstallation deletes the objects in it. A newer chart alone does not
help: the stored revision stays as it is."#,
    fix: r#"See it: `helm get manifest -n STORAGENAMESPACE RELEASE` and look for the kind.

Rewrite the stored release with the helm plugin `mapkubeapis`. If it only holds the authorization policy, you can remove it
and install again instead, but without the creation Job: a second installation fails on the database (SKVS301)."#,
    example: r#"unable to build kubernetes objects from current release manifest: … no matches for kind "AuthorizationPolicy" in version "security.istio.io/v1alpha1""#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Object(ObjectError::NoKind {
        kind,
        version,
        stored: true,
    })) = case.cause()?
    else {
        return Ok(None);
    };
    let what = if kind.is_empty() {
        "an API".to_owned()
    } else {
        format!("the kind {kind} of {version}")
    };
    let release = case.hr().release_name();
    let storage = case.hr().storage_namespace();
    case.finding(
        case.subject(),
        format!("the stored release has {what}, which the cluster no longer serves"),
    )
    .why(match case.action()? {
        Some("uninstall") => "Helm deletes the objects that the stored revision lists.",
        _ => "Helm compares with the stored revision, and a newer chart does not change it.",
    })
    .step("Inspect it:")
    .command(["helm", "get", "manifest", "-n", storage, &release])
    .step("Rewrite it with the helm plugin mapkubeapis:")
    .command(["helm", "mapkubeapis", &release, "--namespace", storage])
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_told_apart_from_a_chart_that_is_wrong() {
        assert_eq!(
            fixture::sentence("stored-kind-removed", "SKVS121"),
            "the stored release has the kind AuthorizationPolicy of security.istio.io/v1alpha1, which the cluster no longer serves"
        );
        assert_eq!(
            fixture::sentence("stored-kind-removed-old", "SKVS121"),
            "the stored release has an API, which the cluster no longer serves"
        );
    }
}
