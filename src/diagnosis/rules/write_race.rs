//! SKVS125: somebody wrote the object at the same time.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::ObjectError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS125",
    slug: "write-race",
    severity: Severity::Warning,
    role: Role::Cause,
    title: "somebody wrote the object at the same time",
    explanation: r#"Two writers changed one object at the same time, and the API server accepted the first. This passes: Flux tries again, unless
its retries are used up. If it recurs, two controllers (or a script) are fighting over the object."#,
    fix: r#"See it: `kubectl get RESOURCE NAME -o yaml --show-managed-fields` names the writers.

If it happened once, there is nothing to fix. If it recurs, stop the other writer."#,
    example: r#"Operation cannot be fulfilled on secrets "sh.helm.release.v1.x.v1": the object has been modified; please apply your changes to the latest version and try again"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Object(ObjectError::Modified { resource, name })) = case.cause()? else {
        return Ok(None);
    };
    let text = case.failure_text()?.map_or("", |text| text.raw);
    if text.trim_end().ends_with(" not found") {
        return case
            .finding(
                case.subject(),
                format!("somebody deleted {resource} {name} while Flux was changing it"),
            )
            .severity(case.passing())
            .why("It was there when the action began. The next attempt creates it again.")
            .step("Only if it recurs: find who deletes it (another controller, a script, a second Helm).")
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    case.finding(
        case.subject(),
        format!("somebody wrote {resource} {name} at the same time as Flux"),
    )
    .severity(case.passing())
    .why("The API server accepted the other writer's change. This passes on its own.")
    .step("Only if it recurs: find the other writer.")
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("write-race", "SKVS125"),
            "somebody wrote secrets sh.helm.release.v1.core-skvs-onboarding-pds--database.v1 at the same time as Flux"
        );
        assert_eq!(
            fixture::sentence("write-race-old", "SKVS125"),
            "somebody wrote secrets sh.helm.release.v1.core-skvs-onboarding-pds--database.v1 at the same time as Flux"
        );
    }
}
