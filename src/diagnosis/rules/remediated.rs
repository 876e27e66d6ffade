//! SKVS130: Flux has rolled back or uninstalled the failed release.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS130",
    slug: "remediated",
    severity: Severity::Error,
    role: Role::Symptom,
    title: "Flux has rolled back or uninstalled the failed release",
    explanation: r#"After a failure Flux remediates, if the manifest says so (`spec.install.remediation`, `spec.upgrade.remediation`): it removes
a failed installation, or rolls a failed upgrade back to the last good revision. READY then reports only the remediation; the
reason is in the condition Released, or found by the other checks.

If the creation Job created the database before the failure, it stays, and a second installation fails on it (SKVS301)."#,
    fix: r#"See it: the conditions Remediated and Released, and `helm history -n STORAGENAMESPACE RELEASE`.

Fix the cause. After a rollback the onboarding runs on the named revision; after an uninstall only the database is left."#,
    example: r#"Ready=False RollbackSucceeded: Helm rollback to previous release core/x.v1 with chart secure-kvs-onboarding@0.1.1 succeeded
Ready=False UninstallSucceeded: Helm uninstall remediation for release core/x.v1 with chart secure-kvs-onboarding@0.1.2 succeeded"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn remediated(case: &Case<'_>) -> bool {
    !case.is_ready() && case.hr().metadata.deletion_timestamp.is_none()
}

fn check(case: &Case<'_>) -> Verdict {
    if !remediated(case) {
        return Ok(None);
    }
    let hr = case.hr();
    let Some(condition) = case.hr().condition("Remediated").filter(|c| c.is_true()) else {
        return Ok(None);
    };
    let rolled_back =
        condition.reason == "RollbackSucceeded" || condition.message.contains("rollback");
    let sentence = if rolled_back {
        "Flux has rolled the failed upgrade back"
    } else {
        "Flux has uninstalled the failed release"
    };
    let runs = match rolled_back {
        true => match hr.latest().filter(|h| h.status == "deployed") {
            Some(h) => format!(
                "Revision {} with chart {} runs now.",
                h.version, h.chart_version
            ),
            None => match model_revision(&condition.message) {
                Some(to) => format!("It runs on {to}."),
                None => "It runs on its last good revision.".to_owned(),
            },
        },
        false => {
            "Nothing is installed now; if it created a database, the database stays.".to_owned()
        }
    };
    Finding::new(case.subject(), sentence)
        .why(runs)
        .why("This condition shows Flux's action, not the reason; the cause is in Released.")
        .seen([Evidence::condition(case.subject(), condition)])
        .step("See its history:")
        .command([
            "helm",
            "history",
            "-n",
            hr.storage_namespace(),
            &hr.release_name(),
        ])
        .into()
}

/// `revision 1` of `Helm rollback to previous release core/x.v1 with chart …`.
fn model_revision(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" release ")?;
    let (release, _) = rest.split_once(" with chart ")?;
    let (_, revision) = release.rsplit_once(".v")?;
    revision
        .parse::<i64>()
        .ok()
        .map(|r| format!("revision {r}"))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn what_flux_did_and_what_runs_now_are_told() {
        let told = |case| {
            let finding = fixture::finding(case, "SKVS130");
            format!("{}. {}", finding.sentence, finding.why[0])
        };
        assert_eq!(
            told("rolled-back"),
            "Flux has rolled the failed upgrade back. Revision 3 with chart 0.1.1 runs now."
        );
        assert_eq!(
            told("rolled-back-middle"),
            "Flux has rolled the failed upgrade back. It runs on revision 1."
        );
        assert_eq!(
            told("rolled-back-old"),
            "Flux has rolled the failed upgrade back. It runs on its last good revision."
        );
        assert_eq!(
            told("uninstalled-after-failure"),
            "Flux has uninstalled the failed release. Nothing is installed now; if it created a database, the database stays."
        );
    }
}
