//! SKVS128: an object that Helm wants to create is there already.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::model::object_error::ObjectError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS128",
    slug: "object-exists",
    severity: Severity::Error,
    role: Role::Cause,
    title: "an object that Helm wants to create is there already",
    explanation: r#"Helm creates hooks anew at each attempt and takes nothing over there: an object of that name that it did not delete before (left
by a release that was removed by force, or made by hand) is in its way. For the creation Job it means that an old Job is there."#,
    fix: r#"See it: `kubectl get RESOURCE NAME -n NAMESPACE -o yaml`

Make sure that no other onboarding made it (its labels and annotations tell), then delete it. The log of an old creation Job tells
whether the database was made; deleting the Job does not touch the database."#,
    example: r#"warning: Hook pre-install secure-kvs-onboarding/templates/database-creation-job.yaml failed: jobs.batch "pds-database-create" already exists"#,
    needs: &[],
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(ObjectError::Exists { resource, name }) = case.object_error() else {
        return Verdict::Clear;
    };
    let namespace = case.hr().release_namespace();
    case.finding(case.subject(), format!("{resource} {name} is there already, and Helm wants to create it"))
        .why("It is left from before or was made by somebody else; Helm deletes only what it knows as its own.")
        .step("See whose it is, and delete it if it is a leftover:")
        .command(["kubectl", "get", "-n", namespace, &resource, &name, "-o", "yaml"])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_object_is_told() {
        assert_eq!(
            fixture::sentence("object-exists", "SKVS128"),
            "jobs.batch pds-database-create is there already, and Helm wants to create it"
        );
        assert_eq!(
            fixture::sentence("object-exists-old", "SKVS128"),
            "jobs.batch pds-database-create is there already, and Helm wants to create it"
        );
    }
}
