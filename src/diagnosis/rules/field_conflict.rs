//! SKVS127: another field manager owns a field of the chart.

use crate::diagnosis::case::Case;
use crate::diagnosis::refused::object;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::ObjectError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS127",
    slug: "field-conflict",
    severity: Severity::Error,
    role: Role::Cause,
    title: "another field manager owns a field of the chart",
    explanation: r#"With server-side apply (Helm 4, controller 1.5 and later) each field has an owner. Another manager owns a field that the
chart sets: an edit with kubectl, another controller. Flux takes fields by force; without the right to, the action fails."#,
    fix: r#"See it: `kubectl get KIND NAME -o yaml --show-managed-fields`

Stop the other writer, or have it release the field. If the other one is right, remove the field from the chart's values."#,
    example: r#"conflict occurred while applying object core/x security.istio.io/v1, Kind=AuthorizationPolicy: Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" …"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(text) = case.failure_text()? else {
        return Ok(None);
    };
    let Cause::Object(ObjectError::Conflict { manager }) = &text.cause else {
        return Ok(None);
    };
    let object = object(text);
    case.finding(case.subject(), format!("{manager} owns a field of {object}, and Helm may not overwrite it"))
        .why("Server-side apply records an owner for each field; here two managers set the same one.")
        .step("Stop the other writer, or have it release the field. The object's managedFields list the owners.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_manager_is_told() {
        assert_eq!(
            fixture::sentence("field-conflict", "SKVS127"),
            "kubectl-client-side-apply owns a field of AuthorizationPolicy secure-kvs/pds-database, and Helm may not overwrite it"
        );
    }
}
