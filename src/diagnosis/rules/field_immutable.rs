//! SKVS129: the upgrade changes a field that cannot change.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::ObjectError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS129",
    slug: "field-immutable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the upgrade changes a field that cannot change",
    explanation: r#"The new chart or the new values change a field that Kubernetes does not allow to change after creation (a Job's template, a
selector, a volume's size, an immutable ConfigMap). The upgrade fails each time until the object is re-created."#,
    fix: r#"See it: `helm diff` or the two versions of the chart, at the field named in the text.

Go back to the earlier values, or delete the object so that the upgrade re-creates it: only if it holds no data, as a Job, a
policy or a ConfigMap of an onboarding. A PersistentVolumeClaim takes its data with it."#,
    example: r#"cannot patch "x" with kind Job: Job.batch "x" is invalid: spec.template: Invalid value: …: field is immutable
ConfigMap "x" is invalid: data: Forbidden: field is immutable when `immutable` is set"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(text) = case.failure_text()? else {
        return Ok(None);
    };
    let Cause::Object(ObjectError::Immutable { object, field }) = &text.cause else {
        return Ok(None);
    };
    let (kind, name) = object.split_once(' ').unwrap_or((object, ""));
    let applied = text.applied.as_ref();
    let namespace = applied
        .and_then(|applied| applied.id.split_once('/'))
        .map_or(case.hr().release_namespace(), |(namespace, _)| namespace);
    let subject = Subject::new(kind, namespace, name);
    if text.is_of_replacement() {
        return replaced(case, &subject, field);
    }
    case.finding(subject.clone(), format!("{field} of {subject} cannot be changed"))
        .why("Kubernetes does not allow that field to change after creation; the upgrade fails each time.")
        .step(match object_commands::holds_no_data(kind) {
            true => "If the change is intended, delete the object so that the upgrade re-creates it. Look at it first:",
            false => "Go back to the value that the cluster has. If the change is intended, do not delete the object before you know what is lost with it: it may hold data, or own objects that do. The object:",
        })
        .command(object_commands::yaml(&subject))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// With `spec.upgrade.force` Helm replaces the object as a whole: a field that the API server filled in counts as a change too.
fn replaced(case: &Case<'_>, subject: &Subject, field: &str) -> Verdict {
    case.finding(subject.clone(), format!("{field} of {subject} cannot be changed"))
        .why("With spec.upgrade.force Helm replaces an object as a whole. What the chart leaves out, the API server has filled in, and taking it away is a change that Kubernetes does not allow.")
        .step("Remove spec.upgrade.force from the manifest: without it Helm changes only what the chart sets. Deleting the object helps until the next upgrade only.")
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};

    #[test]
    fn an_object_that_may_hold_data_is_not_to_be_deleted() {
        let step = |kind: &str, name: &str| {
            let mut snapshot = fixture::snapshot("field-immutable");
            for condition in snapshot.helm_release.status.conditions.edit() {
                let kept = condition.message.replace("ConfigMap", kind);
                condition.message = kept.replace("\"owner\"", &format!("{name:?}"));
            }
            let case = Case::new(&snapshot, fixture::meta("field-immutable").now);
            let diagnosis = diagnose(&case);
            let root = diagnosis.roots.iter().find(|r| r.rule.code == "SKVS129");
            format!("{:?}", root.expect("it is found").finding)
        };
        let deletes = "delete the object so that the upgrade re-creates it";
        assert!(step("ConfigMap", "owner").contains(deletes));
        for kind in ["PersistentVolumeClaim", "StatefulSet", "CephCluster"] {
            let said = step(kind, "owner");
            assert!(!said.contains(deletes), "{said}");
            assert!(said.contains("do not delete the object before"), "{said}");
        }
    }

    #[test]
    fn the_field_is_told() {
        assert_eq!(
            fixture::sentence("field-immutable", "SKVS129"),
            "data of ConfigMap core/owner cannot be changed"
        );
        assert_eq!(
            fixture::sentence("field-immutable-old", "SKVS129"),
            "spec.template of Job core/pds-database-migrate cannot be changed"
        );
    }
}
