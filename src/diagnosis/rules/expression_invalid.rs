//! SKVS135: an expression in the manifest is not valid CEL.

use crate::diagnosis::case::Case;
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS135",
    slug: "expression-invalid",
    severity: Severity::Error,
    role: Role::Cause,
    title: "an expression in the manifest is not valid CEL",
    explanation: r#"`spec.dependsOn[].readyExpr` and `spec.healthCheckExprs` are CEL expressions, and one of them cannot be compiled or does not
return true or false. Flux stops until the manifest changes. Only controllers since 1.4 have these fields."#,
    fix: r#"See it: the condition Ready; the text names the position.

Correct the expression in the manifest."#,
    example: r#"Stalled=True InvalidCELExpression: Reconciliation failed terminally due to configuration error: failed to parse the CEL expression …"#,
    explains: &["SKVS103", "SKVS108"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Expression(said)) = case.cause()? else {
        return Ok(None);
    };
    case.finding(
        case.subject(),
        "an expression in the manifest is not valid CEL",
    )
    .why(format!("It says: {said}"))
    .why("Flux does nothing until the manifest changes.")
    .step("Correct readyExpr of spec.dependsOn, or spec.healthCheckExprs, in the manifest. Its present state:")
    .command(kubectl(case, "get").args(["-o", "yaml"]))
    .then(then(case, Fixes::Manifest))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("expression-invalid", "SKVS135"),
            "an expression in the manifest is not valid CEL"
        );
    }
}
