//! SKVS126: an object of the chart exists and belongs to somebody else.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::ObjectError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS126",
    slug: "foreign-object",
    severity: Severity::Error,
    role: Role::Cause,
    title: "an object of the chart exists and belongs to somebody else",
    explanation: r#"An object of the chart already exists without this release's marks (label `app.kubernetes.io/managed-by`, annotations
`meta.helm.sh/release-name` and `-namespace`). It was created by hand or by another release, or a removed release left it.
Helm does not take it over. Controllers since 1.1 do, unless `disableTakeOwnership` is set."#,
    fix: r#"See it: `kubectl get KIND NAME -n NAMESPACE -o yaml`, the labels and annotations.

If another onboarding owns it, both create the same object: remove one, or give it other values. If it is a leftover, delete
it."#,
    example: r#"AuthorizationPolicy "pds-database" in namespace "secure-kvs" exists and cannot be imported into the current release: invalid ownership metadata; …"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Object(ObjectError::Foreign {
        kind,
        name,
        namespace,
        owner,
    })) = case.cause()?
    else {
        return Ok(None);
    };
    let subject = Subject::new(kind, namespace, name);
    let whose = match owner {
        Some(owner) => format!("the release {owner}"),
        None => "no release".to_owned(),
    };
    case.finding(
        subject.clone(),
        format!("{subject} already exists and belongs to {whose}"),
    )
    .why("The chart creates an object of that name, and Helm only takes over its own objects.")
    .step("See whose it is. A leftover may be deleted; another onboarding's may not:")
    .command(object_commands::yaml(&subject))
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_owner_is_told() {
        assert_eq!(
            fixture::sentence("foreign-object", "SKVS126"),
            "ConfigMap core/owner already exists and belongs to the release core-other"
        );
        assert_eq!(
            fixture::sentence("foreign-object-old", "SKVS126"),
            "AuthorizationPolicy secure-kvs/pds-database already exists and belongs to no release"
        );
    }
}
