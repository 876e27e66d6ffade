//! SKVS132: Flux has no good revision to roll back to.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::again;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS132",
    slug: "missing-rollback-target",
    severity: Severity::Error,
    role: Role::Symptom,
    title: "Flux has no good revision to roll back to",
    explanation: r#"An upgrade failed and Flux tried to roll back, but its history has no earlier good revision: the installation failed too, or
the history was cleared or trimmed. Flux then stops, and neither a plain reconcile nor time changes that."#,
    fix: r#"See it: the condition Stalled with the reason MissingRollbackTarget, and `helm history -n STORAGENAMESPACE RELEASE`.

Fix the cause, then have Flux upgrade once more with a force token (controller 0.37 and later). If the release never worked,
remove it: `helm uninstall`."#,
    example: r#"Stalled=True MissingRollbackTarget: Failed to perform remediation: missing target release for rollback: cannot remediate failed release"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(stalled) = case
        .hr()
        .condition("Stalled")
        .filter(|c| c.is_true() && c.reason == "MissingRollbackTarget")
    else {
        return Ok(None);
    };
    Finding::new(
        case.subject(),
        "Flux has no good revision to roll back to, and has stopped",
    )
    .why("The upgrade failed, and the history has no earlier good revision.")
    .seen([Evidence::condition(case.subject(), stalled)])
    .step("Fix the cause first.")
    .then(Some(again(case)))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::advice::Origin;
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("missing-rollback-target", "SKVS132"),
            "Flux has no good revision to roll back to, and has stopped"
        );
    }

    #[test]
    fn a_force_token_is_what_helps() {
        let then = fixture::finding("missing-rollback-target", "SKVS132")
            .then
            .unwrap();
        let last = then.acts.last().unwrap().command().at(&Origin::default());
        let last = last.words().last().unwrap();
        assert!(last.starts_with("reconcile.fluxcd.io/forceAt="), "{last}");
    }
}
