//! SKVS122: the cluster does not know a kind in the chart.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::ObjectError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS122",
    slug: "kind-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the cluster does not know a kind in the chart",
    explanation: r#"The chart has an object of a kind that the API server does not serve: its CustomResourceDefinition is missing or has another
version. The onboarding's authorization policy is one of these (`AuthorizationPolicy` of `security.istio.io`): it needs
Istio."#,
    fix: r#"See it: `kubectl api-resources --api-group=GROUP`

Install the provider of the kind (for an authorization policy: Istio) before the onboarding: `spec.dependsOn` keeps that
order. If only the version differs, the chart is too old or too new for the cluster."#,
    example: r#"resource mapping not found for name: "pds-database" namespace: "secure-kvs" from "": no matches for kind "AuthorizationPolicy" in version "security.istio.io/v1beta1"
ensure CRDs are installed first"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Object(ObjectError::NoKind {
        kind,
        version,
        stored: false,
    })) = case.cause()?
    else {
        return Ok(None);
    };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    case.finding(case.subject(), format!("the cluster does not know the kind {kind} of {version}, which the chart needs"))
        .why("Its CustomResourceDefinition is not installed, or has another version. No object of the chart was applied.")
        .step("List the kinds and versions of that group, then install the missing definition:")
        .command(["kubectl", "api-resources", &format!("--api-group={group}")])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_kind_is_told() {
        assert_eq!(
            fixture::sentence("kind-missing", "SKVS122"),
            "the cluster does not know the kind AuthorizationPolicy of security.istio.io/v1beta1, which the chart needs"
        );
        assert_eq!(
            fixture::sentence("kind-missing-old", "SKVS122"),
            "the cluster does not know the kind AuthorizationPolicy of security.istio.io/v1beta1, which the chart needs"
        );
    }
}
