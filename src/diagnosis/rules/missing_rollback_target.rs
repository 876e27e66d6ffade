//! SKVS132: Flux has no good revision to go back to.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::again;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS132",
    slug: "missing-rollback-target",
    severity: Severity::Error,
    role: Role::Symptom,
    title: "Flux has no good revision to go back to",
    explanation: r#"An upgrade failed and Flux was to roll back, but its history holds no earlier revision that was good: the release was
installed badly, or the history was cleared or trimmed. Flux then stops: neither a plain reconcile nor time changes that."#,
    fix: r#"See it: the condition Stalled with the reason MissingRollbackTarget, and `helm history -n STORAGENAMESPACE RELEASE`.

Mend the cause, then have Flux upgrade once more with a force token (controller 0.37 and later), or remove the release if it was
never well: `helm uninstall`."#,
    example: r#"Stalled=True MissingRollbackTarget: Failed to perform remediation: missing target release for rollback: cannot remediate failed release"#,
    needs: &[],
    explains: &[],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(stalled) = case
        .hr()
        .condition("Stalled")
        .filter(|c| c.is_true() && c.reason == "MissingRollbackTarget")
    else {
        return Verdict::Clear;
    };
    Finding::new(
        case.subject(),
        "Flux has no good revision to go back to, and has stopped",
    )
    .why("The upgrade failed, and the history holds no earlier revision that was good.")
    .seen([Evidence::condition(case.subject(), stalled)])
    .step("Mend the cause first.")
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
            "Flux has no good revision to go back to, and has stopped"
        );
    }

    #[test]
    fn a_force_token_is_what_helps() {
        let then = fixture::finding("missing-rollback-target", "SKVS132")
            .then
            .unwrap();
        let last = then.commands.last().unwrap().at(&Origin::default());
        let last = last.words().last().unwrap();
        assert!(last.starts_with("reconcile.fluxcd.io/forceAt="), "{last}");
    }
}
