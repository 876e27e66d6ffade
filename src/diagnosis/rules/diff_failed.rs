//! SKVS140: Flux cannot compare the release with the cluster.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS140",
    slug: "diff-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Flux cannot compare the release with the cluster",
    explanation: r#"Before it acts, Flux compares the cluster with the release by a dry run (`spec.driftDetection`, in old controllers a feature
gate), and that failed. The release itself may be healthy."#,
    fix: r#"See it: the error text; often an object of the release is gone, or its kind is.

Fix the cause named in the text. `spec.driftDetection.mode: disabled` skips the comparison."#,
    example: r#"DiffFailed: failed to diff release against cluster resources: …
StateError: Could not determine release state: unable to determine cluster state: …"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Comparison(said)) = case.cause()? else {
        return Ok(None);
    };
    case.finding(case.subject(), "Flux cannot compare the release with the cluster")
        .why(format!("It says: {said}"))
        .step("Fix the cause named in the text, or switch the comparison off (spec.driftDetection.mode: disabled). The release's objects:")
        .command(["helm", "get", "manifest", "-n", case.hr().storage_namespace(), &case.hr().release_name()])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn both_controllers_words_are_known() {
        assert_eq!(
            fixture::sentence("diff-failed", "SKVS140"),
            "Flux cannot compare the release with the cluster"
        );
        assert_eq!(
            fixture::sentence("diff-failed-old", "SKVS140"),
            "Flux cannot compare the release with the cluster"
        );
    }
}
