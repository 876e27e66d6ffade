//! SKVS123: a CustomResourceDefinition of the chart could not be applied.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::model::object_error::ObjectError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS123",
    slug: "crd-step-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a CustomResourceDefinition of the chart could not be applied",
    explanation: r#"Before the chart's objects Flux applies the CustomResourceDefinitions of its folder `crds` (`spec.install.crds`,
`spec.upgrade.crds`), and that failed. The onboarding chart has none of its own; a chart that it depends on may."#,
    fix: r#"See it: the text, and `kubectl get crds`.

Mend what the text says. If the definitions are installed by somebody else, set `spec.install.crds: Skip` and
`spec.upgrade.crds: Skip`."#,
    example: r#"failed to apply CustomResourceDefinitions: failed to create CustomResourceDefinition x: …"#,
    needs: &[],
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(ObjectError::Crd(said)) = case.object_error() else {
        return Verdict::Clear;
    };
    // The cause has its own check.
    if case.forbidden().is_some() || case.server_error().is_some() {
        return Verdict::Clear;
    }
    case.finding(
        case.subject(),
        "a CustomResourceDefinition of the chart could not be applied",
    )
    .why(format!("It says: {said}"))
    .step("See which there are. If somebody else installs them, set crds: Skip in the manifest:")
    .command(["kubectl", "get", "crds"])
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("crd-step-failed", "SKVS123"),
            "a CustomResourceDefinition of the chart could not be applied"
        );
        assert_eq!(
            fixture::sentence("crd-step-failed-old", "SKVS123"),
            "a CustomResourceDefinition of the chart could not be applied"
        );
    }
}
