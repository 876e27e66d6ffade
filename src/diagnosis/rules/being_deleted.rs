//! SKVS109: the onboarding is being deleted.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::text::age;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS109",
    slug: "being-deleted",
    severity: Severity::Warning,
    role: Role::State,
    title: "the onboarding is being deleted",
    explanation: r#"The HelmRelease has a deletion time and waits for its finalizer: Flux uninstalls the release first. The authorization policy
goes; the database stays."#,
    fix: r#"See it: the conditions Released and Ready tell of an uninstall that fails.

Wait. If it hangs, read why the uninstall fails and mend that. Taking the finalizer off leaves the policy behind.
To delete the database as well, once the HelmRelease is gone: `kubectl skvs delete-db DATABASE`"#,
    example: r#"metadata.deletionTimestamp is set, finalizers.fluxcd.io is still there"#,
    needs: &[],
    explains: &[],
    when: deleted,
    check,
};

/// An uninstall that takes longer than this, in seconds, is worth a warning.
const PATIENCE: i64 = 300;

fn deleted(case: &Case<'_>) -> bool {
    case.hr().metadata.deletion_timestamp.is_some()
}

fn check(case: &Case<'_>) -> Verdict {
    let hr = case.hr();
    let since = case
        .seconds_since(hr.metadata.deletion_timestamp.as_deref())
        .unwrap_or_default();
    let severity = if since > PATIENCE {
        Severity::Warning
    } else {
        Severity::Info
    };
    let seen = Evidence::new(
        case.subject(),
        ".metadata.finalizers",
        &format!("held by {}", hr.metadata.finalizers.join(", ")),
    );
    let mut finding = Finding::new(case.subject(), format!("it has been being deleted for {}", age::duration(since)))
        .severity(severity)
        .why("Flux uninstalls the release before the HelmRelease goes. The database stays whatever happens.")
        .seen(case.seen_failure())
        .seen([seen]);
    if hr.spec.suspend {
        finding = finding.why("It is suspended: Flux then skips the uninstall and leaves the authorization policy behind.");
    }
    match case.database() {
        Some(database) => finding
            .step("When it is gone and the data is not needed:")
            .command(["kubectl", "skvs", "delete-db", &database]),
        None => finding.step("Wait until it is gone."),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("being-deleted", "SKVS109"),
            "it has been being deleted for 10m"
        );
    }
}
