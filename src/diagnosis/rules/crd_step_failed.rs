//! SKVS123: a CustomResourceDefinition of the chart could not be applied.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS123",
    slug: "crd-step-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a CustomResourceDefinition of the chart could not be applied",
    explanation: r#"Before the chart's objects Flux applies the CustomResourceDefinitions in its folder `crds` (`spec.install.crds`,
`spec.upgrade.crds`), and that failed. The onboarding chart has no definitions of its own; a dependency may have some."#,
    fix: r#"See it: the error text, and `kubectl get crds`.

Fix the cause named in the text. If the definitions are installed separately, set `spec.install.crds: Skip` and
`spec.upgrade.crds: Skip`."#,
    example: r#"failed to apply CustomResourceDefinitions: failed to create CustomResourceDefinition x: …"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Definitions(said)) = case.cause()? else {
        return Ok(None);
    };
    let finding = case
        .finding(
            case.subject(),
            "a CustomResourceDefinition of the chart could not be applied",
        )
        .why(format!("It says: {said}"));
    if said.contains(" with the name \"") {
        return finding
            .why("The chart's crds folder has an object that is not a CustomResourceDefinition; with crds: CreateReplace Flux applies it as one.")
            .step("Have the chart's author move it to the templates folder. Until then, set crds to Create or Skip for upgrades in the manifest.")
            .then(then(case, Fixes::Manifest))
            .into();
    }
    finding.step("Check which definitions exist. If they are installed separately, set crds: Skip in the manifest:")
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
